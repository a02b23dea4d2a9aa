//! The journal of one plan, as kinds see it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use model::{ItemRef, Step, StepState};
use service::Journal;

use crate::plan::{IdMap, PlanStore};
use crate::{Error, Result};

pub(super) struct PlanJournal<'a> {
    plan: &'a str,
    store: &'a dyn PlanStore,
    ids: &'a IdMap,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    ids: HashMap<ItemRef, String>,
    open: HashSet<ItemRef>,
    /// Positions of the steps that are being worked on.
    steps: HashMap<ItemRef, u64>,
}

impl<'a> PlanJournal<'a> {
    /// Reads what earlier runs left.
    pub(super) async fn open(
        plan: &'a str,
        store: &'a dyn PlanStore,
        ids: &'a IdMap,
    ) -> Result<Self> {
        let known = Known {
            ids: store.id_map(plan).await?.into_iter().collect(),
            open: store.open_intents(plan).await?.into_iter().collect(),
            steps: HashMap::new(),
        };
        Ok(Self {
            plan,
            store,
            ids,
            known: Mutex::new(known),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id that a write of this plan was answered with.
    pub(super) fn id(&self, item: &ItemRef) -> Option<String> {
        self.known().ids.get(item).cloned()
    }

    /// A write was begun, and nobody knows what came of it.
    pub(super) fn is_open(&self, item: &ItemRef) -> bool {
        self.known().open.contains(item)
    }

    /// The steps that the next calls are about.
    pub(super) fn work_on(&self, steps: &[Step]) {
        self.known().steps = steps
            .iter()
            .map(|step| (step.item.clone(), step.position))
            .collect();
    }

    pub(super) async fn adopt(&self, item: &ItemRef, new_id: &str) -> Result<()> {
        self.store.created(self.plan, item, new_id).await?;
        self.ids.insert(item, new_id);
        let mut known = self.known();
        known.open.remove(item);
        known.ids.insert(item.clone(), new_id.to_owned());
        Ok(())
    }
}

#[async_trait]
impl Journal for PlanJournal<'_> {
    async fn intend(&self, item: &ItemRef) -> service::Result<()> {
        self.store
            .intend(self.plan, item)
            .await
            .map_err(Error::into_service)?;
        let position = {
            let mut known = self.known();
            if !known.ids.contains_key(item) {
                known.open.insert(item.clone());
            }
            known.steps.get(item).copied()
        };
        if let Some(position) = position {
            let set = self
                .store
                .set_step(self.plan, position, StepState::Intended, None, None);
            set.await.map_err(Error::into_service)?;
        }
        Ok(())
    }

    async fn created(&self, item: &ItemRef, new_id: &str) -> service::Result<()> {
        self.adopt(item, new_id).await.map_err(Error::into_service)
    }

    async fn note(&self, item: &ItemRef, progress: &str) -> service::Result<()> {
        self.store
            .note(self.plan, item, progress)
            .await
            .map_err(Error::into_service)
    }

    async fn noted(&self, item: &ItemRef) -> service::Result<Option<String>> {
        self.store
            .noted(self.plan, item)
            .await
            .map_err(Error::into_service)
    }
}
