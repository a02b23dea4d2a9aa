//! rustic_core, without its cache.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use rustic_backend::BackendOptions;
use rustic_core::{
    BackupOptions, CheckOptions, ConfigOptions, Credentials, IndexedFullStatus, KeyOptions,
    LocalDestination, LsOptions, OpenStatus, PathList, Repository, RepositoryOptions,
    RestoreOptions, RusticError, SnapshotOptions,
};

pub(crate) struct Rustic(Repository<IndexedFullStatus>);

fn closed(path: &Path) -> Result<Repository<()>> {
    let path = path.to_str().context("a path that is not UTF-8")?;
    let backends = BackendOptions::default()
        .repository(path)
        .to_backends()
        .map_err(said)?;
    Repository::new(&RepositoryOptions::default().no_cache(true), &backends).map_err(said)
}

/// Its errors explain themselves over many lines.
fn said(error: Box<RusticError>) -> anyhow::Error {
    anyhow!("rustic_core: {error}")
}

impl Rustic {
    pub(crate) fn init(path: &Path, password: &str) -> Result<Self> {
        let password = Credentials::password(password);
        let repository = closed(path)?
            .init(&password, &KeyOptions::default(), &ConfigOptions::default())
            .map_err(said)?;
        Self::indexed(repository)
    }

    pub(crate) fn open(path: &Path, password: &str) -> Result<Self> {
        let repository = closed(path)?
            .open(&Credentials::password(password))
            .map_err(said)?;
        Self::indexed(repository)
    }

    fn indexed(repository: Repository<OpenStatus>) -> Result<Self> {
        Ok(Self(repository.to_indexed().map_err(said)?))
    }

    /// Reads everything; a warning fails too.
    pub(crate) fn check(&self) -> Result<()> {
        let found = self
            .0
            .check(CheckOptions::default().read_data(true))
            .map_err(said)?;
        let findings: Vec<String> = found
            .0
            .iter()
            .map(|(level, finding)| format!("{level:?}: {finding}"))
            .collect();
        anyhow::ensure!(
            findings.is_empty(),
            "rustic_core's check found: {}",
            findings.join("; ")
        );
        Ok(())
    }

    /// Ids.
    pub(crate) fn snapshots(&self) -> Result<Vec<String>> {
        let snapshots = self.0.get_all_snapshots().map_err(said)?;
        Ok(snapshots
            .into_iter()
            .map(|snapshot| snapshot.id.to_string())
            .collect())
    }

    /// Paths of the files of a snapshot, sorted.
    pub(crate) fn files(&self, snapshot: &str) -> Result<Vec<String>> {
        let root = self
            .0
            .node_from_snapshot_path(snapshot, |_| true)
            .map_err(said)?;
        let mut files = Vec::new();
        for entry in self.0.ls(&root, &LsOptions::default()).map_err(said)? {
            let (path, node) = entry.map_err(said)?;
            if !node.is_dir() {
                files.push(
                    path.to_str()
                        .context("a path that is not UTF-8")?
                        .to_owned(),
                );
            }
        }
        files.sort();
        Ok(files)
    }

    pub(crate) fn dump(&self, snapshot: &str, path: &str) -> Result<Vec<u8>> {
        let node = self
            .0
            .node_from_snapshot_path(&format!("{snapshot}:{path}"), |_| true)
            .map_err(said)?;
        let mut bytes = Vec::new();
        self.0.dump(&node, &mut bytes).map_err(said)?;
        Ok(bytes)
    }

    pub(crate) fn restore(&self, snapshot: &str, to: &Path) -> Result<()> {
        let root = self
            .0
            .node_from_snapshot_path(snapshot, |_| true)
            .map_err(said)?;
        let entries = self.0.ls(&root, &LsOptions::default()).map_err(said)?;
        let to = LocalDestination::new(
            to.to_str().context("a path that is not UTF-8")?,
            true,
            false,
        )
        .map_err(said)?;
        let options = RestoreOptions::default();
        let plan = self
            .0
            .prepare_restore(&options, entries.clone(), &to, false)
            .map_err(said)?;
        self.0.restore(plan, &options, entries, &to).map_err(said)
    }

    /// Returns the snapshot's id.
    pub(crate) fn backup(&self, source: &Path) -> Result<String> {
        let source = PathList::from_string(source.to_str().context("a path that is not UTF-8")?)
            .map_err(said)?;
        let snapshot = SnapshotOptions::default().to_snapshot().map_err(said)?;
        let snapshot = self
            .0
            .backup(&BackupOptions::default(), &source, snapshot)
            .map_err(said)?;
        Ok(snapshot.id.to_string())
    }
}
