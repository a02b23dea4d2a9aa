//! Going on from a checkpoint. Whatever of it is not in the repository any more makes it useless: then the run begins anew.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::StreamExt as _;
use model::{Event, ItemRef, Resumed};
use repository::{BlobId, BlobType, FileContent, Node, Repository, TreeId};
use service::Scope;

use super::checkpoint::{CRAWLS, Checkpoint, Crawls, Order, POSITIONS, Position, SPOOL};
use super::prior::Files;
use super::{BackupContext, Parent};
use crate::change::{self, Change, Op};
use crate::layout::Layouts;
use crate::sink::{Collector, CrawlInfo, Noted};
use crate::spool::{Record, Records, Spool};
use crate::stored::SnapshotReader;
use crate::{Error, Result};

/// What a killed run has left, read whole.
pub(super) struct Left {
    pub checkpoint: Checkpoint,
    /// The crawls that had begun; their numbers count for the run that goes on.
    pub infos: Vec<CrawlInfo>,
    pub positions: HashMap<u16, Position>,
    pub issues: Vec<Noted>,
    /// Whole items of crawls that begin again.
    pub kept: BTreeMap<ItemRef, Files>,
    /// Items that crawls which go on have mentioned.
    pub mentioned: HashSet<ItemRef>,
}

/// The crawls of an earlier run and where they stand, for those that go on.
#[derive(Default)]
pub(super) struct Begun {
    pub infos: Vec<CrawlInfo>,
    pub positions: HashMap<u16, Position>,
}

impl Left {
    pub(super) fn pass_on(
        self,
        collector: &mut Collector<'_>,
    ) -> (Begun, BTreeMap<ItemRef, Files>) {
        let kinds = kinds(collector.layouts, &self.kept);
        collector.carry(self.issues, self.mentioned, kinds);
        let begun = Begun {
            infos: self.infos,
            positions: self.positions,
        };
        (begun, self.kept)
    }
}

/// What an earlier run has left that was to do the same and did not reach its snapshot. The error of one that is of no use is
/// [`Error::is_start_again`].
pub(super) async fn left(
    cx: &BackupContext<'_>,
    order: &Order,
    parent: Option<&Parent>,
    spool: &mut Spool,
) -> Result<Option<Left>> {
    if cx.coordinator.pace().is_none() {
        return Ok(None);
    }
    let Some(text) = cx.coordinator.left().await? else {
        return Ok(None);
    };
    let checkpoint = Checkpoint::read(&text).filter(|checkpoint| checkpoint.order == *order);
    let left = match checkpoint {
        Some(checkpoint) => read(cx, checkpoint, parent.is_some(), spool).await,
        None => Err(unusable(
            "it is of another backup, or the snapshot that it goes back to is no longer the newest",
        )),
    };
    let left = left.map_err(|error| match error {
        Error::Repository(error) if is_gone(&error) => unusable(&error.to_string()),
        other => other,
    })?;
    let (run, at) = (left.checkpoint.run.clone(), left.checkpoint.at);
    cx.reporter.report(Event::Note {
        message: format!("going on from the checkpoint of run {run}, {at:.0}"),
    });
    cx.coordinator.resumed(&Resumed { run, at }).await?;
    Ok(Some(left))
}

/// Forgets a checkpoint and says why.
pub(super) async fn give_up(cx: &BackupContext<'_>, why: String) -> Result<()> {
    cx.reporter.report(Event::Note { message: why });
    cx.coordinator.checkpoint(None).await
}

/// The repository does not have it any more; an error of the storage itself is another matter.
fn is_gone(error: &repository::Error) -> bool {
    matches!(
        error,
        repository::Error::BlobMissing { .. }
            | repository::Error::FileMissing { .. }
            | repository::Error::Damaged { .. }
    )
}

