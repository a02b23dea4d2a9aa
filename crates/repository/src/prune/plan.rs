//! Decides which packs stay, which are rewritten and which go, without changing anything.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::mark::Marks;
use super::{PruneOptions, PruneReport};
use crate::index::file::MOST_BLOBS;
use crate::inventory::{Bits, IndexFile, Inventory, Pack};
use crate::pack::writer::Packer;
use crate::pack::{Entry, header};
use crate::{BlobType, Error, PackId, Result};

/// What is below this part of its full size is small; restic's.
const SMALL: u64 = 25;
/// Fewer small files than this are not worth the work, and one alone would be rewritten for ever; restic's.
const MANY_SMALL: usize = 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Keep,
    Repack,
    Remove,
}

/// What is to become of everything in an inventory.
pub(super) struct Decisions {
    /// For each pack of the inventory.
    fates: Vec<Fate>,
    /// Whether each index file has to go.
    obsolete: Vec<bool>,
    /// The places that are the one that counts for their blob.
    claimed: Bits,
    pub(super) report: PruneReport,
}

/// The blobs of one pack.
#[derive(Clone, Copy, Default)]
struct Counts {
    wanted: u64,
    wanted_bytes: u64,
    unwanted: u64,
    unwanted_bytes: u64,
    /// Trees and data in one pack, which no one has written since version 2 of the format.
    mixed: bool,
}

pub(super) struct Rules<'a> {
    /// Without them nothing is rewritten.
    pub(super) repack: Option<&'a PruneOptions>,
    /// What is younger stays.
    pub(super) cutoff: Timestamp,
    /// Packs whose blobs were just copied into others.
    pub(super) retired: &'a HashSet<PackId>,
    /// Those others: we know what they are good for, however young they are.
    pub(super) written: &'a HashSet<PackId>,
}

impl Rules<'_> {
    pub(super) fn spares(&self, pack: &Pack) -> bool {
        pack.stored
            .is_some_and(|stored| stored.modified > self.cutoff)
            && !self.written.contains(&pack.id)
    }
}

/// Fails if a blob that a snapshot needs is in no pack that can be read.
pub(super) fn decide(inventory: &Inventory, marks: &Marks, rules: &Rules<'_>) -> Result<Decisions> {
    let (mut claimed, mut placed) = (Bits::default(), Bits::default());
    let mut counts = vec![Counts::default(); inventory.packs.len()];
    for number in order(inventory, marks, rules) {
        let (pack, counts) = (&inventory.packs[number], &mut counts[number]);
        let kind = inventory.kind_of(pack);
        for blob in inventory.blobs_of(pack) {
            counts.mixed |= blob.entry.kind != kind;
            let claims = marks.is_used(blob.number) && placed.insert(blob.number);
            if claims {
                claimed.insert(blob.at);
            }
            if claims || rules.spares(pack) {
                counts.wanted += 1;
                counts.wanted_bytes += blob.size();
            } else {
                counts.unwanted += 1;
                counts.unwanted_bytes += blob.size();
            }
        }
    }
    refuse_missing(inventory, marks, &placed)?;
    let fates = fates(inventory, &counts, rules);
    let mut decisions = Decisions {
        obsolete: obsolete_indexes(inventory, &fates),
        fates,
        claimed,
        report: PruneReport::default(),
    };
    decisions.report = decisions.count(inventory, marks, rules, &counts);
    Ok(decisions)
}

