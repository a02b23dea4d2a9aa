//! The small service: projects with notes (listed), logs with remarks and files (a stream with a cursor).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use model::{Class, ItemRef};
use proptest::prelude::*;
use service::{
    Crawl, Crawled, Cursor, Error, Fidelity, Found, Item, Kind, KindSpec, Layout, Outcome, Pass,
    Restore, Result, Scope, Searched, Service, StoredItem, Target, TextOf,
};

#[derive(Clone, Debug)]
pub(crate) enum Change {
    AddProject(u8),
    RemoveProject(u8),
    AddNote(u8, u8),
    RemoveNote(u8, u8),
    Event(u8),
    Remark(u8),
    Bin(u8),
    Unbin(u8),
    Destroy(u8),
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let (project, id) = (0..3_u8, 0..25_u8);
    prop_oneof![
        project.clone().prop_map(Change::AddProject),
        (1..3_u8).prop_map(Change::RemoveProject),
        (project.clone(), 0..4_u8).prop_map(|(project, id)| Change::AddNote(project, id)),
        (project, 0..2_u8).prop_map(|(project, id)| Change::RemoveNote(project, id)),
        id.clone().prop_map(Change::Event),
        id.clone().prop_map(Change::Remark),
        id.clone().prop_map(Change::Bin),
        id.clone().prop_map(Change::Unbin),
        id.prop_map(Change::Destroy),
    ]
}

#[derive(Default)]
struct Log {
    events: Vec<String>,
    remarks: Vec<String>,
    binned: bool,
    file: Option<Vec<u8>>,
}

/// What the service holds.
#[derive(Default)]
pub(crate) struct World {
    notes: BTreeMap<String, BTreeMap<u8, u64>>,
    logs: BTreeMap<u8, Log>,
    /// In order of change: the log, and its new event if there is one.
    stream: Vec<(u8, Option<String>)>,
    count: u64,
    /// Ids are never used again.
    destroyed: BTreeSet<u8>,
    failing: Option<(&'static str, Class)>,
    /// Items that the failing kind still gives.
    patience: usize,
    unreadable: BTreeSet<u8>,
}

pub(crate) type Shared = Arc<Mutex<World>>;

impl World {
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        self.notes.entry("p0".to_owned()).or_default();
        for change in changes {
            self.count += 1;
            let count = self.count;
            match change {
                Change::AddProject(project) => {
                    self.notes.entry(format!("p{project}")).or_default();
                }
                Change::RemoveProject(project) => drop(self.notes.remove(&format!("p{project}"))),
                Change::AddNote(project, id) => drop(
                    self.notes
                        .entry(format!("p{project}"))
                        .or_default()
                        .insert(*id, count),
                ),
                Change::RemoveNote(project, id) => drop(
                    self.notes
                        .get_mut(&format!("p{project}"))
                        .and_then(|notes| notes.remove(id)),
                ),
                Change::Event(id) if self.destroyed.contains(id) => {}
                Change::Event(id) => {
                    let event = format!("{{\"event\":\"event <b>{count}</b>\"}}");
                    self.logs.entry(*id).or_default().events.push(event.clone());
                    self.stream.push((*id, Some(event)));
                }
                Change::Remark(id) => self.touch(*id, |log| {
                    log.remarks
                        .push(format!("{{\"remark\":\"remark {count}\"}}"));
                }),
                Change::Bin(id) => self.touch(*id, |log| log.binned = true),
                Change::Unbin(id) => self.touch(*id, |log| log.binned = false),
                Change::Destroy(id) => {
                    if self.logs.remove(id).is_some() {
                        self.destroyed.insert(*id);
                        self.stream.push((*id, None));
                    }
                }
            }
        }
    }

    fn touch(&mut self, id: u8, change: impl FnOnce(&mut Log)) {
        if let Some(log) = self.logs.get_mut(&id) {
            change(log);
            self.stream.push((id, None));
        }
    }

    pub(crate) fn file(&mut self, id: u8, bytes: Vec<u8>) {
        self.touch(id, |log| log.file = Some(bytes));
    }

    pub(crate) fn fail(&mut self, kind: &'static str, class: Class) {
        self.fail_after(kind, class, 0);
    }

    /// The kind gives so many items before it fails.
    pub(crate) fn fail_after(&mut self, kind: &'static str, class: Class, items: usize) {
        self.failing = Some((kind, class));
        self.patience = items;
    }

    /// Notes of this id are listed and cannot be read.
    pub(crate) fn hide_note(&mut self, id: u8) {
        self.unreadable.insert(id);
    }

    pub(crate) fn heal(&mut self) {
        self.failing = None;
        self.unreadable.clear();
    }

