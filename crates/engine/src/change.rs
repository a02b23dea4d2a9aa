//! What a crawl said, as records of the spool: one for each file, sorted by the file's path.
//!
//! A key is the path with `\0` for `/`, so that the order of bytes is the order of names, directory by directory. The record of an item as a
//! whole has an empty last name and comes before those of its files.

use jiff::Timestamp;
use repository::BlobId;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One change, with the crawl that made it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Change {
    /// Index into the crawls of the run: those that failed are left out when the spool is read.
    pub crawl: u16,
    /// How many bytes of the key are the item's folder.
    pub item: u16,
    /// After which position of its crawl it came: a killed run goes on from one, and what came later is sent again.
    pub epoch: u32,
    pub op: Op,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// The item is there; its name and time as the service says.
    Upsert {
        name: String,
        /// What its document says of its project.
        project: String,
        #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
        modified: Option<Timestamp>,
    },
    Delete,
    /// The file's content, already in the repository, how many lines it has (0 where nobody counts them), and what can be searched of it.
    Put {
        blobs: Vec<BlobId>,
        size: u64,
        lines: u64,
        text: String,
    },
    /// Lines for the end of the file; they follow the record.
    Append,
    Remove,
    /// The item is there, and nothing changes. Only a run that goes on from a checkpoint needs to know.
    Keep,
    /// Everything of the item is there; of use for the same alone.
    Done,
}

/// The key of a file (or with an empty part, of the item) in the spool.
pub(crate) fn key(item: &str, part: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(item.len() + 1 + part.len());
    key.extend(
        item.bytes()
            .chain(*b"/")
            .chain(part.bytes())
            .map(|byte| if byte == b'/' { 0 } else { byte }),
    );
    key
}

/// The path of a key.
pub(crate) fn path(key: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(key).map_err(|_| broken())?;
    Ok(text.trim_end_matches('\0').replace('\0', "/"))
}

impl Change {
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        postcard::to_stdvec(self).map_err(|_| broken())
    }

    /// The change and what follows it.
    pub(crate) fn decode(payload: &[u8]) -> Result<(Self, &[u8])> {
        postcard::take_from_bytes(payload).map_err(|_| broken())
    }
}

fn broken() -> Error {
    Error::io("cannot read the spool")(std::io::Error::other("a record does not make sense"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_names_directory_by_directory() {
        let mut keys = [
            key("a", "x"),
            key("a.json", "x"),
            key("a", ""),
            key("a/b", "y"),
            key("a", "bb"),
        ];
        keys.sort();
        let paths: Vec<String> = keys.iter().map(|key| path(key).unwrap()).collect();
        assert_eq!(paths, ["a", "a/b/y", "a/bb", "a/x", "a.json/x"]);
    }
}
