//! A sorted spool on disk: records go in in any order and come out sorted by key, and by arrival within a key.
//!
//! The revision stream arrives in the order of change, so a first crawl has to group it by item; memory holds one buffer, and the rest lies
//! on disk, encrypted with a key that only memory holds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aes_gcm::aead::AeadInOut as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};

use crate::{Error, Result};

/// A run is sorted and written when its records reach this many bytes.
const BUFFER: usize = 4 << 20;
/// Encrypted pieces of a run; each is read as a whole.
const FRAME: usize = 16 << 10;
const TAG: usize = 16;
/// Each is an open file with a frame in memory, and a process may have a thousand files.
const OPEN: usize = 256;

/// One record as it comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub key: Vec<u8>,
    pub payload: Vec<u8>,
}

/// Takes records; [`Spool::sorted`] gives them back in order.
pub(crate) struct Spool {
    folder: PathBuf,
    cipher: Aes256Gcm,
    /// Key and payload of the buffered records, one after another.
    bytes: Vec<u8>,
    /// Where each buffered record begins, with the lengths of key and payload.
    records: Vec<(usize, u32, u32)>,
    limit: usize,
    /// Runs that are merged at once.
    open: usize,
    runs: Vec<(u32, PathBuf)>,
    /// The number of the next run. One that could not be written had its number: a nonce is used once.
    next: u32,
}

impl Spool {
    /// A spool below `folder`, which must be private to this process.
    pub(crate) fn new(folder: &Path, key: [u8; 32]) -> Self {
        Self {
            folder: folder.to_owned(),
            cipher: Aes256Gcm::new(&key.into()),
            bytes: Vec::new(),
            records: Vec::new(),
            limit: BUFFER,
            open: OPEN,
            runs: Vec::new(),
            next: 0,
        }
    }

    pub(crate) fn push(&mut self, key: &[u8], payload: &[&[u8]]) -> Result<()> {
        let length: usize = payload.iter().map(|part| part.len()).sum();
        if !self.records.is_empty() && self.bytes.len() + key.len() + length > self.limit {
            self.spill()?;
        }
        if self.bytes.len() > self.limit / 8 && self.bytes.capacity() < self.limit {
            // Growing in steps would leave each step's memory behind.
            self.bytes.reserve_exact(self.limit - self.bytes.len());
        }
        self.records
            .push((self.bytes.len(), key.len() as u32, length as u32));
        self.bytes.extend_from_slice(key);
        for part in payload {
            self.bytes.extend_from_slice(part);
        }
        Ok(())
    }

    /// Closes the run that is being filled; how many there are, for [`Spool::run`].
    pub(crate) fn cut(&mut self) -> Result<usize> {
        self.spill()?;
        Ok(self.runs.len())
    }

    /// A closed run, clear; [`Records`] makes records of it. Within a key, those of a run came before those of later runs.
    pub(crate) fn run(&self, number: usize) -> Result<Pieces> {
        let (number, path) = &self.runs[number];
        Ok(Pieces {
            run: Run::open(path, *number)?,
            cipher: self.cipher.clone(),
        })
    }

    /// All records in order. The buffer's memory is given back first.
    pub(crate) fn sorted(mut self) -> Result<Sorted> {
        if self.runs.is_empty() {
            self.sort();
            return Ok(Sorted::Memory {
                bytes: self.bytes,
                records: self.records.into_iter(),
            });
        }
        self.spill()?;
        self.bytes = Vec::new();
        self.records = Vec::new();
        let mut runs = std::mem::take(&mut self.runs);
        while runs.len() > self.open {
            let mut longer = Vec::new();
            for group in runs.chunks(self.open) {
                longer.push(self.join(group)?);
            }
            runs = longer;
        }
        Sorted::merge(&runs, self.cipher)
    }

    /// One run of several that follow each other.
    fn join(&mut self, group: &[(u32, PathBuf)]) -> Result<(u32, PathBuf)> {
        let mut sorted = Sorted::merge(group, self.cipher.clone())?;
        let run = self.write(|out| {
            while let Some(record) = sorted.next()? {
                out.record(&record.key, &record.payload)?;
            }
            Ok(())
        })?;
        for (_, path) in group {
            std::fs::remove_file(path).map_err(Error::io("cannot write the spool"))?;
        }
        Ok(run)
    }

