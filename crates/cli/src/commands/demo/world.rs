//! The simulator as a bystander sees it: its state dumps, inventory and ledger, and its bare repositories by `git`.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

/// How often the ledger is looked at while a command runs.
const LOOK: Duration = Duration::from_millis(100);

pub(super) struct World {
    http: reqwest::Client,
    url: String,
}

/// What the simulator was asked while something ran.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub requests: u64,
    pub bytes: u64,
    pub kinds: BTreeMap<String, Spent>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Spent {
    pub requests: u64,
    pub bytes: u64,
    /// From the first request of the kind to the last, as often as the ledger was looked at.
    pub seconds: f64,
}

impl World {
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Self {
            http,
            url: url.to_owned(),
        })
    }

    async fn ask(&self, call: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = call.send().await.context("the simulator does not answer")?;
        let (status, url) = (answer.status(), answer.url().clone());
        let body = answer
            .bytes()
            .await
            .with_context(|| format!("{url}: the answer ended early"))?;
        ensure!(
            status.is_success(),
            "{url} answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| format!("{url}: the answer is not JSON"))
    }

    async fn get(&self, path: &str, organization: &str) -> anyhow::Result<Value> {
        self.ask(
            self.http
                .get(format!("{}{path}?organization={organization}", self.url)),
        )
        .await
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(
            self.http
                .post(format!("{}{path}", self.url))
                .body(body.to_string()),
        )
        .await
    }

    /// As a person with the organization's token deletes something.
    pub(super) async fn delete(&self, pat: &str, path: &str) -> anyhow::Result<Value> {
        let call = self
            .http
            .delete(format!("{}/{path}?api-version=7.1", self.url));
        self.ask(call.basic_auth("", Some(pat))).await
    }

    pub(super) async fn inventory(&self, organization: &str) -> anyhow::Result<Value> {
        self.get("/__inventory", organization).await
    }

    /// Everything that the simulator holds, with the objects that `git` finds in each repository and the hashes of LFS files as they lie on the disk.
    pub(super) async fn state(&self, organization: &str) -> anyhow::Result<Value> {
        let mut state = self.get("/__state", organization).await?;
        if let Some(repositories) = state["repositories"].as_array_mut() {
            for repository in repositories
                .iter_mut()
                .filter(|repository| repository["isDeleted"] != true)
            {
                look_into(repository).await?;
            }
        }
        Ok(state)
    }

    /// The demonstration's second act.
    pub(super) async fn change(&self) -> anyhow::Result<Value> {
        self.post("/__demo/change", &Value::Null).await
    }

    /// Makes an empty organization; returns its PAT.
    pub(super) async fn add_organization(&self, name: &str) -> anyhow::Result<String> {
        let made = self
            .post("/__organizations", &serde_json::json!({ "name": name }))
            .await?;
        Ok(made["pat"]
            .as_str()
            .context("the simulator gave no PAT")?
            .to_owned())
    }

    /// Runs `work` and returns what was asked of the organization meanwhile.
    pub(super) async fn watch<T>(
        &self,
        organization: &str,
        work: impl Future<Output = T>,
    ) -> anyhow::Result<(T, Ledger)> {
        self.post("/__ledger/reset", &Value::Null).await?;
        let started = Instant::now();
        let mut times: BTreeMap<String, Times> = BTreeMap::new();
        let mut work = pin!(work);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                () = tokio::time::sleep(LOOK) => {
                    let ledger = self.ledger(organization).await?;
                    note(&mut times, &ledger, started.elapsed().as_secs_f64());
                }
            }
        };
        let mut ledger = self.ledger(organization).await?;
        note(&mut times, &ledger, started.elapsed().as_secs_f64());
        for (kind, spent) in &mut ledger.kinds {
            spent.seconds = times
                .get(kind)
                .map_or(0.0, |times| times.last - times.first);
        }
        Ok((result, ledger))
    }

    async fn ledger(&self, organization: &str) -> anyhow::Result<Ledger> {
        let call = self.http.get(format!(
            "{}/__ledger?organization={organization}&summary=true",
            self.url
        ));
        Ok(Ledger::read(&self.ask(call).await?["summary"]))
    }
}

