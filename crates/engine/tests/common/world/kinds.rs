//! The kinds of the small service, and how they are crawled.

use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, MutexGuard};
use std::task::{self, Poll};

use async_trait::async_trait;
use jiff::Timestamp;
use model::{Class, ItemRef};
use serde::{Deserialize, Serialize};
use service::{
    Crawl, Crawled, Cursor, Error, Fidelity, Found, Item, Kind, KindSpec, Layout, Outcome, Pass,
    Restore, Result, Scope, Searched, Service, StoredItem, Target, TextOf,
};
use tokio::io::{AsyncRead, ReadBuf};

use super::{
    Log, Shared, World, detail_document, lines, log_document, note_document, project_document,
};
use crate::stand_in::NoPreflight;

/// The kinds share this; what differs is their `spec` and `crawl`.
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

fn specs() -> [KindSpec; 4] {
    let item = |folder, shard, document| Layout::Item {
        folder,
        shard,
        document,
    };
    [
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
    ]
}

pub(crate) fn service(world: &Shared) -> &'static Service {
    let kinds: Vec<&'static dyn Kind> = specs()
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
        kinds: Box::leak(kinds.into_boxed_slice()),
        preflight: &NoPreflight,
    }))
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

    async fn request(&self) -> Result<()> {
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
        self.lock().refuse(self.spec.name)
    }

    async fn projects(&self, cx: &Crawl<'_>) -> Result<()> {
        self.request().await?;
        let list: Vec<(String, u64)> = self
            .lock()
            .projects
            .iter()
            .map(|(id, project)| (id.clone(), project.revision))
            .collect();
        for (id, revision) in list {
            let listed = item("project", "", &id);
            let document = project_document(&id, revision);
            if !cx.order.full
                && cx.prior.document(&listed.item).await?.as_deref() == Some(&document)
            {
                cx.sink.keep(&listed.item).await?;
                continue;
            }
            // Both have to come, or neither counts.
            cx.sink.upsert(&listed, &document).await?;
            self.request().await?;
            if self.lock().no_details {
                self.hide(cx, &listed.item);
            } else {
                let detail = detail_document(revision);
                cx.sink.part(&listed.item, "detail.json", &detail).await?;
            }
            cx.sink.done(&listed.item).await?;
        }
        Ok(())
    }

    async fn notes(&self, cx: &Crawl<'_>) -> Result<()> {
        self.request().await?;
        if self.lock().closed.contains(&cx.scope.id) {
            let refused = "not these";
            return Err(Error::new(Class::Permission, "permission-missing", refused));
        }
        let notes = self
            .lock()
            .projects
            .get(&cx.scope.id)
            .map(|project| project.notes.clone());
        for (id, text) in notes.into_iter().flatten() {
            self.request().await?;
            let note = item("note", &cx.scope.id, &id.to_string());
            if self.lock().hidden_notes.contains(&id) {
                self.hide(cx, &note.item);
            } else {
                cx.sink.upsert(&note, &note_document(id, text)).await?;
                cx.sink.done(&note.item).await?;
            }
        }
        Ok(())
    }

    /// First the pages of the stream, then the logs that it named. A killed crawl goes on with the pages since, and leaves the logs that it has
    /// read and that nothing happened to.
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
            self.request().await?;
            let page: Vec<_> = {
                let world = self.lock();
                let rest = world.stream.iter().skip(place.token);
                rest.take(3).cloned().collect()
            };
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
        let doubted: Vec<ItemRef> = {
            let world = self.lock();
            let ids = world.doubted_logs.iter();
            ids.map(|id| ItemRef::new("log", "", &id.to_string()))
                .collect()
        };
        if !doubted.is_empty() {
            let error = Error::new(
                Class::Implausible,
                "implausible-drop",
                "some are not listed",
            );
            cx.sink.doubt(error.to_issue("log", "", None), &doubted);
        }
        for id in &place.seen - &place.done {
            self.log(cx, id).await?;
            place.done.insert(id);
            save(cx, &place).await?;
        }
        Ok(place.token.to_string())
    }

    async fn log(&self, cx: &Crawl<'_>, id: u8) -> Result<()> {
        self.request().await?;
        let named = item("log", "", &id.to_string());
        let (log, hidden): (Option<Log>, bool) = {
            let world = self.lock();
            (
                world.logs.get(&id).cloned(),
                world.hidden_logs.contains(&id),
            )
        };
        let Some(log) = log else {
            return cx.sink.delete(&named.item).await;
        };
        if hidden {
            self.hide(cx, &named.item);
            return Ok(());
        }
        cx.sink.upsert(&named, &log_document(id, &log)).await?;
        // Without any the snapshot is to have no such file.
        cx.sink
            .part(&named.item, "remarks.ndjson", &lines(&log.remarks))
            .await?;
        self.request().await?;
        if log.binned {
            cx.sink.part(&named.item, "bin.json", b"{}").await?;
        } else {
            cx.sink.remove_part(&named.item, "bin.json").await?;
        }
        if let Some(file) = log.file {
            let cut = self.lock().cut;
            let mut answer = Answer {
                breaks: cut.is_some(),
                rest: &file[..cut.unwrap_or(file.len())],
            };
            cx.sink
                .stream(&named.item, "files/big", &mut answer)
                .await?;
        }
        Ok(())
    }

    fn hide(&self, cx: &Crawl<'_>, item: &ItemRef) {
        let error = Error::new(
            Class::Malformed,
            "answer-not-understood",
            format!("{item} is hidden"),
        );
        let scope = &cx.scope.id;
        cx.sink
            .issue(error.to_issue(self.spec.name, scope, Some(item.clone())));
    }
}

/// The body of an answer, which may break off.
struct Answer<'a> {
    rest: &'a [u8],
    breaks: bool,
}

impl AsyncRead for Answer<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() && self.breaks {
            let cut = Error::new(Class::Transient, "answer-cut-short", "it closed");
            return Poll::Ready(Err(io::Error::other(cut)));
        }
        let (now, later) = self.rest.split_at(self.rest.len().min(into.remaining()));
        into.put_slice(now);
        self.rest = later;
        Poll::Ready(Ok(()))
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

    fn is_filtered(&self) -> bool {
        self.lock().filtered
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
