//! Asking for backups: what is refused at once, and what goes into the queue.

use std::collections::BTreeSet;

use catalog::{NewJob, OpenJob, Placement, QueueLimits, QueuedRun, RepositoryRow, why_queued};
use model::policy::{Selection, covering};
use model::{Connector, Policy, Reason, Run, RunKind, RunState, Waiting};

use super::order::{BackupJob, Order};
use crate::connectors::source_id;
use crate::jobs::backup_key;
use crate::{Control, Error, Result};

/// A worker that was not seen for so long is not there.
const GONE: jiff::SignedDuration = jiff::SignedDuration::from_mins(3);

/// A backup that somebody wants; by default everything that the connector's policy says.
#[derive(Clone, Debug, Default)]
pub struct BackupWish {
    pub connector: String,
    /// `None` for the one that is for this connector.
    pub policy: Option<String>,
    /// Kinds; empty for those of the policy.
    pub kinds: BTreeSet<String>,
    /// Kinds whose implausible drop a person has confirmed.
    pub accept_deletions: BTreeSet<String>,
    pub full: bool,
    /// `None` for that of the policy.
    pub repository: Option<String>,
    pub reason: Reason,
    pub retry_of: Option<String>,
}

fn refused(code: &'static str, message: impl Into<String>) -> Error {
    Error::Request {
        code,
        message: message.into(),
    }
}

/// A folder is reached by the machine that it is on; everything else by everybody.
fn is_folder(location: &str) -> bool {
    !location.contains("://") || location.starts_with("file://")
}

impl Control {
    /// Queues a backup by a policy, or by the one that is for this connector.
    pub async fn request_backup(
        &self,
        connector: &str,
        policy: Option<&str>,
        reason: Reason,
    ) -> Result<Run> {
        let wish = BackupWish {
            connector: connector.to_owned(),
            policy: policy.map(str::to_owned),
            reason,
            ..BackupWish::default()
        };
        self.request(&wish).await
    }

    /// Queues backups of these connectors by a policy: all of them, or none when one is refused.
    pub async fn request_all(
        &self,
        connectors: &[String],
        policy: &str,
        reason: Reason,
    ) -> Result<Vec<Run>> {
        let mut all = Vec::with_capacity(connectors.len());
        for connector in connectors {
            let wish = BackupWish {
                connector: connector.clone(),
                policy: Some(policy.to_owned()),
                reason,
                ..BackupWish::default()
            };
            all.push(self.prepare(&wish).await?);
        }
        self.catalog.queue_runs(&all).await?;
        Ok(all.into_iter().map(|queued| queued.run).collect())
    }

    /// Queues a backup.
    pub async fn request(&self, wish: &BackupWish) -> Result<Run> {
        let queued = self.prepare(wish).await?;
        self.catalog.queue_run(&queued).await?;
        Ok(queued.run)
    }

    /// Queues the same backup again for a run that has ended, and not simply succeeded. What the first one got is not read again: its snapshot or
    /// checkpoint is there.
    pub async fn retry(&self, run: &str) -> Result<Run> {
        let before = self.catalog.run(run).await?;
        if before.kind != RunKind::Backup {
            return Err(refused(
                "run-refused",
                format!("run {run} is no backup: it is not started again by itself"),
            ));
        }
        if matches!(before.state, RunState::Queued | RunState::Running) {
            return Err(refused("run-open", format!("run {run} has not ended")));
        }
        if before.state == RunState::Succeeded {
            return Err(refused("run-succeeded", format!("run {run} has succeeded")));
        }
        let job = self.catalog.jobs(run).await?.into_iter().next();
        let order = match job {
            Some(job) => Order::backup(&self.catalog.payload(&job.id).await?).ok(),
            None => None,
        };
        let mut wish = BackupWish {
            connector: before.connector.clone(),
            policy: before.policy.clone(),
            repository: Some(before.repository.clone()),
            reason: Reason::Retry,
            retry_of: Some(before.id.clone()),
            ..BackupWish::default()
        };
        if let Some(order) = order {
            wish.kinds = order.selection.kinds;
            wish.accept_deletions = order.accept_deletions;
            wish.full = order.full;
        }
        self.request(&wish).await
    }