struct Times {
    requests: u64,
    first: f64,
    last: f64,
}

/// Notes when the requests of a kind began, at the last look before they were seen, and when the last ones were seen.
fn note(times: &mut BTreeMap<String, Times>, ledger: &Ledger, now: f64) {
    for (kind, spent) in &ledger.kinds {
        let first = (now - LOOK.as_secs_f64()).max(0.0);
        let times = times.entry(kind.clone()).or_insert(Times {
            requests: 0,
            first,
            last: now,
        });
        if spent.requests > times.requests {
            times.requests = spent.requests;
            times.last = now;
        }
    }
}

impl Ledger {
    fn read(summary: &Value) -> Self {
        let number = |value: &Value, name: &str| value[name].as_u64().unwrap_or(0);
        let kinds = summary["kinds"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(kind, sum)| {
                let spent = Spent {
                    requests: number(sum, "requests"),
                    bytes: number(sum, "responseBytes"),
                    seconds: 0.0,
                };
                (kind.clone(), spent)
            });
        Self {
            requests: number(summary, "requests"),
            bytes: number(summary, "responseBytes"),
            kinds: kinds.collect(),
        }
    }

    pub(super) fn of_kind(&self, kind: &str) -> Spent {
        self.kinds.get(kind).cloned().unwrap_or_default()
    }
}

/// Adds `objects`, `pullObjects` and the hash of each LFS file.
async fn look_into(repository: &mut Value) -> anyhow::Result<()> {
    let path = repository["repositoryPath"]
        .as_str()
        .context("a repository has no path")?
        .to_owned();
    let all = objects(&path, &["--exclude=refs/pull/*", "--all"]).await?;
    let mut pulls = objects(&path, &["--glob=refs/pull/*"]).await?;
    pulls.retain(|object, _| !all.contains_key(object));
    repository["head"] = std::fs::read_to_string(Path::new(&path).join("HEAD"))
        .with_context(|| format!("cannot read HEAD of {path}"))?
        .trim()
        .into();
    repository["objects"] = Value::Object(all);
    repository["pullObjects"] = Value::Object(pulls);
    let folder = repository["lfsPath"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for object in repository["lfs"].as_array_mut().into_iter().flatten() {
        let oid = object["oid"].as_str().unwrap_or_default().to_owned();
        let file = Path::new(&folder).join(&oid);
        let bytes =
            std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        object["sha256"] = hex::encode(Sha256::digest(&bytes)).into();
    }
    Ok(())
}

/// `git rev-list --objects` as the keys of an object.
async fn objects(repository: &str, what: &[&str]) -> anyhow::Result<Map<String, Value>> {
    let mut git = Command::new("git");
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_INDEX_FILE",
    ] {
        git.env_remove(name);
    }
    git.env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C");
    git.args(["--git-dir", repository, "rev-list", "--objects"])
        .args(what)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = git.output().await.context("cannot run git")?;
    if !output.status.success() {
        bail!(
            "git rev-list in {repository}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    // A path may follow the name of an object, in any encoding.
    let names = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').next());
    Ok(names
        .filter(|name| !name.is_empty())
        .map(|name| {
            (
                String::from_utf8_lossy(name).into_owned(),
                Value::Bool(true),
            )
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn seconds_of_a_kind_are_from_its_first_request_to_its_last() {
        let ledger = |requests: u64| {
            Ledger::read(
                &json!({"requests": requests, "kinds": {"team": {"requests": requests, "responseBytes": 5}}}),
            )
        };
        let mut times = BTreeMap::new();
        for (requests, now) in [(2, 1.0), (3, 1.5), (3, 4.0)] {
            note(&mut times, &ledger(requests), now);
        }
        assert!((times["team"].last - times["team"].first - 0.6).abs() < 0.001);
        assert_eq!(
            ledger(3).of_kind("team"),
            Spent {
                requests: 3,
                bytes: 5,
                seconds: 0.0
            }
        );
    }
}
