//! What somebody types to narrow a list by name.

use super::{IndexEntry, Query, within};
use crate::lists::Where;

/// Words of a name or an id; where nothing that is typed is a word, the text itself.
pub(super) enum Named {
    Words(Query),
    Text(String),
}

impl Named {
    pub(super) fn parse(text: &str) -> Self {
        let query = Query::of_name(text);
        if query.is_empty() {
            Self::Text(within(text))
        } else {
            Self::Words(query)
        }
    }

    /// Lets those versions `v` through that may have the name; only of ASCII do the databases know upper and lower case.
    pub(super) fn narrow(&self, like: &str, wanted: &mut Where) {
        let query = match self {
            Self::Words(query) => query,
            Self::Text(pattern) => {
                let condition = format!("coalesce(v.folded, v.name) {like} {{}} ESCAPE '\\'");
                return wanted.and(&condition, pattern);
            }
        };
        let foreign = "v.folded IS NOT NULL OR octet_length(v.item) > length(v.item)";
        for word in query.all.iter().flat_map(|term| &term.words) {
            if word.is_ascii() {
                let has = format!("(v.name {like} {{}} OR v.item {like} {{}} OR {foreign})");
                wanted.and(&has, within(word));
            } else {
                wanted.sql.push_str(&[" AND (", foreign, ")"].concat());
            }
        }
    }

    /// Whether what came through has it.
    pub(super) fn has(&self, entry: &IndexEntry) -> bool {
        match self {
            Self::Words(query) => query.is_of(&entry.name, &entry.item.id),
            Self::Text(_) => true,
        }
    }
}
