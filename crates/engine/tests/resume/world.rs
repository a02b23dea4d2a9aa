//! A small service whose crawls can go on from the middle: projects (listed, with a request for each that changed), notes of a project (listed)
//! and logs (a stream by pages, then a document for each that it named). Every request can be the last one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use model::{Class, Issue, ItemRef};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use service::{
    Crawl, Crawled, Cursor, Error, Fidelity, Found, Item, Kind, KindSpec, Layout, Outcome, Pass,
    Restore, Result, Scope, Service, StoredItem, Target,
};
use tokio::sync::Notify;

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Project(u8),
    RemoveProject(u8),
    Note(u8, u8),
    RemoveNote(u8, u8),
    Event(u8),
    Bin(u8),
    Unbin(u8),
    Destroy(u8),
    Hide(u8),
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let (project, id) = (0..4_u8, 0..20_u8);
    prop_oneof![
        1 => project.clone().prop_map(Change::Project),
        1 => (1..4_u8).prop_map(Change::RemoveProject),
        1 => (project.clone(), 0..4_u8).prop_map(|(project, id)| Change::Note(project, id)),
        1 => (project, 0..2_u8).prop_map(|(project, id)| Change::RemoveNote(project, id)),
        3 => id.clone().prop_map(Change::Event),
        1 => id.clone().prop_map(Change::Bin),
        1 => id.clone().prop_map(Change::Unbin),
        1 => id.prop_map(Change::Destroy),
        1 => (0..3_u8).prop_map(Change::Hide),
    ]
}

#[derive(Default)]
struct Project {
    revision: u64,
    notes: BTreeMap<u8, u64>,
}

#[derive(Default)]
struct Log {
    events: Vec<String>,
    binned: bool,
}

#[derive(Default)]
pub(crate) struct World {
    projects: BTreeMap<String, Project>,
    logs: BTreeMap<u8, Log>,
    /// In order of change: the log, and its new event if there is one.
    stream: Vec<(u8, Option<String>)>,
    count: u64,
    destroyed: BTreeSet<u8>,
    /// Logs whose document the service does not give.
    hidden: BTreeSet<u8>,
    pub(crate) requests: u64,
    /// The request that is never answered.
    pub(crate) last: Option<u64>,
    /// Positions in the stream are no longer known.
    pub(crate) forgetful: bool,
    pub(crate) killed: Arc<Notify>,
}

pub(crate) type Shared = Arc<Mutex<World>>;

impl World {
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            self.count += 1;
            let count = self.count;
            match change {
                Change::Project(id) => self.project(*id).revision = count,
                Change::RemoveProject(id) => drop(self.projects.remove(&format!("p{id}"))),
                Change::Note(project, id) => {
                    self.project(*project).notes.insert(*id, count);
                }
                Change::RemoveNote(project, id) => {
                    self.project(*project).notes.remove(id);
                }
                Change::Event(id) if self.destroyed.contains(id) => {}
                Change::Event(id) => {
                    let event = format!("{{\"event\":{count}}}");
                    self.logs.entry(*id).or_default().events.push(event.clone());
                    self.stream.push((*id, Some(event)));
                }
                Change::Bin(id) => self.touch(*id, |log| log.binned = true),
                Change::Unbin(id) => self.touch(*id, |log| log.binned = false),
                Change::Destroy(id) => {
                    if self.logs.remove(id).is_some() {
                        self.destroyed.insert(*id);
                        self.stream.push((*id, None));
                    }
                }
                Change::Hide(id) => drop(self.hidden.insert(*id)),
            }
        }
    }

    fn project(&mut self, id: u8) -> &mut Project {
        self.projects.entry(format!("p{id}")).or_default()
    }

    fn touch(&mut self, id: u8, change: impl FnOnce(&mut Log)) {
        if let Some(log) = self.logs.get_mut(&id) {
            change(log);
            self.stream.push((id, None));
        }
    }
}

fn log_document(id: u8, events: usize) -> Vec<u8> {
    format!("{{\"id\":{id},\"events\":{events}}}").into_bytes()
}

/// The kinds share this; what differs is their `spec` and `crawl`.
struct Fake {
    spec: KindSpec,
    world: Shared,
}

