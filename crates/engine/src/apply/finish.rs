//! The second pass, which writes references, and the reading back of everything.

use model::{Class, Step, StepState};
use service::{Kind, Outcome, Pass, StoredItem};

use super::batch::{Failed, batches, class_of, counted, failed};
use super::create::lost;
use super::remove::revision_of;
use super::report::lasting;
use super::{Apply, PAGE, writes};
use crate::Result;
use crate::plan::revisions;

/// Made, and not read back without a difference.
fn made(step: &Step) -> bool {
    writes(step) && matches!(step.state, StepState::Done | StepState::Differs)
}

/// The two passes over what is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Connect,
    Verify,
}

impl Apply<'_> {
    /// Writes references. After an interruption it is called again for the items of the last call, so kinds add only what is missing.
    pub(super) async fn connect(&self) -> Result<()> {
        self.pass(Last::Connect, "connect").await
    }

    pub(super) async fn verify(&self) -> Result<()> {
        self.pass(Last::Verify, "verify").await
    }

    async fn pass(&self, last: Last, phase: &str) -> Result<()> {
        let mark = self.mark();
        let connected = |step: &Step| {
            step.state == StepState::Done && mark.is_some_and(|mark| step.position <= mark)
        };
        let wanted = |step: &Step| made(step) && !(last == Last::Connect && connected(step));
        let expected = self.each_page(wanted).await?;
        self.begin(phase);
        let mut after = None;
        loop {
            let steps = self.store.steps(&self.plan.id, after, PAGE).await?;
            let Some(final_step) = steps.last() else {
                return Ok(());
            };
            after = Some(final_step.position);
            let mut waiting = batches(steps, wanted);
            while let Some(batch) = waiting.pop_front() {
                self.check_cancel()?;
                let count = batch.len();
                let end = batch[count - 1].position;
                let failed = match last {
                    Last::Connect => self.connect_batch(batch).await?,
                    Last::Verify => self.verify_batch(batch).await?,
                };
                match failed {
                    Some(Failed::Split(singles)) => {
                        for single in singles.into_iter().rev() {
                            waiting.push_front(single);
                        }
                        continue;
                    }
                    Some(Failed::One(step, error)) if last == Last::Connect => {
                        self.unconnected(&step, error.code, error.class, &error.message)
                            .await?;
                    }
                    Some(Failed::One(step, error)) => self.unread(&step, &error).await?,
                    None => {}
                }
                if last == Last::Connect && self.mark().is_none_or(|mark| mark < end) {
                    self.set_mark(Some(end)).await?;
                }
                self.advance(phase, count, expected);
            }
        }
    }

    async fn connect_batch(&self, steps: Vec<Step>) -> Result<Option<Failed>> {
        let Some(kind) = self.cx.service.kind(&steps[0].item.kind) else {
            return Ok(None);
        };
        self.journal.work_on(&[]);
        let items: Vec<StoredItem> = steps.iter().map(|step| self.stored(step)).collect();
        let answers = kind.restore(&self.restore(), Pass::Connect, &items).await;
        let outcomes = match counted(answers, &items) {
            Ok(outcomes) => outcomes,
            Err(error) => return failed(error, steps).map(Some),
        };
        for (step, outcome) in steps.iter().zip(outcomes) {
            match outcome {
                Outcome::Done { losses, .. } if !losses.is_empty() => {
                    let losses: Vec<String> = losses.iter().map(|loss| lost(loss)).collect();
                    let detail = joined(step.detail.as_deref(), &losses.join("; "));
                    self.set(step, step.state, None, Some(&detail)).await?;
                }
                Outcome::Done { .. } | Outcome::Left { .. } | Outcome::Unchanged => {}
                Outcome::Failed { code, message } => {
                    self.unconnected(step, code, class_of(code), &message)
                        .await?;
                }
            }
        }
        Ok(None)
    }

    async fn unconnected(
        &self,
        step: &Step,
        code: &str,
        class: Class,
        message: &str,
    ) -> Result<()> {
        self.run().unconnected.insert(step.position);
        let message = format!("references to other items: {message}");
        let detail = lasting(step).chain([message.as_str()]);
        let detail = detail.collect::<Vec<_>>().join("; ");
        self.set(step, StepState::Differs, None, Some(&detail))
            .await?;
        self.issue(step, code, class, &message);
        Ok(())
    }

    async fn verify_batch(&self, steps: Vec<Step>) -> Result<Option<Failed>> {
        let Some(kind) = self.cx.service.kind(&steps[0].item.kind) else {
            return Ok(None);
        };
        // What has no id of its own at the target cannot be read back.
        let (steps, none): (Vec<Step>, Vec<Step>) = steps
            .into_iter()
            .partition(|step| self.stored(step).new_id.is_some());
        for step in none {
            self.run().unread.insert(step.position);
        }
        let items: Vec<StoredItem> = steps.iter().map(|step| self.stored(step)).collect();
        if items.is_empty() {
            return Ok(None);
        }
        // Before: what somebody changes meanwhile is a later revision.
        let revisions = revisions(kind, &self.target(), &items).await?;
        let differences = match counted(kind.verify(&self.target(), &items).await, &items) {
            Ok(differences) => differences,
            Err(error) => return failed(error, steps).map(Some),
        };
        for ((step, revision), mut differences) in steps.iter().zip(revisions).zip(differences) {
            if let Some(revision) = revision {
                let place = revision_of(&step.item);
                self.store.note(&self.plan.id, &place, &revision).await?;
            }
            if self.run().unconnected.contains(&step.position) {
                differences.splice(0..0, step.detail.clone());
            } else if !differences.is_empty() {
                differences.splice(0..0, lasting(step).map(str::to_owned));
            }
            if let Some(url) = self.page(kind, step).await {
                self.store
                    .set_url(&self.plan.id, step.position, &url)
                    .await?;
            }
            if differences.is_empty() {
                let kept = step
                    .detail
                    .as_deref()
                    .filter(|_| step.state == StepState::Done);
                self.set(step, StepState::Verified, None, kept).await?;
            } else {
                let detail = differences.join("; ");
                self.set(step, StepState::Differs, None, Some(&detail))
                    .await?;
                self.issue(step, "restore-differs", Class::Malformed, &detail);
            }
        }
        Ok(None)
    }

    /// A link for people; doing without one fails nothing.
    async fn page(&self, kind: &dyn Kind, step: &Step) -> Option<String> {
        match kind.page(&self.target(), &self.stored(step)).await {
            Ok(page) => page,
            Err(error) => {
                tracing::debug!(item = %step.item, %error, "the page of an item is not known");
                None
            }
        }
    }

    async fn unread(&self, step: &Step, error: &service::Error) -> Result<()> {
        self.run().unread.insert(step.position);
        let message = format!("cannot be read back: {}", error.message);
        self.set(
            step,
            step.state,
            None,
            Some(&joined(step.detail.as_deref(), &message)),
        )
        .await?;
        self.issue(step, error.code, error.class, &message);
        Ok(())
    }
}

fn joined(detail: Option<&str>, more: &str) -> String {
    match detail {
        Some(detail) if !detail.contains(more) => format!("{detail}; {more}"),
        _ => more.to_owned(),
    }
}
