//! `keepward snapshot search` and `history`: what the index of the catalog knows.

use std::collections::BTreeMap;

use catalog::{IndexEntry, ItemState, KnownSnapshot, Page, Query, SourceKey, TextFilter};
use clap::Args;
use jiff::Timestamp;
use model::{Event, Reporter as _};

use super::source::{Shared, is_called};
use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};
use crate::progress::Progress;
use crate::services::SERVICES;
use crate::visible::visible;

#[derive(Args)]
pub(crate) struct Search {
    /// Words that name, id and text of an item have: '"log in"' next to each other, ' -word' nowhere, 'pay*' as a beginning
    #[arg(required = true)]
    pub(super) text: Vec<String>,
    /// Only in this organization
    #[arg(long)]
    pub(super) source: Option<String>,
    /// Only of this kind
    #[arg(long)]
    pub(super) kind: Option<String>,
    /// Only in this project, by its name or id; where none is called so, in those with this in their names
    #[arg(long)]
    pub(super) project: Option<String>,
    /// Only what a snapshot of this time or later has
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<Timestamp>,
    /// Only what a snapshot of this time or earlier has
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<Timestamp>,
    /// At most this many
    #[arg(long, default_value_t = 100)]
    pub(super) limit: u32,
}

#[derive(Args)]
pub(crate) struct History {
    /// A kind, for example work-item
    pub(super) kind: String,
    /// The item's id
    pub(super) id: String,
    /// Only in this organization
    #[arg(long)]
    pub(super) source: Option<String>,
}

/// The sources that are asked, each with its snapshots, the oldest first.
struct Known(BTreeMap<SourceKey, Vec<KnownSnapshot>>);

impl Known {
    async fn of(app: &App, wanted: Option<&str>) -> Result<Self, Failure> {
        let mut known = BTreeMap::new();
        for source in app.catalog.sources().await? {
            let address = &source.key.id.address;
            if wanted.is_some_and(|wanted| !is_called(wanted, &source.name, address)) {
                continue;
            }
            let mut snapshots = app.catalog.source_snapshots(&source.key).await?;
            snapshots.reverse();
            if !snapshots.is_empty() {
                known.insert(source.key, snapshots);
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
            "source": last.map(|last| &last.name), "address": source.id.address, "repository": source.repository, "kind": entry.item.kind, "scope": entry.item.scope, "id": entry.item.id,
            "name": entry.name, "path": entry.path, "modified": entry.modified.map(|time| time.to_string()),
            "in_recycle_bin": entry.state == ItemState::Binned, "first": place(first), "last": place(last), "current": entry.gone_seq.is_none(),
        })
    }
}

impl Search {
    pub(super) fn query(&self) -> String {
        self.text.join(" ")
    }

    fn filter(&self, known: &Known) -> TextFilter {
        let sources = known.0.keys();
        TextFilter {
            kind: self.kind.clone(),
            project: self.project.clone(),
            since: self.since,
            until: self.until,
            sources: Some(sources.map(|source| source.id.clone()).collect()),
            ..TextFilter::default()
        }
    }
}

/// The text around a hit on one line; hits are marked.
pub(super) fn excerpt<'p>(pieces: impl Iterator<Item = (&'p str, bool)>) -> String {
    let mut line = String::new();
    for (text, hit) in pieces {
        let text = text.replace('\n', " ");
        let text = visible(text);
        line.push_str(if hit { "[" } else { "" });
        line.push_str(&text);
        line.push_str(if hit { "]" } else { "" });
    }
    line
}

/// So many texts take no longer than a moment, of which nobody needs to be told.
const MOMENT: u64 = 5000;

/// Makes searchable what backups have brought since the last search: they leave it to whoever searches.
async fn index(app: &App, output: &Output) -> Result<(), Failure> {
    let expected = app.catalog.texts_to_index().await?;
    if expected <= MOMENT {
        return Ok(app.catalog.index_texts().await?);
    }
    if !output.is_terminal() && !output.json {
        output.notice(format!(
            "indexing the words of {expected} items, once: the next search needs none of it"
        ));
    }
    let progress = Progress::new(output);
    let indexed = app.catalog.index_texts_telling(|items| {
        progress.report(Event::Progress {
            phase: "index words".to_owned(),
            current: None,
            items,
            expected: Some(expected),
            bytes: 0,
            requests: 0,
            budget_left: None,
        });
    });
    let indexed = indexed.await;
    progress.finish();
    Ok(indexed?)
}

