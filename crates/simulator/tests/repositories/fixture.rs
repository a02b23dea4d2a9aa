//! A simulator with one project, an HTTP client and the `git` program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulator::{Options, Seed, Simulator};

pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";

/// A simulator with one project, and a client that holds its PAT.
pub(crate) struct Fixture {
    pub(crate) simulator: Simulator,
    pub(crate) client: reqwest::Client,
    pub(crate) authorization: String,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let options = Options {
            listen: ([127, 0, 0, 1], 0).into(),
            data: None,
            seed: Seed::Empty,
        };
        let simulator = Simulator::start(options).await.unwrap();
        let authorization = format!("Basic {}", STANDARD.encode(format!(":{}", simulator.pat())));
        let client = reqwest::Client::builder().build().unwrap();
        let fixture = Self {
            simulator,
            client,
            authorization,
            folder: tempfile::tempdir().unwrap(),
        };
        let process = fixture
            .get("/_apis/process/processes?api-version=7.1")
            .await
            .expect(200)
            .json()["value"][0]["id"]
            .clone();
        let project = json!({
            "name": "Main Project",
            "capabilities": {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": {"templateTypeId": process}},
        });
        let operation = fixture
            .call(Method::POST, "/_apis/projects?api-version=7.1", &project)
            .await
            .expect(202)
            .json();
        let id = operation["id"].as_str().unwrap();
        for _ in 0..20 {
            if fixture
                .get(&format!("/_apis/operations/{id}?api-version=7.1"))
                .await
                .json()["status"]
                == "succeeded"
            {
                break;
            }
        }
        fixture
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/contoso{path}", self.simulator.url())
    }

    pub(crate) fn remote(&self, repository: &str) -> String {
        self.url(&format!("/Main%20Project/_git/{repository}"))
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.url(path)
        };
        let mut request = self.client.request(method, url).body(body);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", &self.authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(
            Method::GET,
            path,
            &[("accept", "application/json")],
            Vec::new(),
        )
        .await
    }

    /// One of the simulator's own addresses.
    pub(crate) async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.simulator.url());
        let request = self.client.request(method, url).body(body.to_string());
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        let bytes = answer.bytes().await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ];
        self.send(method, path, &headers, body.to_string().into_bytes())
            .await
    }

    /// The document that is answered with 200.
    pub(crate) async fn read(&self, path: &str) -> Value {
        self.get(path).await.expect(200).json()
    }

    /// What is answered with the status; null without a body.
    pub(crate) async fn told(
        &self,
        status: u16,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Value {
        let answer = self.call(method, path, body).await.expect(status);
        if answer.bytes.is_empty() {
            Value::Null
        } else {
            answer.json()
        }
    }

    pub(crate) async fn repository(&self, name: &str) -> String {
        let new = json!({"name": name});
        let made = self.call(
            Method::POST,
            "/Main%20Project/_apis/git/repositories?api-version=7.1",
            &new,
        );
        made.await.expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn git(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut git = Command::new("git");
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_CONFIG_PARAMETERS",
            "GIT_PREFIX",
        ] {
            git.env_remove(name);
        }
        git.current_dir(folder)
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .args([
                "-c",
                "user.name=Test",
                "-c",
                "user.email=test@example.com",
                "-c",
                "init.defaultBranch=main",
            ])
            .arg("-c")
            .arg(format!(
                "http.extraHeader=Authorization: {}",
                self.authorization
            ))
            .args(arguments);
        git.output().unwrap()
    }

    /// Standard output of a git command that must succeed.
    #[track_caller]
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.git(folder, arguments);
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Pushes from a working copy to a repository.
    #[track_caller]
    pub(crate) fn push(&self, folder: &Path, repository: &str, refs: &[&str]) {
        let remote = self.remote(repository);
        let arguments = [&["push", "-q", remote.as_str()], refs].concat();
        self.run(folder, &arguments);
    }

    /// A working copy with `commits` commits on `main` and a tag.
    pub(crate) fn working_copy(&self, name: &str, commits: usize) -> PathBuf {
        let folder = self.path(name);
        std::fs::create_dir(&folder).unwrap();
        self.run(&folder, &["init", "-q"]);
        for number in 0..commits {
            std::fs::write(
                folder.join("file.txt"),
                format!("line {number}\n").repeat(50 + number),
            )
            .unwrap();
            self.run(&folder, &["add", "."]);
            self.run(
                &folder,
                &["commit", "-q", "-m", &format!("commit {number}")],
            );
        }
        self.run(&folder, &["tag", "-a", "v1", "-m", "first"]);
        folder
    }
}
