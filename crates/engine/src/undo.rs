//! The plan that takes another plan back: what that one made goes, what it replaced is put back from an older snapshot. Planning only reads.

use jiff::Timestamp;
use model::{Action, ItemRef, PlanState, RestorePlan, Step, StepState, Undone};
use service::{GONE, Ids as _, Kind, Removal, Stored, StoredItem, Target};

use crate::apply::{
    Made, NOT_MADE, Traces, batches, revision_of, revisions_of, target_of, was_made_by,
};
use crate::plan::{IdMap, PlanContext, PlanStore, losses_of, ready, renamed};
use crate::{Error, Result};

/// Steps that are read from the store in one call.
const PAGE: u32 = 500;

/// A snapshot of the target from before the restore.
pub struct Before<'a> {
    pub stored: &'a dyn Stored,
    pub taken: Timestamp,
}

/// What a restore is taken back from and with.
pub struct UndoRequest<'a> {
    /// `undoes` is set; it becomes ready here.
    pub head: RestorePlan,
    /// The snapshot whose items were written.
    pub made: &'a dyn Stored,
    /// Without it, what was replaced stays as it is.
    pub before: Option<Before<'a>>,
}

/// Makes the plan and its steps in `store`. Its steps lie in the order of those that they take back.
pub async fn plan(
    cx: &PlanContext<'_>,
    request: UndoRequest<'_>,
    store: &dyn PlanStore,
) -> Result<RestorePlan> {
    let Some(undone) = request.head.undoes.clone() else {
        return Err(Error::Request {
            code: "plan-not-undone",
            message: "the plan takes nothing back".to_owned(),
        });
    };
    cx.phase("plan");
    let mut head = RestorePlan {
        state: PlanState::Planning,
        planned: None,
        ..request.head.clone()
    };
    store.create(&head).await?;
    let traces = Traces::of(store, &undone).await?;
    let renamed = renamed(cx.service, request.made, store, &undone.plan).await?;
    let mut writer = Writer {
        cx,
        request: &request,
        undone: &undone,
        store,
        traces: &traces,
        made: match &renamed {
            Some(renamed) => renamed,
            None => request.made,
        },
        position: 0,
    };
    let mut after = None;
    loop {
        let steps = store.steps(&undone.plan, after, PAGE).await?;
        let Some(last) = steps.last() else { break };
        after = Some(last.position);
        for batch in batches(steps, wrote) {
            writer.batch(batch).await?;
            cx.progress("plan", writer.position, None);
        }
    }
    ready(cx, store, &mut head).await?;
    Ok(head)
}

/// The step put something there.
fn wrote(step: &Step) -> bool {
    !matches!(step.action, Action::Skip | Action::Export)
        && matches!(
            step.state,
            StepState::Done | StepState::Verified | StepState::Differs
        )
}

struct Writer<'a> {
    cx: &'a PlanContext<'a>,
    request: &'a UndoRequest<'a>,
    undone: &'a Undone,
    store: &'a dyn PlanStore,
    traces: &'a Traces,
    /// The items as they were written.
    made: &'a dyn Stored,
    position: u64,
}

/// How a restored item stands at the target now.
struct Look {
    /// From the snapshot, or why that is not known.
    differences: Result<Vec<String>, String>,
    revision: Option<String>,
}

/// What is done about one step, and why.
struct Answer {
    item: ItemRef,
    action: Action,
    reason: Option<String>,
    losses: Vec<String>,
}

impl Answer {
    fn stays(step: &Step, reason: impl Into<String>) -> Self {
        Self {
            item: step.item.clone(),
            action: Action::Skip,
            reason: Some(reason.into()),
            losses: Vec::new(),
        }
    }

    /// It stays, and what stood there before the restore does not come back.
    fn lost(step: &Step, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            losses: vec![reason.clone()],
            ..Self::stays(step, reason)
        }
    }
}