    /// Before each answer of the service.
    fn refuse(&mut self, kind: &str) -> Result<()> {
        if self.failing.is_some_and(|(failing, _)| failing == kind) && self.patience > 0 {
            self.patience -= 1;
            return Ok(());
        }
        match self.failing {
            Some((failing, Class::Credential)) if failing == kind => Err(Error::new(
                Class::Credential,
                "credential-refused",
                "signed out",
            )),
            Some((failing, class)) if failing == kind => {
                Err(Error::new(class, "permission-missing", "not allowed"))
            }
            _ => Ok(()),
        }
    }

    /// Every file that a snapshot is to hold, `source.json` aside.
    pub(crate) fn expected(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for (project, notes) in &self.notes {
            files.insert(
                format!("projects/{project}/project.json"),
                project_document(project),
            );
            for (id, text) in notes {
                files.insert(
                    format!("projects/{project}/notes/{id}/note.json"),
                    note_document(*id, *text),
                );
            }
        }
        let lines = |lines: &[String]| {
            lines
                .iter()
                .flat_map(|line| format!("{line}\n").into_bytes())
                .collect::<Vec<u8>>()
        };
        for (id, log) in &self.logs {
            let folder = format!("logs/{:04}/{id}", id / 10);
            files.insert(
                format!("{folder}/log.json"),
                log_document(*id, log.events.len()),
            );
            if !log.events.is_empty() {
                files.insert(format!("{folder}/events.ndjson"), lines(&log.events));
            }
            if !log.remarks.is_empty() {
                files.insert(format!("{folder}/remarks.ndjson"), lines(&log.remarks));
            }
            if log.binned {
                files.insert(format!("{folder}/bin.json"), b"{}".to_vec());
            }
        }
        files
    }
}

fn project_document(id: &str) -> Vec<u8> {
    format!("{{ \"id\": \"{id}\" }}").into_bytes()
}

fn note_document(id: u8, text: u64) -> Vec<u8> {
    format!("{{\"id\":{id},\"text\":\"note {text}\"}}").into_bytes()
}

fn log_document(id: u8, events: usize) -> Vec<u8> {
    format!("{{\"id\":{id},\"events\":{events}}}").into_bytes()
}

/// The three kinds share this; what differs is their `spec` and `crawl`.
struct Fake {
    spec: KindSpec,
    world: Shared,
}

const fn spec(
    name: &'static str,
    parent: Option<&'static str>,
    crawled: Crawled,
    layout: Layout,
) -> KindSpec {
    KindSpec {
        name,
        title: name,
        parent,
        crawled,
        with: None,
        after: &[],
        layout,
        bin: None,
        search: Searched::NAMES,
        read: &[],
        write: &[],
        restore: Fidelity::Full,
    }
}

const NOTE_TEXT: &[TextOf] = &[TextOf::document(&["/text"])];
const LOG_TEXT: &[TextOf] = &[
    TextOf::part("remarks.ndjson", &["/remark"]),
    TextOf::part("events.ndjson", &["/event"]),
];

pub(crate) fn service(world: &Shared) -> &'static Service {
    let item = |folder, shard, document| Layout::Item {
        folder,
        shard,
        document,
    };
    let specs = [
        spec(
            "project",
            None,
            Crawled::Once,
            item("projects", None, "project.json"),
        ),
        KindSpec {
            search: Searched {
                text: NOTE_TEXT,
                project: None,
            },
            ..spec(
                "note",
                Some("project"),
                Crawled::PerParent,
                item("notes", None, "note.json"),
            )
        },
        KindSpec {
            bin: Some("bin.json"),
            search: Searched {
                text: LOG_TEXT,
                project: Some("/events"),
            },
            ..spec(
                "log",
                None,
                Crawled::Once,
                item("logs", Some(10), "log.json"),
            )
        },
        KindSpec {
            with: Some("log"),
            ..spec(
                "remark",
                None,
                Crawled::Once,
                Layout::Lines {
                    part: "remarks.ndjson",
                },
            )
        },
    ];
    let kinds: Vec<&'static dyn Kind> = specs
        .map(|spec| -> &'static dyn Kind {
            Box::leak(Box::new(Fake {
                spec,
                world: Arc::clone(world),
            }))
        })
        .to_vec();
    Box::leak(Box::new(Service {
        name: "fake",
        title: "Fake",
        hosts: &[],
        credentials: &[],
        kinds: Box::leak(kinds.into_boxed_slice()),
        preflight: &NoPreflight,
    }))
}

struct NoPreflight;

#[async_trait]
impl service::preflight::Preflight for NoPreflight {
    async fn check(&self, _http: &service::Client, _organization: &str) -> Vec<service::Check> {
        Vec::new()
    }
}

