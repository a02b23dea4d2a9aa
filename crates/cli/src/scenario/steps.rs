//! The steps of a scenario: one command each, shown with what it came to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::runner::{Ran, Runner};
use crate::failure::Failure;
use crate::output::bytes;

/// Done, or done with issues.
const DONE: &[i32] = &[0, 3];
/// Examples of one sort of difference that are shown.
const SHOWN: usize = 3;

pub(crate) struct Steps<'a> {
    runner: Runner<'a>,
}

/// What `connector add` is told.
pub(crate) struct Connection<'a> {
    pub organization: &'a str,
    pub url: Option<&'a str>,
    pub pat_file: &'a str,
}

/// What `backup` came to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Made {
    pub snapshot: String,
    pub counts: Counts,
    pub issues: u64,
    pub seconds: f64,
    /// Work items that the service no longer gives, by number; each is one of the issues.
    #[serde(skip)]
    pub missing: Vec<u64>,
}

/// The part of a run's counts that is shown.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Counts {
    pub requests: u64,
    pub bytes_received: u64,
    pub bytes_stored: u64,
    pub blobs_stored: u64,
    pub kinds: BTreeMap<String, KindCounts>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct KindCounts {
    pub items: u64,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
}

/// What `restore plan` came to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Planned {
    pub id: String,
    pub steps: u64,
    pub actions: BTreeMap<String, u64>,
    pub losses: Vec<String>,
}

/// What `restore apply` came to.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Applied {
    pub created: u64,
    pub undeleted: u64,
    pub merged: u64,
    pub skipped: u64,
    pub failed: u64,
    /// Read back, and not as it should be.
    pub differs: u64,
    #[serde(default)]
    pub unread: u64,
    pub seconds: f64,
}

impl Applied {
    /// Items that the command itself says are not as they should be.
    pub(crate) fn troubles(&self) -> u64 {
        self.failed + self.differs + self.unread
    }
}

fn parsed<T: serde::de::DeserializeOwned>(event: &Value) -> Result<T, Failure> {
    serde_json::from_value(event.clone()).map_err(|error| {
        anyhow::anyhow!("the command's result is not understood: {error}: {event}").into()
    })
}

impl<'a> Steps<'a> {
    pub(crate) fn new(runner: Runner<'a>) -> Self {
        Self { runner }
    }

    fn line(&self, text: impl AsRef<str>) {
        self.runner.output().line(text);
    }

    /// Makes a repository and returns its address.
    pub(crate) async fn init(&self, location: &str, password_file: &str) -> Result<(), Failure> {
        self.runner
            .run(
                &[
                    "repository",
                    "init",
                    location,
                    "--password-file",
                    password_file,
                ],
                &[0],
            )
            .await?;
        self.line(format!("  the password is in {password_file}"));
        Ok(())
    }

    /// Adds a connector named as the organization and shows the preflight.
    pub(crate) async fn connect(&self, connection: &Connection<'_>) -> Result<(), Failure> {
        let mut arguments = vec!["connector", "add", "azure-devops", connection.organization];
        if let Some(url) = connection.url {
            arguments.extend(["--url", url]);
        }
        arguments.extend(["--pat-file", connection.pat_file]);
        let ran = self.runner.run(&arguments, DONE).await?;
        self.checks(&ran);
        Ok(())
    }

    pub(crate) async fn test(&self, connector: &str) -> Result<(), Failure> {
        let ran = self
            .runner
            .run(&["connector", "test", connector], DONE)
            .await?;
        self.checks(&ran);
        Ok(())
    }

    fn checks(&self, ran: &Ran) {
        for check in ran.of("check") {
            let text = |name: &str| check[name].as_str().unwrap_or_default();
            self.line(format!(
                "  {:8} {:16} {}",
                text("outcome"),
                text("name"),
                text("message")
            ));
        }
    }

