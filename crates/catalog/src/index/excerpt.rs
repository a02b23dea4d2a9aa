//! The place in a text where a query was found.

use std::ops::Range;

use super::query::Query;
use super::words::words;

/// How many bytes are shown before the first hit and in all.
const BEFORE: usize = 60;
const LENGTH: usize = 240;

/// A piece of an excerpt; the pieces together are the excerpt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// It was looked for.
    pub hit: bool,
}

/// What surrounds the first hit; empty when the text has none.
pub(super) fn excerpt(text: &str, query: &Query) -> Vec<Piece> {
    let hits = hits(text, query);
    let Some(first) = hits.first() else {
        return Vec::new();
    };
    let start = word_start(text, first.start.saturating_sub(BEFORE));
    let start = start.min(first.start);
    let end = char_end(text, (start + LENGTH).max(first.end));
    let mut pieces = Vec::new();
    let mut push = |text: String, hit| {
        if !text.is_empty() {
            pieces.push(Piece { text, hit });
        }
    };
    let mut before = if start > 0 { "… " } else { "" }.to_owned();
    let mut at = start;
    for hit in hits.into_iter().take_while(|hit| hit.end <= end) {
        before.push_str(&text[at..hit.start]);
        push(std::mem::take(&mut before), false);
        push(text[hit.clone()].to_owned(), true);
        at = hit.end;
    }
    let cut = if end < text.len() { " …" } else { "" };
    push(format!("{before}{}{cut}", &text[at..end]), false);
    pieces
}

/// Where the words that are looked for stand, in order and without overlap.
fn hits(text: &str, query: &Query) -> Vec<Range<usize>> {
    let words: Vec<_> = words(text).collect();
    let mut hits: Vec<Range<usize>> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if hits.last().is_some_and(|last| word.at.start < last.end) {
            continue;
        }
        let rest = || words[at..].iter().map(|word| word.text.as_str());
        let found = query.all.iter().filter(|term| term.is_at(rest()));
        if let Some(longest) = found.map(|term| term.words.len()).max() {
            hits.push(word.at.start..words[at + longest - 1].at.end);
        }
    }
    hits
}

/// The beginning of the first word from there on, so that none is shown in half.
fn word_start(text: &str, from: usize) -> usize {
    if from == 0 {
        return 0;
    }
    let from = char_end(text, from);
    let space = text[from..].find(char::is_whitespace);
    space.map_or(from, |at| char_end(text, from + at + 1))
}

fn char_end(text: &str, mut at: usize) -> usize {
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, query: &str) -> String {
        let pieces = excerpt(text, &Query::parse(query));
        let mark = |piece: Piece| {
            if piece.hit {
                format!("[{}]", piece.text)
            } else {
                piece.text
            }
        };
        pieces.into_iter().map(mark).collect()
    }

    #[test]
    fn the_first_hit_is_shown_with_what_surrounds_it() {
        assert_eq!(
            shown("The Log-In fails; log in again", "\"log in\" fail*"),
            "The [Log-In] [fails]; [log in] again"
        );
        assert_eq!(shown("nothing here", "else"), "");
        let long = format!("{}needle{}", "hay ".repeat(100), " hay".repeat(100));
        let found = shown(&long, "needle");
        assert!(
            found.starts_with("… hay")
                && found.contains("hay [needle] hay")
                && found.ends_with(" …")
        );
        assert!(found.len() < 300);
    }

    #[test]
    fn no_character_is_cut_in_half() {
        for before in 0..200 {
            let text = format!("{} 処理 {}", "é".repeat(before), "語".repeat(100));
            assert!(shown(&text, "処理").contains("[処理]"));
        }
    }
}
