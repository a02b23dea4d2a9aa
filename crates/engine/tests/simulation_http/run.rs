//! Backups of the organization into one repository, and what they hold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use azure_devops::AZURE_DEVOPS;
use engine::backup::{BackupContext, BackupRequest};
use engine::coordinator::{Beat, Coordinator, Rows, SnapshotInfo};
use engine::layout::Layouts;
use fault_store::{FaultStore, Plan};
use futures::StreamExt as _;
use jiff::SignedDuration;
use model::{Clock, Silent, SourceFile};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use rand::RngExt as _;
use rand::rngs::StdRng;
use repository::{CheckOptions, ReadData, Repository, SnapshotId, TreeId};

use crate::organization::Organization;
use crate::process::process;
use crate::quick;
use crate::stand_in::{Ticks, request};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

struct Catalog;

#[async_trait]
impl Coordinator for Catalog {
    async fn beat(&self) -> engine::Result<Beat> {
        Ok(Beat { cancel: false })
    }

    async fn permit_commit(&self) -> engine::Result<()> {
        Ok(())
    }

    async fn index(&self, _snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> engine::Result<()> {
        while rows.next().await?.is_some() {}
        Ok(())
    }
}

/// A storage that fails or dies, now and then.
pub(crate) fn plan(random: &mut StdRng) -> Plan {
    let plan = Plan {
        seed: random.random(),
        ..Plan::default()
    };
    match random.random_range(0..6) {
        0 => Plan {
            crash_at: Some(random.random_range(0..40)),
            ..plan
        },
        1 => Plan {
            errors: random.random_range(1..60),
            ..plan
        },
        _ => plan,
    }
}

pub(crate) struct Backups<'a> {
    organization: &'a Organization,
    store: FaultStore,
    clock: Arc<Ticks>,
    work: tempfile::TempDir,
    known: RefCell<BTreeSet<SnapshotId>>,
}

/// A snapshot, read whole.
pub(crate) struct Read {
    pub files: Files,
    pub source: SourceFile,
}

impl<'a> Backups<'a> {
    pub(crate) fn new(organization: &'a Organization) -> Self {
        let clock = Arc::new(Ticks::new());
        let time = Arc::clone(&clock);
        let store = FaultStore::new(Arc::new(InMemory::new()), Arc::new(move || time.peek()));
        process(&store, Plan::default(), quick::make(&store)).unwrap();
        Self {
            organization,
            store,
            clock,
            work: tempfile::tempdir().unwrap(),
            known: RefCell::default(),
        }
    }

    async fn open(&self) -> repository::Result<Repository> {
        quick::open(&(Arc::new(self.store.clone()) as Arc<dyn ObjectStore>)).await
    }

    /// A backup; whether it reached its snapshot, as far as it knows itself.
    pub(crate) fn run(&self, plan: Plan) -> bool {
        let done = process(&self.store, plan, Box::pin(self.backup()));
        futures::executor::block_on(self.store.recover()).unwrap();
        self.clock.pass(SignedDuration::from_mins(35));
        matches!(done, Some(Ok(())))
    }

    /// A backup without faults, and what it holds.
    pub(crate) fn clean(&self) -> Result<Read, String> {
        process(&self.store, Plan::default(), Box::pin(self.backup()))
            .unwrap()
            .map_err(|error| format!("a backup failed without a fault: {error}"))?;
        self.clock.pass(SignedDuration::from_mins(35));
        let newest = self.new_snapshots()?.pop();
        newest.ok_or_else(|| "a backup made no snapshot".to_owned())
    }

    async fn backup(&self) -> engine::Result<()> {
        let repository = self.open().await?;
        let time = Arc::clone(&self.clock);
        self.organization
            .keep_time(move || time.0.lock().unwrap().as_second());
        let client = self.organization.client();
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let cx = BackupContext {
            service: &AZURE_DEVOPS,
            client: &client,
            repository: &repository,
            coordinator: &Catalog,
            clock: &clock,
            reporter: &Silent,
        };
        let mut request = BackupRequest {
            url: self.organization.url(),
            ..request(self.work.path())
        };
        AZURE_DEVOPS.name.clone_into(&mut request.connector.service);
        let done = Box::pin(engine::backup::backup(&cx, &request)).await;
        repository.close().await;
        done.map(drop)
    }

