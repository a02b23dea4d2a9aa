//! Rows for the search index and counts, made while trees are merged: the merge tells what it does to which file, in the order of paths, and
//! an item whose files are through is a row if any of them changed.

mod contents;
mod spooled;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::{ItemRef, KindCounts};
use repository::{FileContent, Node, NodeType};
use service::text::Text;
use service::{Kind, Layout};

pub(crate) use contents::Contents;
pub(crate) use spooled::SpooledRows;

use crate::coordinator::{IndexRow, RowChange, RowState};
use crate::layout::{Layouts, is_within};
use crate::spool::Spool;
use crate::stored::{Described, SnapshotReader};
use crate::{Error, Result};

/// Holds the items on the path to one file; finished rows wait in a spool until the snapshot is committed.
pub(crate) struct Maker<'a> {
    layouts: Layouts,
    prior: &'a SnapshotReader,
    open: Vec<Open>,
    rows: Spool,
    counts: BTreeMap<String, KindCounts>,
    binned: BTreeMap<String, Binned>,
    recount: BTreeSet<&'static str>,
}

/// How many items of a kind came into the service's recycle bin, and out of it. They are counted as removed and as added, and the snapshot has
/// them before and after.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Binned {
    pub into: u64,
    pub out: u64,
}

/// All rows, and what they come to.
pub(crate) struct Made {
    pub rows: Spool,
    pub counts: BTreeMap<String, KindCounts>,
    pub binned: BTreeMap<String, Binned>,
    /// Kinds of lines of which it is not known how many the snapshot before counted in a file.
    pub recount: BTreeSet<&'static str>,
}

/// An item whose files are being written.
struct Open {
    item: ItemRef,
    path: String,
    /// The snapshot before has the folder.
    existed: bool,
    /// What the run sent; otherwise it is as it was.
    said: Option<Described>,
    /// What can be searched of the files that this run sent.
    texts: BTreeMap<&'static str, Text>,
    contents: Contents,
    changed: bool,
    /// When this run wrote or removed the part that says "in the recycle bin".
    state: Option<RowState>,
}

impl<'a> Maker<'a> {
    /// `rows` is an empty spool.
    pub(crate) fn new(layouts: Layouts, prior: &'a SnapshotReader, rows: Spool) -> Self {
        Self {
            layouts,
            prior,
            open: Vec::new(),
            rows,
            counts: BTreeMap::new(),
            binned: BTreeMap::new(),
            recount: BTreeSet::new(),
        }
    }

    /// Makes this item the innermost open one; items that are not above it are finished.
    pub(crate) async fn enter(&mut self, folder: &str) -> Result<()> {
        self.close_until(folder).await?;
        if self.open.last().is_some_and(|open| open.path == folder) {
            return Ok(());
        }
        let place = self.layouts.parse(folder).ok_or_else(out_of_place)?;
        let existed = self.prior.node(folder).await?.is_some();
        self.open.push(Open {
            item: place.item,
            path: folder.to_owned(),
            existed,
            said: None,
            texts: BTreeMap::new(),
            contents: Contents::default(),
            changed: false,
            state: None,
        });
        Ok(())
    }

    /// What the service says of the item.
    pub(crate) fn say(&mut self, said: Described) -> Result<()> {
        self.innermost()?.said = Some(said);
        Ok(())
    }

    /// The time of the item, if this run was told one.
    pub(crate) fn modified(&self) -> Option<Timestamp> {
        self.open.last()?.said.as_ref()?.modified
    }

    /// Remembers what can be searched of a file: what was put, or is there `before`, and the lines that come after it.
    pub(crate) async fn text(
        &mut self,
        part: &str,
        put: &str,
        before: bool,
        lines: &[u8],
    ) -> Result<()> {
        let open = self.open.last_mut().ok_or_else(out_of_place)?;
        let mut texts = self.layouts.texts(&open.item.kind);
        if let Some((file, of)) = texts.find(|(file, _)| *file == part) {
            let mut text = if before {
                readable(self.prior.text(&open.item, part, of).await)?
            } else {
                Text::default()
            };
            text.join(put);
            text.join(&of.of(lines).into_string());
            open.texts.insert(file, text);
        }
        Ok(())
    }

    /// A file has another content now, with so many lines.
    pub(crate) async fn put(
        &mut self,
        part: &str,
        before: Option<&Node>,
        content: &FileContent,
        records: u64,
    ) -> Result<()> {
        self.change(part, before, Some(content), records).await
    }