async fn read(
    cx: &BackupContext<'_>,
    checkpoint: Checkpoint,
    has_base: bool,
    spool: &mut Spool,
) -> Result<Left> {
    let tree = checkpoint.tree.ok_or_else(not_understood)?;
    let reader = SnapshotReader::new(cx.repository.clone(), cx.service, Some(tree));
    let file = async |path: String| -> Result<Vec<u8>> {
        let node = reader.node(&path).await?.ok_or_else(not_understood)?;
        Ok(cx.repository.read(&node).await?.to_vec())
    };
    let crawls: Crawls =
        serde_json::from_slice(&file(CRAWLS.to_owned()).await?).map_err(|_| not_understood())?;
    let mut replay = Replay {
        cx,
        tree,
        layouts: Layouts::new(cx.service),
        has_base,
        numbers: HashMap::new(),
        left: Left {
            checkpoint,
            infos: Vec::new(),
            positions: HashMap::new(),
            issues: Vec::new(),
            kept: BTreeMap::new(),
            mentioned: HashSet::new(),
        },
        done: HashSet::new(),
    };
    for state in crawls.crawls {
        let Some(kind) = cx.service.kind(&state.kind) else {
            return Err(not_understood());
        };
        let number = replay.left.infos.len() as u16;
        replay.numbers.insert(state.number, number);
        if let Some(epoch) = state.epoch {
            let bytes = file(format!("{POSITIONS}/{:05}", state.number)).await?;
            replay
                .left
                .positions
                .insert(number, Position::new(epoch, bytes));
        }
        replay.left.infos.push(CrawlInfo {
            kind: kind.spec().name,
            scope: Scope {
                id: state.scope,
                name: state.scope_name,
            },
            complete: state.complete,
        });
    }
    replay.issues(crawls.issues);
    replay.find_done().await?;
    replay.take(spool).await?;
    Ok(replay.left)
}

struct Replay<'a> {
    cx: &'a BackupContext<'a>,
    tree: TreeId,
    layouts: Layouts,
    has_base: bool,
    /// Number then → number now.
    numbers: HashMap<u16, u16>,
    left: Left,
    /// Whole items of crawls that list everything, by crawl and folder.
    done: HashSet<(u16, String)>,
}

