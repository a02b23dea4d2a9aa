//! Checkpoints: how far the crawls of a run have come, so that a killed run goes on instead of beginning anew.
//!
//! A checkpoint is a tree in the repository that no snapshot names: `spool/` has what the crawls sent (see [`Spool`]), `positions/` where those
//! that can go on from the middle stand, `crawls.json` the crawls and what they noted. The job's row holds the tree's id and what has to be the
//! same for it to be of use. Nothing is merged before the run's end, so no half item can come into a snapshot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use model::{Clock, Picks};
use repository::{FileContent, Node, SnapshotId, TreeEditor, TreeId, Writer};
use serde::{Deserialize, Serialize};
use service::Client;
use tokio::time::{Duration, Instant};

use crate::coordinator::{Coordinator, Pace};
use crate::sink::{Collector, CrawlInfo, Noted};
use crate::spool::Spool;
use crate::{Error, Result};

pub(super) const CRAWLS: &str = "crawls.json";
pub(super) const POSITIONS: &str = "positions";
pub(super) const SPOOL: &str = "spool";
pub(super) const VERSION: u32 = 1;

/// After this time a checkpoint is worth its cost, however few the requests: a large repository comes with two.
const LONG: Duration = Duration::from_mins(1);

/// What the job's row holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// 1.
    pub(super) version: u32,
    /// The run that made it.
    pub run: String,
    /// When the first of the runs began that it goes back to: none of its packs is older.
    pub started: Timestamp,
    pub at: Timestamp,
    /// `None` while none was made.
    pub(super) tree: Option<TreeId>,
    pub(super) order: Order,
}

impl Checkpoint {
    pub(super) fn new(run: &str, started: Timestamp, order: Order) -> Self {
        Self {
            version: VERSION,
            run: run.to_owned(),
            started,
            at: started,
            tree: None,
            order,
        }
    }

    /// `None` for what another version wrote.
    pub fn read(text: &str) -> Option<Self> {
        let checkpoint: Self = serde_json::from_str(text).ok()?;
        (checkpoint.version == VERSION).then_some(checkpoint)
    }
}

/// What was to be backed up, compared with what: another run can go on only if it is to do the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub service: String,
    pub source: String,
    pub url: String,
    /// The snapshot before.
    pub base: Option<SnapshotId>,
    pub selection: Vec<String>,
    pub full: bool,
    #[serde(default, skip_serializing_if = "Picks::is_empty")]
    pub picks: Picks,
}

/// The content of `crawls.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct Crawls {
    pub crawls: Vec<CrawlState>,
    pub issues: Vec<Noted>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CrawlState {
    pub number: u16,
    pub kind: String,
    pub scope: String,
    pub scope_name: String,
    pub complete: bool,
    /// That of its position, if it has one.
    pub epoch: Option<u32>,
}

/// A place that a crawl can go on from, in its own words.
#[derive(Clone)]
pub(crate) struct Position {
    /// What was sent up to here belongs to it.
    pub epoch: u32,
    pub bytes: Arc<[u8]>,
}

impl Position {
    pub(crate) fn new(epoch: u32, bytes: Vec<u8>) -> Self {
        Self {
            epoch,
            bytes: bytes.into(),
        }
    }
}

/// Makes checkpoints of one run.
pub(crate) struct Checkpoints<'a> {
    coordinator: &'a dyn Coordinator,
    client: &'a Client,
    clock: &'a dyn Clock,
    pace: Pace,
    begun: Instant,
    /// The row of the next checkpoint; time and tree are those of the last.
    row: Checkpoint,
    crawls: Mutex<BTreeMap<u16, Track>>,
    made: tokio::sync::Mutex<Made>,
}

#[derive(Clone)]
struct Track {
    info: CrawlInfo,
    position: Option<Position>,
}

/// The last checkpoint.
struct Made {
    tree: Option<TreeId>,
    /// Runs of the spool that are in it.
    runs: usize,
    /// Epochs of the positions that are in it.
    positions: BTreeMap<u16, u32>,
    at: Instant,
    took: Duration,
    requests: u64,
}

impl<'a> Checkpoints<'a> {
    /// `None` where nobody keeps them.
    pub(super) fn new(
        coordinator: &'a dyn Coordinator,
        client: &'a Client,
        clock: &'a dyn Clock,
        row: Checkpoint,
    ) -> Option<Self> {
        let now = Instant::now();
        Some(Self {
            coordinator,
            client,
            clock,
            pace: coordinator.pace()?,
            begun: now,
            row,
            crawls: Mutex::default(),
            made: tokio::sync::Mutex::new(Made {
                tree: None,
                runs: 0,
                positions: BTreeMap::new(),
                at: now,
                took: Duration::ZERO,
                requests: 0,
            }),
        })
    }