    /// A run of the next number; nothing stays of one that cannot be written, since on a full disk it would stand in the way of others.
    fn write(
        &mut self,
        records: impl FnOnce(&mut FrameWriter<'_>) -> Result<()>,
    ) -> Result<(u32, PathBuf)> {
        let number = self.next;
        self.next += 1;
        let path = self.path(number);
        let mut out = FrameWriter::create(&path, &self.cipher, number)?;
        let written = records(&mut out).and_then(|()| out.finish());
        if let Err(error) = written {
            // The error that matters is the first one.
            drop(std::fs::remove_file(&path));
            return Err(error);
        }
        Ok((number, path))
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("spool-{number}"))
    }

    /// Stable, so that records of one key keep the order of their arrival.
    fn sort(&mut self) {
        let bytes = &self.bytes;
        let key = |record: &(usize, u32, u32)| &bytes[record.0..record.0 + record.1 as usize];
        self.records.sort_by(|a, b| key(a).cmp(key(b)));
    }

    fn spill(&mut self) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        self.sort();
        let (bytes, records) = (
            std::mem::take(&mut self.bytes),
            std::mem::take(&mut self.records),
        );
        let written = self.write(|out| {
            for &(start, key, payload) in &records {
                let (key, payload) = (key as usize, payload as usize);
                let payload = &bytes[start + key..start + key + payload];
                out.record(&bytes[start..start + key], payload)?;
            }
            Ok(())
        });
        (self.bytes, self.records) = (bytes, records);
        self.runs.push(written?);
        self.records.clear();
        self.bytes.clear();
        Ok(())
    }
}

/// The next record of a run: key, number of the run, payload. Runs are numbered in order of arrival.
type Head = (Vec<u8>, usize, Vec<u8>);

/// The records of a spool in order.
pub(crate) enum Sorted {
    Memory {
        bytes: Vec<u8>,
        records: std::vec::IntoIter<(usize, u32, u32)>,
    },
    Merge {
        heads: BinaryHeap<Reverse<Head>>,
        runs: Vec<Run>,
        cipher: Box<Aes256Gcm>,
    },
}

impl Sorted {
    fn merge(files: &[(u32, PathBuf)], cipher: Aes256Gcm) -> Result<Self> {
        let mut heads = BinaryHeap::new();
        let mut runs = Vec::new();
        for (at, (number, path)) in files.iter().enumerate() {
            let mut run = Run::open(path, *number)?;
            if let Some(record) = run.next(&cipher)? {
                heads.push(Reverse((record.key, at, record.payload)));
            }
            runs.push(run);
        }
        Ok(Self::Merge {
            heads,
            runs,
            cipher: Box::new(cipher),
        })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record>> {
        match self {
            Self::Memory { bytes, records } => Ok(records.next().map(|(start, key, payload)| {
                let middle = start + key as usize;
                Record {
                    key: bytes[start..middle].to_vec(),
                    payload: bytes[middle..middle + payload as usize].to_vec(),
                }
            })),
            Self::Merge {
                heads,
                runs,
                cipher,
            } => {
                let Some(mut least) = heads.peek_mut() else {
                    return Ok(None);
                };
                let number = least.0.1;
                // Put in its place, the next record of the run finds its own with one look down the heap.
                let Reverse((key, _, payload)) = match runs[number].next(cipher)? {
                    Some(next) => {
                        let next = Reverse((next.key, number, next.payload));
                        std::mem::replace(&mut *least, next)
                    }
                    None => PeekMut::pop(least),
                };
                Ok(Some(Record { key, payload }))
            }
        }
    }
}

/// A nonce is used once for a key: run number and frame number are never the same twice in a spool.
fn nonce(run: u32, frame: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&run.to_le_bytes());
    nonce[4..].copy_from_slice(&frame.to_le_bytes());
    nonce
}

struct FrameWriter<'a> {
    out: BufWriter<File>,
    cipher: &'a Aes256Gcm,
    run: u32,
    frame: u64,
    buffer: Vec<u8>,
}

impl<'a> FrameWriter<'a> {
    fn create(path: &Path, cipher: &'a Aes256Gcm, run: u32) -> Result<Self> {
        let file = File::create_new(path).map_err(Error::io("cannot write the spool"))?;
        Ok(Self {
            out: BufWriter::new(file),
            cipher,
            run,
            frame: 0,
            buffer: Vec::with_capacity(FRAME + TAG),
        })
    }

