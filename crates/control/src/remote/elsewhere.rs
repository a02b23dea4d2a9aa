//! The worker's end: takes jobs from a server and does them here. What it needs for a job it gets with the job, and keeps none of it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::backup::{BackupContext, BackupRequest};
use model::{Clock, Reporter, Secret};
use repository::Repository;
use service::Service;
use service::egress::Egress;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::coordinator::{Far, Newest};
use super::{Claim, Handed, Line, Opening, Say, Task};
use crate::connect::{self, Target};
use crate::connectors::address;
use crate::open::{gone, open};
use crate::work::{Outcome, failed, failed_backup};
use crate::{Error, Result};

/// How often progress is told, and how long to wait when the server is away.
const TELL: Duration = Duration::from_secs(2);
const AWAY: Duration = Duration::from_secs(5);

/// A worker elsewhere.
#[derive(Clone)]
pub struct Elsewhere {
    pub line: Line,
    pub clock: Arc<dyn Clock>,
    pub services: &'static [&'static Service],
    /// Where the addresses of connectors may lead from here.
    pub egress: Egress,
    pub labels: BTreeSet<String>,
    /// Repositories on storage that is reached from here, by their names at the server.
    pub storages: BTreeSet<String>,
    /// Jobs at the same time.
    pub slots: usize,
    /// A folder for temporary files.
    pub work: PathBuf,
    /// Seconds that the server may let a request for work wait.
    pub patience: u32,
}

impl Elsewhere {
    /// Works until `cancel`; jobs in hand are given back then. Ends with an error only when the server does not let it in.
    pub async fn run(&self, cancel: &CancellationToken) -> Result<()> {
        let mut jobs: JoinSet<()> = JoinSet::new();
        let result = loop {
            while jobs.len() >= self.slots.max(1) {
                jobs.join_next().await;
            }
            let claimed = tokio::select! {
                claimed = self.claim() => claimed,
                () = cancel.cancelled() => break Ok(()),
            };
            match claimed {
                Ok(Some(task)) => {
                    let (this, stop, runtime) = (self.clone(), cancel.clone(), Handle::current());
                    jobs.spawn_blocking(move || runtime.block_on(this.perform(&task, &stop)));
                }
                Ok(None) => {}
                Err(error) if is_refused(&error) => {
                    break Err(Error::Request {
                        code: "worker-refused",
                        message: error.to_string(),
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "no work can be asked for");
                    tokio::select! {
                        () = tokio::time::sleep(AWAY) => {}
                        () = cancel.cancelled() => break Ok(()),
                    }
                }
            }
        };
        while jobs.join_next().await.is_some() {}
        result
    }

    /// Asks once, and does the job if there is one.
    pub async fn work_once(&self, stop: &CancellationToken) -> Result<bool> {
        let Some(task) = self.claim().await? else {
            return Ok(false);
        };
        self.perform(&task, stop).await;
        Ok(true)
    }

    async fn claim(&self) -> Result<Option<Task>> {
        let claim = Claim {
            labels: self.labels.clone(),
            storages: self.storages.clone(),
            wait_seconds: self.patience,
        };
        self.line.once("api/v1/worker/claim", &claim).await
    }

    async fn perform(&self, task: &Task, stop: &CancellationToken) {
        let far = Arc::new(Far {
            line: self.line.clone(),
            clock: Arc::clone(&self.clock),
            job: task.job.clone(),
            token: task.token,
            heard: Mutex::new(self.clock.now()),
            lent: tokio::sync::Mutex::default(),
        });
        let newest = Arc::new(Newest::default());
        let outcome = tokio::select! {
            outcome = self.back_up(task, &far, &newest) => outcome,
            () = stop.cancelled() => Err(engine::Error::Canceled.into()),
            () = tell(&far, &newest) => Ok(Outcome::default()),
        };
        let outcome = outcome.unwrap_or_else(|error| failed(&error));
        let finish = Say::Finish {
            outcome: Box::new(outcome),
            stopping: stop.is_cancelled(),
        };
        if let Err(error) = far.say::<serde_json::Value>(finish).await {
            tracing::warn!(run = task.run, %error, "the end of a job could not be told");
        }
    }

    fn service(&self, name: &str) -> Result<&'static Service> {
        let found = self.services.iter().find(|service| service.name == name);
        found.copied().ok_or_else(|| Error::Request {
            code: "service-unknown",
            message: format!("this worker does not know the service `{name}`"),
        })
    }

    /// An error means that it came to nothing before the backup began.
    async fn back_up(&self, task: &Task, far: &Arc<Far>, newest: &Arc<Newest>) -> Result<Outcome> {
        let connector = &task.connector;
        let service = self.service(&connector.service)?;
        let repository = task.repository.open(&self.clock, &self.egress).await?;
        let auth = far.auth().await?;
        let target = Target {
            organization: &connector.organization,
            url: connector.url.as_deref(),
            hosts: task.hosts.clone(),
        };
        let reporter: Arc<dyn Reporter> = Arc::<Newest>::clone(newest);
        let heard = Some(Arc::clone(&reporter));
        let client = connect::connect(service, &target, auth, heard, &self.egress).await?;
        if let Some(rate) = task.order.bytes_per_second {
            client.limit(rate);
        }
        let context = BackupContext {
            service,
            client: &client,
            repository: &repository,
            coordinator: far.as_ref(),
            clock: &self.clock,
            reporter: reporter.as_ref(),
        };
        let request = BackupRequest {
            connector: connector.clone(),
            url: address(service, connector)?,
            run: task.run.clone(),
            job: task.job.clone(),
            token: task.token,
            selection: task.order.selection.kinds.clone(),
            picks: task.picks.clone(),
            accept_deletions: task.order.accept_deletions.clone(),
            full: task.order.full,
            work: self.work.clone(),
        };
        let outcome = match engine::backup::backup(&context, &request).await {
            Ok(report) => Outcome::backed_up(request.full, report),
            Err(error) => failed_backup(&error.into(), &client, repository.written()),
        };
        repository.close().await;
        Ok(outcome)
    }
}

impl Opening {
    async fn open(&self, clock: &Arc<dyn Clock>, rules: &Egress) -> Result<Repository> {
        let secret = |handed: &Handed| Secret::new(handed.0.as_str());
        let storage = self.storage.as_ref().map(secret);
        let opened = open(
            &self.location,
            &secret(&self.password),
            storage.as_ref(),
            self.object_lock.as_deref(),
            clock,
            rules,
        )
        .await;
        opened.map_err(|error| gone(&self.name, &self.location, error))
    }
}

/// It is not let in, whoever else's token it may have: asking again changes nothing.
fn is_refused(error: &Error) -> bool {
    let code = error.code();
    matches!(
        code,
        Some("worker-refused" | "sign-in-needed" | "role-missing")
    )
}

/// Never ends. What cannot be told now is told by what comes next.
async fn tell(far: &Far, newest: &Newest) {
    loop {
        tokio::time::sleep(TELL).await;
        if let Some(event) = newest.take() {
            let told = far.say::<serde_json::Value>(Say::Progress { event }).await;
            if let Err(error) = told {
                tracing::debug!(%error, "progress could not be told");
            }
        }
    }
}
