//! Packs on receipt: every object is unpacked and named by its own hash, and an index is written.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gix_pack::data::input::{BytesToEntriesIter, EntryDataMode, Mode};
use gix_pack::{MMap, data};
use gix_utils::progress::Discard;
use model::Class;
use sha1::{Digest as _, Sha1};

use super::fetch::disk;
use super::{HASH, Oid, process};
use crate::{Error, Result};

/// Above these the git binary makes the index: in ours, memory grows with the number of objects.
pub(super) const MOST_OBJECTS: u32 = 2_000_000;
const MOST_BYTES: u64 = 4_000_000_000;
/// Larger objects are left to the git binary, which can stream them.
pub(super) const MOST_OBJECT_BYTES: usize = 256 << 20;
const TRAILER: u64 = 20;

/// A pack that proved to be whole, with its index beside it.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// `pack-<sha1>`, where the id is the pack's own checksum.
    pub name: String,
    pub pack: PathBuf,
    pub idx: PathBuf,
    /// 0 for a pack without objects, which is not worth keeping.
    pub objects: u32,
}

/// Checks a pack down to the last object, and moves it with a new index into `folder`.
///
/// The error's class is `Malformed` for a pack that is damaged, and `Missing` for one that is whole but needs objects that are not in it.
pub async fn index(pack: &Path, folder: &Path) -> Result<Indexed> {
    let (from, to) = (pack.to_owned(), folder.to_owned());
    let found = blocking(move |interrupt| checked(&from, &to, interrupt)).await?;
    match found {
        Checked::Done(indexed) => Ok(indexed),
        Checked::TooLarge { checksum, objects } => by_git(pack, folder, checksum, objects).await,
    }
}

/// Runs blocking work that stops early when the caller goes away; a panic in it is an error about the data.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce(&AtomicBool) -> Result<T> + Send + 'static) -> Result<T> {
    struct Stop(Arc<AtomicBool>);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let flag = Arc::new(AtomicBool::new(false));
    let stop = Stop(Arc::clone(&flag));
    let result = tokio::task::spawn_blocking(move || work(&flag)).await;
    drop(stop);
    result.unwrap_or_else(|error| Err(damaged("it cannot be read").caused_by(error)))
}

enum Checked {
    Done(Indexed),
    TooLarge { checksum: Oid, objects: u32 },
}

fn checked(pack: &Path, folder: &Path, interrupt: &AtomicBool) -> Result<Checked> {
    let file = File::open(pack).map_err(|e| disk(pack, e))?;
    let bytes = file.metadata().map_err(|e| disk(pack, e))?.len();
    let objects = announced(&file, bytes)?;
    let mut reader = BufReader::with_capacity(1 << 16, Hashing::new(file, bytes.saturating_sub(TRAILER)));
    if objects == 0 || objects > MOST_OBJECTS || bytes > MOST_BYTES {
        let checksum = finish(&mut reader)?;
        return Ok(if objects == 0 { Checked::Done(empty(pack, checksum)) } else { Checked::TooLarge { checksum, objects } });
    }
    let idx = tempfile::NamedTempFile::new_in(folder).map_err(|e| disk(folder, e))?;
    let result = write_index(pack, &mut reader, idx.as_file(), interrupt);
    // A wrong checksum explains every other error, so it is looked at first.
    let checksum = finish(&mut reader)?;
    match result {
        Ok(trailer) if trailer == checksum => {}
        Ok(_) => return Err(damaged("something follows its last object")),
        Err(Failure::Limit) => return Ok(Checked::TooLarge { checksum, objects }),
        Err(Failure::Disk(error)) => return Err(disk(folder, error)),
        Err(Failure::Content(why)) => return Err(incomplete(&why)),
    }
    let name = format!("pack-{checksum}");
    let target = folder.join(format!("{name}.idx"));
    idx.persist(&target).map_err(|e| disk(&target, e.error))?;
    Ok(Checked::Done(adopt(pack, folder, name, objects)?))
}

/// The number of objects that the header announces.
fn announced(file: &File, bytes: u64) -> Result<u32> {
    let mut header = [0; 12];
    let mut start = file;
    if bytes < 12 + TRAILER || start.read_exact(&mut header).is_err() {
        return Err(damaged("it is too short"));
    }
    io::Seek::rewind(&mut start).map_err(|e| damaged("it cannot be read").caused_by(e))?;
    match data::header::decode(&header) {
        Ok((_, objects)) => Ok(objects),
        Err(_) => Err(damaged("it does not begin like a pack")),
    }
}

