//! A store of plans in memory, whose every call may be the last before a kill.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::Result;
use engine::plan::PlanStore;
use jiff::Timestamp;
use model::{ItemRef, MadeBefore, PlanPerson, PlanState, RestorePlan, Step, StepState, Written};

use super::world::World;

/// The plan that most tests are about.
const PLAN: &str = "plan";

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
    made: bool,
    note: Option<String>,
}

pub(crate) struct MemoryStore {
    world: Arc<World>,
    plans: Mutex<BTreeMap<String, Rows>>,
}

impl MemoryStore {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self {
            world,
            plans: Mutex::default(),
        }
    }

    fn of<T>(&self, plan: &str, work: impl FnOnce(&mut Rows) -> T) -> T {
        work(
            self.plans
                .lock()
                .unwrap()
                .entry(plan.to_owned())
                .or_default(),
        )
    }

    fn tick<T>(&self, plan: &str, work: impl FnOnce(&mut Rows) -> T) -> Result<T> {
        self.world.tick(|| self.of(plan, work))
    }

    pub(crate) fn steps_of(&self, plan: &str) -> Vec<Step> {
        self.of(plan, |rows| rows.steps.values().cloned().collect())
    }

    pub(crate) fn all_steps(&self) -> Vec<Step> {
        self.steps_of(PLAN)
    }

    pub(crate) fn head(&self, plan: &str) -> RestorePlan {
        self.of(plan, |rows| rows.plan.clone()).unwrap()
    }

    pub(crate) fn state(&self) -> PlanState {
        self.head(PLAN).state
    }

    /// As a version left it that did not note what it had made.
    pub(crate) fn forget_what_was_made(&self) {
        self.of(PLAN, |rows| {
            let entries = rows.journal.values_mut();
            entries.for_each(|entry| entry.made = false);
        });
    }

    pub(crate) fn ids(&self) -> BTreeMap<ItemRef, String> {
        self.of(PLAN, known)
    }

    pub(crate) fn open(&self) -> Vec<ItemRef> {
        self.of(PLAN, open)
    }
}

fn known(rows: &mut Rows) -> BTreeMap<ItemRef, String> {
    let journal = rows.journal.iter();
    journal
        .filter_map(|(item, entry)| Some((item.clone(), entry.new_id.clone()?)))
        .collect()
}

fn open(rows: &mut Rows) -> Vec<ItemRef> {
    let journal = rows.journal.iter();
    journal
        .filter(|(_, entry)| entry.intended && entry.new_id.is_none())
        .map(|(item, _)| item.clone())
        .collect()
}

fn entry<'a>(rows: &'a mut Rows, item: &ItemRef) -> &'a mut Entry {
    rows.journal.entry(item.clone()).or_default()
}

#[async_trait]
impl PlanStore for MemoryStore {
    async fn create(&self, plan: &RestorePlan) -> Result<()> {
        self.tick(&plan.id, |rows| {
            *rows = Rows {
                plan: Some(plan.clone()),
                ..Rows::default()
            };
        })
    }

    async fn ready(&self, plan: &str, at: Timestamp) -> Result<()> {
        self.tick(plan, |rows| {
            let plan = rows.plan.as_mut().unwrap();
            (plan.state, plan.planned) = (PlanState::Ready, Some(at));
        })
    }

    async fn plan(&self, plan: &str) -> Result<RestorePlan> {
        let unknown = || engine::Error::Control {
            code: "plan-unknown",
            message: format!("there is no restore plan {plan}"),
        };
        self.tick(plan, |rows| rows.plan.clone())?
            .ok_or_else(unknown)
    }

    async fn set_state(&self, plan: &str, state: PlanState) -> Result<()> {
        self.tick(plan, |rows| rows.plan.as_mut().unwrap().state = state)
    }

    async fn add_steps(&self, plan: &str, steps: &[Step]) -> Result<()> {
        self.tick(plan, |rows| {
            for step in steps {
                assert!(rows.steps.insert(step.position, step.clone()).is_none());
            }
        })
    }

    async fn steps(&self, plan: &str, after: Option<u64>, limit: u32) -> Result<Vec<Step>> {
        let from = after.map_or(0, |after| after + 1);
        self.tick(plan, |rows| {
            let steps = rows.steps.range(from..).take(limit as usize);
            steps.map(|(_, step)| step.clone()).collect()
        })
    }

    async fn set_step(
        &self,
        plan: &str,
        position: u64,
        state: StepState,
        new_id: Option<&str>,
        detail: Option<&str>,
    ) -> Result<()> {
        self.tick(plan, |rows| {
            let step = rows.steps.get_mut(&position).unwrap();
            step.state = state;
            step.new_id = new_id.map(str::to_owned).or(step.new_id.take());
            step.detail = detail.map(str::to_owned);
        })
    }

    async fn set_people(&self, _: &str, _: &[PlanPerson]) -> Result<()> {
        Ok(())
    }

    async fn mapping(&self, _: &str) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    async fn set_url(&self, plan: &str, position: u64, url: &str) -> Result<()> {
        self.tick(plan, |rows| {
            rows.steps.get_mut(&position).unwrap().url = Some(url.to_owned());
        })
    }

    async fn intend(&self, plan: &str, item: &ItemRef) -> Result<()> {
        self.tick(plan, |rows| entry(rows, item).intended = true)
    }

    async fn withdraw(&self, plan: &str, item: &ItemRef) -> Result<()> {
        self.tick(plan, |rows| entry(rows, item).intended = false)
    }

    async fn wrote(&self, plan: &str, written: &Written) -> Result<()> {
        self.tick(plan, |rows| {
            let entry = entry(rows, &written.item);
            (entry.new_id, entry.made) = (Some(written.new_id.clone()), written.made);
        })
    }

    async fn note(&self, plan: &str, item: &ItemRef, progress: &str) -> Result<()> {
        self.tick(plan, |rows| {
            entry(rows, item).note = Some(progress.to_owned());
        })
    }

    async fn noted(&self, plan: &str, item: &ItemRef) -> Result<Option<String>> {
        self.tick(plan, |rows| {
            rows.journal.get(item).and_then(|entry| entry.note.clone())
        })
    }

    async fn written(&self, plan: &str) -> Result<Vec<Written>> {
        self.tick(plan, |rows| {
            let known = known(rows).into_iter();
            let read = |(item, new_id)| Written {
                made: rows.journal[&item].made,
                item,
                new_id,
            };
            known.map(read).collect()
        })
    }

    async fn open_intents(&self, plan: &str) -> Result<Vec<ItemRef>> {
        self.tick(plan, open)
    }

    async fn made_before(
        &self,
        plan: &RestorePlan,
        kind: &str,
        ids: &[&str],
    ) -> Result<Vec<MadeBefore>> {
        self.world.tick(|| {
            let mut plans = self.plans.lock().unwrap();
            let mut made = Vec::new();
            for (id, rows) in plans.iter_mut().rev() {
                let Some(other) = rows.plan.clone() else {
                    continue;
                };
                let same =
                    other.source == plan.source && other.target.source() == plan.target.source();
                if *id == plan.id || !same {
                    continue;
                }
                for (item, new_id) in known(rows) {
                    if item.kind == kind && ids.contains(&item.id.as_str()) {
                        made.push(MadeBefore {
                            item,
                            new_id,
                            plan: id.clone(),
                            finished: matches!(
                                other.state,
                                PlanState::Applied | PlanState::AppliedWithIssues
                            ),
                        });
                    }
                }
            }
            made
        })
    }
}
