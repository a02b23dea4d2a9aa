//! What of a snapshot cannot be read while a plan is made. The plan leaves it out and says so: each is a step that has failed already.

use std::collections::BTreeMap;

use model::{Action, Class, Event, Issue, ItemRef, Step, StepState};
use service::Unreadable;

use super::PlanContext;
use crate::error::DAMAGED;
use crate::layout::is_within;
use crate::{Error, Result};

/// What is left out, by its path: whose it is, and why it cannot be read.
#[derive(Debug, Default)]
pub(super) struct Unread(BTreeMap<String, (ItemRef, String)>);

impl Unread {
    /// The ids of a kind's items in a scope that can be told.
    pub(super) async fn ids(
        &mut self,
        cx: &PlanContext<'_>,
        kind: &str,
        scope: &str,
    ) -> Result<Vec<String>> {
        let (ids, unreadable) = cx.stored.readable_ids(kind, scope).await?;
        for Unreadable { folder, why } in unreadable {
            let place = ItemRef::new(kind, scope, &folder);
            self.0.entry(folder).or_insert((place, why));
        }
        Ok(ids)
    }

    /// Leaves an item out whose document is damaged; any other error stays one.
    pub(super) fn leave_out(
        &mut self,
        cx: &PlanContext<'_>,
        item: &ItemRef,
        error: Error,
    ) -> Result<()> {
        if !error.is_damage() {
            return Err(error);
        }
        let path = cx.layouts().path(item).unwrap_or_else(|| item.to_string());
        let left_out = (item.clone(), error.to_string());
        self.0.entry(path).or_insert(left_out);
        Ok(())
    }

    /// What of `other` lies at a path, below it, or above it.
    pub(super) fn take(&mut self, other: Self, path: &str) {
        let near = |one: &str| path.is_empty() || is_within(one, path) || is_within(path, one);
        let all = other.0.into_iter();
        self.0.extend(all.filter(|(one, _)| near(one)));
    }

    /// Fails if anything was left out where `what` may be.
    pub(super) fn refuse(&self, what: &str) -> Result<()> {
        let Some((path, (_, why))) = self.0.first_key_value() else {
            return Ok(());
        };
        Err(damaged(what, &because(path, why)))
    }

    /// One step and one issue for each; the first step has this position.
    pub(super) fn steps(self, cx: &PlanContext<'_>, first: u64) -> Vec<Step> {
        let mut steps = Vec::with_capacity(self.0.len());
        for (position, (path, (item, why))) in (first..).zip(self.0) {
            let reason = format!("it is left out: {}", because(&path, &why));
            let issue = Issue {
                code: DAMAGED.to_owned(),
                class: Class::Malformed,
                kind: item.kind.clone(),
                scope: item.scope.clone(),
                item: None,
                message: reason.clone(),
                hint: None,
            };
            cx.reporter.report(Event::Issue { issue });
            steps.push(Step {
                position,
                item,
                name: path,
                action: Action::Skip,
                losses: Vec::new(),
                state: StepState::Failed,
                new_id: None,
                detail: Some(reason.clone()),
                reason: Some(reason),
                over: None,
                url: None,
            });
        }
        steps
    }
}

/// The error of something that was asked for and cannot be read.
pub(super) fn damaged(what: &str, why: &str) -> Error {
    Error::Request {
        code: DAMAGED,
        message: format!("{what}: {why}"),
    }
}

fn because(path: &str, why: &str) -> String {
    format!("`{path}` of the snapshot cannot be read: {why}")
}
