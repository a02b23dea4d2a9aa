//! The second half of a backup: the sorted spool is merged with the tree of the snapshot before into the new tree.
//!
//! Everything runs in the order of paths, so memory holds one directory per level, one file's lines and the items on the path to it. What
//! changed comes out as rows for the search index, which wait in a spool of their own until the snapshot is committed.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use model::{ItemRef, KindCounts};
use repository::{BlobId, BlobType, FileContent, Node, NodeType, TreeEditor, TreeId, Writer};
use sha2::{Digest as _, Sha256};

use crate::change::{self, Change, Op};
use crate::coordinator::{IndexRow, RowChange, RowState};
use crate::layout::Layouts;
use crate::sink::{CrawlInfo, SMALL};
use crate::spool::{Record, Spool};
use crate::stored::{Described, SnapshotReader};
use crate::{Error, Result, rows};
use service::Layout;
use service::text::Text;

/// What a merge needs to know about the run.
pub(crate) struct Merge<'a> {
    pub layouts: Layouts,
    pub prior: &'a SnapshotReader,
    pub crawls: &'a [CrawlInfo],
    /// Crawls that failed, or of a killed run alone: what they sent is left out.
    pub left_out: &'a HashSet<u16>,
    /// The time of files whose item has none.
    pub started: Timestamp,
}

/// What came of it.
pub(crate) struct Merged {
    pub tree: TreeId,
    pub rows: Spool,
    /// Change of each kind's number of items, and how many were added, changed and removed.
    pub counts: BTreeMap<String, KindCounts>,
    pub items_delta: BTreeMap<String, i64>,
}

/// An item whose files are being written.
struct Open {
    item: ItemRef,
    path: String,
    existed: bool,
    name: Option<String>,
    modified: Option<Timestamp>,
    project: String,
    /// What can be searched of the files that this run sent.
    texts: BTreeMap<&'static str, Text>,
    /// Hash over the files that changed, in their order.
    digest: Sha256,
    changed: bool,
    size: u64,
    /// Presence of the part that says "in the recycle bin", when this run wrote or removed it.
    binned: Option<bool>,
}

struct State<'m, 'a, 'w> {
    merge: &'m Merge<'a>,
    editor: TreeEditor<'w>,
    open: Vec<Open>,
    /// Below this path everything is gone.
    deleted: Option<String>,
    rows: Spool,
    counts: BTreeMap<String, KindCounts>,
    items_delta: BTreeMap<String, i64>,
}

impl Merge<'_> {
    /// Writes the new tree; `rows` is an empty spool for what changed.
    pub(crate) async fn run(
        &self,
        spool: Spool,
        writer: &mut Writer,
        rows: Spool,
    ) -> Result<Merged> {
        let editor = TreeEditor::new(writer, self.prior.tree_id());
        let mut state = State {
            merge: self,
            editor,
            open: Vec::new(),
            deleted: None,
            rows,
            counts: BTreeMap::new(),
            items_delta: BTreeMap::new(),
        };
        let mut sorted = spool.sorted()?;
        let mut group: Vec<Record> = Vec::new();
        loop {
            let record = sorted.next()?;
            if let Some(first) = group.first()
                && record.as_ref().is_none_or(|record| record.key != first.key)
            {
                state.group(&group).await?;
                group.clear();
            }
            match record {
                Some(record) => group.push(record),
                None => break,
            }
        }
        state.close_all().await?;
        let tree = state.editor.finish().await?;
        Ok(Merged {
            tree,
            rows: state.rows,
            counts: state.counts,
            items_delta: state.items_delta,
        })
    }
}

