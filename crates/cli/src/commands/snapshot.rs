//! `keepward snapshot`.

mod ask;
mod forget;
mod look;
mod search;
mod source;

use catalog::Verification;
use clap::{Args, Subcommand};
use engine::backup::told_source;
use futures::StreamExt as _;
use model::SourceFile;
use repository::{DifferenceKind, NodeType, Repository, Snapshot, SnapshotId};

pub(super) use ask::resolve;

use source::{Shared, is_called};

use super::Global;
use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes, moment};
use crate::services;
use crate::visible::visible;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// All snapshots, oldest first
    #[command(
        after_help = "Examples:\n  keepward snapshot list\n  keepward snapshot list --source contoso --json"
    )]
    List(List),
    /// What one snapshot holds, and what could not be read
    #[command(after_help = "Example:\n  keepward snapshot show latest")]
    Show(Show),
    /// What differs between two snapshots
    #[command(after_help = "Example:\n  keepward snapshot diff 1f3a latest")]
    Diff(Diff),
    /// The files of a snapshot, folder by folder
    #[command(
        after_help = "Examples:\n  keepward snapshot browse latest\n  keepward snapshot browse latest work-items/0000"
    )]
    Browse(Browse),
    /// Write a file of a snapshot, or of a stored git repository, to standard output
    #[command(
        after_help = "Examples:\n  keepward snapshot cat latest source.json\n  keepward snapshot cat latest README.md --git git/ID --ref main"
    )]
    Cat(look::Cat),
    /// The history of a stored git repository
    #[command(
        after_help = "Examples:\n  keepward snapshot git-log latest git/ID\n  keepward snapshot git-log latest git/ID --ref release/1 --file src/main.rs --json"
    )]
    GitLog(look::GitLog),
    /// Find items by words of their names and texts or by id, in all snapshots: what is gone is found too
    #[command(
        after_help = "Examples:\n  keepward snapshot search login page\n  keepward snapshot search '\"sign in\" -closed pay*' --project Payments\n  \
        keepward snapshot search 4711 --json\n  keepward snapshot search login --until 2026-11-17T00:00:00Z\n\n\
        Each item comes once, as its newest version that has the words; what has them in its name comes first. Of an item, the first 64 KiB of text \
        are searched. It asks the catalog's index; after the catalog was lost, `keepward repository sync` makes that again."
    )]
    Search(search::Search),
    /// The versions of an item, and which snapshots hold each
    #[command(after_help = "Example:\n  keepward snapshot history work-item 4711")]
    History(search::History),
    /// Drop snapshots, named or by rule; the newest good one of an organization is kept by every rule
    #[command(
        after_help = "Examples:\n  keepward snapshot forget 1f3a 9c2e\n  keepward snapshot forget --keep-daily 14 --keep-weekly 8 --keep-monthly 12 --dry-run\n  \
        keepward snapshot forget --keep-within 30d --source contoso\n\n\
        Rules are restic's, counted for each organization, and the last good snapshot of each stays whatever they say: the newest without issues, or else without \
        stale data. They are refused while the newest snapshot of an organization has far fewer items than one before. Snapshots that are named are forgotten as told.\n\
        The space is freed by `keepward repository prune`."
    )]
    Forget(forget::Forget),
}

