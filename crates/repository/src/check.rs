//! Checks a repository more strictly than restic does: order, names, sizes and canonical form too.

mod data;
mod tree;

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use crate::index::file::{self, IndexedPack};
use crate::index::table::Table;
use crate::pack::header;
use crate::{Error, FileKind, PackId, Repository, Result};

/// How much of the packs is read and hashed; trees are always read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ReadData {
    #[default]
    None,
    /// This share of the packs (0 to 1), another choice for each seed.
    Fraction {
        fraction: f64,
        seed: u64,
    },
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CheckOptions {
    pub read_data: ReadData,
}

/// What is wrong; the name is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    IndexDamaged,
    IndexNonsense,
    PackMissing,
    PackSize,
    PackDamaged,
    BlobDamaged,
    BlobMissing,
    SnapshotDamaged,
    TreeDamaged,
    TreeOrder,
    NodeName,
    NodeSize,
    NodeContent,
    /// A note: restic would write other bytes for the same tree.
    TreeNotCanonical,
    /// A note: left over from a run that ended early; prune removes it.
    PackUnindexed,
}

impl ProblemKind {
    /// Nothing is lost; unlike an error it needs no action.
    pub fn is_note(self) -> bool {
        matches!(self, Self::TreeNotCanonical | Self::PackUnindexed)
    }
}

/// Something wrong with a file or blob of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The file, blob or path.
    pub subject: String,
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.reason)
    }
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    pub problems: Vec<Problem>,
    pub snapshots: u64,
    pub trees: u64,
    pub blobs: u64,
    pub packs: u64,
    /// Packs whose every byte was read.
    pub packs_read: u64,
    pub bytes_read: u64,
}

impl CheckReport {
    /// Whether there are no errors; there may be notes.
    pub fn is_clean(&self) -> bool {
        self.problems.iter().all(|problem| problem.kind.is_note())
    }

    fn add(&mut self, kind: ProblemKind, subject: impl fmt::Display, reason: impl fmt::Display) {
        self.problems.push(Problem {
            kind,
            subject: subject.to_string(),
            reason: reason.to_string(),
        });
    }
}

/// All that the index files say.
struct Indexed {
    packs: HashMap<PackId, IndexedPack>,
    table: Table,
}

impl Repository {
    /// Reads the index, all snapshots and trees, and as much of the packs as asked for. Damage is reported, not returned
    /// as an error; errors mean that the storage cannot be read. Hold a shared lock.
    pub async fn check(&self, options: &CheckOptions) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        let indexed = read_index(self, &mut report).await?;
        let stored = check_packs(self, &indexed, &mut report).await?;
        tree::check(self, &indexed, &mut report).await?;
        let chosen = indexed
            .packs
            .values()
            .filter(|pack| stored.contains(&pack.id) && options.read_data.takes(pack.id));
        for pack in chosen {
            data::check_pack(self, pack, &mut report).await?;
        }
        report
            .problems
            .sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
        Ok(report)
    }
}

impl ReadData {
    fn takes(self, pack: PackId) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Fraction { fraction, seed } => {
                let id = crate::Id::of(&[&seed.to_le_bytes()[..], &pack.0].concat());
                let [a, b, c, d, ..] = id.0;
                f64::from(u32::from_le_bytes([a, b, c, d])) < fraction * (f64::from(u32::MAX) + 1.0)
            }
        }
    }
}

async fn read_index(repository: &Repository, report: &mut CheckReport) -> Result<Indexed> {
    let mut indexed = Indexed {
        packs: HashMap::new(),
        table: Table::default(),
    };
    for listed in repository.files().list(FileKind::Index).await? {
        match file::read(repository.files(), repository.cipher(), listed.id).await {
            Ok(packs) => packs
                .into_iter()
                .for_each(|pack| add_pack(pack, &mut indexed, report)),
            Err(error) => note_damage(
                report,
                ProblemKind::IndexDamaged,
                format_args!("index {}", listed.id),
                error,
            )?,
        }
    }
    report.packs = indexed.packs.len() as u64;
    report.blobs = indexed.table.len() as u64;
    Ok(indexed)
}

fn add_pack(mut pack: IndexedPack, indexed: &mut Indexed, report: &mut CheckReport) {
    pack.entries.sort_by_key(|entry| entry.offset);
    let mut end = 0;
    for entry in &pack.entries {
        if u64::from(entry.offset) != end {
            let reason = format!(
                "blob {} begins at {} and not at {end}",
                entry.id, entry.offset
            );
            report.add(
                ProblemKind::IndexNonsense,
                format_args!("index of pack {}", pack.id),
                reason,
            );
        }
        end = u64::from(entry.offset) + u64::from(entry.length);
    }
    match indexed.packs.get(&pack.id) {
        // A prune that was interrupted leaves two index files for the same pack.
        Some(known) if *known == pack => return,
        Some(_) => {
            let reason = "two index files say different things";
            report.add(
                ProblemKind::IndexNonsense,
                format_args!("index of pack {}", pack.id),
                reason,
            );
        }
        None => {}
    }
    indexed.table.insert_pack(pack.id, &pack.entries);
    indexed.packs.insert(pack.id, pack);
}

/// Compares the list of packs with the index; returns the packs that exist.
async fn check_packs(
    repository: &Repository,
    indexed: &Indexed,
    report: &mut CheckReport,
) -> Result<HashSet<PackId>> {
    let mut stored = HashSet::new();
    for listed in repository.files().list(FileKind::Pack).await? {
        stored.insert(listed.id);
        let subject = format!("pack {}", listed.id);
        match indexed.packs.get(&listed.id) {
            None => report.add(ProblemKind::PackUnindexed, subject, "no index names it"),
            Some(pack) => {
                let expected = header::pack_size(&pack.entries);
                if listed.size != expected {
                    let reason = format!("it has {} bytes and not {expected}", listed.size);
                    report.add(ProblemKind::PackSize, subject, reason);
                }
            }
        }
    }
    for id in indexed.packs.keys().filter(|id| !stored.contains(*id)) {
        report.add(
            ProblemKind::PackMissing,
            format_args!("pack {id}"),
            "the index names it but it does not exist",
        );
    }
    Ok(stored)
}

/// Damage goes into the report; that the storage cannot be read is an error.
fn note_damage(
    report: &mut CheckReport,
    kind: ProblemKind,
    subject: impl fmt::Display,
    error: Error,
) -> Result<()> {
    match error {
        Error::Damaged { reason, .. } => report.add(kind, subject, reason),
        Error::BlobMissing { .. } | Error::FileMissing { .. } => report.add(kind, subject, error),
        other => return Err(other),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;

    #[test]
    fn a_fraction_takes_its_share_and_another_one_for_each_seed() {
        let packs: Vec<Id> = (0..2000_u32)
            .map(|number| Id::of(&number.to_le_bytes()))
            .collect();
        let chosen = |seed| {
            let read = ReadData::Fraction {
                fraction: 0.25,
                seed,
            };
            packs
                .iter()
                .filter(|pack| read.takes(**pack))
                .collect::<Vec<_>>()
        };
        assert!((400..600).contains(&chosen(1).len()), "{}", chosen(1).len());
        assert_ne!(chosen(1), chosen(2));
        assert_eq!(chosen(1), chosen(1));
    }
}
