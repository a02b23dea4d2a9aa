//! The answer to a request for a pack: acknowledgments, then the pack in side-band frames.

use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncWriteExt as _, BufWriter};

use super::advertisement::Protocol;
use super::pkt::{self, Pkt};
use crate::{Error, Result};

/// Writes the pack of an answer to a file; the answer must end as the protocol says, or it is an error.
pub(super) async fn receive(
    protocol: Protocol,
    answer: &mut (dyn AsyncRead + Send + Unpin),
    to: &Path,
) -> Result<()> {
    let mut file =
        BufWriter::with_capacity(1 << 18, File::create(to).await.map_err(|e| disk(to, e))?);
    let mut buffer = Vec::with_capacity(65_520);
    let mut packing = protocol == Protocol::V0;
    let mut bytes = 0_usize;
    loop {
        let data = match pkt::read(answer, &mut buffer).await? {
            Pkt::Data(data) => data,
            Pkt::Flush if packing => break,
            Pkt::Flush | Pkt::ResponseEnd => {
                return Err(Error::malformed("the answer ends before the pack begins"));
            }
            Pkt::Delimiter => continue,
        };
        match (packing, data) {
            (false, b"packfile\n") => packing = true,
            // Acknowledgments of version 2; sections that we did not ask for do not come.
            (false, _)
            | (true, [] | [b'A', b'C', b'K', b' ', ..] | [b'N', b'A', b'K', ..] | [2, ..]) => {}
            (true, [1, pack @ ..]) => {
                bytes += pack.len();
                file.write_all(pack).await.map_err(|e| disk(to, e))?;
            }
            (true, [3, message @ ..]) => return Err(pkt::refused(message)),
            (true, other) => {
                return Err(Error::malformed(format!(
                    "the answer holds a line that is none of its protocol: {}",
                    super::refname::shown(other)
                )));
            }
        }
    }
    file.flush().await.map_err(|e| disk(to, e))?;
    if bytes == 0 {
        return Err(Error::malformed("the answer holds no pack"));
    }
    Ok(())
}

/// Whether the server refused because a wanted tip had moved between listing and fetching.
pub(super) fn is_moved(error: &Error) -> bool {
    error.message.contains("not our ref")
        || error.message.contains("no such ref")
        || error.message.contains("unadvertised object")
}

/// Our own disk is at fault.
pub(super) fn disk(path: &Path, error: std::io::Error) -> Error {
    let code = if error.kind() == std::io::ErrorKind::StorageFull {
        "disk-full"
    } else {
        "repository-damaged"
    };
    Error::new(
        model::Class::Storage,
        code,
        format!("{}: {error}", path.display()),
    )
    .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn received(protocol: Protocol, answer: &[u8]) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("pack");
        receive(protocol, &mut &*answer, &to).await?;
        Ok(std::fs::read(to).unwrap())
    }

    #[tokio::test]
    async fn data_of_band_1_is_the_pack_and_band_2_is_not() {
        let answer = b"0008NAK\n0008\x01abc000d\x02progress0006\x01d0000";
        assert_eq!(received(Protocol::V0, answer).await.unwrap(), b"abcd");
    }

    #[tokio::test]
    async fn acknowledgments_may_precede_the_pack() {
        let answer = b"0038ACK 1111111111111111111111111111111111111111 common\n0031ACK 1111111111111111111111111111111111111111\n0006\x01x0000";
        assert_eq!(received(Protocol::V0, answer).await.unwrap(), b"x");
    }

    #[tokio::test]
    async fn version_2_answers_have_a_packfile_section() {
        assert_eq!(
            received(Protocol::V2, b"000dpackfile\n0006\x01x0000")
                .await
                .unwrap(),
            b"x"
        );
        assert!(received(Protocol::V2, b"0006\x01x0000").await.is_err());
    }

    #[tokio::test]
    async fn errors_of_the_server_keep_its_words() {
        for answer in [
            &b"0017\x03not our ref deadbeef"[..],
            b"001aERR upload-pack: broken",
        ] {
            let error = received(Protocol::V0, answer).await.unwrap_err();
            assert_eq!(error.code, "git-refused");
        }
    }

    #[tokio::test]
    async fn an_answer_without_its_final_flush_was_cut_short() {
        assert_eq!(
            received(Protocol::V0, b"0008NAK\n0006\x01x")
                .await
                .unwrap_err()
                .code,
            "answer-cut-short"
        );
    }

    #[tokio::test]
    async fn an_answer_that_is_not_the_protocol_is_an_error() {
        for answer in [&b"<html>"[..], b"0008NAK\n0000", b"0009hello0000"] {
            assert_eq!(
                received(Protocol::V0, answer).await.unwrap_err().code,
                "answer-not-understood",
                "{answer:?}"
            );
        }
    }
}
