//! Names inside trees: quoted as Go's `strconv.Quote` does, then escaped as JSON.

use std::borrow::Cow;

use crate::{Error, Result};

/// Refuses what cannot be a single file name.
pub(crate) fn validate(name: &str) -> Result<()> {
    let reason = match name {
        "" => "it is empty",
        "." | ".." => "it means another folder",
        _ if name.contains('/') => "it contains a slash",
        _ if name.contains('\0') => "it contains a NUL character",
        _ => return Ok(()),
    };
    Err(Error::InvalidName {
        name: name.to_owned(),
        reason,
    })
}

/// Appends the name as the JSON string that restic writes, with its quotes.
pub(crate) fn write_json(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    if name.bytes().all(is_plain) {
        out.extend_from_slice(name.as_bytes());
    } else {
        super::json::write_escaped(&quote(name.as_bytes()), out);
    }
    out.push(b'"');
}

/// Neither Go nor JSON escapes it.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
}

/// `strconv.Quote` without its outer quotes. Bytes that are no UTF-8 become `\x..`.
pub(crate) fn quote(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    for chunk in name.utf8_chunks() {
        chunk
            .valid()
            .chars()
            .for_each(|char| quote_char(char, &mut out));
        chunk
            .invalid()
            .iter()
            .for_each(|byte| push_hex('x', u32::from(*byte), 2, &mut out));
    }
    out
}

fn quote_char(char: char, out: &mut String) {
    let letter = match char {
        '"' | '\\' => char,
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0c' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x0b' => 'v',
        _ if is_printable(char) => return out.push(char),
        _ => {
            return match u32::from(char) {
                code @ (..0x20 | 0x7f) => push_hex('x', code, 2, out),
                code @ ..0x10000 => push_hex('u', code, 4, out),
                code => push_hex('U', code, 8, out),
            };
        }
    };
    out.extend(['\\', letter]);
}

/// Appends a backslash, `letter` and the code in `digits` hexadecimal digits.
fn push_hex(letter: char, code: u32, digits: u32, out: &mut String) {
    out.extend(['\\', letter]);
    out.extend(
        (0..digits)
            .rev()
            .filter_map(|digit| char::from_digit(code >> (4 * digit) & 15, 16)),
    );
}

/// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
fn is_printable(char: char) -> bool {
    if char.is_ascii() || char.is_alphanumeric() {
        return !char.is_ascii_control();
    }
    // Behind a letter, `escape_debug` leaves printable characters and all marks alone.
    let mut buffer = *b"a\0\0\0\0";
    let len = 1 + char.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..len]).is_ok_and(|text| text.escape_debug().count() == 2)
}

/// `strconv.Unquote` of the text between the quotes; `None` if Go would refuse it.
pub(crate) fn unquote(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains(['\\', '"', '\n']) {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' | '\n' => return None,
            '\\' => unquote_escape(&mut chars, &mut out)?,
            char => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Some(Cow::Owned(out))
}

fn unquote_escape(chars: &mut std::str::Chars<'_>, out: &mut Vec<u8>) -> Option<()> {
    let byte = match chars.next()? {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        '"' => b'"',
        'x' => u8::try_from(number(chars, 2, 16)?).ok()?,
        first @ '0'..='7' => u8::try_from(first.to_digit(8)? * 64 + number(chars, 2, 8)?).ok()?,
        kind @ ('u' | 'U') => {
            let char = char::from_u32(number(chars, if kind == 'u' { 4 } else { 8 }, 16)?)?;
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        _ => return None,
    };
    out.push(byte);
    Some(())
}

fn number(chars: &mut std::str::Chars<'_>, digits: usize, radix: u32) -> Option<u32> {
    (0..digits).try_fold(0_u32, |value, _| {
        value
            .checked_mul(radix)?
            .checked_add(chars.next()?.to_digit(radix)?)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(name: &str) -> String {
        let mut out = Vec::new();
        write_json(name, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Written by restic 0.14 for files of these names.
    #[test]
    fn names_are_written_as_restic_writes_them() {
        assert_eq!(json("a<b>&c"), r#""a\u003cb\u003e\u0026c""#);
        assert_eq!(json("q\"uo\\te"), r#""q\\\"uo\\\\te""#);
        assert_eq!(
            json("uni\u{e9}\u{2028}x\x01\x7f"),
            r#""unié\\u2028x\\x01\\x7f""#
        );
        assert_eq!(json("\t\r\n\x07\x0b"), r#""\\t\\r\\n\\a\\v""#);
        assert_eq!(
            json("\u{a0}\u{ad}\u{301}日本\u{1f600}\u{e0001}"),
            "\"\\\\u00a0\\\\u00ad\u{301}日本\u{1f600}\\\\U000e0001\""
        );
        assert_eq!(quote(b"x\xffz"), r"x\xffz");
    }

    #[test]
    fn what_go_refuses_to_unquote_is_refused() {
        for text in [r"\", r"\q", r"\x1", r"\400", r"\ud800", "\"", "a\nb", r"\'"] {
            assert_eq!(unquote(text), None, "{text:?}");
        }
        assert_eq!(unquote(r"\101\x41A\U00000041").unwrap().as_ref(), b"AAAA");
    }

    #[test]
    fn names_that_are_paths_are_refused() {
        for name in ["", ".", "..", "a/b", "a\0"] {
            assert!(validate(name).is_err(), "{name:?}");
        }
        assert!(validate("..a").is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_survive_quoting(name in any::<Vec<u8>>()) {
            let quoted = quote(&name);
            prop_assert_eq!(unquote(&quoted).unwrap().into_owned(), name);
        }

        #[test]
        fn any_text_survives_json(name in any::<String>()) {
            let text: String = serde_json::from_str(&json(&name)).unwrap();
            prop_assert_eq!(unquote(&text).unwrap().into_owned(), name.into_bytes());
        }
    }
}
