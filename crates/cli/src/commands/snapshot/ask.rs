//! Snapshots of a server: what its catalog knows of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::search::{self, HEAD, History, Search, excerpt};
use super::source::{Shared, is_called};
use super::{Browse, Command, Diff, List, Show, tell_entry};
use crate::app::only_here;
use crate::client::{Api, segment, text};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};
use crate::visible::visible;

pub(super) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::List(options) => list(&api, &options, output).await?,
        Command::Show(options) => show(&api, &options, output).await?,
        Command::Diff(options) => diff(&api, &options, output).await?,
        Command::Search(options) => find(&api, &options, output).await?,
        Command::Browse(options) => browse(&api, &options, output).await?,
        Command::History(options) => history(&api, &options, output).await?,
        Command::Forget(_) | Command::Cat(_) | Command::GitLog(_) => return Err(only_here()),
    }
    Ok(Exit::Done)
}

/// The path of a list of snapshots.
fn snapshots(repository: Option<&str>) -> String {
    let filter = repository.map(|name| format!("?repository={}", segment(name)));
    format!("/snapshots{}", filter.unwrap_or_default())
}

/// As a part of a path: `latest` is the newest one.
pub(in crate::commands) async fn resolve(
    api: &Api,
    snapshot: &str,
    repository: Option<&str>,
) -> Result<String, Failure> {
    if snapshot != "latest" {
        return Ok(segment(snapshot));
    }
    let newest = api.list_most(&snapshots(repository), 0).await?;
    let newest = newest.first().map(|newest| text(newest, "id").to_owned());
    newest.ok_or_else(|| Failure::coded("snapshot-unknown", "the server has no snapshot"))
}

async fn list(api: &Api, options: &List, output: &Output) -> Result<(), Failure> {
    let mut rows = api.list(&snapshots(options.repository.as_deref())).await?;
    if let Some(wanted) = &options.source {
        rows.retain(|row| is_called(wanted, text(row, "source"), text(row, "address")));
    }
    rows.reverse();
    let shared = Shared::of(&rows);
    let head = ["id", "time", "source", "items", "repository"];
    output.rows(&head, &rows, |row| {
        vec![
            short(text(row, "id")),
            moment(&text(row, "time")),
            shared.shown(row),
            row["items"].to_string(),
            text(row, "repository").to_owned(),
        ]
    });
    Ok(())
}

pub(super) fn short(id: &str) -> String {
    id.get(..8).unwrap_or(id).to_owned()
}

async fn show(api: &Api, options: &Show, output: &Output) -> Result<(), Failure> {
    let id = resolve(api, &options.snapshot, options.repository.as_deref()).await?;
    let snapshot = api.get(&format!("/snapshots/{id}")).await?;
    output.event(&snapshot);
    for (name, key) in [
        ("snapshot", "id"),
        ("time", "time"),
        ("source", "source"),
        ("at", "address"),
        ("in", "repository"),
        ("run", "run"),
    ] {
        output.line(format!("{name:<8} {}", text(&snapshot, key)));
    }
    let kinds: Vec<_> = snapshot["kinds"]
        .as_object()
        .into_iter()
        .flatten()
        .collect();
    let head = ["kind", "items", "added", "changed", "removed"];
    let cells = kinds.iter().map(|(kind, counts)| {
        let numbers = ["items", "added", "changed", "removed"].map(|key| counts[key].to_string());
        [vec![(*kind).clone()], numbers.to_vec()].concat()
    });
    output.line(crate::output::table(&head, cells));
    let selected = &snapshot["selected"];
    for kind in names(&selected["without"]) {
        output.line(format!(
            "not selected: {kind}, as an earlier snapshot had it"
        ));
    }
    for one in selected["only"].as_array().into_iter().flatten() {
        let words = super::picked(&names(&one["include"]), &names(&one["exclude"]));
        output.line(format!("selected of {}: {words}", text(one, "kind")));
    }
    for (kind, since) in snapshot["stale"].as_object().into_iter().flatten() {
        output.line(format!(
            "stale: {kind}, as read on {}",
            since.as_str().unwrap_or("")
        ));
    }
    for (key, what) in [("stale_items", "items are stale"), ("issues", "issues")] {
        if snapshot[key] != 0 {
            output.line(format!("{} {what}", snapshot[key]));
        }
    }
    Ok(())
}

