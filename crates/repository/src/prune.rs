//! Frees the space of what no snapshot reaches, in two steps.
//!
//! A plan is made under a shared lock: what is reached, and which packs are to be rewritten. Applying it first rewrites them,
//! still under that lock, so that backups go on beside it. Then, under an exclusive lock, everything that appeared meanwhile is
//! marked as well, and what is unneeded even so is removed: the new index is written before old index files go, and they go
//! before their packs. A crash anywhere leaves copies and leftovers, which the next prune removes.

mod keep;
mod limit;
mod mark;
mod plan;
mod repack;
mod sweep;

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use model::Reporter;
use serde::Serialize;

use crate::inventory::Inventory;
use crate::progress::Progress;
use crate::{
    BlobType, Error, FileKind, Holder, Id, LockGuard, Repository, Result, Snapshot, SnapshotId,
    TreeId, files,
};
use mark::Marks;
use plan::{Decisions, Rules};
use repack::Repacked;

pub use limit::{InvalidLimit, Limit, parse_size};

/// What to free, and what to leave alone.
#[derive(Debug, Clone, PartialEq)]
pub struct PruneOptions {
    /// Unused data that may stay in packs that are partly used.
    pub max_unused: Limit,
    /// The size of the packs that are rewritten at most.
    pub max_repack_bytes: Option<u64>,
    /// What is younger stays, by the clock of the storage, and so does all that it refers to: jobs that were interrupted go on
    /// with it.
    pub grace: SignedDuration,
}

impl Default for PruneOptions {
    fn default() -> Self {
        Self {
            max_unused: Limit::default(),
            max_repack_bytes: None,
            grace: SignedDuration::from_hours(1),
        }
    }
}

/// What a prune did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PruneReport {
    pub dry_run: bool,
    /// Blobs that snapshots or young packs reach, each counted once.
    pub blobs_used: u64,
    /// Blobs that go away, copies of used ones included.
    pub blobs_removed: u64,
    pub packs_kept: u64,
    pub packs_repacked: u64,
    /// Without repacked ones, and without those that no index names.
    pub packs_removed: u64,
    /// Packs that stay for no reason but their age.
    pub packs_young: u64,
    /// Packs that the storage's object lock holds: no index names them any more, and a later prune removes them.
    pub packs_locked: u64,
    /// Packs that no index named: a writer was killed before it wrote one.
    pub unindexed_removed: u64,
    /// What killed uploads left.
    pub leftovers_removed: u64,
    /// Snapshots of which only the second copy is left: what they reach stays, so that a repair can bring them back.
    pub snapshots_lost: u64,
    /// Of all packs, in bytes.
    pub bytes_before: u64,
    /// Of the new packs.
    pub bytes_repacked: u64,
    /// In packs that stay although they are not used whole.
    pub bytes_unused: u64,
    /// What the storage has got back once the new packs are written.
    pub bytes_freed: u64,
}

/// What a prune will do. Nobody can remove anything as long as it exists.
pub struct PrunePlan {
    repository: Repository,
    options: PruneOptions,
    lock: LockGuard,
    state: State,
    decisions: Decisions,
}

/// What is known of the repository; later steps only add to it.
#[derive(Default)]
struct State {
    inventory: Inventory,
    marks: Marks,
    /// Snapshots of which only the second copy is left.
    lost: u64,
}

impl Repository {
    /// Decides what a prune would do. Fails if a blob that a snapshot needs is missing.
    pub async fn plan_prune(
        &self,
        holder: &Holder,
        options: &PruneOptions,
        reporter: &dyn Reporter,
    ) -> Result<PrunePlan> {
        let lock = self.lock_shared(holder).await?;
        match plan(self, &lock, options, reporter).await {
            Ok((state, decisions)) => Ok(PrunePlan {
                repository: self.clone(),
                options: options.clone(),
                lock,
                state,
                decisions,
            }),
            Err(error) => {
                lock.release().await?;
                Err(error)
            }
        }
    }

    /// Plans and applies.
    pub async fn prune(
        &self,
        holder: &Holder,
        options: &PruneOptions,
        reporter: &dyn Reporter,
    ) -> Result<PruneReport> {
        let plan = self.plan_prune(holder, options, reporter).await?;
        plan.apply(holder, reporter).await
    }
}

async fn plan(
    repository: &Repository,
    lock: &LockGuard,
    options: &PruneOptions,
    reporter: &dyn Reporter,
) -> Result<(State, Decisions)> {
    let mut state = State::default();
    let none = HashSet::new();
    let rules = Rules {
        repack: Some(options),
        cutoff: cutoff(lock, options).await?,
        retired: &none,
        written: &none,
    };
    state.update(repository, &rules, reporter).await?;
    let mut decisions = plan::decide(&state.inventory, &state.marks, &rules)?;
    decisions.report.dry_run = true;
    decisions.report.snapshots_lost = state.lost;
    Ok((state, decisions))
}

/// What is younger than this stays.
async fn cutoff(lock: &LockGuard, options: &PruneOptions) -> Result<Timestamp> {
    let now = lock.stored_at().await?;
    Ok(now.checked_sub(options.grace).unwrap_or(Timestamp::MIN))
}

impl State {
    /// The packs that snapshots need something of.
    async fn live_packs(repository: &Repository, reporter: &dyn Reporter) -> Result<Vec<Id>> {
        let mut progress = Progress::begin(reporter, "mark", None);
        let (mut inventory, mut marks) = (Inventory::default(), Marks::default());
        let roots = repository.snapshots().await?;
        inventory.update(repository).await?;
        let roots = roots.into_iter().map(|(_, snapshot)| snapshot.tree);
        marks
            .need(repository, &inventory, roots.collect(), &mut progress)
            .await?;
        let live = inventory.packs.iter().filter(|pack| {
            pack.stored.is_some()
                && inventory
                    .blobs_of(pack)
                    .any(|blob| marks.is_used(blob.number))
        });
        Ok(live.map(|pack| pack.id).collect())
    }

