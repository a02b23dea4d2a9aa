//! One repository being backed up again and again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{Conflict, Issue, ItemRef};
use service::git::{Remote, crawl_repository, restore_repository, verify_repository};
use service::{Client, Crawl, Order, Result, Scope, Target};

use crate::history::Bare;
use crate::memory::{Nothing, Recorder, Snapshot, selection};

pub(crate) struct Backup {
    pub(crate) snapshot: Snapshot,
    /// Parts that the last run wrote or removed.
    pub(crate) touched: Vec<String>,
    pub(crate) item: ItemRef,
    /// When the next run begins.
    pub(crate) now: Timestamp,
    pub(crate) full: bool,
    pub(crate) accepted: BTreeSet<String>,
    client: Client,
    remote: Remote,
    work: tempfile::TempDir,
}

impl Backup {
    pub(crate) fn of(client: &Client, remote: Remote) -> Self {
        Self {
            snapshot: Snapshot::default(),
            touched: Vec::new(),
            item: ItemRef::new("git-repository", "project", "id"),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            full: false,
            accepted: BTreeSet::new(),
            client: client.clone(),
            remote,
            work: tempfile::tempdir().unwrap(),
        }
    }

    /// Crawls once. Whatever was sent is kept, even before an error: the engine need not throw it away.
    pub(crate) async fn run(&mut self) -> Result<Vec<Issue>> {
        let recorder = Recorder::new(&self.snapshot);
        let (scope, selection) = (Scope::default(), selection());
        let cx = Crawl {
            http: &self.client,
            scope: &scope,
            cursor: None,
            order: Order {
                started: self.now,
                full: self.full,
                accepted: &self.accepted,
                ..Order::usual(self.now)
            },
            selection: &selection,
            sink: &recorder,
            prior: &self.snapshot,
            work: self.work.path(),
        };
        let result = crawl_repository(&cx, &self.remote, &self.item).await;
        assert_eq!(
            std::fs::read_dir(self.work.path()).unwrap().count(),
            0,
            "the work folder is left clean"
        );
        let (snapshot, issues, touched) = recorder.commit();
        self.snapshot = snapshot;
        self.touched = touched;
        result.map(|()| issues)
    }

    /// Crawls once without any issue.
    pub(crate) async fn clean(&mut self) {
        let issues = self.run().await.unwrap();
        assert!(issues.is_empty(), "{issues:?}");
    }

    /// Crawls once with exactly one issue, which leaves everything as it was.
    pub(crate) async fn kept(&mut self) -> Issue {
        let before = self.snapshot.clone();
        let mut issues = self.run().await.unwrap();
        assert_eq!((issues.len(), &self.snapshot), (1, &before), "{issues:?}");
        issues.remove(0)
    }

    /// The snapshot as `restic restore` lays it out, opened by git.
    pub(crate) fn laid_out(&self) -> (tempfile::TempDir, Bare) {
        lay_out(&self.snapshot)
    }

    pub(crate) async fn restore(&self, to: &Remote) -> Result<Vec<String>> {
        let target = self.target();
        restore_repository(
            &service::Restore {
                target,
                conflict: Conflict::Skip,
                journal: &Nothing,
            },
            &self.item,
            to,
        )
        .await
    }

    pub(crate) async fn verify(&self, at: &Remote) -> Result<Vec<String>> {
        verify_repository(&self.target(), &self.item, at).await
    }

    fn target(&self) -> Target<'_> {
        Target {
            http: &self.client,
            original: false,
            stored: &self.snapshot,
            ids: &Nothing,
            work: self.work.path(),
        }
    }
}

pub(crate) fn lay_out(snapshot: &Snapshot) -> (tempfile::TempDir, Bare) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &snapshot.0 {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let bare = Bare {
        path: folder.path().to_owned(),
    };
    (folder, bare)
}
