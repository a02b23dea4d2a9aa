//! A drill: the snapshot goes into an empty simulated organization, that is backed up, and both snapshots are compared.
//!
//! Everything that the drill makes (simulator, catalog, repository) lies in one private folder and goes with it. The user's repository is only
//! read, and the service is not asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use catalog::{Catalog, Kek};
use control::{BackupOrder, Control, PlanOrder, service_of};
use engine::SnapshotReader;
use engine::apply::ApplyReport;
use engine::backup::{BackupReport, read_source};
use engine::plan::Select;
use engine::verify::VerifyReport;
use jiff::Timestamp;
use model::{
    Clock as _, Conflict, Connector, Finding, Reporter, Secret, Severity, SourceFile, Step,
};
use rand::RngExt as _;
use repository::{Holder, InitOptions, Repository, Snapshot, SnapshotId};
use service::{Fidelity, Service};
use simulator::{Options, Seed, Simulator};
use tokio_util::sync::CancellationToken;

use super::compare::{Comparison, Pairs, Side};
use super::evidence::{self, Compared, Evidence, FORMAT, Place, Restored, Verified};
use crate::app::App;
use crate::clock::SystemClock;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::services::SERVICES;

/// The service that the simulator is one of.
const SIMULATED: &str = "azure-devops";
/// The name of the sandbox as a connector.
const SANDBOX: &str = "sandbox";
/// Steps that are read of a plan at a time.
const PAGE: u32 = 1000;

/// Refuses services whose data no drill can bring back.
pub(super) fn check(service: &Service) -> Result<(), Failure> {
    let is_restored =
        |kind: &&dyn service::Kind| !matches!(kind.spec().restore, Fidelity::ExportOnly(_));
    let why = if !service.kinds.iter().any(is_restored) {
        format!(
            "there is no drill of {}: its data is exported and never restored",
            service.title
        )
    } else if service.name == SIMULATED {
        return Ok(());
    } else {
        format!("there is no simulator of {}", service.title)
    };
    Err(Failure::usage(
        why,
        "keepward verify SNAPSHOT reads it back and looks for what is missing; keepward export SNAPSHOT writes it to a folder",
    ))
}

pub(super) struct Drill<'a> {
    pub app: &'a App,
    pub output: &'a Output,
    pub cancel: &'a CancellationToken,
    pub progress: Arc<Progress>,
    pub repository: &'a Repository,
    /// What the repository is called here.
    pub name: &'a str,
    pub snapshot: SnapshotId,
    pub by: &'a str,
}

/// What the restore and the backup came to.
struct Done {
    applied: ApplyReport,
    steps: Vec<Step>,
    requests: u64,
    backup: BackupReport,
}