    fn crawls(&self) -> MutexGuard<'_, BTreeMap<u16, Track>> {
        self.crawls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, number: u16, info: &CrawlInfo, position: Option<Position>) {
        let info = info.clone();
        self.crawls().insert(number, Track { info, position });
    }

    pub(crate) fn reached(&self, number: u16, position: Position) {
        if let Some(track) = self.crawls().get_mut(&number) {
            track.position = Some(position);
        }
    }

    /// A kill now would cost more than it may. Not while one is made.
    pub(crate) fn is_due(&self) -> bool {
        self.made.try_lock().is_ok_and(|made| self.due(&made))
    }

    fn due(&self, made: &Made) -> bool {
        let since = made.at.elapsed();
        if since < self.pace.least.max(made.took * self.pace.rest) {
            return false;
        }
        let percent = self.pace.percent;
        let all = self.client.usage().requests;
        let requests = all - made.requests;
        let many = requests >= self.pace.requests && requests * 100 >= all * u64::from(percent);
        let long = since >= LONG && since * 100 >= self.begun.elapsed() * u32::from(percent);
        many || long
    }

    /// Makes a checkpoint if one is due.
    pub(crate) async fn step(&self, collector: &Collector<'_>) -> Result<()> {
        let Ok(mut made) = self.made.try_lock() else {
            return Ok(());
        };
        if !self.due(&made) {
            return Ok(());
        }
        // First what is known to be sent, then everything that was sent: more of it does no harm.
        let crawls = self.crawls().clone();
        let issues = collector.issues();
        let runs = lock(&collector.spool).cut()?;
        let mut writer = collector.writer.lock().await;
        let begun = Instant::now();
        let tree = self
            .write(&mut writer, collector, &made, (&crawls, issues, runs))
            .await?;
        writer.flush().await?;
        drop(writer);
        let row = Checkpoint {
            at: self.clock.now(),
            tree: Some(tree),
            ..self.row.clone()
        };
        let text = serde_json::to_string(&row).map_err(not_written)?;
        self.coordinator.checkpoint(Some(&text)).await?;
        let position =
            |(number, track): (&u16, &Track)| Some((*number, track.position.as_ref()?.epoch));
        *made = Made {
            tree: Some(tree),
            runs,
            positions: crawls.iter().filter_map(position).collect(),
            at: Instant::now(),
            took: begun.elapsed(),
            requests: self.client.usage().requests,
        };
        Ok(())
    }

    /// The tree of the last checkpoint, with what is new.
    async fn write(
        &self,
        writer: &mut Writer,
        collector: &Collector<'_>,
        made: &Made,
        (crawls, issues, runs): (&BTreeMap<u16, Track>, Vec<Noted>, usize),
    ) -> Result<TreeId> {
        let now = self.clock.now();
        let text = serde_json::to_vec(&described(crawls, issues)).map_err(not_written)?;
        let mut files = vec![(CRAWLS.to_owned(), writer.bytes(&text).await?)];
        for (number, position) in positions(crawls) {
            if made.positions.get(&number) != Some(&position.epoch) {
                let path = format!("{POSITIONS}/{number:05}");
                files.push((path, writer.bytes(&position.bytes).await?));
            }
        }
        for number in made.runs..runs {
            let pieces = lock(&collector.spool).run(number)?;
            let path = format!("{SPOOL}/{number:08}");
            files.push((path, store(writer, pieces).await?));
        }
        let mut editor = TreeEditor::new(writer, made.tree);
        for (path, content) in files {
            let node = Node::file("", content, now);
            editor.put(path.as_str(), node).await?;
        }
        Ok(editor.finish().await?)
    }
}

/// A run of the spool is written once and read once: pieces of one size need less memory than chunks, which look for repetition.
async fn store(
    writer: &mut Writer,
    pieces: impl Iterator<Item = Result<Vec<u8>>>,
) -> Result<FileContent> {
    const BLOB: usize = 512 << 10;
    let mut content = FileContent::default();
    let mut buffer = Vec::with_capacity(BLOB);
    let mut add = |stored: FileContent| {
        content.blobs.extend(stored.blobs);
        content.size += stored.size;
    };
    for piece in pieces {
        let piece = piece?;
        if buffer.len() + piece.len() > BLOB {
            add(writer.bytes(&buffer).await?);
            buffer.clear();
        }
        buffer.extend_from_slice(&piece);
    }
    add(writer.bytes(&buffer).await?);
    Ok(content)
}

fn positions(crawls: &BTreeMap<u16, Track>) -> impl Iterator<Item = (u16, &Position)> {
    crawls
        .iter()
        .filter_map(|(number, track)| Some((*number, track.position.as_ref()?)))
}

fn described(crawls: &BTreeMap<u16, Track>, issues: Vec<Noted>) -> Crawls {
    let state = |(number, track): (&u16, &Track)| CrawlState {
        number: *number,
        kind: track.info.kind.to_owned(),
        scope: track.info.scope.id.clone(),
        scope_name: track.info.scope.name.clone(),
        complete: track.info.complete,
        epoch: track.position.as_ref().map(|position| position.epoch),
    };
    Crawls {
        crawls: crawls.iter().map(state).collect(),
        issues,
    }
}

fn lock(spool: &Mutex<Spool>) -> MutexGuard<'_, Spool> {
    spool.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_written(error: serde_json::Error) -> Error {
    Error::io("cannot write a checkpoint")(error.into())
}