    /// A file that was there is gone.
    pub(crate) async fn remove(&mut self, part: &str, before: &Node) -> Result<()> {
        self.change(part, Some(before), None, 0).await
    }

    async fn change(
        &mut self,
        part: &str,
        before: Option<&Node>,
        content: Option<&FileContent>,
        records: u64,
    ) -> Result<()> {
        let layouts = self.layouts;
        let open = self.innermost()?;
        open.changed = true;
        open.contents.change(part, content);
        let kind = layouts.service().kind(&open.item.kind);
        if kind.is_some_and(|kind| kind.spec().bin == Some(part)) {
            open.state = Some(if content.is_some() {
                RowState::Binned
            } else {
                RowState::Live
            });
        }
        let owner = open.item.kind.clone();
        let new = match self.layouts.part_kind(&owner, part) {
            Some(kind) if !is_lines(kind) => u64::from(content.is_some()),
            _ => records,
        };
        self.count(&owner, part, before, new).await
    }

    /// Whether the lines of this part of the innermost item are items of a kind of their own.
    pub(crate) fn is_lines(&self, part: &str) -> Result<bool> {
        let open = self.open.last().ok_or_else(out_of_place)?;
        Ok(self
            .layouts
            .part_kind(&open.item.kind, part)
            .is_some_and(is_lines))
    }

    /// Comments and attachments are counted as kinds of their own; `new` is what there is now.
    async fn count(
        &mut self,
        owner: &str,
        part: &str,
        before: Option<&Node>,
        new: u64,
    ) -> Result<()> {
        let Some(kind) = self.layouts.part_kind(owner, part) else {
            return Ok(());
        };
        let name = kind.spec().name;
        let old = self.records_of(owner, part, before).await?;
        if before.is_some() && old.is_none_or(|old| old == 0) {
            // Once counted, it can no longer be read; or it is empty, and an earlier build counted that as one.
            self.recount.insert(name);
        }
        let old = old.unwrap_or(0);
        let counts = self.counts.entry(name.to_owned()).or_default();
        counts.added += new.saturating_sub(old);
        counts.removed += old.saturating_sub(new);
        counts.changed += u64::from(old > 0 && new > 0);
        Ok(())
    }

    /// How many records a file of the innermost item had, where they count as a kind of their own.
    pub(crate) async fn records(&self, part: &str, before: &Node) -> Result<u64> {
        let open = self.open.last().ok_or_else(out_of_place)?;
        let records = self.records_of(&open.item.kind, part, Some(before)).await?;
        Ok(records.unwrap_or(0))
    }

    /// `None` where they cannot be read.
    async fn records_of(
        &self,
        owner: &str,
        part: &str,
        before: Option<&Node>,
    ) -> Result<Option<u64>> {
        match (self.layouts.part_kind(owner, part), before) {
            (Some(kind), Some(node)) if is_lines(kind) => lines_of(self.prior, node).await,
            (Some(_), Some(_)) => Ok(Some(1)),
            _ => Ok(Some(0)),
        }
    }