    fn record(&mut self, key: &[u8], payload: &[u8]) -> Result<()> {
        self.write(&(key.len() as u32).to_le_bytes())?;
        self.write(&(payload.len() as u32).to_le_bytes())?;
        self.write(key)?;
        self.write(payload)
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let take = bytes.len().min(FRAME - self.buffer.len());
            self.buffer.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.buffer.len() == FRAME {
                self.seal()?;
            }
        }
        Ok(())
    }

    fn seal(&mut self) -> Result<()> {
        let length = self.buffer.len() as u32;
        self.cipher
            .encrypt_in_place(&nonce(self.run, self.frame).into(), &[], &mut self.buffer)
            .map_err(|_| {
                Error::io("cannot encrypt the spool")(std::io::Error::other("frame too large"))
            })?;
        let write = self
            .out
            .write_all(&length.to_le_bytes())
            .and_then(|()| self.out.write_all(&self.buffer));
        write.map_err(Error::io("cannot write the spool"))?;
        self.frame += 1;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.seal()?;
        }
        // An empty frame is the end: a run without one was cut off.
        self.seal()?;
        self.out
            .flush()
            .map_err(Error::io("cannot write the spool"))
    }
}

/// One sorted run on disk.
pub(crate) struct Run {
    input: File,
    number: u32,
    frame: u64,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Run {
    fn open(path: &Path, number: u32) -> Result<Self> {
        Ok(Self {
            input: File::open(path).map_err(Error::io("cannot read the spool"))?,
            number,
            frame: 0,
            buffer: Vec::new(),
            at: 0,
            ended: false,
        })
    }

    fn next(&mut self, cipher: &Aes256Gcm) -> Result<Option<Record>> {
        let (mut key, mut payload) = ([0; 4], [0; 4]);
        if !self.read(&mut key, cipher)? {
            return Ok(None);
        }
        self.whole(&mut payload, cipher)?;
        let mut record = Record {
            key: vec![0; u32::from_le_bytes(key) as usize],
            payload: vec![0; u32::from_le_bytes(payload) as usize],
        };
        self.whole(&mut record.key, cipher)?;
        self.whole(&mut record.payload, cipher)?;
        Ok(Some(record))
    }

    /// What must be there.
    fn whole(&mut self, out: &mut [u8], cipher: &Aes256Gcm) -> Result<()> {
        if out.is_empty() || self.read(out, cipher)? {
            return Ok(());
        }
        Err(cut())
    }

    /// The next bytes; `false` at the end of the run.
    fn read(&mut self, out: &mut [u8], cipher: &Aes256Gcm) -> Result<bool> {
        let mut done = 0;
        while done < out.len() {
            if self.at == self.buffer.len() && !self.fill(cipher)? {
                return if done == 0 { Ok(false) } else { Err(cut()) };
            }
            let take = (out.len() - done).min(self.buffer.len() - self.at);
            out[done..done + take].copy_from_slice(&self.buffer[self.at..self.at + take]);
            self.at += take;
            done += take;
        }
        Ok(true)
    }

    fn fill(&mut self, cipher: &Aes256Gcm) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let mut length = [0; 4];
        self.input
            .read_exact(&mut length)
            .map_err(Error::io("cannot read the spool"))?;
        self.buffer
            .resize(u32::from_le_bytes(length) as usize + TAG, 0);
        self.input
            .read_exact(&mut self.buffer)
            .map_err(Error::io("cannot read the spool"))?;
        cipher
            .decrypt_in_place(
                &nonce(self.number, self.frame).into(),
                &[],
                &mut self.buffer,
            )
            .map_err(|_| {
                Error::io("cannot read the spool")(std::io::Error::other("it was changed on disk"))
            })?;
        self.frame += 1;
        self.at = 0;
        self.ended = self.buffer.is_empty();
        Ok(!self.ended)
    }
}

fn cut() -> Error {
    Error::io("cannot read the spool")(std::io::ErrorKind::UnexpectedEof.into())
}

/// The bytes of a run, piece by piece.
pub(crate) struct Pieces {
    run: Run,
    cipher: Aes256Gcm,
}

