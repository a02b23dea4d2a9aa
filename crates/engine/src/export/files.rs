//! Writing one folder or file of an export.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures::TryStreamExt as _;
use repository::{Node, Repository};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use crate::{Error, Result};

pub(super) struct Written {
    pub bytes: u64,
}

/// Makes a folder; one that is already there is as good, a link to one is not.
pub(super) async fn make_folder(path: &Path) -> Result<()> {
    match tokio::fs::create_dir(path).await {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let found = tokio::fs::symlink_metadata(path)
                .await
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
pub(super) async fn write(
    repository: &Repository,
    node: &Node,
    path: &Path,
    overwrite: bool,
) -> Result<Written> {
    let (file, at) = if overwrite {
        open_beside(path).await?
    } else {
        (create(path).await?, path.to_owned())
    };
    let written = fill(repository, node, file, &at).await;
    let written = match written {
        Ok(written) if overwrite => tokio::fs::rename(&at, path)
            .await
            .map(|()| written)
            .map_err(Error::io(format!("cannot replace {}", path.display()))),
        other => other,
    };
    if written.is_err()
        && let Err(error) = tokio::fs::remove_file(&at).await
    {
        tracing::warn!(path = %at.display(), %error, "an incomplete file could not be removed");
    }
    written
}

/// Fails where anything has this name, a link to nowhere included: nothing is followed.
async fn create(path: &Path) -> Result<File> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .await
    {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(exists(path, "already exists"))
        }
        Err(error) => Err(Error::io(format!("cannot write {}", path.display()))(error)),
    }
}

/// A new file beside the one that it will replace.
async fn open_beside(path: &Path) -> Result<(File, PathBuf)> {
    let hash = repository::Id::of(path.as_os_str().as_encoded_bytes()).short();
    let beside = path.with_file_name(format!(".{hash}.part"));
    match tokio::fs::remove_file(&beside).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Error::io(format!("cannot remove {}", beside.display()))(
                error,
            ));
        }
    }
    Ok((create(&beside).await?, beside))
}

async fn fill(
    repository: &Repository,
    node: &Node,
    mut file: File,
    path: &Path,
) -> Result<Written> {
    let failed = || Error::io(format!("cannot write {}", path.display()));
    let mut bytes = 0;
    let mut pieces = std::pin::pin!(repository.stream(node));
    while let Some(piece) = pieces.try_next().await? {
        file.write_all(&piece).await.map_err(failed())?;
        bytes += piece.len() as u64;
    }
    file.flush().await.map_err(failed())?;
    if bytes != node.size {
        let message = format!("the file should have {} bytes and has {bytes}", node.size);
        return Err(Error::Request {
            code: "repository-damaged",
            message,
        });
    }
    let file = file.into_std().await;
    // Not every file system takes every time.
    if let Err(error) = file.set_modified(SystemTime::from(node.mtime)) {
        tracing::debug!(path = %path.display(), %error, "the time of a file could not be set");
    }
    Ok(Written { bytes })
}

fn exists(path: &Path, what: &str) -> Error {
    Error::Io {
        what: path.display().to_string(),
        source: std::io::Error::new(ErrorKind::AlreadyExists, what.to_owned()),
    }
}