    /// Asks a run to end: at once while it waits, as soon as its worker hears of it otherwise.
    pub async fn cancel(&self, run: &str) -> Result<Run> {
        let open = |run: &Run| matches!(run.state, RunState::Queued | RunState::Running);
        if !open(&self.catalog.run(run).await?) {
            return Err(refused("run-not-open", format!("run {run} has ended")));
        }
        let found = self.catalog.cancel_run(run, self.now()).await?;
        if open(&found) || found.state == RunState::Canceled {
            return Ok(found);
        }
        // It came to its end meanwhile.
        Err(refused("run-not-open", format!("run {run} has ended")))
    }

    /// Why each of these runs is not at work, or what it waits for; none for runs that have ended.
    pub async fn waiting(&self, runs: &[Run]) -> Result<Vec<Option<Waiting>>> {
        if runs.iter().all(|run| run.state != RunState::Queued) {
            return Ok(runs.iter().map(|run| run.waiting.clone()).collect());
        }
        let open = self.catalog.open_work().await?;
        let mut all = Vec::with_capacity(runs.len());
        for run in runs {
            let job = open.iter().find(|job| job.run == run.id);
            all.push(match job {
                Some(job) if run.state == RunState::Queued => {
                    match why_queued(job, &open, QueueLimits::default(), self.now()) {
                        Some(why) if why.code == "retry-later" => Some(Waiting {
                            message: run
                                .waiting
                                .as_ref()
                                .map_or(why.message.clone(), |before| before.message.clone()),
                            ..why
                        }),
                        Some(why) => Some(why),
                        None => self.missing_worker(job).await?,
                    }
                }
                _ => run.waiting.clone(),
            });
        }
        Ok(all)
    }

    /// Fills in what runs wait for.
    pub async fn explain(&self, runs: &mut [Run]) -> Result<()> {
        let waiting = self.waiting(runs).await?;
        for (run, waiting) in runs.iter_mut().zip(waiting) {
            run.waiting = waiting;
        }
        Ok(())
    }

    async fn missing_worker(&self, job: &OpenJob) -> Result<Option<Waiting>> {
        let now = self.now();
        let workers = self.catalog.workers().await?;
        let place = &job.placement;
        let there = workers.iter().any(|worker| {
            let seen = worker
                .seen
                .is_some_and(|seen| now.duration_since(seen) < GONE);
            let reaches = worker.own
                || place
                    .storage
                    .as_ref()
                    .is_none_or(|storage| worker.storages.contains(storage));
            seen && reaches && has_labels(&worker.name, &worker.labels, &place.labels)
        });
        Ok((!there).then(|| Waiting {
            code: "worker-missing".to_owned(),
            message: if place.labels.is_empty() {
                "no worker is there".to_owned()
            } else {
                let labels: Vec<&str> = place.labels.iter().map(String::as_str).collect();
                format!("no worker with {} is there", labels.join(", "))
            },
            until: None,
        }))
    }

    /// The policy for a connector: the one that was named, or the first that is for it, those that are switched on before others.
    pub async fn policy_for(&self, connector: &Connector, named: Option<&str>) -> Result<Policy> {
        if let Some(name) = named {
            return Ok(self.catalog.policy(name).await?.policy);
        }
        let all = self.catalog.policies().await?;
        let all: Vec<Policy> = all.into_iter().map(|row| row.policy).collect();
        let fitting = covering(&all, &connector.name);
        let chosen = fitting
            .iter()
            .find(|policy| policy.enabled)
            .or_else(|| fitting.first());
        chosen.map(|policy| (*policy).clone()).ok_or_else(|| {
            refused(
                "policy-missing",
                format!("no policy is for connector {}", connector.name),
            )
        })
    }

    async fn repository_for(&self, name: Option<&str>) -> Result<RepositoryRow> {
        match name {
            Some(name) => Ok(self.catalog.repository(name).await?),
            None => self.catalog.default_repository().await?.ok_or_else(|| {
                refused(
                    "repository-none",
                    "there is no default repository to back up to",
                )
            }),
        }
    }

    /// Looks everything up that a backup needs, and refuses what cannot work.
    pub(crate) async fn prepare(&self, wish: &BackupWish) -> Result<QueuedRun> {
        let connector = self.catalog.connector(&wish.connector).await?;
        let policy = self.policy_for(&connector, wish.policy.as_deref()).await?;
        self.prepare_with(wish, &connector, &policy).await
    }

