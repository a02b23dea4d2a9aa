//! Pkt-lines: the frames of git's wire protocol (gitprotocol-common).

use std::io::ErrorKind;

use model::Class;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::{Error, Result};

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pkt<'a> {
    Data(&'a [u8]),
    Flush,
    Delimiter,
    ResponseEnd,
}

impl<'a> Pkt<'a> {
    /// The payload as a line without its newline, or `None` for the frames without one.
    pub(super) fn line(&self) -> Option<&'a [u8]> {
        match self {
            Self::Data(data) => Some(data.strip_suffix(b"\n").unwrap_or(data)),
            Self::Flush | Self::Delimiter | Self::ResponseEnd => None,
        }
    }
}

pub(super) const FLUSH: &[u8] = b"0000";
pub(super) const DELIMITER: &[u8] = b"0001";

/// Appends one frame; lines of requests are far below the limit of 65,516 bytes.
pub(super) fn push(out: &mut Vec<u8>, payload: &str) {
    debug_assert!(payload.len() <= 65_516);
    out.extend_from_slice(format!("{:04x}", payload.len() + 4).as_bytes());
    out.extend_from_slice(payload.as_bytes());
}

/// What the four hexadecimal digits announce: a special frame, or the length of the payload.
fn announced(header: [u8; 4]) -> Result<Result<usize, Pkt<'static>>> {
    let length = std::str::from_utf8(&header)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    match length.and_then(|text| usize::from_str_radix(text, 16).ok()) {
        Some(0) => Ok(Err(Pkt::Flush)),
        Some(1) => Ok(Err(Pkt::Delimiter)),
        Some(2) => Ok(Err(Pkt::ResponseEnd)),
        Some(length) if (4..=65_520).contains(&length) => Ok(Ok(length - 4)),
        _ => Err(Error::malformed(format!(
            "the answer is not git's protocol: {:?} where a length belongs",
            String::from_utf8_lossy(&header)
        ))),
    }
}

/// The frames of a whole answer; after an error it ends.
pub(super) struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Frames<'a> {
    pub(super) fn new(answer: &'a [u8]) -> Self {
        Self { rest: answer }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or_else(cut_short)?;
        self.rest = rest;
        Ok(head)
    }

    fn frame(&mut self) -> Result<Pkt<'a>> {
        let head = self.take(4)?;
        match announced([head[0], head[1], head[2], head[3]])? {
            Ok(length) => refusal(Pkt::Data(self.take(length)?)),
            Err(special) => Ok(special),
        }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Pkt<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = self.frame();
        if frame.is_err() {
            self.rest = &[];
        }
        Some(frame)
    }
}

/// The next frame of a stream, its payload in `buffer`; the end of the stream is an error, since answers end with a flush.
pub(super) async fn read<'b>(
    from: &mut (dyn AsyncRead + Send + Unpin),
    buffer: &'b mut Vec<u8>,
) -> Result<Pkt<'b>> {
    let mut header = [0; 4];
    from.read_exact(&mut header).await.map_err(broken)?;
    match announced(header)? {
        Ok(length) => {
            buffer.resize(length, 0);
            from.read_exact(buffer).await.map_err(broken)?;
            refusal(Pkt::Data(buffer))
        }
        Err(special) => Ok(special),
    }
}

/// `ERR` may stand in place of any line.
fn refusal(frame: Pkt<'_>) -> Result<Pkt<'_>> {
    match frame.line().and_then(|line| line.strip_prefix(b"ERR ")) {
        Some(message) => Err(refused(message)),
        None => Ok(frame),
    }
}

/// The server gave up, with its own words.
pub(super) fn refused(message: &[u8]) -> Error {
    let message = String::from_utf8_lossy(message);
    let message: String = message
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(500)
        .collect();
    Error::new(
        Class::Malformed,
        "git-refused",
        format!("the server answered: {message}"),
    )
}

pub(super) fn cut_short() -> Error {
    Error::new(
        Class::Malformed,
        "answer-cut-short",
        "the answer ended early",
    )
}

/// The error that a body carried, or that it ended early.
pub(super) fn broken(error: std::io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => cut_short(),
        Err(error) => Error::new(
            Class::Malformed,
            "answer-cut-short",
            format!("the answer broke off: {error}"),
        )
        .caused_by(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_an_answer_come_in_order() {
        let frames: Result<Vec<_>> = Frames::new(b"0006a\n0000000100020004").collect();
        assert_eq!(
            frames.unwrap(),
            [
                Pkt::Data(b"a\n"),
                Pkt::Flush,
                Pkt::Delimiter,
                Pkt::ResponseEnd,
                Pkt::Data(b"")
            ]
        );
    }

    #[test]
    fn what_is_not_a_frame_is_an_error_and_the_end() {
        for (answer, code) in [
            (&b"<htm"[..], "answer-not-understood"),
            (b"0003", "answer-not-understood"),
            (b"+00a", "answer-not-understood"),
            (b"000aab", "answer-cut-short"),
            (b"00", "answer-cut-short"),
        ] {
            let frames: Vec<_> = Frames::new(answer).collect();
            assert_eq!(frames.len(), 1, "{answer:?}");
            assert_eq!(frames[0].as_ref().unwrap_err().code, code, "{answer:?}");
        }
    }

    #[test]
    fn an_err_line_is_the_servers_refusal() {
        let error = Frames::new(b"0014ERR not our\x07ref\n")
            .next()
            .unwrap()
            .unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            ("git-refused", "the server answered: not our ref")
        );
    }

    #[tokio::test]
    async fn a_stream_that_ends_within_a_frame_was_cut_short() {
        for answer in [&b""[..], b"00", b"0008ab"] {
            assert_eq!(
                read(&mut &*answer, &mut Vec::new()).await.unwrap_err().code,
                "answer-cut-short"
            );
        }
    }
}
