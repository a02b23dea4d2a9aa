//! Snapshot files: what was backed up, when, and its root tree.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{Id, REPAIRED_TAG, SnapshotId, TreeId};

/// A snapshot file, in restic's order of fields. Members that we do not know are kept in `extra`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// restic writes it with the offset of its time zone; it is read as the moment alone.
    pub time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SnapshotId>,
    pub tree: TreeId,
    /// May be `null` in the file, which reads as empty.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub paths: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_empty"
    )]
    pub tags: Vec<String>,
    /// The snapshot that this one replaces, after a change of tags for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_version: Option<String>,
    /// restic's counts since 0.17, or ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Value>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The tag of every snapshot that Keepward makes; others write into the same repository.
pub const OWN_TAG: &str = "keepward";

impl Snapshot {
    pub fn new(time: Timestamp, tree: TreeId) -> Self {
        Self {
            time,
            parent: None,
            tree,
            paths: Vec::new(),
            hostname: String::new(),
            username: String::new(),
            tags: Vec::new(),
            original: None,
            program_version: None,
            summary: None,
            extra: Map::new(),
        }
    }

    /// Whether it lacks what its original had; see [`REPAIRED_TAG`].
    pub fn is_repaired(&self) -> bool {
        self.tags.iter().any(|tag| tag == REPAIRED_TAG)
    }

    /// Whether Keepward made it.
    pub fn is_own(&self) -> bool {
        self.tags.iter().any(|tag| tag == OWN_TAG)
    }

    /// The snapshot that this one stands for, with all it held: `restic tag` writes a new file and removes the old one.
    pub(crate) fn stands_for(&self) -> Option<(SnapshotId, TreeId)> {
        self.original.map(|original| (original, self.tree))
    }
}

fn null_as_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_survive() {
        let text = r#"{"time":"2026-11-22T02:41:38.538834655+01:00","tree":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","paths":null,"uid":1000,"new":{"a":[1]}}"#;
        let snapshot: Snapshot = serde_json::from_str(text).unwrap();
        assert_eq!(snapshot.time.to_string(), "2026-11-22T01:41:38.538834655Z");
        assert!(snapshot.paths.is_empty());
        let again = serde_json::to_string(&snapshot).unwrap();
        assert!(
            again.ends_with(r#""paths":[],"uid":1000,"new":{"a":[1]}}"#),
            "{again}"
        );
    }
}
