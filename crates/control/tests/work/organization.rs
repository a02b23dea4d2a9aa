//! Selection of projects and repositories in an organization of the simulator.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{Catalog, Kek, Page, RepositoryRow};
use control::{Control, Reach, Unobserved, WorkerSetup};
use jiff::{SignedDuration, Timestamp};
use model::policy::Choice;
use model::{Clock, Connector, Reason, Run, RunState, Secret};
use repository::{InitOptions, Repository, store_from};
use service::http::Method;
use simulator::{Options, Seed, Simulator};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::Hands;

static SERVICES: [&service::Service; 1] = [&azure_devops::AZURE_DEVOPS];

struct Case {
    control: Control,
    hands: Arc<Hands>,
    _simulator: Simulator,
    _folder: TempDir,
}

impl Case {
    async fn new() -> (Self, Connector) {
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: None,
            seed: Seed::Small,
        };
        let simulator = Simulator::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let location = folder.path().join("repository").display().to_string();
        let (store, _) = store_from(&location).unwrap();
        let init = InitOptions {
            created: Timestamp::UNIX_EPOCH,
            hostname: "host".to_owned(),
            username: "user".to_owned(),
        };
        let repository = Repository::init(store, &Secret::new("password"), &init)
            .await
            .unwrap();
        let hands = Arc::new(Hands::at(1_800_000_000));
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&hands);
        let time = Arc::clone(&clock);
        simulator.keep_time(move || time.now().as_second());
        let control = Control {
            catalog: Catalog::open("sqlite::memory:").await.unwrap(),
            kek: Arc::new(Kek::new([7; 32])),
            clock: Arc::clone(&clock),
            services: &SERVICES,
            reach: Reach::usual(clock).unwrap(),
            worker: "server".to_owned(),
            work: folder.path().to_owned(),
        };
        for (name, secret) in [("password", "password"), ("pat", simulator.pat())] {
            let (secret, now) = (Secret::new(secret), control.clock.now());
            let catalog = &control.catalog;
            catalog
                .put_credential(&control.kek, name, "pat", &secret, now, &mut rand::rng())
                .await
                .unwrap();
        }
        let connector = Connector {
            name: "contoso".to_owned(),
            service: "azure-devops".to_owned(),
            organization: simulator.organization().to_owned(),
            url: Some(simulator.url().to_owned()),
            method: "pat".to_owned(),
            credential: "pat".to_owned(),
            ..Connector::default()
        };
        control.catalog.add_connector(&connector).await.unwrap();
        let row = RepositoryRow {
            name: "main".to_owned(),
            location,
            id: repository.id().to_string(),
            password_credential: "password".to_owned(),
            ..RepositoryRow::default()
        };
        control.catalog.add_repository(&row).await.unwrap();
        let case = Self {
            control,
            hands,
            _simulator: simulator,
            _folder: folder,
        };
        (case, connector)
    }

    async fn names(&self, kind: &str) -> Vec<String> {
        let found = self
            .control
            .catalog
            .found("contoso", Some(kind), &Page::first(500))
            .await
            .unwrap();
        let mut names: Vec<String> = found.items.into_iter().map(|item| item.name).collect();
        names.sort();
        names
    }

    async fn choose(&self, kind: &str, include: &str) {
        let row = self.control.catalog.policy("default").await.unwrap();
        let mut policy = row.policy;
        let choice = Choice {
            include: vec![include.to_owned()],
            ..Choice::default()
        };
        policy.selection.items.insert(kind.to_owned(), choice);
        self.control
            .catalog
            .replace_policy("default", row.version, &policy, self.control.clock.now())
            .await
            .unwrap();
    }

    async fn run(&self) -> Run {
        self.hands.pass(SignedDuration::from_mins(1));
        let run = self
            .control
            .request_backup("contoso", None, Reason::Request)
            .await
            .unwrap();
        let setup = WorkerSetup {
            labels: BTreeSet::new(),
            slots: 1,
            limits: catalog::QueueLimits::default(),
            observer: Arc::new(Unobserved),
        };
        self.control
            .work_off(&setup, &CancellationToken::new())
            .await
            .unwrap();
        self.control.catalog.run(&run.id).await.unwrap()
    }

    /// As [`Case::run`], and it succeeds.
    async fn back_up(&self) -> Run {
        let run = self.run().await;
        assert!(
            matches!(
                run.state,
                RunState::Succeeded | RunState::SucceededWithIssues
            ),
            "{:?}",
            run.error
        );
        run
    }
}

