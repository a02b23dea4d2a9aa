//! The files of a repository by kind and id: where they lie, and their encryption apart from packs.

use std::fmt;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::Cipher;
use crate::{Error, Id, Result, store};

/// First byte of a compressed file; a clear one begins with `{` or `[`.
const COMPRESSED: u8 = 2;
/// Far above any real index (5 MB), far below what could exhaust the memory.
const LARGEST_CLEAR: usize = 512 << 20;
/// Keys, locks, snapshots and configs have a few hundred bytes.
const SMALL: u64 = 64 << 20;
/// A storage may show a new file a little later.
const LOOKS: u32 = 16;
const CONFIG: &str = "config";
/// The folder of the second copies; restic and other programs do not look into it.
const COPIES: &str = "keepward";

/// The folders of a repository.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum FileKind {
    Key,
    Lock,
    Snapshot,
    Index,
    Pack,
}

impl FileKind {
    fn folder(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::Lock => "locks",
            Self::Snapshot => "snapshots",
            Self::Index => "index",
            Self::Pack => "data",
        }
    }

    /// Inside the repository.
    pub(crate) fn path(self, id: Id) -> Path {
        let name = id.to_string();
        match self {
            Self::Pack => Path::from_iter(["data", &name[..2], &name]),
            _ => Path::from_iter([self.folder(), &name]),
        }
    }

    pub(crate) fn copy_path(self, id: Id) -> Path {
        Path::from_iter([COPIES, self.folder(), &id.to_string()])
    }

    /// Larger ones are damage, and would not fit into memory.
    fn largest(self) -> u64 {
        match self {
            Self::Key | Self::Lock | Self::Snapshot => SMALL,
            Self::Index | Self::Pack => LARGEST_CLEAR as u64,
        }
    }

    /// What nothing else in a repository could rebuild, and is small: a flipped bit in it must not be the end.
    pub(crate) fn is_kept_twice(self) -> bool {
        matches!(self, Self::Key | Self::Snapshot)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Lock => "lock",
            Self::Snapshot => "snapshot",
            Self::Index => "index",
            Self::Pack => "pack",
        })
    }
}

/// What an upload left behind that was killed.
#[derive(Clone, Debug)]
pub(crate) struct Leftover {
    pub(crate) at: Path,
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
}

/// A file as a listing shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: Id,
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
}

/// What a folder has of the files of one kind.
pub(crate) struct Listing {
    pub(crate) files: Vec<Listed>,
    /// Named like such files, in a place where neither we nor restic look for them.
    pub(crate) astray: Vec<(Listed, Path)>,
}

#[derive(Clone)]
pub(crate) struct Files {
    store: Arc<dyn ObjectStore>,
}

impl Files {
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    pub(crate) fn place(&self) -> String {
        self.store.to_string()
    }

    pub(crate) async fn list(&self, kind: FileKind) -> Result<Vec<Listed>> {
        Ok(self.listing(kind).await?.files)
    }

    pub(crate) async fn listing(&self, kind: FileKind) -> Result<Listing> {
        let folder = Path::from(kind.folder());
        self.list_folder(kind, folder, |id| kind.path(id)).await
    }

    pub(crate) async fn list_copies(&self, kind: FileKind) -> Result<Vec<Listed>> {
        let folder = Path::from_iter([COPIES, kind.folder()]);
        let listing = self.list_folder(kind, folder, |id| kind.copy_path(id));
        Ok(listing.await?.files)
    }

    async fn list_folder(
        &self,
        kind: FileKind,
        folder: Path,
        place: impl Fn(Id) -> Path,
    ) -> Result<Listing> {
        let objects = match self.store.list(Some(&folder)).try_collect::<Vec<_>>().await {
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            other => {
                other.map_err(|error| Error::storage(format_args!("list {kind} files"), error))?
            }
        };
        // Anything else in the folder is no file of the repository: restic ignores it with a warning.
        let named = objects.into_iter().filter_map(|object| {
            let id = object.location.filename()?.parse().ok()?;
            // A file from the far future is young, and no less there.
            let modified = object.last_modified.timestamp_millis();
            let modified = Timestamp::from_millisecond(modified).unwrap_or(Timestamp::MAX);
            let size = object.size;
            Some((Listed { id, size, modified }, object.location))
        });
        let (there, astray): (Vec<_>, Vec<_>) = named.partition(|(file, at)| *at == place(file.id));
        let files = there.into_iter().map(|(file, _)| file).collect();
        Ok(Listing { files, astray })
    }

