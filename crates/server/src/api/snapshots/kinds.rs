//! As what stored bytes are given out: told by themselves, never by their name, and never as anything that runs.

use std::collections::BTreeSet;

/// What a browser may do with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Here,
    /// Only as a download.
    Kept,
}

const WEBP: &str = "image/webp";
const IMAGES: [(&[u8], &str); 4] = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
];

/// What is no text and no image.
pub(super) const KEPT_AS: &str = "application/octet-stream";

/// The types that stored bytes are given out as.
pub(super) fn shown_as() -> impl Iterator<Item = &'static str> {
    let images = IMAGES.iter().map(|(_, image)| *image);
    let all = [KEPT_AS, "text/plain", WEBP].into_iter().chain(images);
    all.collect::<BTreeSet<_>>().into_iter()
}

/// The content type of bytes that begin so: images that hold no scripts, text, and everything else.
pub(super) fn shown(head: &[u8]) -> (&'static str, Shown) {
    if let Some((_, image)) = IMAGES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return (image, Shown::Here);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return (WEBP, Shown::Here);
    }
    if is_text(head) {
        return ("text/plain; charset=utf-8", Shown::Here);
    }
    (KEPT_AS, Shown::Kept)
}

fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last letter may be cut in two.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text
        .chars()
        .any(|char| char.is_control() && !"\t\r\n\x0c\x1b".contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_out_as_what_could_run() {
        for (head, expected) in [
            (
                b"<html><script>alert(1)</script>".as_slice(),
                "text/plain; charset=utf-8",
            ),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'>",
                "text/plain; charset=utf-8",
            ),
            (b"<?xml version='1.0'?>", "text/plain; charset=utf-8"),
            (b"%PDF-1.7\n%\xe2\xe3", "application/octet-stream"),
            (b"\0asm", "application/octet-stream"),
            (b"{\"id\": 1}", "text/plain; charset=utf-8"),
            (b"", "text/plain; charset=utf-8"),
            (b"cut in two: \xc3", "text/plain; charset=utf-8"),
            (b"latin: \xe4 b", "application/octet-stream"),
            (b"\x89PNG\r\n\x1a\n<script>", "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"GIF89a<script>", "image/gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\0\0\0\0WAVE", "application/octet-stream"),
        ] {
            assert_eq!(shown(head).0, expected, "{}", String::from_utf8_lossy(head));
        }
    }
}
