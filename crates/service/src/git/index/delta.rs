//! Deltas: an object told as copies from another one and new bytes (gitformat-pack).

/// Makes the object that `delta` tells from `base`; `None` when it makes no sense. An object larger than `limit` is one of them.
pub(super) fn apply(base: &[u8], delta: &[u8], limit: u64, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() as u64 {
        return None;
    }
    let target = usize::try_from(size(&mut rest)?)
        .ok()
        .filter(|size| *size as u64 <= limit)?;
    out.clear();
    out.try_reserve_exact(target).ok()?;
    while let Some((&command, more)) = rest.split_first() {
        rest = more;
        let piece = if command & 0x80 != 0 {
            let start = number(command, 4, &mut rest)?;
            let length = match number(command >> 4, 3, &mut rest)? {
                0 => 0x1_0000,
                length => length,
            };
            base.get(start..start.checked_add(length)?)?
        } else {
            // 0 is reserved.
            let (piece, more) = rest
                .split_at_checked(usize::from(command))
                .filter(|(piece, _)| !piece.is_empty())?;
            rest = more;
            piece
        };
        if piece.len() > target - out.len() {
            return None;
        }
        out.extend_from_slice(piece);
    }
    (out.len() == target).then_some(())
}

/// The size of the result, of a delta whose first bytes are at hand.
pub(super) fn result_size(delta: &[u8]) -> Option<u64> {
    let mut rest = delta;
    size(&mut rest)?;
    size(&mut rest)
}

/// Seven bits a byte, lowest first.
fn size(rest: &mut &[u8]) -> Option<u64> {
    let mut size = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, more) = rest.split_first()?;
        *rest = more;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
    None
}

/// The bytes, lowest first, that the lowest bits of `present` announce; the others are 0.
fn number(present: u8, bytes: u32, rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for at in 0..bytes {
        if present >> at & 1 == 1 {
            let (&byte, more) = rest.split_first()?;
            *rest = more;
            number |= usize::from(byte) << (8 * at);
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![1, 2, 3];
        apply(base, delta, 1 << 20, &mut out).map(|()| out)
    }

    #[test]
    fn copies_and_new_bytes_make_the_object() {
        assert_eq!(
            applied(b"0123456789", b"\x0a\x07\x91\x03\x03\x02ab\x90\x02").unwrap(),
            b"345ab01"
        );
        assert_eq!(applied(b"", b"\x00\x00").unwrap(), b"");
        let base = vec![7; 0x1_0000];
        assert_eq!(
            applied(&base, b"\x80\x80\x04\x80\x80\x04\x80").unwrap(),
            base,
            "length 0 means 65,536"
        );
    }

    #[test]
    fn deltas_that_make_no_sense_are_refused() {
        let base = b"0123456789";
        for delta in [
            &b""[..],
            b"\x0a",
            b"\x09\x01\x90\x01",
            b"\x0a\x02\x90\x01",
            b"\x0a\x01\x90\x02",
            b"\x0a\x02\x91\x09\x02",
            b"\x0a\x01\x00",
            b"\x0a\x02\x02a",
            b"\x0a\x01\x91",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x0a\xff\xff\xff\x7f\x01a",
        ] {
            assert_eq!(applied(base, delta), None, "{delta:?}");
        }
    }
}