    /// Moves a file that went astray to where it is looked for, whatever is in it.
    pub(crate) async fn put_in_place(&self, kind: FileKind, id: Id, from: &Path) -> Result<()> {
        let bytes = self.get(from, kind, id).await?;
        self.write(kind, id, bytes).await?;
        self.delete(from).await
    }

    /// What killed uploads left anywhere in the repository.
    pub(crate) async fn leftovers(&self) -> Result<Vec<Leftover>> {
        let objects = self.store.list(None).try_collect::<Vec<_>>().await;
        let objects = objects.map_err(|error| Error::storage("list all files", error))?;
        let modified = |object: &ObjectMeta| {
            Timestamp::from_millisecond(object.last_modified.timestamp_millis())
        };
        let leftovers = objects.into_iter().filter_map(|object| {
            let modified = modified(&object).ok()?;
            store::is_leftover(&object.location).then_some(Leftover {
                at: object.location,
                size: object.size,
                modified,
            })
        });
        Ok(leftovers.collect())
    }

    /// The bytes as they are stored, or those of the second copy if they do not hash to the name.
    pub(crate) async fn read(&self, kind: FileKind, id: Id) -> Result<Bytes> {
        match self.read_original(kind, id).await {
            Err(damaged @ Error::Damaged { .. }) if kind.is_kept_twice() => {
                let copy = self.read_copy(kind, id).await.map_err(|_| damaged)?;
                tracing::warn!(file = %kind.path(id), "a damaged file is read from its second copy; repair it");
                Ok(copy)
            }
            other => other,
        }
    }

    /// The bytes as they are stored, unless they do not hash to the name.
    pub(crate) async fn read_original(&self, kind: FileKind, id: Id) -> Result<Bytes> {
        verified(&kind.path(id), id, self.read_unverified(kind, id).await?)
    }

    pub(crate) async fn read_copy(&self, kind: FileKind, id: Id) -> Result<Bytes> {
        let at = kind.copy_path(id);
        verified(&at, id, self.get(&at, kind, id).await?)
    }

    /// The bytes as they are stored, whatever they are.
    pub(crate) async fn read_unverified(&self, kind: FileKind, id: Id) -> Result<Bytes> {
        self.get(&kind.path(id), kind, id).await
    }

    async fn get(&self, at: &Path, kind: FileKind, id: Id) -> Result<Bytes> {
        let action = |error| match error {
            object_store::Error::NotFound { .. } => Error::FileMissing { kind, id },
            error => Error::storage(format_args!("read {at}"), error),
        };
        let found = self.store.get(at).await.map_err(action)?;
        refuse_huge(at, found.meta.size, kind.largest())?;
        found.bytes().await.map_err(action)
    }

    pub(crate) async fn read_pack_range(&self, id: Id, range: Range<u64>) -> Result<Bytes> {
        let path = FileKind::Pack.path(id);
        // A storage may refuse to read nothing, which is all that an empty file has.
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        match self.store.get_range(&path, range.clone()).await {
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => Ok(bytes),
            Err(object_store::Error::NotFound { .. }) => Err(Error::FileMissing {
                kind: FileKind::Pack,
                id,
            }),
            other => match (self.store.head(&path).await, other) {
                (Ok(meta), Err(error)) if meta.size >= range.end => {
                    Err(Error::storage(format_args!("read pack file {id}"), error))
                }
                (Err(error), _) => Err(Error::storage(format_args!("read pack file {id}"), error)),
                _ => Err(Error::damaged(path, "it is cut short")),
            },
        }
    }

    /// Like [`Self::read_pack_range`], but a pack may end within the range.
    pub(crate) async fn read_pack_up_to(&self, id: Id, range: Range<u64>) -> Result<Bytes> {
        let path = FileKind::Pack.path(id);
        if let Ok(bytes) = self.store.get_range(&path, range.clone()).await {
            return Ok(bytes);
        }
        // The storage decides whether a range beyond the end is cut or refused: ask for what is there.
        let end = match self.store.head(&path).await {
            Ok(meta) => meta.size.min(range.end),
            Err(_) => range.end,
        };
        self.read_pack_range(id, range.start..end.max(range.start))
            .await
    }

    /// Writes a whole file whose id is the hash of its bytes.
    pub(crate) async fn write(&self, kind: FileKind, id: Id, bytes: Bytes) -> Result<()> {
        let result = self
            .store
            .put(&kind.path(id), PutPayload::from_bytes(bytes.clone()))
            .await;
        result.map_err(|error| Error::storage(format_args!("write {kind} file {id}"), error))?;
        if kind.is_kept_twice() {
            self.write_copy(&kind.copy_path(id), bytes).await;
        }
        Ok(())
    }

