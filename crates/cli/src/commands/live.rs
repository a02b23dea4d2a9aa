//! `keepward live`: the conformance scenario on a real sandbox organization.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::confirm::typed;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::scenario::{Connection, Folder, Planned, Runner, Steps, differing};

/// Work items that are made a second time.
const DUPLICATES: usize = 3;

#[derive(Args)]
#[command(
    after_help = "Example:\n  keepward live my-sandbox --pat-file pat.txt\n\n\
    It reads the whole organization twice and creates at most three work items, as duplicates of existing ones. Nothing is changed or deleted.\n\
    Use an organization that is there for tests."
)]
pub(crate) struct Command {
    /// The sandbox organization
    organization: String,
    /// A file whose first line is a personal access token of this organization
    #[arg(long, value_name = "FILE")]
    pat_file: PathBuf,
    /// Another host than the service's own
    #[arg(long)]
    url: Option<String>,
    /// Keep the repository and the exports here: a new or empty folder [default: a temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(command: Command, output: &Output) -> Result<Exit, Failure> {
    confirm(&command.organization).await?;
    let folder = Folder::new(command.dir.as_deref())?;
    let live = Live {
        steps: Steps::new(Runner::new(folder.join("data"), output)?),
        folder: &folder,
        output,
        command: &command,
    };
    let problems = live.conform().await?;
    for problem in &problems {
        output.line(format!("NOT AS IT SHOULD BE: {problem}"));
    }
    output.line(if problems.is_empty() {
        "\nEverything is as it should be."
    } else {
        "\nSomething is not as it should be."
    });
    output.event(&json!({"event": "result", "ok": problems.is_empty(), "problems": problems}));
    Ok(if problems.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// The scenario writes to the organization, so its name is typed once more.
async fn confirm(organization: &str) -> Result<(), Failure> {
    let question = format!(
        "This reads everything in the organization {organization}, and creates up to {DUPLICATES} work items in it.\n\
        Type the organization's name to go on: "
    );
    let answer = typed(&question).await?;
    if answer == organization {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{answer:?} is not {organization}: nothing was done"),
        "type the organization's name as you gave it",
    ))
}

struct Live<'a> {
    steps: Steps<'a>,
    folder: &'a Folder,
    output: &'a Output,
    command: &'a Command,
}

impl Live<'_> {
    async fn conform(&self) -> Result<Vec<String>, Failure> {
        let connector = self.command.organization.as_str();
        let mut problems = Vec::new();
        self.output.line("\n== Connect and back up");
        self.steps
            .init(
                &self.folder.argument("repository"),
                &self.folder.argument("repository-password"),
            )
            .await?;
        let pat_file = std::fs::canonicalize(&self.command.pat_file)
            .with_context(|| format!("cannot find {}", self.command.pat_file.display()))?;
        let connection = Connection {
            organization: connector,
            url: self.command.url.as_deref(),
            pat_file: &pat_file.to_string_lossy(),
        };
        self.steps.connect(&connection).await?;
        self.steps.test(connector).await?;
        let first = self.steps.backup(connector).await?;
        self.output
            .line("\n== Back up again: what nobody touched is not read again");
        let second = self.steps.backup(connector).await?;
        if second.counts.requests > first.counts.requests {
            problems.push(format!(
                "the second backup sent {} requests, the first {}",
                second.counts.requests, first.counts.requests
            ));
        }
        self.steps.check().await?;
        self.output
            .line("\n== A restore of everything into itself has nothing to do");
        let plan = self.steps.plan(&second.snapshot, &["--everything"]).await?;
        problems.extend(not_idle(&plan));
        self.output
            .line("\n== Files of both snapshots are the same, byte for byte");
        self.exports(&first.snapshot, &second.snapshot, &mut problems)
            .await?;
        self.output.line("\n== A few work items a second time");
        self.duplicate(&second.snapshot, &mut problems).await?;
        Ok(problems)
    }

    /// What changed between the two backups is stated by their difference.
    async fn exports(
        &self,
        first: &str,
        second: &str,
        problems: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let changed = self.steps.diff(first, second).await?;
        for (snapshot, folder) in [(first, "export-1"), (second, "export-2")] {
            self.steps
                .export(snapshot, &self.folder.argument(folder))
                .await?;
        }
        // It describes the run.
        let files = differing(
            &self.folder.join("export-1"),
            &self.folder.join("export-2"),
            &["source.json"],
        )?;
        let described = usize::try_from(changed).unwrap_or(usize::MAX);
        if files.len() > described {
            problems.push(format!(
                "{} exported files differ, but only {described} differences are stated: {}",
                files.len(),
                files.join(", ")
            ));
        }
        self.output.line(format!("  {} files differ", files.len()));
        Ok(())
    }

    async fn duplicate(&self, snapshot: &str, problems: &mut Vec<String>) -> Result<(), Failure> {
        let mut ids: Vec<String> = Vec::new();
        for shard in self.steps.names(snapshot, "work-items").await? {
            if ids.len() < DUPLICATES {
                ids.extend(
                    self.steps
                        .names(snapshot, &format!("work-items/{shard}"))
                        .await?,
                );
            }
        }
        ids.truncate(DUPLICATES);
        if ids.is_empty() {
            self.output.line("  the organization has no work items");
            return Ok(());
        }
        let mut what = vec!["--kind", "work-item", "--conflict", "duplicate"];
        for id in &ids {
            what.extend(["--id", id.as_str()]);
        }
        let plan = self.steps.plan(snapshot, &what).await?;
        let applied = self.steps.apply(&plan).await?;
        if applied.troubles() > 0 || applied.created != ids.len() as u64 {
            problems.push(format!(
                "{} of {} duplicates were made, {} of them are not as they should be",
                applied.created,
                ids.len(),
                applied.troubles()
            ));
        }
        Ok(())
    }
}

/// Skips are expected, and merges of what every project has from the start.
fn not_idle(plan: &Planned) -> Option<String> {
    let others: Vec<String> = plan
        .actions
        .iter()
        .filter(|(action, _)| !matches!(action.as_str(), "skip" | "merge"))
        .map(|(action, count)| format!("{action} {count}"))
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "a restore of everything into itself would do something: {}",
            others.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_restore_into_itself_may_only_skip_and_merge() {
        let plan = |actions: &[(&str, u64)]| Planned {
            id: "p".to_owned(),
            steps: 1,
            actions: actions
                .iter()
                .map(|(action, count)| ((*action).to_owned(), *count))
                .collect::<BTreeMap<_, _>>(),
            losses: Vec::new(),
        };
        assert_eq!(not_idle(&plan(&[("skip", 9), ("merge", 2)])), None);
        assert!(
            not_idle(&plan(&[("skip", 9), ("create", 1)]))
                .is_some_and(|problem| problem.contains("create 1"))
        );
    }
}