pub(crate) fn service(world: &Shared) -> &'static Service {
    let item = |folder, shard, document| Layout::Item {
        folder,
        shard,
        document,
    };
    let spec = |name, parent, crawled, bin, layout| KindSpec {
        name,
        title: name,
        parent,
        crawled,
        with: None,
        after: &[],
        layout,
        bin,
        search: service::Searched::NAMES,
        read: &[],
        write: &[],
        restore: Fidelity::Full,
    };
    let project = item("projects", None, "project.json");
    let note = item("notes", None, "note.json");
    let log = item("logs", Some(10), "log.json");
    let specs = [
        spec("project", None, Crawled::Once, None, project),
        spec("note", Some("project"), Crawled::PerParent, None, note),
        spec("log", None, Crawled::Once, Some("bin.json"), log),
    ];
    let kinds = specs.map(|spec| -> &'static dyn Kind {
        Box::leak(Box::new(Fake {
            spec,
            world: Arc::clone(world),
        }))
    });
    Box::leak(Box::new(Service {
        name: "fake",
        title: "Fake",
        hosts: &[],
        credentials: &[],
        kinds: Box::leak(kinds.to_vec().into_boxed_slice()),
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

/// Where the crawl of logs stands.
#[derive(Default, Serialize, Deserialize)]
struct Place {
    token: usize,
    seen: BTreeSet<u8>,
    done: BTreeSet<u8>,
}

impl Fake {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    async fn request(&self) {
        let killed = {
            let mut world = self.lock();
            world.requests += 1;
            (world.last == Some(world.requests)).then(|| Arc::clone(&world.killed))
        };
        tokio::task::yield_now().await;
        if let Some(killed) = killed {
            killed.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn projects(&self, cx: &Crawl<'_>) -> Result<()> {
        self.request().await;
        let list: Vec<(String, u64)> = self
            .lock()
            .projects
            .iter()
            .map(|(id, project)| (id.clone(), project.revision))
            .collect();
        for (id, revision) in list {
            let listed = item("project", "", &id);
            let document = format!("{{\"id\":\"{id}\",\"revision\":{revision}}}");
            if cx.prior.document(&listed.item).await?.as_deref() == Some(document.as_bytes()) {
                cx.sink.keep(&listed.item).await?;
                continue;
            }
            // Both have to come, or neither counts.
            cx.sink.upsert(&listed, document.as_bytes()).await?;
            self.request().await;
            let detail = format!("{{\"detail\":{revision}}}");
            cx.sink
                .part(&listed.item, "detail.json", detail.as_bytes())
                .await?;
            cx.sink.done(&listed.item).await?;
        }
        Ok(())
    }

    async fn notes(&self, cx: &Crawl<'_>) -> Result<()> {
        self.request().await;
        let notes = match self.lock().projects.get(&cx.scope.id) {
            Some(project) => project.notes.clone(),
            None => BTreeMap::new(),
        };
        for (id, text) in notes {
            let document = format!("{{\"id\":{id},\"text\":{text}}}");
            let note = item("note", &cx.scope.id, &id.to_string());
            cx.sink.upsert(&note, document.as_bytes()).await?;
        }
        Ok(())
    }

    async fn logs(&self, cx: &Crawl<'_>) -> Result<Cursor> {
        let mut place = match cx.sink.resumed() {
            Some(_) if self.lock().forgetful => {
                return Err(Error::start_again("the token has expired"));
            }
            Some(bytes) => serde_json::from_slice(bytes).unwrap(),
            None => Place {
                token: cx.cursor.map_or(0, |cursor| cursor.parse().unwrap()),
                ..Place::default()
            },
        };
        loop {
            self.request().await;
            let page: Vec<_> = self
                .lock()
                .stream
                .iter()
                .skip(place.token)
                .take(3)
                .cloned()
                .collect();
            for (id, event) in &page {
                let there = self.lock().logs.contains_key(id);
                if let Some(event) = event.as_ref().filter(|_| there) {
                    let log = ItemRef::new("log", "", &id.to_string());
                    cx.sink
                        .append(&log, "events.ndjson", event.as_bytes())
                        .await?;
                }
                place.seen.insert(*id);
                place.done.remove(id);
            }
            place.token += page.len();
            save(cx, &place).await?;
            if page.len() < 3 {
                break;
            }
        }
        for id in place.seen.clone() {
            if !place.done.contains(&id) {
                self.log(cx, id).await?;
                place.done.insert(id);
                save(cx, &place).await?;
            }
        }
        Ok(place.token.to_string())
    }

    async fn log(&self, cx: &Crawl<'_>, id: u8) -> Result<()> {
        let named = item("log", "", &id.to_string());
        self.request().await;
        let state = {
            let world = self.lock();
            world
                .logs
                .get(&id)
                .map(|log| (log.events.len(), log.binned, world.hidden.contains(&id)))
        };
        let Some((events, binned, hidden)) = state else {
            return cx.sink.delete(&named.item).await;
        };
        if hidden {
            cx.sink.issue(Issue {
                code: "not-found".to_owned(),
                class: Class::Missing,
                kind: "log".to_owned(),
                scope: String::new(),
                item: Some(named.item),
                message: format!("log {id} is hidden"),
                hint: None,
            });
            return Ok(());
        }
        cx.sink.upsert(&named, &log_document(id, events)).await?;
        self.request().await;
        if binned {
            cx.sink.part(&named.item, "bin.json", b"{}").await
        } else {
            cx.sink.remove_part(&named.item, "bin.json").await
        }
    }
}

async fn save(cx: &Crawl<'_>, place: &Place) -> Result<()> {
    cx.sink
        .position(&|| Ok(serde_json::to_vec(place).unwrap()))
        .await
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
