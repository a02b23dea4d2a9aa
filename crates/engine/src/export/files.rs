//! Writing one folder or file of an export.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures::TryStreamExt as _;
use repository::{Node, Repository};
use tokio::io::AsyncWriteExt as _;

use crate::{Error, Result};

pub(super) struct Written {
    pub bytes: u64,
}

/// Makes folders, each after those before it; one that is already there is as good, a link to one is not.
pub(super) async fn make_folders(paths: Vec<PathBuf>) -> Result<Vec<Result<()>>> {
    let make = move || paths.iter().map(|path| make_folder(path)).collect();
    blocking(make).await
}

fn make_folder(path: &Path) -> Result<()> {
    match std::fs::create_dir(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let found = std::fs::symlink_metadata(path)
                .map_err(Error::io(format!("cannot look at {}", path.display())))?;
            if found.is_dir() {
                Ok(())
            } else {
                Err(exists(path, "is in the way of a folder"))
            }
        }
        Err(error) => Err(Error::io(format!(
            "cannot make the folder {}",
            path.display()
        ))(error)),
    }
}

/// Writes a file that must not be there yet, or with `overwrite` takes the place of the one that is.
pub(super) fn write_bytes(
    bytes: &[u8],
    node: &Node,
    path: &Path,
    overwrite: bool,
) -> Result<Written> {
    check_size(bytes.len() as u64, node)?;
    let mut target = Target::open(path, overwrite)?;
    let written = target
        .file
        .write_all(bytes)
        .map_err(|error| target.failed(error));
    target.finish(written, node)
}

/// The same for a file whose content may be larger than the memory.
pub(super) async fn write(
    repository: &Repository,
    node: &Node,
    path: &Path,
    overwrite: bool,
) -> Result<Written> {
    let place = path.to_owned();
    let target = blocking(move || Target::open(&place, overwrite)).await??;
    let written = fill(repository, node, &target).await;
    let node = node.clone();
    blocking(move || target.finish(written, &node)).await?
}

async fn fill(repository: &Repository, node: &Node, target: &Target) -> Result<()> {
    let file = target
        .file
        .try_clone()
        .map_err(|error| target.failed(error))?;
    let mut file = tokio::fs::File::from_std(file);
    let mut bytes = 0;
    let mut pieces = std::pin::pin!(repository.stream(node));
    while let Some(piece) = pieces.try_next().await? {
        file.write_all(&piece)
            .await
            .map_err(|error| target.failed(error))?;
        bytes += piece.len() as u64;
    }
    file.flush().await.map_err(|error| target.failed(error))?;
    check_size(bytes, node)
}

fn check_size(bytes: u64, node: &Node) -> Result<()> {
    if bytes == node.size {
        return Ok(());
    }
    Err(Error::Request {
        code: "repository-damaged",
        message: format!("the file should have {} bytes and has {bytes}", node.size),
    })
}

/// A file that is being written, under its own name or beside the one that it will replace.
struct Target {
    file: File,
    at: PathBuf,
    path: PathBuf,
}

impl Target {
    fn open(path: &Path, overwrite: bool) -> Result<Self> {
        let at = if overwrite {
            let hash = repository::Id::of(path.as_os_str().as_encoded_bytes()).short();
            let beside = path.with_file_name(format!(".{hash}.part"));
            match std::fs::remove_file(&beside) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    let what = format!("cannot remove {}", beside.display());
                    return Err(Error::io(what)(error));
                }
                _ => beside,
            }
        } else {
            path.to_owned()
        };
        // Fails where anything has this name, a link to nowhere included: nothing is followed.
        match OpenOptions::new().write(true).create_new(true).open(&at) {
            Ok(file) => Ok(Self {
                file,
                at,
                path: path.to_owned(),
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(exists(path, "already exists"))
            }
            Err(error) => Err(Error::io(format!("cannot write {}", path.display()))(error)),
        }
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::io(format!("cannot write {}", self.path.display()))(error)
    }

    /// Gives the file its time and name, or removes it.
    fn finish(self, written: Result<()>, node: &Node) -> Result<Written> {
        let done = written.and_then(|()| self.complete(node));
        if done.is_err()
            && let Err(error) = std::fs::remove_file(&self.at)
        {
            tracing::warn!(path = %self.at.display(), %error, "an incomplete file could not be removed");
        }
        done.map(|()| Written { bytes: node.size })
    }

    fn complete(&self, node: &Node) -> Result<()> {
        // Not every file system takes every time.
        if let Err(error) = self.file.set_modified(SystemTime::from(node.mtime)) {
            tracing::debug!(path = %self.at.display(), %error, "the time of a file could not be set");
        }
        if self.at == self.path {
            return Ok(());
        }
        let what = || format!("cannot replace {}", self.path.display());
        std::fs::rename(&self.at, &self.path).map_err(|error| Error::io(what())(error))
    }
}

async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::io("cannot write files")(error.into()))
}

fn exists(path: &Path, what: &str) -> Error {
    Error::Io {
        what: path.display().to_string(),
        source: std::io::Error::new(ErrorKind::AlreadyExists, what.to_owned()),
    }
}
