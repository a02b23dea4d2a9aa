//! Getting objects: streamed into the sink, and only kept when their hash is their name.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::StreamExt as _;
use model::{Class, ItemRef};
use reqwest::Method;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, ReadBuf};

use super::super::Remote;
use super::batch::{Actions, Operation, ask, refused};
use super::{Pointer, part};
use crate::{Error, Result, Sink};

const AT_ONCE: usize = 4;

/// Streams objects into the item's parts; gives those that could not be had, with the reason of each.
pub(crate) async fn download<'a>(
    remote: &Remote,
    item: &ItemRef,
    sink: &dyn Sink,
    pointers: &'a [Pointer],
) -> Result<Vec<(&'a Pointer, Error)>> {
    let told = match ask(remote, Operation::Download, pointers).await {
        Ok(told) => told,
        Err(error) if ends_all(&error) => return Err(error),
        Err(error) => {
            return Ok(pointers
                .iter()
                .map(|pointer| (pointer, again(&error)))
                .collect());
        }
    };
    let one = |(pointer, answer): (&'a Pointer, Result<Actions>)| async move {
        let result = match answer {
            Ok(actions) => fetch(remote, item, sink, pointer, actions).await,
            Err(error) => Err(error),
        };
        (pointer, result)
    };
    let mut failed = Vec::new();
    // Collected first: a lazy closure over borrowed pairs is not general enough for the futures of kinds.
    let downloads: Vec<_> = told.into_iter().map(one).collect();
    let mut results = futures::stream::iter(downloads).buffer_unordered(AT_ONCE);
    while let Some((pointer, result)) = results.next().await {
        match result {
            Ok(()) => {}
            Err(error) if ends_all(&error) => return Err(error),
            Err(error) => failed.push((pointer, error)),
        }
    }
    Ok(failed)
}

fn ends_all(error: &Error) -> bool {
    error.is_fatal() || error.class == Class::Throttled
}

/// An error about a whole batch, for each of its objects.
fn again(error: &Error) -> Error {
    Error::new(error.class, error.code, error.message.clone())
}

async fn fetch(
    remote: &Remote,
    item: &ItemRef,
    sink: &dyn Sink,
    pointer: &Pointer,
    actions: Actions,
) -> Result<()> {
    let Some(action) = actions.download else {
        return Err(refused(&pointer.oid, 404, "it gives no way to download it"));
    };
    let body = action
        .call(remote, Method::GET)?
        .expect(&[200])
        .open()
        .await?;
    let mut checked = Checked::new(body, pointer);
    match sink.stream(item, &part(&pointer.oid), &mut checked).await {
        Ok(_) if checked.proved => Ok(()),
        Ok(_) => Err(Error::storage(format!(
            "LFS object {}: it was not read to its end",
            pointer.oid
        ))),
        Err(error) => Err(checked.failure.unwrap_or(error)),
    }
}

/// Ends well only when size and hash are those of the pointer.
struct Checked<'a, R> {
    inner: R,
    pointer: &'a Pointer,
    hash: Sha256,
    bytes: u64,
    proved: bool,
    /// What was wrong with the content; the sink's own error may hide it.
    failure: Option<Error>,
}

impl<'a, R> Checked<'a, R> {
    fn new(inner: R, pointer: &'a Pointer) -> Self {
        Self {
            inner,
            pointer,
            hash: Sha256::new(),
            bytes: 0,
            proved: false,
            failure: None,
        }
    }

    fn wrong(&self, why: &str) -> Error {
        Error::new(
            Class::Malformed,
            "lfs-object-missing",
            format!("LFS object {}: {why}", self.pointer.oid),
        )
    }

    /// Keeps the error, and gives the reader's caller another.
    fn fail(&mut self, error: Error) -> Poll<io::Result<()>> {
        let shown = io::Error::new(io::ErrorKind::InvalidData, error.message.clone());
        self.failure = Some(error);
        Poll::Ready(Err(shown))
    }

    fn end(&mut self) -> Poll<io::Result<()>> {
        if self.bytes != self.pointer.size {
            let error = self.wrong(&format!(
                "{} bytes came and not {}",
                self.bytes, self.pointer.size
            ));
            return self.fail(error);
        }
        if hex::encode(self.hash.clone().finalize()) != self.pointer.oid {
            let error = self.wrong("its content has another hash");
            return self.fail(error);
        }
        self.proved = true;
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Checked<'_, R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match ready!(Pin::new(&mut self.inner).poll_read(cx, buf)) {
            Err(error) => {
                let error = super::super::pkt::broken(error);
                return self.fail(error);
            }
            Ok(()) if buf.filled().len() == before => return self.end(),
            Ok(()) => {}
        }
        let new = &buf.filled()[before..];
        self.hash.update(new);
        self.bytes += new.len() as u64;
        if self.bytes > self.pointer.size {
            // A failed read must not have read.
            buf.set_filled(before);
            let error = self.wrong(&format!("more than {} bytes came", self.pointer.size));
            return self.fail(error);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    async fn read(content: &[u8], oid: &[u8], size: u64) -> Result<Vec<u8>, Option<Error>> {
        let pointer = Pointer {
            oid: hex::encode(Sha256::digest(oid)),
            size,
        };
        let mut checked = Checked::new(content, &pointer);
        let mut out = Vec::new();
        match checked.read_to_end(&mut out).await {
            Ok(_) => Ok(out),
            Err(_) => Err(checked.failure),
        }
    }

    #[tokio::test]
    async fn only_the_content_that_the_pointer_names_ends_well() {
        assert_eq!(read(b"content", b"content", 7).await.unwrap(), b"content");
        for (content, size) in [
            (&b"contend"[..], 7),
            (b"content", 8),
            (b"content", 6),
            (b"", 7),
        ] {
            assert_eq!(
                read(content, b"content", size)
                    .await
                    .unwrap_err()
                    .unwrap()
                    .code,
                "lfs-object-missing",
                "{size}"
            );
        }
    }
}
