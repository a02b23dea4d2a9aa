//! How large a repository is, and what makes it so.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use model::Reporter;
use serde::Serialize;

use crate::inventory::{Bits, Inventory};
use crate::progress::Progress;
use crate::{BlobType, FileKind, Id, Repository, Result, Snapshot, TreeId};

/// Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    pub snapshots: u64,
    /// Of all snapshots together, as a restore of each would write them.
    pub files: u64,
    pub bytes_logical: u64,
    /// Different blobs that snapshots reach, and their clear and encrypted sizes.
    pub blobs: u64,
    pub bytes_clear: u64,
    pub bytes_stored: u64,
    /// All packs, needed or not.
    pub packs: u64,
    pub bytes_packs: u64,
    /// In packs and not reached by a snapshot: what a prune can free, apart from its grace period.
    pub bytes_unused: u64,
    pub index_files: u64,
    pub bytes_index: u64,
    /// Clear bytes for each stored one.
    pub compression: f64,
    /// Logical bytes for each clear one that is stored.
    pub deduplication: f64,
    pub sources: Vec<SourceStats>,
}

/// What belongs to one source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceStats {
    pub source: String,
    pub snapshots: u64,
    pub oldest: Timestamp,
    pub newest: Timestamp,
    /// Of the newest snapshot.
    pub files: u64,
    pub bytes: u64,
    /// Of all of its snapshots, encrypted; what it shares with other sources counts for each.
    pub bytes_stored: u64,
}