pub(super) async fn search(app: &App, search: Search, output: &Output) -> Result<Exit, Failure> {
    index(app, output).await?;
    let known = Known::of(app, search.source.as_deref()).await?;
    let text = search.query();
    let (query, filter) = (Query::parse(&text), search.filter(&known));
    let mut rows = Vec::new();
    let mut page = Some(Page::first(search.limit.clamp(1, 500)));
    let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
    while let (Some(this), true) = (&page, rows.len() < limit) {
        let found = app.catalog.search_text(&query, &filter, this).await?;
        rows.extend(found.items.iter().map(|hit| {
            let mut row = known.row(&hit.source, &hit.entry);
            let pieces = hit.excerpt.iter();
            row["project"] = hit.project.clone().into();
            row["excerpt"] = excerpt(pieces.map(|piece| (piece.text.as_str(), piece.hit))).into();
            row
        }));
        page = this.following(&found);
    }
    let more = rows.len() > limit || page.is_some();
    rows.truncate(limit);
    if rows.is_empty() {
        output.line(format!("nothing is or was found by: {text}"));
        return Ok(Exit::Done);
    }
    output.rows(&HEAD, &rows, |row| {
        vec![
            cell(&row["kind"]),
            cell(&row["id"]),
            cell(&row["name"]),
            state(row).to_owned(),
            short(&row["last"]),
            row["excerpt"].as_str().unwrap_or("").to_owned(),
        ]
    });
    if more {
        output.line(format!("the first {limit}; more with --limit"));
    }
    Ok(Exit::Done)
}

pub(super) const HEAD: [&str; 6] = ["kind", "id", "name", "state", "last snapshot", "text"];

/// Refuses a kind that no service has.
pub(super) fn known_kind(wanted: &str) -> Result<(), Failure> {
    let kinds: Vec<&str> = SERVICES
        .iter()
        .flat_map(|service| service.kinds)
        .map(|kind| kind.spec().name)
        .collect();
    if kinds.contains(&wanted) {
        return Ok(());
    }
    let mut failure = Failure::coded("kind-unknown", format!("there is no kind {wanted}"));
    failure.hint = Some(format!("the kinds are {}", kinds.join(", ")));
    Err(failure)
}

pub(super) async fn history(app: &App, history: History, output: &Output) -> Result<Exit, Failure> {
    known_kind(&history.kind)?;
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
    tell_history(&history, &rows, output)?;
    Ok(Exit::Done)
}

pub(super) fn tell_history(
    history: &History,
    rows: &[serde_json::Value],
    output: &Output,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Err(Failure::usage(
            format!("no snapshot has the {} {}", history.kind, history.id),
            "keepward snapshot search TEXT finds items by name or id",
        ));
    }
    let shared = Shared::of(rows);
    output.rows(
        &["source", "first", "of", "last", "of", "name", "state"],
        rows,
        |row| {
            let time = |snapshot: &str| moment(&cell(&row[snapshot]["time"]));
            vec![
                shared.shown(row),
                short(&row["first"]),
                time("first"),
                short(&row["last"]),
                time("last"),
                cell(&row["name"]),
                cell(&row["end"]),
            ]
        },
    );
    Ok(())
}

fn cell(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(String::new, visible)
}

fn short(snapshot: &serde_json::Value) -> String {
    let id = cell(&snapshot["id"]);
    id.get(..8).map_or(id.clone(), str::to_owned)
}

pub(super) fn state(row: &serde_json::Value) -> &'static str {
    match (row["current"] == true, row["in_recycle_bin"] == true) {
        (false, _) => "gone or renamed",
        (true, true) => "in the recycle bin",
        (true, false) => "current",
    }
}
