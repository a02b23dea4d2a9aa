//! Inputs for fuzz tests: sound ones, changed as bad storage, a cut connection or an attacker would change them. Included by
//! the `fuzz` modules of the crates; see `fuzz/README.md`.

use proptest::prelude::*;
use proptest::sample::Index;

/// Far above what any sound input needs, far below what would hurt.
const MOST_MEMORY_KIB: u64 = 768 << 10;

/// What parsers of lengths, JSON and lines stumble over.
const TOKENS: [&[u8]; 14] = [
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"4294967295",
    b"18446744073709551615",
    b"-1",
    b"1e999",
    b"null",
    b"[[[[[[[[",
    b"{\"\":",
    b"\"\\ud800\"",
    b"0003",
    b"ffff",
    b"\r\n\n",
];

#[derive(Debug, Clone)]
enum Edit {
    Flip(Index, u8),
    Set(Index, u8),
    Token(Index, usize),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    /// A piece of the input again, at another place.
    Copy(Index, Index, Index),
    Cut(Index),
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        4 => (any::<Index>(), 0..TOKENS.len()).prop_map(|(at, token)| Edit::Token(at, token)),
        1 => (any::<Index>(), proptest::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(at, length)| Edit::Remove(at, length)),
        2 => (any::<Index>(), any::<Index>(), any::<Index>()).prop_map(|(from, length, to)| Edit::Copy(from, length, to)),
        1 => any::<Index>().prop_map(Edit::Cut),
    ]
}

fn apply(edit: Edit, bytes: &mut Vec<u8>) {
    let place = |at: Index| at.index(bytes.len() + 1);
    let piece = |from: Index, length: Index| {
        let start = place(from);
        start..start + length.index(bytes.len() - start + 1).min(64)
    };
    match edit {
        Edit::Flip(..) | Edit::Set(..) if bytes.is_empty() => {}
        Edit::Flip(at, bit) => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Edit::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        Edit::Token(at, token) => {
            let start = place(at);
            let end = (start + TOKENS[token].len()).min(bytes.len());
            bytes.splice(start..end, TOKENS[token].iter().copied());
        }
        Edit::Insert(at, new) => {
            let start = place(at);
            bytes.splice(start..start, new);
        }
        Edit::Remove(at, length) => {
            let range = piece(at, length);
            bytes.drain(range);
        }
        Edit::Copy(from, length, to) => {
            let piece = bytes[piece(from, length)].to_vec();
            let start = to.index(bytes.len() + 1);
            bytes.splice(start..start, piece);
        }
        Edit::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
    }
}

/// Mostly one of the seeds with a few edits, sometimes bytes of any kind.
pub(crate) fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edited = (
        proptest::sample::select(seeds),
        proptest::collection::vec(edits(), 0..6),
    );
    let edited = edited.prop_map(|(mut bytes, edits)| {
        for edit in edits {
            apply(edit, &mut bytes);
        }
        bytes
    });
    prop_oneof![12 => edited, 1 => any::<Vec<u8>>()]
}

/// Fails once the process has ever held more memory than a parser may ask for.
pub(crate) fn assert_little_memory() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return;
    };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    assert!(
        peak.is_some_and(|peak| peak < MOST_MEMORY_KIB),
        "{peak:?} KiB"
    );
}
