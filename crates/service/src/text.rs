//! What can be searched of an item: text taken out of its documents by pointers, without markup, up to a bound.
//!
//! It is a function of the stored bytes alone, so that an index that is made again from a repository is the index that was lost.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

mod html;

/// No item gives more text than this many bytes; what is beyond cannot be found.
pub const MOST: usize = 64 << 10;
/// The longest character with the gap before it.
const STEP: usize = 5;

/// What a kind gives to a search beside the names of its items.
#[derive(Clone, Copy, Debug, Default)]
pub struct Searched {
    pub text: &'static [TextOf],
    /// JSON pointer in the document to the name or id of the project that the item belongs to; kinds with a parent have it in their scope.
    pub project: Option<&'static str>,
}

impl Searched {
    /// Found by name and id only.
    pub const NAMES: Self = Self {
        text: &[],
        project: None,
    };
}

/// Text of one file of an item.
#[derive(Clone, Copy, Debug)]
pub struct TextOf {
    /// `None` is the document; a file that ends in `.ndjson` is read record by record.
    pub part: Option<&'static str>,
    /// JSON pointers to texts, through objects; the elements of an array stand for it. HTML and Markdown alike: known tags are left out.
    pub pointers: &'static [&'static str],
}

impl TextOf {
    pub const fn document(pointers: &'static [&'static str]) -> Self {
        Self {
            part: None,
            pointers,
        }
    }

    pub const fn part(part: &'static str, pointers: &'static [&'static str]) -> Self {
        Self {
            part: Some(part),
            pointers,
        }
    }

    /// The text in a file's bytes. What is not JSON has none.
    pub fn of(&self, bytes: &[u8]) -> Text {
        let mut text = Text::default();
        if self.part.is_some_and(|part| part.ends_with(".ndjson")) {
            for line in bytes.split(|&byte| byte == b'\n') {
                if text.is_full() {
                    break;
                }
                text.read(self.pointers, line);
            }
        } else {
            text.read(self.pointers, bytes);
        }
        text
    }
}

/// A text that is being put together: lines, within them single spaces, never more than [`MOST`] bytes.
///
/// Pieces that were cut on their own and are joined then give what cutting the whole gives.
#[derive(Clone, Debug, Default)]
pub struct Text {
    text: String,
    gap: Gap,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
}

impl Text {
    /// Adds another text on a line of its own.
    pub fn join(&mut self, text: &str) {
        self.gap(Gap::Line);
        self.plain(text);
    }

    pub fn into_string(self) -> String {
        self.text
    }

    fn is_full(&self) -> bool {
        self.text.len() + STEP > MOST
    }

    fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn plain(&mut self, text: &str) {
        let mut rest = text;
        while !self.is_full() {
            let room = MOST - STEP - self.text.len();
            let words = words(&rest.as_bytes()[..rest.len().min(room)]);
            if words > 0 {
                self.close_gap();
                self.text.push_str(&rest[..words]);
                rest = &rest[words..];
            }
            let Some(char) = rest.chars().next() else {
                return;
            };
            rest = &rest[char.len_utf8()..];
            if char == '\n' {
                self.gap(Gap::Line);
            } else if char.is_whitespace() || char.is_control() {
                self.gap(Gap::Space);
            } else {
                if self.is_full() {
                    return;
                }
                self.close_gap();
                self.text.push(char);
            }
        }
    }

    /// What stood between what is there and what comes now.
    fn close_gap(&mut self) {
        match self.gap {
            Gap::Space if !self.text.is_empty() => self.text.push(' '),
            Gap::Line if !self.text.is_empty() => self.text.push('\n'),
            Gap::None | Gap::Space | Gap::Line => {}
        }
        self.gap = Gap::None;
    }

    fn read(&mut self, pointers: &[&str], json: &[u8]) {
        let rest = pointers
            .iter()
            .filter_map(|pointer| pointer.strip_prefix('/'));
        let walk = Walk {
            rest: rest.collect(),
            here: false,
            text: self,
        };
        // What came before a mistake counts: nothing better can be said of such a document.
        if let Err(error) = walk.deserialize(&mut serde_json::Deserializer::from_slice(json)) {
            tracing::debug!(%error, "the text of a document");
        }
    }
}

