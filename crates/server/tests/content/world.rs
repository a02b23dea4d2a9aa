//! A server with one repository, into which tests write what they like.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::Request;
use catalog::{Change, IndexChange, ItemState, SnapshotRow, SourceKey};
use control::Reach;
use jiff::{SignedDuration, Timestamp};
use model::{Clock, ItemRef, Role, Secret, Silent, SourceFile, SourceId};
use repository::{
    BlobType, FileContent, Holder, InitOptions, Limit, Node, PruneOptions, Repository, Snapshot,
    TreeEditor, store_from,
};
use server::access::{Caller, CallerKind};
use server::{Options, Server};
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) use crate::answer::Answer;
use crate::installed::control;
use crate::remembered::remember;

static SERVICES: &[&service::Service] = &[&azure_devops::AZURE_DEVOPS];

struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) repository: Repository,
    clock: Arc<dyn Clock>,
    pub(crate) folder: TempDir,
}

/// A value of a query.
pub(crate) fn escaped(value: &str) -> String {
    let bytes: Vec<String> = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
    bytes.concat()
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = folder.path().join("repository").display().to_string();
        let clock: Arc<dyn Clock> = Arc::new(Ticking(AtomicI64::new(1_800_000_000)));
        let (store, _) = store_from(&location).unwrap();
        let options = InitOptions {
            created: Timestamp::UNIX_EPOCH,
            hostname: "host".to_owned(),
            username: "user".to_owned(),
        };
        let repository = Repository::init(store, &Secret::new("password"), &options)
            .await
            .unwrap();
        let reach = Reach::usual(Arc::clone(&clock)).unwrap();
        let control = control(folder.path(), SERVICES, Arc::clone(&clock), reach).await;
        remember(&control, &location, &repository.id().to_string()).await;
        Self {
            server: Server::new(control, Options::default()),
            repository,
            clock,
            folder,
        }
    }

    /// Writes a snapshot of these files, and lists the items in the catalog; its id.
    pub(crate) async fn snapshot(
        &self,
        source: &str,
        files: &BTreeMap<String, Vec<u8>>,
        items: &[(&str, &str, &str)],
    ) -> String {
        self.snapshot_described(source, files, items, "{}").await
    }

    /// The same with its description.
    pub(crate) async fn snapshot_described(
        &self,
        source: &str,
        files: &BTreeMap<String, Vec<u8>>,
        items: &[(&str, &str, &str)],
        source_file: &str,
    ) -> String {
        let now = self.clock.now();
        let holder = Holder::new("test", Arc::clone(&self.clock));
        let lock = self.repository.lock_shared(&holder).await.unwrap();
        let mut writer = self.repository.writer();
        let mut editor = TreeEditor::new(&mut writer, None);
        // By components, as the editor wants it.
        let mut sorted: Vec<(Vec<&str>, &Vec<u8>)> = files
            .iter()
            .map(|(path, bytes)| (path.split('/').collect(), bytes))
            .collect();
        sorted.sort();
        for (path, bytes) in sorted {
            let mut content = FileContent::default();
            for piece in bytes.chunks(1 << 20) {
                let blob = editor.writer().blob(BlobType::Data, piece).await.unwrap();
                content.blobs.push(blob);
                content.size += piece.len() as u64;
            }
            // What did not change has the same time, as in a real backup.
            let node = Node::file("", content, Timestamp::UNIX_EPOCH);
            editor.put(&path, node).await.unwrap();
        }
        let tree = editor.finish().await.unwrap();
        let id = writer.commit(&Snapshot::new(now, tree), &lock).await;
        let id = id.unwrap().to_string();
        lock.release().await.unwrap();
        let row = SnapshotRow {
            id: id.clone(),
            time: now,
            tree: tree.to_string(),
            source_file: source_file.to_owned(),
            ..self.row("https://dev.azure.com", source)
        };
        let items = items
            .iter()
            .map(|(kind, id, path)| added(ItemRef::new(kind, "", id), id, path));
        let items: Vec<IndexChange> = items.collect();
        let catalog = &self.server.control.catalog;
        catalog.add_snapshot(&row, items).await.unwrap();
        id
    }

    /// A snapshot of this source as the catalog lists it, in the one repository.
    fn row(&self, url: &str, source: &str) -> SnapshotRow {
        SnapshotRow {
            source: SourceKey {
                repository: self.repository.id().to_string(),
                id: SourceId::new("azure-devops", url, source),
            },
            name: source.to_lowercase(),
            id: String::new(),
            time: self.clock.now(),
            run: String::new(),
            tree: String::new(),
            parent: None,
            counts: BTreeMap::new(),
            source_file: "{}".to_owned(),
        }
    }

    /// Lists a snapshot that is in the catalog alone, with one item.
    pub(crate) async fn list(&self, (url, source): (&str, &str), id: &str, item: IndexChange) {
        let row = SnapshotRow {
            id: id.to_owned(),
            ..self.row(url, source)
        };
        let catalog = &self.server.control.catalog;
        catalog.add_snapshot(&row, [item]).await.unwrap();
        catalog.index_texts().await.unwrap();
    }

    /// The same with its description, and no more in the catalog than these items.
    pub(crate) async fn describe(&self, id: &str, source_file: &str, items: Vec<IndexChange>) {
        let described: Option<SourceFile> = serde_json::from_str(source_file).ok();
        let row = SnapshotRow {
            id: id.to_owned(),
            counts: described.map(|source| source.counts).unwrap_or_default(),
            source_file: source_file.to_owned(),
            ..self.row("https://dev.azure.com", "contoso")
        };
        let catalog = &self.server.control.catalog;
        catalog.add_snapshot(&row, items).await.unwrap();
    }

    /// As another program forgets a snapshot and removes its data.
    pub(crate) async fn forget(&self, id: &str) {
        let ids = [id.parse().unwrap()];
        self.repository.forget(&ids).await.unwrap();
        let holder = Holder::new("other", Arc::clone(&self.clock));
        let options = PruneOptions {
            max_unused: Limit::Bytes(0),
            max_repack_bytes: None,
            grace: SignedDuration::ZERO,
        };
        let pruned = self.repository.prune(&holder, &options, &Silent).await;
        pruned.unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Caller::local(), path, &[]).await
    }

    pub(crate) async fn ask(&self, caller: Caller, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("/api/v1{path}")).extension(caller);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        Answer::of(self.server.router().oneshot(request).await.unwrap()).await
    }

    /// Packs of the repository as files on disk, the largest first.
    pub(crate) fn packs(&self) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.folder.path().join("repository/data")];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        found.sort_by_key(|path| std::cmp::Reverse(std::fs::metadata(path).unwrap().len()));
        found
    }
}

/// An item that a snapshot was the first to have.
pub(crate) fn added(item: ItemRef, name: &str, path: &str) -> IndexChange {
    IndexChange {
        item,
        name: name.to_owned(),
        path: path.to_owned(),
        digest: "d".to_owned(),
        size: 1,
        modified: None,
        state: ItemState::Live,
        change: Change::Added,
        text: String::new(),
        project: String::new(),
    }
}

/// Somebody with a role who reaches these connectors.
pub(crate) fn person(role: Role, connectors: Option<&[&str]>) -> Caller {
    let mut caller = Caller::local();
    "anna".clone_into(&mut caller.name);
    caller.kind = CallerKind::Person;
    caller.roles = [role].into();
    caller.connectors =
        connectors.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    caller
}
