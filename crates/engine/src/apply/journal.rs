//! The journal of one plan, as kinds see it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use model::{ItemRef, Step, StepState, Written};
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
    written: HashMap<ItemRef, Written>,
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
            written: store
                .written(plan)
                .await?
                .into_iter()
                .map(|written| (written.item.clone(), written))
                .collect(),
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

    /// The id of what this plan made or wrote into.
    pub(super) fn id(&self, item: &ItemRef) -> Option<String> {
        let known = self.known();
        known
            .written
            .get(item)
            .map(|written| written.new_id.clone())
    }

    /// This plan made it, and did not find it.
    pub(super) fn is_made(&self, item: &ItemRef) -> bool {
        let known = self.known();
        known.written.get(item).is_some_and(|written| written.made)
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

    /// What was noted first of the same thing holds: an earlier attempt made what this one finds, or found what this one takes for its own.
    pub(super) async fn wrote(&self, item: &ItemRef, new_id: &str, made: bool) -> Result<()> {
        let before = self.known().written.get(item).cloned();
        let same = before.filter(|before| before.new_id == new_id);
        let written = Written {
            item: item.clone(),
            new_id: new_id.to_owned(),
            made: same.map_or(made, |before| before.made),
        };
        self.store.wrote(self.plan, &written).await?;
        self.ids.insert(item, new_id);
        let mut known = self.known();
        known.open.remove(item);
        known.written.insert(item.clone(), written);
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
            known.open.insert(item.clone());
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

    async fn withdraw(&self, item: &ItemRef) -> service::Result<()> {
        self.store
            .withdraw(self.plan, item)
            .await
            .map_err(Error::into_service)?;
        self.known().open.remove(item);
        Ok(())
    }

    async fn made(&self, item: &ItemRef, new_id: &str) -> service::Result<()> {
        let intended = self.is_open(item);
        let wrote = self.wrote(item, new_id, intended).await;
        wrote.map_err(Error::into_service)
    }

    async fn found(&self, item: &ItemRef, new_id: &str) -> service::Result<()> {
        let wrote = self.wrote(item, new_id, false).await;
        wrote.map_err(Error::into_service)
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
