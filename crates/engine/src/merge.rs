//! The second half of a backup: the sorted spool is merged with the tree of the snapshot before into the new tree.
//!
//! Everything runs in the order of paths, so memory holds one directory per level, one file's lines and the items on the path to it. What
//! changed comes out as rows for the search index ([`crate::rows`]), which wait in a spool of their own until the snapshot is committed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use model::KindCounts;
use repository::{BlobType, FileContent, Node, NodeType, TreeEditor, TreeId, Writer};

use crate::change::{self, Change, Op};
use crate::layout::{Layouts, is_within};
use crate::rows::{Binned, Made, Maker, newlines, out_of_place};
use crate::sink::{CrawlInfo, SMALL};
use crate::spool::{Record, Spool};
use crate::stored::{Described, SnapshotReader};
use crate::{Error, Result};

/// What a merge needs to know about the run.
pub(crate) struct Merge<'a> {
    pub layouts: Layouts,
    pub prior: &'a SnapshotReader,
    pub crawls: &'a [CrawlInfo],
    /// Crawls that failed, or of a killed run alone: what they sent is left out.
    pub left_out: &'a HashSet<u16>,
    /// The time of files whose item has none.
    pub started: Timestamp,
    /// Folders of the tree before that begin empty.
    pub empty: BTreeSet<&'a str>,
    /// Folders of items that the snapshot before has marked as stale.
    pub doubted: BTreeSet<String>,
}

/// What came of it.
pub(crate) struct Merged {
    pub tree: TreeId,
    pub rows: Spool,
    /// How many items of each kind were added, changed and removed.
    pub counts: BTreeMap<String, KindCounts>,
    /// Of these, what only came into the recycle bin or out of it.
    pub binned: BTreeMap<String, Binned>,
    /// See [`Made::recount`].
    pub recount: BTreeSet<&'static str>,
    /// Folders of the tree before that began empty: as ordered, and those that something came into and that could not be read.
    pub emptied: BTreeSet<String>,
    /// Of the folders in doubt those whose items have come anew.
    pub read: BTreeSet<String>,
    /// What stood in the place of a file in the tree before, by path, where the file came anew.
    pub displaced: BTreeMap<String, NodeType>,
}

/// How far a merge is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Far {
    /// Items of which something was written.
    pub items: u64,
    /// What was added to the repository.
    pub bytes: u64,
    pub at_end: bool,
}

struct State<'m, 'a, 'w> {
    merge: &'m Merge<'a>,
    editor: TreeEditor<'w>,
    /// Below this path everything is gone.
    deleted: Option<String>,
    rows: Maker<'a>,
    /// What is still to begin empty, by key: the editor goes through the tree in that order.
    to_empty: BTreeMap<Vec<u8>, &'a str>,
    emptied: BTreeSet<String>,
    read: BTreeSet<String>,
    displaced: BTreeMap<String, NodeType>,
    items: u64,
    /// Of the last item.
    folder: String,
}

impl Merge<'_> {
    /// Writes the new tree; `rows` is an empty spool for what changed.
    pub(crate) async fn run(
        &self,
        spool: Spool,
        writer: &mut Writer,
        rows: Spool,
        tell: &mut (dyn FnMut(Far) + Send),
    ) -> Result<Merged> {
        let stored = writer.stored().stored_bytes;
        let to_empty = self.empty.iter();
        let mut state = State {
            merge: self,
            editor: TreeEditor::new(writer, self.prior.tree_id()),
            deleted: None,
            rows: Maker::new(self.layouts, self.prior, rows),
            to_empty: to_empty
                .map(|path| (change::key(path, ""), *path))
                .collect(),
            emptied: BTreeSet::new(),
            read: BTreeSet::new(),
            displaced: BTreeMap::new(),
            items: 0,
            folder: String::new(),
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
                tell(state.far(stored, record.is_none()));
            }
            match record {
                Some(record) => group.push(record),
                None => break,
            }
        }
        state.empty_before(None).await?;
        let Made {
            rows,
            counts,
            binned,
            recount,
        } = state.rows.finish().await?;
        let tree = state.editor.finish().await?;
        Ok(Merged {
            tree,
            rows,
            counts,
            binned,
            recount,
            emptied: state.emptied,
            read: state.read,
            displaced: state.displaced,
        })
    }
}

