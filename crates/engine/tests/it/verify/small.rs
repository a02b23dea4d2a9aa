//! A small service: boxes with things in them, which have remarks (lines), files, and members that refer to others.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use engine::verify::{VerifyContext, VerifyReport, verify};
use futures::TryStreamExt as _;
use jiff::Timestamp;
use model::{Class, Issue, ItemRef, KindCounts, Picks, Silent, SourceFile};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{Change, Holder, Node, Op, Repository, Snapshot, SnapshotId};
use serde::Deserialize;
use service::inspect::Tie;
use service::{
    Crawl, Crawled, Cursor, Fidelity, Found, Inspect, Inspection, Kind, KindSpec, Layout, Outcome,
    Pass, Restore, Result, Scope, Service, StoredItem, Target,
};
use tokio_util::sync::CancellationToken;

use crate::harness::At;
use crate::quick;
use crate::stand_in::NoPreflight;

/// What a snapshot is to hold, and what it says of itself.
#[derive(Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>, pub(crate) Described);

#[derive(Clone)]
pub(crate) struct Described {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) selection: &'static [&'static str],
    pub(crate) picks: Picks,
    pub(crate) issues: Vec<Issue>,
}

impl std::ops::Deref for Files {
    type Target = Described;

    fn deref(&self) -> &Described {
        &self.1
    }
}

impl std::ops::DerefMut for Files {
    fn deref_mut(&mut self) -> &mut Described {
        &mut self.1
    }
}

impl Files {
    /// Things refer forward, backward, by id and by name, and all of it is there.
    pub(crate) fn whole() -> Self {
        let files = [
            ("boxes/a/box.json", "{\"id\":\"A\",\"name\":\"Box A\"}"),
            (
                "boxes/a/things/1/thing.json",
                "{\"id\":1,\"file\":\"f\",\"see\":\"3\",\"near\":\"box b\"}",
            ),
            ("boxes/a/things/1/remarks.ndjson", "{}\n{\"a\":\"b\"}"),
            ("boxes/a/things/1/files/f", "no JSON at all"),
            (
                "boxes/a/things/2/thing.json",
                "{\"id\":2,\"see\":\"1\",\"near\":\"BOX A\"}",
            ),
            ("boxes/a/things/2/copy", "no JSON at all"),
            ("boxes/b/box.json", "{\"id\":\"b\",\"name\":\"Box B\"}"),
            ("boxes/b/things/3/thing.json", "{\"id\":3,\"file\":\"F\"}"),
        ];
        let files = files
            .into_iter()
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        let described = Described {
            counts: BTreeMap::from([("box", 2), ("thing", 3), ("remark", 2), ("file", 1)]),
            selection: &["box", "thing", "remark", "file"],
            picks: Picks::default(),
            issues: Vec::new(),
        };
        Self(files.collect(), described)
    }

    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) {
        self.0.insert(path.to_owned(), bytes.to_vec());
    }

    pub(crate) fn drop(&mut self, path: &str) {
        self.0.remove(path).unwrap();
    }

    fn source(&self) -> SourceFile {
        let counts = self.counts.iter().map(|(kind, items)| {
            let counts = KindCounts {
                items: *items,
                ..KindCounts::default()
            };
            ((*kind).to_owned(), counts)
        });
        let source = serde_json::json!({
            "schema": 1, "service": "small", "source": "here", "url": "https://example.invalid", "connector": "here", "run": "r", "job": "j",
            "token": 1, "started": time(), "finished": time(), "selection": self.selection, "picks": self.picks, "cursors": {},
            "counts": counts.collect::<BTreeMap<_, _>>(), "issues": self.issues,
        });
        serde_json::from_value(source).unwrap()
    }
}

pub(crate) fn issue(kind: &str, id: &str, class: Class) -> Issue {
    Issue {
        code: "not-found".to_owned(),
        class,
        kind: kind.to_owned(),
        scope: String::new(),
        item: Some(ItemRef::new(kind, "", id)),
        message: "it is not there".to_owned(),
        hint: None,
    }
}

fn time() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

/// A snapshot in a repository.
pub(crate) struct Built {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) cancel: CancellationToken,
    repository: Repository,
    snapshot: SnapshotId,
}

impl Built {
    pub(crate) async fn new(files: &Files) -> Self {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        quick::make(store.as_ref()).await;
        let repository = quick::open(&store).await.unwrap();
        Self::write(store, repository, files, None).await
    }

    /// Another snapshot of the same source in the same repository.
    pub(crate) async fn next(&self, files: &Files) -> Self {
        Self::write(
            Arc::clone(&self.store),
            self.repository.clone(),
            files,
            Some(self.snapshot),
        )
        .await
    }

