//! JSON text as Go's encoder writes it.

use std::io::Write as _;

use jiff::Timestamp;

/// Go refuses to write years before 0; restic moves such times to that year.
const YEAR_ZERO: i64 = -62_167_219_200;

/// Appends a string with its quotes.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text, out);
    out.push(b'"');
}

/// Appends the inside of a string; Go escapes `<`, `>`, `&` and two line separators too.
pub(crate) fn write_escaped(text: &str, out: &mut Vec<u8>) {
    for char in text.chars() {
        match char {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(char)).as_bytes());
            }
            _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Appends `,"key":"2006-01-02T15:04:05.999999999Z"`.
pub(crate) fn write_time(key: &str, time: Timestamp, out: &mut Vec<u8>) {
    let floor = Timestamp::from_second(YEAR_ZERO).unwrap_or(Timestamp::UNIX_EPOCH);
    write_member(key, out);
    write!(out, "\"{}\"", time.max(floor)).expect("a Vec takes everything");
}

/// Appends `,"key":123`.
pub(crate) fn write_number(key: &str, number: u64, out: &mut Vec<u8>) {
    write_member(key, out);
    write!(out, "{number}").expect("a Vec takes everything");
}

/// Appends `,"key":"text"`.
pub(crate) fn write_text(key: &str, text: &str, out: &mut Vec<u8>) {
    write_member(key, out);
    write_string(text, out);
}

/// Appends `,"key":`.
pub(crate) fn write_member(key: &str, out: &mut Vec<u8>) {
    out.push(b',');
    write_string(key, out);
    out.push(b':');
}