#[derive(Args)]
pub(crate) struct List {
    /// Only those of this organization
    #[arg(long)]
    source: Option<String>,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

#[derive(Args)]
pub(crate) struct Show {
    /// An id, the beginning of one, or `latest`
    snapshot: String,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

#[derive(Args)]
pub(crate) struct Diff {
    /// The earlier one: an id, the beginning of one, or `latest`
    from: String,
    /// The later one
    to: String,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

#[derive(Args)]
pub(crate) struct Browse {
    /// An id, the beginning of one, or `latest`
    snapshot: String,
    /// A folder in it
    #[arg(default_value = "")]
    path: String,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    if let Command::Forget(forget) = &command
        && (global.server.is_some() || forget::waits(forget, global).await?)
    {
        return forget::ask(forget, global, output).await;
    }
    match &command {
        Command::Cat(cat) => return look::cat(cat, global, output).await,
        Command::GitLog(log) => return look::git_log(log, global, output).await,
        _ if global.server.is_some() => return ask::run(command, global, output).await,
        _ => {}
    }
    let app = match &command {
        Command::List(_) | Command::Show(_) | Command::Diff(_) | Command::Browse(_) => {
            App::open_beside(&global.data()).await?
        }
        _ => App::open(&global.data()).await?,
    };
    match command {
        Command::List(list) => all(&app, list, output).await,
        Command::Show(show) => one(&app, show, output).await,
        Command::Diff(diff) => difference(&app, diff, output).await,
        Command::Browse(browse) => folder(&app, browse, output).await,
        Command::Search(search) => search::search(&app, search, output).await,
        Command::History(history) => search::history(&app, history, output).await,
        Command::Forget(forget) => forget::run(&app, forget, output).await,
        // Answered by the interface, above.
        Command::Cat(_) | Command::GitLog(_) => Ok(Exit::Done),
    }
}

async fn all(app: &App, list: List, output: &Output) -> Result<Exit, Failure> {
    let (_, repository) = app.repository(list.repository.as_deref()).await?;
    let verified = app.catalog.verifications().await?;
    let mut rows = Vec::new();
    let (snapshots, damaged) = repository.readable_snapshots().await?;
    let mut damaged: Vec<Failure> = damaged.into_iter().map(Failure::from).collect();
    for (id, snapshot) in snapshots {
        let source = match described(&repository, &snapshot).await? {
            Ok(source) => source,
            Err(error) => {
                // What a repair could not bring back was told by the repair.
                if !snapshot.is_repaired() {
                    damaged.push(error.into());
                }
                None
            }
        };
        let wanted = list.source.as_ref().is_none_or(|wanted| match &source {
            Some(file) => is_called(wanted, &file.source, &file.id().address),
            None => snapshot.is_own() && tagged(&snapshot, "source=") == Some(&**wanted),
        });
        if wanted {
            let made = verified.get(&id.to_string());
            rows.push(row(id, &snapshot, source.as_ref(), made));
        }
    }
    let head = ["id", "time", "source", "items", "issues", "verified"];
    let shared = Shared::of(&rows);
    output.rows(&head, &rows, |row| {
        let text = |key: &str| match &row[key] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        vec![
            text("short"),
            moment(&text("time")),
            shared.shown(row),
            text("items"),
            text("issues"),
            match (
                row["verified"]["ok"].as_bool(),
                row["verified"]["drilled"].as_bool(),
            ) {
                (Some(true), Some(true)) => "yes, drilled".to_owned(),
                (Some(true), _) => "yes".to_owned(),
                (Some(false), _) => "FAILED".to_owned(),
                (None, _) => String::new(),
            },
        ]
    });
    // What could be read is shown all the same.
    damaged.into_iter().next().map_or(Ok(Exit::Done), Err)
}

fn row(
    id: SnapshotId,
    snapshot: &Snapshot,
    source: Option<&SourceFile>,
    verified: Option<&Verification>,
) -> serde_json::Value {
    let verified = verified.map(|made| {
        serde_json::json!({"time": made.time, "ok": made.is_clean(), "drilled": made.differences.is_some()})
    });
    serde_json::json!({
        "id": id.to_string(),
        "short": id.short(),
        "time": snapshot.time.to_string(),
        "source": source.map_or_else(|| snapshot.paths.join(" "), |source| source.source.clone()),
        "address": source.map(|source| source.id().address),
        "items": source.map(|source| source.counts.values().map(|counts| counts.items).sum::<u64>()),
        "issues": source.map(|source| source.issues.len()),
        "parent": snapshot.parent.map(|parent| parent.to_string()),
        "tags": snapshot.tags,
        "verified": verified,
    })
}

/// `source.json`, or `None` for snapshots that others made in the same repository; within, the damage that it is lost to.
async fn described(
    repository: &Repository,
    snapshot: &Snapshot,
) -> Result<engine::Result<Option<SourceFile>>, Failure> {
    if !snapshot.is_own() {
        return Ok(Ok(None));
    }
    let service = tagged(snapshot, "service=").and_then(services::find);
    match service {
        Some(service) => Ok(told_source(repository, service, snapshot).await?.map(Some)),
        None => Ok(Ok(None)),
    }
}

fn tagged<'s>(snapshot: &'s Snapshot, prefix: &str) -> Option<&'s str> {
    let mut tags = snapshot.tags.iter();
    tags.find_map(|tag| tag.strip_prefix(prefix))
}

async fn one(app: &App, show: Show, output: &Output) -> Result<Exit, Failure> {
    let (_, repository) = app.repository(show.repository.as_deref()).await?;
    let id = repository.resolve(&show.snapshot).await?;
    let snapshot = repository.snapshot(id).await?;
    let source = described(&repository, &snapshot).await??;
    output
        .event(&serde_json::json!({"id": id.to_string(), "snapshot": snapshot, "source": source}));
    output.line(format!("snapshot {}\ntime     {}", id, snapshot.time));
    let Some(source) = source else {
        output.line("made by another program: browse and export work on it");
        return Ok(Exit::Done);
    };
    output.line(format!(
        "source   {} ({})\nrun      {}\nrequests {}\n",
        source.source, source.url, source.run, source.requests
    ));
    let kinds: Vec<_> = source.counts.iter().collect();
    let head = ["kind", "items", "added", "changed", "removed", "received"];
    let cells = kinds.iter().map(|(kind, counts)| {
        let numbers = [counts.items, counts.added, counts.changed, counts.removed]
            .map(|number| number.to_string());
        [
            vec![(*kind).clone()],
            numbers.to_vec(),
            vec![bytes(counts.bytes)],
        ]
        .concat()
    });
    output.line(crate::output::table(&head, cells));
    for kind in source.unselected() {
        output.line(format!(
            "not selected: {kind}, as an earlier snapshot had it"
        ));
    }
    let picks = source.picks.0.iter().filter(|(_, pick)| !pick.is_all());
    for (kind, pick) in picks {
        output.line(format!(
            "selected of {kind}: {}",
            picked(&pick.include, &pick.exclude)
        ));
    }
    for (key, since) in &source.stale {
        output.line(format!("stale: {key}, as read on {since}"));
    }
    for stale in &source.stale_items {
        output.line(format!("stale: {}, as read on {}", stale.item, stale.read));
    }
    for issue in &source.issues {
        output.line(format!("issue {}: {}", issue.code, issue.message));
    }
    Ok(Exit::Done)
}

/// Which items of a kind a run was to back up; the others are as an earlier snapshot had them.
pub(super) fn picked(include: &[String], exclude: &[String]) -> String {
    let all = if include.is_empty() {
        "those that were known".to_owned()
    } else {
        include.join(", ")
    };
    if exclude.is_empty() {
        return all;
    }
    format!("{all}; without {}", exclude.join(", "))
}

async fn difference(app: &App, diff: Diff, output: &Output) -> Result<Exit, Failure> {
    let (_, repository) = app.repository(diff.repository.as_deref()).await?;
    let (from, to) = (
        repository.resolve(&diff.from).await?,
        repository.resolve(&diff.to).await?,
    );
    let (from, to) = (
        repository.snapshot(from).await?,
        repository.snapshot(to).await?,
    );
    let mut differences = std::pin::pin!(repository.diff(Some(from.tree), Some(to.tree)));
    let mut count = 0_u64;
    while let Some(difference) = differences.next().await {
        let difference = difference?;
        count += 1;
        let change = word(difference.kind);
        output.event(
            &serde_json::json!({"event": "difference", "path": difference.path, "change": change}),
        );
        output.line(format!("{change:8} {}", visible(&difference.path)));
    }
    output.event(&serde_json::json!({"event": "result", "differences": count}));
    output.line(format!("{count} files differ"));
    Ok(Exit::Done)
}

fn word(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::Added => "added",
        DifferenceKind::Removed => "removed",
        DifferenceKind::Modified | DifferenceKind::TypeChanged => "modified",
    }
}

