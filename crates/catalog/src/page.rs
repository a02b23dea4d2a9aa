//! Keyset paging: a page begins after the last row of the page before.

use crate::{Error, Result};

/// Which part of a list to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// [`Listed::next`] of the page before; opaque.
    pub after: Option<String>,
    /// At most this many entries; 0 counts as 1.
    pub limit: u32,
}

impl Page {
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// The page after this one, when there is one.
    pub fn following<T>(&self, listed: &Listed<T>) -> Option<Self> {
        listed.next.clone().map(|after| Self {
            after: Some(after),
            limit: self.limit,
        })
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.max(1) as usize
    }

    /// The parts of the cursor, which [`cursor`] joined.
    pub(crate) fn position<const N: usize>(&self) -> Result<Option<[String; N]>> {
        let Some(after) = &self.after else {
            return Ok(None);
        };
        let parts: Vec<String> = serde_json::from_str(after).map_err(|_| Error::Cursor)?;
        parts.try_into().map(Some).map_err(|_| Error::Cursor)
    }
}

pub(crate) fn cursor(parts: &[&str]) -> String {
    serde_json::json!(parts).to_string()
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// Makes a page from up to `limit + 1` rows: the one too many tells that more follow.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize, cursor: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}
