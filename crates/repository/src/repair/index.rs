//! Rebuilds the index from the packs themselves.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use object_store::path::Path;

use super::{RepairReport, need_exclusive, unless_damaged, unless_held};
use crate::check::gap;
use crate::files::{Listed, Listing};
use crate::index::file::{self, IndexedPack, MOST_BLOBS, Reader};
use crate::index::table::Table;
use crate::pack::Entry;
use crate::pack::header;
use crate::pack::writer::{FinishedPack, Packer};
use crate::{BlobType, FileKind, LockGuard, PackId, Repository, Result};

/// Headers are fetched side by side: the storage may be far away.
const HEADERS_AT_ONCE: usize = 8;

impl Repository {
    /// Makes the index say what the packs hold: puts packs that went astray in their place, reads their headers (with `read_data` all
    /// of each), saves what is readable of damaged packs into new ones, and drops what is gone. `lock` must be exclusive.
    pub async fn repair_index(
        &self,
        lock: &LockGuard,
        read_data: bool,
        dry_run: bool,
    ) -> Result<RepairReport> {
        need_exclusive(self, lock).await?;
        let mut repair = Repair {
            repository: self,
            report: RepairReport::new(dry_run),
            good: Vec::new(),
            table: Table::default(),
            replaced: Vec::new(),
        };
        let (known, old) = repair.read_index().await?;
        let damaged = repair.sort_packs(&known, read_data).await?;
        repair.salvage(&known, damaged).await?;
        if dry_run || repair.report.is_nothing() {
            return Ok(repair.report);
        }
        lock.verify(self).await?;
        repair.write_index(&old).await?;
        // The new index names none of these, and all that was readable of them lies elsewhere.
        lock.verify(self).await?;
        for id in &repair.replaced {
            unless_held(self.files().remove(FileKind::Pack, *id).await)?;
        }
        self.index().refresh().await?;
        Ok(repair.report)
    }
}

struct Repair<'a> {
    repository: &'a Repository,
    report: RepairReport,
    /// What the new index says.
    good: Vec<IndexedPack>,
    /// The same by blob.
    table: Table,
    /// Damaged packs whose readable blobs are saved.
    replaced: Vec<PackId>,
}

/// What index files say of a pack, in the order of offsets; `None` where two of them disagree.
type Known = BTreeMap<PackId, Option<Vec<Entry>>>;

