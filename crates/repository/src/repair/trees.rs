//! Trees without what cannot be read.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use super::unless_damaged;
use crate::tree::frame;
use crate::tree::raw::RawTree;
use crate::tree::walk::join;
use crate::{BlobType, FileKind, Id, Node, PackId, Repository, Result, TreeId, Writer};

/// A path below a tree that is gone with all that was in it.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    pub(super) path: String,
    pub(super) reason: String,
}

/// What is left of a tree.
#[derive(Debug, Default)]
pub(super) struct Rebuilt {
    /// The same id if nothing is lost; `None` if the tree itself is.
    pub(super) tree: Option<TreeId>,
    pub(super) lost: Vec<Lost>,
}

/// Rebuilds trees, each once however many snapshots share it.
pub(super) struct Trees<'a> {
    repository: &'a Repository,
    writer: Writer,
    dry_run: bool,
    packs: HashMap<PackId, u64>,
    done: HashMap<TreeId, Arc<Rebuilt>>,
}

type Rebuilding<'f> = Pin<Box<dyn Future<Output = Result<Arc<Rebuilt>>> + Send + 'f>>;

impl<'a> Trees<'a> {
    pub(super) async fn new(repository: &'a Repository, dry_run: bool) -> Result<Self> {
        let listed = repository.files().list(FileKind::Pack).await?;
        Ok(Self {
            repository,
            writer: repository.writer(),
            dry_run,
            packs: listed.iter().map(|file| (file.id, file.size)).collect(),
            done: HashMap::new(),
        })
    }

    pub(super) fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    pub(super) fn rebuild(&mut self, id: TreeId) -> Rebuilding<'_> {
        Box::pin(async move {
            if let Some(done) = self.done.get(&id) {
                return Ok(Arc::clone(done));
            }
            let rebuilt = match unless_damaged(self.repository.raw_tree(id).await)? {
                Some(raw) => self.rebuild_from(&raw).await?,
                None => Rebuilt::default(),
            };
            let rebuilt = Arc::new(rebuilt);
            self.done.insert(id, Arc::clone(&rebuilt));
            Ok(rebuilt)
        })
    }

    async fn rebuild_from(&mut self, raw: &RawTree) -> Result<Rebuilt> {
        let mut out = frame::OPENING.to_vec();
        let mut rebuilt = Rebuilt::default();
        let mut changed = false;
        for index in 0..raw.len() {
            let Some(node) = unless_damaged(raw.node(index))? else {
                let path = format!("entry {}", index + 1);
                rebuilt.lost.push(lost(path, "its entry cannot be read"));
                continue;
            };
            let Some(kept) = self.keep(&node, &mut rebuilt.lost).await? else {
                continue;
            };
            if out.len() > frame::OPENING.len() {
                out.push(b',');
            }
            if kept == node.subtree {
                out.extend_from_slice(raw.node_bytes(index));
            } else {
                changed = true;
                Node {
                    subtree: kept,
                    ..node
                }
                .write_json(&mut out);
            }
        }
        out.extend_from_slice(frame::CLOSING);
        rebuilt.tree = Some(if rebuilt.lost.is_empty() && !changed {
            raw.id
        } else if self.dry_run {
            Id::of(&out)
        } else {
            self.writer.blob(BlobType::Tree, &out).await?
        });
        Ok(rebuilt)
    }

    /// The subtree that a node is to have, which is none for files; `None` if the node is lost.
    async fn keep(&mut self, node: &Node, all: &mut Vec<Lost>) -> Result<Option<Option<TreeId>>> {
        if let Some(subtree) = node.subtree {
            let below = self.rebuild(subtree).await?;
            if below.tree.is_none() {
                let reason = format!("its tree {subtree} cannot be read");
                all.push(lost(node.name.clone(), reason));
                return Ok(None);
            }
            all.extend(below.lost.iter().map(|lost| Lost {
                path: join(&node.name, &lost.path),
                reason: lost.reason.clone(),
            }));
            return Ok(Some(below.tree));
        }
        for blob in node.content.iter().flatten() {
            if !self.has(*blob).await? {
                let reason = format!("its data blob {blob} is lost");
                all.push(lost(node.name.clone(), reason));
                return Ok(None);
            }
        }
        Ok(Some(None))
    }

    /// Whether the index names the blob and its pack reaches that far.
    async fn has(&self, blob: Id) -> Result<bool> {
        let place = self.repository.index().find(BlobType::Data, &blob).await?;
        Ok(place.is_some_and(|place| {
            let end = u64::from(place.entry.offset) + u64::from(place.entry.length);
            self.packs.get(&place.pack).is_some_and(|size| *size >= end)
        }))
    }
}

fn lost(path: String, reason: impl Into<String>) -> Lost {
    Lost {
        path,
        reason: reason.into(),
    }
}
