//! A store of plans in memory, whose every call may be the last before a kill.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use engine::Result;
use engine::plan::PlanStore;
use jiff::Timestamp;
use model::{ItemRef, PlanState, RestorePlan, Step, StepState};

use crate::world::World;

#[derive(Default)]
struct Rows {
    plan: Option<RestorePlan>,
    steps: BTreeMap<u64, Step>,
    journal: BTreeMap<ItemRef, Entry>,
}

#[derive(Clone, Default)]
struct Entry {
    intended: bool,
    new_id: Option<String>,
    note: Option<String>,
}

pub(crate) struct MemoryStore {
    world: Arc<World>,
    rows: Mutex<Rows>,
}

impl MemoryStore {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self {
            world,
            rows: Mutex::default(),
        }
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap()
    }

    pub(crate) fn all_steps(&self) -> Vec<Step> {
        self.rows().steps.values().cloned().collect()
    }

    pub(crate) fn state(&self) -> PlanState {
        self.rows().plan.as_ref().unwrap().state
    }

    pub(crate) fn ids(&self) -> BTreeMap<ItemRef, String> {
        self.rows()
            .journal
            .iter()
            .filter_map(|(item, entry)| Some((item.clone(), entry.new_id.clone()?)))
            .collect()
    }

    pub(crate) fn open(&self) -> Vec<ItemRef> {
        self.rows()
            .journal
            .iter()
            .filter(|(_, entry)| entry.intended && entry.new_id.is_none())
            .map(|(item, _)| item.clone())
            .collect()
    }

    fn entry(&self, item: &ItemRef, change: impl FnOnce(&mut Entry)) -> Result<()> {
        self.world
            .tick(|| change(self.rows().journal.entry(item.clone()).or_default()))
    }
}

#[async_trait]
impl PlanStore for MemoryStore {
    async fn create(&self, plan: &RestorePlan) -> Result<()> {
        self.world.tick(|| *self.rows() = Rows { plan: Some(plan.clone()), ..Rows::default() })
    }

    async fn ready(&self, _: &str, at: Timestamp) -> Result<()> {
        self.world.tick(|| {
            let mut rows = self.rows();
            let plan = rows.plan.as_mut().unwrap();
            (plan.state, plan.planned) = (PlanState::Ready, Some(at));
        })
    }

    async fn plan(&self, plan: &str) -> Result<RestorePlan> {
        let unknown = || engine::Error::Control {
            code: "plan-unknown",
            message: format!("there is no restore plan {plan}"),
        };
        self.world
            .tick(|| self.rows().plan.clone())?
            .filter(|head| head.id == plan)
            .ok_or_else(unknown)
    }

    async fn set_state(&self, _: &str, state: PlanState) -> Result<()> {
        self.world
            .tick(|| self.rows().plan.as_mut().unwrap().state = state)
    }

    async fn add_steps(&self, _: &str, steps: &[Step]) -> Result<()> {
        self.world.tick(|| {
            for step in steps {
                assert!(
                    self.rows()
                        .steps
                        .insert(step.position, step.clone())
                        .is_none()
                );
            }
        })
    }

    async fn steps(&self, _: &str, after: Option<u64>, limit: u32) -> Result<Vec<Step>> {
        let from = after.map_or(0, |after| after + 1);
        self.world.tick(|| {
            self.rows()
                .steps
                .range(from..)
                .take(limit as usize)
                .map(|(_, step)| step.clone())
                .collect()
        })
    }

    async fn set_step(
        &self,
        _: &str,
        position: u64,
        state: StepState,
        new_id: Option<&str>,
        detail: Option<&str>,
    ) -> Result<()> {
        self.world.tick(|| {
            let mut rows = self.rows();
            let step = rows.steps.get_mut(&position).unwrap();
            step.state = state;
            step.new_id = new_id.map(str::to_owned).or(step.new_id.take());
            step.detail = detail.map(str::to_owned);
        })
    }

    async fn set_url(&self, _: &str, position: u64, url: &str) -> Result<()> {
        self.world.tick(|| {
            let mut rows = self.rows();
            rows.steps.get_mut(&position).unwrap().url = Some(url.to_owned());
        })
    }

    async fn intend(&self, _: &str, item: &ItemRef) -> Result<()> {
        self.entry(item, |entry| entry.intended = true)
    }

    async fn created(&self, _: &str, item: &ItemRef, new_id: &str) -> Result<()> {
        self.entry(item, |entry| entry.new_id = Some(new_id.to_owned()))
    }

    async fn note(&self, _: &str, item: &ItemRef, progress: &str) -> Result<()> {
        self.entry(item, |entry| entry.note = Some(progress.to_owned()))
    }

    async fn noted(&self, _: &str, item: &ItemRef) -> Result<Option<String>> {
        self.world.tick(|| {
            self.rows()
                .journal
                .get(item)
                .and_then(|entry| entry.note.clone())
        })
    }

    async fn id_map(&self, _: &str) -> Result<Vec<(ItemRef, String)>> {
        self.world.tick(|| self.ids().into_iter().collect())
    }

    async fn open_intents(&self, _: &str) -> Result<Vec<ItemRef>> {
        self.world.tick(|| self.open())
    }
}
