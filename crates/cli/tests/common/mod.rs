//! A simulated organization and the real program beside it.

mod content;
mod run;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use simulator::{Options, Seed, Simulator};
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub(crate) use content::{Content, lost};
pub(crate) use run::Ran;

/// What the repositories of these tests are opened with.
pub(crate) const PASSWORD: &str = "a password of the tests";

/// The organization `contoso` in its smallest form, and a folder for everything that the program keeps.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) simulator: Simulator,
    http: reqwest::Client,
}

impl World {
    /// Neither repository nor connector.
    pub(crate) async fn bare() -> Self {
        Self::of(Seed::Small).await
    }

    async fn of(seed: Seed) -> Self {
        let options = Options {
            listen: ([127, 0, 0, 1], 0).into(),
            data: None,
            seed,
        };
        let simulator = Simulator::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        std::fs::write(folder.path().join("pat"), simulator.pat()).unwrap();
        let http = reqwest::Client::builder().build().unwrap();
        Self {
            folder,
            simulator,
            http,
        }
    }

    /// With the repository `default` and the connector `contoso`.
    pub(crate) async fn connected() -> Self {
        Self::bare().await.connect_all().await
    }

    /// As [`World::connected`], with the organization of the demo.
    pub(crate) async fn large(work_items: u32) -> Self {
        let history = None;
        let world = Self::of(Seed::Contoso {
            history,
            work_items,
        })
        .await;
        world.connect_all().await
    }