impl Repair<'_> {
    /// What the readable index files say, and where all of them are.
    async fn read_index(&mut self) -> Result<(Known, Vec<Path>)> {
        let files = self.repository.files();
        let reader = Reader::start(files, self.repository.cipher());
        let mut known = Known::new();
        let mut old = Vec::new();
        let listing = files.listing(FileKind::Index).await?;
        for (_, at) in listing.astray {
            let what = "nobody looks for it there: it goes, and the packs say what it said";
            self.report.repaired(&at, what);
            old.push(at);
        }
        for listed in listing.files {
            let at = FileKind::Index.path(listed.id);
            old.push(at.clone());
            let Some(packs) = unless_damaged(reader.read(listed.id).await)? else {
                self.report.repaired(
                    at,
                    "it cannot be read and is replaced by what the packs say",
                );
                continue;
            };
            for mut pack in packs {
                pack.entries.sort_by_key(|entry| entry.offset);
                let sound = gap(&pack).is_none();
                let entries = sound.then_some(pack.entries);
                known
                    .entry(pack.id)
                    .and_modify(|other| {
                        if *other != entries {
                            *other = None;
                        }
                    })
                    .or_insert(entries);
            }
        }
        Ok((known, old))
    }

    /// Takes up the packs whose own header can be read, whatever the index says of them; returns all others.
    async fn sort_packs(&mut self, known: &Known, read_data: bool) -> Result<Vec<Listed>> {
        let listed = self.put_in_place(known).await?;
        let kept = self.good.iter().map(|pack| pack.id);
        let here: HashSet<PackId> = listed.iter().map(|file| file.id).chain(kept).collect();
        for (id, entries) in known.iter().filter(|(id, _)| !here.contains(*id)) {
            let blobs = entries.as_ref().map_or(0, Vec::len);
            let what = format!("it does not exist; the index no longer names its {blobs} blobs");
            self.report.lost(FileKind::Pack.path(*id), what);
        }
        let mut damaged = Vec::new();
        let repository = self.repository;
        let reads = listed
            .into_iter()
            .map(|pack| async move { (read_pack(repository, &pack, read_data).await, pack) });
        // Whole packs are large.
        let at_once = if read_data { 1 } else { HEADERS_AT_ONCE };
        let mut reads = stream::iter(reads).buffered(at_once);
        while let Some((found, pack)) = reads.next().await {
            match found? {
                Some(entries) => {
                    if known.get(&pack.id).and_then(Option::as_ref) != Some(&entries) {
                        let what = format!("its {} blobs are in the index again", entries.len());
                        self.report.repaired(FileKind::Pack.path(pack.id), what);
                    }
                    self.keep(pack.id, entries);
                }
                None => damaged.push(pack),
            }
        }
        Ok(damaged)
    }

    /// All packs by their ids, once those that went astray are in their places. A dry run keeps those as the index knows them.
    async fn put_in_place(&mut self, known: &Known) -> Result<Vec<Listed>> {
        let (kind, files) = (FileKind::Pack, self.repository.files());
        let Listing {
            files: mut listed,
            astray,
        } = files.listing(kind).await?;
        for (pack, at) in astray {
            if listed.iter().any(|other| other.id == pack.id) {
                continue;
            }
            let place = kind.path(pack.id);
            self.report.repaired(place, format!("it lay at {at}"));
            if !self.report.dry_run {
                files.put_in_place(kind, pack.id, &at).await?;
                listed.push(pack);
            } else if let Some(Some(entries)) = known.get(&pack.id)
                && header::pack_size(entries) == pack.size
            {
                self.keep(pack.id, entries.clone());
            }
        }
        listed.sort_by_key(|file| file.id);
        Ok(listed)
    }

    fn keep(&mut self, id: PackId, entries: Vec<Entry>) {
        self.table.insert_pack(id, &entries);
        self.good.push(IndexedPack { id, entries });
    }

    /// Copies every blob of damaged packs that can still be read and lies nowhere else.
    async fn salvage(&mut self, known: &Known, damaged: Vec<Listed>) -> Result<()> {
        let cipher = self.repository.cipher();
        let mut packers = [BlobType::Data, BlobType::Tree].map(|kind| (kind, Packer::new(kind)));
        for pack in damaged {
            let at = FileKind::Pack.path(pack.id);
            let read = self
                .repository
                .files()
                .read_unverified(FileKind::Pack, pack.id);
            let Some(bytes) = unless_damaged(read.await)? else {
                self.report
                    .lost(at, "it is too large to be read; it is left as it is");
                continue;
            };
            // Its own header tells more: the file may hold another pack.
            let header = unless_damaged(header::read(cipher, pack.id, &bytes))?;
            let Some(entries) = header.or_else(|| known.get(&pack.id).cloned().flatten()) else {
                let what = "its header cannot be read and no index names it; it is left as it is";
                self.report.lost(at, what);
                continue;
            };
            let mut unreadable = 0;
            for entry in &entries {
                if unless_damaged(entry.decode_in(cipher, &bytes))?.is_none() {
                    unreadable += 1;
                    continue;
                }
                let elsewhere = self.table.get(entry.kind, &entry.id).is_some();
                let Some(sealed) = entry.sealed_in(&bytes).filter(|_| !elsewhere) else {
                    continue;
                };
                for (_, packer) in packers.iter_mut().filter(|(kind, _)| *kind == entry.kind) {
                    packer.add_sealed(entry, sealed);
                    if packer.is_full() {
                        self.store(packer).await?;
                    }
                }
            }
            self.replaced.push(pack.id);
            let all = entries.len();
            if unreadable == 0 {
                let what = format!("its {all} blobs are saved into other packs");
                self.report.repaired(at, what);
            } else {
                let what = format!(
                    "{unreadable} of its {all} blobs cannot be read; the others are saved into other packs"
                );
                self.report.lost(at, what);
            }
        }
        for (_, packer) in packers.iter_mut().filter(|(_, packer)| !packer.is_empty()) {
            self.store(packer).await?;
        }
        Ok(())
    }

    async fn store(&mut self, packer: &mut Packer) -> Result<()> {
        let FinishedPack { id, bytes, entries } = packer.finish(self.repository.cipher());
        if !self.report.dry_run {
            let files = self.repository.files();
            files
                .write_kept(FileKind::Pack, id, Bytes::from(bytes))
                .await?;
        }
        self.keep(id, entries);
        Ok(())
    }

    /// The new index is whole before any old file goes.
    async fn write_index(&self, old: &[Path]) -> Result<()> {
        let (files, cipher) = (self.repository.files(), self.repository.cipher());
        let mut rest = self.good.as_slice();
        while !rest.is_empty() {
            let mut blobs = 0;
            let count = rest
                .iter()
                .take_while(|pack| {
                    let more = blobs < MOST_BLOBS;
                    blobs += pack.entries.len();
                    more
                })
                .count();
            let (batch, after) = rest.split_at(count);
            file::write(files, cipher, batch).await?;
            rest = after;
        }
        for at in old {
            unless_held(files.delete(at).await)?;
        }
        Ok(())
    }
}

