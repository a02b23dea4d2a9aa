//! Checks a repository more strictly than restic does: every kind of file, and order, names, sizes and canonical form of trees.

mod access;
mod data;
mod index;
mod problem;
mod snapshots;
mod tree;

use std::collections::HashSet;
use std::sync::Arc;

use model::{Reporter, Secret, Silent};
use object_store::ObjectStore;

pub(crate) use access::read_lock;
pub(crate) use index::gap;
pub use problem::{CheckReport, Problem, ProblemKind};
pub(crate) use snapshots::parse as parse_snapshot;

use crate::config::Config;
use crate::files::{Files, Listed, Listing};
use crate::progress::Progress;
use crate::{Error, FileKind, Id, PackId, Repository, Result, key};

/// How much of the packs is read and hashed; all other files and all trees are always read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ReadData {
    #[default]
    None,
    /// The packs whose ids lie in this part of the circle of all ids: `share` (0 to 1) of them, from `start` (0 to 1) on.
    /// Parts that follow each other on the circle read every pack once.
    Part {
        start: f64,
        share: f64,
    },
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CheckOptions {
    pub read_data: ReadData,
}

impl Repository {
    /// Reads keys, config, locks, snapshots, the index, all trees, and as much of the packs as asked for. Damage is reported,
    /// not returned as an error; errors mean that the storage cannot be read. Hold a shared lock.
    pub async fn check(&self, options: &CheckOptions) -> Result<CheckReport> {
        self.check_reporting(options, &Silent).await
    }

    /// Like [`Repository::check`], and tells how far it is.
    pub async fn check_reporting(
        &self,
        options: &CheckOptions,
        reporter: &dyn Reporter,
    ) -> Result<CheckReport> {
        Progress::begin(reporter, "check files", None);
        let mut report = CheckReport::default();
        access::check_keys(self.files(), &mut report).await?;
        access::check_config(self, &mut report).await?;
        access::check_locks(self, &mut report).await?;
        // Before the index: what a snapshot needs was in the index before it, also when a backup runs meanwhile.
        let mut snapshots = snapshots::read(self, &mut report).await?;
        let indexed = index::read(self, &mut report).await?;
        snapshots.check_lost(self, &indexed, &mut report).await?;
        let stored = index::check_packs(self, &indexed, &mut report).await?;
        Progress::begin(reporter, "check trees", None);
        let missing = tree::check(self, &indexed, &snapshots.found, &mut report).await?;
        index::explain_missing(self, &indexed, &stored, &missing, &mut report).await?;
        let chosen: Vec<_> = indexed
            .packs
            .values()
            .filter(|pack| stored.contains_key(&pack.id) && options.read_data.takes(pack.id))
            .collect();
        let mut progress = Progress::begin(reporter, "read packs", Some(chosen.len() as u64));
        for pack in chosen {
            let before = report.bytes_read;
            data::check_pack(self, pack, &mut report).await?;
            progress.add(1, report.bytes_read - before);
        }
        report.sort();
        Ok(report)
    }

    /// Checks a repository that [`Repository::open`] refused with `error` because it is damaged. Where no key can be opened any
    /// more, every file is compared with the hash in its name. Other reasons not to open (a wrong password, no repository) are
    /// returned as they are.
    pub async fn check_damaged(
        store: Arc<dyn ObjectStore>,
        password: &Secret,
        error: Error,
        options: &CheckOptions,
    ) -> Result<CheckReport> {
        let files = Files::new(store);
        if matches!(error, Error::Damaged { .. })
            && let Ok((key_id, master)) = key::open(&files, password).await
        {
            // Only the config is lost: all else can be read without it.
            let config = Config::of(Id([0; 32]));
            return Self::assemble(files, config, master, key_id)
                .check(options)
                .await;
        }
        let mut report = CheckReport::default();
        match &error {
            Error::Damaged { what, reason } => {
                report.add_file(ProblemKind::AccessLost, what, reason);
            }
            Error::NotFound(_) if access::has_content(&files).await? => {
                let reason = "there are packs or snapshots, but neither a config nor a key";
                report.add_file(ProblemKind::AccessLost, "config", reason);
            }
            _ => return Err(error),
        }
        access::check_keys(&files, &mut report).await?;
        for kind in [FileKind::Snapshot, FileKind::Index, FileKind::Pack] {
            check_hashes(&files, kind, options, &mut report).await?;
        }
        report.sort();
        Ok(report)
    }
}

