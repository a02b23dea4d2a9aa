//! The server as a process: it starts, holds the data directory, answers commands, and ends in order.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::common::World;

pub(crate) struct Serving {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Serving {
    pub(crate) fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = world.start(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        let output = child.stdout.take().unwrap();
        Self {
            child,
            lines: BufReader::new(output).lines(),
        }
    }

    /// The next line of this event.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self
                .lines
                .next_line()
                .await
                .unwrap()
                .expect("the server ended");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Where it listens.
    pub(crate) async fn url(&mut self) -> String {
        let listening = self.event("listening").await;
        listening["url"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn terminate(&mut self) -> i32 {
        let process = self.child.id().unwrap().to_string();
        let killed = tokio::process::Command::new("kill")
            .args(["-TERM", &process])
            .stdin(Stdio::null())
            .status();
        assert!(killed.await.unwrap().success());
        self.child.wait().await.unwrap().code().unwrap()
    }
}

#[tokio::test]
async fn it_prints_where_it_listens_and_ends_in_order() {
    let world = World::bare().await;
    let mut serving = Serving::start(&world, &[]);
    let url = serving.event("listening").await["url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert!(
        serving.event("setup").await["token"]
            .as_str()
            .unwrap()
            .len()
            > 40
    );
    let answer = reqwest::get(format!("{url}/healthz")).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(serving.terminate().await, 0);
}

/// Standard error leads to a file or to the journal.
#[tokio::test]
async fn its_log_has_the_time_and_no_colors_where_no_terminal_is() {
    let world = World::bare().await;
    let mut serving = Serving::start(&world, &["-v"]);
    let url = serving.url().await;
    reqwest::get(format!("{url}/healthz")).await.unwrap();
    assert_eq!(serving.terminate().await, 0);
    let mut log = String::new();
    let mut told = serving.child.stderr.take().unwrap();
    told.read_to_string(&mut log).await.unwrap();
    let line = log.lines().find(|line| line.contains("/healthz"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    let time = line.split_whitespace().next().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
    assert!(!log.contains('\u{1b}'), "{log}");
}

#[tokio::test]
async fn a_command_asks_it_and_is_told_to_when_it_does_not() {
    let world = World::bare().await;
    let token = world.at("token");
    let password = world.file("anna", "correct horse battery staple");
    let person = [
        "user",
        "add",
        "anna",
        "--role",
        "admin",
        "--password-file",
        &password,
    ];
    world.keepward(&person).await.exits(0);
    let made = [
        "token",
        "add",
        "tests",
        "--user",
        "anna",
        "--permission",
        "read-status",
        "--to",
        &token,
    ];
    world.keepward(&made).await.exits(0);
    let mut serving = Serving::start(&world, &[]);
    let url = serving.event("listening").await["url"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .keepward(&["run", "list"])
        .await
        .refuses(1, "data-directory-busy");
    world
        .keepward(&["doctor", "--server", &url, "--token-file", &token])
        .await
        .exits(0);
    world.keepward(&["doctor", "--server", &url]).await.exits(1);
    assert_eq!(serving.terminate().await, 0);
}

/// As a browser does it.
async fn ask(
    method: Method,
    (url, path): (&str, &str),
    cookie: Option<&str>,
    body: Option<&Value>,
) -> reqwest::Response {
    let client = reqwest::Client::builder().build().unwrap();
    let mut request = client
        .request(method, format!("{url}/api/v1{path}"))
        .header("sec-fetch-site", "same-origin");
    if let Some(body) = body {
        request = request.header("content-type", "application/json");
        request = request.body(body.to_string());
    }
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    request.send().await.unwrap()
}

pub(crate) async fn send(
    url: &str,
    path: &str,
    cookie: Option<&str>,
    body: &Value,
) -> (Value, Option<String>) {
    let answer = ask(Method::POST, (url, path), cookie, Some(body)).await;
    let status = answer.status();
    let cookie = answer.headers().get("set-cookie").map(|cookie| {
        let cookie = cookie.to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    });
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    (serde_json::from_str(&text).unwrap(), cookie)
}

/// What was refused, and how.
pub(crate) async fn refused(url: &str, path: &str, body: &Value) -> (u16, Value) {
    let answer = ask(Method::POST, (url, path), None, Some(body)).await;
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

pub(crate) async fn get(url: &str, path: &str, cookie: Option<&str>) -> Value {
    let answer = ask(Method::GET, (url, path), cookie, None).await;
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// A folder whose server may reach the simulated service, which is on this machine.
async fn fresh() -> World {
    let world = World::bare().await;
    std::fs::create_dir(world.path("data")).unwrap();
    world.file(
        "data/keepward.toml",
        "[outbound]\nallow = [\"127.0.0.0/8\"]\n",
    );
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn xa_05_from_the_first_start_to_a_backup() {
    let world = fresh().await;
    let mut serving = Serving::start(&world, &[]);
    let url = serving.url().await;
    let made = serving.event("repository").await;
    for file in ["password_file", "recovery_sheet"] {
        let file = std::fs::metadata(made[file].as_str().unwrap()).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    for file in ["catalog.db", "catalog.db-wal"] {
        let file = std::fs::metadata(world.path("data").join(file)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    let setup = serving.event("setup").await;
    let body = json!({ "token": setup["token"], "name": "anna", "password": "correct horse battery staple" });
    let (_, cookie) = send(&url, "/setup", None, &body).await;
    let permissions = [
        "read-status",
        "read-content",
        "run-backups",
        "manage-connectors",
        "manage-repositories",
    ];
    let body = json!({ "name": "tests", "permissions": permissions });
    let (token, _) = send(&url, "/tokens", cookie.as_deref(), &body).await;
    let token = world.file("token", token["secret"].as_str().unwrap());
    let over = |arguments: &[&str]| {
        let mut all: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        all.extend(["--server", &url, "--token-file", &token].map(str::to_owned));
        let world = &world;
        async move {
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            world.keepward(&all).await
        }
    };
    let (pat, service) = (world.at("pat"), world.simulator.url());
    over(&[
        "connector",
        "add",
        "azure-devops",
        "contoso",
        "--url",
        service,
        "--pat-file",
        &pat,
    ])
    .await
    .exits(0);
    let backup = over(&["backup", "contoso"]).await;
    backup.exits(0);
    assert!(
        backup.events.iter().any(|event| event["event"] == "phase"),
        "{}",
        backup.told()
    );
    let result = backup.events.last().unwrap();
    assert_eq!(result["event"], "result");
    let (run, snapshot) = (
        result["run"].as_str().unwrap(),
        result["snapshot"].as_str().unwrap(),
    );

    let listed = over(&["repository", "list"]).await;
    assert_eq!(listed.events[0]["name"], "default");
    assert_eq!(over(&["snapshot", "list"]).await.events[0]["id"], snapshot);
    over(&["snapshot", "show", "latest"]).await.exits(0);
    over(&["snapshot", "diff", "latest", snapshot])
        .await
        .exits(0);
    assert!(
        !over(&["snapshot", "search", "a"])
            .await
            .told()
            .contains("error")
    );
    // The server indexes words beside its work.
    let search = ["snapshot", "search", "\"the first\"", "--kind", "project"];
    let mut found = over(&search).await;
    while found.events.is_empty() {
        found = over(&search).await;
    }
    assert_eq!(found.events[0]["item"]["name"], "Main Project");
    over(&["repository", "check"]).await.exits(0);
    over(&["repository", "stats"]).await.exits(0);
    over(&["repository", "prune", "--dry-run"]).await.exits(0);
    over(&["repository", "maintenance", "--read-percent", "10"])
        .await
        .exits(0);
    let verified = over(&["verify", "latest"]).await;
    verified.exits(0);
    assert_eq!(verified.event("result")["result"]["damage"], 0);
    let repositories = std::fs::read_dir(world.path("data/repositories")).unwrap();
    let packs = repositories.last().unwrap().unwrap().path().join("data");
    let shard = std::fs::read_dir(packs).unwrap().last().unwrap().unwrap();
    let pack = std::fs::read_dir(shard.path()).unwrap().last().unwrap();
    let pack = pack.unwrap().path();
    let whole = std::fs::read(&pack).unwrap();
    std::fs::write(&pack, &whole[1..]).unwrap();
    over(&["repository", "check", "--read-data"])
        .await
        .refuses(8, "repository-damaged");
    over(&["verify", "latest"]).await.exits(8);
    std::fs::write(&pack, &whole).unwrap();
    over(&["repository", "check", "--read-data"]).await.exits(0);
    over(&["repository", "sync"]).await.exits(0);
    let second = std::fs::canonicalize(world.path("data/repositories"))
        .unwrap()
        .join("second");
    let (second, password) = (second.to_str().unwrap(), world.at("second.password"));
    over(&[
        "repository",
        "init",
        second,
        "--name",
        "second",
        "--password-file",
        &password,
    ])
    .await
    .exits(0);
    over(&[
        "repository",
        "init",
        &world.at("outside"),
        "--name",
        "third",
        "--password-file",
        &password,
    ])
    .await
    .exits(1);

    assert_eq!(serving.terminate().await, 0);
    let mut serving = Serving::start(&world, &[]);
    let url = serving.url().await;
    let shown = world
        .keepward(&["run", "show", run, "--server", &url, "--token-file", &token])
        .await;
    shown.exits(0);
    assert_eq!(shown.events[0]["state"], "succeeded");
    assert_eq!(serving.terminate().await, 0);
    // It was nobody's first start any more.
    let repositories = world.keepward(&["repository", "list"]).await;
    assert_eq!(repositories.events.len(), 2, "{}", repositories.told());
}

#[tokio::test]
async fn secrets_do_not_cross_the_network_in_clear_text() {
    let world = World::bare().await;
    let open = ["serve", "--listen", "0.0.0.0:0"];
    world.keepward(&open).await.refuses(1, "plain-http-refused");
    // Behind a proxy it has to know where people are: its cookies would be for plain HTTP, its sign-ins would return to nowhere.
    let proxied = [&open[..], &["--behind-proxy"]].concat();
    world
        .keepward(&proxied)
        .await
        .refuses(1, "public-url-missing");
    let plain = [&proxied[..], &["--public-url", "http://backup.example"]].concat();
    world
        .keepward(&plain)
        .await
        .refuses(1, "plain-http-refused");
    let told = ["--behind-proxy", "--public-url", "https://backup.example"];
    let mut serving = Serving::start(&world, &told);
    let url = serving.url().await;
    let answer = reqwest::get(format!("{url}/healthz")).await.unwrap();
    assert!(answer.headers().contains_key("strict-transport-security"));
    assert_eq!(serving.terminate().await, 0);
}

#[tokio::test]
async fn doctor_finds_what_is_wrong() {
    let world = World::connected().await;
    world.keepward(&["doctor", "--offline"]).await.exits(0);
    world.keepward(&["doctor"]).await.exits(0);
    std::fs::remove_dir_all(world.path("default")).unwrap();
    let found = world.keepward(&["doctor", "--offline"]).await;
    found.exits(1);
    let repository = found
        .events
        .iter()
        .find(|event| event["check"] == "repository default")
        .unwrap();
    assert_eq!(repository["outcome"], "fail");
    assert!(repository["fix"].is_string());
}