/// The blobs of a pack by its own header; `None` if it is damaged.
async fn read_pack(
    repository: &Repository,
    pack: &Listed,
    whole: bool,
) -> Result<Option<Vec<Entry>>> {
    let (files, cipher) = (repository.files(), repository.cipher());
    if !whole {
        return unless_damaged(header::fetch(files, cipher, pack.id, pack.size).await);
    }
    let Some(bytes) = unless_damaged(files.read_original(FileKind::Pack, pack.id).await)? else {
        return Ok(None);
    };
    let Some(entries) = unless_damaged(header::read(cipher, pack.id, &bytes))? else {
        return Ok(None);
    };
    for entry in &entries {
        if unless_damaged(entry.decode_in(cipher, &bytes))?.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(entries))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use model::Secret;
    use object_store::memory::InMemory;

    use super::*;
    use crate::InitOptions;

    async fn read(repository: &Repository) -> Vec<IndexedPack> {
        let (files, cipher) = (repository.files(), repository.cipher());
        let reader = Reader::start(files, cipher);
        let mut packs = Vec::new();
        for listed in files.list(FileKind::Index).await.unwrap() {
            packs.extend(reader.read(listed.id).await.unwrap());
        }
        packs.sort_by_key(|pack| pack.id);
        packs
    }

    async fn replace(repository: &Repository, packs: &[IndexedPack]) {
        let (files, cipher) = (repository.files(), repository.cipher());
        for listed in files.list(FileKind::Index).await.unwrap() {
            files.remove(FileKind::Index, listed.id).await.unwrap();
        }
        file::write(files, cipher, packs).await.unwrap();
    }

    #[tokio::test]
    async fn an_index_that_contradicts_a_header_is_made_anew() {
        let by = InitOptions {
            created: Timestamp::UNIX_EPOCH,
            hostname: String::new(),
            username: String::new(),
        };
        let password = Secret::new("correct horse");
        let store = Arc::new(InMemory::new());
        let repository = Repository::init(store, &password, &by).await.unwrap();
        let mut writer = repository.writer();
        for bytes in [&b"one"[..], b"two"] {
            writer.blob(BlobType::Data, bytes).await.unwrap();
        }
        writer.flush().await.unwrap();
        let right = read(&repository).await;
        let lies: [fn(&mut [Entry]); 3] = [
            |entries| entries[0].kind = BlobType::Tree,
            |entries| entries[1].id = entries[0].id,
            |entries| entries[0].raw_length += 1,
        ];
        let holder = crate::Holder::new("keepward", Arc::new(Epoch));
        let lock = repository.lock_exclusive(&holder).await.unwrap();
        for read_data in [false, true] {
            for lie in lies {
                let mut wrong = right.clone();
                lie(&mut wrong[0].entries);
                replace(&repository, &wrong).await;
                let report = repository.repair_index(&lock, read_data, false).await;
                let report = report.unwrap();
                assert_eq!((report.repaired.len(), report.lost.len()), (1, 0));
                assert_eq!(read(&repository).await, right);
            }
        }
        lock.release().await.unwrap();
    }

    struct Epoch;

    impl model::Clock for Epoch {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }
}