fn items(run: &Run, kind: &str) -> usize {
    usize::try_from(run.counts.kinds[kind].items).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn av_04_a_project_of_an_organization_is_backed_up_alone_and_the_others_stay_as_they_were() {
    let (case, connector) = Case::new().await;
    case.control.find_new(&connector).await.unwrap();
    let projects = case.names("project").await;
    let repositories = case.names("git-repository").await;
    assert!(projects.len() > 1, "{projects:?}");
    let chosen = &projects[0];
    let own = format!("{}/", chosen.to_lowercase());
    let of_chosen = repositories
        .iter()
        .filter(|name| name.to_lowercase().starts_with(&own))
        .count();
    assert!(of_chosen < repositories.len(), "{repositories:?}");
    case.choose("project", &chosen.to_uppercase()).await;
    let alone = case.back_up().await;
    assert_eq!(
        (items(&alone, "project"), items(&alone, "git-repository")),
        (1, of_chosen)
    );
    // All of them, and then the one again: nothing of the others is lost.
    case.choose("project", "*").await;
    let all = case.back_up().await;
    assert_eq!(items(&all, "project"), projects.len());
    assert!(items(&all, "git-repository") >= repositories.len());
    assert!(items(&all, "team") > items(&alone, "team"));
    case.choose("project", chosen).await;
    let again = case.back_up().await;
    for kind in [
        "project",
        "git-repository",
        "team",
        "area",
        "iteration",
        "wiki",
    ] {
        assert_eq!(items(&again, kind), items(&all, kind), "{kind}");
        assert_eq!(again.counts.kinds[kind].removed, 0, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xa_10_a_new_repository_is_backed_up_with_the_switch_on_and_absent_with_it_off() {
    for add_new in [true, false] {
        let (case, mut connector) = Case::new().await;
        connector.sync.add_new = add_new;
        case.control
            .catalog
            .replace_connector(&connector)
            .await
            .unwrap();
        case.control
            .find_new_due(&mut control::Remembered::default())
            .await
            .unwrap();
        let before = items(&case.back_up().await, "git-repository");
        let project = case.names("project").await.remove(0);
        let client = case.control.client(&connector, None).await.unwrap();
        let path = format!(
            "/{}/_apis/git/repositories",
            service::http::segment(&project)
        );
        let body = serde_json::json!({ "name": "brand-new" });
        client
            .call(Method::POST, "dev", &path)
            .version("7.1")
            .json(&body)
            .send()
            .await
            .unwrap();
        let new = case.control.find_new(&connector).await.unwrap();
        let repositories = new
            .into_iter()
            .find(|(kind, _)| kind == "git-repository")
            .unwrap();
        assert_eq!(repositories.1.len(), 1);
        let after = items(&case.back_up().await, "git-repository");
        assert_eq!(
            after,
            before + usize::from(add_new),
            "switched on: {add_new}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sre_46_a_run_of_the_queue_says_on_the_connector_that_somebody_has_to_sign_in() {
    let (case, _) = Case::new().await;
    let secret = Secret::new("wrong");
    let (catalog, now) = (&case.control.catalog, case.control.clock.now());
    catalog
        .put_credential(
            &case.control.kek,
            "pat",
            "pat",
            &secret,
            now,
            &mut rand::rng(),
        )
        .await
        .unwrap();
    assert_eq!(case.run().await.state, RunState::Failed);
    let status = catalog.connector("contoso").await.unwrap().status;
    assert_eq!(status.name(), "sign-in-needed");
}
