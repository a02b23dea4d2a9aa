//! Git's pkt-line framing: four hexadecimal digits of length, then the payload.

/// One frame of a pkt-line stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Data(&'a [u8]),
    /// `0000`, and the other special lengths below 4.
    Flush,
}

/// Takes the first frame off `input`; nothing when the frame is incomplete or malformed.
pub(crate) fn next(input: &[u8]) -> Option<(Frame<'_>, &[u8])> {
    let digits = std::str::from_utf8(input.get(..4)?).ok()?;
    let length = usize::from_str_radix(digits, 16).ok()?;
    if length < 4 {
        return Some((Frame::Flush, &input[4..]));
    }
    Some((Frame::Data(input.get(4..length)?), &input[length..]))
}

/// All frames until the input ends or stops making sense.
pub(crate) fn frames(mut input: &[u8]) -> Vec<Frame<'_>> {
    let mut all = Vec::new();
    while let Some((frame, rest)) = next(input) {
        all.push(frame);
        input = rest;
    }
    all
}

pub(crate) fn data(output: &mut Vec<u8>, payload: &[u8]) {
    output.extend_from_slice(format!("{:04x}", payload.len() + 4).as_bytes());
    output.extend_from_slice(payload);
}

pub(crate) fn flush(output: &mut Vec<u8>) {
    output.extend_from_slice(b"0000");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_a_round_trip() {
        let mut bytes = Vec::new();
        data(&mut bytes, b"want 1\n");
        flush(&mut bytes);
        data(&mut bytes, b"done\n");
        assert_eq!(bytes[..11], *b"000bwant 1\n");
        assert_eq!(
            frames(&bytes),
            [
                Frame::Data(b"want 1\n"),
                Frame::Flush,
                Frame::Data(b"done\n")
            ]
        );
    }

    #[test]
    fn an_incomplete_frame_is_not_taken() {
        assert_eq!(next(b"000bwant"), None);
        assert_eq!(next(b"00"), None);
        assert_eq!(next(b"zzzz"), None);
    }
}
