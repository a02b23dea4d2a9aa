//! Index files, and the packs that they name.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt as _, stream};

use super::{CheckReport, ProblemKind, list};
use crate::index::file::{IndexedPack, Reader};
use crate::index::table::Table;
use crate::pack::header;
use crate::{BlobType, Error, FileKind, Id, PackId, Repository, Result};

/// Index files that are fetched at once.
const SIDE_BY_SIDE: usize = 2;

/// All that the index files say.
pub(super) struct Indexed {
    pub(super) packs: HashMap<PackId, IndexedPack>,
    pub(super) table: Table,
}

pub(super) async fn read(repository: &Repository, report: &mut CheckReport) -> Result<Indexed> {
    let mut indexed = Indexed {
        packs: HashMap::new(),
        table: Table::default(),
    };
    let listed = list(repository.files(), FileKind::Index, report).await?;
    let reader = &Reader::start(repository.files(), repository.cipher());
    let reads = listed
        .into_iter()
        .map(|listed| async move { (reader.read(listed.id).await, listed) });
    let mut reads = stream::iter(reads).buffered(SIDE_BY_SIDE);
    while let Some((packs, listed)) = reads.next().await {
        match packs {
            Ok(packs) => packs
                .into_iter()
                .for_each(|pack| add_pack(pack, listed.id, &mut indexed, report)),
            Err(error) => {
                let at = FileKind::Index.path(listed.id);
                report.add_error(ProblemKind::IndexDamaged, at, error)?;
            }
        }
    }
    report.packs = indexed.packs.len() as u64;
    report.blobs = indexed.table.len() as u64;
    Ok(indexed)
}

fn add_pack(mut pack: IndexedPack, index: Id, indexed: &mut Indexed, report: &mut CheckReport) {
    let at = Some(FileKind::Index.path(index).to_string());
    let subject = format!("index of pack {}", pack.id);
    pack.entries.sort_by_key(|entry| entry.offset);
    if let Some(reason) = gap(&pack) {
        report.add(ProblemKind::IndexNonsense, at.clone(), &subject, reason);
    }
    match indexed.packs.get(&pack.id) {
        // A prune that was interrupted leaves two index files for the same pack.
        Some(known) if *known == pack => return,
        Some(_) => {
            let reason = "another index file says something else";
            report.add(ProblemKind::IndexNonsense, at, subject, reason);
        }
        None => {}
    }
    indexed.table.insert_pack(pack.id, &pack.entries);
    indexed.packs.insert(pack.id, pack);
}

/// Why the entries of a pack, in the order of their offsets, do not fill it from its beginning.
pub(crate) fn gap(pack: &IndexedPack) -> Option<String> {
    let mut end = 0;
    for entry in &pack.entries {
        if u64::from(entry.offset) != end {
            return Some(format!(
                "blob {} begins at {} and not at {end}",
                entry.id, entry.offset
            ));
        }
        end = u64::from(entry.offset) + u64::from(entry.length);
    }
    None
}

/// Compares the list of packs with the index; returns the packs that exist, with their sizes.
pub(super) async fn check_packs(
    repository: &Repository,
    indexed: &Indexed,
    report: &mut CheckReport,
) -> Result<HashMap<PackId, u64>> {
    let kind = FileKind::Pack;
    let mut stored = HashMap::new();
    for listed in list(repository.files(), kind, report).await? {
        stored.insert(listed.id, listed.size);
        let Some(pack) = indexed.packs.get(&listed.id) else {
            continue;
        };
        let expected = header::pack_size(&pack.entries);
        if listed.size != expected {
            let reason = format!("it has {} bytes and not {expected}", listed.size);
            report.add_file(ProblemKind::PackSize, kind.path(listed.id), reason);
        }
    }
    for id in indexed.packs.keys().filter(|id| !stored.contains_key(*id)) {
        let reason = "the index names it but it does not exist";
        report.add_file(ProblemKind::PackMissing, kind.path(*id), reason);
    }
    Ok(stored)
}

/// A pack in no index is left over from a run that ended early, unless blobs are missing that it has, or may have.
pub(super) async fn explain_missing(
    repository: &Repository,
    indexed: &Indexed,
    stored: &HashMap<PackId, u64>,
    missing: &HashSet<(BlobType, Id)>,
    report: &mut CheckReport,
) -> Result<()> {
    let unindexed = stored
        .iter()
        .filter(|(id, _)| !indexed.packs.contains_key(*id));
    // What lies below a tree that is missing is not among what is known to be missing.
    let known_whole = missing.iter().all(|(kind, _)| *kind == BlobType::Data);
    for (&id, &size) in unindexed {
        let at = FileKind::Pack.path(id);
        let mut needed = 0;
        if !missing.is_empty() {
            match header::fetch(repository.files(), repository.cipher(), id, size).await {
                Ok(entries) => {
                    needed = entries
                        .iter()
                        .filter(|entry| missing.contains(&(entry.kind, entry.id)))
                        .count();
                }
                // It may have held what is missing.
                Err(error @ (Error::Damaged { .. } | Error::FileMissing { .. })) => {
                    report.add_error(ProblemKind::PackDamaged, at, error)?;
                    continue;
                }
                Err(error) => return Err(error),
            }
        }
        if needed > 0 {
            let reason = format!(
                "no index names it, and it holds {needed} blobs that snapshots need: an index file is missing or damaged"
            );
            report.add_file(ProblemKind::IndexMissing, at, reason);
        } else if !known_whole {
            let reason =
                "no index names it, and what snapshots need is not known while trees are missing";
            report.add_file(ProblemKind::IndexMissing, at, reason);
        } else {
            report.add_file(ProblemKind::PackUnindexed, at, "no index names it");
        }
    }
    Ok(())
}