async fn folder(app: &App, browse: Browse, output: &Output) -> Result<Exit, Failure> {
    let (_, repository) = app.repository(browse.repository.as_deref()).await?;
    let snapshot = repository
        .snapshot(repository.resolve(&browse.snapshot).await?)
        .await?;
    let path = browse.path.trim_matches('/');
    let tree = if path.is_empty() {
        snapshot.tree
    } else {
        let node = repository.find(snapshot.tree, path).await?;
        node.and_then(|node| node.subtree).ok_or_else(|| {
            Failure::usage(
                format!("the snapshot has no folder {path}"),
                "keepward snapshot browse SNAPSHOT",
            )
        })?
    };
    for node in repository.tree(tree).await?.nodes {
        let folder = node.node_type == NodeType::Dir;
        tell_entry(
            output,
            &node.name,
            folder,
            node.size,
            &node.mtime.to_string(),
        );
    }
    Ok(Exit::Done)
}

fn tell_entry(output: &Output, name: &str, folder: bool, size: u64, modified: &str) {
    output.event(
        &serde_json::json!({"name": name, "folder": folder, "size": size, "modified": modified}),
    );
    let size = if folder { String::new() } else { bytes(size) };
    let slash = if folder { "/" } else { "" };
    output.line(format!(
        "{size:>12}  {:20}  {}{slash}",
        moment(&modified),
        visible(name)
    ));
}