    /// Rows for an item that is gone and for the items that lie in its folder.
    pub(crate) async fn gone(&mut self, folder: &str) -> Result<()> {
        self.close_until(folder).await?;
        if self.prior.node(folder).await?.is_none() {
            return Ok(());
        }
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let place = self.layouts.parse(&folder);
            if let Some(place) = place.filter(|place| place.part.is_empty())
                && !self.prior.own_files(&place.item).await?.is_empty()
            {
                self.gone_row(place.item, folder.clone()).await?;
            }
            for node in self.prior.nodes(&folder).await? {
                let path = format!("{folder}/{}", node.name);
                if node.node_type == NodeType::Dir {
                    folders.push(path);
                } else if let Some(place) = self.layouts.parse(&path) {
                    // Comments go with their item.
                    self.count(&place.item.kind, &place.part, Some(&node), 0)
                        .await?;
                }
            }
        }
        Ok(())
    }

    async fn gone_row(&mut self, item: ItemRef, path: String) -> Result<()> {
        let said = self.prior.described(&item).await?;
        self.counts.entry(item.kind.clone()).or_default().removed += 1;
        spooled::push(&mut self.rows, &IndexRow::removed(item, path, said))
    }

    /// Finishes all items.
    pub(crate) async fn finish(mut self) -> Result<Made> {
        while !self.open.is_empty() {
            self.close().await?;
        }
        Ok(Made {
            rows: self.rows,
            counts: self.counts,
            binned: self.binned,
            recount: self.recount,
        })
    }

    /// Finishes the items that neither are `folder` nor contain it.
    async fn close_until(&mut self, folder: &str) -> Result<()> {
        while let Some(open) = self.open.last()
            && !is_within(folder, &open.path)
        {
            self.close().await?;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        let Some(mut open) = self.open.pop() else {
            return Ok(());
        };
        if !open.changed {
            return Ok(());
        }
        // A folder with nothing but items of other kinds in it is none of an item: its container could not be read.
        let before = if open.existed {
            self.prior.own_files(&open.item).await?
        } else {
            Vec::new()
        };
        open.existed = !before.is_empty();
        let text = self.text_of(&mut open).await?;
        let state = match open.state {
            Some(state) => state,
            None if open.existed => self.prior.state(&open.item).await?,
            None => RowState::Live,
        };
        let said = match open.said.take() {
            Some(said) => said,
            None => self.prior.described(&open.item).await?,
        };
        // Files that were not sent are as they were.
        for (part, node) in before {
            open.contents.keep(part, &node);
        }
        let (digest, size) = open.contents.total();
        let change = self.count_item(&open).await?;
        let row = IndexRow {
            digest,
            item: open.item,
            name: said.name,
            path: open.path,
            size,
            modified: said.modified,
            state,
            change,
            text,
            project: said.project,
        };
        spooled::push(&mut self.rows, &row)
    }

    /// What somebody moved to the recycle bin of the service was deleted for people.
    async fn count_item(&mut self, open: &Open) -> Result<RowChange> {
        let moved = match open.state {
            Some(state) if open.existed && self.prior.state(&open.item).await? != state => {
                Some(state)
            }
            _ => None,
        };
        let counts = self.counts.entry(open.item.kind.clone()).or_default();
        if !open.existed {
            counts.added += 1;
            return Ok(RowChange::Added);
        }
        match moved {
            None => counts.changed += 1,
            Some(state) => {
                let binned = self.binned.entry(open.item.kind.clone()).or_default();
                let (count, of) = match state {
                    RowState::Binned => (&mut counts.removed, &mut binned.into),
                    RowState::Live => (&mut counts.added, &mut binned.out),
                };
                *count += 1;
                *of += 1;
            }
        }
        Ok(RowChange::Changed)
    }

    /// All that can be searched of an item: files that were not sent are as they were.
    async fn text_of(&self, open: &mut Open) -> Result<String> {
        let mut all = Text::default();
        for (file, of) in self.layouts.texts(&open.item.kind) {
            let text = match open.texts.remove(file) {
                Some(text) => text,
                None if open.existed => readable(self.prior.text(&open.item, file, of).await)?,
                None => continue,
            };
            all.join(&text.into_string());
        }
        Ok(all.into_string())
    }

    fn innermost(&mut self) -> Result<&mut Open> {
        self.open.last_mut().ok_or_else(out_of_place)
    }
}

impl IndexRow {
    /// The end of an item, with what was said of it last.
    pub(crate) fn removed(item: ItemRef, path: String, said: Described) -> Self {
        Self {
            item,
            name: said.name,
            path,
            digest: String::new(),
            size: 0,
            modified: said.modified,
            state: RowState::Live,
            change: RowChange::Removed,
            text: String::new(),
            project: said.project,
        }
    }
}

/// What is damaged says nothing in the index, and keeps nothing else out of it.
fn readable<T: Default>(read: Result<T>) -> Result<T> {
    match read {
        Err(error) if error.is_damage() => Ok(T::default()),
        read => read,
    }
}

pub(crate) fn is_lines(kind: &dyn Kind) -> bool {
    matches!(kind.spec().layout, Layout::Lines { .. })
}

/// How many lines a stored file has; `None` where it cannot be read.
pub(crate) async fn lines_of(reader: &SnapshotReader, node: &Node) -> Result<Option<u64>> {
    let read = reader.repository().read(node).await;
    readable(
        read.map(|bytes| Some(newlines(&bytes)))
            .map_err(Error::from),
    )
}

/// How many records a part of lines has.
pub(crate) fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// What comes in the order of paths did not.
pub(crate) fn out_of_place() -> Error {
    Error::io("cannot read the spool")(std::io::Error::other("a record is out of place"))
}
