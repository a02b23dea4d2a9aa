//! What the server does with what a worker says about the job that it holds.

use std::sync::Arc;

use async_trait::async_trait;
use catalog::{Catalog, Job, JobRow, WorkerRow};
use engine::coordinator::{Coordinator as _, IndexRow, Pace, Rows, SnapshotInfo};
use model::{Event, JobState, Reporter as _};
use serde::Serialize;
use serde_json::Value;
use service::http::Auth;
use tokio_util::sync::CancellationToken;

use super::{Access, Beaten, Handed, Left, Say};
use crate::coordinator::CatalogCoordinator;
use crate::sync::list_missing;
use crate::work::{BackupJob, Order, Outcome, Retained, RunObserver, Tap};
use crate::{Control, Error, Result};

/// Pages of rows that a job may send; at 1,000 rows each that is far more than a source has items.
const MOST_PAGES: u32 = 100_000;

/// A job in the hands of a worker elsewhere.
pub(super) struct Held<'a> {
    control: &'a Control,
    worker: &'a WorkerRow,
    job: JobRow,
    order: BackupJob,
    coordinator: CatalogCoordinator,
}

impl<'a> Held<'a> {
    /// The job, if this worker holds it under this token of its lease.
    pub(super) async fn of(
        control: &'a Control,
        worker: &'a WorkerRow,
        job: &str,
        token: i64,
    ) -> Result<Self> {
        let job = control.catalog.job(job).await?;
        let own = job.owner.as_deref() == Some(worker.name.as_str()) && job.token == token;
        // A job that has ended or was given back keeps its owner and its token.
        if !own || job.state != JobState::Leased {
            return Err(catalog::Error::Superseded { job: job.id, token }.into());
        }
        let order = Order::backup(&control.catalog.payload(&job.id).await?)?;
        let repository = control.catalog.repository(&order.repository).await?;
        let coordinator = CatalogCoordinator {
            catalog: control.catalog.clone(),
            clock: Arc::clone(&control.clock),
            job: job.id.clone(),
            token,
            repository: repository.id,
            reached: None,
            cancel: CancellationToken::new(),
            run: job.run.clone(),
            pace: Pace::default(),
        };
        Ok(Self {
            control,
            worker,
            job,
            order,
            coordinator,
        })
    }

    /// The answer to what the worker says; `null` where there is none.
    pub(super) async fn hear(&self, say: Say, observer: &Arc<dyn RunObserver>) -> Result<Value> {
        match say {
            Say::Beat => {
                let cancel = self.coordinator.beat().await?.cancel;
                return answer(&Beaten { cancel });
            }
            Say::Left => {
                let checkpoint = self.coordinator.left().await?;
                return answer(&Left { checkpoint });
            }
            Say::Access => return answer(&self.access().await?),
            Say::Resumed { from } => self.coordinator.resumed(&from).await?,
            Say::Checkpoint { text } => self.coordinator.checkpoint(text.as_deref()).await?,
            Say::Permit => self.coordinator.permit_commit().await?,
            Say::Rows { page, rows } => self.keep_page(page, &rows).await?,
            Say::Index { pages, snapshot } => self.list(pages, &snapshot).await?,
            Say::Progress { event } => self.tell(event, observer).await?,
            Say::Finish { outcome, stopping } => {
                self.finish(*outcome, stopping, observer).await?;
            }
        }
        Ok(Value::Null)
    }

    /// The server opens the repository by itself, unless the worker says that it lies on storage of its own.
    fn is_reached(&self) -> bool {
        !self.worker.storages.contains(&self.order.repository)
    }

    async fn keep_page(&self, page: u32, rows: &[IndexRow]) -> Result<()> {
        if page >= MOST_PAGES {
            return Err(Error::Request {
                code: "request-refused",
                message: format!("a job sends at most {MOST_PAGES} pages of rows"),
            });
        }
        let text = serde_json::to_string(rows).map_err(unwritable)?;
        let kept = self
            .control
            .catalog
            .keep_rows(&self.job.id, self.job.token, page, &text);
        Ok(kept.await?)
    }

    /// Lists the snapshot with the rows that were sent.
    async fn list(&self, pages: u32, snapshot: &SnapshotInfo) -> Result<()> {
        let mut rows = Kept {
            catalog: self.control.catalog.clone(),
            job: self.job.id.clone(),
            token: self.job.token,
            next: 0,
            pages,
            page: Vec::new().into_iter(),
        };
        match self.coordinator.index(snapshot, &mut rows).await {
            Err(error) if self.is_reached() && error.code() == Some("snapshot-unknown") => {
                self.list_from_repository(snapshot).await?;
            }
            listed => listed?,
        }
        Ok(self.control.catalog.drop_rows(&self.job.id).await?)
    }

    /// What the catalog lacks of a snapshot's source, the snapshot among it.
    async fn list_from_repository(&self, snapshot: &SnapshotInfo) -> Result<()> {
        let catalog = &self.control.catalog;
        let row = catalog.repository(&self.order.repository).await?;
        let repository = self.control.read_repository(&row).await?;
        let service = self.control.service(&snapshot.source.service)?;
        let source = snapshot.source.id();
        let listed = list_missing(catalog, &repository, service, &source).await;
        repository.close().await;
        listed.map(drop)
    }

    async fn tell(&self, event: Event, observer: &Arc<dyn RunObserver>) -> Result<()> {
        let run = &self.job.run;
        let tap = Tap::new(run, Arc::clone(&self.control.clock), Arc::clone(observer));
        tap.report(event);
        if let Some(waiting) = tap.waiting() {
            let catalog = &self.control.catalog;
            catalog.set_waiting(run, Some(&waiting)).await?;
        }
        Ok(())
    }

    async fn finish(
        &self,
        mut outcome: Outcome,
        stopping: bool,
        observer: &Arc<dyn RunObserver>,
    ) -> Result<()> {
        if outcome.failed.is_none() && self.is_reached() {
            // Its snapshot is good, whatever stands in the way of this.
            let retained = self.retain().await;
            outcome.retained(retained.unwrap_or_else(|error| Retained::hindered(&error)));
        }
        let job = Job {
            id: self.job.id.clone(),
            run: self.job.run.clone(),
            token: self.job.token,
            payload: String::new(),
            checkpoint: None,
            attempt: self.job.attempt,
        };
        let run = self.control.settle(&job, outcome, stopping).await?;
        self.control.catalog.drop_rows(&job.id).await?;
        observer.changed(&run);
        Ok(())
    }

    /// Forgets what the policies no longer keep.
    async fn retain(&self) -> Result<Retained> {
        let control = self.control;
        let run = control.catalog.run(&self.job.run).await?;
        let connector = control.catalog.connector(&self.order.connector).await?;
        let row = control.catalog.repository(&self.order.repository).await?;
        let repository = control.open_repository(&row).await?;
        let service = control.service(&connector.service)?;
        let retained = control
            .forget_after(&run, &connector, &repository, service)
            .await;
        repository.close().await;
        Ok(retained)
    }

    /// What proves at the service that the connector's identity asks: a token of minutes where there is one.
    async fn access(&self) -> Result<Access> {
        let control = self.control;
        let connector = control.catalog.connector(&self.order.connector).await?;
        let service = control.service(&connector.service)?;
        let (_, auth) = control.stored_auth(service, &connector.credential).await?;
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

fn answer(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(unwritable)
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn unwritable(error: serde_json::Error) -> Error {
    Error::Request {
        code: "server-error",
        message: error.to_string(),
    }
}

/// The pages that a worker has sent, as rows in their order.
struct Kept {
    catalog: Catalog,
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