impl Replay<'_> {
    /// Issues of crawls that go on. The others are found again, or are no longer true.
    fn issues(&mut self, issues: Vec<Noted>) {
        for mut noted in issues {
            let Some(number) = self.numbers.get(&noted.crawl) else {
                continue;
            };
            noted.crawl = *number;
            if self.belongs(*number, noted.epoch) {
                if self.mentions(*number) {
                    let items = noted.issue.item.iter().chain(&noted.items);
                    self.left.mentioned.extend(items.cloned());
                }
                self.left.issues.push(noted);
            }
        }
    }

    /// It was sent before the position that its crawl goes on from.
    fn belongs(&self, number: u16, epoch: u32) -> bool {
        let position = self.left.positions.get(&number);
        position.is_some_and(|position| epoch <= position.epoch)
    }

    /// What the crawl mentions is compared with the snapshot before.
    fn mentions(&self, number: u16) -> bool {
        self.has_base && self.left.infos[usize::from(number)].complete
    }

    /// Crawls that begin again keep their whole items, if they list everything.
    fn keeps(&self, number: u16) -> bool {
        !self.left.positions.contains_key(&number) && self.left.infos[usize::from(number)].complete
    }

    async fn find_done(&mut self) -> Result<()> {
        let any = (0..self.left.infos.len() as u16).any(|number| self.keeps(number));
        let (mut appended, mut done) = (HashSet::new(), HashSet::new());
        if any {
            for file in self.files().await? {
                let mut records = Reading::new(self.cx.repository, &file);
                while let Some(record) = records.next().await? {
                    let (change, _) =
                        Change::decode(&record.payload).map_err(|_| not_understood())?;
                    let (number, folder) = self.place(&record, &change)?;
                    match change.op {
                        Op::Done if self.keeps(number) => done.insert((number, folder)),
                        Op::Append if self.keeps(number) => appended.insert((number, folder)),
                        _ => false,
                    };
                }
            }
        }
        // Lines would be there twice.
        self.done = done.difference(&appended).cloned().collect();
        Ok(())
    }

    /// Passes on what the run goes on from.
    async fn take(&mut self, spool: &mut Spool) -> Result<()> {
        for file in self.files().await? {
            let mut records = Reading::new(self.cx.repository, &file);
            while let Some(record) = records.next().await? {
                let (mut change, lines) =
                    Change::decode(&record.payload).map_err(|_| not_understood())?;
                let (number, folder) = self.place(&record, &change)?;
                let goes_on = self.belongs(number, change.epoch);
                if !goes_on && !self.done.contains(&(number, folder.clone())) {
                    continue;
                }
                if let Op::Put { blobs, .. } = &change.op {
                    self.look(blobs).await?;
                }
                if !goes_on {
                    self.keep(&record, &folder, &change)?;
                    change.epoch = 0;
                } else if self.mentions(number)
                    && matches!(change.op, Op::Upsert { .. } | Op::Delete | Op::Keep)
                {
                    let place = self.layouts.parse(&folder).ok_or_else(not_understood)?;
                    self.left.mentioned.insert(place.item);
                }
                change.crawl = number;
                spool.push(&record.key, &[&change.encode()?, lines])?;
            }
        }
        Ok(())
    }

    /// The crawl's number now, and the item's folder.
    fn place(&self, record: &Record, change: &Change) -> Result<(u16, String)> {
        let number = self.numbers.get(&change.crawl).ok_or_else(not_understood)?;
        let path = change::path(&record.key)?;
        let folder = path
            .get(..usize::from(change.item))
            .ok_or_else(not_understood)?;
        Ok((*number, folder.to_owned()))
    }

    /// Content that is not in the index is not trusted to be there.
    async fn look(&self, blobs: &[BlobId]) -> Result<()> {
        let kind = BlobType::Data;
        for &id in blobs {
            if !self.cx.repository.has(kind, id).await? {
                return Err(repository::Error::BlobMissing { kind, id }.into());
            }
        }
        Ok(())
    }

    fn keep(&mut self, record: &Record, folder: &str, change: &Change) -> Result<()> {
        let path = change::path(&record.key)?;
        let place = self.layouts.parse(folder).ok_or_else(not_understood)?;
        let files = self.left.kept.entry(place.item).or_default();
        let part = || path[folder.len()..].trim_start_matches('/').to_owned();
        match &change.op {
            Op::Put { blobs, size, .. } => {
                let (blobs, size) = (blobs.clone(), *size);
                files.insert(part(), Some(FileContent { blobs, size }));
            }
            Op::Remove => {
                files.insert(part(), None);
            }
            Op::Upsert { .. } | Op::Delete | Op::Append | Op::Keep | Op::Done => {}
        }
        Ok(())
    }

    /// The files of the spool, in the order in which they were written.
    async fn files(&self) -> Result<Vec<Node>> {
        let Some(folder) = self.cx.repository.find(self.tree, SPOOL).await? else {
            return Ok(Vec::new());
        };
        let tree = folder.subtree.ok_or_else(not_understood)?;
        Ok(self.cx.repository.tree(tree).await?.nodes)
    }
}

/// The records of a file of the spool.
struct Reading {
    pieces: futures::stream::BoxStream<'static, repository::Result<bytes::Bytes>>,
    records: Records,
}

impl Reading {
    fn new(repository: &Repository, file: &Node) -> Self {
        Self {
            pieces: repository.stream(file).boxed(),
            records: Records::default(),
        }
    }

    async fn next(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some(record) = self.records.next() {
                return Ok(Some(record));
            }
            match self.pieces.next().await {
                Some(piece) => self.records.push(&piece?),
                None if self.records.is_whole() => return Ok(None),
                None => return Err(not_understood()),
            }
        }
    }
}

fn not_understood() -> Error {
    unusable("it is not understood")
}

/// [`Error::is_start_again`].
fn unusable(why: &str) -> Error {
    service::Error::start_again(why).into()
}

/// The kinds of these items.
fn kinds(layouts: Layouts, kept: &BTreeMap<ItemRef, Files>) -> BTreeSet<&'static str> {
    let kinds: BTreeSet<&str> = kept.keys().map(|item| item.kind.as_str()).collect();
    let known = layouts.service().kinds.iter().map(|kind| kind.spec().name);
    known.filter(|name| kinds.contains(name)).collect()
}
