//! Rows of the search index from the repository alone: the catalog can be deleted and made again (design rule 5).

use std::pin::Pin;

use async_trait::async_trait;
use futures::{Stream, StreamExt as _};
use model::ItemRef;
use repository::{Difference, DifferenceKind, Repository, Snapshot, SnapshotId, TreeId};
use service::Service;
use service::text::Text;
use sha2::{Digest as _, Sha256};

use crate::Result;
use crate::backup::{known_source, tags};
use crate::coordinator::{IndexRow, RowChange, RowState, Rows, SnapshotInfo};
use crate::layout::Layouts;
use crate::merge::{digest_part, digest_text};
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
    digest: Sha256,
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
                digest: Sha256::new(),
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
            digest_part(&mut open.digest, &place.part, None);
            return Ok(());
        }
        let node = self.after.node(&difference.path).await?;
        let blobs = node.and_then(|node| node.content).unwrap_or_default();
        digest_part(&mut open.digest, &place.part, Some(&blobs));
        open.size += difference.new_size.unwrap_or(0);
        Ok(())
    }

    async fn close_until(&mut self, folder: &str) -> Result<()> {
        while let Some(open) = self.open.last() {
            let contains = folder
                .strip_prefix(open.path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if contains {
                break;
            }
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
        let (change, reader) = match (was, is) {
            (true, false) => (RowChange::Removed, &self.before),
            (true, true) => (RowChange::Changed, &self.after),
            (false, _) => (RowChange::Added, &self.after),
        };
        let said = reader.described(&open.item).await?;
        let binned = match self
            .layouts
            .service()
            .kind(&open.item.kind)
            .and_then(|kind| kind.spec().bin)
        {
            Some(bin) if is => self
                .after
                .node(&format!("{}/{bin}", open.path))
                .await?
                .is_some(),
            _ => false,
        };
        let removed = change == RowChange::Removed;
        let text = if removed {
            String::new()
        } else {
            self.text(&open.item).await?
        };
        self.ready.push_back(IndexRow {
            digest: if removed {
                String::new()
            } else {
                digest_text(open.digest)
            },
            size: if removed { 0 } else { open.size },
            item: open.item,
            name: said.name,
            path: open.path,
            modified: said.modified,
            state: if binned {
                RowState::Binned
            } else {
                RowState::Live
            },
            change,
            text,
            project: said.project,
        });
        Ok(())
    }

    async fn text(&mut self, item: &ItemRef) -> Result<String> {
        let kind = self.layouts.service().kind(&item.kind);
        let mut all = Text::default();
        for (file, of) in kind.into_iter().flat_map(|kind| kind.spec().texts()) {
            let text = self.after.text(item, file, of).await?;
            all.join(&text.into_string());
        }
        Ok(all.into_string())
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