async fn check_hashes(
    files: &Files,
    kind: FileKind,
    options: &CheckOptions,
    report: &mut CheckReport,
) -> Result<()> {
    let damaged = match kind {
        FileKind::Index => ProblemKind::IndexDamaged,
        FileKind::Pack => ProblemKind::PackDamaged,
        _ => ProblemKind::SnapshotDamaged,
    };
    for listed in list(files, kind, report).await? {
        if kind == FileKind::Pack && !options.read_data.takes(listed.id) {
            continue;
        }
        if let Err(error) = files.read_original(kind, listed.id).await {
            report.add_error(damaged, kind.path(listed.id), error)?;
        }
    }
    Ok(())
}

impl ReadData {
    /// The `number`th of `count` equal parts, counted from 1 as restic does.
    pub fn slice(number: u32, count: u32) -> Self {
        let share = 1.0 / f64::from(count.max(1));
        Self::Part {
            start: f64::from(number.saturating_sub(1)) * share,
            share,
        }
    }

    /// The part of this share that is due on a day: days in a row read one part after the other.
    pub fn daily(share: f64, day: u32) -> Self {
        Self::Part {
            start: (f64::from(day) * share).fract(),
            share,
        }
    }

    pub(crate) fn takes(self, pack: PackId) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Part { start, share } => {
                let [a, b, c, d, ..] = pack.0;
                let place =
                    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
                let distance = place - start;
                let distance = if distance < 0.0 {
                    distance + 1.0
                } else {
                    distance
                };
                distance < share
            }
        }
    }
}

/// The files of a kind, in their places. Others that are named so are told of.
async fn list(files: &Files, kind: FileKind, report: &mut CheckReport) -> Result<Vec<Listed>> {
    let Listing {
        files: listed,
        astray,
    } = files.listing(kind).await?;
    if !astray.is_empty() {
        let here = ids(&listed);
        for (file, at) in astray {
            let place = kind.path(file.id);
            if here.contains(&file.id) {
                let reason = format!("nobody looks for it there, and {place} is in its place");
                report.add_file(ProblemKind::FileStray, at, reason);
            } else {
                let reason =
                    format!("neither we nor restic look for it there: its place is {place}");
                report.add_file(ProblemKind::FileMisplaced, at, reason);
            }
        }
    }
    Ok(listed)
}

/// Ids of a listing.
fn ids(listed: &[Listed]) -> HashSet<Id> {
    listed.iter().map(|file| file.id).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packs() -> Vec<Id> {
        (0..2000_u32)
            .map(|number| Id::of(&number.to_le_bytes()))
            .collect()
    }

    #[test]
    fn slices_take_every_pack_once() {
        for count in [1, 2, 3, 7, 40, 256] {
            for pack in packs() {
                let taken =
                    (1..=count).filter(|number| ReadData::slice(*number, count).takes(pack));
                // Rounding may give a pack at the border to both neighbors, never to none.
                assert!((1..=2).contains(&taken.count()), "{pack} of {count}");
            }
        }
    }

    proptest! {
        #[test]
        fn after_a_round_of_days_every_pack_was_read(share in 0.01..1.0_f64, day in 0..40_000_u32) {
            let days = (1..=100).find(|days| f64::from(*days) * share >= 1.0).unwrap_or(100) + 1;
            for pack in packs() {
                prop_assert!((day..day + days).any(|day| ReadData::daily(share, day).takes(pack)));
            }
            let taken = packs().into_iter().filter(|pack| ReadData::daily(share, day).takes(*pack)).count();
            let taken = u32::try_from(taken).unwrap_or(u32::MAX);
            prop_assert!((f64::from(taken) / 2000.0 - share).abs() < 0.05);
        }
    }
}