    /// Takes in what appeared since the last time.
    async fn update(
        &mut self,
        repository: &Repository,
        rules: &Rules<'_>,
        reporter: &dyn Reporter,
    ) -> Result<()> {
        let mut progress = Progress::begin(reporter, "mark", None);
        // Copies first, so that a snapshot that is forgotten meanwhile does not look lost. Snapshots before the index: one that
        // is listed has its blobs in an index that is read later.
        let copies = repository.files().list_copies(FileKind::Snapshot).await?;
        let roots: Vec<_> = repository.snapshots().await?;
        let here: HashSet<Id> = roots.iter().map(|(id, _)| *id).collect();
        if !self.inventory.update(repository).await? {
            self.marks = Marks::default();
        }
        let Self {
            inventory, marks, ..
        } = self;
        let roots = roots
            .into_iter()
            .map(|(_, snapshot)| snapshot.tree)
            .collect();
        marks
            .need(repository, inventory, roots, &mut progress)
            .await?;
        let mut spared: Vec<u32> = inventory
            .packs
            .iter()
            .filter(|pack| pack.is_whole() && rules.spares(pack))
            .flat_map(|pack| inventory.blobs_of(pack).map(|blob| blob.number))
            .collect();
        self.lost = 0;
        for copy in copies.iter().filter(|copy| !here.contains(&copy.id)) {
            let tree = lost_tree(repository, copy.id).await?;
            let tree = tree.and_then(|tree| inventory.number(BlobType::Tree, &tree));
            self.lost += u64::from(tree.is_some());
            spared.extend(tree);
        }
        marks
            .spare(repository, inventory, spared, &mut progress)
            .await
    }
}

/// The tree of a snapshot of which only the second copy is left.
async fn lost_tree(repository: &Repository, id: SnapshotId) -> Result<Option<TreeId>> {
    let at = FileKind::Snapshot.copy_path(id);
    let json = match repository.files().read_copy(FileKind::Snapshot, id).await {
        Ok(sealed) => files::unseal(repository.cipher(), &at, &sealed),
        Err(error) => Err(error),
    };
    match json {
        Ok(json) => {
            let snapshot = serde_json::from_slice::<Snapshot>(&json);
            Ok(snapshot.ok().map(|snapshot| snapshot.tree))
        }
        Err(Error::Damaged { .. } | Error::FileMissing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl PrunePlan {
    /// To the byte what [`PrunePlan::apply`] does, unless something appears in between.
    pub fn report(&self) -> &PruneReport {
        &self.decisions.report
    }

    /// Leaves everything as it is.
    pub async fn release(self) -> Result<()> {
        self.lock.release().await
    }

    /// Rewrites beside others, then waits for the repository to be free, for as long as `holder` is patient, and removes.
    /// What it rewrote stays when it fails: the next prune goes on from there.
    pub async fn apply(self, holder: &Holder, reporter: &dyn Reporter) -> Result<PruneReport> {
        let Self {
            repository,
            options,
            lock,
            mut state,
            decisions,
        } = self;
        if decisions.is_nothing() {
            lock.release().await?;
            return Ok(PruneReport {
                dry_run: false,
                ..decisions.report
            });
        }
        let done = repack::repack(&repository, &lock, &state.inventory, &decisions, reporter).await;
        lock.release().await?;
        let done = done?;
        let lock = repository.lock_exclusive(holder).await?;
        let swept = remove(&repository, &lock, &options, &mut state, &done, reporter).await;
        lock.release().await?;
        Ok(done.report(&decisions.report, &swept?))
    }
}

/// Looks again at what is needed, and removes the rest.
async fn remove(
    repository: &Repository,
    lock: &LockGuard,
    options: &PruneOptions,
    state: &mut State,
    done: &Repacked,
    reporter: &dyn Reporter,
) -> Result<PruneReport> {
    let rules = Rules {
        repack: None,
        cutoff: cutoff(lock, options).await?,
        retired: &done.retired,
        written: &done.written,
    };
    state.update(repository, &rules, reporter).await?;
    let State {
        inventory, marks, ..
    } = state;
    let decisions = plan::decide(inventory, marks, &rules)?;
    let locked = sweep::sweep(repository, lock, inventory, &decisions, &rules, reporter).await?;
    Ok(PruneReport {
        packs_locked: locked.packs,
        bytes_freed: decisions.report.bytes_freed.saturating_sub(locked.bytes),
        // Those that something new relies on have stayed.
        packs_repacked: decisions.removed_of(inventory, &done.retired),
        ..decisions.report
    })
}

impl Repacked {
    /// Puts together what was rewritten and what was removed.
    fn report(&self, planned: &PruneReport, swept: &PruneReport) -> PruneReport {
        PruneReport {
            dry_run: false,
            blobs_removed: swept.blobs_removed.saturating_sub(self.blobs),
            packs_kept: swept.packs_kept.saturating_sub(self.written.len() as u64),
            packs_removed: swept.packs_removed - swept.packs_repacked,
            snapshots_lost: planned.snapshots_lost,
            bytes_before: planned.bytes_before,
            bytes_repacked: self.bytes,
            bytes_freed: swept.bytes_freed.saturating_sub(self.bytes),
            ..*swept
        }
    }
}
