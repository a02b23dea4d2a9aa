//! Reads every tree that a snapshot reaches, once.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt as _;

use super::index::Indexed;
use super::{CheckReport, ProblemKind};
use crate::crypto::Cipher;
use crate::fetch::fetch;
use crate::pack::Entry;
use crate::tree::raw::RawTree;
use crate::tree::walk::join;
use crate::tree::{frame, name};
use crate::{
    BlobType, Error, FileKind, Id, Node, NodeType, Repository, Result, Snapshot, SnapshotId, TreeId,
};

/// Trees that are read together: neighbors come in one request, and every core looks at some.
const AT_ONCE: usize = 1024;

/// A tree still to read, with the path that led to it first.
struct Waiting {
    id: TreeId,
    path: String,
    snapshot: SnapshotId,
}

impl Waiting {
    fn subject(&self) -> String {
        let Self { id, path, snapshot } = self;
        format!("tree {id} at /{path} in snapshot {snapshot}")
    }
}

/// Returns the blobs that are in no index.
pub(super) async fn check(
    repository: &Repository,
    indexed: &Indexed,
    snapshots: &[(SnapshotId, Snapshot)],
    report: &mut CheckReport,
) -> Result<HashSet<(BlobType, Id)>> {
    let mut seen = Seen::default();
    let root = |(id, snapshot): &(SnapshotId, Snapshot)| Waiting {
        id: snapshot.tree,
        path: String::new(),
        snapshot: *id,
    };
    let mut waiting: Vec<Waiting> = snapshots.iter().rev().map(root).collect();
    while !waiting.is_empty() {
        let mut next = waiting.split_off(waiting.len().saturating_sub(AT_ONCE));
        next.reverse();
        next.retain(|tree| seen.trees.insert(tree.id));
        let mut read = read(repository, indexed, &next).await?;
        let below = waiting.len();
        for tree in next {
            let looked = read.remove(&tree.id);
            check_tree(indexed, &tree, looked, &mut seen, &mut waiting, report)?;
        }
        waiting[below..].reverse();
    }
    report.trees = seen.trees.len() as u64;
    Ok(seen.missing)
}

#[derive(Default)]
struct Seen {
    trees: HashSet<TreeId>,
    missing: HashSet<(BlobType, Id)>,
}

/// Of the trees that the index knows.
async fn read(
    repository: &Repository,
    indexed: &Indexed,
    trees: &[Waiting],
) -> Result<HashMap<TreeId, Result<Looked>>> {
    let place = |tree: &Waiting| indexed.table.get(BlobType::Tree, &tree.id);
    let places = trees.iter().filter_map(place).collect();
    let read = fetch(repository, places, Looked::at);
    let looked: Vec<_> = read.try_collect().await?;
    let by_id = |(entry, looked): (Entry, _)| (entry.id, looked);
    Ok(looked.into_iter().flatten().map(by_id).collect())
}

fn check_tree(
    indexed: &Indexed,
    tree: &Waiting,
    looked: Option<Result<Looked>>,
    seen: &mut Seen,
    waiting: &mut Vec<Waiting>,
    report: &mut CheckReport,
) -> Result<()> {
    let file = || {
        let place = indexed.table.get(BlobType::Tree, &tree.id);
        place.map(|place| FileKind::Pack.path(place.pack).to_string())
    };
    let looked = match looked {
        Some(Ok(looked)) => looked,
        Some(Err(error)) => {
            return report.add_error_in(ProblemKind::TreeDamaged, file(), tree.subject(), error);
        }
        None => {
            let (kind, id) = (BlobType::Tree, tree.id);
            seen.missing.insert((kind, id));
            let error = Error::BlobMissing { kind, id };
            return report.add_error_in(ProblemKind::BlobMissing, None, tree.subject(), error);
        }
    };
    let mut checker = Checker {
        indexed,
        seen,
        report,
        tree,
    };
    for (kind, name, reason) in &looked.problems {
        checker.problem(*kind, name, reason);
    }
    for node in &looked.nodes {
        checker.check_node(node);
        if let Some(subtree) = node.subtree {
            waiting.push(Waiting {
                id: subtree,
                path: join(&tree.path, &node.name),
                snapshot: tree.snapshot,
            });
        }
    }
    if let Some(error) = looked.damage {
        report.add_error_in(ProblemKind::TreeDamaged, file(), tree.subject(), error)
    } else {
        if !looked.canonical {
            let reason = "restic would write other bytes for it";
            report.add(ProblemKind::TreeNotCanonical, None, tree.subject(), reason);
        }
        Ok(())
    }
}

