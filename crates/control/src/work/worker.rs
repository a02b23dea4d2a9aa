//! The loop of the worker in this process.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use catalog::{Claimant, Job, QueueLimits};
use tokio::runtime::Handle;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use super::watch::RunObserver;
use crate::jobs::LEASE;
use crate::{Control, Result};

/// How often an idle worker looks for work.
const LOOK: Duration = Duration::from_secs(1);
/// How often it shows itself.
const SHOW: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);

/// How the worker in this process works; its name is [`Control::worker`].
#[derive(Clone)]
pub struct WorkerSetup {
    pub labels: BTreeSet<String>,
    /// Jobs at the same time.
    pub slots: usize,
    pub limits: QueueLimits,
    pub observer: Arc<dyn RunObserver>,
}

impl Control {
    /// Takes jobs from the queue until `cancel`, and then gives back what it holds: another worker goes on from its checkpoints. A catalog
    /// that is away is waited for.
    pub async fn run_worker(&self, setup: &WorkerSetup, cancel: &CancellationToken) {
        let mut jobs = JoinSet::new();
        let mut at_work = HashMap::new();
        let mut shown = None;
        while !cancel.is_cancelled() {
            let now = self.now();
            if shown.is_none_or(|shown| now.duration_since(shown) >= SHOW) {
                match self
                    .catalog
                    .own_worker(&self.worker, &setup.labels, now)
                    .await
                {
                    Ok(()) => shown = Some(now),
                    Err(error) => tracing::warn!(%error, "the worker cannot show itself"),
                }
            }
            if jobs.len() < setup.slots.max(1) {
                match self.take_one(setup, &mut jobs, &mut at_work, cancel).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%error, "the queue cannot be read"),
                }
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
                Some(done) = jobs.join_next_with_id() => {
                    let task = done.map_or_else(|error| error.id(), |(task, ())| task);
                    at_work.remove(&task);
                }
            }
        }
        while jobs.join_next().await.is_some() {}
    }

    async fn take_one(
        &self,
        setup: &WorkerSetup,
        jobs: &mut JoinSet<()>,
        at_work: &mut HashMap<task::Id, String>,
        cancel: &CancellationToken,
    ) -> Result<bool> {
        let held = at_work.values().cloned().collect();
        let Some(job) = self.claim_own(setup, &held).await? else {
            return Ok(false);
        };
        let id = job.id.clone();
        let (control, observer, stop) = (self.clone(), Arc::clone(&setup.observer), cancel.clone());
        let runtime = Handle::current();
        // A thread for each job: hashing and packing for one must not hold up the waits of others.
        let task = jobs.spawn_blocking(move || {
            let done = runtime.block_on(control.perform(&job, &observer, &stop));
            if let Err(error) = done {
                tracing::warn!(run = job.run, %error, "a job was lost");
            }
        });
        at_work.insert(task.id(), id);
        Ok(true)
    }

    async fn claim_own(
        &self,
        setup: &WorkerSetup,
        at_work: &BTreeSet<String>,
    ) -> Result<Option<Job>> {
        let claimant = Claimant {
            name: &self.worker,
            labels: &setup.labels,
            storages: None,
            at_work,
        };
        let claimed = self
            .catalog
            .claim_next(&claimant, setup.limits, self.now(), LEASE);
        Ok(claimed.await?)
    }

    /// Does what can be done now, one job after the other, without waiting for more.
    pub async fn work_off(&self, setup: &WorkerSetup, cancel: &CancellationToken) -> Result<u32> {
        let mut done = 0;
        self.catalog
            .own_worker(&self.worker, &setup.labels, self.now())
            .await?;
        while !cancel.is_cancelled()
            && let Some(job) = self.claim_own(setup, &BTreeSet::new()).await?
        {
            self.perform(&job, &setup.observer, cancel).await?;
            done += 1;
        }
        Ok(done)
    }
}
