//! Restore: plans, applies, interruptions, against a small service with behavior.

mod again;
mod apply;
mod damaged;
mod kill;
mod kinds;
mod plan;
mod snapshot;
mod store;
mod undo;
mod world;

use std::sync::Arc;

use engine::apply::ApplyReport;
use engine::plan::{PlanContext, PlanRequest, Select};
use jiff::Timestamp;
use model::{Conflict, Event, Issue, Reporter, RestorePlan, RestoreTarget, Step};
use service::Service;
use tokio_util::sync::CancellationToken;

use snapshot::MapSnapshot;
use store::MemoryStore;
use world::World;

use crate::harness::At;
use crate::stand_in::client;

#[derive(Default)]
struct Events(std::sync::Mutex<Vec<Event>>);

impl Reporter for Events {
    fn report(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// A snapshot, a target and a store of plans.
struct Case {
    world: Arc<World>,
    store: MemoryStore,
    snapshot: MapSnapshot,
    service: &'static Service,
    events: Events,
    original: bool,
}

impl Case {
    fn new(snapshot: MapSnapshot, original: bool) -> Self {
        let world = Arc::new(World::default());
        let store = MemoryStore::new(Arc::clone(&world));
        let service = kinds::service(&world);
        Self {
            world,
            store,
            snapshot,
            service,
            events: Events::default(),
            original,
        }
    }

    async fn plan(&self, select: Select, conflict: Conflict) -> engine::Result<RestorePlan> {
        self.plan_as("plan", select, conflict).await
    }

    async fn plan_as(
        &self,
        id: &str,
        select: Select,
        conflict: Conflict,
    ) -> engine::Result<RestorePlan> {
        let connector = "contoso".to_owned();
        let source = model::SourceId::new("test", "https://test", "contoso");
        let target = if self.original {
            RestoreTarget::Original { connector, source }
        } else {
            RestoreTarget::Other { connector, source }
        };
        let request = PlanRequest {
            plan_id: id.to_owned(),
            snapshot: repository::Id::of(b"snapshot"),
            source: model::SourceId::new("test", "https://test", "source"),
            repository_name: "main".to_owned(),
            target,
            conflict,
            select,
        };
        let (client, work) = (client(), tempfile::tempdir().unwrap());
        engine::plan::plan(&self.context(&client, work.path()), &request, &self.store).await
    }

    async fn apply(&self) -> engine::Result<ApplyReport> {
        self.apply_until(&CancellationToken::new()).await
    }

    async fn apply_until(&self, cancel: &CancellationToken) -> engine::Result<ApplyReport> {
        self.apply_as("plan", cancel).await
    }

    async fn apply_as(&self, id: &str, cancel: &CancellationToken) -> engine::Result<ApplyReport> {
        let (client, work) = (client(), tempfile::tempdir().unwrap());
        engine::apply::apply(&self.context(&client, work.path()), id, &self.store, cancel).await
    }

    fn context<'a>(
        &'a self,
        http: &'a service::Client,
        work: &'a std::path::Path,
    ) -> PlanContext<'a> {
        PlanContext {
            service: self.service,
            http,
            stored: &self.snapshot,
            clock: &At(Timestamp::UNIX_EPOCH),
            reporter: &self.events,
            work,
        }
    }

    fn steps(&self) -> Vec<Step> {
        self.store.all_steps()
    }

    fn issues(&self) -> Vec<Issue> {
        let events = self.events.0.lock().unwrap();
        events
            .iter()
            .filter_map(|event| {
                if let Event::Issue { issue } = event {
                    Some(issue.clone())
                } else {
                    None
                }
            })
            .collect()
    }
}
