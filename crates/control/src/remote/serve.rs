//! The server's end: makes workers known and hands out jobs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Claimant, Job, QueueLimits, WorkerRow};
use model::Secret;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::held::Held;
use super::{Claim, Handed, JobCall, Opening, Task};
use crate::jobs::LEASE;
use crate::work::{Failed, Order, Outcome, RunObserver};
use crate::{Control, Error, Result};

/// How long a worker may ask the server to wait, and how often the queue is looked at meanwhile.
const LONGEST: u32 = 25;
const LOOK: Duration = Duration::from_secs(1);

impl Control {
    /// Makes a worker elsewhere known; the token is shown this once.
    pub async fn add_worker(&self, name: &str) -> Result<Secret> {
        let bytes: [u8; 32] = rand::random();
        let token = Secret::new(format!("kww_{}", hex::encode(bytes)));
        self.catalog
            .add_worker(name, &hash(token.expose()), self.now())
            .await?;
        Ok(token)
    }

    /// The worker of a token. The lookup is by a hash of 256 random bits, so that its time tells nothing.
    pub async fn worker_by_token(&self, token: &str) -> Result<WorkerRow> {
        let found = self.catalog.worker_of_token(&hash(token)).await?;
        found.ok_or_else(|| Error::Request {
            code: "worker-refused",
            message: "no worker has this token".to_owned(),
        })
    }

    /// A job for a worker elsewhere, if one comes in time.
    pub async fn worker_claim(
        &self,
        worker: &WorkerRow,
        claim: &Claim,
        observer: &Arc<dyn RunObserver>,
    ) -> Result<Option<Task>> {
        self.refuse_names_of_others(worker, &claim.labels).await?;
        let claimant = Claimant {
            name: &worker.name,
            labels: &claim.labels,
            storages: Some(&claim.storages),
            // Workers elsewhere make backups alone, and one that is claimed twice is committed once.
            at_work: &BTreeSet::new(),
        };
        let looks = claim.wait_seconds.min(LONGEST);
        for look in 0..=looks {
            let now = self.now();
            self.catalog
                .worker_seen(&worker.name, &claim.labels, &claim.storages, now)
                .await?;
            let limits = QueueLimits::default();
            let claimed = self.catalog.claim_next(&claimant, limits, now, LEASE);
            match claimed.await? {
                Some(job) => {
                    if let Some(task) = self.hand_out(&job, observer).await? {
                        return Ok(Some(task));
                    }
                }
                None if look < looks => tokio::time::sleep(LOOK).await,
                None => {}
            }
        }
        Ok(None)
    }

    /// Connectors and policies name workers by their names, which count as labels: nobody gets the jobs and secrets that are for another
    /// worker by saying that it is called so.
    async fn refuse_names_of_others(
        &self,
        worker: &WorkerRow,
        labels: &BTreeSet<String>,
    ) -> Result<()> {
        let called = |name: &str| labels.iter().any(|label| label.eq_ignore_ascii_case(name));
        let all = self.catalog.workers().await?;
        let mut others = all.iter().filter(|other| other.name != worker.name);
        match others.find(|other| called(&other.name)) {
            None => Ok(()),
            Some(other) => Err(Error::Request {
                code: "request-refused",
                message: format!(
                    "`{}` is the name of another worker, and cannot be a label of `{}`",
                    other.name, worker.name
                ),
            }),
        }
    }

    /// The job with what it needs; a job that cannot be handed out has failed.
    async fn hand_out(&self, job: &Job, observer: &Arc<dyn RunObserver>) -> Result<Option<Task>> {
        match self.task(job).await {
            Ok(task) => {
                observer.changed(&self.catalog.run(&job.run).await?);
                Ok(Some(task))
            }
            Err(error) => {
                let outcome = Outcome {
                    failed: Some(Failed::from(&error)),
                    ..Outcome::default()
                };
                observer.changed(&self.settle(job, outcome, false).await?);
                Ok(None)
            }
        }
    }

    async fn task(&self, job: &Job) -> Result<Task> {
        let order = Order::backup(&job.payload)?;
        Self::not_too_often(job)?;
        let connector = self.catalog.connector(&order.connector).await?;
        let picks = self.picks(&connector, &order.selection).await?;
        let row = self.catalog.repository(&order.repository).await?;
        let password = self.secret_named(&row.password_credential).await?;
        let storage = match &row.storage_credential {
            Some(name) => Some(Handed::new(self.storage_secret(name).await?.expose())),
            None => None,
        };
        Ok(Task {
            job: job.id.clone(),
            run: job.run.clone(),
            token: job.token,
            picks,
            hosts: self.hosts_of(&connector).await?,
            connector,
            repository: Opening {
                name: row.name,
                location: row.location,
                password: Handed::new(password.expose()),
                storage,
                object_lock: row.object_lock,
            },
            order,
        })
    }

    /// Does what a worker says about a job of its own; anything else than its job and lease is refused.
    pub async fn worker_call(
        &self,
        worker: &WorkerRow,
        job: &str,
        call: JobCall,
        observer: &Arc<dyn RunObserver>,
    ) -> Result<Value> {
        let held = Held::of(self, worker, job, call.token).await?;
        held.hear(call.say, observer).await
    }
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
