//! Backup and restore of an organization of the simulator, through the queue.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use catalog::{Catalog, Kek};
use control::{BackupOrder, Control, Ended, PlanOrder};
use engine::apply::ApplyReport;
use engine::plan::{Select, Selector, What};
use jiff::{SignedDuration, Timestamp};
use model::{
    Action, Clock, Conflict, Connector, Event, Reporter, RestorePlan, RunState, Secret, Step,
};
use repository::{InitOptions, Repository, SnapshotId, store_from};
use serde_json::Value;
use service::CheckOutcome;
use service::http::Method;
use simulator::{Options, Seed, Simulator};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Every look at it is a second later.
#[derive(Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}

/// Cancels a run after some events.
#[derive(Default)]
struct Watch {
    left: AtomicU64,
    cancel: CancellationToken,
}

impl Reporter for Watch {
    fn report(&self, event: Event) {
        if matches!(event, Event::Progress { .. }) && self.left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            self.cancel.cancel();
        }
    }
}

static SERVICES: [&service::Service; 1] = [&azure_devops::AZURE_DEVOPS];

fn endless() -> Arc<Watch> {
    Arc::new(Watch {
        left: AtomicU64::new(u64::MAX),
        ..Watch::default()
    })
}

struct Case {
    simulator: Simulator,
    control: Control,
    repository: Repository,
    contoso: Connector,
    other: Connector,
    _folder: TempDir,
}

impl Case {
    async fn new() -> Self {
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: None,
            seed: Seed::Small,
        };
        let simulator = Simulator::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = store_from(folder.path().join("repository").to_str().unwrap()).unwrap();
        let init = InitOptions {
            created: Timestamp::UNIX_EPOCH,
            hostname: "host".to_owned(),
            username: "user".to_owned(),
        };
        let clock = Arc::new(Ticking::default());
        let time = Arc::clone(&clock);
        simulator.keep_time(move || time.now().as_second());
        let control = Control {
            catalog: Catalog::open("sqlite::memory:").await.unwrap(),
            kek: Arc::new(Kek::new([7; 32])),
            clock,
            services: &SERVICES,
            reach: control::Reach::usual(Arc::new(Ticking::default())).unwrap(),
            worker: "worker".to_owned(),
            work: folder.path().to_owned(),
        };
        let connector = |name: &str| Connector {
            name: name.to_owned(),
            service: "azure-devops".to_owned(),
            organization: name.to_owned(),
            url: Some(simulator.url().to_owned()),
            method: "pat".to_owned(),
            credential: format!("{name}-pat"),
            ..Connector::default()
        };
        let (contoso, other) = (connector(simulator.organization()), connector("other"));
        let pats = [
            (&contoso, simulator.pat().to_owned()),
            (&other, simulator.add_organization("other").await),
        ];
        for (connector, pat) in pats {
            let now = control.clock.now();
            control
                .catalog
                .put_credential(
                    &control.kek,
                    &connector.credential,
                    "pat",
                    &Secret::new(pat),
                    now,
                    &mut rand::rng(),
                )
                .await
                .unwrap();
            control.catalog.add_connector(connector).await.unwrap();
        }
        let repository = Repository::init(store, &Secret::new("password"), &init)
            .await
            .unwrap();
        Self {
            simulator,
            control,
            repository,
            contoso,
            other,
            _folder: folder,
        }
    }

    async fn backup(&self, connector: &Connector) -> SnapshotId {
        let order = BackupOrder::plain(connector, &self.repository, "main");
        let ended = self
            .control
            .backup(&order, endless(), &CancellationToken::new())
            .await
            .unwrap();
        assert_eq!(
            (ended.run.state, ended.issues),
            (RunState::Succeeded, Vec::new())
        );
        ended.result.unwrap().snapshot
    }

    async fn plan(
        &self,
        snapshot: SnapshotId,
        connector: &Connector,
        select: Select,
    ) -> (RestorePlan, Vec<Step>) {
        let conflict = Conflict::Skip;
        let order = PlanOrder {
            repository: &self.repository,
            repository_name: "main",
            snapshot,
            connector,
            select,
            conflict,
        };
        let plan = self.control.plan_restore(order, endless()).await.unwrap();
        let steps = self
            .control
            .catalog
            .steps(&plan.id, None, 100_000)
            .await
            .unwrap();
        (plan, steps)
    }

    async fn apply(&self, plan: &RestorePlan, watch: Arc<Watch>) -> Ended<ApplyReport> {
        let cancel = watch.cancel.clone();
        self.control
            .apply_restore(&plan.id, &self.repository, watch, &cancel)
            .await
            .unwrap()
    }

    async fn delete(&self, path: &str) {
        let client = self.control.client(&self.contoso, None).await.unwrap();
        client
            .call(Method::DELETE, "dev", path)
            .version("7.1")
            .send()
            .await
            .unwrap();
    }

    /// How much the simulator itself holds of what a restore must bring back.
    async fn held(&self, organization: &str) -> BTreeMap<&'static str, u64> {
        let inventory = self.inventory(organization).await;
        let names = [
            "projects",
            "teams",
            "areas",
            "iterations",
            "repositories",
            "lfsObjects",
            "wikis",
            "workItems",
            "commentedItems",
            "comments",
            "attachmentRelations",
        ];
        names
            .into_iter()
            .map(|name| (name, inventory[name].as_u64().unwrap()))
            .collect()
    }

    async fn inventory(&self, organization: &str) -> Value {
        let client = self.control.client(&self.contoso, None).await.unwrap();
        let url = format!(
            "{}/__inventory?organization={organization}",
            self.simulator.url()
        );
        let answer = client.url(&url.parse().unwrap()).send().await.unwrap();
        serde_json::from_slice(&answer.body).unwrap()
    }
}