/// Why no index could be written.
enum Failure {
    /// An object is too large for this process.
    Limit,
    Disk(io::Error),
    Content(String),
}

impl Failure {
    fn of(limit: bool, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>()
                && error.raw_os_error().is_some()
            {
                return Self::Disk(io::Error::from(error.kind()));
            }
            cause = error.source();
        }
        if limit { Self::Limit } else { Self::Content(error.to_string()) }
    }
}

fn write_index(pack: &Path, reader: &mut impl BufRead, idx: &File, interrupt: &AtomicBool) -> Result<Oid, Failure> {
    fn slice(range: data::EntryRange, pack: &data::File<MMap>) -> Option<&[u8]> {
        pack.entry_slice(range)
    }
    let mut entries = BytesToEntriesIter::new_from_header(reader, Mode::AsIs, EntryDataMode::Crc32, HASH)
        .map_err(|error| Failure::of(error.is_resource_exhausted(), &error))?;
    let version = entries.version();
    let mut out = BufWriter::with_capacity(1 << 16, idx);
    let outcome = gix_pack::index::write_data_iter_to_stream(
        gix_pack::index::Version::default(),
        || Ok((slice, data::File::at(pack, HASH).map_err(io::Error::other)?)),
        &mut entries,
        Some(1),
        &mut Discard,
        &mut out,
        interrupt,
        HASH,
        Some(MOST_OBJECT_BYTES),
        version,
    );
    let outcome = outcome.map_err(|error| Failure::of(error.is_resource_exhausted(), &error))?;
    out.flush().map_err(Failure::Disk)?;
    Ok(outcome.data_hash)
}

/// Reads on to the end of the pack and compares its checksum with its trailer.
fn finish(reader: &mut BufReader<Hashing>) -> Result<Oid> {
    io::copy(reader, &mut io::sink()).map_err(|e| damaged("it cannot be read").caused_by(e))?;
    let hashing = reader.get_ref();
    let computed: [u8; 20] = hashing.hash.clone().finalize().into();
    if hashing.trailer != computed {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(Oid::from_bytes_or_panic(&computed))
}

/// Hashes what is read but for the trailer, which it keeps.
struct Hashing {
    file: File,
    hash: Sha1,
    /// Bytes before the trailer that were not read yet.
    left: u64,
    trailer: Vec<u8>,
}

impl Hashing {
    fn new(file: File, left: u64) -> Self {
        Self { file, hash: Sha1::new(), left, trailer: Vec::new() }
    }
}

impl Read for Hashing {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buf)?;
        let body = usize::try_from(self.left).unwrap_or(usize::MAX).min(count);
        self.hash.update(&buf[..body]);
        self.left -= body as u64;
        self.trailer.extend_from_slice(&buf[body..count]);
        Ok(count)
    }
}

fn empty(pack: &Path, checksum: Oid) -> Indexed {
    Indexed { name: format!("pack-{checksum}"), pack: pack.to_owned(), idx: PathBuf::new(), objects: 0 }
}

fn adopt(pack: &Path, folder: &Path, name: String, objects: u32) -> Result<Indexed> {
    let target = folder.join(format!("{name}.pack"));
    fs::rename(pack, &target).map_err(|e| disk(&target, e))?;
    Ok(Indexed { idx: folder.join(format!("{name}.idx")), pack: target, name, objects })
}

async fn by_git(pack: &Path, folder: &Path, checksum: Oid, objects: u32) -> Result<Indexed> {
    let name = format!("pack-{checksum}");
    let mut git = process::git(folder);
    git.arg("index-pack").arg("-o").arg(folder.join(format!("{name}.idx"))).arg(pack);
    process::run(git).await.map_err(|error| incomplete(&error.message))?;
    // Beside the index, git makes a reverse index, which it can make again.
    match fs::remove_file(pack.with_extension("rev")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(disk(pack, error)),
        Ok(()) | Err(_) => {}
    }
    adopt(pack, folder, name, objects)
}

fn damaged(why: &str) -> Error {
    Error::new(Class::Malformed, "git-object-missing", format!("the pack that came is damaged: {why}"))
}

/// The checksum is right, so the server sent it like this.
fn incomplete(why: &str) -> Error {
    Error::new(Class::Missing, "git-object-missing", format!("the pack that came is not complete: {why}"))
}