fn names(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// By items, where a repository is compared by files.
async fn diff(api: &Api, options: &Diff, output: &Output) -> Result<(), Failure> {
    let repository = options.repository.as_deref();
    let from = resolve(api, &options.from, repository).await?;
    let to = resolve(api, &options.to, repository).await?;
    let changes = api
        .list(&format!("/snapshots/{to}/changes?from={from}"))
        .await?;
    for change in &changes {
        let item = if change["after"].is_null() {
            &change["before"]
        } else {
            &change["after"]
        };
        let path = text(item, "path");
        output.event(&json!({
            "event": "difference", "change": change["change"], "kind": change["kind"], "scope": change["scope"], "id": change["id"], "path": path,
            "in_recycle_bin": change["after"]["binned"] == true,
        }));
        let bin = if change["after"]["binned"] == true {
            ", in the recycle bin"
        } else {
            ""
        };
        let (became, path) = (text(change, "change"), visible(path));
        output.line(format!("{became:8} {path}{bin}"));
    }
    output.event(&json!({"event": "result", "differences": changes.len()}));
    output.line(format!("{} items differ", changes.len()));
    Ok(())
}

async fn browse(api: &Api, options: &Browse, output: &Output) -> Result<(), Failure> {
    let id = resolve(api, &options.snapshot, options.repository.as_deref()).await?;
    let folder = segment(options.path.trim_matches('/'));
    let entries = api
        .list(&format!("/snapshots/{id}/files?path={folder}"))
        .await?;
    for entry in &entries {
        let (folder, size) = (entry["type"] == "folder", entry["size"].as_u64());
        let (name, modified) = (text(entry, "name"), text(entry, "modified"));
        tell_entry(output, name, folder, size.unwrap_or(0), modified);
    }
    Ok(())
}

/// Versions are asked for at the newest snapshot of each source: it stands for all of them.
async fn history(api: &Api, options: &History, output: &Output) -> Result<(), Failure> {
    search::known_kind(&options.kind)?;
    let mut asked = BTreeSet::new();
    let mut rows = Vec::new();
    for snapshot in api.list("/snapshots").await? {
        let source =
            ["repository", "service", "address"].map(|key| text(&snapshot, key).to_owned());
        let (name, wanted) = (text(&snapshot, "source"), options.source.as_ref());
        if wanted.is_some_and(|wanted| !is_called(wanted, name, &source[2]))
            || !asked.insert(source.clone())
        {
            continue;
        }
        let (id, kind, item) = (text(&snapshot, "id"), &options.kind, &options.id);
        let (kind, item) = (segment(kind), segment(item));
        let versions = api
            .list(&format!("/snapshots/{id}/history?kind={kind}&id={item}"))
            .await?;
        let last = versions.len().saturating_sub(1);
        for (at, mut version) in versions.into_iter().enumerate() {
            version["source"] = name.into();
            version["address"] = source[2].as_str().into();
            version["in_recycle_bin"] = version["binned"].clone();
            version["end"] = match (version["current"] == true, at == last) {
                (true, _) => search::state(&version),
                (false, false) => "changed then",
                (false, true) => "gone then",
            }
            .into();
            rows.push(version);
        }
    }
    search::tell_history(options, &rows, output)
}

async fn find(api: &Api, options: &Search, output: &Output) -> Result<(), Failure> {
    let words = options.query();
    let limit = usize::try_from(options.limit).unwrap_or(usize::MAX);
    let mut path = format!("/search?q={}", segment(&words));
    let times = [options.since, options.until].map(|time| time.map(|time| time.to_string()));
    for (name, value) in [
        ("kind", &options.kind),
        ("project", &options.project),
        ("since", &times[0]),
        ("until", &times[1]),
    ] {
        if let Some(value) = value {
            path.extend(["&", name, "=", &segment(value)]);
        }
    }
    let most = if options.source.is_some() {
        usize::MAX
    } else {
        limit
    };
    let mut hits = api.list_most(&path, most).await?;
    if let Some(wanted) = &options.source {
        hits.retain(|hit| is_called(wanted, text(hit, "source"), text(hit, "address")));
    }
    let more = hits.len() > limit;
    hits.truncate(limit);
    if hits.is_empty() {
        output.line(format!("nothing is or was found by: {words}"));
        return Ok(());
    }
    output.rows(&HEAD, &hits, |hit| {
        let item = |key: &str| visible(text(&hit["item"], key));
        let state = match (hit["current"] == true, hit["item"]["binned"] == true) {
            (false, _) => "gone or renamed",
            (true, true) => "in the recycle bin",
            (true, false) => "current",
        };
        let pieces = hit["excerpt"].as_array().into_iter().flatten();
        vec![
            item("kind"),
            item("id"),
            item("name"),
            state.to_owned(),
            short(text(&hit["snapshot"], "id")),
            excerpt(pieces.map(|piece| (text(piece, "text"), piece["hit"] == true))),
        ]
    });
    if more {
        output.line(format!("the first {limit}; more with --limit"));
    }
    Ok(())
}
