//! The server as a process: it starts, holds the data directory, answers commands, and ends in order.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::common::{Ran, World};

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

/// A server with an administrator whose token may do what the commands of these tests need.
struct Site {
    world: World,
    serving: Serving,
    /// The options of a command that asks it.
    asking: String,
}

impl Site {
    /// From nothing, as its first start says.
    async fn new() -> Self {
        let world = fresh().await;
        let mut serving = Serving::start(&world, &[]);
        let url = serving.url().await;
        let made = serving.event("repository").await;
        let catalog = ["catalog.db", "catalog.db-wal"].map(|file| world.path("data").join(file));
        let made =
            ["password_file", "recovery_sheet"].map(|file| made[file].as_str().unwrap().into());
        for file in catalog.into_iter().chain(made) {
            let file = std::fs::metadata(file).unwrap();
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
        let asking = format!("--server {url} --token-file {token}");
        Self {
            world,
            serving,
            asking,
        }
    }

    /// With an organization that was backed up.
    async fn with_backup() -> (Self, Value) {
        let site = Self::new().await;
        let (pat, service) = (site.world.at("pat"), site.world.simulator.url());
        let add = format!("connector add azure-devops contoso --url {service} --pat-file {pat}");
        site.done(&add).await;
        let backup = site.done("backup contoso").await;
        let phase = |event: &Value| event["event"] == "phase";
        assert!(backup.events.iter().any(phase), "{}", backup.told());
        let result = backup.events.last().unwrap().clone();
        assert_eq!(result["event"], "result");
        (site, result)
    }

    async fn run(&self, line: &str) -> Ran {
        self.world.run(&format!("{line} {}", self.asking)).await
    }

    async fn done(&self, line: &str) -> Ran {
        let ran = self.run(line).await;
        ran.exits(0);
        ran
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
    let person = format!("user add anna --role admin --password-file {password}");
    world.done(&person).await;
    let made = format!("token add tests --user anna --permission read-status --to {token}");
    world.done(&made).await;
    let mut serving = Serving::start(&world, &[]);
    let url = serving.event("listening").await["url"]
        .as_str()
        .unwrap()
        .to_owned();
    world.refused("run list", 1, "data-directory-busy").await;
    world
        .done(&format!("doctor --server {url} --token-file {token}"))
        .await;
    world.run(&format!("doctor --server {url}")).await.exits(1);
    assert_eq!(serving.terminate().await, 0);
}

#[tokio::test]
async fn a_worker_that_is_not_let_in_ends_in_place_of_asking_for_ever() {
    let mut site = Site::new().await;
    let token = site.world.file("wrong", "no token of anybody");
    let (_, url) = site.asking.split_once("--server ").unwrap();
    let url = url.split(' ').next().unwrap();
    let wrong = format!("worker --server {url} --token-file {token}");
    site.world.refused(&wrong, 1, "worker-refused").await;
    // A person's token is none of a worker.
    site.run("worker").await.refuses(1, "worker-refused");
    assert_eq!(site.serving.terminate().await, 0);
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
async fn xa_05_from_the_first_start_to_a_backup_that_outlives_the_server() {
    let (mut site, result) = Site::with_backup().await;
    let listed = site.done("repository list").await;
    assert_eq!(listed.events[0]["name"], "default");
    let snapshot = result["snapshot"].as_str().unwrap();
    let listed = site.done("snapshot list").await;
    assert_eq!(listed.events[0]["id"], snapshot);
    site.done("snapshot show latest").await;
    site.done(&format!("snapshot diff latest {snapshot}")).await;
    let searched = site.run("snapshot search a").await;
    assert!(!searched.told().contains("error"));
    // The server indexes words beside its work.
    let search = "snapshot search '\"the first\"' --kind project";
    let mut found = site.run(search).await;
    while found.events.is_empty() {
        found = site.run(search).await;
    }
    assert_eq!(found.events[0]["item"]["name"], "Main Project");

    assert_eq!(site.serving.terminate().await, 0);
    let mut serving = Serving::start(&site.world, &[]);
    let url = serving.url().await;
    let (run, token) = (result["run"].as_str().unwrap(), site.world.at("token"));
    let show = format!("run show {run} --server {url} --token-file {token}");
    let shown = site.world.first(&show).await;
    assert_eq!(shown["state"], "succeeded");
    assert_eq!(serving.terminate().await, 0);
    // It was nobody's first start any more.
    let repositories = site.world.run("repository list").await;
    assert_eq!(repositories.events.len(), 1, "{}", repositories.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_are_looked_after_through_it() {
    let (mut site, _) = Site::with_backup().await;
    for line in [
        "repository check",
        "repository stats",
        "repository prune --dry-run",
        "repository maintenance --read-percent 10",
        "repository sync",
    ] {
        site.done(line).await;
    }
    let verified = site.done("verify latest").await;
    assert_eq!(verified.event("result")["result"]["damage"], 0);
    let pack = pack(&site.world.path("data/repositories"));
    let whole = std::fs::read(&pack).unwrap();
    std::fs::write(&pack, &whole[1..]).unwrap();
    let check = "repository check --read-data";
    site.run(check).await.refuses(8, "repository-damaged");
    site.run("verify latest").await.exits(8);
    std::fs::write(&pack, &whole).unwrap();
    site.done(check).await;

    let forgotten = site.done("snapshot forget latest").await;
    assert_eq!(
        forgotten.event("result")["snapshots"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    // One more is made where repositories may be, and nowhere else.
    let roots = std::fs::canonicalize(site.world.path("data/repositories")).unwrap();
    let password = site.world.at("second.password");
    let make = async |place: &Path, name: &str| {
        let place = place.display();
        let init = format!("repository init {place} --name {name} --password-file {password}");
        site.run(&init).await
    };
    make(&roots.join("second"), "second").await.exits(0);
    make(&site.world.path("outside"), "third").await.exits(1);
    let listed = site.done("repository list").await;
    assert_eq!(listed.events.len(), 2, "{}", listed.told());
    assert_eq!(site.serving.terminate().await, 0);
}

/// Any pack of any repository in this folder.
fn pack(repositories: &Path) -> PathBuf {
    let last = |folder: &Path| {
        let entry = std::fs::read_dir(folder).unwrap().last().unwrap();
        entry.unwrap().path()
    };
    last(&last(&last(repositories).join("data")))
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
    world.done("doctor --offline").await;
    world.done("doctor").await;
    std::fs::remove_dir_all(world.path("default")).unwrap();
    let found = world.run("doctor --offline").await;
    found.exits(1);
    let repository = found
        .events
        .iter()
        .find(|event| event["check"] == "repository default")
        .unwrap();
    assert_eq!(repository["outcome"], "fail");
    assert!(repository["fix"].is_string());
}