    /// The same, and looks whether the file is there: what a storage acknowledges and does not keep, nobody would send again.
    pub(crate) async fn write_kept(&self, kind: FileKind, id: Id, bytes: Bytes) -> Result<()> {
        for _ in 0..2 {
            self.write(kind, id, bytes.clone()).await?;
            for _ in 0..LOOKS {
                match self.store.head(&kind.path(id)).await {
                    Ok(found) if found.size == bytes.len() as u64 => return Ok(()),
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => {
                        return Err(Error::storage(
                            format_args!("look for {kind} file {id}"),
                            error,
                        ));
                    }
                }
            }
            tracing::warn!(file = %kind.path(id), "the storage does not have what it acknowledged");
        }
        Err(Error::io(
            format_args!("find {kind} file {id}, which the storage acknowledged twice"),
            std::io::ErrorKind::NotFound.into(),
        ))
    }

    /// A failure is no more than a warning: the file itself is stored, and a repair makes the copy later.
    async fn write_copy(&self, at: &Path, bytes: Bytes) {
        if let Err(error) = self.store.put(at, PutPayload::from_bytes(bytes)).await {
            tracing::warn!(copy = %at, %error, "a second copy could not be written");
        }
    }

    /// The copy goes first: one without its file means that the file was lost.
    pub(crate) async fn remove(&self, kind: FileKind, id: Id) -> Result<()> {
        if kind.is_kept_twice() {
            self.delete(&kind.copy_path(id)).await?;
        }
        self.delete(&kind.path(id)).await
    }

