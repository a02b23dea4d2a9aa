//! Files of a commit.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncSeekExt as _;

use super::tree::{EntryKind, entry_at};
use super::{Bare, Revision, damaged, in_time, too_large, unknown};
use crate::git::Oid;
use crate::git::fetch::disk;
use crate::{Error, Result};

/// A file's content.
pub enum Blob {
    Small(Vec<u8>),
    /// A file without a name, which is gone when it is closed.
    Large(tokio::fs::File, u64),
}

/// What is kept in memory.
const SMALL: u64 = 1 << 20;
/// What is laid out on our disk.
const LARGEST: u64 = 2 << 30;

impl Bare {
    /// The content of a file below a commit, tag or tree; of the object itself when `path` is empty. A large one is laid out in `work`.
    pub async fn blob(&self, at: Revision, path: &str, work: &Path) -> Result<Blob> {
        in_time(async {
            let mut objects = self.objects()?;
            let id = match path {
                "" => objects.peel(at, "blob").await?,
                path => file(&entry_at(&mut objects, at, path).await?, path)?,
            };
            let found = objects.info(&id.to_string()).await?;
            let found = found.filter(|found| found.kind == "blob");
            let found = found.ok_or_else(|| damaged(format!("the file {id} is not stored")))?;
            if found.size <= SMALL {
                let (_, content) = objects.read(id, SMALL).await?;
                return Ok(Blob::Small(content));
            }
            if found.size > LARGEST {
                return Err(too_large("the file is larger than 2 GiB"));
            }
            let file = self.lay_out(id, found.size, work).await?;
            Ok(Blob::Large(file, found.size))
        })
        .await
    }

    async fn lay_out(&self, id: Oid, size: u64, work: &Path) -> Result<tokio::fs::File> {
        let file = tempfile::tempfile_in(work).map_err(|e| disk(work, e))?;
        let output = file.try_clone().map_err(|e| disk(work, e))?;
        let mut command = self.git(&["cat-file", "blob", &id.to_string()]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::from(output))
            .stderr(Stdio::null());
        let status = command.status().await.map_err(|error| {
            Error::unsupported(format!("the git program cannot be started: {error}"))
        })?;
        let mut file = tokio::fs::File::from_std(file);
        let written = file.metadata().await.map_err(|e| disk(work, e))?.len();
        if !status.success() || written != size {
            return Err(damaged(format!("the object {id} cannot be read")));
        }
        file.rewind().await.map_err(|e| disk(work, e))?;
        Ok(file)
    }
}

fn file(entry: &super::Entry, path: &str) -> Result<Oid> {
    match entry.kind {
        EntryKind::File | EntryKind::Link => Ok(entry.id),
        EntryKind::Folder | EntryKind::Submodule => {
            Err(unknown(format_args!("file {:.200}", path.escape_debug())))
        }
    }
}