impl Drill<'_> {
    /// Runs the drill to its report; a restore that ends halfway is a result, not an error.
    pub(super) async fn run(&self, verified: VerifyReport) -> Result<Evidence, Failure> {
        let started = SystemClock.now();
        let snapshot = self.repository.snapshot(self.snapshot).await?;
        let service = service_of(SERVICES, &snapshot)?;
        let source = read_source(self.repository, service, snapshot.tree).await?;
        let folder = engine::work::private(&self.app.control.work)
            .context("cannot make a folder for the drill")?;
        let simulator = Simulator::start(Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: Some(folder.path().join("simulator")),
            seed: Seed::Empty,
        })
        .await
        .context("the simulator cannot start")?;
        let sandbox = Sandbox::new(folder.path(), &simulator, service).await?;
        let done = Box::pin(self.restore_and_compare(&snapshot, &source, service, &sandbox)).await;
        sandbox.repository.close().await;
        simulator.stop().await;
        let (restored, compared) = match done {
            Ok(done) => done,
            Err(failure) if failure.exit == Exit::Canceled => return Err(failure),
            Err(failure) => (Restored::default(), Compared::ended(&failure)),
        };
        Ok(self.state(started, (&snapshot, &source), verified, restored, compared))
    }

    async fn restore_and_compare(
        &self,
        snapshot: &Snapshot,
        source: &SourceFile,
        service: &'static Service,
        sandbox: &Sandbox,
    ) -> Result<(Restored, Compared), Failure> {
        let done = Box::pin(self.restore(sandbox)).await?;
        self.output.line("== Comparing");
        let holder = Holder::new("keepward", Arc::new(SystemClock));
        let lock = self
            .repository
            .lock_to_read(&holder, self.progress.as_ref())
            .await?;
        let compared = self
            .compare(snapshot, source, service, sandbox, &done)
            .await;
        lock.release().await?;
        let mut compared = compared?;
        for issue in &done.backup.source.issues {
            let item = issue
                .item
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
            let found = format!("{}: {}", issue.code, issue.message);
            compared.miss(&issue.kind, item, "to be backed up again", found);
        }
        Ok((Restored::of(&done.applied, done.requests), compared))
    }

    async fn restore(&self, sandbox: &Sandbox) -> Result<Done, Failure> {
        let reporter = || -> Arc<dyn Reporter> { Arc::<Progress>::clone(&self.progress) };
        let control = &sandbox.control;
        self.output.line("== Restoring into the simulator");
        let order = PlanOrder {
            repository: self.repository,
            repository_name: self.name,
            snapshot: self.snapshot,
            connector: &sandbox.connector,
            select: Select::Everything,
            conflict: Conflict::Skip,
        };
        let plan = tokio::select! {
            plan = control.plan_restore(order, reporter()) => plan?,
            () = self.cancel.cancelled() => return Err(Failure::canceled()),
        };
        let ended = control
            .apply_restore(&plan.id, self.repository, reporter(), self.cancel)
            .await?;
        let requests = ended.run.counts.requests;
        let applied = ended.result?;
        self.output.line("== Backing the simulator up");
        let order = BackupOrder::plain(&sandbox.connector, &sandbox.repository, SANDBOX);
        let backup = Box::pin(control.backup(&order, reporter(), self.cancel))
            .await?
            .result?;
        let mut steps: Vec<Step> = Vec::new();
        loop {
            let after = steps.last().map(|step| step.position);
            let page = control.catalog.steps(&plan.id, after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            steps.extend(page);
        }
        Ok(Done {
            applied,
            steps,
            requests,
            backup,
        })
    }

    fn state(
        &self,
        started: Timestamp,
        (snapshot, source): (&Snapshot, &SourceFile),
        verified: VerifyReport,
        restored: Restored,
        compared: Compared,
    ) -> Evidence {
        let hostname = Holder::new("", Arc::new(SystemClock)).hostname;
        let passed = compared.count == 0 && verified.is_clean();
        Evidence {
            format: FORMAT,
            program: concat!("keepward ", env!("CARGO_PKG_VERSION")).to_owned(),
            by: format!("{}@{hostname}", self.by),
            started,
            finished: SystemClock.now(),
            result: if passed {
                evidence::Result::Passed
            } else {
                evidence::Result::Failed
            },
            repository: Place {
                id: self.repository.id().to_string(),
                name: self.name.to_owned(),
            },
            snapshot: evidence::Snapshot {
                id: self.snapshot.to_string(),
                tree: snapshot.tree.to_string(),
                time: snapshot.time,
                service: source.service.clone(),
                source: source.source.clone(),
                url: source.url.clone(),
            },
            verified: Verified::from(verified),
            restored,
            compared,
        }
    }

    async fn compare(
        &self,
        snapshot: &Snapshot,
        source: &SourceFile,
        service: &'static Service,
        sandbox: &Sandbox,
        done: &Done,
    ) -> Result<Compared, Failure> {
        let made = sandbox.repository.snapshot(done.backup.snapshot).await?;
        let reader = |repository: &Repository, snapshot: &Snapshot| {
            SnapshotReader::new(repository.clone(), service, Some(snapshot.tree))
        };
        let mut compared = Compared::default();
        let pairs = Pairs::of(&done.steps, &mut compared);
        let expected = Side::read(
            reader(self.repository, snapshot),
            service,
            &source.source,
            None,
        )
        .await?;
        let actual = Side::read(
            reader(&sandbox.repository, &made),
            service,
            &done.backup.source.source,
            Some(&pairs),
        )
        .await?;
        let losses: Vec<String> = done.applied.losses.keys().cloned().collect();
        let mut comparison = Comparison {
            service,
            pairs: &pairs,
            expected: &expected,
            actual: &actual,
            losses: &losses,
            compared: &mut compared,
        };
        tokio::select! {
            result = comparison.run() => result?,
            () = self.cancel.cancelled() => return Err(Failure::canceled()),
        }
        self.look_for_damage(sandbox, done.backup.snapshot, &mut compared)
            .await?;
        compared.left_out.sort();
        compared.left_out.dedup();
        Ok(compared)
    }

    /// What was backed up again has to be whole too: that proves the objects of git repositories, of which only refs are compared.
    async fn look_for_damage(
        &self,
        sandbox: &Sandbox,
        again: SnapshotId,
        compared: &mut Compared,
    ) -> Result<(), Failure> {
        let progress = self.progress.as_ref();
        let repository = &sandbox.repository;
        let report = sandbox
            .control
            .verify(repository, again, "drill", progress, self.cancel)
            .await?;
        let serious = |finding: &&Finding| finding.severity != Severity::Note;
        for finding in report.findings.iter().filter(serious) {
            let kind = finding.item.as_ref().map_or("", |item| item.kind.as_str());
            let found = format!("{}: {}", finding.code, finding.message);
            compared.miss(
                kind,
                finding.path.clone(),
                "to be whole after the restore",
                found,
            );
        }
        Ok(())
    }
}

