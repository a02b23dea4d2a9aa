//! What an apply came to, counted from the plan's steps.

use std::collections::BTreeMap;

use model::{Action, ItemRef, PlanState, StepState};
use serde::Serialize;

use super::Apply;
use crate::Result;

/// Troubles that a report names; the plan's steps hold all of them.
const NAMED: usize = 1000;

/// The end of an apply. An item counts once by what was done, and again in `verified`, `differs` or `unread`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ApplyReport {
    pub created: u64,
    pub replaced: u64,
    pub undeleted: u64,
    pub merged: u64,
    pub skipped: u64,
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
        let mut report = ApplyReport { state: PlanState::Applied, ..ApplyReport::default() };
        self.each_page(|step| {
            let action = self.run().actions.get(&step.position).copied().unwrap_or(step.action);
            match (step.state, action) {
                (_, Action::Export) => report.exported += 1,
                (StepState::Skipped, _) | (_, Action::Skip) => report.skipped += 1,
                (StepState::Failed | StepState::Planned | StepState::Intended, _) => report.failed += 1,
                (_, Action::Create) => report.created += 1,
                (_, Action::Replace) => report.replaced += 1,
                (_, Action::Undelete) => report.undeleted += 1,
                (_, Action::Merge) => report.merged += 1,
            }
            match step.state {
                StepState::Verified => report.verified += 1,
                StepState::Differs => report.differs += 1,
                StepState::Done => report.unread += 1,
                _ => {}
            }
            if matches!(step.state, StepState::Done | StepState::Verified | StepState::Differs) {
                for loss in &step.losses {
                    *report.losses.entry(loss.clone()).or_default() += 1;
                }
            }
            if matches!(step.state, StepState::Failed | StepState::Differs | StepState::Done) && report.troubles.len() < NAMED {
                let detail = step.detail.clone().unwrap_or_else(|| "was not read back".to_owned());
                report.troubles.push(Trouble { item: step.item.clone(), name: step.name.clone(), state: step.state, detail });
            }
            false
        })
        .await?;
        if report.failed + report.differs + report.unread > 0 {
            report.state = PlanState::AppliedWithIssues;
        }
        Ok(report)
    }
}
