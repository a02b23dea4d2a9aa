//! The restore plan: what a restore will do, before it does it. Planning only reads.

mod before;
mod decide;
mod find;
mod homes;
mod ids;
mod mention;
mod needs;
mod once;
mod order;
mod people;
mod select;
mod store;
mod told;
mod unread;
mod write;

use std::path::Path;

use model::{Clock, Conflict, Event, PlanState, Reporter, RestorePlan, RestoreTarget, SourceId};
use repository::SnapshotId;
use service::{Client, Service, Stored};

pub use self::select::{Select, Selector, What};
pub use self::store::PlanStore;

pub(crate) use self::before::add_made_before;
pub(crate) use self::decide::{IF_GONE, NEEDED};
pub(crate) use self::find::{Unfound, describe, find_each, revisions, target};
pub(crate) use self::ids::IdMap;
pub(crate) use self::people::renamed;
pub(crate) use self::told::losses_of;
use self::unread::Unread;
use crate::Result;
use crate::layout::Layouts;

/// What planning and applying read from and write to.
pub struct PlanContext<'a> {
    pub service: &'static Service,
    /// A client of the target.
    pub http: &'a Client,
    /// The snapshot.
    pub stored: &'a dyn Stored,
    pub clock: &'a dyn Clock,
    pub reporter: &'a dyn Reporter,
    /// A private folder; the caller deletes it afterwards.
    pub work: &'a Path,
}

impl PlanContext<'_> {
    pub(crate) fn layouts(&self) -> Layouts {
        Layouts::new(self.service)
    }

    pub(crate) fn phase(&self, phase: &str) {
        self.reporter.report(Event::Phase {
            phase: phase.to_owned(),
        });
    }

    pub(crate) fn progress(&self, phase: &str, items: u64, expected: Option<u64>) {
        let usage = self.http.usage();
        self.reporter.report(Event::Progress {
            phase: phase.to_owned(),
            current: None,
            items,
            expected,
            bytes: usage.bytes,
            requests: usage.requests,
            budget_left: usage.budget_left,
        });
    }
}

/// What a person asks for.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    pub plan_id: String,
    pub snapshot: SnapshotId,
    /// What the snapshot is of.
    pub source: SourceId,
    pub repository_name: String,
    pub target: RestoreTarget,
    pub conflict: Conflict,
    pub select: Select,
}

impl PlanRequest {
    pub(crate) fn original(&self) -> bool {
        matches!(self.target, RestoreTarget::Original { .. })
    }
}

/// All steps are there.
pub(crate) async fn ready(
    cx: &PlanContext<'_>,
    store: &dyn PlanStore,
    head: &mut RestorePlan,
) -> Result<()> {
    let now = cx.clock.now();
    store.ready(&head.id, now).await?;
    head.state = PlanState::Ready;
    head.planned = Some(now);
    Ok(())
}

/// Makes the plan and its steps in `store`; writes nothing to the service.
///
/// An interrupted plan stays without the time at which all of its steps were there, and cannot be applied.
pub async fn plan(
    cx: &PlanContext<'_>,
    request: &PlanRequest,
    store: &dyn PlanStore,
) -> Result<RestorePlan> {
    cx.phase("plan");
    let mut unread = Unread::default();
    let chosen = select::choose(cx, &request.select, &mut unread).await?;
    let mut head = RestorePlan {
        id: request.plan_id.clone(),
        snapshot: request.snapshot.to_string(),
        source: Some(request.source.clone()),
        repository: request.repository_name.clone(),
        target: request.target.clone(),
        conflict: request.conflict,
        state: PlanState::Planning,
        created: cx.clock.now(),
        planned: None,
        undoes: None,
    };
    store.create(&head).await?;
    let mut writer = write::PlanWriter::new(cx, request, &head, store, unread);
    let chosen = writer.drop_present(chosen).await?;
    let chosen = needs::with_containers(cx, chosen, &mut writer.unread).await?;
    writer.write(chosen).await?;
    ready(cx, store, &mut head).await?;
    Ok(head)
}
