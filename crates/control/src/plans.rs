//! The engine's `PlanStore` on the catalog.

use async_trait::async_trait;
use catalog::Catalog;
use engine::Result;
use engine::plan::PlanStore;
use jiff::Timestamp;
use model::{ItemRef, MadeBefore, PlanPerson, PlanState, RestorePlan, Step, StepState, Written};

use crate::coordinator::failed;

/// Restore plans as rows of the catalog; over [`Catalog::held`] it writes only while the job is.
#[derive(Clone)]
pub struct CatalogPlanStore(pub Catalog);

#[async_trait]
impl PlanStore for CatalogPlanStore {
    async fn create(&self, plan: &RestorePlan) -> Result<()> {
        self.0.create_plan(plan).await.map_err(failed)
    }

    async fn ready(&self, plan: &str, at: Timestamp) -> Result<()> {
        self.0.plan_ready(plan, at).await.map_err(failed)
    }

    async fn plan(&self, plan: &str) -> Result<RestorePlan> {
        self.0.plan(plan).await.map_err(failed)
    }

    async fn set_state(&self, plan: &str, state: PlanState) -> Result<()> {
        self.0.set_plan_state(plan, state).await.map_err(failed)
    }

    async fn add_steps(&self, plan: &str, steps: &[Step]) -> Result<()> {
        self.0.add_steps(plan, steps).await.map_err(failed)
    }

    async fn steps(&self, plan: &str, after: Option<u64>, limit: u32) -> Result<Vec<Step>> {
        self.0.steps(plan, after, limit).await.map_err(failed)
    }

    async fn set_step(
        &self,
        plan: &str,
        position: u64,
        state: StepState,
        new_id: Option<&str>,
        detail: Option<&str>,
    ) -> Result<()> {
        self.0
            .set_step(plan, position, state, new_id, detail)
            .await
            .map_err(failed)
    }

    async fn set_people(&self, plan: &str, people: &[PlanPerson]) -> Result<()> {
        self.0.set_plan_people(plan, people).await.map_err(failed)
    }

    async fn mapping(&self, plan: &str) -> Result<Vec<(String, String)>> {
        self.0.plan_mapping(plan).await.map_err(failed)
    }

    async fn set_url(&self, plan: &str, position: u64, url: &str) -> Result<()> {
        self.0
            .set_step_url(plan, position, url)
            .await
            .map_err(failed)
    }

    async fn intend(&self, plan: &str, item: &ItemRef) -> Result<()> {
        self.0.intend(plan, item).await.map_err(failed)
    }

    async fn withdraw(&self, plan: &str, item: &ItemRef) -> Result<()> {
        self.0.withdraw(plan, item).await.map_err(failed)
    }

    async fn wrote(&self, plan: &str, written: &Written) -> Result<()> {
        self.0.wrote(plan, written).await.map_err(failed)
    }

    async fn note(&self, plan: &str, item: &ItemRef, progress: &str) -> Result<()> {
        self.0.note(plan, item, progress).await.map_err(failed)
    }

    async fn noted(&self, plan: &str, item: &ItemRef) -> Result<Option<String>> {
        self.0.noted(plan, item).await.map_err(failed)
    }

    async fn written(&self, plan: &str) -> Result<Vec<Written>> {
        self.0.written(plan).await.map_err(failed)
    }

    async fn open_intents(&self, plan: &str) -> Result<Vec<ItemRef>> {
        self.0.open_intents(plan).await.map_err(failed)
    }

    async fn made_before(
        &self,
        plan: &RestorePlan,
        kind: &str,
        ids: &[&str],
    ) -> Result<Vec<MadeBefore>> {
        self.0.made_before(plan, kind, ids).await.map_err(failed)
    }
}