    pub(crate) async fn backup(&self, connector: &str) -> Result<Made, Failure> {
        let ran = self.runner.run(&["backup", connector], DONE).await?;
        let mut made: Made = parsed(ran.last("result")?)?;
        made.seconds = ran.seconds;
        for issue in ran.of("issue").map(|event| &event["issue"]) {
            let code = issue["code"].as_str().unwrap_or_default();
            self.line(format!(
                "  issue {code}: {}",
                issue["message"].as_str().unwrap_or_default()
            ));
            if code == "work-item-missing" {
                made.missing.extend(
                    issue["item"]["id"]
                        .as_str()
                        .and_then(|id| id.parse::<u64>().ok()),
                );
            }
        }
        let Counts {
            requests,
            bytes_received,
            bytes_stored,
            blobs_stored,
            kinds,
        } = &made.counts;
        self.line(format!(
            "  snapshot {}: {requests} requests sent, {} received, {} stored in {blobs_stored} blobs, {:.1} s, {} issues",
            made.snapshot.get(..8).unwrap_or(&made.snapshot),
            bytes(*bytes_received),
            bytes(*bytes_stored),
            made.seconds,
            made.issues,
        ));
        let changed = kinds
            .iter()
            .filter(|(_, counts)| counts.added + counts.changed + counts.removed > 0);
        for (
            kind,
            KindCounts {
                items,
                added,
                changed,
                removed,
            },
        ) in changed
        {
            self.line(format!(
                "    {kind:16} {items:6} items: {added} added, {changed} changed, {removed} removed"
            ));
        }
        Ok(made)
    }

    /// Shows what differs between two snapshots; returns how many files do.
    pub(crate) async fn diff(&self, from: &str, to: &str) -> Result<u64, Failure> {
        let ran = self
            .runner
            .run(&["snapshot", "diff", short(from), short(to)], &[0])
            .await?;
        let mut folders: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
        for difference in ran.of("difference") {
            let path = difference["path"]
                .as_str()
                .unwrap_or_default()
                .trim_start_matches('/');
            let top = path.split('/').next().unwrap_or_default().to_owned();
            let change = difference["change"].as_str().unwrap_or_default().to_owned();
            folders.entry((top, change)).or_default().push(path);
        }
        for ((top, change), paths) in &folders {
            self.line(format!("  {change:8} {:5} in {top}, as", paths.len()));
            for path in paths.iter().take(SHOWN) {
                self.line(format!("    {path}"));
            }
        }
        let count = ran.last("result")?["differences"].as_u64().unwrap_or(0);
        self.line(format!("  {count} files and folders differ"));
        Ok(count)
    }

    /// Plans a restore: `what` are the options that select.
    pub(crate) async fn plan(&self, snapshot: &str, what: &[&str]) -> Result<Planned, Failure> {
        let arguments = [&["restore", "plan", short(snapshot)], what].concat();
        let ran = self.runner.run(&arguments, DONE).await?;
        let plan: Planned = parsed(ran.last("plan")?)?;
        let actions: Vec<String> = plan
            .actions
            .iter()
            .map(|(action, count)| format!("{action} {count}"))
            .collect();
        self.line(format!(
            "  plan {}: {} steps: {}",
            plan.id,
            plan.steps,
            actions.join(", ")
        ));
        for loss in &plan.losses {
            self.line(format!("    declared loss: {loss}"));
        }
        Ok(plan)
    }

    pub(crate) async fn apply(&self, plan: &Planned) -> Result<Applied, Failure> {
        let ran = self
            .runner
            .run(&["restore", "apply", &plan.id], DONE)
            .await?;
        let mut applied: Applied = parsed(ran.last("result")?)?;
        applied.seconds = ran.seconds;
        for trouble in ran.of("trouble") {
            self.line(format!(
                "  trouble: {} {}: {}",
                trouble["item"],
                trouble["name"],
                trouble["detail"].as_str().unwrap_or_default()
            ));
        }
        let Applied {
            created,
            undeleted,
            merged,
            skipped,
            failed,
            differs,
            ..
        } = &applied;
        self.line(format!(
            "  created {created}, undeleted {undeleted}, merged {merged}, skipped {skipped}, failed {failed}, read back different {differs} ({:.1} s)",
            applied.seconds
        ));
        Ok(applied)
    }

    /// Reads and verifies every pack of the repository.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        self.runner
            .run(&["repository", "check", "--read-data"], &[0])
            .await?;
        self.line("  no problem found");
        Ok(())
    }

    /// Writes a whole snapshot to files.
    pub(crate) async fn export(&self, snapshot: &str, to: &str) -> Result<(), Failure> {
        self.runner
            .run(&["export", short(snapshot), "/", "--to", to], DONE)
            .await?;
        Ok(())
    }

    /// Names in a folder of a snapshot, without their slashes.
    pub(crate) async fn names(&self, snapshot: &str, folder: &str) -> Result<Vec<String>, Failure> {
        let ran = self
            .runner
            .run(&["snapshot", "browse", short(snapshot), folder], &[0])
            .await?;
        Ok(ran
            .events
            .iter()
            .filter_map(|node| node["name"].as_str())
            .map(str::to_owned)
            .collect())
    }
}

/// As people type ids.
fn short(snapshot: &str) -> &str {
    snapshot.get(..8).unwrap_or(snapshot)
}
