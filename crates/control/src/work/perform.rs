//! The work on one job in this process.

mod check;
mod prune;
mod restore;
mod sync;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use catalog::Job;
use model::{Reporter, Run};
use service::Client;
use tokio_util::sync::CancellationToken;

use super::order::{BackupJob, Order};
use super::settle::{Failed, Outcome};
use super::watch::{RunObserver, Tap};
use crate::backup::BackupOrder;
use crate::{Control, Error, Result};

/// How often what a run waits for is written down.
const TELL: Duration = Duration::from_secs(2);

impl Control {
    /// Does a job that was claimed by this worker, and ends its run. An error means that the job is somebody else's by now, or the catalog
    /// is away.
    pub(crate) async fn perform(
        &self,
        job: &Job,
        observer: &Arc<dyn RunObserver>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let run = self.catalog.run(&job.run).await?;
        observer.changed(&run);
        let tap = Arc::new(Tap::new(
            &run.id,
            Arc::clone(&self.clock),
            Arc::clone(observer),
        ));
        let cancel = stop.child_token();
        let outcome = tokio::select! {
            outcome = Box::pin(self.try_job(&run, job, &tap, &cancel)) => outcome,
            error = self.keep_alive(job, &cancel) => return Err(error),
            () = self.tell_waits(job, &tap, &cancel) => Outcome::default(),
        };
        let ended = self.settle(job, outcome, stop.is_cancelled()).await?;
        observer.changed(&ended);
        Ok(())
    }

    /// Never ends. Hears, too, of a cancel sooner than the next heartbeat would.
    async fn tell_waits(&self, job: &Job, tap: &Tap, cancel: &CancellationToken) {
        let (run, mut told) = (job.run.as_str(), None);
        loop {
            tokio::time::sleep(TELL).await;
            match self.catalog.job(&job.id).await {
                Ok(row) if row.cancel_requested => cancel.cancel(),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(run, %error, "nobody can say whether a run is to end");
                }
            }
            let waiting = tap.waiting();
            if waiting != told {
                if let Err(error) = self.catalog.set_waiting(run, waiting.as_ref()).await {
                    tracing::warn!(run, %error, "what a run waits for could not be noted");
                }
                told = waiting;
            }
        }
    }

    async fn try_job(
        &self,
        run: &Run,
        job: &Job,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Outcome {
        match self.do_as_told(run, job, tap, cancel).await {
            Ok(outcome) => outcome,
            Err(error) => failed(&error),
        }
    }

    async fn do_as_told(
        &self,
        run: &Run,
        job: &Job,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        Self::not_too_often(job)?;
        match Order::read(&job.payload)? {
            Order::Backup(order) => self.make_backup(run, job, order, tap, cancel).await,
            Order::Plan(plan) => self.holding(job).make_plan(&plan, tap, cancel).await,
            Order::Restore(plan) => self.holding(job).make_restore(&plan, tap, cancel).await,
            Order::Check(order) => self.make_check(&order, tap, cancel).await,
            Order::Prune(order) => self.make_prune(&order, tap, cancel).await,
            Order::Verify(order) => self.make_verify(&order, tap, cancel).await,
            Order::Sync(repository) => self.make_sync(&repository, tap, cancel).await,
        }
    }

    async fn make_backup(
        &self,
        run: &Run,
        job: &Job,
        order: BackupJob,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let connector = self.catalog.connector(&order.connector).await?;
        let picks = self.picks(&connector, &order.selection).await?;
        let row = self.catalog.repository(&order.repository).await?;
        let repository = self.open_repository(&row).await?;
        let reporter: Arc<dyn Reporter> = Arc::<Tap>::clone(tap);
        let client = self.client(&connector, Some(Arc::clone(&reporter))).await?;
        if let Some(rate) = order.bytes_per_second {
            client.limit(rate);
        }
        let service = self.service(&connector.service)?;
        let order = BackupOrder {
            selection: order.selection.kinds,
            picks,
            accept_deletions: order.accept_deletions,
            full: order.full,
            ..BackupOrder::plain(&connector, &repository, &row.name)
        };
        let before = repository.written();
        let result = self
            .work(
                &order,
                service,
                &client,
                (run, job),
                reporter.as_ref(),
                cancel,
            )
            .await;
        let mut outcome = match result {
            Ok(report) => Outcome::backed_up(order.full, report),
            Err(error) => failed_backup(&error, &client, repository.written() - before),
        };
        if outcome.failed.is_none() {
            let retained = self
                .forget_after(run, &connector, &repository, service)
                .await;
            outcome.retained(retained);
        }
        repository.close().await;
        Ok(outcome)
    }
}

/// A backup without a snapshot. What it has stored lies there, and the run that goes on stores it no more.
pub(crate) fn failed_backup(error: &Error, client: &Client, bytes_stored: u64) -> Outcome {
    let (mut outcome, usage) = (failed(error), client.usage());
    outcome.counts.requests = usage.requests;
    outcome.counts.bytes_received = usage.bytes;
    outcome.counts.bytes_stored = bytes_stored;
    outcome
}

/// Work that was not done, with an issue for what is wrong at the service.
pub(crate) fn failed(error: &Error) -> Outcome {
    let issue = match error {
        Error::Service(error) | Error::Engine(engine::Error::Service(error)) => {
            Some(error.to_issue("", "", None))
        }
        _ => None,
    };
    Outcome {
        issues: issue.into_iter().collect(),
        failed: Some(Failed::from(error)),
        ..Outcome::default()
    }
}
