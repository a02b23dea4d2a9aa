//! A worker elsewhere: over a real connection to a real server, with a small service in memory and a clock that tests set.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../../control/tests/control/fake.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod fake;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use catalog::{Catalog, Kek, RepositoryRow};
use control::remote::{Elsewhere, Line};
use control::{Control, Reach};
use jiff::Timestamp;
use model::{Clock, Connector, Reason, Run, RunState, Secret};
use repository::{InitOptions, Repository, store_from};
use serde_json::{Value, json};
use server::{Options, Server};
use service::Service;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use fake::World;

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

struct Site {
    control: Control,
    world: Arc<World>,
    hands: Arc<Hands>,
    services: &'static [&'static Service],
    url: String,
    stop: CancellationToken,
    served: JoinHandle<std::io::Result<()>>,
    location: String,
    folder: TempDir,
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().build().unwrap()
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = folder.path().join("repository").display().to_string();
        let (store, _) = store_from(&location).unwrap();
        let options = InitOptions {
            created: Timestamp::UNIX_EPOCH,
            hostname: "host".to_owned(),
            username: "user".to_owned(),
        };
        let repository = Repository::init(store, &Secret::new("planted-password"), &options)
            .await
            .unwrap();
        let world = Arc::new(World::default());
        let hands = Arc::new(Hands(AtomicI64::new(1_800_000_000)));
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&hands);
        let services = Box::leak(vec![fake::service(&world)].into_boxed_slice());
        let control = Control {
            catalog: Catalog::open_file(&folder.path().join("catalog.db"))
                .await
                .unwrap(),
            kek: Arc::new(Kek::new([7; 32])),
            clock: Arc::clone(&clock),
            services,
            reach: Reach::usual(clock).unwrap(),
            worker: "server".to_owned(),
            work: folder.path().to_owned(),
        };
        for (name, secret) in [("password", "planted-password"), ("pat", "planted-token")] {
            let (secret, now) = (Secret::new(secret), control.clock.now());
            let catalog = &control.catalog;
            catalog
                .put_credential(&control.kek, name, "pat", &secret, now, &mut rand::rng())
                .await
                .unwrap();
        }
        let connector = Connector {
            name: "contoso".to_owned(),
            service: "fake".to_owned(),
            organization: "contoso".to_owned(),
            method: "pat".to_owned(),
            credential: "pat".to_owned(),
            worker: Some("edge".to_owned()),
            ..Connector::default()
        };
        control.catalog.add_connector(&connector).await.unwrap();
        let row = RepositoryRow {
            name: "main".to_owned(),
            location: location.clone(),
            id: repository.id().to_string(),
            password_credential: "password".to_owned(),
            ..RepositoryRow::default()
        };
        control.catalog.add_repository(&row).await.unwrap();
        world.put("box", "", "b1", "first");
        for leaf in 0..2500 {
            world.put("leaf", "b1", &format!("l{leaf}"), &format!("leaf {leaf}"));
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::new(control.clone(), Options::default());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
        let served = tokio::spawn(async move { server.serve(listener, None, stopped).await });
        Self {
            control,
            world,
            hands,
            services,
            url,
            stop,
            served,
            location,
            folder,
        }
    }

    async fn token(&self, name: &str) -> Secret {
        self.control.add_worker(name).await.unwrap()
    }

    fn worker(&self, token: Secret) -> Elsewhere {
        Elsewhere {
            line: Line::new(http(), &self.url, token).unwrap(),
            clock: Arc::clone(&self.control.clock),
            services: self.services,
            egress: service::egress::Egress::new(Vec::new()),
            labels: BTreeSet::new(),
            storages: BTreeSet::from(["main".to_owned()]),
            slots: 1,
            work: self.folder.path().to_owned(),
            patience: 0,
        }
    }

    async fn snapshots(&self) -> usize {
        let (store, _) = store_from(&self.location).unwrap();
        let repository = Repository::open(store, &Secret::new("planted-password"))
            .await
            .unwrap();
        repository.snapshots().await.unwrap().len()
    }

    /// A backup of the connector, in the queue.
    async fn asked(&self) -> Run {
        let asked = self
            .control
            .request_backup("contoso", None, Reason::Request);
        asked.await.unwrap()
    }

    /// The job that waits, in the hands of a worker; and where that speaks of it.
    async fn claimed(&self, token: &Secret) -> (Value, String) {
        let claim = json!({"storages": ["main"]});
        let (status, task) = self.ask(token.expose(), "/worker/claim", &claim).await;
        assert_eq!(status, 200, "{task}");
        let path = format!("/worker/jobs/{}", task["job"].as_str().unwrap());
        (task, path)
    }

    async fn ask(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = http()
            .post(format!("{}/api/v1{path}", self.url))
            .bearer_auth(token);
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    async fn end(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_elsewhere_makes_a_backup_that_the_server_lists() {
    let site = Site::new().await;
    let edge = site.worker(site.token("edge").await);
    let stop = CancellationToken::new();
    assert!(
        !edge.work_once(&stop).await.unwrap(),
        "there is nothing to do"
    );
    let run = site.asked().await;
    assert!(edge.work_once(&stop).await.unwrap());
    let ended = site.control.catalog.run(&run.id).await.unwrap();
    assert_eq!(ended.state, RunState::Succeeded, "{:?}", ended.error);
    assert_eq!(ended.counts.kinds["leaf"].items, 2500);
    let snapshot = ended.snapshot.unwrap();
    site.control.catalog.find_snapshot(&snapshot).await.unwrap();
    site.control.catalog.index_texts().await.unwrap();
    let query = catalog::Query::parse("\"leaf 2499\"");
    let everywhere = catalog::TextFilter::default();
    let hits = site
        .control
        .catalog
        .search_text(&query, &everywhere, &catalog::Page::first(5))
        .await;
    assert_eq!(hits.unwrap().items.len(), 1, "all pages of rows arrived");
    assert_eq!(site.snapshots().await, 1);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_vanished_is_said_to_be_gone_by_a_worker_elsewhere_too() {
    let site = Site::new().await;
    let edge = site.worker(site.token("edge").await);
    let run = site.asked().await;
    std::fs::remove_dir_all(&site.location).unwrap();
    assert!(edge.work_once(&CancellationToken::new()).await.unwrap());
    let ended = site.control.catalog.run(&run.id).await.unwrap();
    let why = ended.error.or(ended.waiting.map(|why| why.message));
    let why = why.unwrap_or_default();
    assert!(why.contains("main is no longer at"), "{why}");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failed_run_of_a_worker_elsewhere_wrote_is_counted() {
    let site = Site::new().await;
    let edge = site.worker(site.token("edge").await);
    let run = site.asked().await;
    let place = std::path::Path::new(&site.location);
    *site.world.hold.lock().unwrap() = true;
    let shut = async {
        site.world.begun.notified().await;
        // No first snapshot can be written: a file stands where their folder would be made.
        std::fs::write(place.join("snapshots"), "").unwrap();
        site.world.release.notify_one();
    };
    let stop = CancellationToken::new();
    let (done, ()) = tokio::join!(edge.work_once(&stop), shut);
    assert!(done.unwrap());
    let ended = site.control.catalog.run(&run.id).await.unwrap();
    assert_eq!(ended.state, RunState::Failed);
    let packs = std::fs::read_dir(place.join("data")).unwrap();
    let folders = packs.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let sizes = folders
        .flatten()
        .map(|pack| pack.unwrap().metadata().unwrap().len());
    let stored = ended.counts.bytes_stored;
    assert!(stored > 0);
    assert_eq!(stored, sizes.sum::<u64>());
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_at_the_service_is_an_issue_of_a_worker_elsewhere_too() {
    let site = Site::new().await;
    let edge = site.worker(site.token("edge").await);
    let run = site.asked().await;
    site.world.fail(Some(model::Class::Credential));
    assert!(edge.work_once(&CancellationToken::new()).await.unwrap());
    let ended = site.control.catalog.run(&run.id).await.unwrap();
    assert_eq!(ended.state, RunState::Failed);
    let page = catalog::Page::first(10);
    let issues = site.control.catalog.issues(&run.id, &page).await.unwrap();
    assert_eq!(issues.items.len(), 1);
    site.end().await;
}

/// The server does not reach the repository, so that nothing but the worker can say what is in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_between_a_snapshot_and_its_rows_a_worker_elsewhere_goes_on() {
    let site = Site::new().await;
    let edge = site.worker(site.token("edge").await);
    let stop = CancellationToken::new();
    let catalog = &site.control.catalog;
    let back_up = async || {
        let run = site.asked().await;
        assert!(edge.work_once(&stop).await.unwrap());
        let ended = catalog.run(&run.id).await.unwrap();
        assert_eq!(ended.state, RunState::Succeeded, "{:?}", ended.error);
        catalog
            .find_snapshot(&ended.snapshot.unwrap())
            .await
            .unwrap()
    };
    for _ in 0..2 {
        let lost = back_up().await;
        catalog.forget_snapshot(&lost.id).await.unwrap();
        site.world.put("leaf", "b1", "l0", "leaf 0, changed");
        let next = back_up().await;
        let counts = catalog.counts_at(&next.source, next.seq).await.unwrap();
        let items: u64 = counts.iter().map(|(.., items)| items).sum();
        assert_eq!(items, 2501);
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_elsewhere_that_is_lost_costs_only_time() {
    let site = Site::new().await;
    let (edge, stop) = (
        site.worker(site.token("edge").await),
        CancellationToken::new(),
    );
    let run = site.asked().await;
    *site.world.hold.lock().unwrap() = true;
    tokio::select! {
        _ = edge.work_once(&stop) => unreachable!("it is held"),
        () = site.world.begun.notified() => {}
    }
    *site.world.hold.lock().unwrap() = false;
    assert!(
        !edge.work_once(&stop).await.unwrap(),
        "the lease has not run out"
    );
    site.hands.0.fetch_add(61, Ordering::SeqCst);
    assert!(edge.work_once(&stop).await.unwrap());
    let ended = site.control.catalog.run(&run.id).await.unwrap();
    assert_eq!(ended.state, RunState::Succeeded);
    assert_eq!(site.snapshots().await, 1, "nothing is doubled");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_lost_its_job_gets_nothing_more_through() {
    let site = Site::new().await;
    let token = site.token("edge").await;
    site.asked().await;
    let (first, path) = site.claimed(&token).await;
    site.hands.0.fetch_add(61, Ordering::SeqCst);
    let (second, _) = site.claimed(&token).await;
    assert_eq!(first["job"], second["job"]);
    assert!(second["token"].as_i64() > first["token"].as_i64());
    let says = [
        json!({"say": "beat"}),
        json!({"say": "permit"}),
        json!({"say": "access"}),
        json!({"say": "left"}),
        json!({"say": "checkpoint", "text": "x"}),
        json!({"say": "rows", "page": 0, "rows": []}),
        json!({"say": "finish", "outcome": {}, "stopping": false}),
    ];
    for say in says {
        let mut late = say.clone();
        late["token"] = first["token"].clone();
        let (status, problem) = site.ask(token.expose(), &path, &late).await;
        assert_eq!(
            (status, &problem["code"]),
            (409, &json!("job-superseded")),
            "{say}"
        );
    }
    let (status, _) = site
        .ask(
            token.expose(),
            &path,
            &json!({"say": "beat", "token": second["token"]}),
        )
        .await;
    assert_eq!(status, 200);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_secrets_but_the_worker_that_holds_the_job() {
    let site = Site::new().await;
    let (edge, other) = (site.token("edge").await, site.token("other").await);
    site.asked().await;
    let claim = json!({"storages": ["main"]});
    for token in ["", "kww_", "kww_0000", "planted-token"] {
        let (status, answer) = site.ask(token, "/worker/claim", &claim).await;
        assert_eq!(status, 401, "{token}: {answer}");
    }
    // The connector wants the worker `edge`.
    let (status, _) = site.ask(other.expose(), "/worker/claim", &claim).await;
    assert_eq!(status, 204);
    let (task, path) = site.claimed(&edge).await;
    assert_eq!(task["repository"]["password"], "planted-password");
    assert!(
        !task.to_string().contains("planted-token"),
        "access is asked for when it is used"
    );
    let access = json!({"say": "access", "token": task["token"]});
    let (status, stolen) = site.ask(other.expose(), &path, &access).await;
    assert_eq!((status, &stolen["code"]), (409, &json!("job-superseded")));
    let (status, given) = site.ask(edge.expose(), &path, &access).await;
    assert_eq!((status, &given["secret"]), (200, &json!("planted-token")));
    // Shut out, it is out at once.
    site.control.catalog.remove_worker("edge").await.unwrap();
    let (status, gone) = site.ask(edge.expose(), &path, &access).await;
    assert_eq!((status, &gone["code"]), (401, &json!("worker-refused")));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_told_to_stop_gives_its_job_back() {
    let site = Site::new().await;
    let (edge, stop) = (
        site.worker(site.token("edge").await),
        CancellationToken::new(),
    );
    let run = site.asked().await;
    *site.world.hold.lock().unwrap() = true;
    let stopped = async {
        site.world.begun.notified().await;
        stop.cancel();
    };
    let (done, ()) = tokio::join!(edge.work_once(&stop), stopped);
    assert!(done.unwrap());
    let waiting = site.control.catalog.run(&run.id).await.unwrap();
    assert_eq!(waiting.state, RunState::Queued);
    assert_eq!(waiting.waiting.unwrap().code, "worker-stopped");
    *site.world.hold.lock().unwrap() = false;
    assert!(edge.work_once(&CancellationToken::new()).await.unwrap());
    let ended = site.control.catalog.run(&run.id).await.unwrap();
    assert_eq!(ended.state, RunState::Succeeded);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_run_ends_at_its_worker() {
    let site = Site::new().await;
    let token = site.token("edge").await;
    let run = site.asked().await;
    let (task, path) = site.claimed(&token).await;
    site.control.cancel(&run.id).await.unwrap();
    let (_, beaten) = site
        .ask(
            token.expose(),
            &path,
            &json!({"say": "beat", "token": task["token"]}),
        )
        .await;
    assert_eq!(beaten["cancel"], true);
    let permit = json!({"say": "permit", "token": task["token"]});
    let (status, _) = site.ask(token.expose(), &path, &permit).await;
    assert!(status >= 400, "{status}");
    let failed = json!({"failed": {"message": "canceled", "passing": false, "canceled": true}});
    let finish =
        json!({"say": "finish", "outcome": failed, "stopping": false, "token": task["token"]});
    assert_eq!(site.ask(token.expose(), &path, &finish).await.0, 204);
    let ended = site.control.catalog.run(&run.id).await.unwrap();
    assert_eq!(ended.state, RunState::Canceled);
    site.end().await;
}

/// A token of the service, or what renews one, is lent for a job and not for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_has_ended_or_was_given_back_gives_its_worker_nothing_more() {
    let site = Site::new().await;
    let token = site.token("edge").await;
    let canceled = json!({"failed": {"message": "stopped", "passing": false, "canceled": true}});
    site.asked().await;
    // Given back first, then done.
    for (outcome, stopping) in [(canceled, true), (json!({}), false)] {
        let (task, path) = site.claimed(&token).await;
        let say = async |mut say: Value| {
            say["token"] = task["token"].clone();
            site.ask(token.expose(), &path, &say).await
        };
        assert_eq!(say(json!({"say": "access"})).await.0, 200);
        let finish = json!({"say": "finish", "outcome": outcome, "stopping": stopping});
        assert_eq!(say(finish).await.0, 204);
        for late in [
            json!({"say": "access"}),
            json!({"say": "resumed", "from": {"run": "r", "at": "2027-01-01T00:00:00Z"}}),
            json!({"say": "progress", "event": {"event": "note", "message": "late"}}),
        ] {
            let (status, problem) = say(late.clone()).await;
            assert_eq!(
                (status, &problem["code"]),
                (409, &json!("job-superseded")),
                "{late}"
            );
        }
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_calls_itself_like_another_gets_none_of_its_jobs() {
    let site = Site::new().await;
    let (edge, other) = (site.token("edge").await, site.token("other").await);
    site.asked().await;
    for label in ["edge", "Edge"] {
        let claim = json!({"storages": ["main"], "labels": ["linux", label]});
        let (status, refused) = site.ask(other.expose(), "/worker/claim", &claim).await;
        assert_eq!(
            (status, &refused["code"]),
            (422, &json!("request-refused")),
            "{label}"
        );
        assert!(
            refused["detail"].as_str().unwrap().contains("`edge`"),
            "{refused}"
        );
    }
    let own = json!({"storages": ["main"], "labels": ["linux", "other"]});
    assert_eq!(site.ask(other.expose(), "/worker/claim", &own).await.0, 204);
    site.claimed(&edge).await;
    site.end().await;
}
