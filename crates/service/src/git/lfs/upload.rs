//! Putting objects: before the refs, since servers may refuse history whose objects they lack.

use std::path::Path;

use model::ItemRef;
use reqwest::Method;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::Remote;
use super::super::fetch::disk;
use super::batch::{Actions, Operation, Wanted, ask, json};
use super::{Pointer, part};
use crate::{Error, Result, Stored};

/// Sends the stored contents of objects; those that the server has already are not sent.
pub(crate) async fn upload(
    remote: &Remote,
    item: &ItemRef,
    stored: &dyn Stored,
    pointers: &[Pointer],
    work: &Path,
) -> Result<()> {
    for (pointer, answer) in ask(remote, Operation::Upload, pointers).await? {
        put(remote, item, stored, pointer, answer?, work).await?;
    }
    Ok(())
}

async fn put(
    remote: &Remote,
    item: &ItemRef,
    stored: &dyn Stored,
    pointer: &Pointer,
    actions: Actions,
    work: &Path,
) -> Result<()> {
    if let Some(action) = actions.upload {
        let path = work.join("lfs-upload");
        copy(item, stored, pointer, &path).await?;
        let call = action.call(remote, Method::PUT)?;
        // The same content at its own name: sending it twice changes nothing.
        call.file("application/octet-stream", &path)
            .accept("*/*")
            .safe()
            .send()
            .await?;
    }
    if let Some(action) = actions.verify {
        let call = action.call(remote, Method::POST)?;
        json(
            call,
            &Wanted {
                oid: &pointer.oid,
                size: pointer.size,
            },
        )?
        .safe()
        .send()
        .await?;
    }
    Ok(())
}

/// Takes the content out of the snapshot, and looks that it is still what its name says.
async fn copy(item: &ItemRef, stored: &dyn Stored, pointer: &Pointer, path: &Path) -> Result<()> {
    let mut file = File::create(path).await.map_err(|e| disk(path, e))?;
    stored.copy(item, &part(&pointer.oid), &mut file).await?;
    file.flush().await.map_err(|e| disk(path, e))?;
    let mut file = File::open(path).await.map_err(|e| disk(path, e))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).await.map_err(|e| disk(path, e))? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    if hex::encode(hash.finalize()) == pointer.oid {
        return Ok(());
    }
    Err(Error::storage(format!(
        "LFS object {} in the snapshot has another hash",
        pointer.oid
    )))
}
