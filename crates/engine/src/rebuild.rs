//! Rows of the search index from the repository alone: the catalog can be deleted and made again (design rule 5).

use std::collections::BTreeMap;
use std::pin::Pin;

use async_trait::async_trait;
use futures::{Stream, StreamExt as _};
use model::{ItemRef, SourceId};
use repository::{Difference, Repository, Snapshot, SnapshotId, TreeId};
use service::Service;

use crate::Result;
use crate::backup::{is_of, known_source, originals, told_source};
use crate::coordinator::{IndexRow, RowChange, Rows, SnapshotInfo};
use crate::layout::{Layouts, is_within};
use crate::rows::Contents;
use crate::stored::SnapshotReader;

/// The snapshots of a service that Keepward made, by what they are of, each source's oldest first. Those in `known` are not read; damaged
/// ones are passed over, with a warning unless a repaired one stands beside them.
pub async fn sources(
    repository: &Repository,
    service: &'static Service,
    known: &BTreeMap<SnapshotId, SourceId>,
) -> Result<BTreeMap<SourceId, Vec<(SnapshotId, Snapshot)>>> {
    let (mut found, _) = repository.readable_snapshots().await?;
    found.retain(|(_, snapshot)| is_of(snapshot, service.name));
    found.sort_by_key(|(_, snapshot)| snapshot.time);
    let repaired = originals(&found);
    let mut sources: BTreeMap<SourceId, Vec<_>> = BTreeMap::new();
    for (id, snapshot) in found {
        let source = if let Some(source) = known.get(&id) {
            Some(source.clone())
        } else {
            let file = if repaired.contains(&id) {
                told_source(repository, service, &snapshot).await?.ok()
            } else {
                known_source(repository, service, &snapshot).await?
            };
            file.map(|file| file.id())
        };
        if let Some(source) = source {
            sources.entry(source).or_default().push((id, snapshot));
        }
    }
    Ok(sources)
}

/// What the catalog lists of a snapshot that follows `parent`; `None` for a damaged one.
pub async fn info(
    repository: &Repository,
    service: &'static Service,
    (id, snapshot): &(SnapshotId, Snapshot),
    parent: Option<SnapshotId>,
) -> Result<Option<SnapshotInfo>> {
    let source = known_source(repository, service, snapshot).await?;
    Ok(source.map(|source| SnapshotInfo {
        id: *id,
        time: snapshot.time,
        tree: snapshot.tree,
        parent,
        source,
    }))
}

/// What changed between two trees of one source, as rows; everything there is when `before` is `None`. A folder that cannot be read is taken for
/// unchanged: `check` names it.
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
            before: SnapshotReader::new(repository.clone(), service, before).around_damage(),
            after: SnapshotReader::new(repository.clone(), service, Some(after)).around_damage(),
            differences: Box::pin(repository.diff_around_damage(before, Some(after))),
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
                changed: false,
            });
        }
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        open.changed |= !difference.is_dir && !place.part.is_empty();
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
            let mut contents = Contents::default();
            for (part, node) in self.after.own_files(&open.item).await? {
                contents.keep(part, &node);
            }
            let (digest, size) = contents.total();
            IndexRow {
                name: said.name,
                path: open.path,
                digest,
                size,
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