fn counted(steps: &[Step]) -> BTreeMap<(String, String), u64> {
    let mut counts = BTreeMap::new();
    for step in steps {
        *counts
            .entry((step.item.kind.clone(), format!("{:?}", step.action)))
            .or_default() += 1;
    }
    counts
}

fn missing() -> Select {
    Select::Items(vec![Selector {
        kind: None,
        scope: None,
        what: What::Deleted,
    }])
}

#[tokio::test]
async fn every_kind_passes_the_preflight() {
    let case = Case::new().await;
    let client = case.control.client(&case.contoso, None).await.unwrap();
    let checks = case
        .control
        .preflight(&azure_devops::AZURE_DEVOPS, &client, "contoso")
        .await
        .unwrap();
    let bad: Vec<_> = checks
        .iter()
        .filter(|check| check.outcome != CheckOutcome::Pass)
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[tokio::test]
async fn the_preflight_tells_of_a_clock_that_is_far_from_the_services() {
    let case = Case::new().await;
    case.simulator.advance_clock(-7200);
    let client = case.control.client(&case.contoso, None).await.unwrap();
    let service = &azure_devops::AZURE_DEVOPS;
    let checks = case.control.preflight(service, &client, "contoso").await;
    let checks = checks.unwrap();
    let told = checks.iter().find(|check| check.name == "clock").unwrap();
    assert_eq!(told.outcome, CheckOutcome::Warning);
    assert_eq!(told.code, Some("clock-wrong"));
    assert!(told.message.contains("2h"), "{}", told.message);
    assert!(told.message.contains("ahead of"), "{}", told.message);
}

#[tokio::test]
async fn a_snapshot_is_dated_by_the_service_where_the_clock_of_this_machine_is_far_off() {
    const YEAR: i64 = 365 * 86_400;
    let case = Case::new().await;
    let order = BackupOrder::plain(&case.contoso, &case.repository, "main");
    // By then the service is so many years ahead of this machine.
    for (since, years) in [(-YEAR, -1), (YEAR, 0), (YEAR, 1)] {
        case.simulator.advance_clock(since);
        let cancel = CancellationToken::new();
        let ended = case.control.backup(&order, endless(), &cancel).await;
        let ended = ended.unwrap();
        let codes: Vec<&str> = ended.issues.iter().map(|issue| &*issue.code).collect();
        let expected = (years != 0).then_some("clock-wrong");
        assert_eq!(codes, Vec::from_iter(expected), "{years}");
        let source = ended.result.unwrap().source;
        let service = case.control.clock.now() + SignedDuration::from_secs(years * YEAR);
        let apart = service.duration_since(source.finished).abs();
        assert!(apart < SignedDuration::from_mins(10), "{years}: {apart:#}");
        assert!(source.started <= source.finished, "{years}");
        assert!(service.duration_since(source.started) < SignedDuration::from_hours(1));
    }
}

impl Case {
    async fn keep(&self, name: &str, secret: &str) {
        let (control, now) = (&self.control, self.control.clock.now());
        let secret = Secret::new(secret);
        let catalog = &control.catalog;
        catalog
            .put_credential(&control.kek, name, "pat", &secret, now, &mut rand::rng())
            .await
            .unwrap();
    }

    async fn try_backup(&self) -> RunState {
        let order = BackupOrder::plain(&self.contoso, &self.repository, "main");
        let stop = CancellationToken::new();
        let ended = self.control.backup(&order, endless(), &stop).await;
        ended.unwrap().run.state
    }
}

#[tokio::test]
async fn a_backup_says_on_the_connector_that_somebody_has_to_sign_in_and_when_it_is_well_again() {
    let case = Case::new().await;
    let catalog = &case.control.catalog;
    let status = async || catalog.connector("contoso").await.unwrap().status;
    case.keep("contoso-pat", "wrong").await;
    assert_eq!(case.try_backup().await, RunState::Failed);
    match status().await {
        model::ConnectorStatus::SignInNeeded { why, .. } => assert!(why.len() > 5, "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(
        catalog
            .credential("contoso-pat")
            .await
            .unwrap()
            .used
            .is_some()
    );
    case.keep("contoso-pat", case.simulator.pat()).await;
    assert_eq!(case.try_backup().await, RunState::Succeeded);
    assert_eq!(status().await, model::ConnectorStatus::Connected);
}

#[tokio::test]
async fn a_connector_stands_with_the_newest_reason_and_since_it_first_stood_so() {
    use model::ConnectorStatus::SignInNeeded;
    let case = Case::new().await;
    let stands = async |why: &'static str| {
        let connector = case.control.catalog.connector("contoso").await.unwrap();
        let error = service::Error::new(model::Class::Credential, "token-expired", why).into();
        let noted = case.control.note_connection(&connector, Some(&error));
        noted.await.unwrap();
        case.control
            .catalog
            .connector("contoso")
            .await
            .unwrap()
            .status
    };
    let SignInNeeded { why, since } = stands("expired").await else {
        panic!("nobody signs in");
    };
    assert_eq!(why, "expired");
    let why = "not configured".to_owned();
    assert_eq!(stands("not configured").await, SignInNeeded { why, since });
}

#[tokio::test]
async fn a_restore_uses_the_credential_for_restores() {
    let mut case = Case::new().await;
    let snapshot = case.backup(&case.contoso).await;
    case.keep("writer", case.simulator.pat()).await;
    case.contoso.restore_credential = Some("writer".to_owned());
    case.control
        .catalog
        .replace_connector(&case.contoso)
        .await
        .unwrap();
    // With what backups read by, nothing could be restored.
    case.keep("contoso-pat", "wrong").await;
    let (plan, _) = case.plan(snapshot, &case.contoso, missing()).await;
    let ended = case.apply(&plan, endless()).await;
    assert_eq!(
        ended.run.state,
        RunState::Succeeded,
        "{:?}",
        ended.run.error
    );
}

#[tokio::test]
async fn what_was_deleted_comes_back_to_its_place() {
    let case = Case::new().await;
    let snapshot = case.backup(&case.contoso).await;
    let (_, steps) = case.plan(snapshot, &case.contoso, missing()).await;
    assert_eq!(counted(&steps), BTreeMap::new(), "nothing is gone yet");
    let before = case.held("contoso").await;
    let ids: Vec<String> = {
        let all = Select::Items(vec![Selector {
            kind: Some("work-item".to_owned()),
            scope: None,
            what: What::All,
        }]);
        case.plan(snapshot, &case.contoso, all)
            .await
            .1
            .into_iter()
            .filter(|step| step.reason.as_deref() == Some("the target already has it"))
            .map(|step| step.item.id)
            .collect()
    };
    case.delete(&format!("/_apis/wit/workitems/{}", ids[0]))
        .await;
    case.delete(&format!("/_apis/wit/workitems/{}", ids[1]))
        .await;
    case.delete(&format!("/_apis/wit/recyclebin/{}", ids[1]))
        .await;
    let (plan, steps) = case.plan(snapshot, &case.contoso, missing()).await;
    let told: Vec<_> = steps
        .iter()
        .map(|step| (step.item.id.clone(), step.action))
        .collect();
    assert_eq!(
        told,
        [
            (ids[0].clone(), Action::Undelete),
            (ids[1].clone(), Action::Create)
        ]
    );
    let ended = case.apply(&plan, endless()).await;
    let report = ended.result.unwrap();
    assert_eq!(report.troubles, []);
    assert_eq!(
        (report.undeleted, report.created, report.verified),
        (1, 1, 2)
    );
    assert_eq!(case.held("contoso").await, before);
    // The one that got another number is not gone either.
    let (_, steps) = case.plan(snapshot, &case.contoso, missing()).await;
    assert_eq!(counted(&steps), BTreeMap::new());
}

#[tokio::test]
async fn an_empty_organization_gets_everything() {
    let case = Case::new().await;
    let snapshot = case.backup(&case.contoso).await;
    let (plan, _) = case.plan(snapshot, &case.other, Select::Everything).await;
    let ended = case.apply(&plan, endless()).await;
    let report = ended.result.unwrap();
    assert_eq!(report.troubles, []);
    assert_eq!(ended.run.state, RunState::Succeeded);
    assert_eq!(case.held("other").await, case.held("contoso").await);
}

#[tokio::test]
async fn what_a_restore_made_in_another_organization_the_next_one_finds_there() {
    let case = Case::new().await;
    let snapshot = case.backup(&case.contoso).await;
    let (plan, _) = case.plan(snapshot, &case.other, Select::Everything).await;
    case.apply(&plan, endless()).await;
    let before = case.held("other").await;
    let (again, steps) = case.plan(snapshot, &case.other, Select::Everything).await;
    let of_items = steps.iter().filter(|step| step.item.kind == "work-item");
    let reason = format!("the target already has it: restore {} made it", plan.id);
    for step in of_items.clone() {
        let there = step.action == Action::Skip && step.reason.as_ref() == Some(&reason);
        // What lies in the recycle bin was not restored.
        let binned = step.reason.as_deref() == Some("was in the recycle bin");
        assert!(there || binned, "{step:?}");
    }
    assert!(of_items.count() > 1);
    let ended = case.apply(&again, endless()).await;
    assert_eq!(ended.result.unwrap().troubles, []);
    assert_eq!(case.held("other").await, before);
}

#[tokio::test]
async fn an_empty_organization_gets_everything_once_however_often_the_restore_is_interrupted() {
    let case = Case::new().await;
    let snapshot = case.backup(&case.contoso).await;
    let (plan, _) = case.plan(snapshot, &case.other, Select::Everything).await;
    let mut interruptions = 0;
    let report = loop {
        let watch = Arc::new(Watch {
            left: AtomicU64::new(3 + interruptions),
            ..Watch::default()
        });
        let ended = case.apply(&plan, Arc::clone(&watch)).await;
        if ended.run.state != RunState::Canceled {
            break ended.result.unwrap();
        }
        interruptions += 1;
    };
    assert!(interruptions > 5, "{interruptions}");
    assert_eq!(report.troubles, []);
    assert_eq!(case.held("other").await, case.held("contoso").await);
}