impl State<'_, '_, '_> {
    /// All records of one path, in order of arrival.
    async fn group(&mut self, records: &[Record]) -> Result<()> {
        let mut ops = Vec::with_capacity(records.len());
        for record in records {
            let (change, lines) = Change::decode(&record.payload)?;
            let says = !matches!(change.op, Op::Keep | Op::Done);
            if says && !self.merge.left_out.contains(&change.crawl) {
                ops.push((change, lines));
            }
        }
        let Some((first, _)) = ops.first() else {
            return Ok(());
        };
        let path = change::path(&records[0].key)?;
        if self.deleted.as_ref().is_some_and(|gone| {
            path.strip_prefix(gone.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }) {
            return Ok(());
        }
        let folder = path
            .get(..usize::from(first.item))
            .ok_or_else(out_of_place)?
            .to_owned();
        if path.len() == folder.len() {
            self.item(folder, ops).await
        } else {
            self.enter(&folder).await?;
            self.file(&path, &path[folder.len() + 1..], ops).await
        }
    }

    /// The records of an item as a whole.
    async fn item(&mut self, folder: String, ops: Vec<(Change, &[u8])>) -> Result<()> {
        let Some((last, _)) = ops.into_iter().next_back() else {
            return Ok(());
        };
        match last.op {
            Op::Upsert {
                name,
                project,
                modified,
            } => {
                self.enter(&folder).await?;
                if let Some(open) = self.open.last_mut() {
                    open.name = Some(name);
                    open.modified = modified;
                    open.project = project;
                }
                Ok(())
            }
            Op::Delete => {
                self.close_until(&folder).await?;
                self.removed_rows(&folder).await?;
                self.editor.remove_all(&folder).await?;
                self.deleted = Some(folder);
                Ok(())
            }
            Op::Put { .. } | Op::Append | Op::Remove | Op::Keep | Op::Done => Err(out_of_place()),
        }
    }

    /// One file: its last content, or the lines to add to what it was.
    async fn file(&mut self, path: &str, part: &str, ops: Vec<(Change, &[u8])>) -> Result<()> {
        let before = self.merge.prior.node(path).await?;
        let folder_kind = self
            .open
            .last()
            .map(|open| open.item.kind.clone())
            .ok_or_else(out_of_place)?;
        let mut content = None;
        let mut count = 0;
        let mut lines: Vec<u8> = Vec::new();
        let mut text = None;
        let mut removed = false;
        let anew = self.merge.crawls[usize::from(ops[0].0.crawl)].complete;
        for (change, added) in ops {
            match change.op {
                Op::Put {
                    blobs,
                    size,
                    lines: own,
                    text: put,
                } => {
                    content = Some(FileContent { blobs, size });
                    text = Some(put);
                    count = own;
                    lines.clear();
                    removed = false;
                }
                Op::Remove => {
                    content = None;
                    text = None;
                    count = 0;
                    lines.clear();
                    removed = true;
                }
                Op::Append => lines.extend_from_slice(added),
                Op::Upsert { .. } | Op::Delete | Op::Keep | Op::Done => return Err(out_of_place()),
            }
        }
        let is_new = content.is_some() || removed || anew;
        self.note_text(part, text, !is_new, &lines).await?;
        if removed && lines.is_empty() {
            return self.remove_file(path, part, before.as_ref()).await;
        }
        if !lines.is_empty() {
            let base = match &before {
                _ if is_new => content,
                Some(node) => {
                    count = self
                        .old_records(&folder_kind, part, before.as_ref())
                        .await?;
                    Some(FileContent {
                        blobs: node.content.clone().unwrap_or_default(),
                        size: node.size,
                    })
                }
                None => None,
            };
            if self.merge.layouts.part_kind(&folder_kind, part).is_some() {
                count += newlines(&lines);
            }
            content = Some(self.appended(base, lines).await?);
        }
        let Some(content) = content else {
            return Ok(());
        };
        self.put_file(path, part, before, content, count).await
    }

    /// Remembers what can be searched of a file: what was put, or is there `before`, and the lines that come after it.
    async fn note_text(
        &mut self,
        part: &str,
        put: Option<String>,
        before: bool,
        lines: &[u8],
    ) -> Result<()> {
        let Some(open) = self.open.last_mut() else {
            return Err(out_of_place());
        };
        let layouts = self.merge.layouts;
        let kind = layouts.service().kind(&open.item.kind);
        let texts = kind.into_iter().flat_map(|kind| kind.spec().texts());
        for (file, of) in texts.filter(|(file, _)| *file == part) {
            let mut text = if before {
                self.merge.prior.text(&open.item, part, of).await?
            } else {
                Text::default()
            };
            text.join(put.as_deref().unwrap_or_default());
            text.join(&of.of(lines).into_string());
            open.texts.insert(file, text);
        }
        Ok(())
    }

    /// All that can be searched of an item: files that were not sent are as they were.
    async fn text(&self, open: &mut Open) -> Result<String> {
        let kind = self.merge.layouts.service().kind(&open.item.kind);
        let mut all = Text::default();
        for (file, of) in kind.into_iter().flat_map(|kind| kind.spec().texts()) {
            let text = match open.texts.remove(file) {
                Some(text) => text,
                None if open.existed => self.merge.prior.text(&open.item, file, of).await?,
                None => continue,
            };
            all.join(&text.into_string());
        }
        Ok(all.into_string())
    }

    /// Small files stay one blob, so that a chain of increments gives what one full crawl gives; long ones only get their end.
    async fn appended(&mut self, base: Option<FileContent>, lines: Vec<u8>) -> Result<FileContent> {
        let Some(mut base) = base.filter(|base| base.size > 0) else {
            return self.store(&lines).await;
        };
        if base.size + (lines.len() as u64) < SMALL {
            let mut whole = Vec::with_capacity(base.size as usize + lines.len());
            for blob in &base.blobs {
                whole.extend_from_slice(
                    &self
                        .merge
                        .prior
                        .repository()
                        .blob(BlobType::Data, *blob)
                        .await?,
                );
            }
            whole.extend_from_slice(&lines);
            return self.store(&whole).await;
        }
        let tail = self.store(&lines).await?;
        base.blobs.extend(tail.blobs);
        base.size += tail.size;
        Ok(base)
    }

    async fn store(&mut self, bytes: &[u8]) -> Result<FileContent> {
        Ok(self.editor.writer().bytes(bytes).await?)
    }

    async fn put_file(
        &mut self,
        path: &str,
        part: &str,
        before: Option<Node>,
        content: FileContent,
        count: u64,
    ) -> Result<()> {
        if let Some(before) = &before
            && before.node_type == NodeType::File
            && before.content.as_deref() == Some(&content.blobs)
        {
            return Ok(());
        }
        let started = self.merge.started;
        let Some(open) = self.open.last_mut() else {
            return Err(out_of_place());
        };
        open.changed = true;
        digest_part(&mut open.digest, part, Some(&content.blobs));
        open.size += content.size;
        let modified = open.modified.unwrap_or(started);
        let item = open.item.clone();
        self.note_bin(part, true);
        self.count_part(&item, part, before.as_ref(), count.max(1))
            .await?;
        let name = path.rsplit('/').next().unwrap_or(path);
        self.editor
            .put(path, Node::file(name, content, modified))
            .await?;
        Ok(())
    }

    async fn remove_file(&mut self, path: &str, part: &str, before: Option<&Node>) -> Result<()> {
        if before.is_none() {
            return Ok(());
        }
        let Some(open) = self.open.last_mut() else {
            return Err(out_of_place());
        };
        open.changed = true;
        digest_part(&mut open.digest, part, None);
        let item = open.item.clone();
        self.note_bin(part, false);
        self.count_part(&item, part, before, 0).await?;
        self.editor.remove(path).await?;
        Ok(())
    }

    fn note_bin(&mut self, part: &str, present: bool) {
        let layouts = self.merge.layouts;
        if let Some(open) = self.open.last_mut()
            && layouts
                .service()
                .kind(&open.item.kind)
                .is_some_and(|kind| kind.spec().bin == Some(part))
        {
            open.binned = Some(present);
        }
    }

    /// Comments and attachments are counted as kinds of their own; `new` is what a file of lines now has.
    async fn count_part(
        &mut self,
        item: &ItemRef,
        part: &str,
        before: Option<&Node>,
        new: u64,
    ) -> Result<()> {
        let Some(kind) = self.merge.layouts.part_kind(&item.kind, part) else {
            return Ok(());
        };
        let name = kind.spec().name;
        let old = self.old_records(&item.kind, part, before).await?;
        let new = if matches!(kind.spec().layout, Layout::Lines { .. }) {
            new
        } else {
            new.min(1)
        };
        let counts = self.counts.entry(name.to_owned()).or_default();
        counts.added += new.saturating_sub(old);
        counts.removed += old.saturating_sub(new);
        counts.changed += u64::from(old > 0 && new > 0);
        *self.items_delta.entry(name.to_owned()).or_default() +=
            new.cast_signed() - old.cast_signed();
        Ok(())
    }

    /// How many records a part had that counts as a kind of its own.
    async fn old_records(&self, kind: &str, part: &str, before: Option<&Node>) -> Result<u64> {
        let (Some(kind), Some(node)) = (self.merge.layouts.part_kind(kind, part), before) else {
            return Ok(0);
        };
        if !matches!(kind.spec().layout, Layout::Lines { .. }) {
            return Ok(1);
        }
        Ok(newlines(&self.merge.prior.repository().read(node).await?))
    }

    /// Makes this item the innermost open one; items that are not above it are finished.
    async fn enter(&mut self, folder: &str) -> Result<()> {
        self.close_until(folder).await?;
        if self.open.last().is_some_and(|open| open.path == folder) {
            return Ok(());
        }
        let place = self.merge.layouts.parse(folder).ok_or_else(out_of_place)?;
        let existed = self.merge.prior.node(folder).await?.is_some();
        self.open.push(Open {
            item: place.item,
            path: folder.to_owned(),
            existed,
            name: None,
            modified: None,
            project: String::new(),
            texts: BTreeMap::new(),
            digest: Sha256::new(),
            changed: false,
            size: 0,
            binned: None,
        });
        Ok(())
    }

    /// Finishes the items that neither are `folder` nor contain it.
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

    async fn close_all(&mut self) -> Result<()> {
        while !self.open.is_empty() {
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
        let text = self.text(&mut open).await?;
        let binned = match open.binned {
            Some(binned) => binned,
            None => self.was_binned(&open).await?,
        };
        let said = match open.name {
            Some(name) => Described {
                name,
                modified: open.modified,
                project: open.project,
            },
            None => self.merge.prior.described(&open.item).await?,
        };
        let change = if open.existed {
            RowChange::Changed
        } else {
            RowChange::Added
        };
        let counts = self.counts.entry(open.item.kind.clone()).or_default();
        if open.existed {
            counts.changed += 1;
        } else {
            counts.added += 1;
            *self.items_delta.entry(open.item.kind.clone()).or_default() += 1;
        }
        self.row(&IndexRow {
            digest: digest_text(open.digest),
            item: open.item,
            name: said.name,
            path: open.path,
            size: open.size,
            modified: said.modified,
            state: if binned {
                RowState::Binned
            } else {
                RowState::Live
            },
            change,
            text,
            project: said.project,
        })
    }

    async fn was_binned(&self, open: &Open) -> Result<bool> {
        let kind = self.merge.layouts.service().kind(&open.item.kind);
        match kind.and_then(|kind| kind.spec().bin) {
            Some(bin) if open.existed => Ok(self
                .merge
                .prior
                .node(&format!("{}/{bin}", open.path))
                .await?
                .is_some()),
            _ => Ok(false),
        }
    }

    /// Rows for an item that is gone and for the items that lie in its folder.
    async fn removed_rows(&mut self, folder: &str) -> Result<()> {
        let mut open = vec![folder.to_owned()];
        let mut seen = HashSet::new();
        while let Some(path) = open.pop() {
            if let Some(place) = self.merge.layouts.parse(&path)
                && self.merge.prior.node(&path).await?.is_some()
                && seen.insert(place.item.clone())
            {
                let item_path = self
                    .merge
                    .layouts
                    .path(&place.item)
                    .unwrap_or_else(|| path.clone());
                if item_path == path {
                    self.removed_row(place.item, path.clone()).await?;
                }
            }
            for node in self.merge.prior.nodes(&path).await? {
                let below = format!("{path}/{}", node.name);
                if node.node_type == NodeType::Dir {
                    open.push(below);
                } else if let Some(place) = self.merge.layouts.parse(&below) {
                    // Comments go with their item.
                    self.count_part(&place.item, &place.part, Some(&node), 0)
                        .await?;
                }
            }
        }
        Ok(())
    }

    async fn removed_row(&mut self, item: ItemRef, path: String) -> Result<()> {
        let said = self.merge.prior.described(&item).await?;
        self.counts.entry(item.kind.clone()).or_default().removed += 1;
        *self.items_delta.entry(item.kind.clone()).or_default() -= 1;
        self.row(&IndexRow {
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
        })
    }

    fn row(&mut self, row: &IndexRow) -> Result<()> {
        rows::push(&mut self.rows, row)
    }
}

/// A version of an item is told by the files that changed in it.
pub(crate) fn digest_part(digest: &mut Sha256, part: &str, blobs: Option<&[BlobId]>) {
    digest.update(part.as_bytes());
    match blobs {
        Some(blobs) => blobs.iter().for_each(|blob| digest.update(blob.0)),
        None => digest.update(b"removed"),
    }
}

pub(crate) fn digest_text(digest: Sha256) -> String {
    hex::encode(&digest.finalize()[..16])
}

/// How many records a part of lines has.
pub(crate) fn newlines(bytes: &[u8]) -> u64 {
    bytes.split(|&byte| byte == b'\n').count() as u64 - 1
}

fn out_of_place() -> Error {
    Error::io("cannot read the spool")(std::io::Error::other("a record is out of place"))
}
