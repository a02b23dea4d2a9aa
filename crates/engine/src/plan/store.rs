//! Where plans, their steps and their journal are kept; implemented by `control` on the catalog.

use async_trait::async_trait;
use jiff::Timestamp;
use model::{ItemRef, PlanPerson, PlanState, RestorePlan, Step, StepState};

use crate::Result;

/// Rows of restore plans. Every call is durable when it returns.
#[async_trait]
pub trait PlanStore: Send + Sync {
    /// Makes the head, or begins the plan anew: steps of an earlier attempt go.
    async fn create(&self, plan: &RestorePlan) -> Result<()>;
    /// All steps are there.
    async fn ready(&self, plan: &str, at: Timestamp) -> Result<()>;
    /// An error with code `plan-unknown` when there is none.
    async fn plan(&self, plan: &str) -> Result<RestorePlan>;
    async fn set_state(&self, plan: &str, state: PlanState) -> Result<()>;
    async fn add_steps(&self, plan: &str, steps: &[Step]) -> Result<()>;
    /// Up to `limit` steps in order, from the one behind position `after`.
    async fn steps(&self, plan: &str, after: Option<u64>, limit: u32) -> Result<Vec<Step>>;
    /// A new id that is `None` keeps the one that is known; a detail that is `None` clears the old one.
    async fn set_step(
        &self,
        plan: &str,
        position: u64,
        state: StepState,
        new_id: Option<&str>,
        detail: Option<&str>,
    ) -> Result<()>;
    /// Everybody whom the plan's items name.
    async fn set_people(&self, plan: &str, people: &[PlanPerson]) -> Result<()>;
    /// Who takes whose place: unique names in lower case → unique names.
    async fn mapping(&self, plan: &str) -> Result<Vec<(String, String)>>;
    /// Where people see the restored item.
    async fn set_url(&self, plan: &str, position: u64, url: &str) -> Result<()>;
    /// A write of the item is about to begin.
    async fn intend(&self, plan: &str, item: &ItemRef) -> Result<()>;
    /// The write was answered with this id: ends the intent.
    async fn created(&self, plan: &str, item: &ItemRef, new_id: &str) -> Result<()>;
    /// Replaces the item's note.
    async fn note(&self, plan: &str, item: &ItemRef, progress: &str) -> Result<()>;
    async fn noted(&self, plan: &str, item: &ItemRef) -> Result<Option<String>>;
    /// Every item that was created, with its id at the target.
    async fn id_map(&self, plan: &str) -> Result<Vec<(ItemRef, String)>>;
    /// Items whose write was begun and has no answer yet.
    async fn open_intents(&self, plan: &str) -> Result<Vec<ItemRef>>;
}
