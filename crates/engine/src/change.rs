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
    #[serde(rename = "c")]
    pub crawl: u16,
    /// How many bytes of the key are the item's folder.
    #[serde(rename = "i")]
    pub item: u16,
    #[serde(rename = "o")]
    pub op: Op,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// The item is there; its name and time as the service says.
    #[serde(rename = "u")]
    Upsert {
        name: String,
        modified: Option<Timestamp>,
    },
    #[serde(rename = "d")]
    Delete,
    /// The file's content, already in the repository, and how many lines it has (0 where nobody counts them).
    #[serde(rename = "p")]
    Put {
        blobs: Vec<BlobId>,
        size: u64,
        lines: u64,
    },
    /// Lines for the end of the file; they follow the record's JSON after a newline.
    #[serde(rename = "a")]
    Append,
    #[serde(rename = "r")]
    Remove,
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
        let mut bytes = serde_json::to_vec(self).map_err(|_| broken())?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The change and what follows it.
    pub(crate) fn decode(payload: &[u8]) -> Result<(Self, &[u8])> {
        let end = payload
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or_else(broken)?;
        let change = serde_json::from_slice(&payload[..end]).map_err(|_| broken())?;
        Ok((change, &payload[end + 1..]))
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