    async fn connect_all(self) -> Self {
        self.repository("default").await;
        self.connect("contoso", "pat").await.exits(0);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn at(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a small file and says where it is.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.at(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .arg("--json")
            .args(["--data-dir", &self.at("data")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn keepward(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().await.unwrap();
        Ran::new(arguments, &output, &[self.simulator.pat(), PASSWORD])
    }

    /// A command as it is typed: what is between single quotes is one word.
    pub(crate) async fn run(&self, line: &str) -> Ran {
        self.keepward(&words(line)).await
    }

    /// One that does what it is asked.
    pub(crate) async fn done(&self, line: &str) -> Ran {
        let ran = self.run(line).await;
        ran.exits(0);
        ran
    }

    /// The first row of what one shows.
    pub(crate) async fn first(&self, line: &str) -> Value {
        let shown = self.done(line).await.events;
        shown.into_iter().next().unwrap_or_default()
    }

    /// One that is refused, with this exit code and this code to look up.
    pub(crate) async fn refused(&self, line: &str, exit: i32, code: &str) -> Ran {
        let ran = self.run(line).await;
        ran.refuses(exit, code);
        ran
    }

    /// As on another machine: with this data directory.
    pub(crate) async fn keepward_in(&self, data: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new(program());
        command.args(arguments).args(["--json", "--data-dir", data]);
        let output = command.stdin(Stdio::null()).output().await.unwrap();
        Ran::new(arguments, &output, &[self.simulator.pat(), PASSWORD])
    }

    /// Starts the program and lets it run.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Makes a repository in the folder of its name.
    pub(crate) async fn repository(&self, name: &str) {
        let place = self.at(name);
        let password = self.at("password");
        self.keepward(&[
            "repository",
            "init",
            &place,
            "--name",
            name,
            "--password-file",
            &password,
        ])
        .await
        .exits(0);
    }

    /// Adds the connector of the organization, with the token in the file.
    pub(crate) async fn connect(&self, organization: &str, pat_file: &str) -> Ran {
        let pat = self.at(pat_file);
        let url = self.simulator.url();
        self.keepward(&[
            "connector",
            "add",
            "azure-devops",
            organization,
            "--url",
            url,
            "--pat-file",
            &pat,
        ])
        .await
    }

    pub(crate) async fn backup(&self, repository: &str) -> Ran {
        self.keepward(&["backup", "contoso", "--repository", repository])
            .await
    }

    /// The files of the newest snapshot.
    pub(crate) async fn content(&self, repository: &str) -> Content {
        let to = tempfile::tempdir_in(self.folder.path()).unwrap();
        let target = to.path().to_str().unwrap();
        let arguments = [
            "export",
            "latest",
            "/",
            "--to",
            target,
            "--repository",
            repository,
        ];
        self.keepward(&arguments).await.exits(0);
        content::read(to.path()).await
    }

    /// What a repository that was never disturbed holds now.
    pub(crate) async fn undisturbed(&self) -> Content {
        self.repository("undisturbed").await;
        self.backup("undisturbed").await.exits(0);
        self.content("undisturbed").await
    }

    /// Ids of all snapshots.
    pub(crate) async fn snapshots(&self, repository: &str) -> Vec<String> {
        let listed = self
            .keepward(&["snapshot", "list", "--repository", repository])
            .await;
        listed.exits(0);
        let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
        listed.events.iter().map(id).collect()
    }

    /// How many snapshots lie in a repository, whatever anybody lists.
    pub(crate) fn snapshot_files(&self, repository: &str) -> usize {
        let folder = std::fs::read_dir(self.path(repository).join("snapshots"));
        folder.map_or(0, Iterator::count)
    }

    pub(crate) async fn restic(
        &self,
        repository: &str,
        arguments: &[&str],
    ) -> std::process::Output {
        restic(&self.path(repository), &self.path("password"), arguments).await
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Value {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.simulator.url()));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let bytes = answer.bytes().await.unwrap();
        assert!(
            status.is_success(),
            "{path}: {status} {}",
            String::from_utf8_lossy(&bytes)
        );
        if bytes.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&bytes).unwrap()
    }

    /// A request of someone who may do anything.
    pub(crate) async fn call(&self, method: reqwest::Method, path: &str) {
        let request = self
            .http
            .request(method, format!("{}{path}", self.simulator.url()))
            .basic_auth("", Some(self.simulator.pat()));
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// What the simulator itself answers below `/__`.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send(reqwest::Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.send(reqwest::Method::POST, path, Some(body)).await
    }

    /// Rules as `POST /__faults` takes them.
    pub(crate) async fn disturb(&self, rules: &Value) {
        self.post("/__faults", rules).await;
    }

    pub(crate) async fn heal(&self) {
        self.send(reqwest::Method::DELETE, "/__faults", None).await;
    }

    /// Requests that a rule of the faults has met so far.
    pub(crate) async fn hits(&self, rule: usize) -> u64 {
        self.get("/__faults").await["rules"][rule]["hits"]
            .as_u64()
            .unwrap()
    }

    /// Requests that `contoso` has got, whoever sent them.
    pub(crate) async fn requests(&self) -> u64 {
        let ledger = self
            .get("/__ledger?organization=contoso&summary=true")
            .await;
        ledger["summary"]["requests"].as_u64().unwrap()
    }

    /// A token with these scopes, in a file of this name.
    pub(crate) async fn pat(&self, file: &str, organization: &str, scopes: &[&str]) {
        let sent = json!({"organization": organization, "scopes": scopes});
        let made = self.post("/__pats", &sent).await;
        self.file(file, made["pat"].as_str().unwrap());
    }
}

pub(crate) fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        })
        .collect()
}

/// What a command tells people that does what it is asked: on standard output, and on standard error.
pub(crate) async fn typed(world: &World, line: &str) -> (String, String) {
    let mut command = Command::new(program());
    command.args(words(line)).arg("--data-dir");
    command.arg(world.path("data")).stdin(Stdio::null());
    let output = command.output().await.unwrap();
    let [out, told] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{line}\n{out}\n{told}");
    (out, told)
}

/// As it was built for these tests, or beside this.
fn program() -> PathBuf {
    if let Some(path) = option_env!("CARGO_BIN_EXE_keepward") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    let target = own.parent().and_then(Path::parent).unwrap();
    target.join("keepward")
}

pub(crate) async fn restic(
    repository: &Path,
    password_file: &Path,
    arguments: &[&str],
) -> std::process::Output {
    let mut restic = Command::new("restic");
    restic
        .arg("-r")
        .arg(repository)
        .arg("--password-file")
        .arg(password_file)
        .arg("--no-cache");
    restic
        .args(arguments)
        .output()
        .await
        .expect("restic is installed")
}