    async fn write(
        store: Arc<dyn ObjectStore>,
        repository: Repository,
        files: &Files,
        parent: Option<SnapshotId>,
    ) -> Self {
        let lock = repository
            .lock_shared(&Holder::new("test", Arc::new(At(time()))))
            .await
            .unwrap();
        let mut writer = repository.writer();
        let mut all = files.0.clone();
        all.insert(
            "source.json".to_owned(),
            serde_json::to_vec(&files.source()).unwrap(),
        );
        let mut changes = Vec::new();
        for (path, bytes) in all {
            let content = writer.bytes(&bytes).await.unwrap();
            let name = path.rsplit('/').next().unwrap().to_owned();
            changes.push(Change {
                path: path.split('/').map(str::to_owned).collect(),
                op: Op::Put(Box::new(Node::file(name, content, time()))),
            });
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        let tree = writer.update(None, changes).await.unwrap();
        let mut snapshot = Snapshot::new(time(), tree);
        snapshot.parent = parent;
        snapshot.tags = vec!["source=here".to_owned()];
        let snapshot = writer.commit(&snapshot, &lock).await.unwrap();
        lock.release().await.unwrap();
        Self {
            store,
            cancel: CancellationToken::new(),
            repository,
            snapshot,
        }
    }

    /// As somebody sees it who has read nothing of it yet.
    pub(crate) async fn opened(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            cancel: CancellationToken::new(),
            repository: quick::open(&self.store).await.unwrap(),
            snapshot: self.snapshot,
        }
    }

    pub(crate) async fn forget(&self, other: &Self) {
        self.repository.forget(&[other.snapshot]).await.unwrap();
    }

    pub(crate) async fn packs(&self) -> Vec<(Path, Bytes)> {
        let listed: Vec<_> = self
            .store
            .list(Some(&Path::from("data")))
            .try_collect()
            .await
            .unwrap();
        let mut packs = Vec::new();
        for file in listed {
            let bytes = self.store.get(&file.location).await.unwrap();
            packs.push((file.location, bytes.bytes().await.unwrap()));
        }
        packs
    }

    pub(crate) async fn verify(&self) -> VerifyReport {
        self.try_verify().await.unwrap()
    }

    pub(crate) async fn try_verify(&self) -> engine::Result<VerifyReport> {
        let work = tempfile::tempdir().unwrap();
        let cx = VerifyContext {
            repository: &self.repository,
            service: &SMALL,
            reporter: &Silent,
            cancel: &self.cancel,
            work: work.path(),
        };
        verify(&cx, self.snapshot).await
    }
}

struct Small(KindSpec);

const fn spec(
    name: &'static str,
    parent: Option<&'static str>,
    with: Option<&'static str>,
    layout: Layout,
) -> Small {
    Small(KindSpec {
        name,
        title: name,
        parent,
        crawled: Crawled::Once,
        with,
        after: &[],
        layout,
        bin: None,
        search: service::Searched::NAMES,
        read: &[],
        write: &[],
        restore: Fidelity::Full,
    })
}

const fn folder(folder: &'static str, document: &'static str) -> Layout {
    Layout::Item {
        folder,
        shard: None,
        document,
    }
}

static BOX: Small = spec("box", None, None, folder("boxes", "box.json"));
static THING: Small = spec("thing", Some("box"), None, folder("things", "thing.json"));
static REMARK: Small = spec(
    "remark",
    None,
    Some("thing"),
    Layout::Lines {
        part: "remarks.ndjson",
    },
);
static FILE: Small = spec(
    "file",
    None,
    Some("thing"),
    Layout::Files { folder: "files" },
);

static SMALL: Service = Service {
    name: "small",
    title: "Small",
    hosts: &[],
    kinds: &[&BOX, &THING, &REMARK, &FILE],
    preflight: &NoPreflight,
};

#[derive(Deserialize)]
struct Document {
    id: serde_json::Value,
    name: Option<String>,
    file: Option<String>,
    see: Option<String>,
    near: Option<String>,
    #[serde(default)]
    broken: bool,
}

#[async_trait]
impl Kind for Small {
    fn spec(&self) -> &KindSpec {
        &self.0
    }

    fn describe(&self, _document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        None
    }

    async fn crawl(&self, _cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        Ok(None)
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

    async fn inspect(
        &self,
        cx: &Inspect<'_>,
        item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        let read: Document = serde_json::from_slice(document).unwrap();
        assert_eq!(cx.source, "here");
        assert_eq!(
            cx.stored.document(item).await?.unwrap(),
            document,
            "what was read already"
        );
        let mut found = Inspection {
            id: Some(
                read.id
                    .as_str()
                    .map_or_else(|| read.id.to_string(), str::to_owned),
            ),
            aliases: read.name.into_iter().collect(),
            ..Inspection::default()
        };
        let name = if item.kind == "box" {
            "box.json"
        } else {
            "thing.json"
        };
        for (kind, to, tie) in [
            ("file", read.file, Tie::Need),
            ("thing", read.see, Tie::Link),
            ("box", read.near, Tie::Name),
        ] {
            if let Some(to) = to {
                found.refer(kind, to, tie, name);
            }
        }
        if read.broken {
            found.damage("part-size-differs", name, "it says so itself");
        }
        // Reading a file here is enough: nobody reads it again.
        for part in cx.stored.parts(item).await? {
            if part.name == "copy" {
                cx.stored
                    .copy(item, &part.name, &mut tokio::io::sink())
                    .await?;
            }
        }
        Ok(found)
    }
}
