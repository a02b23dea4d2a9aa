//! A backup through the queue.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::Job;
use engine::backup::{BackupContext, BackupReport, BackupRequest};
use engine::coordinator::Pace;
use model::policy::Selection;
use model::{Class, Connector, Picks, Policy, Reporter, Run, RunKind};
use repository::Repository;
use service::{Client, Service};
use tokio_util::sync::CancellationToken;

use crate::connectors::{address, source_id};
use crate::coordinator::CatalogCoordinator;
use crate::jobs::{Ended, NewRun, backup_key};
use crate::standing::class_of;
use crate::work::{BackupJob, Order};
use crate::{Control, Error, Result};

/// What to back up, and where to.
pub struct BackupOrder<'a> {
    pub connector: &'a Connector,
    pub repository: &'a Repository,
    /// The name that the catalog has for it.
    pub repository_name: &'a str,
    /// Kinds; empty selects all.
    pub selection: BTreeSet<String>,
    /// Items by kind; kinds that are not named are taken whole.
    pub picks: Picks,
    /// Kinds whose implausible drop a person has confirmed.
    pub accept_deletions: BTreeSet<String>,
    /// Read everything again.
    pub full: bool,
    /// How often to make a checkpoint.
    pub pace: Pace,
    /// By which it is made; its limit of bytes a second is kept.
    pub policy: Option<&'a Policy>,
}

impl<'a> BackupOrder<'a> {
    /// Everything that changed, by no policy.
    pub fn plain(
        connector: &'a Connector,
        repository: &'a Repository,
        repository_name: &'a str,
    ) -> Self {
        Self {
            connector,
            repository,
            repository_name,
            selection: BTreeSet::new(),
            picks: Picks::default(),
            accept_deletions: BTreeSet::new(),
            full: false,
            pace: Pace::default(),
            policy: None,
        }
    }

    /// What a retry goes by.
    fn as_job(&self) -> Order {
        Order::Backup(BackupJob {
            connector: self.connector.name.clone(),
            repository: self.repository_name.to_owned(),
            selection: Selection {
                kinds: self.selection.clone(),
                ..Selection::default()
            },
            accept_deletions: self.accept_deletions.clone(),
            full: self.full,
            bytes_per_second: None,
        })
    }
}

impl Control {
    /// Runs a backup: run, job, lease, engine, end. An error here means that there is no run; a failed run is an [`Ended`].
    pub async fn backup(
        &self,
        order: &BackupOrder<'_>,
        reporter: Arc<dyn Reporter>,
        cancel: &CancellationToken,
    ) -> Result<Ended<BackupReport>> {
        let service = self.service(&order.connector.service)?;
        Self::known_kinds(service, &order.selection, &order.accept_deletions)?;
        let client = match self
            .client(order.connector, Some(Arc::clone(&reporter)))
            .await
        {
            Ok(client) => client,
            Err(error) => {
                self.note_backup(&order.connector.name, Some(told(&error)))
                    .await?;
                return Err(error);
            }
        };
        let limits = order.policy.map(|policy| &policy.limits);
        if let Some(rate) = limits.and_then(|limits| limits.bytes_per_second) {
            client.limit(rate);
        }
        let source = source_id(service, order.connector)?;
        let (mut run, job) = self
            .begin(NewRun {
                kind: RunKind::Backup,
                policy: order.policy.map(|policy| policy.name.as_str()),
                connector: &order.connector.name,
                repository: order.repository_name,
                key: backup_key(&order.repository.id().to_string(), &source),
                payload: order.as_job().text()?,
            })
            .await?;
        let before = order.repository.written();
        let result = self
            .work(
                order,
                service,
                &client,
                (&run, &job),
                reporter.as_ref(),
                cancel,
            )
            .await;
        let usage = client.usage();
        run.counts.requests = usage.requests;
        run.counts.bytes_received = usage.bytes;
        run.counts.bytes_stored = order.repository.written() - before;
        let failed = result.as_ref().err().map(told);
        self.note_backup(&order.connector.name, failed).await?;
        let mut issues = Vec::new();
        if let Ok(report) = &result {
            run.snapshot = Some(report.snapshot.to_string());
            run.counts = report.counts.clone();
            run.result = extent(order.full, report);
            issues.clone_from(&report.source.issues);
        }
        self.end(run, &job, issues, result).await
    }

    pub(crate) async fn work(
        &self,
        order: &BackupOrder<'_>,
        service: &'static Service,
        client: &Client,
        (run, job): (&Run, &Job),
        reporter: &dyn Reporter,
        cancel: &CancellationToken,
    ) -> Result<BackupReport> {
        let coordinator = CatalogCoordinator {
            catalog: self.catalog.clone(),
            clock: Arc::clone(&self.clock),
            job: job.id.clone(),
            token: job.token,
            repository: order.repository.id().to_string(),
            reached: Some((order.repository.clone(), service)),
            cancel: cancel.clone(),
            run: run.id.clone(),
            pace: order.pace,
        };
        let context = BackupContext {
            service,
            client,
            repository: order.repository,
            coordinator: &coordinator,
            clock: &self.clock,
            reporter,
        };
        let request = BackupRequest {
            connector: order.connector.clone(),
            url: address(service, order.connector)?,
            run: run.id.clone(),
            job: job.id.clone(),
            token: job.token,
            selection: order.selection.clone(),
            picks: order.picks.clone(),
            accept_deletions: order.accept_deletions.clone(),
            full: order.full,
            work: self.work.clone(),
        };
        tokio::select! {
            report = engine::backup::backup(&context, &request) => Ok(report?),
            () = cancel.cancelled() => Err(engine::Error::Canceled.into()),
        }
    }
}

/// What a run came to beside its counts: whether it read everything, so that nobody takes it for one that read what was new.
pub(crate) fn extent(full: bool, report: &BackupReport) -> Option<serde_json::Value> {
    (full || report.parent.is_none()).then(|| serde_json::json!({ "full": true }))
}

/// What a failure says about the connector.
fn told(error: &Error) -> (Option<Class>, String) {
    (class_of(error), error.to_string())
}
