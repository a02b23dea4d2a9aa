//! Where plans, their steps and their journal are kept; implemented by `control` on the catalog.

use async_trait::async_trait;
use jiff::Timestamp;
use model::{ItemRef, MadeBefore, PlanPerson, PlanState, RestorePlan, Step, StepState, Written};

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
    /// Nothing came of the write: takes the intent back.
    async fn withdraw(&self, plan: &str, item: &ItemRef) -> Result<()>;
    /// Something stands at the target for the item: ends the intent.
    async fn wrote(&self, plan: &str, written: &Written) -> Result<()>;
    /// Replaces the item's note.
    async fn note(&self, plan: &str, item: &ItemRef, progress: &str) -> Result<()>;
    async fn noted(&self, plan: &str, item: &ItemRef) -> Result<Option<String>>;
    /// Every item that was made or written into.
    async fn written(&self, plan: &str) -> Result<Vec<Written>>;
    /// Items whose write was begun and has no answer yet.
    async fn open_intents(&self, plan: &str) -> Result<Vec<ItemRef>>;
    /// What other plans, from the same source into the same organization, made of items of a kind: the newest first.
    async fn made_before(
        &self,
        plan: &RestorePlan,
        kind: &str,
        ids: &[&str],
    ) -> Result<Vec<MadeBefore>>;
}