    /// The snapshots since the last time, oldest first.
    pub(crate) fn new_snapshots(&self) -> Result<Vec<Read>, String> {
        let reading = async {
            let repository = self.open().await.map_err(text)?;
            let mut new = Vec::new();
            for (id, snapshot) in repository.snapshots().await.map_err(text)? {
                if self.known.borrow_mut().insert(id) {
                    new.push(read(&repository, snapshot.tree).await?);
                }
            }
            Ok(new)
        };
        process(&self.store, Plan::default(), reading).unwrap()
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let checking = async {
            let repository = self.open().await.map_err(text)?;
            let options = CheckOptions {
                read_data: ReadData::All,
            };
            let report = repository.check(&options).await.map_err(text)?;
            if report.is_clean() {
                Ok(())
            } else {
                Err(format!("check: {:?}", report.problems))
            }
        };
        process(&self.store, Plan::default(), checking).unwrap()
    }
}

async fn read(repository: &Repository, tree: TreeId) -> Result<Read, String> {
    let (mut files, mut source) = (Files::new(), None);
    let mut walk = std::pin::pin!(repository.walk(tree, ""));
    while let Some(entry) = walk.next().await {
        let (path, node) = entry.map_err(text)?;
        if !node.is_file() {
            continue;
        }
        let bytes = repository.read(&node).await.map_err(text)?.to_vec();
        if path == "source.json" {
            source = Some(serde_json::from_slice(&bytes).map_err(text)?);
        } else {
            files.insert(path.clone(), comparable(&path, bytes)?);
        }
    }
    let source = source.ok_or("no source.json")?;
    Ok(Read { files, source })
}

/// A revision is stored as it was when it was the last one; only the next one lets the service date its end.
fn comparable(path: &str, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if !path.ends_with("/revisions.ndjson") {
        return Ok(bytes);
    }
    let mut out = Vec::new();
    for line in bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let mut revision: serde_json::Value = serde_json::from_slice(line).map_err(text)?;
        revision["fields"]["System.RevisedDate"] = serde_json::Value::Null;
        out.extend(revision.to_string().into_bytes());
        out.push(b'\n');
    }
    Ok(out)
}

impl Read {
    /// Each file is what the organization held, or what was there before and is named.
    pub(crate) fn judge(&self, before: &Files, held: &Files) -> Result<(), String> {
        let paths: BTreeSet<&String> = self.files.keys().chain(held.keys()).collect();
        for path in paths.into_iter().filter(|path| counts(path)) {
            let own = self.files.get(path);
            if own == held.get(path) {
                continue;
            }
            let what = if own != before.get(path) {
                "neither what the organization holds nor what was there before"
            } else if !self.names(path) {
                "old, and the snapshot does not say so"
            } else {
                continue;
            };
            return Err(format!(
                "{path} is {what}: {}; issues: {:?}",
                difference(own, held.get(path)),
                self.source.issues
            ));
        }
        Ok(())
    }

    /// Whether something that the snapshot reports is of the kind of this file, of one that comes with it, or of one that it lies in.
    fn names(&self, path: &str) -> bool {
        let Some(place) = Layouts::new(&AZURE_DEVOPS).parse(path) else {
            return false;
        };
        let stale = self.source.stale.keys();
        let stale = stale.map(|key| key.split('/').next().unwrap_or(key));
        let issues = self.source.issues.iter().map(|issue| issue.kind.as_str());
        let own = AZURE_DEVOPS.kind(&place.item.kind);
        let own = own.map(service::Kind::spec);
        stale.chain(issues).any(|kind| {
            let spec = AZURE_DEVOPS.kind(kind).map(service::Kind::spec);
            kind == place.item.kind
                || spec.and_then(|spec| spec.with) == Some(place.item.kind.as_str())
                || own.and_then(|own| own.parent) == Some(kind)
        })
    }
}

/// The first lines that differ.
fn difference(own: Option<&Vec<u8>>, held: Option<&Vec<u8>>) -> String {
    let [own, held] = [own, held].map(|file| {
        let file = file.map_or("", |bytes| std::str::from_utf8(bytes).unwrap_or("(bytes)"));
        file.lines().collect::<Vec<_>>()
    });
    let at = own.iter().zip(&held).take_while(|(a, b)| a == b).count();
    format!(
        "line {at} of {} is {:?}, not {:?} of {}",
        own.len(),
        own.get(at),
        held.get(at),
        held.len()
    )
}

/// Packs, what tells how they came together, and versions of comments that revisions tell as well depend on when they were fetched.
fn counts(path: &str) -> bool {
    let mut parts = path.split('/');
    if parts.next() != Some("git") {
        return !path.ends_with("/comment-versions.ndjson");
    }
    matches!(
        parts.nth(1),
        Some("HEAD" | "packed-refs" | "repository.json" | "lfs")
    )
}
