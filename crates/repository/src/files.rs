//! The files of a repository by kind and id: where they lie, and their encryption apart from packs.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::Cipher;
use crate::{Error, Id, Result};

/// First byte of a compressed file; a clear one begins with `{` or `[`.
const COMPRESSED: u8 = 2;
/// Far above any real index (5 MB), far below what could exhaust the memory.
const LARGEST_CLEAR: usize = 512 << 20;
const CONFIG: &str = "config";

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

    fn path(self, id: Id) -> Path {
        let name = id.to_string();
        match self {
            Self::Pack => Path::from_iter(["data", &name[..2], &name]),
            _ => Path::from_iter([self.folder(), &name]),
        }
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

/// A file as a listing shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: Id,
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
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
        let folder = Path::from(kind.folder());
        let objects = self.store.list(Some(&folder)).try_collect::<Vec<_>>().await;
        let objects = match objects {
            Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
            other => {
                other.map_err(|error| Error::storage(format_args!("list {kind} files"), error))?
            }
        };
        // Anything else in the folder is no file of the repository: restic ignores it with a warning.
        Ok(objects
            .iter()
            .filter_map(|object| {
                let id = object.location.filename()?.parse().ok()?;
                let modified =
                    Timestamp::from_millisecond(object.last_modified.timestamp_millis()).ok()?;
                Some(Listed {
                    id,
                    size: object.size,
                    modified,
                })
            })
            .collect())
    }

    /// The bytes as they are stored, unless they do not hash to the name.
    pub(crate) async fn read(&self, kind: FileKind, id: Id) -> Result<Bytes> {
        let bytes = self.read_unverified(kind, id).await?;
        if kind != FileKind::Key && Id::of(&bytes) != id {
            return Err(Error::damaged(
                format_args!("{kind} file {id}"),
                "its hash differs from its name",
            ));
        }
        Ok(bytes)
    }

    /// The bytes as they are stored, whatever they are.
    pub(crate) async fn read_unverified(&self, kind: FileKind, id: Id) -> Result<Bytes> {
        let action = |error| match error {
            object_store::Error::NotFound { .. } => Error::FileMissing { kind, id },
            error => Error::storage(format_args!("read {kind} file {id}"), error),
        };
        self.store
            .get(&kind.path(id))
            .await
            .map_err(action)?
            .bytes()
            .await
            .map_err(action)
    }

    pub(crate) async fn read_pack_range(&self, id: Id, range: Range<u64>) -> Result<Bytes> {
        let path = FileKind::Pack.path(id);
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
                _ => Err(Error::damaged(
                    format_args!("pack file {id}"),
                    "it is cut short",
                )),
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
            .put(&kind.path(id), PutPayload::from_bytes(bytes))
            .await;
        result
            .map(drop)
            .map_err(|error| Error::storage(format_args!("write {kind} file {id}"), error))
    }

    pub(crate) async fn remove(&self, kind: FileKind, id: Id) -> Result<()> {
        match self.store.delete(&kind.path(id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::storage(
                format_args!("remove {kind} file {id}"),
                error,
            )),
        }
    }

    pub(crate) async fn exists(&self, kind: FileKind, id: Id) -> Result<bool> {
        match self.store.head(&kind.path(id)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(Error::storage(
                format_args!("look for {kind} file {id}"),
                error,
            )),
        }
    }

    /// `None` when there is no config, so no repository.
    pub(crate) async fn read_config(&self) -> Result<Option<Bytes>> {
        match self.store.get(&Path::from(CONFIG)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::storage("read the config file", error)),
            Ok(result) => {
                let bytes = result
                    .bytes()
                    .await
                    .map_err(|error| Error::storage("read the config file", error))?;
                Ok(Some(bytes))
            }
        }
    }

    /// Fails with [`Error::Exists`] instead of replacing a config.
    pub(crate) async fn create_config(&self, bytes: Vec<u8>) -> Result<()> {
        let options = PutOptions {
            mode: PutMode::Create,
            ..PutOptions::default()
        };
        match self
            .store
            .put_opts(&Path::from(CONFIG), PutPayload::from(bytes), options)
            .await
        {
            Ok(_) => Ok(()),
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
        self.write_sealed(cipher, kind, &json).await
    }

    pub(crate) async fn write_sealed(
        &self,
        cipher: &Cipher,
        kind: FileKind,
        json: &[u8],
    ) -> Result<Id> {
        let mut clear = vec![COMPRESSED];
        let packed = zstd::bulk::compress(json, crate::pack::LEVEL);
        clear.extend(
            packed.map_err(|error| Error::io(format_args!("compress a {kind} file"), error))?,
        );
        let mut sealed = Vec::with_capacity(clear.len() + crate::crypto::OVERHEAD);
        cipher.seal(&clear, &mut sealed);
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
        let sealed = self.read(kind, id).await?;
        let damaged = |reason: &str| Error::damaged(format_args!("{kind} file {id}"), reason);
        let clear = cipher
            .open(&sealed)
            .map_err(|_| damaged("it cannot be decrypted"))?;
        match clear.first() {
            Some(&COMPRESSED) => zstd::bulk::decompress(&clear[1..], LARGEST_CLEAR)
                .map_err(|error| damaged(&error.to_string())),
            Some(b'{' | b'[') => Ok(clear),
            _ => Err(damaged("it is neither JSON nor compressed")),
        }
    }

    pub(crate) async fn read_json<T: DeserializeOwned>(
        &self,
        cipher: &Cipher,
        kind: FileKind,
        id: Id,
    ) -> Result<T> {
        let json = self.read_sealed(cipher, kind, id).await?;
        serde_json::from_slice(&json)
            .map_err(|error| Error::damaged(format_args!("{kind} file {id}"), error))
    }
}