impl State<'_, '_, '_> {
    /// `stored` is what had been added to the repository before.
    fn far(&mut self, stored: u64, at_end: bool) -> Far {
        let now = self.editor.writer().stored().stored_bytes;
        Far {
            items: self.items,
            bytes: now - stored,
            at_end,
        }
    }

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
        let gone = self.deleted.as_ref();
        if gone.is_some_and(|gone| is_within(&path, gone)) {
            return Ok(());
        }
        let folder = path
            .get(..usize::from(first.item))
            .ok_or_else(out_of_place)?;
        if self.folder != folder {
            folder.clone_into(&mut self.folder);
            self.items += 1;
        }
        if path.len() == folder.len() {
            self.item(folder, ops).await
        } else {
            self.rows.enter(folder).await?;
            self.file(&path, &path[folder.len() + 1..], ops).await
        }
    }

    /// The records of an item as a whole: the last one counts.
    async fn item(&mut self, folder: &str, mut ops: Vec<(Change, &[u8])>) -> Result<()> {
        match ops.pop().map(|(last, _)| last.op) {
            Some(Op::Upsert {
                name,
                project,
                modified,
            }) => {
                if let Some(doubted) = self.merge.doubted.get(folder) {
                    self.read.insert(doubted.clone());
                }
                self.rows.enter(folder).await?;
                self.rows.say(Described {
                    name,
                    modified,
                    project,
                })
            }
            Some(Op::Delete) => {
                self.rows.gone(folder).await?;
                self.make_room(folder).await?;
                self.editor.remove_all(folder).await?;
                self.deleted = Some(folder.to_owned());
                Ok(())
            }
            _ => Err(out_of_place()),
        }
    }

    /// One file: its last content, or the lines to add to what it was.
    async fn file(&mut self, path: &str, part: &str, ops: Vec<(Change, &[u8])>) -> Result<()> {
        let before = self.before(path).await?;
        let complete = self.merge.crawls[usize::from(ops[0].0.crawl)].complete;
        let File {
            put,
            lines,
            removed,
        } = File::of(ops)?;
        let anew = put.is_some() || removed || complete;
        let text = put.as_ref().map_or("", |put| &put.text);
        self.rows.text(part, text, !anew, &lines).await?;
        if removed && lines.is_empty() {
            return self.remove(path, part, before).await;
        }
        let (mut content, mut records) = match (put, &before) {
            (Some(put), _) => (Some(put.content), put.records),
            (None, Some(node)) if !anew => {
                let blobs = node.content.clone().unwrap_or_default();
                let size = node.size;
                let content = FileContent { blobs, size };
                (Some(content), self.rows.records(part, node).await?)
            }
            _ => (None, 0),
        };
        if !lines.is_empty() {
            records += newlines(&lines);
            content = Some(self.appended(content, lines).await?);
        }
        match content {
            // Without any item there is no file of them.
            Some(content) if content.size == 0 && self.rows.is_lines(part)? => {
                self.remove(path, part, before).await
            }
            Some(content) => self.put(path, part, before, content, records).await,
            None => Ok(()),
        }
    }

    /// The file in the tree before. What stands in its place has no content.
    async fn before(&mut self, path: &str) -> Result<Option<Node>> {
        let node = self.merge.prior.node(path).await?;
        let other = node.as_ref().filter(|node| !node.is_file());
        if let Some(other) = other.map(|node| node.node_type.clone()) {
            self.displaced.insert(path.to_owned(), other);
            return Ok(None);
        }
        Ok(node)
    }

    async fn remove(&mut self, path: &str, part: &str, before: Option<Node>) -> Result<()> {
        match before {
            Some(before) => self.rows.remove(part, &before).await?,
            None if self.displaced.contains_key(path) => {}
            None => return Ok(()),
        }
        self.make_room(path).await?;
        self.editor.remove(path).await?;
        Ok(())
    }

    /// Small files stay one blob, so that a chain of increments gives what one full crawl gives; long ones only get their end.
    async fn appended(&mut self, base: Option<FileContent>, lines: Vec<u8>) -> Result<FileContent> {
        let Some(mut base) = base.filter(|base| base.size > 0) else {
            return self.store(&lines).await;
        };
        if base.size + (lines.len() as u64) < SMALL
            && let Some(mut whole) = self.whole(&base).await?
        {
            whole.extend_from_slice(&lines);
            return self.store(&whole).await;
        }
        let tail = self.store(&lines).await?;
        base.blobs.extend(tail.blobs);
        base.size += tail.size;
        Ok(base)
    }

    /// `None` where that is damaged: what comes now is stored all the same.
    async fn whole(&self, content: &FileContent) -> Result<Option<Vec<u8>>> {
        let mut whole = Vec::with_capacity(content.size as usize);
        for blob in &content.blobs {
            let repository = self.merge.prior.repository();
            match repository.blob(BlobType::Data, *blob).await {
                Ok(bytes) => whole.extend_from_slice(&bytes),
                Err(error) if Error::from(error.clone()).is_damage() => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(whole))
    }

    async fn store(&mut self, bytes: &[u8]) -> Result<FileContent> {
        Ok(self.editor.writer().bytes(bytes).await?)
    }

    async fn put(
        &mut self,
        path: &str,
        part: &str,
        before: Option<Node>,
        content: FileContent,
        records: u64,
    ) -> Result<()> {
        if let Some(before) = &before
            && before.node_type == NodeType::File
            && before.content.as_deref() == Some(&content.blobs)
        {
            return Ok(());
        }
        self.rows
            .put(part, before.as_ref(), &content, records)
            .await?;
        let modified = self.rows.modified().unwrap_or(self.merge.started);
        let name = path.rsplit('/').next().unwrap_or(path);
        let node = Node::file(name, content, modified);
        self.make_room(path).await?;
        self.editor.put(path, node).await?;
        Ok(())
    }

    /// Before the editor goes to a path: what cannot be read on the way begins empty. Whoever told of what lies there told everything, or the
    /// run finds that out afterwards.
    async fn make_room(&mut self, path: &str) -> Result<()> {
        self.empty_before(Some(path)).await?;
        for gap in self.merge.prior.gaps() {
            // What is removed as a whole is never read.
            let is_above = gap.folder != path && is_within(path, &gap.folder);
            if is_above && self.emptied.insert(gap.folder.clone()) {
                self.editor.remove_all(&gap.folder).await?;
            }
        }
        Ok(())
    }

    /// What comes before a path and was ordered to begin empty.
    async fn empty_before(&mut self, path: Option<&str>) -> Result<()> {
        let end = path.map(|path| change::key(path, ""));
        while let Some(first) = self.to_empty.first_entry()
            && end.as_ref().is_none_or(|end| first.key() < end)
        {
            let folder = first.remove();
            self.editor.remove_all(folder).await?;
            self.emptied.insert(folder.to_owned());
        }
        Ok(())
    }
}

/// What the records of a file come to.
#[derive(Default)]
struct File {
    put: Option<Put>,
    /// What follows its content.
    lines: Vec<u8>,
    removed: bool,
}

struct Put {
    content: FileContent,
    records: u64,
    text: String,
}

impl File {
    fn of(ops: Vec<(Change, &[u8])>) -> Result<Self> {
        let mut file = Self::default();
        for (change, added) in ops {
            match change.op {
                Op::Put {
                    blobs,
                    size,
                    lines: records,
                    text,
                } => {
                    file = Self {
                        put: Some(Put {
                            content: FileContent { blobs, size },
                            records,
                            text,
                        }),
                        ..Self::default()
                    }
                }
                Op::Remove => {
                    file = Self {
                        removed: true,
                        ..Self::default()
                    }
                }
                Op::Append => file.lines.extend_from_slice(added),
                Op::Upsert { .. } | Op::Delete | Op::Keep | Op::Done => return Err(out_of_place()),
            }
        }
        Ok(file)
    }
}
