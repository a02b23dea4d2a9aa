//! The server's end: hands out jobs, and does in the catalog what their workers say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use catalog::{Claimant, Job, QueueLimits, WorkerRow};
use engine::coordinator::{Coordinator as _, IndexRow, Pace, Rows, SnapshotInfo};
use model::{Issue, Reporter as _, Secret};
use serde::Serialize;
use serde_json::Value;
use service::http::Auth;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Access, Beaten, Claim, Handed, JobCall, Left, Opening, Say, Task};
use crate::coordinator::CatalogCoordinator;
use crate::jobs::LEASE;
use crate::sync::list_missing;
use crate::work::{BackupJob, Failed, Order, Outcome, RunObserver, Tap, not_forgotten};
use crate::{Control, Error, Result};

/// How long a worker may ask the server to wait, and how often the queue is looked at meanwhile.
const LONGEST: u32 = 25;
const LOOK: Duration = Duration::from_secs(1);

/// Pages of rows that a job may send; at 1,000 rows each that is far more than a source has items.
const MOST_PAGES: u32 = 100_000;

fn answer(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::Request {
        code: "server-error",
        message: error.to_string(),
    })
}

fn engine_error(error: engine::Error) -> Error {
    Error::Engine(error)
}

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
            if let Some(job) = self
                .catalog
                .claim_next(&claimant, limits, now, LEASE)
                .await?
            {
                match self.task(&job).await {
                    Ok(task) => {
                        observer.changed(&self.catalog.run(&job.run).await?);
                        return Ok(Some(task));
                    }
                    Err(error) => {
                        let outcome = Outcome {
                            failed: Some(Failed::from(&error)),
                            ..Outcome::default()
                        };
                        observer.changed(&self.settle(&job, outcome, false).await?);
                        continue;
                    }
                }
            }
            if look < looks {
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(None)
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
        let row = self.catalog.job(job).await?;
        let own = row.owner.as_deref() == Some(worker.name.as_str());
        if !own || row.token != call.token {
            return Err(catalog::Error::Superseded {
                job: job.to_owned(),
                token: call.token,
            }
            .into());
        }
        let order = Order::backup(&self.catalog.payload(job).await?)?;
        let repository = self.catalog.repository(&order.repository).await?;
        let coordinator = CatalogCoordinator {
            catalog: self.catalog.clone(),
            clock: Arc::clone(&self.clock),
            job: job.to_owned(),
            token: call.token,
            repository: repository.id,
            reached: None,
            cancel: CancellationToken::new(),
            run: row.run.clone(),
            pace: Pace::default(),
        };
        match call.say {
            Say::Beat => {
                let beat = coordinator.beat().await.map_err(engine_error)?;
                answer(&Beaten {
                    cancel: beat.cancel,
                })
            }
            Say::Left => {
                let checkpoint = coordinator.left().await.map_err(engine_error)?;
                answer(&Left { checkpoint })
            }
            Say::Resumed { from } => {
                coordinator.resumed(&from).await.map_err(engine_error)?;
                Ok(Value::Null)
            }
            Say::Checkpoint { text } => {
                let kept = coordinator.checkpoint(text.as_deref()).await;
                kept.map_err(engine_error)?;
                Ok(Value::Null)
            }
            Say::Permit => {
                coordinator.permit_commit().await.map_err(engine_error)?;
                Ok(Value::Null)
            }
            Say::Rows { page, rows } => {
                self.keep_page(job, call.token, page, &rows).await?;
                Ok(Value::Null)
            }
            Say::Index { pages, snapshot } => {
                let here = !worker.storages.contains(&order.repository);
                match self.list_snapshot(&coordinator, pages, &snapshot).await {
                    Err(error) if here && error.code() == Some("snapshot-unknown") => {
                        self.list_from(&order.repository, &snapshot).await?;
                    }
                    listed => listed?,
                }
                self.catalog.drop_rows(&coordinator.job).await?;
                Ok(Value::Null)
            }
            Say::Access => answer(&self.access(&order).await?),
            Say::Progress { event } => {
                let tap = Tap::new(&row.run, Arc::clone(&self.clock), Arc::clone(observer));
                tap.report(event);
                if let Some(waiting) = tap.waiting() {
                    self.catalog.set_waiting(&row.run, Some(&waiting)).await?;
                }
                Ok(Value::Null)
            }
            Say::Finish { outcome, stopping } => {
                let held = Job {
                    id: job.to_owned(),
                    run: row.run.clone(),
                    token: call.token,
                    payload: String::new(),
                    checkpoint: None,
                    attempt: row.attempt,
                };
                let mut outcome = *outcome;
                if outcome.failed.is_none() && !worker.storages.contains(&order.repository) {
                    // Its snapshot is good, whatever stands in the way of this.
                    let kept = self.retain(&row.run, &order).await;
                    outcome
                        .issues
                        .extend(kept.unwrap_or_else(|error| Some(not_forgotten(&error))));
                }
                let run = self.settle(&held, outcome, stopping).await?;
                self.catalog.drop_rows(job).await?;
                observer.changed(&run);
                Ok(Value::Null)
            }
        }
    }

    /// What the policies no longer keep goes from repositories that the server reaches itself.
    async fn retain(&self, run: &str, order: &BackupJob) -> Result<Option<Issue>> {
        let run = self.catalog.run(run).await?;
        let connector = self.catalog.connector(&order.connector).await?;
        let row = self.catalog.repository(&order.repository).await?;
        let repository = self.open_repository(&row).await?;
        let service = self.service(&connector.service)?;
        let kept = self
            .forget_after(&run, &connector, &repository, service)
            .await;
        repository.close().await;
        Ok(kept)
    }

    async fn keep_page(&self, job: &str, token: i64, page: u32, rows: &[IndexRow]) -> Result<()> {
        if page >= MOST_PAGES {
            return Err(Error::Request {
                code: "request-refused",
                message: format!("a job sends at most {MOST_PAGES} pages of rows"),
            });
        }
        let text = serde_json::to_string(rows).map_err(|error| Error::Request {
            code: "server-error",
            message: error.to_string(),
        })?;
        Ok(self.catalog.keep_rows(job, token, page, &text).await?)
    }

    async fn list_snapshot(
        &self,
        coordinator: &CatalogCoordinator,
        pages: u32,
        snapshot: &SnapshotInfo,
    ) -> Result<()> {
        let mut rows = Kept {
            catalog: self.catalog.clone(),
            job: coordinator.job.clone(),
            token: coordinator.token,
            next: 0,
            pages,
            page: Vec::new().into_iter(),
        };
        let listed = coordinator.index(snapshot, &mut rows).await;
        listed.map_err(engine_error)
    }

    /// What the catalog lacks of a snapshot's source, the snapshot among it, from the repository itself.
    async fn list_from(&self, repository: &str, snapshot: &SnapshotInfo) -> Result<()> {
        let row = self.catalog.repository(repository).await?;
        let repository = self.read_repository(&row).await?;
        let service = self.service(&snapshot.source.service)?;
        let source = snapshot.source.id();
        let listed = list_missing(&self.catalog, &repository, service, &source).await;
        repository.close().await;
        listed.map(drop)
    }

    /// What proves at the service that the connector's identity asks: a token of minutes where there is one.
    async fn access(&self, order: &BackupJob) -> Result<Access> {
        let connector = self.catalog.connector(&order.connector).await?;
        let service = self.service(&connector.service)?;
        let (_, auth) = self.stored_auth(service, &connector.credential).await?;
        Ok(match auth {
            Auth::Pat(secret) => Access::Basic {
                user: String::new(),
                secret: Handed::new(secret.expose()),
            },
            Auth::Basic { user, secret } => Access::Basic {
                user,
                secret: Handed::new(secret.expose()),
            },
            Auth::Bearer(bearer) => {
                let token = bearer.token().await?;
                Access::Bearer {
                    token: Handed::new(token.expose()),
                    expires: token.expires(),
                }
            }
            Auth::Lent(lender) => {
                let (token, expires) = lender.lend().await?;
                Access::Bearer {
                    token: Handed::new(token.expose()),
                    expires,
                }
            }
        })
    }
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// The pages that a worker has sent, as rows in their order.
struct Kept {
    catalog: catalog::Catalog,
    job: String,
    token: i64,
    next: u32,
    pages: u32,
    page: std::vec::IntoIter<IndexRow>,
}

#[async_trait]
impl Rows for Kept {
    async fn next(&mut self) -> engine::Result<Option<IndexRow>> {
        loop {
            if let Some(row) = self.page.next() {
                return Ok(Some(row));
            }
            if self.next == self.pages {
                return Ok(None);
            }
            let refused = |message: String| engine::Error::Control {
                code: "request-refused",
                message,
            };
            let kept = self
                .catalog
                .kept_rows(&self.job, self.token, self.next)
                .await;
            let text = kept.map_err(crate::coordinator::failed)?;
            let text =
                text.ok_or_else(|| refused(format!("page {} of the rows is missing", self.next)))?;
            let rows: Vec<IndexRow> = serde_json::from_str(&text)
                .map_err(|error| refused(format!("page {} of the rows: {error}", self.next)))?;
            self.page = rows.into_iter();
            self.next += 1;
        }
    }
}
