//! What backups said that they could not read: the issues of this snapshot and of those before it.

use model::{Issue, ItemRef, SourceFile};
use repository::{Repository, Snapshot, SnapshotId};
use service::Service;

use super::walk::is_damage;
use crate::backup::read_source;
use crate::{Error, Result};

/// Issues of a chain of snapshots; older ones are read when the newer ones do not explain something.
pub(super) struct Declared<'a> {
    repository: &'a Repository,
    service: &'static Service,
    issues: Vec<Issue>,
    /// The next older snapshot to read.
    next: Option<SnapshotId>,
    /// No snapshot between this one and the first is missing.
    whole: bool,
}

impl<'a> Declared<'a> {
    pub(super) fn new(
        repository: &'a Repository,
        service: &'static Service,
        snapshot: &Snapshot,
        source: Option<&SourceFile>,
    ) -> Self {
        Self {
            repository,
            service,
            issues: source
                .map(|source| source.issues.clone())
                .unwrap_or_default(),
            next: snapshot.parent,
            whole: true,
        }
    }

    /// The code of an issue that explains why `about` is missing in `from`.
    pub(super) async fn says(&mut self, about: &ItemRef, from: &ItemRef) -> Result<Option<String>> {
        let mut looked = 0;
        loop {
            let found = self.issues[looked..]
                .iter()
                .find(|issue| explains(issue, about, from));
            if let Some(issue) = found {
                return Ok(Some(issue.code.clone()));
            }
            looked = self.issues.len();
            if !self.read_older().await? {
                return Ok(None);
            }
        }
    }

    /// Whether nothing that could explain something was forgotten; known once something was not explained.
    pub(super) fn is_whole(&self) -> bool {
        self.whole && self.next.is_none()
    }

    async fn read_older(&mut self) -> Result<bool> {
        let Some(id) = self.next.take() else {
            return Ok(false);
        };
        let snapshot = match self.repository.snapshot(id).await {
            Ok(snapshot) => snapshot,
            Err(repository::Error::SnapshotUnknown(_)) => return Ok(self.ends()),
            Err(error) if is_damage(&error) => return Ok(self.ends()),
            Err(error) => return Err(error.into()),
        };
        match read_source(self.repository, self.service, snapshot.tree).await {
            Ok(source) => self.issues.extend(source.issues),
            Err(Error::Repository(error)) if !is_damage(&error) => return Err(error.into()),
            Err(_) => self.whole = false,
        }
        self.next = snapshot.parent;
        Ok(true)
    }

    fn ends(&mut self) -> bool {
        self.whole = false;
        false
    }
}

/// An issue is about one item, or about all of a kind in a scope.
fn explains(issue: &Issue, about: &ItemRef, from: &ItemRef) -> bool {
    let same = |item: &ItemRef, other: &ItemRef| {
        item.kind == other.kind && item.id.eq_ignore_ascii_case(&other.id)
    };
    match &issue.item {
        Some(item) => same(item, about) || (same(item, from) && issue.kind == about.kind),
        None => issue.kind == about.kind && (issue.scope.is_empty() || issue.scope == from.scope),
    }
}