impl Writer<'_> {
    /// Steps of one kind and scope.
    async fn batch(&mut self, steps: Vec<Step>) -> Result<()> {
        let Some(kind) = self.cx.service.kind(&steps[0].item.kind) else {
            return Ok(());
        };
        let mut known = Vec::with_capacity(steps.len());
        for step in &steps {
            let place = revision_of(&step.item);
            known.push(Made {
                action: was_made_by(step),
                differed: step.detail.clone(),
                stood: self.store.noted(&self.undone.plan, &place).await?,
            });
        }
        let looks = self.look(kind, &steps, &known).await?;
        let mut page = Vec::with_capacity(steps.len());
        for (
            (step, made),
            Look {
                differences,
                revision,
            },
        ) in steps.iter().zip(known).zip(looks)
        {
            let answer = match differences {
                Ok(differences) => {
                    let since = made.since(&differences, revision.as_deref());
                    let gone = differences.iter().any(|difference| difference == GONE);
                    self.answer(kind, step, made.action, (gone, &since)).await?
                }
                Err(why) => Answer::stays(step, why),
            };
            if answer.action == Action::Remove {
                let note = serde_json::to_string(&made).map_err(|error| Error::Request {
                    code: "catalog-failed",
                    message: error.to_string(),
                })?;
                self.store
                    .note(&self.request.head.id, &answer.item, &note)
                    .await?;
            }
            page.push(Step {
                position: self.position,
                item: answer.item,
                name: step.name.clone(),
                state: if answer.action == Action::Skip {
                    StepState::Skipped
                } else {
                    StepState::Planned
                },
                // What is written over is what was looked at.
                over: revision.filter(|_| answer.action == Action::Replace),
                action: answer.action,
                reason: answer.reason,
                losses: answer.losses,
                new_id: step.new_id.clone(),
                detail: None,
                url: None,
            });
            self.position += 1;
        }
        self.store.add_steps(&self.request.head.id, &page).await
    }

    /// How each restored item stands at the target now.
    async fn look(&self, kind: &dyn Kind, steps: &[Step], made: &[Made]) -> Result<Vec<Look>> {
        let target = target_of(self.cx, self.made, self.undone, &self.traces.ids);
        let items: Vec<StoredItem> = steps
            .iter()
            .map(|step| StoredItem {
                item: step.item.clone(),
                name: step.name.clone(),
                action: was_made_by(step),
                new_id: step.new_id.clone(),
                open_intent: false,
            })
            .collect();
        // Before: what somebody changes meanwhile is a later revision.
        let revisions = revisions_of(kind, &target, &items, made).await?;
        let differences = compared(kind, &target, &items).await?;
        let looks = differences.into_iter().zip(revisions);
        let look = |(differences, revision)| Look {
            differences,
            revision,
        };
        Ok(looks.map(look).collect())
    }

    /// Whether it is gone, and what was changed in it since the restore.
    async fn answer(
        &self,
        kind: &dyn Kind,
        step: &Step,
        made: Action,
        (gone, since): (bool, &[String]),
    ) -> Result<Answer> {
        if gone {
            return Ok(Answer::stays(step, "it is no longer there"));
        }
        if !since.is_empty() {
            let message = format!(
                "it was changed since the restore, so it stays: {}",
                since.join("; ")
            );
            return Ok(Answer::stays(step, message));
        }
        match made {
            Action::Create | Action::Undelete if !self.traces.is_made(step) => {
                Ok(Answer::stays(step, NOT_MADE))
            }
            Action::Create | Action::Undelete => Ok(removed(kind, step)),
            Action::Replace => self.put_back(kind, step).await,
            Action::Merge => Ok(Answer::lost(
                step,
                "it was merged into what stood at the target, and what that was is not known",
            )),
            Action::Skip | Action::Export | Action::Remove => {
                Ok(Answer::stays(step, "nothing was written"))
            }
        }
    }

    async fn put_back(&self, kind: &dyn Kind, step: &Step) -> Result<Answer> {
        let (Some(before), Some(id)) = (&self.request.before, &step.new_id) else {
            return Ok(Answer::lost(
                step,
                "what stood there before is in no snapshot of the target",
            ));
        };
        let scope = match kind.spec().parent {
            Some(parent) if !step.item.scope.is_empty() => {
                self.traces.ids.get(parent, &step.item.scope)
            }
            _ => Some(step.item.scope.clone()),
        };
        let item = scope.map(|scope| ItemRef::new(&step.item.kind, &scope, id));
        let stored = match &item {
            Some(item) => before.stored.document(item).await?.is_some(),
            None => false,
        };
        let Some(item) = item.filter(|_| stored) else {
            let reason = format!(
                "what stood there before is not in the snapshot of {}",
                before.taken
            );
            return Ok(Answer::lost(step, reason));
        };
        let as_before = StoredItem {
            item: item.clone(),
            name: step.name.clone(),
            action: Action::Replace,
            new_id: Some(id.clone()),
            open_intent: false,
        };
        // To the snapshot from before, the target is where it was taken.
        let ids = IdMap::new(true);
        let target = Target {
            http: self.cx.http,
            original: true,
            stored: before.stored,
            ids: &ids,
            work: self.cx.work,
        };
        let mut losses = vec![format!(
            "it becomes what the snapshot of {} has: what was changed between that and the restore is lost",
            before.taken
        )];
        losses.extend(losses_of(self.cx.service, &target, kind, &as_before).await?);
        Ok(Answer {
            item,
            action: Action::Replace,
            reason: None,
            losses,
        })
    }
}

/// In what each item differs from the snapshot, or why that is not known.
async fn compared(
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Result<Vec<String>, String>>> {
    match kind.verify(target, items).await {
        Ok(all) if all.len() == items.len() => return Ok(all.into_iter().map(Ok).collect()),
        Err(error) if error.is_fatal() => return Err(error.into()),
        _ => {}
    }
    let mut each = Vec::with_capacity(items.len());
    for item in items {
        let one = kind.verify(target, std::slice::from_ref(item)).await;
        each.push(match one {
            Ok(mut all) => all.pop().ok_or_else(|| "it cannot be read".to_owned()),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => Err(format!("it cannot be read: {}", error.message)),
        });
    }
    Ok(each)
}

fn removed(kind: &dyn Kind, step: &Step) -> Answer {
    let losses = match kind.removal() {
        Removal::Never(reason) => return Answer::stays(step, reason),
        Removal::Bin => Vec::new(),
        Removal::Forever => {
            vec!["the service has no recycle bin for it: it is gone for good".to_owned()]
        }
    };
    Answer {
        item: step.item.clone(),
        action: Action::Remove,
        reason: None,
        losses,
    }
}
