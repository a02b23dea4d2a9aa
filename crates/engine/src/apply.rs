//! Applying a plan: create, connect, verify. An interrupted apply goes on where it stopped and doubles nothing.

mod batch;
mod create;
mod finish;
mod journal;
mod mark;
mod remove;
mod report;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{Action, PlanState, RestorePlan, RestoreTarget, Step, StepState};
use service::{Restore, Stored, Target};
use tokio_util::sync::CancellationToken;

pub(crate) use self::batch::batches;
pub(crate) use self::remove::{Made, NOT_MADE, Traces, revision_of, revisions_of, target_of};
pub(crate) use self::report::was_made_by;
pub use self::report::{ApplyReport, Trouble};

use self::journal::PlanJournal;
use crate::plan::{IdMap, PlanContext, PlanStore, renamed, target};
use crate::{Error, Result};

/// Steps that are read from the store in one call.
const PAGE: u32 = 500;

/// Applies the plan. When it is canceled or ends with an error that no other item would survive, the plan can be applied again: it goes on
/// with every step that is not done, failed ones included.
pub async fn apply(
    cx: &PlanContext<'_>,
    plan_id: &str,
    store: &dyn PlanStore,
    cancel: &CancellationToken,
) -> Result<ApplyReport> {
    apply_all(cx, None, plan_id, store, cancel).await
}

/// Applies a plan that takes another one back; `made` is the snapshot whose items that one has written.
pub async fn undo(
    cx: &PlanContext<'_>,
    made: &dyn Stored,
    plan_id: &str,
    store: &dyn PlanStore,
    cancel: &CancellationToken,
) -> Result<ApplyReport> {
    apply_all(cx, Some(made), plan_id, store, cancel).await
}

async fn apply_all(
    cx: &PlanContext<'_>,
    made: Option<&dyn Stored>,
    plan_id: &str,
    store: &dyn PlanStore,
    cancel: &CancellationToken,
) -> Result<ApplyReport> {
    let plan = store.plan(plan_id).await?;
    if plan.planned.is_none() {
        let message = format!("restore plan {plan_id} was never completed: plan again");
        return Err(Error::Request {
            code: "plan-incomplete",
            message,
        });
    }
    let renamed = renamed(cx.service, cx.stored, store, plan_id).await?;
    let cx = &match &renamed {
        Some(renamed) => PlanContext {
            stored: renamed,
            ..*cx
        },
        None => PlanContext { ..*cx },
    };
    let ids = IdMap::new(matches!(plan.target, RestoreTarget::Original { .. }));
    let journal = PlanJournal::open(&plan.id, store, &ids).await?;
    let apply = Apply {
        cx,
        plan: &plan,
        store,
        cancel,
        ids: &ids,
        journal: &journal,
        run: Mutex::default(),
    };
    apply.load_ids().await?;
    apply.load_mark().await?;
    store.set_state(&plan.id, PlanState::Applying).await?;
    if let (Some(made), Some(undone)) = (made, &plan.undoes) {
        let renamed = crate::plan::renamed(cx.service, made, store, &undone.plan).await?;
        match &renamed {
            Some(renamed) => apply.remove(renamed, undone).await?,
            None => apply.remove(made, undone).await?,
        }
    }
    apply.create().await?;
    apply.connect().await?;
    apply.verify().await?;
    let report = apply.report().await?;
    store.set_state(&plan.id, report.state).await?;
    Ok(report)
}

/// One apply.
struct Apply<'a> {
    cx: &'a PlanContext<'a>,
    plan: &'a RestorePlan,
    store: &'a dyn PlanStore,
    cancel: &'a CancellationToken,
    ids: &'a IdMap,
    journal: &'a PlanJournal<'a>,
    run: Mutex<InRun>,
}

/// What this run knows beyond the store.
#[derive(Default)]
struct InRun {
    /// Actions that changed since the plan was made, by position.
    actions: HashMap<u64, Action>,
    /// Steps whose references could not be written.
    unconnected: HashSet<u64>,
    /// Steps that could not be read back.
    unread: HashSet<u64>,
    items: u64,
    /// See [`mark`].
    connected: Option<u64>,
}

impl Apply<'_> {
    fn check_cancel(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            Err(Error::Canceled)
        } else {
            Ok(())
        }
    }

    fn run(&self) -> MutexGuard<'_, InRun> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn original(&self) -> bool {
        matches!(self.plan.target, RestoreTarget::Original { .. })
    }

    fn target(&self) -> Target<'_> {
        target(self.cx, self.original(), self.ids)
    }

    fn restore(&self) -> Restore<'_> {
        Restore {
            target: self.target(),
            conflict: self.plan.conflict,
            journal: self.journal,
        }
    }

    /// Ids of what the plan found at the target, and which ids must not be used there.
    async fn load_ids(&self) -> Result<()> {
        self.each_page(|step| {
            // It is named as another snapshot names it.
            if step.action == Action::Remove {
                return false;
            }
            match (&step.new_id, self.journal.id(&step.item)) {
                (_, Some(id)) => self.ids.insert(&step.item, &id),
                // It lies in the recycle bin until it is undeleted.
                (Some(id), None) if step.action != Action::Undelete => {
                    self.ids.insert(&step.item, id);
                }
                _ => self.ids.set_absent(&step.item),
            }
            false
        })
        .await
        .map(drop)
    }

    /// Calls `look` for every step; returns how many it said yes to.
    async fn each_page(&self, mut look: impl FnMut(&Step) -> bool) -> Result<u64> {
        let (mut after, mut count) = (None, 0);
        loop {
            let steps = self.store.steps(&self.plan.id, after, PAGE).await?;
            let Some(last) = steps.last() else {
                return Ok(count);
            };
            after = Some(last.position);
            count += steps.iter().filter(|step| look(step)).count() as u64;
        }
    }

    async fn set(
        &self,
        step: &Step,
        state: StepState,
        new_id: Option<&str>,
        detail: Option<&str>,
    ) -> Result<()> {
        self.store
            .set_step(&self.plan.id, step.position, state, new_id, detail)
            .await
    }

    /// Counts items for the progress of a phase.
    fn advance(&self, phase: &str, items: usize, expected: u64) {
        let mut run = self.run();
        run.items += items as u64;
        self.cx.progress(phase, run.items, Some(expected));
    }

    fn begin(&self, phase: &str) {
        self.run().items = 0;
        self.cx.phase(phase);
    }
}

/// Whether the step writes the item.
fn writes(step: &Step) -> bool {
    !matches!(step.action, Action::Skip | Action::Export | Action::Remove)
}
