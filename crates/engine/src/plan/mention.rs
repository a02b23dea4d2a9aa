//! Which container a document says that it belongs to, for kinds whose items lie outside of their containers.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};

/// All texts, in lower case, of members whose name contains `word` (`System.TeamProject` for `project`) and of objects below them; empty for what is not
/// JSON.
pub(crate) fn mentioned(document: &[u8], word: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut json = serde_json::Deserializer::from_slice(document);
    match json.deserialize_any(Search {
        word,
        matching: false,
        found: &mut found,
    }) {
        Ok(()) => found,
        Err(_) => HashSet::new(),
    }
}

struct Search<'a> {
    word: &'a str,
    /// The member's name contains the word.
    matching: bool,
    found: &'a mut HashSet<String>,
}

impl<'de> de::DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if self.matching {
            self.found.insert(text.to_lowercase());
        }
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        if self.matching {
            self.found.insert(number.to_string());
        }
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list
            .next_element_seed(Search {
                word: self.word,
                matching: false,
                found: &mut *self.found,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let matching = self.matching || name.to_lowercase().contains(self.word);
            map.next_value_seed(Search {
                word: self.word,
                matching,
                found: &mut *self.found,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_members_named_after_the_container_count() {
        let document = br#"{"id":7,"fields":{"System.TeamProject":"Contoso","System.Title":"Fabrikam"},"relations":[{"url":"x","projectId":"P-1"}],"project":{"id":"p2"}}"#;
        assert_eq!(
            mentioned(document, "project"),
            HashSet::from(["contoso".to_owned(), "p-1".to_owned(), "p2".to_owned()])
        );
    }

    #[test]
    fn what_is_not_json_mentions_nothing() {
        assert!(mentioned(b"{\"project\":\"a\"", "project").is_empty());
    }
}
