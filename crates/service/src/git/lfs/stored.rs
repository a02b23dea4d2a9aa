//! Contents in the snapshot before: they are named by their hash, so that they can be checked without a request.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use model::ItemRef;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWrite;

use super::part;
use crate::{Result, Stored};

/// The SHA-256 of a stored content, which should be `oid`; `None` when it cannot be read back.
pub(crate) async fn hash(stored: &dyn Stored, item: &ItemRef, oid: &str) -> Result<Option<String>> {
    let mut hash = Hash(Sha256::new());
    match stored.copy(item, &part(oid), &mut hash).await {
        Ok(_) => Ok(Some(hex::encode(hash.0.finalize()))),
        Err(error) if error.code == "repository-damaged" => Ok(None),
        Err(error) => Err(error),
    }
}

/// Hashes what is written to it.
struct Hash(Sha256);

impl AsyncWrite for Hash {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.update(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
