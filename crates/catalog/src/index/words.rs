//! The words of a text: what both databases index, and what a query asks for, so that they cannot differ in what they find.
//!
//! A word is letters and digits, in lower case and without accents. Scripts that are written without spaces (Chinese, Japanese, Thai …) have a word
//! for each character: any substring is then a phrase.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longer ones, which nobody types, are cut.
const LONGEST: usize = 64;

/// A word and where it stands in the text.
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) at: Range<usize>,
}

pub(crate) fn words(text: &str) -> impl Iterator<Item = Word> + '_ {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = chars.find(|(_, char)| char.is_alphanumeric())?;
            let mut end = start + first.len_utf8();
            let alone = stands_alone(first);
            let goes_on = |&(_, char): &(usize, char)| {
                is_combining_mark(char) || (!alone && char.is_alphanumeric() && !stands_alone(char))
            };
            while let Some((at, char)) = chars.next_if(goes_on) {
                end = at + char.len_utf8();
            }
            let word = fold(&text[start..end]);
            if !word.is_empty() {
                let at = start..end;
                return Some(Word { text: word, at });
            }
        }
    })
}

fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word
            .chars()
            .take(LONGEST)
            .map(|char| char.to_ascii_lowercase())
            .collect();
    }
    let lower = word.chars().take(LONGEST).flat_map(char::to_lowercase);
    // Accents go; marks of scripts in which they are vowels stay.
    lower
        .nfkd()
        .filter(|&char| !('\u{300}'..='\u{36f}').contains(&char))
        .filter(|&char| char.is_alphanumeric() || is_combining_mark(char))
        .collect()
}

fn stands_alone(char: char) -> bool {
    matches!(char,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// The words of a name, with those that it is put together of: `PaymentService` is found by `service` too.
fn name_words(name: &str) -> Vec<String> {
    let mut all = Vec::new();
    for word in words(name) {
        let written = &name[word.at.clone()];
        let mut inner = Vec::new();
        let mut start = 0;
        let mut before = None;
        for (at, char) in written.char_indices() {
            if char.is_uppercase() && before.is_some_and(char::is_lowercase) {
                inner.push(&written[start..at]);
                start = at;
            }
            before = Some(char);
        }
        all.push(word.text);
        if start > 0 {
            inner.push(&written[start..]);
            all.extend(inner.into_iter().map(fold));
        }
    }
    all
}

/// By which an item is found: the words of its name and those of its id.
pub(crate) fn named_words(name: &str, id: &str) -> Vec<String> {
    let mut all = name_words(name);
    all.extend(words(id).map(|word| word.text));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        words(text).map(|word| word.text).collect()
    }

    #[test]
    fn words_are_the_same_however_they_are_written() {
        assert_eq!(
            all("Crème-brûlée, ÉCOLE e\u{301}t\u{e9}"),
            ["creme", "brulee", "ecole", "ete"]
        );
        assert_eq!(
            all("src/Payment_Service.cs?x=1&y"),
            ["src", "payment", "service", "cs", "x", "1", "y"]
        );
        assert_eq!(all("ＡＢＣ １２"), ["abc", "12"]);
        assert_eq!(all("支払い処理 ok"), ["支", "払", "い", "処", "理", "ok"]);
        assert_eq!(all("--- \u{301} …"), Vec::<String>::new());
        assert_eq!(all(&"x".repeat(500)), ["x".repeat(64)]);
    }

    #[test]
    fn a_name_is_found_by_its_humps() {
        assert_eq!(
            name_words("PaymentService v2"),
            ["paymentservice", "payment", "service", "v2"]
        );
        assert_eq!(name_words("ABC"), ["abc"]);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "é支 \u{1F600}Straße";
        let places: Vec<&str> = words(text).map(|word| &text[word.at]).collect();
        assert_eq!(places, ["é", "支", "Straße"]);
    }
}
