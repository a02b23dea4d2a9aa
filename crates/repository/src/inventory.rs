//! All that lies in a repository, in a form that fits into memory: about 64 bytes for each blob.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::fetch::fetch;
use crate::files::{Leftover, Listed};
use crate::index::file::{IndexedPack, Reader};
use crate::index::table::{Place, Table};
use crate::links::Links;
use crate::pack::{Entry, header};
use crate::progress::Progress;
use crate::{BlobType, Error, FileKind, Id, PackId, Repository, Result};

/// Index files are fetched side by side; each takes some 20 MB while it is read.
const AT_ONCE: usize = 2;
/// Trees whose places are in memory at once.
const TREES: usize = 16_384;
/// Marks blobs that are stored without compression.
const PLAIN: u32 = 1 << 31;

/// A set of blob numbers.
#[derive(Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn contains(&self, number: u32) -> bool {
        let word = self.0.get(number as usize / 64);
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// `false` if it was in the set already.
    pub(crate) fn insert(&mut self, number: u32) -> bool {
        let at = number as usize / 64;
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        let bit = 1 << (number % 64);
        let new = self.0[at] & bit == 0;
        self.0[at] |= bit;
        new
    }
}

/// A pack that an index names.
pub(crate) struct Pack {
    pub(crate) id: PackId,
    /// As its blobs say.
    pub(crate) size: u64,
    /// As the storage says; `None` where the file does not exist.
    pub(crate) stored: Option<Listed>,
    blobs: Range<usize>,
    /// Of all its entries: two index files have to say the same.
    entries: Id,
}

impl Pack {
    /// The file is there and as large as it has to be.
    pub(crate) fn is_whole(&self) -> bool {
        self.stored.is_some_and(|stored| stored.size == self.size)
    }
}

/// One of the places where a blob lies.
pub(crate) struct Copied {
    /// The number of the place.
    pub(crate) at: u32,
    /// The number of the blob.
    pub(crate) number: u32,
    pub(crate) entry: Entry,
}

impl Copied {
    /// What it takes in its pack.
    pub(crate) fn size(&self) -> u64 {
        u64::from(self.entry.length) + header::entry_size(&self.entry) as u64
    }
}

/// An index file, and the packs that it names.
pub(crate) struct IndexFile {
    pub(crate) id: Id,
    pub(crate) packs: Vec<usize>,
    pub(crate) blobs: usize,
}

#[derive(Default)]
pub(crate) struct Inventory {
    table: Table,
    numbers: HashMap<PackId, usize>,
    pub(crate) packs: Vec<Pack>,
    /// Number of the blob and its encrypted length, for each blob of each pack in order.
    blobs: Vec<(u32, u32)>,
    pub(crate) indexes: Vec<IndexFile>,
    /// Packs that no index names.
    pub(crate) unindexed: Vec<Listed>,
    pub(crate) leftovers: Vec<Leftover>,
}

impl Inventory {
    /// Reads what is new since the last call. `false` if something had vanished, so that all numbers are new too.
    pub(crate) async fn update(&mut self, repository: &Repository) -> Result<bool> {
        let files = repository.files();
        let mut listed = files.list(FileKind::Index).await?;
        listed.sort_unstable_by_key(|file| (file.modified, file.id));
        let here: HashSet<Id> = listed.iter().map(|file| file.id).collect();
        let same = self.indexes.iter().all(|index| here.contains(&index.id));
        if !same {
            *self = Self::default();
        }
        let known: HashSet<Id> = self.indexes.iter().map(|index| index.id).collect();
        listed.retain(|file| !known.contains(&file.id));
        let reader = Reader::start(files, repository.cipher());
        let mut read = stream::iter(listed)
            .map(|file| read_index(&reader, file.id))
            .buffered(AT_ONCE);
        while let Some((id, packs)) = read.try_next().await? {
            self.add(id, packs)?;
        }
        // After the index: a pack that is written meanwhile is then unindexed and young, and not missing.
        self.list_packs(files.list(FileKind::Pack).await?);
        self.leftovers = files.leftovers().await?;
        Ok(same)
    }

    fn add(&mut self, id: Id, read: Vec<IndexedPack>) -> Result<()> {
        let mut packs = Vec::with_capacity(read.len());
        let mut blobs = 0;
        for IndexedPack { id, mut entries } in read {
            entries.sort_unstable_by_key(|entry| entry.offset);
            blobs += entries.len();
            packs.push(self.add_pack(id, &entries)?);
        }
        self.indexes.push(IndexFile { id, packs, blobs });
        Ok(())
    }