    /// As [`Control::prepare`], for a connector and a policy that need not be saved yet.
    pub(crate) async fn prepare_with(
        &self,
        wish: &BackupWish,
        connector: &Connector,
        policy: &Policy,
    ) -> Result<QueuedRun> {
        let service = self.service(&connector.service)?;
        let named = wish.repository.as_deref().or(policy.repository.as_deref());
        let repository = self.repository_for(named).await?;
        let selection = Self::selection(service, policy, &wish.kinds)?;
        Self::known_kinds(service, &selection.kinds, &wish.accept_deletions)?;
        let order = Order::Backup(BackupJob {
            connector: connector.name.clone(),
            repository: repository.name.clone(),
            selection,
            accept_deletions: wish.accept_deletions.clone(),
            full: wish.full,
            bytes_per_second: policy.limits.bytes_per_second,
        });
        let placement = self.place(connector, policy, &repository).await?;
        let source = source_id(service, connector)?;
        let named = (connector.name.as_str(), repository.name.as_str());
        let run = Run {
            policy: Some(policy.name.clone()),
            retry_of: wish.retry_of.clone(),
            ..self.new_run(RunKind::Backup, named, wish.reason)
        };
        Ok(QueuedRun {
            job: NewJob {
                id: self.new_id(),
                payload: order.text()?,
                concurrency_key: Some(backup_key(&repository.id, &source)),
                created: run.created,
            },
            run,
            placement,
        })
    }

    /// What is taken of a service: these kinds, or without any what the policy says. That may be for several services, and to select nothing of one
    /// of them is not to select everything.
    pub fn selection(
        service: &service::Service,
        policy: &Policy,
        kinds: &BTreeSet<String>,
    ) -> Result<Selection> {
        let mut selection = policy.selection.clone();
        if !kinds.is_empty() {
            selection.kinds.clone_from(kinds);
            return Ok(selection);
        }
        let every = selection.kinds.is_empty();
        selection.kinds.retain(|kind| service.kind(kind).is_some());
        if !every && selection.kinds.is_empty() {
            let (policy, title) = (&policy.name, service.title);
            let message = format!("policy {policy} selects nothing of {title}");
            return Err(refused("policy-selects-nothing", message));
        }
        Ok(selection)
    }

    pub(crate) fn known_kinds(
        service: &service::Service,
        kinds: &BTreeSet<String>,
        accepted: &BTreeSet<String>,
    ) -> Result<()> {
        let unknown = kinds
            .iter()
            .chain(accepted)
            .find(|kind| service.kind(kind).is_none());
        let Some(kind) = unknown else {
            return Ok(());
        };
        let all: Vec<&str> = service.kinds.iter().map(|kind| kind.spec().name).collect();
        Err(refused(
            "kind-unknown",
            format!(
                "{} has no kind `{kind}`; it has {}",
                service.title,
                all.join(", ")
            ),
        ))
    }

    /// Which workers may take it. A folder that none of the wanted workers reaches is refused before anything runs.
    async fn place(
        &self,
        connector: &Connector,
        policy: &Policy,
        repository: &RepositoryRow,
    ) -> Result<Placement> {
        let by_policy = !policy.worker.is_empty();
        let labels: BTreeSet<String> = match &connector.worker {
            Some(worker) if !by_policy => [worker.clone()].into(),
            _ => policy.worker.clone(),
        };
        let storage = is_folder(&repository.location).then(|| repository.name.clone());
        let workers = self.catalog.workers().await?;
        let mut wanted = workers
            .iter()
            // What one that never showed itself reaches is not known: the run waits for it.
            .filter(|worker| worker.seen.is_some())
            .filter(|worker| has_labels(&worker.name, &worker.labels, &labels))
            .peekable();
        if let Some(storage) = &storage
            && wanted.peek().is_some()
            && !wanted.any(|worker| worker.own || worker.storages.contains(storage))
        {
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let labels = labels.join(", ");
            let wanted = match (by_policy, labels.as_str()) {
                (_, "") => String::new(),
                (true, _) => format!(" that policy {} wants ({labels})", policy.name),
                (false, _) => format!(" that connector {} wants ({labels})", connector.name),
            };
            return Err(refused(
                "worker-storage",
                format!(
                    "no worker{wanted} reaches repository {storage} ({})",
                    repository.location
                ),
            ));
        }
        Ok(Placement {
            connector: connector.name.clone(),
            policy: Some(policy.name.clone()),
            policy_runs: policy.limits.runs,
            labels,
            storage,
            not_before: None,
        })
    }
}

fn has_labels(name: &str, labels: &BTreeSet<String>, wanted: &BTreeSet<String>) -> bool {
    wanted
        .iter()
        .all(|label| labels.contains(label) || label.eq_ignore_ascii_case(name))
}