    pub(crate) async fn delete(&self, at: &Path) -> Result<()> {
        match self.store.delete(at).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::storage(format_args!("remove {at}"), error)),
        }
    }

    /// Whether the file is there, or was lost and left its copy.
    pub(crate) async fn exists(&self, kind: FileKind, id: Id) -> Result<bool> {
        match self.store.head(&kind.path(id)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) if kind.is_kept_twice() => {
                Ok(self.store.head(&kind.copy_path(id)).await.is_ok())
            }
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(Error::storage(
                format_args!("look for {kind} file {id}"),
                error,
            )),
        }
    }

    /// `None` when there is no config.
    pub(crate) async fn read_config(&self) -> Result<Option<Bytes>> {
        self.get_config(&Path::from(CONFIG)).await
    }

    pub(crate) async fn read_config_copy(&self) -> Result<Option<Bytes>> {
        self.get_config(&Path::from_iter([COPIES, CONFIG])).await
    }

    async fn get_config(&self, at: &Path) -> Result<Option<Bytes>> {
        let failed = |error| Error::storage(format_args!("read {at}"), error);
        match self.store.get(at).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
            Ok(found) => {
                refuse_huge(at, found.meta.size, SMALL)?;
                found.bytes().await.map(Some).map_err(failed)
            }
        }
    }

    /// The files that a repository has one of.
    pub(crate) fn fixed_paths() -> Vec<Path> {
        vec![Path::from(CONFIG), Path::from_iter([COPIES, CONFIG])]
    }

    /// A small file of our own, which no other program looks at.
    pub(crate) async fn read_note(&self, at: &Path) -> Result<Option<Bytes>> {
        self.get_config(at).await
    }

    pub(crate) async fn write_note(&self, at: &Path, bytes: Vec<u8>) -> Result<()> {
        let written = self.store.put(at, PutPayload::from(bytes)).await;
        written
            .map(drop)
            .map_err(|error| Error::storage(format_args!("write {at}"), error))
    }

    /// Fails with [`Error::Exists`] instead of replacing a config.
    pub(crate) async fn create_config(&self, bytes: Vec<u8>) -> Result<()> {
        self.write_config(bytes.into(), PutMode::Create).await
    }

    /// For repairs.
    pub(crate) async fn replace_config(&self, bytes: Bytes) -> Result<()> {
        self.write_config(bytes, PutMode::Overwrite).await
    }

    async fn write_config(&self, bytes: Bytes, mode: PutMode) -> Result<()> {
        let at = Path::from(CONFIG);
        let put = |mode| {
            let options = PutOptions {
                mode,
                ..PutOptions::default()
            };
            let payload = PutPayload::from_bytes(bytes.clone());
            self.store.put_opts(&at, payload, options)
        };
        let mut written = put(mode).await;
        if matches!(written, Err(object_store::Error::NotImplemented { .. })) {
            // A storage that cannot refuse to replace: the caller has looked that nothing is there.
            written = put(PutMode::Overwrite).await;
        }
        match written {
            Ok(_) => {
                let copy = Path::from_iter([COPIES, CONFIG]);
                self.write_copy(&copy, bytes).await;
                Ok(())
            }
            Err(object_store::Error::AlreadyExists { .. }) => Err(Error::Exists(self.place())),
            Err(error) => Err(Error::storage("write the config file", error)),
        }
    }

    /// Writes `value` as compressed, encrypted JSON and returns its id.
    pub(crate) async fn write_json<T: Serialize>(
        &self,
        cipher: &Cipher,
        kind: FileKind,
        value: &T,
    ) -> Result<Id> {
        let json = serde_json::to_vec(value)
            .map_err(|error| Error::damaged(format_args!("{kind} to write"), error))?;
        self.write_sealed(cipher, kind, |out| out.write_all(&json))
            .await
    }

    /// `text` is asked for twice, once for its length, so that it need not be in memory as a whole: that of a full index has 8 MB.
    pub(crate) async fn write_sealed(
        &self,
        cipher: &Cipher,
        kind: FileKind,
        text: impl Fn(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<Id> {
        let clear = compressed(&text)
            .map_err(|error| Error::io(format_args!("compress a {kind} file"), error))?;
        let mut sealed = Vec::with_capacity(clear.len() + crate::crypto::OVERHEAD);
        cipher.seal(&clear, &mut sealed);
        drop(clear);
        let id = Id::of(&sealed);
        self.write(kind, id, sealed.into()).await?;
        Ok(id)
    }

    /// The clear JSON of an encrypted file.
    pub(crate) async fn read_sealed(
        &self,
        cipher: &Cipher,
        kind: FileKind,
        id: Id,
    ) -> Result<Vec<u8>> {
        unseal(cipher, &kind.path(id), &self.read(kind, id).await?)
    }

    pub(crate) async fn read_json<T: DeserializeOwned>(
        &self,
        cipher: &Cipher,
        kind: FileKind,
        id: Id,
    ) -> Result<T> {
        let json = self.read_sealed(cipher, kind, id).await?;
        serde_json::from_slice(&json).map_err(|error| Error::damaged(kind.path(id), error))
    }
}

/// With its size in the frame's header, by which a reader asks for memory.
fn compressed(text: &dyn Fn(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<Vec<u8>> {
    let mut length = Length(0);
    text(&mut length)?;
    let mut encoder = zstd::stream::Encoder::new(vec![COMPRESSED], crate::pack::LEVEL)?;
    encoder.set_pledged_src_size(Some(length.0))?;
    text(&mut encoder)?;
    encoder.finish()
}

/// Counts what is written to it.
struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn refuse_huge(at: &Path, size: u64, largest: u64) -> Result<()> {
    if size <= largest {
        return Ok(());
    }
    let reason = format!("it has {size} bytes, and such files have {largest} at most");
    Err(Error::damaged(at, reason))
}

fn verified(at: &Path, id: Id, bytes: Bytes) -> Result<Bytes> {
    if Id::of(&bytes) == id {
        Ok(bytes)
    } else {
        Err(Error::damaged(at, "its hash differs from its name"))
    }
}

/// The clear JSON of an encrypted file that lies at `at`.
pub(crate) fn unseal(cipher: &Cipher, at: &Path, sealed: &[u8]) -> Result<Vec<u8>> {
    let damaged = |reason: &str| Error::damaged(at, reason);
    let clear = cipher
        .open(sealed)
        .map_err(|_| damaged("it cannot be decrypted"))?;
    match clear.first() {
        Some(&COMPRESSED) => {
            // Asking for no more than needed lets the allocator give the same memory for every file.
            let size = match zstd::zstd_safe::get_frame_content_size(&clear[1..]) {
                Ok(Some(size)) => {
                    usize::try_from(size).map_or(LARGEST_CLEAR, |size| size.min(LARGEST_CLEAR))
                }
                _ => LARGEST_CLEAR,
            };
            zstd::bulk::decompress(&clear[1..], size).map_err(|error| damaged(&error.to_string()))
        }
        Some(b'{' | b'[') => Ok(clear),
        _ => Err(damaged("it is neither JSON nor compressed")),
    }
}