/// What hangs together, in numbers of blobs.
struct Forest {
    /// The row of each tree, by its number.
    rows: HashMap<u32, u32>,
    trees: Vec<Row>,
    links: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Row {
    files: u64,
    bytes: u64,
    /// Its links: first the trees, then the blobs.
    start: usize,
    trees: u32,
    blobs: u32,
}

impl Repository {
    /// Counts everything; `source` names what a snapshot belongs to. Hold a shared lock.
    pub async fn stats(
        &self,
        source: impl Fn(&Snapshot) -> String,
        reporter: &dyn Reporter,
    ) -> Result<Stats> {
        let mut progress = Progress::begin(reporter, "stats", None);
        let snapshots = self.snapshots().await?;
        let mut inventory = Inventory::default();
        inventory.update(self).await?;
        let roots = snapshots.iter().map(|(_, snapshot)| snapshot.tree);
        let forest = Forest::read(self, &inventory, roots.collect(), &mut progress).await?;
        let mut sources: BTreeMap<String, Vec<&Snapshot>> = BTreeMap::new();
        for (_, snapshot) in &snapshots {
            sources.entry(source(snapshot)).or_default().push(snapshot);
        }
        let mut stats = Stats {
            snapshots: snapshots.len() as u64,
            ..Stats::default()
        };
        let mut totals = HashMap::new();
        let mut reached = Bits::default();
        for (name, snapshots) in sources {
            let mut roots = Vec::with_capacity(snapshots.len());
            for snapshot in &snapshots {
                let root = inventory.find(BlobType::Tree, snapshot.tree)?;
                let (files, bytes) = forest.total(root, &mut totals);
                stats.files += files;
                stats.bytes_logical += bytes;
                roots.push(root);
            }
            stats.sources.extend(forest.of_source(
                name,
                &snapshots,
                &roots,
                &inventory,
                &mut totals,
            ));
            forest.reach(&roots, &mut reached);
        }
        stats.count(&inventory, &reached);
        let indexes = self.files().list(FileKind::Index).await?;
        stats.index_files = indexes.len() as u64;
        stats.bytes_index = indexes.iter().map(|file| file.size).sum();
        Ok(stats)
    }
}

impl Stats {
    fn count(&mut self, inventory: &Inventory, reached: &Bits) {
        for number in (0..inventory.count() as u32).filter(|number| reached.contains(*number)) {
            let entry = inventory.place(number).entry;
            self.blobs += 1;
            self.bytes_clear += entry.clear_length();
            self.bytes_stored += u64::from(entry.length);
        }
        let mut counted = Bits::default();
        for pack in inventory.packs.iter().filter(|pack| pack.stored.is_some()) {
            self.packs += 1;
            self.bytes_packs += pack.size;
            for blob in inventory.blobs_of(pack) {
                if !reached.contains(blob.number) || !counted.insert(blob.number) {
                    self.bytes_unused += blob.size();
                }
            }
        }
        for file in &inventory.unindexed {
            self.packs += 1;
            self.bytes_packs += file.size;
            self.bytes_unused += file.size;
        }
        self.compression = ratio(self.bytes_clear, self.bytes_stored);
        self.deduplication = ratio(self.bytes_logical, self.bytes_clear);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio need not be exact")]
fn ratio(one: u64, other: u64) -> f64 {
    if other == 0 {
        1.0
    } else {
        one as f64 / other as f64
    }
}

impl Forest {
    /// Reads each tree once, level by level.
    async fn read(
        repository: &Repository,
        inventory: &Inventory,
        roots: Vec<TreeId>,
        progress: &mut Progress<'_>,
    ) -> Result<Self> {
        let mut forest = Self {
            rows: HashMap::new(),
            trees: Vec::new(),
            links: Vec::new(),
        };
        let mut seen = Bits::default();
        let mut level = Vec::new();
        for id in roots {
            let number = inventory.find(BlobType::Tree, id)?;
            if seen.insert(number) {
                level.push(number);
            }
        }
        while !level.is_empty() {
            let mut below = Vec::new();
            let take = |id: &Id, links: Result<crate::links::Links>| {
                let links = links?;
                let row = Row {
                    files: links.files,
                    bytes: links.bytes,
                    start: forest.links.len(),
                    trees: links.trees.len() as u32,
                    blobs: links.blobs.len() as u32,
                };
                for id in links.trees {
                    let number = inventory.find(BlobType::Tree, id)?;
                    forest.links.push(number);
                    if seen.insert(number) {
                        below.push(number);
                    }
                }
                for id in links.blobs {
                    forest.links.push(inventory.find(BlobType::Data, id)?);
                }
                let number = inventory.find(BlobType::Tree, *id)?;
                forest.rows.insert(number, forest.trees.len() as u32);
                forest.trees.push(row);
                Ok(())
            };
            inventory.trees(repository, level, progress, take).await?;
            level = below;
        }
        Ok(forest)
    }

    fn row(&self, tree: u32) -> Row {
        self.rows
            .get(&tree)
            .map_or_else(Row::default, |row| self.trees[*row as usize])
    }

    fn below(&self, row: Row) -> &[u32] {
        &self.links[row.start..row.start + row.trees as usize]
    }

    fn blobs(&self, row: Row) -> &[u32] {
        let start = row.start + row.trees as usize;
        &self.links[start..start + row.blobs as usize]
    }

    /// Files and bytes below a tree, each as often as it is there.
    fn total(&self, tree: u32, totals: &mut HashMap<u32, (u64, u64)>) -> (u64, u64) {
        let mut waiting = vec![tree];
        while let Some(tree) = waiting.last().copied() {
            let row = self.row(tree);
            let open = self
                .below(row)
                .iter()
                .filter(|below| !totals.contains_key(below));
            let before = waiting.len();
            waiting.extend(open.copied().collect::<Vec<_>>());
            if waiting.len() == before {
                waiting.pop();
                let below = self.below(row).iter().filter_map(|below| totals.get(below));
                let sum = below.fold((row.files, row.bytes), |sum, below| {
                    (sum.0 + below.0, sum.1 + below.1)
                });
                totals.insert(tree, sum);
            }
        }
        totals.get(&tree).copied().unwrap_or_default()
    }

    /// Marks all that these trees reach, and returns what is marked for the first time.
    fn reach(&self, roots: &[u32], marks: &mut Bits) -> Vec<u32> {
        let mut waiting: Vec<u32> = roots
            .iter()
            .copied()
            .filter(|root| marks.insert(*root))
            .collect();
        let mut new = waiting.clone();
        while let Some(tree) = waiting.pop() {
            let row = self.row(tree);
            for below in self.below(row) {
                if marks.insert(*below) {
                    waiting.push(*below);
                    new.push(*below);
                }
            }
            new.extend(
                self.blobs(row)
                    .iter()
                    .copied()
                    .filter(|blob| marks.insert(*blob)),
            );
        }
        new
    }

    fn of_source(
        &self,
        source: String,
        snapshots: &[&Snapshot],
        roots: &[u32],
        inventory: &Inventory,
        totals: &mut HashMap<u32, (u64, u64)>,
    ) -> Option<SourceStats> {
        let (oldest, newest) = (snapshots.first()?.time, snapshots.last()?.time);
        let (files, bytes) = self.total(*roots.last()?, totals);
        let reached = self.reach(roots, &mut Bits::default());
        let sizes = reached
            .iter()
            .map(|blob| u64::from(inventory.place(*blob).entry.length));
        Some(SourceStats {
            source,
            snapshots: snapshots.len() as u64,
            oldest,
            newest,
            files,
            bytes,
            bytes_stored: sizes.sum(),
        })
    }
}
