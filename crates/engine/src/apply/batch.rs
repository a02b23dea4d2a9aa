//! Steps in batches of one kind and scope, and what to do when a call for a batch fails.

use std::collections::VecDeque;

use model::{Action, Class, Event, Issue, Step, StepState};
use service::{Error as ServiceError, StoredItem};

use super::Apply;
use super::report::turned_into;
use crate::{Error, Result};

/// Items of one call to a kind.
const BATCH: usize = 50;

/// Consecutive steps of one kind and scope that meet the condition.
pub(crate) fn batches(steps: Vec<Step>, wanted: impl Fn(&Step) -> bool) -> VecDeque<Vec<Step>> {
    let mut batches: VecDeque<Vec<Step>> = VecDeque::new();
    for step in steps.into_iter().filter(wanted) {
        match batches.back_mut() {
            Some(batch)
                if batch.len() < BATCH
                    && batch[0].item.kind == step.item.kind
                    && batch[0].item.scope == step.item.scope =>
            {
                batch.push(step);
            }
            _ => batches.push_back(vec![step]),
        }
    }
    batches
}

/// After a failed call: its steps one by one, unless there is only one or the error ends everything.
pub(super) enum Failed {
    Split(VecDeque<Vec<Step>>),
    One(Box<Step>, ServiceError),
}

pub(super) fn failed(error: ServiceError, mut steps: Vec<Step>) -> Result<Failed> {
    if error.is_fatal() {
        return Err(Error::Service(error));
    }
    match steps.len() {
        1 => Ok(Failed::One(Box::new(steps.remove(0)), error)),
        _ => Ok(Failed::Split(
            steps.into_iter().map(|step| vec![step]).collect(),
        )),
    }
}

/// One answer an item, or the call failed.
pub(super) fn counted<T>(
    answers: service::Result<Vec<T>>,
    items: &[StoredItem],
) -> service::Result<Vec<T>> {
    let answers = answers?;
    if answers.len() == items.len() {
        return Ok(answers);
    }
    let kind = items.first().map_or("", |item| item.item.kind.as_str());
    Err(ServiceError::malformed(format!(
        "{kind}: {} items given, {} answered",
        items.len(),
        answers.len()
    )))
}

impl Apply<'_> {
    pub(super) fn stored(&self, step: &Step) -> StoredItem {
        let journaled = self.journal.id(&step.item);
        let unfinished = matches!(
            step.state,
            StepState::Planned | StepState::Intended | StepState::Failed
        );
        StoredItem {
            item: step.item.clone(),
            name: step.name.clone(),
            action: self
                .run()
                .actions
                .get(&step.position)
                .copied()
                .unwrap_or_else(|| turned_into(step)),
            open_intent: unfinished && (journaled.is_some() || self.journal.is_open(&step.item)),
            new_id: journaled.or_else(|| step.new_id.clone()),
        }
    }

    pub(super) async fn fail(
        &self,
        step: &Step,
        code: &str,
        class: Class,
        message: &str,
    ) -> Result<()> {
        if step.action != Action::Remove {
            self.ids.set_absent(&step.item);
        }
        self.set(step, StepState::Failed, None, Some(message))
            .await?;
        self.issue(step, code, class, message);
        Ok(())
    }

    /// Something about the step's item that a person should know.
    pub(super) fn issue(&self, step: &Step, code: &str, class: Class, message: &str) {
        let issue = Issue {
            code: code.to_owned(),
            class,
            kind: step.item.kind.clone(),
            scope: step.item.scope.clone(),
            item: Some(step.item.clone()),
            message: format!("{} `{}`: {message}", step.item, step.name),
            hint: None,
        };
        self.cx.reporter.report(Event::Issue { issue });
    }
}

/// The class of an outcome's code, for its issue.
pub(super) fn class_of(code: &str) -> Class {
    match code {
        "permission-missing" | "git-refused" => Class::Permission,
        "restore-conflict" => Class::Conflict,
        "restore-differs" | "answer-not-understood" => Class::Malformed,
        "throttled" => Class::Throttled,
        "service-unavailable" => Class::Transient,
        _ => Class::Unsupported,
    }
}