/// The order in which packs may claim blobs that several of them have: young ones stay anyway, then those that need no change,
/// large ones first. Packs that cannot be read claim nothing.
fn order(inventory: &Inventory, marks: &Marks, rules: &Rules<'_>) -> Vec<usize> {
    let mut order: Vec<_> = inventory
        .packs
        .iter()
        .enumerate()
        .filter(|(_, pack)| pack.is_whole())
        .map(|(number, pack)| {
            let (mut blobs, mut used) = (0_usize, 0_usize);
            for blob in inventory.blobs_of(pack) {
                blobs += 1;
                used += usize::from(marks.is_used(blob.number));
            }
            let class = if rules.spares(pack) {
                0
            } else if rules.retired.contains(&pack.id) {
                3
            } else {
                1 + u8::from(used < blobs)
            };
            (class, Reverse(used), pack.id, number)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(.., number)| number).collect()
}

fn refuse_missing(inventory: &Inventory, marks: &Marks, placed: &Bits) -> Result<()> {
    let lost = (0..inventory.count() as u32)
        .find(|number| marks.needed.contains(*number) && !placed.contains(*number));
    match lost {
        None => Ok(()),
        Some(number) => {
            let place = inventory.place(number);
            Err(Error::damaged(
                format_args!("pack {}", place.pack),
                format_args!(
                    "it is missing or cut short, and a snapshot needs the {} blob {} from it",
                    place.entry.kind, place.entry.id
                ),
            ))
        }
    }
}

fn small(kind: BlobType) -> u64 {
    Packer::target(kind) as u64 / SMALL
}

fn fates(inventory: &Inventory, counts: &[Counts], rules: &Rules<'_>) -> Vec<Fate> {
    let mut fates = vec![Fate::Keep; inventory.packs.len()];
    let (mut candidates, mut tiny) = (Vec::new(), Vec::new());
    for (number, pack) in inventory.packs.iter().enumerate() {
        let counts = counts[number];
        if rules.spares(pack) {
            continue;
        }
        if counts.wanted == 0 {
            fates[number] = Fate::Remove;
        } else if counts.unwanted > 0 || counts.mixed {
            candidates.push(number);
        } else if pack.size < small(inventory.kind_of(pack)) {
            tiny.push(number);
        }
    }
    if let Some(options) = rules.repack {
        if tiny.len() >= MANY_SMALL {
            candidates.extend(tiny);
        }
        for number in choose(inventory, counts, candidates, options) {
            fates[number] = Fate::Repack;
        }
    }
    fates
}

/// Takes of the candidates what the limits allow, as restic does.
fn choose(
    inventory: &Inventory,
    counts: &[Counts],
    mut candidates: Vec<usize>,
    options: &PruneOptions,
) -> Vec<usize> {
    let used = counts.iter().map(|counts| counts.wanted_bytes).sum();
    let tolerated = options.max_unused.bytes(used);
    let mut unused: u64 = candidates
        .iter()
        .map(|number| counts[*number].unwanted_bytes)
        .sum();
    // Trees first, since they are read often, then where the most is gained for each byte that is copied.
    candidates.sort_by_cached_key(|number| {
        let (pack, counts) = (&inventory.packs[*number], counts[*number]);
        let gain =
            (u128::from(counts.unwanted_bytes) << 32) / u128::from(counts.wanted_bytes.max(1));
        (Reverse(inventory.kind_of(pack)), Reverse(gain), pack.id)
    });
    let mut rewritten = 0;
    candidates.retain(|number| {
        let (pack, counts) = (&inventory.packs[*number], counts[*number]);
        let kind = inventory.kind_of(pack);
        let any_way = counts.mixed || kind == BlobType::Tree || pack.size < small(kind);
        let too_much = options
            .max_repack_bytes
            .is_some_and(|most| rewritten + pack.size > most);
        if too_much || (unused <= tolerated && !any_way) {
            return false;
        }
        rewritten += pack.size;
        unused = unused.saturating_sub(counts.unwanted_bytes);
        true
    });
    candidates
}

/// Files that name a pack that goes; and the small ones, when there are many.
fn obsolete_indexes(inventory: &Inventory, fates: &[Fate]) -> Vec<bool> {
    let is_small = |blobs: usize| blobs < MOST_BLOBS / SMALL as usize;
    let small = inventory
        .indexes
        .iter()
        .filter(|index| is_small(index.blobs))
        .count();
    let merge = small >= MANY_SMALL;
    let stays = |pack: &usize| fates[*pack] != Fate::Remove;
    inventory
        .indexes
        .iter()
        .map(|index| (merge && is_small(index.blobs)) || !index.packs.iter().all(stays))
        .collect()
}

impl Decisions {
    pub(super) fn is_nothing(&self) -> bool {
        self.fates.iter().all(|fate| *fate == Fate::Keep)
            && !self.obsolete.contains(&true)
            && self.report.unindexed_removed + self.report.leftovers_removed == 0
    }

    /// The packs of this fate, in the order of their ids.
    pub(super) fn packs_to<'a>(&self, inventory: &'a Inventory, fate: Fate) -> Vec<&'a Pack> {
        let fates = self.fates.iter().zip(&inventory.packs);
        let mut packs: Vec<&Pack> = fates
            .filter(|(is, _)| **is == fate)
            .map(|(_, pack)| pack)
            .collect();
        packs.sort_unstable_by_key(|pack| pack.id);
        packs
    }

    pub(super) fn keeps(&self, pack: usize) -> bool {
        self.fates[pack] == Fate::Keep
    }

    /// How many of these packs go.
    pub(super) fn removed_of(&self, inventory: &Inventory, packs: &HashSet<PackId>) -> u64 {
        let removed = self.packs_to(inventory, Fate::Remove);
        removed
            .iter()
            .filter(|pack| packs.contains(&pack.id))
            .count() as u64
    }

    /// The index files that go, and those that stay.
    pub(super) fn obsolete<'a>(
        &self,
        inventory: &'a Inventory,
    ) -> (Vec<&'a IndexFile>, Vec<&'a IndexFile>) {
        let both = self.obsolete.iter().zip(&inventory.indexes);
        let (gone, kept): (Vec<_>, Vec<_>) = both.partition(|(obsolete, _)| **obsolete);
        let files =
            |list: Vec<(&bool, &'a IndexFile)>| list.into_iter().map(|(_, file)| file).collect();
        (files(gone), files(kept))
    }

    /// The blobs that are copied when this pack is rewritten; a blob that is in several packs is copied once, or not at all if
    /// one that stays has it.
    pub(super) fn to_copy(
        &self,
        inventory: &Inventory,
        pack: &Pack,
    ) -> impl Iterator<Item = Entry> {
        let blobs = inventory.blobs_of(pack);
        blobs
            .filter(|blob| self.claimed.contains(blob.at))
            .map(|blob| blob.entry)
    }

    fn count(
        &self,
        inventory: &Inventory,
        marks: &Marks,
        rules: &Rules<'_>,
        counts: &[Counts],
    ) -> PruneReport {
        let stored = |pack: &Pack| pack.stored.map_or(0, |stored| stored.size);
        let used = (0..inventory.count() as u32).filter(|blob| marks.is_used(*blob));
        let packs = inventory.packs.iter().map(stored).sum::<u64>();
        let others = inventory
            .unindexed
            .iter()
            .map(|file| file.size)
            .sum::<u64>();
        let mut report = PruneReport {
            blobs_used: used.count() as u64,
            bytes_before: packs + others,
            ..PruneReport::default()
        };
        for ((pack, counts), fate) in inventory.packs.iter().zip(counts).zip(&self.fates) {
            match fate {
                Fate::Keep => {
                    report.packs_kept += 1;
                    report.packs_young += u64::from(rules.spares(pack));
                    report.bytes_unused += counts.unwanted_bytes;
                    continue;
                }
                Fate::Repack => {
                    report.packs_repacked += 1;
                    report.blobs_removed += counts.unwanted;
                }
                Fate::Remove => {
                    report.packs_removed += 1;
                    report.blobs_removed += inventory.blobs_of(pack).count() as u64;
                }
            }
            report.bytes_freed += stored(pack);
        }
        for file in &inventory.unindexed {
            if file.modified > rules.cutoff {
                report.packs_young += 1;
            } else {
                report.unindexed_removed += 1;
                report.bytes_freed += file.size;
            }
        }
        for file in inventory
            .leftovers
            .iter()
            .filter(|file| file.modified <= rules.cutoff)
        {
            report.leftovers_removed += 1;
            report.bytes_freed += file.size;
        }
        report.bytes_repacked = self.rewritten(inventory);
        report.bytes_freed = report.bytes_freed.saturating_sub(report.bytes_repacked);
        report
    }

    /// The size of the packs that the repacking will write, to the byte.
    fn rewritten(&self, inventory: &Inventory) -> u64 {
        let mut open: HashMap<BlobType, (usize, usize)> = HashMap::new();
        let around = header::pack_size([]);
        let mut bytes = 0;
        for pack in self.packs_to(inventory, Fate::Repack) {
            for entry in self.to_copy(inventory, pack) {
                bytes += u64::from(entry.length) + header::entry_size(&entry) as u64;
                let (filled, blobs) = open.entry(entry.kind).or_default();
                *filled += entry.length as usize;
                *blobs += 1;
                if Packer::is_full_with(entry.kind, *filled, *blobs) {
                    bytes += around;
                    open.remove(&entry.kind);
                }
            }
        }
        bytes + around * open.len() as u64
    }
}
