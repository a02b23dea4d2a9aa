//! Rows of the search index from the repository alone: the catalog can be deleted and made again (design rule 5).

use std::pin::Pin;

use async_trait::async_trait;
use futures::{Stream, StreamExt as _};
use model::ItemRef;
use repository::{Difference, DifferenceKind, Repository, Snapshot, SnapshotId, TreeId};
use service::Service;

use crate::Result;
use crate::backup::{known_source, tags};
use crate::coordinator::{IndexRow, RowChange, Rows, SnapshotInfo};
use crate::layout::{Layouts, is_within};
use crate::rows::Digest;
use crate::stored::SnapshotReader;

/// The snapshots of a source that Keepward made, oldest first, with what the catalog lists of each.
pub async fn snapshots(
    repository: &Repository,
    service: &'static Service,
    source: &str,
) -> Result<Vec<SnapshotInfo>> {
    let wanted = tags(service.name, &source.to_lowercase());
    let mut found: Vec<(SnapshotId, Snapshot)> = repository.snapshots().await?;
    found.retain(|(_, snapshot)| wanted.iter().all(|tag| snapshot.tags.contains(tag)));
    found.sort_by_key(|(_, snapshot)| snapshot.time);
    let mut infos: Vec<SnapshotInfo> = Vec::new();
    for (id, snapshot) in found {
        let Some(source) = known_source(repository, service, &snapshot).await? else {
            continue;
        };
        let parent = infos.last().map(|info| info.id);
        infos.push(SnapshotInfo {
            id,
            time: snapshot.time,
            tree: snapshot.tree,
            parent,
            source,
        });
    }
    Ok(infos)
}

/// What changed between two trees of one source, as rows; everything there is when `before` is `None`.
pub struct DiffRows {
    layouts: Layouts,
    before: SnapshotReader,
    after: SnapshotReader,
    differences: Pin<Box<dyn Stream<Item = repository::Result<Difference>> + Send>>,
    open: Vec<Open>,
    ready: std::collections::VecDeque<IndexRow>,
}

/// An item whose files are being compared.
struct Open {
    item: ItemRef,
    path: String,
    digest: Digest,
    size: u64,
    changed: bool,
}

impl DiffRows {
    pub fn new(
        repository: &Repository,
        service: &'static Service,
        before: Option<TreeId>,
        after: TreeId,
    ) -> Self {
        Self {
            layouts: Layouts::new(service),
            before: SnapshotReader::new(repository.clone(), service, before),
            after: SnapshotReader::new(repository.clone(), service, Some(after)),
            differences: Box::pin(repository.diff(before, Some(after))),
            open: Vec::new(),
            ready: std::collections::VecDeque::new(),
        }
    }

    async fn difference(&mut self, difference: Difference) -> Result<()> {
        let Some(place) = self.layouts.parse(&difference.path) else {
            return Ok(());
        };
        let Some(folder) = self.layouts.path(&place.item) else {
            return Ok(());
        };
        self.close_until(&folder).await?;
        if self.open.last().is_none_or(|open| open.path != folder) {
            self.open.push(Open {
                item: place.item,
                path: folder,
                digest: Digest::default(),
                size: 0,
                changed: false,
            });
        }
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        if difference.is_dir || place.part.is_empty() {
            return Ok(());
        }
        open.changed = true;
        if difference.kind == DifferenceKind::Removed {
            open.digest.part(&place.part, None);
            return Ok(());
        }
        let node = self.after.node(&difference.path).await?;
        let blobs = node.and_then(|node| node.content).unwrap_or_default();
        open.digest.part(&place.part, Some(&blobs));
        open.size += difference.new_size.unwrap_or(0);
        Ok(())
    }

    async fn close_until(&mut self, folder: &str) -> Result<()> {
        while let Some(open) = self.open.last()
            && !is_within(folder, &open.path)
        {
            self.close().await?;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if !open.changed {
            return Ok(());
        }
        let was = self.before.node(&open.path).await?.is_some();
        let is = self.after.node(&open.path).await?.is_some();
        let row = if was && !is {
            let said = self.before.described(&open.item).await?;
            IndexRow::removed(open.item, open.path, said)
        } else {
            let said = self.after.described(&open.item).await?;
            IndexRow {
                name: said.name,
                path: open.path,
                digest: open.digest.into_string(),
                size: open.size,
                modified: said.modified,
                state: self.after.state(&open.item).await?,
                change: if was {
                    RowChange::Changed
                } else {
                    RowChange::Added
                },
                text: self.after.all_text(&open.item).await?,
                project: said.project,
                item: open.item,
            }
        };
        self.ready.push_back(row);
        Ok(())
    }
}

#[async_trait]
impl Rows for DiffRows {
    async fn next(&mut self) -> Result<Option<IndexRow>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Ok(Some(row));
            }
            match self.differences.next().await {
                Some(difference) => self.difference(difference?).await?,
                None if self.open.is_empty() => return Ok(None),
                None => self.close().await?,
            }
        }
    }
}