/// What a tree's own bytes tell.
#[derive(Default)]
struct Looked {
    /// Those before the damage, if there is any.
    nodes: Vec<Node>,
    /// With the name of the node.
    problems: Vec<(ProblemKind, String, String)>,
    canonical: bool,
    damage: Option<Error>,
}

impl Looked {
    fn at(cipher: &Cipher, entry: &Entry, sealed: &[u8]) -> Result<Self> {
        let raw = RawTree::parse(entry.id, entry.decode(cipher, sealed)?)?;
        let mut looked = Self::default();
        looked.damage = looked.look(&raw).err();
        Ok(looked)
    }

    fn look(&mut self, raw: &RawTree) -> Result<()> {
        let mut canonical = Vec::with_capacity(raw.bytes().len());
        canonical.extend_from_slice(frame::OPENING);
        let mut previous: Option<Vec<u8>> = None;
        for index in 0..raw.len() {
            let (bytes, _) = raw.head(index)?;
            let node = raw.node(index)?;
            if previous.as_ref().is_some_and(|previous| *previous >= bytes) {
                let reason = "it does not come after the entry before it";
                self.problem(ProblemKind::TreeOrder, &node, reason);
            }
            // Other bytes than UTF-8 are fine on Unix; the rules are the same for them.
            if let Err(Error::InvalidName { reason, .. }) =
                name::validate(&String::from_utf8_lossy(&bytes))
            {
                self.problem(ProblemKind::NodeName, &node, reason);
            }
            if index > 0 {
                canonical.push(b',');
            }
            write_canonical(&node, &bytes, raw.node_bytes(index), &mut canonical);
            previous = Some(bytes);
            self.nodes.push(node);
        }
        canonical.extend_from_slice(frame::CLOSING);
        self.canonical = canonical == raw.bytes();
        Ok(())
    }

    fn problem(&mut self, kind: ProblemKind, node: &Node, reason: &str) {
        self.problems
            .push((kind, node.name.clone(), reason.to_owned()));
    }
}

struct Checker<'a> {
    indexed: &'a Indexed,
    seen: &'a mut Seen,
    report: &'a mut CheckReport,
    tree: &'a Waiting,
}

impl Checker<'_> {
    fn check_node(&mut self, node: &Node) {
        match (&node.node_type, &node.content, &node.subtree) {
            (NodeType::File, Some(blobs), None) => self.check_content(node, blobs),
            (NodeType::File, None, _) => self.problem(
                ProblemKind::NodeContent,
                &node.name,
                "the file has no content",
            ),
            (NodeType::Dir, None, Some(_))
            | (NodeType::Symlink | NodeType::Other(_), None, None) => {}
            (NodeType::Dir, _, None) => self.problem(
                ProblemKind::NodeContent,
                &node.name,
                "the directory has no tree",
            ),
            _ => self.problem(
                ProblemKind::NodeContent,
                &node.name,
                "it has content and a tree that its type cannot have",
            ),
        }
    }

    fn check_content(&mut self, node: &Node, blobs: &[Id]) {
        let mut size = 0;
        for id in blobs {
            match self.indexed.table.get(BlobType::Data, id) {
                Some(place) => size += place.entry.clear_length(),
                None if self.seen.missing.insert((BlobType::Data, *id)) => {
                    self.problem(
                        ProblemKind::BlobMissing,
                        &node.name,
                        format!("data blob {id} is in no index"),
                    );
                    return;
                }
                None => return,
            }
        }
        if size != node.size {
            let reason = format!("its size is {} but its blobs hold {size} bytes", node.size);
            self.problem(ProblemKind::NodeSize, &node.name, reason);
        }
    }

    fn problem(&mut self, kind: ProblemKind, name: &str, reason: impl std::fmt::Display) {
        let subject = format_args!("{name:?} in {}", self.tree.subject());
        self.report.add(kind, None, subject, reason);
    }
}

/// A name that is not UTF-8 cannot be written anew: its node is taken as it is.
fn write_canonical(node: &Node, name: &[u8], raw: &[u8], out: &mut Vec<u8>) {
    if node.name.as_bytes() == name {
        node.write_json(out);
    } else {
        out.extend_from_slice(raw);
    }
}
