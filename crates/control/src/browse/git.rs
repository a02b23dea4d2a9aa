//! A stored git repository: its refs out of the snapshot, its history by git.

use std::sync::Arc;

use repository::Node;
use service::git::Pointer;
use service::git::browse::{Bare, Blob, CommitDetail, CommitLine, Ref, Refs, TreePage};
use tokio::sync::OwnedSemaphorePermit;

use super::unpacked::Laid;
use super::{OpenSnapshot, no_such};
use crate::{Error, Result};

/// A repository that is being looked into.
pub struct GitView<'a> {
    snapshot: &'a OpenSnapshot,
    path: String,
    pub refs: Refs,
    /// `None` without packs: nothing was ever pushed.
    laid: Option<Arc<Laid>>,
    _turn: OwnedSemaphorePermit,
}

/// The bytes of a file in the history.
pub enum GitFile {
    Blob(Blob),
    /// The large file (LFS) that a pointer in the history stands for.
    Stored(Node),
}

impl OpenSnapshot {
    /// The repository in this folder (`git/<id>`).
    pub async fn git(&self, path: &str) -> Result<GitView<'_>> {
        let none = || no_such("git repository", path);
        let folder = self.node(path).await?.subtree.ok_or_else(none)?;
        let below = async |path: &str| self.repository.find(folder, path).await;
        let packed = below("packed-refs").await?.ok_or_else(none)?;
        let packed = self.repository.read(&packed).await?;
        let head = match below("HEAD").await? {
            Some(head) => self.repository.read(&head).await?,
            None => bytes::Bytes::new(),
        };
        let packs = below("objects/pack").await?.and_then(|node| node.subtree);
        let library = &self.library.0;
        let laid = match packs {
            Some(packs) => {
                let (repository, tasks) = (&self.repository, &library.tasks);
                Some(library.unpacked.get(repository, packs, tasks).await?)
            }
            None => None,
        };
        let turn = Arc::clone(&library.git).acquire_owned().await;
        Ok(GitView {
            _turn: turn.map_err(|_| Error::coded("content-preparing"))?,
            snapshot: self,
            path: path.to_owned(),
            refs: Refs::read(&packed, &head)?,
            laid,
        })
    }
}

impl GitView<'_> {
    fn laid(&self) -> Result<&Laid> {
        let code = if self.refs.is_empty() {
            "git-revision-unknown"
        } else {
            "git-pack-damaged"
        };
        self.laid.as_deref().ok_or_else(|| Error::coded(code))
    }

    fn bare(&self) -> Result<&Bare> {
        Ok(&self.laid()?.bare)
    }

    /// Refs by name behind `after`, with `text` in their names, and whether more follow.
    pub async fn refs(&self, text: &str, after: &str, most: usize) -> Result<(Vec<Ref>, bool)> {
        let bare = self.laid.as_ref().map(|laid| &laid.bare);
        Ok(self.refs.page(bare, text, after, most).await?)
    }

    /// Commits of a revision, of one file or folder when `path` is not empty, and whether more follow.
    pub async fn commits(
        &self,
        revision: &str,
        path: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<(Vec<CommitLine>, bool)> {
        let after = after.map(|after| self.refs.resolve(after)).transpose()?;
        let after = after.map(|after| after.id);
        let tip = self.refs.resolve(revision)?;
        Ok(self.bare()?.commits(tip, path, after, most).await?)
    }

    pub async fn commit(&self, revision: &str) -> Result<CommitDetail> {
        let id = self.refs.resolve(revision)?;
        Ok(self.bare()?.commit(id).await?)
    }

    /// Entries of a folder from this number on.
    pub async fn tree(
        &self,
        revision: &str,
        folder: &str,
        from: usize,
        most: usize,
    ) -> Result<TreePage> {
        let at = self.refs.resolve(revision)?;
        Ok(self.bare()?.tree(at, folder, from, most).await?)
    }

    /// A file of a revision, or the object that the revision names when `file` is empty. Where the history has a pointer to a large file that
    /// is stored, that one.
    pub async fn file(&self, revision: &str, file: &str) -> Result<GitFile> {
        let at = self.refs.resolve(revision)?;
        let laid = self.laid()?;
        let blob = laid.bare.blob(at, file, laid.work()).await?;
        if let Blob::Small(content) = &blob
            && let Some(pointer) = Pointer::read(content)
        {
            let path = format!("{}/{}", self.path, pointer.part());
            let found = self.snapshot.repository.find(self.snapshot.tree, &path);
            if let Some(node) = found.await?.filter(Node::is_file) {
                return Ok(GitFile::Stored(node));
            }
        }
        Ok(GitFile::Blob(blob))
    }
}
