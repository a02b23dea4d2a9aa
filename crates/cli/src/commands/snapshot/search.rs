//! `keepward snapshot search` and `history`: what the index of the catalog knows.

use std::collections::BTreeMap;

use catalog::{IndexEntry, ItemState, KnownSnapshot, Page, SourceKey};
use clap::Args;

use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};
use crate::services::SERVICES;

#[derive(Args)]
pub(crate) struct Search {
    /// Words that the name has, in any case and order, or an id
    #[arg(required = true)]
    pub(super) text: Vec<String>,
    /// Only in this organization
    #[arg(long)]
    pub(super) source: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 100)]
    pub(super) limit: u32,
}

#[derive(Args)]
pub(crate) struct History {
    /// A kind, for example work-item
    kind: String,
    /// The item's id
    id: String,
    /// Only in this organization
    #[arg(long)]
    source: Option<String>,
}

/// The sources that are asked, each with its snapshots, the oldest first.
struct Known(BTreeMap<SourceKey, Vec<KnownSnapshot>>);

impl Known {
    async fn of(app: &App, wanted: Option<&str>) -> Result<Self, Failure> {
        let mut known = BTreeMap::new();
        for source in app.catalog.sources().await? {
            if wanted.is_some_and(|wanted| !source.name.eq_ignore_ascii_case(wanted)) {
                continue;
            }
            let mut snapshots = app.catalog.source_snapshots(&source).await?;
            snapshots.reverse();
            if !snapshots.is_empty() {
                known.insert(source, snapshots);
            }
        }
        if known.is_empty() {
            let what = wanted.map_or_else(
                || "the index has no snapshot".to_owned(),
                |name| format!("the index has no snapshot of {name}"),
            );
            return Err(Failure::usage(
                what,
                "keepward repository sync reads the index from a repository; keepward backup makes a snapshot",
            ));
        }
        Ok(Self(known))
    }

    /// The first and the last snapshot that hold this version.
    fn span(
        &self,
        source: &SourceKey,
        entry: &IndexEntry,
    ) -> (Option<&KnownSnapshot>, Option<&KnownSnapshot>) {
        let snapshots = self.0.get(source).map_or(&[][..], Vec::as_slice);
        let holds = |snapshot: &&KnownSnapshot| {
            snapshot.seq >= entry.first_seq && entry.gone_seq.is_none_or(|gone| snapshot.seq < gone)
        };
        (
            snapshots.iter().find(holds),
            snapshots.iter().rev().find(holds),
        )
    }

    fn row(&self, source: &SourceKey, entry: &IndexEntry) -> serde_json::Value {
        let (first, last) = self.span(source, entry);
        let place = |snapshot: Option<&KnownSnapshot>| {
            snapshot.map(|snapshot| serde_json::json!({"id": snapshot.id, "time": snapshot.time.to_string()}))
        };
        serde_json::json!({
            "source": source.name, "repository": source.repository, "kind": entry.item.kind, "scope": entry.item.scope, "id": entry.item.id,
            "name": entry.name, "path": entry.path, "modified": entry.modified.map(|time| time.to_string()),
            "in_recycle_bin": entry.state == ItemState::Binned, "first": place(first), "last": place(last), "current": entry.gone_seq.is_none(),
        })
    }
}

pub(super) async fn search(app: &App, search: Search, output: &Output) -> Result<Exit, Failure> {
    let known = Known::of(app, search.source.as_deref()).await?;
    let text = search.text.join(" ");
    let mut rows = Vec::new();
    let mut page = Some(Page::first(search.limit.clamp(1, 500)));
    let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
    while let (Some(this), true) = (&page, rows.len() < limit) {
        let found = app.catalog.search(&text, None, this).await?;
        rows.extend(
            found
                .items
                .iter()
                .filter(|hit| known.0.contains_key(&hit.source))
                .map(|hit| known.row(&hit.source, &hit.entry)),
        );
        page = this.following(&found);
    }
    let more = rows.len() > limit || page.is_some();
    rows.truncate(limit);
    if rows.is_empty() {
        output.line(format!("nothing is or was named so: {text}"));
        return Ok(Exit::Done);
    }
    output.rows(
        &["kind", "id", "name", "state", "last snapshot", "path"],
        &rows,
        |row| {
            vec![
                cell(&row["kind"]),
                cell(&row["id"]),
                cell(&row["name"]),
                state(row).to_owned(),
                short(&row["last"]),
                cell(&row["path"]),
            ]
        },
    );
    if more {
        output.line(format!("the first {limit}; more with --limit"));
    }
    Ok(Exit::Done)
}

pub(super) async fn history(app: &App, history: History, output: &Output) -> Result<Exit, Failure> {
    let kinds: Vec<&str> = SERVICES
        .iter()
        .flat_map(|service| service.kinds)
        .map(|kind| kind.spec().name)
        .collect();
    if !kinds.contains(&history.kind.as_str()) {
        let mut failure =
            Failure::coded("kind-unknown", format!("there is no kind {}", history.kind));
        failure.hint = Some(format!("the kinds are {}", kinds.join(", ")));
        return Err(failure);
    }
    let known = Known::of(app, history.source.as_deref()).await?;
    let mut rows = Vec::new();
    for source in known.0.keys() {
        let versions = app
            .catalog
            .history(source, &history.kind, &history.id)
            .await?;
        for (at, entry) in versions.iter().enumerate() {
            let next = versions.get(at + 1).map(|next| next.first_seq);
            let mut row = known.row(source, entry);
            let end = if entry.gone_seq.is_none() {
                state(&row)
            } else if entry.gone_seq == next {
                "changed then"
            } else {
                "gone then"
            };
            row["end"] = end.into();
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return Err(Failure::usage(
            format!("no snapshot has the {} {}", history.kind, history.id),
            "keepward snapshot search TEXT finds items by name or id",
        ));
    }
    output.rows(
        &["source", "first", "of", "last", "of", "name", "state"],
        &rows,
        |row| {
            let time = |snapshot: &str| moment(&cell(&row[snapshot]["time"]));
            vec![
                cell(&row["source"]),
                short(&row["first"]),
                time("first"),
                short(&row["last"]),
                time("last"),
                cell(&row["name"]),
                cell(&row["end"]),
            ]
        },
    );
    Ok(Exit::Done)
}

fn cell(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(String::new, |text| text.escape_debug().to_string())
}

fn short(snapshot: &serde_json::Value) -> String {
    let id = cell(&snapshot["id"]);
    id.get(..8).map_or(id.clone(), str::to_owned)
}

fn state(row: &serde_json::Value) -> &'static str {
    match (row["current"] == true, row["in_recycle_bin"] == true) {
        (false, _) => "gone or renamed",
        (true, true) => "in the recycle bin",
        (true, false) => "current",
    }
}