fn item(kind: &str, scope: &str, id: &str) -> Item {
    Item {
        item: ItemRef::new(kind, scope, id),
        name: format!("{kind} {id}"),
        modified: None,
    }
}

impl Fake {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    async fn projects(&self, cx: &Crawl<'_>) -> Result<()> {
        let ids: Vec<String> = self.lock().notes.keys().cloned().collect();
        for id in ids {
            self.lock().refuse("project")?;
            cx.sink
                .upsert(&item("project", "", &id), &project_document(&id))
                .await?;
        }
        Ok(())
    }

    async fn notes(&self, cx: &Crawl<'_>) -> Result<()> {
        let notes = self
            .lock()
            .notes
            .get(&cx.scope.id)
            .cloned()
            .unwrap_or_default();
        for (id, text) in notes {
            self.lock().refuse("note")?;
            let note = item("note", &cx.scope.id, &id.to_string());
            if self.lock().unreadable.contains(&id) {
                let error = Error::new(Class::Malformed, "answer-not-understood", "not a note");
                let (scope, at) = (&cx.scope.id, Some(note.item.clone()));
                cx.sink.issue(error.to_issue("note", scope, at));
                cx.sink.keep(&note.item).await?;
            } else {
                cx.sink.upsert(&note, &note_document(id, text)).await?;
                cx.sink.done(&note.item).await?;
            }
        }
        Ok(())
    }

    /// First the events of the whole stream, then the logs one by one. A killed crawl goes on with the events since, and leaves the logs that it
    /// has read and that nothing happened to.
    async fn logs(&self, cx: &Crawl<'_>) -> Result<Cursor> {
        let from: usize = cx.cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let (read, mut done): (usize, BTreeSet<u8>) = match cx.sink.resumed() {
            Some(position) => serde_json::from_slice(position).unwrap(),
            None => (from, BTreeSet::new()),
        };
        let stream = self.lock().stream[from..].to_vec();
        let to = from + stream.len();
        for (id, event) in &stream[read - from..] {
            done.remove(id);
            if let Some(event) = event
                && self.lock().logs.contains_key(id)
            {
                let log = ItemRef::new("log", "", &id.to_string());
                cx.sink
                    .append(&log, "events.ndjson", event.as_bytes())
                    .await?;
            }
        }
        let touched: BTreeSet<u8> = stream.iter().map(|(id, _)| *id).collect();
        for id in &touched - &done {
            self.log(cx, id).await?;
            done.insert(id);
            let position = || Ok(serde_json::to_vec(&(to, &done)).unwrap());
            cx.sink.position(&position).await?;
        }
        Ok(to.to_string())
    }

    async fn log(&self, cx: &Crawl<'_>, id: u8) -> Result<()> {
        self.lock().refuse("log")?;
        let reference = ItemRef::new("log", "", &id.to_string());
        let state = self.lock().logs.get(&id).map(|log| {
            (
                log.events.len(),
                log.remarks.join("\n"),
                log.binned,
                log.file.clone(),
            )
        });
        let Some((events, remarks, binned, file)) = state else {
            return cx.sink.delete(&reference).await;
        };
        cx.sink
            .upsert(&item("log", "", &id.to_string()), &log_document(id, events))
            .await?;
        if !remarks.is_empty() {
            cx.sink
                .part(
                    &reference,
                    "remarks.ndjson",
                    format!("{remarks}\n").as_bytes(),
                )
                .await?;
        }
        if binned {
            cx.sink.part(&reference, "bin.json", b"{}").await?;
        } else {
            cx.sink.remove_part(&reference, "bin.json").await?;
        }
        if let Some(file) = file {
            cx.sink
                .stream(&reference, "files/big", &mut file.as_slice())
                .await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for Fake {
    fn spec(&self) -> &KindSpec {
        &self.spec
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let value: serde_json::Value = serde_json::from_slice(document).ok()?;
        let id = value["id"]
            .as_str()
            .map_or_else(|| value["id"].to_string(), str::to_owned);
        Some((format!("{} {id}", self.spec.name), None))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        self.lock().refuse(self.spec.name)?;
        match self.spec.name {
            "project" => self.projects(cx).await.map(|()| None),
            "note" => self.notes(cx).await.map(|()| None),
            _ => self.logs(cx).await.map(Some),
        }
    }

    async fn probe(&self, _http: &service::Client, _scope: &Scope) -> Result<()> {
        Ok(())
    }

    async fn find(&self, _cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        Ok(vec![None; items.len()])
    }

    async fn restore(
        &self,
        _cx: &Restore<'_>,
        _pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        Ok(vec![Outcome::Unchanged; items.len()])
    }

    async fn verify(&self, _cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        Ok(vec![Vec::new(); items.len()])
    }
}