/// How many bytes from the beginning stay as they are: plain words with single spaces between them. Most of a text is that.
fn words(bytes: &[u8]) -> usize {
    let is_word = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_graphic);
    let mut end = 0;
    loop {
        if is_word(end) {
            end += 1;
        } else if end > 0 && bytes.get(end) == Some(&b' ') && is_word(end + 1) {
            end += 2;
        } else {
            return end;
        }
    }
}

/// Goes through a document once, along all pointers.
struct Walk<'p, 't> {
    /// What is left of the pointers that lead through this value, without the slash.
    rest: Vec<&'p str>,
    /// A pointer ends at this value.
    here: bool,
    text: &'t mut Text,
}

impl<'p> Walk<'p, '_> {
    /// The pointers that lead through a member, and whether one ends there.
    fn member(&self, name: &str) -> (Vec<&'p str>, bool) {
        let mut rest = Vec::new();
        let mut here = false;
        for pointer in &self.rest {
            match pointer.split_once('/') {
                Some((first, below)) if first == name => rest.push(below),
                None if *pointer == name => here = true,
                _ => {}
            }
        }
        (rest, here)
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            let (rest, here) = self.member(&name);
            if rest.is_empty() && !here {
                map.next_value::<IgnoredAny>()?;
            } else {
                let text = &mut *self.text;
                map.next_value_seed(Walk { rest, here, text })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            let element = Walk {
                rest: self.rest.clone(),
                here: self.here,
                text: &mut *self.text,
            };
            if seq.next_element_seed(element)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        if self.here && !self.text.is_full() {
            self.text.gap(Gap::Line);
            html::strip(value, self.text);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A member's name, borrowed where it is written without escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(name.into())
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELDS: TextOf = TextOf::document(&["/fields/System.Description", "/tags", "/list/text"]);

    #[test]
    fn text_is_taken_by_pointers_and_nothing_else_is() {
        let document = br#"{"id":7,"fields":{"System.Description":"<div>One <b>tw</b>o</div><p>three&nbsp;&lt;b&gt;</p>","Other":"no"},
            "tags":["red","green"],"list":[{"text":"four","id":"no"},{"text":null},5],"text":"no"}"#;
        assert_eq!(
            FIELDS.of(document).into_string(),
            "One two\nthree <b>\nred\ngreen\nfour"
        );
    }

    #[test]
    fn records_are_read_one_by_one_and_a_broken_one_costs_only_itself() {
        let comments = TextOf::part("comments.ndjson", &["/text"]);
        let bytes = b"{\"text\":\"one\"}\n{\"text\":\"tw\n\n{\"text\":\"three\"}\n";
        assert_eq!(comments.of(bytes).into_string(), "one\nthree");
    }

    #[test]
    fn foreign_documents_never_panic_and_never_give_more_than_the_bound() {
        let deep = format!(r#"{{"tags":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
        let long = format!(r#"{{"tags":"{}"}}"#, "語 ".repeat(MOST));
        for document in [
            "",
            "[]",
            "null",
            "{\"tags\":",
            &deep,
            &long,
            "{\"tags\":{\"a\":1}}",
        ] {
            assert!(FIELDS.of(document.as_bytes()).into_string().len() <= MOST);
        }
        assert_eq!(FIELDS.of(&[0xff, 0xfe]).into_string(), "");
    }

    proptest! {
        /// Cutting pieces and joining them is cutting the whole: what makes rows of a run and rebuilt rows equal.
        #[test]
        fn pieces_join_to_the_whole(pieces in prop::collection::vec(("[a語 \\n]{0,6}", 0usize..30_000), 0..6)) {
            let pieces: Vec<String> = pieces.iter().map(|(text, times)| text.repeat(times / text.len().max(1))).collect();
            let mut whole = Text::default();
            let mut cut = Text::default();
            for piece in &pieces {
                whole.join(piece);
                let mut alone = Text::default();
                alone.join(piece);
                cut.join(&alone.into_string());
            }
            prop_assert_eq!(whole.into_string(), cut.into_string());
        }
    }
}