impl Iterator for Pieces {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.run.fill(&self.cipher) {
            Ok(true) => Some(Ok(std::mem::take(&mut self.run.buffer))),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// Takes the bytes of a run as they come and gives its records.
#[derive(Default)]
pub(crate) struct Records {
    bytes: Vec<u8>,
    at: usize,
}

impl Records {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// `None` until more bytes are there.
    pub(crate) fn next(&mut self) -> Option<Record> {
        let rest = &self.bytes[self.at..];
        let (head, rest) = rest.split_at_checked(8)?;
        let length = |at: usize| head[at..at + 4].try_into().map(u32::from_le_bytes).ok();
        let (key, payload) = (length(0)? as usize, length(4)? as usize);
        let (key, rest) = rest.split_at_checked(key)?;
        let record = Record {
            key: key.to_vec(),
            payload: rest.get(..payload)?.to_vec(),
        };
        self.at += 8 + record.key.len() + payload;
        Some(record)
    }

    /// Nothing is left over.
    pub(crate) fn is_whole(&self) -> bool {
        self.at == self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_that_could_not_be_written_stands_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path(), [7; 32]);
        let full = spool.write(|out| {
            out.record(b"a", &vec![1; 2 * FRAME])?;
            Err(Error::io("cannot write the spool")(std::io::Error::other(
                "full",
            )))
        });
        assert!(full.unwrap_err().to_string().contains("full"));
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        spool.push(b"a", &[b"1"]).unwrap();
        assert_eq!(spool.cut().unwrap(), 1);
        // A nonce that was used for what is gone is not used again.
        assert_eq!(spool.runs[0].0, 1);
        let record = spool.sorted().unwrap().next().unwrap().unwrap();
        assert_eq!(record.payload, b"1");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn records_come_out_sorted_and_in_order_of_arrival(
            records in prop::collection::vec((prop::collection::vec(0u8..4, 0..5), prop::collection::vec(any::<u8>(), 0..300)), 0..200),
            limit in 1usize..4000,
            open in 2usize..20,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = Spool::new(folder.path(), [7; 32]);
            (spool.limit, spool.open) = (limit, open);
            for (key, payload) in &records {
                spool.push(key, &[payload]).unwrap();
            }
            let mut expected = records;
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            let mut sorted = spool.sorted().unwrap();
            for (key, payload) in expected {
                prop_assert_eq!(sorted.next().unwrap(), Some(Record { key, payload }));
            }
            prop_assert_eq!(sorted.next().unwrap(), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn runs_are_read_again_whole_and_by_any_pieces(
            records in prop::collection::vec((prop::collection::vec(0u8..4, 0..5), prop::collection::vec(any::<u8>(), 0..300)), 1..200),
            limit in 1usize..4000,
            piece in 1usize..500,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = Spool::new(folder.path(), [7; 32]);
            spool.limit = limit;
            for (key, payload) in &records {
                spool.push(key, &[payload]).unwrap();
            }
            let other = tempfile::tempdir().unwrap();
            let mut again = Spool::new(other.path(), [8; 32]);
            for number in 0..spool.cut().unwrap() {
                let bytes: Vec<u8> = spool.run(number).unwrap().flat_map(Result::unwrap).collect();
                let mut reader = Records::default();
                for piece in bytes.chunks(piece) {
                    reader.push(piece);
                    while let Some(record) = reader.next() {
                        again.push(&record.key, &[&record.payload]).unwrap();
                    }
                }
                prop_assert!(reader.is_whole());
            }
            let (mut expected, mut found) = (spool.sorted().unwrap(), again.sorted().unwrap());
            loop {
                let record = expected.next().unwrap();
                prop_assert_eq!(&found.next().unwrap(), &record);
                if record.is_none() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_run_that_was_cut_off_between_two_frames_is_not_taken_for_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path(), [7; 32]);
        for number in 0..4 {
            spool.push(&[number], &[&[1; FRAME]]).unwrap();
        }
        assert_eq!(spool.cut().unwrap(), 1);
        let path = folder.path().join("spool-0");
        let read = || -> Result<()> {
            let mut sorted = Sorted::merge(&[(0, path.clone())], spool.cipher.clone())?;
            while sorted.next()?.is_some() {}
            spool.run(0)?.try_for_each(|piece| piece.map(drop))
        };
        read().unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        for frames in (0..=4).rev() {
            file.set_len(frames * (4 + FRAME + TAG) as u64).unwrap();
            assert!(read().is_err(), "{frames} frames");
        }
    }

    #[test]
    fn what_lies_on_disk_is_not_readable() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path(), [7; 32]);
        spool.push(b"key", &[b"a secret title"]).unwrap();
        spool.spill().unwrap();
        let bytes = std::fs::read(folder.path().join("spool-0")).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
    }
}
