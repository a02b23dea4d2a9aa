//! What an apply came to, counted from the plan's steps.

use std::collections::BTreeMap;

use model::{Action, ItemRef, PlanState, Step, StepState};
use serde::Serialize;

use super::Apply;
use super::create::{FILLED, LOST, MERGED, REPLACED};
use crate::Result;

/// Troubles that a report names; the plan's steps hold all of them.
const NAMED: usize = 1000;

/// The end of an apply. An item counts once by what was done, and again in `verified`, `differs` or `unread`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApplyReport {
    pub created: u64,
    pub replaced: u64,
    pub undeleted: u64,
    pub merged: u64,
    pub skipped: u64,
    /// Taken away, since another restore had made it.
    pub removed: u64,
    /// Cannot be written back; can be exported.
    pub exported: u64,
    pub failed: u64,
    /// Read back without a difference.
    pub verified: u64,
    /// Read back with differences, or without its references.
    pub differs: u64,
    /// Written, but could not be read back.
    pub unread: u64,
    /// What was lost, as the kinds declare it, and for how many items.
    pub losses: BTreeMap<String, u64>,
    /// What failed or differs, the first thousand.
    pub troubles: Vec<Trouble>,
    /// `Applied` or `AppliedWithIssues`.
    pub state: PlanState,
}

/// One item that did not come back as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    pub item: ItemRef,
    pub name: String,
    pub state: StepState,
    pub detail: String,
}

impl Apply<'_> {
    pub(super) async fn report(&self) -> Result<ApplyReport> {
        let mut report = ApplyReport::empty();
        self.each_page(|step| {
            report.count(step);
            false
        })
        .await?;
        if report.failed + report.differs + report.unread > 0 {
            report.state = PlanState::AppliedWithIssues;
        }
        Ok(report)
    }
}

fn notes(step: &Step) -> impl Iterator<Item = &str> {
    step.detail.as_deref().unwrap_or_default().split("; ")
}

/// The notes that stay whatever is found later: of losses, and that a step did something else than planned, which whoever takes it back must know.
pub(super) fn lasting(step: &Step) -> impl Iterator<Item = &str> {
    notes(step).filter(|note| [MERGED, REPLACED, FILLED].contains(note) || note.starts_with(LOST))
}

/// What a step turned out to do, for people and for whoever takes it back.
pub(crate) fn was_made_by(step: &Step) -> Action {
    match step.action {
        Action::Create if notes(step).any(|note| note == FILLED) => Action::Merge,
        _ => turned_into(step),
    }
}

/// The action with which the kind wrote.
pub(super) fn turned_into(step: &Step) -> Action {
    match step.action {
        Action::Create if notes(step).any(|note| note == MERGED) => Action::Merge,
        Action::Create if notes(step).any(|note| note == REPLACED) => Action::Replace,
        action => action,
    }
}

impl ApplyReport {
    fn empty() -> Self {
        Self {
            created: 0,
            replaced: 0,
            undeleted: 0,
            merged: 0,
            removed: 0,
            skipped: 0,
            exported: 0,
            failed: 0,
            verified: 0,
            differs: 0,
            unread: 0,
            losses: BTreeMap::new(),
            troubles: Vec::new(),
            state: PlanState::Applied,
        }
    }

    fn count(&mut self, step: &Step) {
        let notes = || notes(step);
        let action = was_made_by(step);
        match (step.state, action) {
            (_, Action::Export) => self.exported += 1,
            // What the plan could not read.
            (StepState::Failed, Action::Skip) => self.failed += 1,
            (StepState::Skipped, _) | (_, Action::Skip) => self.skipped += 1,
            (StepState::Failed | StepState::Planned | StepState::Intended, _) => self.failed += 1,
            (_, Action::Create) => self.created += 1,
            (_, Action::Replace) => self.replaced += 1,
            (_, Action::Undelete) => self.undeleted += 1,
            (_, Action::Merge) => self.merged += 1,
            (_, Action::Remove) => self.removed += 1,
        }
        match step.state {
            StepState::Verified => self.verified += 1,
            StepState::Differs => self.differs += 1,
            StepState::Done => self.unread += 1,
            _ => {}
        }
        // What an undo leaves as it is may be a loss as well.
        if step.action == Action::Skip
            || matches!(
                step.state,
                StepState::Done | StepState::Verified | StepState::Differs
            )
        {
            let noted = notes().filter_map(|note| note.strip_prefix(LOST));
            for loss in step.losses.iter().map(String::as_str).chain(noted) {
                *self.losses.entry(loss.to_owned()).or_default() += 1;
            }
        }
        if matches!(
            step.state,
            StepState::Failed | StepState::Differs | StepState::Done
        ) && self.troubles.len() < NAMED
        {
            let detail = step
                .detail
                .clone()
                .unwrap_or_else(|| "was not read back".to_owned());
            self.troubles.push(Trouble {
                item: step.item.clone(),
                name: step.name.clone(),
                state: step.state,
                detail,
            });
        }
    }
}
