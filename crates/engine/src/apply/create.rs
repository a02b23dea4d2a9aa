//! The first pass: makes the items.

use model::{Action, Class, Conflict, Step, StepState};
use service::{Found, FoundState, Ids as _, Kind, Outcome, Pass, StoredItem};

use super::batch::{Failed, batches, class_of, counted, failed};
use super::{Apply, PAGE, writes};
use crate::Result;
use crate::plan::{IF_GONE, NEEDED, Unfound, add_made_before, find_each, revisions};

fn pending(step: &Step) -> bool {
    writes(step)
        && matches!(
            step.state,
            StepState::Planned | StepState::Intended | StepState::Failed
        )
}

impl Apply<'_> {
    pub(super) async fn create(&self) -> Result<()> {
        let expected = self.each_page(pending).await?;
        self.begin("restore");
        let mut after = None;
        loop {
            let steps = self.store.steps(&self.plan.id, after, PAGE).await?;
            let Some(last) = steps.last() else {
                return Ok(());
            };
            after = Some(last.position);
            let mut waiting = batches(steps, pending);
            while let Some(batch) = waiting.pop_front() {
                self.check_cancel()?;
                let count = batch.len();
                let Some(kind) = self.cx.service.kind(&batch[0].item.kind) else {
                    self.fail_all(&batch, "this program does not know the kind")
                        .await?;
                    continue;
                };
                match self.create_batch(kind, batch).await? {
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
                self.advance("restore", count, expected);
            }
        }
    }

    async fn fail_all(&self, steps: &[Step], message: &str) -> Result<()> {
        for step in steps {
            self.fail(step, "restore-failed", Class::Unsupported, message)
                .await?;
        }
        Ok(())
    }

    /// Steps whose call failed, if it did.
    async fn create_batch(&self, kind: &dyn Kind, steps: Vec<Step>) -> Result<Option<Failed>> {
        let steps = self.with_parent(kind, steps).await?;
        self.journal.work_on(&steps);
        let (steps, items) = self.look_again(kind, steps).await?;
        let (steps, items) = self.as_planned(kind, steps, items).await?;
        if items.is_empty() {
            return Ok(None);
        }
        let answers = kind.restore(&self.restore(), Pass::Create, &items).await;
        let outcomes = match counted(answers, &items) {
            Ok(outcomes) => outcomes,
            Err(error) => return failed(error, steps).map(Some),
        };
        for ((step, item), outcome) in steps.iter().zip(&items).zip(outcomes) {
            self.made(step, item, outcome).await?;
        }
        Ok(None)
    }

    /// Fails the steps whose container is not at the target.
    async fn with_parent(&self, kind: &dyn Kind, steps: Vec<Step>) -> Result<Vec<Step>> {
        let Some(parent) = kind.spec().parent else {
            return Ok(steps);
        };
        let mut ready = Vec::with_capacity(steps.len());
        for step in steps {
            if step.item.scope.is_empty() || self.ids.get(parent, &step.item.scope).is_some() {
                ready.push(step);
            } else {
                self.fail(
                    &step,
                    "restore-failed",
                    Class::Missing,
                    &format!("its {parent} could not be restored"),
                )
                .await?;
            }
        }
        Ok(ready)
    }

    /// What stands at the target now: writes that an interrupted run began, what the service made together with a container, and what
    /// others did since the plan was made.
    async fn look_again(
        &self,
        kind: &dyn Kind,
        steps: Vec<Step>,
    ) -> Result<(Vec<Step>, Vec<StoredItem>)> {
        let stored: Vec<StoredItem> = steps.iter().map(|step| self.stored(step)).collect();
        let unsure = |item: &StoredItem| {
            (item.open_intent && self.journal.id(&item.item).is_none())
                || (!item.open_intent && item.action == Action::Create)
        };
        let asked: Vec<StoredItem> = stored
            .iter()
            .filter(|item| unsure(item))
            .map(|item| self.sought(kind, item))
            .collect();
        let mut answers = self.find(kind, &asked).await?.into_iter();
        let (mut ready, mut items) = (
            Vec::with_capacity(steps.len()),
            Vec::with_capacity(steps.len()),
        );
        for (step, mut item) in steps.into_iter().zip(stored) {
            let answer = if unsure(&item) { answers.next() } else { None };
            let go_on = match answer {
                None | Some(Ok(None)) => true,
                Some(Ok(Some(found))) if item.open_intent => {
                    self.adopt(&step, &mut item, &found).await?
                }
                Some(Ok(Some(found))) => self.stands_there(kind, &step, &mut item, &found).await?,
                Some(Err(Unfound { code, message })) => {
                    self.fail(
                        &step,
                        code,
                        class_of(code),
                        &format!("cannot be looked up at the target: {message}"),
                    )
                    .await?;
                    false
                }
            };
            if go_on {
                ready.push(step);
                items.push(item);
            }
        }
        Ok((ready, items))
    }

    async fn find(
        &self,
        kind: &dyn Kind,
        items: &[StoredItem],
    ) -> Result<Vec<Result<Option<Found>, Unfound>>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let open = items.iter().filter(|item| item.open_intent);
        let open: Vec<&str> = open.map(|item| item.item.id.as_str()).collect();
        if !open.is_empty() {
            let kind = kind.spec().name;
            for made in self.store.made_before(self.plan, kind, &open).await? {
                self.ids.add_other(kind, &made.new_id);
            }
        }
        let target = self.target();
        let mut answers = find_each(self.cx, kind, &target, items).await?;
        // Another plan may have been applied since this one was made.
        let plan = (self.store, self.plan);
        add_made_before(plan, kind, &target, items, &mut answers).await?;
        Ok(answers)
    }

    /// Fails the steps that would write over something else than the plan has seen: nobody has agreed to lose that.
    async fn as_planned(
        &self,
        kind: &dyn Kind,
        steps: Vec<Step>,
        items: Vec<StoredItem>,
    ) -> Result<(Vec<Step>, Vec<StoredItem>)> {
        // What this plan has begun to write is its own.
        let over = |step: &Step, item: &StoredItem| step.over.is_some() && !item.open_intent;
        let both = || steps.iter().zip(&items);
        let asked = both().filter(|(step, item)| over(step, item));
        let asked: Vec<StoredItem> = asked.map(|(_, item)| item.clone()).collect();
        let mut found = revisions(kind, &self.target(), &asked).await?.into_iter();
        let (mut ready, mut left) = (Vec::new(), Vec::new());
        for (step, item) in steps.into_iter().zip(items) {
            let now = if over(&step, &item) {
                found.next().flatten()
            } else {
                step.over.clone()
            };
            if now == step.over {
                ready.push(step);
                left.push(item);
                continue;
            }
            let message = match now {
                Some(_) => {
                    "it was changed at the target since the plan was made, and was left as it is: make a new plan, which shows how it stands now"
                }
                None => {
                    "it can no longer be read at the target, or is gone since the plan was made, and nothing was written over: make a new plan"
                }
            };
            self.fail(&step, "restore-conflict", Class::Conflict, message)
                .await?;
        }
        Ok((ready, left))
    }

    /// At its own place, in the container that it was in, it is looked for by its own id too: it came back with the one that was undeleted.
    fn sought(&self, kind: &dyn Kind, item: &StoredItem) -> StoredItem {
        let mut item = item.clone();
        let home = |parent| {
            let scope = &item.item.scope;
            scope.is_empty() || self.ids.get(parent, scope).as_ref() == Some(scope)
        };
        let home = self.original() && kind.spec().parent.is_none_or(home);
        if home && !item.open_intent && item.new_id.is_none() {
            item.new_id = Some(item.item.id.clone());
        }
        item
    }

    /// An interrupted run's write is found: it is ours. Whether the kind must still be called.
    async fn adopt(&self, step: &Step, item: &mut StoredItem, found: &Found) -> Result<bool> {
        match found.state {
            FoundState::Deleted => {}
            FoundState::Automatic => self.becomes(step, item, Action::Merge, found),
            FoundState::Present => {
                self.journal.wrote(&step.item, &found.id, true).await?;
                item.new_id = Some(found.id.clone());
                if item.action == Action::Undelete {
                    self.lower_mark(step.position).await?;
                    self.set(step, StepState::Done, Some(&found.id), None)
                        .await?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Something stands there that the plan did not see. Whether the kind must be called.
    async fn stands_there(
        &self,
        kind: &dyn Kind,
        step: &Step,
        item: &mut StoredItem,
        found: &Found,
    ) -> Result<bool> {
        // A container that others have made meanwhile is as good as ours.
        let needed = step
            .reason
            .as_deref()
            .is_some_and(|reason| reason.starts_with(NEEDED) || reason == IF_GONE);
        let conflict = if needed {
            Conflict::Skip
        } else {
            self.plan.conflict
        };
        let itself = self.original() && found.id == step.item.id;
        match (found.state, conflict) {
            (FoundState::Automatic, _) if !(itself && conflict == Conflict::Skip) => {
                self.becomes(step, item, Action::Merge, found);
            }
            (FoundState::Deleted, _) => {}
            (FoundState::Present, Conflict::Duplicate) => {
                if let Some(why) = kind.only_one() {
                    self.leave(step, &found.id, why).await?;
                    return Ok(false);
                }
            }
            (FoundState::Present, Conflict::Replace) => {
                self.becomes(step, item, Action::Replace, found);
            }
            (FoundState::Present | FoundState::Automatic, _) => {
                let why = "the target has it since the plan was made";
                self.leave(step, &found.id, why).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What stands there stays as it is.
    async fn leave(&self, step: &Step, id: &str, why: &str) -> Result<()> {
        self.ids.insert(&step.item, id);
        self.set(step, StepState::Skipped, Some(id), Some(why))
            .await
    }

    fn becomes(&self, step: &Step, item: &mut StoredItem, action: Action, found: &Found) {
        self.run().actions.insert(step.position, action);
        item.action = action;
        item.new_id = Some(found.id.clone());
    }

    async fn made(&self, step: &Step, item: &StoredItem, outcome: Outcome) -> Result<()> {
        if !matches!(outcome, Outcome::Failed { .. }) {
            self.lower_mark(step.position).await?;
        }
        match outcome {
            Outcome::Done { new_id, losses } => {
                if self.journal.id(&step.item).as_ref() != Some(&new_id) {
                    self.journal.wrote(&step.item, &new_id, false).await?;
                }
                let notes: Vec<String> = self
                    .became(step, item)
                    .into_iter()
                    .chain(losses.iter().map(|loss| lost(loss)))
                    .collect();
                let detail = (!notes.is_empty()).then(|| notes.join("; "));
                self.set(step, StepState::Done, Some(&new_id), detail.as_deref())
                    .await
            }
            Outcome::Unchanged => {
                let new_id = self.journal.id(&step.item).or_else(|| item.new_id.clone());
                if let Some(new_id) = &new_id {
                    self.ids.insert(&step.item, new_id);
                }
                self.set(
                    step,
                    StepState::Done,
                    new_id.as_deref(),
                    self.became(step, item).as_deref(),
                )
                .await
            }
            Outcome::Left { new_id, why } => self.leave(step, &new_id, &why).await,
            Outcome::Failed { code, message } => {
                self.fail(step, code, class_of(code), &message).await
            }
        }
    }

    /// The note on a step that turned out to do something else than planned.
    fn became(&self, step: &Step, item: &StoredItem) -> Option<String> {
        let note = match item.action {
            Action::Create if !self.journal.is_made(&step.item) => FILLED,
            action if action == step.action => return None,
            Action::Merge => MERGED,
            Action::Replace => REPLACED,
            _ => return None,
        };
        Some(note.to_owned())
    }
}

/// How a note in a step's detail begins that tells of a loss beyond the declared ones.
pub(super) const LOST: &str = "lost: ";
/// How the note begins when the step turned out to do something else than planned.
pub(super) const MERGED: &str = "merged into what the service made";
pub(super) const REPLACED: &str = "replaced what appeared since the plan was made";
pub(super) const FILLED: &str = "written into what the target had";

pub(super) fn lost(loss: &str) -> String {
    format!("{LOST}{}", loss.replace("; ", ", "))
}
