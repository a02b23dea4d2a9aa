//! What another plan made is taken away again: the last first, and only what nobody has changed since.

use std::collections::HashMap;

use model::{Action, Class, ItemRef, Step, StepState, Undone};
use serde::{Deserialize, Serialize};
use service::{GONE, Kind, Outcome, Stored, StoredItem, Target};

use super::batch::{Failed, batches, class_of, counted, failed};
use super::{Apply, PAGE};
use crate::Result;
use crate::plan::{IdMap, PlanContext, PlanStore, revisions};

/// How an item was made, as the plan that takes it away notes it in the journal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub action: Action,
    /// In what it differed from the snapshot from the start; a text of differences, each after `; `.
    pub differed: Option<String>,
    /// Its revision when it was read back, where its kind has such a thing and that was noted.
    #[serde(default)]
    pub stood: Option<String>,
}

impl Made {
    /// What came later: differences that there were none of, or a revision that no difference tells of. Somebody changed the item.
    pub(crate) fn since(&self, differences: &[String], revision: Option<&str>) -> Vec<String> {
        let known = format!("; {}; ", self.differed.as_deref().unwrap_or_default());
        let new = differences
            .iter()
            .filter(|difference| !known.contains(&format!("; {difference}; ")));
        let mut new: Vec<String> = new.cloned().collect();
        if self.stood.is_some() && self.stood.as_deref() != revision && new.is_empty() {
            new.push("its revision is another one".to_owned());
        }
        new
    }
}

/// Why something stays that a plan wrote: it may have stood there before.
pub(crate) const NOT_MADE: &str =
    "it is not known that the restore made it, and did not find it there: so it stays";

/// What a plan left at the target.
pub(crate) struct Traces {
    /// The ids of what it found or made there.
    pub ids: IdMap,
    /// The ids of what it made.
    made: HashMap<ItemRef, String>,
}

impl Traces {
    /// The plan made what the step is about.
    pub(crate) fn is_made(&self, step: &Step) -> bool {
        step.new_id.is_some() && self.made.get(&step.item) == step.new_id.as_ref()
    }

    pub(crate) async fn of(store: &dyn PlanStore, undone: &Undone) -> Result<Self> {
        let ids = IdMap::new(undone.original);
        let mut after = None;
        loop {
            let steps = store.steps(&undone.plan, after, PAGE).await?;
            let Some(last) = steps.last() else { break };
            after = Some(last.position);
            for step in &steps {
                match &step.new_id {
                    Some(id) => ids.insert(&step.item, id),
                    None => ids.set_absent(&step.item),
                }
            }
        }
        let mut made = HashMap::new();
        for written in store.written(&undone.plan).await? {
            ids.insert(&written.item, &written.new_id);
            if written.made {
                made.insert(written.item, written.new_id);
            }
        }
        Ok(Self { ids, made })
    }
}

/// The target as the undone plan saw it.
pub(crate) fn target_of<'a>(
    cx: &PlanContext<'a>,
    made: &'a dyn Stored,
    undone: &Undone,
    ids: &'a IdMap,
) -> Target<'a> {
    Target {
        http: cx.http,
        original: undone.original,
        stored: made,
        ids,
        work: cx.work,
    }
}

fn pending(step: &Step) -> bool {
    step.action == Action::Remove
        && matches!(
            step.state,
            StepState::Planned | StepState::Intended | StepState::Failed
        )
}

/// Where an item's revision at its reading back is noted. No kind has an empty name.
pub(crate) fn revision_of(item: &ItemRef) -> ItemRef {
    ItemRef::new("", &format!("{}/{}", item.kind, item.scope), &item.id)
}

/// Which revisions stand at the target; nothing is asked where none was noted.
pub(crate) async fn revisions_of(
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
    made: &[Made],
) -> Result<Vec<Option<String>>> {
    if made.iter().all(|made| made.stood.is_none()) {
        return Ok(vec![None; items.len()]);
    }
    revisions(kind, target, items).await
}

fn is_gone(differences: &[String]) -> bool {
    differences.iter().any(|difference| difference == GONE)
}