/// An installation of its own, whose one connector is the simulator.
struct Sandbox {
    control: Control,
    connector: Connector,
    repository: Repository,
}

impl Sandbox {
    async fn new(
        folder: &Path,
        simulator: &Simulator,
        service: &'static Service,
    ) -> Result<Self, Failure> {
        let work = folder.join("work");
        std::fs::create_dir(&work).context("cannot make a folder for the drill")?;
        let control = Control {
            catalog: Catalog::open_file(&folder.join("catalog.db")).await?,
            kek: Arc::new(Kek::generate(&mut rand::rng())),
            clock: Arc::new(SystemClock),
            services: SERVICES,
            reach: control::Reach::usual(Arc::new(SystemClock))?,
            worker: "drill".to_owned(),
            work,
        };
        let connector = Connector {
            name: SANDBOX.to_owned(),
            service: service.name.to_owned(),
            organization: simulator.organization().to_owned(),
            url: Some(simulator.url().to_owned()),
            method: "pat".to_owned(),
            credential: SANDBOX.to_owned(),
            ..Connector::default()
        };
        let now = SystemClock.now();
        let pat = Secret::new(simulator.pat());
        control
            .catalog
            .put_credential(&control.kek, SANDBOX, "pat", &pat, now, &mut rand::rng())
            .await?;
        control.catalog.add_connector(&connector).await?;
        let place = folder.join("repository");
        let (store, _) = repository::store_from(&place.to_string_lossy())?;
        let password: [u8; 32] = rand::rng().random();
        let options = InitOptions {
            created: now,
            hostname: "localhost".to_owned(),
            username: "keepward".to_owned(),
        };
        let repository =
            Repository::init(store, &Secret::new(hex::encode(password)), &options).await?;
        Ok(Self {
            control,
            connector,
            repository,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_of_what_is_only_exported_is_refused_with_the_reason() {
        for service in SERVICES {
            let checked = check(service);
            if service.name == SIMULATED {
                checked.unwrap();
                continue;
            }
            let failure = checked.unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            let said = format!("{failure:?}");
            assert!(said.contains("exported and never restored"), "{said}");
            assert!(said.contains("keepward export"), "{said}");
        }
    }
}