    fn add_pack(&mut self, id: PackId, entries: &[Entry]) -> Result<usize> {
        let nonsense = |reason| Error::damaged(format_args!("the index of pack {id}"), reason);
        let digest = Id::of(&header::encode(entries));
        if let Some(number) = self.numbers.get(&id) {
            return if self.packs[*number].entries == digest {
                Ok(*number)
            } else {
                Err(nonsense("two files say different things"))
            };
        }
        self.table.insert_pack(id, entries);
        let start = self.blobs.len();
        let mut end = 0_u64;
        for entry in entries {
            if u64::from(entry.offset) != end {
                return Err(nonsense("its blobs do not fill the pack"));
            }
            end += u64::from(entry.length);
            let number = self.table.number(entry.kind, &entry.id);
            let number = number.ok_or_else(|| nonsense("a blob is lost"))?;
            let plain = if entry.raw_length == 0 { PLAIN } else { 0 };
            self.blobs.push((number | plain, entry.length));
        }
        self.packs.push(Pack {
            id,
            size: header::pack_size(entries),
            stored: None,
            blobs: start..self.blobs.len(),
            entries: digest,
        });
        self.numbers.insert(id, self.packs.len() - 1);
        Ok(self.packs.len() - 1)
    }

    fn list_packs(&mut self, listed: Vec<Listed>) {
        for pack in &mut self.packs {
            pack.stored = None;
        }
        self.unindexed.clear();
        for file in listed {
            match self.numbers.get(&file.id) {
                Some(number) => self.packs[*number].stored = Some(file),
                None => self.unindexed.push(file),
            }
        }
    }

    /// How many different blobs there are; they are numbered from 0.
    pub(crate) fn count(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn number(&self, kind: BlobType, id: &Id) -> Option<u32> {
        self.table.number(kind, id)
    }

    /// Like [`Self::number`] for a blob that has to be there.
    pub(crate) fn find(&self, kind: BlobType, id: Id) -> Result<u32> {
        let number = self.number(kind, &id);
        number.ok_or(Error::BlobMissing { kind, id })
    }

    pub(crate) fn place(&self, number: u32) -> Place {
        self.table.place(number)
    }

    /// The blobs of a pack in order.
    pub(crate) fn blobs_of(&self, pack: &Pack) -> impl Iterator<Item = Copied> {
        let mut offset = 0;
        pack.blobs.clone().map(move |at| {
            let (number, length) = self.blobs[at];
            let (plain, number) = (number & PLAIN != 0, number & !PLAIN);
            let first = self.table.place(number).entry;
            // Another copy of the blob may be compressed where this one is not.
            let raw_length = if plain {
                0
            } else {
                first.clear_length() as u32
            };
            let entry = Entry {
                offset,
                length,
                raw_length,
                ..first
            };
            offset += length;
            Copied {
                at: at as u32,
                number,
                entry,
            }
        })
    }

    /// Reads trees by their numbers, in the order of their packs.
    pub(crate) async fn trees(
        &self,
        repository: &Repository,
        mut numbers: Vec<u32>,
        progress: &mut Progress<'_>,
        mut take: impl FnMut(&Id, Result<Links>) -> Result<()>,
    ) -> Result<()> {
        numbers.sort_by_cached_key(|number| {
            let place = self.place(*number);
            (place.pack, place.entry.offset)
        });
        for some in numbers.chunks(TREES) {
            let places = some.iter().map(|number| self.place(*number)).collect();
            let mut read = std::pin::pin!(fetch(repository, places, Links::open));
            while let Some(batch) = read.try_next().await? {
                for (entry, links) in batch {
                    progress.add(1, u64::from(entry.length));
                    take(&entry.id, links)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn kind_of(&self, pack: &Pack) -> BlobType {
        let first = self.blobs_of(pack).next();
        first.map_or(BlobType::Data, |blob| blob.entry.kind)
    }

    pub(crate) fn indexed(&self, pack: &Pack) -> IndexedPack {
        let entries = self.blobs_of(pack).map(|blob| blob.entry).collect();
        IndexedPack {
            id: pack.id,
            entries,
        }
    }
}

async fn read_index(reader: &Reader, id: Id) -> Result<(Id, Vec<IndexedPack>)> {
    Ok((id, reader.read(id).await?))
}
