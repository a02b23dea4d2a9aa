//! Reads every tree that a snapshot reaches, once.

use std::collections::HashSet;

use super::{CheckReport, Indexed, ProblemKind, note_damage};
use crate::tree::raw::RawTree;
use crate::tree::walk::join;
use crate::tree::{frame, name};
use crate::{BlobType, Error, FileKind, Id, Node, NodeType, Repository, Result, TreeId};

/// Trees still to read, with the path that led to them first.
type Waiting = Vec<(TreeId, String)>;

pub(super) async fn check(
    repository: &Repository,
    indexed: &Indexed,
    report: &mut CheckReport,
) -> Result<()> {
    let mut seen = Seen::default();
    for listed in repository.files().list(FileKind::Snapshot).await? {
        report.snapshots += 1;
        let subject = format!("snapshot {}", listed.id);
        match repository.snapshot(listed.id).await {
            Ok(snapshot) => {
                check_below(
                    repository,
                    indexed,
                    snapshot.tree,
                    &subject,
                    &mut seen,
                    report,
                )
                .await?;
            }
            Err(error) => note_damage(report, ProblemKind::SnapshotDamaged, subject, error)?,
        }
    }
    report.trees = seen.trees.len() as u64;
    Ok(())
}

#[derive(Default)]
struct Seen {
    trees: HashSet<TreeId>,
    missing: HashSet<(BlobType, Id)>,
}

async fn check_below(
    repository: &Repository,
    indexed: &Indexed,
    root: TreeId,
    snapshot: &str,
    seen: &mut Seen,
    report: &mut CheckReport,
) -> Result<()> {
    let mut waiting: Waiting = vec![(root, String::new())];
    while let Some((id, path)) = waiting.pop() {
        if !seen.trees.insert(id) {
            continue;
        }
        let subject = format!("tree {id} at /{path} in {snapshot}");
        let raw = match read(repository, indexed, id).await {
            Ok(raw) => raw,
            Err(error) => {
                let kind = match error {
                    Error::BlobMissing { .. } => ProblemKind::BlobMissing,
                    _ => ProblemKind::TreeDamaged,
                };
                note_damage(report, kind, subject, error)?;
                continue;
            }
        };
        let mut checker = Checker {
            indexed,
            seen: &mut *seen,
            report: &mut *report,
            subject: &subject,
        };
        if let Err(error) = checker.check_tree(&raw, &path, &mut waiting) {
            note_damage(report, ProblemKind::TreeDamaged, subject, error)?;
        }
    }
    Ok(())
}

async fn read(repository: &Repository, indexed: &Indexed, id: TreeId) -> Result<RawTree> {
    let kind = BlobType::Tree;
    let place = indexed
        .table
        .get(kind, &id)
        .ok_or(Error::BlobMissing { kind, id })?;
    let range = u64::from(place.entry.offset)
        ..u64::from(place.entry.offset) + u64::from(place.entry.length);
    let sealed = repository
        .files()
        .read_pack_range(place.pack, range)
        .await?;
    RawTree::parse(id, place.entry.decode(repository.cipher(), &sealed)?)
}

struct Checker<'a> {
    indexed: &'a Indexed,
    seen: &'a mut Seen,
    report: &'a mut CheckReport,
    subject: &'a str,
}

impl Checker<'_> {
    fn check_tree(&mut self, raw: &RawTree, path: &str, waiting: &mut Waiting) -> Result<()> {
        let mut canonical = frame::OPENING.to_vec();
        let mut previous: Option<Vec<u8>> = None;
        for index in 0..raw.len() {
            let (bytes, _) = raw.head(index)?;
            let node = raw.node(index)?;
            if previous.as_ref().is_some_and(|previous| *previous >= bytes) {
                self.problem(
                    ProblemKind::TreeOrder,
                    &node.name,
                    "it does not come after the entry before it",
                );
            }
            self.check_name(&bytes, &node.name);
            self.check_node(&node);
            if let Some(subtree) = node.subtree {
                waiting.push((subtree, join(path, &node.name)));
            }
            if index > 0 {
                canonical.push(b',');
            }
            write_canonical(&node, &bytes, raw.node_bytes(index), &mut canonical);
            previous = Some(bytes);
        }
        canonical.extend_from_slice(frame::CLOSING);
        if canonical != raw.bytes() {
            self.report.add(
                ProblemKind::TreeNotCanonical,
                self.subject,
                "restic would write other bytes for it",
            );
        }
        Ok(())
    }

    fn check_name(&mut self, bytes: &[u8], shown: &str) {
        // Other bytes than UTF-8 are fine on Unix; the rules are the same for them.
        if let Err(Error::InvalidName { reason, .. }) =
            name::validate(&String::from_utf8_lossy(bytes))
        {
            self.problem(ProblemKind::NodeName, shown, reason);
        }
    }

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
        self.report
            .add(kind, format_args!("{name:?} in {}", self.subject), reason);
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
