//! Answers that are read piece by piece.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures::{Stream, StreamExt as _};
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use tokio::io::{AsyncRead, ReadBuf};

use super::answer::cut_short;
use super::usage::Counter;
use crate::{Error, Result};

/// The answer to [`super::Call::open`]. Reading fails, and does not just end, when the body is cut short; [`Error::from_read`] gets our error back.
pub struct Body {
    pub status: u16,
    pub headers: HeaderMap,
    /// In bytes, when the service announced it and did not compress.
    pub length: Option<u64>,
    stream: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Sync>>,
    pending: Bytes,
    counter: Arc<Counter>,
    label: String,
}

impl Body {
    pub(crate) fn new(response: reqwest::Response, counter: Arc<Counter>, label: String) -> Self {
        let headers = response.headers().clone();
        let rate = Arc::clone(&counter.rate);
        Self {
            status: response.status().as_u16(),
            length: headers
                .get(CONTENT_LENGTH)
                .and_then(|value| value.to_str().ok()?.parse().ok()),
            headers,
            stream: Box::pin(response.bytes_stream().then(move |piece| {
                let rate = Arc::clone(&rate);
                async move {
                    if let Ok(bytes) = &piece {
                        rate.take(bytes.len()).await;
                    }
                    piece
                }
            })),
            pending: Bytes::new(),
            counter,
            label,
        }
    }

    /// The next piece as it came from the network, `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        if self.pending.has_remaining() {
            return Ok(Some(std::mem::take(&mut self.pending)));
        }
        match self.stream.next().await {
            None => Ok(None),
            Some(Ok(bytes)) => {
                self.counter.received(&bytes);
                Ok(Some(bytes))
            }
            Some(Err(error)) => Err(self.broken(error)),
        }
    }

    /// The first piece; it is still read later.
    pub(crate) async fn peek(&mut self) -> Result<&[u8]> {
        if let Some(bytes) = self.chunk().await? {
            self.pending = bytes;
        }
        Ok(&self.pending)
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        let why = if error.is_timeout() {
            "no byte came for too long"
        } else {
            "the connection closed"
        };
        cut_short(&self.label, why)
            .with_status(self.status)
            .caused_by(error.without_url())
    }
}

impl AsyncRead for Body {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.pending.has_remaining() {
            match ready!(self.stream.as_mut().poll_next(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Ok(bytes)) => {
                    self.counter.received(&bytes);
                    self.pending = bytes;
                }
                Some(Err(error)) => {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        self.broken(error),
                    )));
                }
            }
        }
        let length = buf.remaining().min(self.pending.len());
        buf.put_slice(&self.pending[..length]);
        self.pending.advance(length);
        Poll::Ready(Ok(()))
    }
}
