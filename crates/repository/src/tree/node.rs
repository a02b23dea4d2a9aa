//! Nodes: the entries of a directory.

use std::fmt;

use jiff::Timestamp;
use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{json, name};
use crate::{BlobId, Id, TreeId};

/// Go's bit for directories in a file mode.
const GO_DIR: u32 = 1 << 31;

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeType {
    File,
    Dir,
    Symlink,
    /// `dev`, `chardev`, `fifo`, `socket`, or what a later restic invents.
    Other(String),
}

impl NodeType {
    pub fn as_str(&self) -> &str {
        match self {
            Self::File => "file",
            Self::Dir => "dir",
            Self::Symlink => "symlink",
            Self::Other(name) => name,
        }
    }

    fn from_text(text: &str) -> Self {
        match text {
            "file" => Self::File,
            "dir" => Self::Dir,
            "symlink" => Self::Symlink,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// An entry of a directory, in restic's terms.
#[derive(Clone, Debug)]
pub struct Node {
    /// Names that are not UTF-8 show replacement characters here; the editor copies them unharmed.
    pub name: String,
    pub node_type: NodeType,
    /// Go's `os.FileMode`: the permissions, and bit 31 for directories.
    pub mode: u32,
    pub mtime: Timestamp,
    pub atime: Timestamp,
    pub ctime: Timestamp,
    pub uid: u32,
    pub gid: u32,
    pub user: Option<String>,
    pub group: Option<String>,
    pub size: u64,
    pub links: u64,
    /// Of symlinks.
    pub link_target: Option<String>,
    /// Of files: the blobs in order, none for an empty file. `None` for everything else.
    pub content: Option<Vec<BlobId>>,
    /// Of directories.
    pub subtree: Option<TreeId>,
    /// All other members, verbatim.
    pub extra: Vec<(String, Box<RawValue>)>,
}

/// A directory.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

impl Node {
    /// A file that only its owner may read.
    pub fn file(name: impl Into<String>, content: crate::FileContent, mtime: Timestamp) -> Self {
        let empty = Self::empty(name.into(), NodeType::File, 0o600, mtime);
        Self {
            size: content.size,
            content: Some(content.blobs),
            ..empty
        }
    }

    /// A directory; the editor fills in its subtree unless it is set.
    pub fn dir(name: impl Into<String>, mtime: Timestamp) -> Self {
        Self::empty(name.into(), NodeType::Dir, GO_DIR | 0o700, mtime)
    }

    fn empty(name: String, node_type: NodeType, mode: u32, mtime: Timestamp) -> Self {
        Self {
            name,
            node_type,
            mode,
            mtime,
            atime: mtime,
            ctime: mtime,
            uid: 0,
            gid: 0,
            user: None,
            group: None,
            size: 0,
            links: 0,
            link_target: None,
            content: None,
            subtree: None,
            extra: Vec::new(),
        }
    }

    pub fn is_dir(&self) -> bool {
        self.node_type == NodeType::Dir
    }

    pub fn is_file(&self) -> bool {
        self.node_type == NodeType::File
    }

    /// Appends the bytes that restic would write for this node.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"name\":");
        name::write_json(&self.name, out);
        json::write_text("type", self.node_type.as_str(), out);
        write_nonzero("mode", u64::from(self.mode), out);
        json::write_time("mtime", self.mtime, out);
        json::write_time("atime", self.atime, out);
        json::write_time("ctime", self.ctime, out);
        json::write_number("uid", u64::from(self.uid), out);
        json::write_number("gid", u64::from(self.gid), out);
        write_present("user", self.user.as_deref(), out);
        write_present("group", self.group.as_deref(), out);
        self.write_extra(&["inode", "device_id"], out);
        write_nonzero("size", self.size, out);
        write_nonzero("links", self.links, out);
        write_present("linktarget", self.link_target.as_deref(), out);
        self.write_extra(
            &[
                "linktarget_raw",
                "extended_attributes",
                "generic_attributes",
                "device",
            ],
            out,
        );
        self.write_content(out);
        self.write_extra(&["error"], out);
        for (key, value) in self
            .extra
            .iter()
            .filter(|(key, _)| !PLACED.contains(&key.as_str()))
        {
            write_raw(key, value, out);
        }
        out.push(b'}');
    }

    fn write_content(&self, out: &mut Vec<u8>) {
        json::write_member("content", out);
        match &self.content {
            None => out.extend_from_slice(b"null"),
            Some(blobs) => {
                out.push(b'[');
                for (number, blob) in blobs.iter().enumerate() {
                    out.extend_from_slice(if number == 0 { b"\"" } else { b",\"" });
                    blob.write_hex(out);
                    out.push(b'"');
                }
                out.push(b']');
            }
        }
        if let Some(subtree) = &self.subtree {
            json::write_member("subtree", out);
            out.push(b'"');
            subtree.write_hex(out);
            out.push(b'"');
        }
    }

    fn write_extra(&self, keys: &[&str], out: &mut Vec<u8>) {
        for wanted in keys {
            for (key, value) in self.extra.iter().filter(|(key, _)| key == wanted) {
                write_raw(key, value, out);
            }
        }
    }
}

/// Members without a field of ours that have their place in restic's order.
const PLACED: [&str; 7] = [
    "inode",
    "device_id",
    "linktarget_raw",
    "extended_attributes",
    "generic_attributes",
    "device",
    "error",
];

fn write_raw(key: &str, value: &RawValue, out: &mut Vec<u8>) {
    json::write_member(key, out);
    out.extend_from_slice(value.get().as_bytes());
}

fn write_nonzero(key: &str, number: u64, out: &mut Vec<u8>) {
    if number != 0 {
        json::write_number(key, number, out);
    }
}

fn write_present(key: &str, text: Option<&str>, out: &mut Vec<u8>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        json::write_text(key, text, out);
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> de::Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node of a tree")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut node = Node::empty(
            String::new(),
            NodeType::Other(String::new()),
            0,
            Timestamp::UNIX_EPOCH,
        );
        let mut named = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => {
                    let quoted: String = map.next_value()?;
                    let bytes = name::unquote(&quoted)
                        .ok_or_else(|| de::Error::custom("a name is not quoted as Go does"))?;
                    node.name = String::from_utf8_lossy(&bytes).into_owned();
                    named = true;
                }
                "type" => node.node_type = NodeType::from_text(&map.next_value::<String>()?),
                "mode" => node.mode = map.next_value()?,
                "mtime" => node.mtime = map.next_value()?,
                "atime" => node.atime = map.next_value()?,
                "ctime" => node.ctime = map.next_value()?,
                "uid" => node.uid = map.next_value()?,
                "gid" => node.gid = map.next_value()?,
                "user" => node.user = map.next_value()?,
                "group" => node.group = map.next_value()?,
                "size" => node.size = map.next_value()?,
                "links" => node.links = map.next_value()?,
                "linktarget" => node.link_target = map.next_value()?,
                "content" => node.content = map.next_value::<Option<Vec<Id>>>()?,
                "subtree" => node.subtree = map.next_value()?,
                _ => node.extra.push((key, map.next_value()?)),
            }
        }
        if named {
            Ok(node)
        } else {
            Err(de::Error::missing_field("name"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by restic 0.14.
    const RESTIC: [&str; 3] = [
        r#"{"name":"a\u003cb\u003e\u0026c","type":"file","mode":420,"mtime":"2026-11-22T02:41:35.86606537Z","atime":"2026-11-22T02:41:35.866Z","ctime":"2026-11-22T02:41:35Z","uid":0,"gid":0,"user":"root","group":"root","inode":10010893,"device_id":65024,"size":2,"links":1,"content":["4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"]}"#,
        r#"{"name":"dir","type":"dir","mode":2147484141,"mtime":"2026-11-22T02:41:35.878065379Z","atime":"2026-11-22T02:41:35.878065379Z","ctime":"2026-11-22T02:41:35.878065379Z","uid":0,"gid":0,"user":"root","group":"root","inode":10010894,"device_id":65024,"content":null,"subtree":"bf12a0fed74c51680f44e4d37e15d5f513a84587ecc47318bb5c988ef41c318a"}"#,
        r#"{"name":"link","type":"symlink","mode":134218239,"mtime":"0000-01-01T00:00:00Z","atime":"2026-11-22T02:41:35.878065379Z","ctime":"2026-11-22T02:41:35.878065379Z","uid":0,"gid":0,"links":1,"linktarget":"f\u003co\u2028o","content":null}"#,
    ];

    #[test]
    fn nodes_are_written_as_restic_writes_them() {
        for text in RESTIC {
            let node: Node = serde_json::from_str(text).unwrap();
            let mut out = Vec::new();
            node.write_json(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn unknown_members_are_kept_byte_for_byte() {
        let text = r#"{"name":"x","type":"file","mtime":"2026-11-22T02:41:35Z","atime":"2026-11-22T02:41:35Z","ctime":"2026-11-22T02:41:35Z","uid":0,"gid":0,"content":[],"later":{"a": 1.50, "b":[]}}"#;
        let node: Node = serde_json::from_str(text).unwrap();
        assert_eq!(node.content, Some(Vec::new()));
        let mut out = Vec::new();
        node.write_json(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn a_new_file_has_the_members_that_restic_expects() {
        let content = crate::FileContent {
            blobs: vec![Id::of(b"x")],
            size: 1,
        };
        let mut out = Vec::new();
        Node::file("x", content, Timestamp::from_second(1).unwrap()).write_json(&mut out);
        let expected = format!(
            r#"{{"name":"x","type":"file","mode":384,"mtime":"1970-01-01T00:00:01Z","atime":"1970-01-01T00:00:01Z","ctime":"1970-01-01T00:00:01Z","uid":0,"gid":0,"size":1,"content":["{}"]}}"#,
            Id::of(b"x")
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