impl Apply<'_> {
    pub(super) async fn remove(&self, made: &dyn Stored, undone: &Undone) -> Result<()> {
        let expected = self.each_page(pending).await?;
        if expected == 0 {
            return Ok(());
        }
        self.begin("remove");
        let traces = Traces::of(self.store, undone).await?;
        let ids = &traces.ids;
        // A link to what is gone by this very plan is nobody's change.
        self.each_page(|step| {
            if step.action == Action::Remove && step.state == StepState::Verified {
                ids.remove(&step.item);
            }
            false
        })
        .await?;
        let target = target_of(self.cx, made, undone, ids);
        let mut before = self.each_page(|_| true).await?;
        while before > 0 {
            let from = before.saturating_sub(u64::from(PAGE));
            let mut steps = self
                .store
                .steps(&self.plan.id, from.checked_sub(1), PAGE)
                .await?;
            steps.retain(|step| step.position < before);
            steps.reverse();
            before = from;
            let mut waiting = batches(steps, pending);
            while let Some(batch) = waiting.pop_front() {
                self.check_cancel()?;
                let count = batch.len();
                match self.remove_batch(&target, &traces, batch).await? {
                    Some(Failed::Split(singles)) => {
                        for single in singles.into_iter().rev() {
                            waiting.push_front(single);
                        }
                        continue;
                    }
                    Some(Failed::One(step, error)) => {
                        self.fail(&step, error.code, error.class, &error.message)
                            .await?;
                    }
                    None => {}
                }
                self.advance("remove", count, expected);
            }
        }
        Ok(())
    }

    /// Steps whose call failed, if it did.
    async fn remove_batch(
        &self,
        target: &Target<'_>,
        traces: &Traces,
        steps: Vec<Step>,
    ) -> Result<Option<Failed>> {
        let ids = &traces.ids;
        let Some(kind) = self.cx.service.kind(&steps[0].item.kind) else {
            return Ok(None);
        };
        let mut items = Vec::with_capacity(steps.len());
        let mut known = Vec::with_capacity(steps.len());
        for step in &steps {
            let made = self.made_by(step).await?;
            items.push(StoredItem {
                action: made.action,
                ..self.stored(step)
            });
            known.push(made);
        }
        let looked = counted(kind.verify(target, &items).await, &items);
        let differences = match looked {
            Ok(differences) => differences,
            Err(error) => return failed(error, steps).map(Some),
        };
        let revisions = revisions_of(kind, target, &items, &known).await?;
        let (mut ready, mut chosen) = (Vec::new(), Vec::new());
        let all = steps.into_iter().zip(items).zip(known);
        for (((step, item), made), (differences, revision)) in
            all.zip(differences.into_iter().zip(revisions))
        {
            let gone = is_gone(&differences);
            if gone {
                ids.remove(&step.item);
            }
            let since = made.since(&differences, revision.as_deref());
            if self.may_go(&step, gone, &since, traces).await? {
                ready.push(step);
                chosen.push(item);
            }
        }
        self.take_away(kind, target, ids, ready, &chosen).await
    }

    async fn made_by(&self, step: &Step) -> Result<Made> {
        let noted = self.store.noted(&self.plan.id, &step.item).await?;
        let made = noted.and_then(|text| serde_json::from_str(&text).ok());
        // Without the note every difference counts, and the item stays.
        Ok(made.unwrap_or(Made {
            action: Action::Create,
            differed: None,
            stood: None,
        }))
    }

    async fn may_go(
        &self,
        step: &Step,
        gone: bool,
        since: &[String],
        traces: &Traces,
    ) -> Result<bool> {
        if gone {
            let (state, detail) = if step.state == StepState::Intended {
                (StepState::Verified, None)
            } else {
                (StepState::Skipped, Some("it is no longer there"))
            };
            self.set(step, state, None, detail).await?;
            return Ok(false);
        }
        // The plan may be older than what is known of that.
        if !traces.is_made(step) {
            self.set(step, StepState::Skipped, None, Some(NOT_MADE))
                .await?;
            return Ok(false);
        }
        if since.is_empty() {
            return Ok(true);
        }
        let message = format!(
            "it was changed since the restore, so it stays: {}",
            since.join("; ")
        );
        self.fail(step, "restore-conflict", Class::Conflict, &message)
            .await?;
        Ok(false)
    }

    async fn take_away(
        &self,
        kind: &dyn Kind,
        target: &Target<'_>,
        ids: &IdMap,
        mut steps: Vec<Step>,
        items: &[StoredItem],
    ) -> Result<Option<Failed>> {
        if items.is_empty() {
            return Ok(None);
        }
        for step in &mut steps {
            self.set(step, StepState::Intended, None, None).await?;
            step.state = StepState::Intended;
        }
        let outcomes = match counted(kind.remove(target, items).await, items) {
            Ok(outcomes) => outcomes,
            Err(error) => return failed(error, steps).map(Some),
        };
        let left = counted(kind.verify(target, items).await, items);
        for (at, (step, outcome)) in steps.iter().zip(outcomes).enumerate() {
            match (outcome, &left) {
                (Outcome::Failed { code, message }, _) => {
                    self.fail(step, code, class_of(code), &message).await?;
                }
                (_, Ok(left)) if is_gone(&left[at]) => {
                    ids.remove(&step.item);
                    self.set(step, StepState::Verified, None, None).await?;
                }
                (_, Ok(_)) => {
                    let message = "it is still there";
                    self.set(step, StepState::Differs, None, Some(message))
                        .await?;
                    self.issue(step, "restore-differs", Class::Malformed, message);
                }
                (_, Err(error)) => {
                    let message = format!("cannot be read back: {}", error.message);
                    self.set(step, StepState::Done, None, Some(&message))
                        .await?;
                    self.issue(step, error.code, error.class, &message);
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_known_only_as_a_whole() {
        let made = Made {
            action: Action::Create,
            differed: Some(
                "title: \"a\" instead of \"b\"; tags: nothing instead of \"x\"".to_owned(),
            ),
            stood: None,
        };
        let now = ["tags: nothing instead of \"x\"", "title: \"a\""].map(str::to_owned);
        assert_eq!(made.since(&now, None), ["title: \"a\""]);
    }
}
