//! Export: any path of a snapshot as files. Every name of a snapshot is foreign; nothing is written outside of the target folder.

mod archive;
mod files;
mod name;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use model::{Event, Reporter};
use repository::{BlobId, BlobType, Node, NodeType, Repository, SnapshotId, TreeId};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

pub use self::archive::Archive;

use self::files::Written;
use self::name::{escape, numbered};
use crate::{Error, Result};

/// Entries that a report names of each sort; the counts are of all.
const NAMED: usize = 1000;
/// Large files that are written side by side.
const WRITERS: usize = 4;
/// Folders whose trees are read together.
const FOLDERS: usize = 256;
/// Files that are read in the order of the packs and written together. Fewer when they are large: nobody waits long for progress.
const FILES: usize = 8192;
const BYTES: u64 = 64 << 20;

/// How to export.
pub struct ExportOptions<'a> {
    /// Replaces files that are already there; without it they are left alone and reported.
    pub overwrite: bool,
    pub reporter: &'a dyn Reporter,
    pub cancel: &'a CancellationToken,
}

/// What was written, under which names, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    pub files: u64,
    pub folders: u64,
    pub bytes: u64,
    /// How many entries have another name than in the snapshot.
    pub escaped: u64,
    /// How many entries were not written.
    pub refused: u64,
    /// The first thousand of the escaped.
    pub renamed: Vec<Renamed>,
    /// The first thousand of the refused.
    pub left_out: Vec<LeftOut>,
}

/// An entry that has another name in the target folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// The path in the snapshot.
    pub from: String,
    /// Relative to the target folder.
    pub to: String,
}

/// An entry that was not written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The path in the snapshot.
    pub path: String,
    /// A code of [`model::code::CODES`], where there is one.
    pub code: Option<String>,
    pub reason: String,
}

/// Writes `path` (empty for everything) below the folder `to`, which is made when it is missing. A folder keeps its own name there.
///
/// Links in the target are not followed, except that `to` itself may be one. The hash of every piece is checked while it is read, and the
/// size of every file at its end; a file that fails is removed, reported, and the others go on.
pub async fn export(
    repository: &Repository,
    snapshot: SnapshotId,
    path: &str,
    to: &Path,
    options: &ExportOptions<'_>,
) -> Result<ExportReport> {
    let tree = repository.snapshot(snapshot).await?.tree;
    let start = resolve(repository, tree, path).await?;
    tokio::fs::create_dir_all(to)
        .await
        .map_err(Error::io(format!(
            "cannot make the folder {}",
            to.display()
        )))?;
    let root = tokio::fs::canonicalize(to)
        .await
        .map_err(Error::io(format!(
            "cannot open the folder {}",
            to.display()
        )))?;
    let mut export = Export {
        repository,
        root,
        options,
        report: ExportReport::default(),
        open: Vec::new(),
        small: Vec::new(),
        small_bytes: 0,
    };
    options.reporter.report(Event::Phase {
        phase: "export".to_owned(),
    });
    match start {
        None => export.open.push(Folder {
            tree,
            path: String::new(),
            to: PathBuf::new(),
            renamed: false,
        }),
        Some((parent, node)) => {
            export
                .entries(
                    &Folder {
                        tree,
                        path: parent,
                        to: PathBuf::new(),
                        renamed: false,
                    },
                    vec![node],
                )
                .await?;
        }
    }
    while !export.open.is_empty() {
        export.folders().await?;
    }
    export.write_small().await?;
    Ok(export.report)
}

/// The path of what a person named: as the snapshot has it, where they named what export makes of it. Empty for the root.
pub async fn find(repository: &Repository, tree: TreeId, path: &str) -> Result<String> {
    let found = resolve(repository, tree, path).await?;
    Ok(found.map_or_else(String::new, |(parent, node)| join(&parent, &node.name)))
}

/// The node at a path, with its parent's path; `None` for the root. A component is a name of the snapshot, or what export makes of it.
async fn resolve(
    repository: &Repository,
    tree: TreeId,
    path: &str,
) -> Result<Option<(String, Node)>> {
    let mut at: Option<(String, Node)> = None;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let unknown = || Error::Request {
            code: "export-path-unknown",
            message: format!("the snapshot has no `{path}`"),
        };
        let (parent, tree) = match &at {
            None => (String::new(), tree),
            Some((parent, node)) => (join(parent, &node.name), node.subtree.ok_or_else(unknown)?),
        };
        let nodes = repository.tree(tree).await?.nodes;
        let place = nodes
            .iter()
            .position(|node| node.name == part)
            .or_else(|| nodes.iter().position(|node| escape(&node.name) == part));
        let node = nodes
            .into_iter()
            .nth(place.ok_or_else(unknown)?)
            .ok_or_else(unknown)?;
        at = Some((parent, node));
    }
    Ok(at)
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}/{name}")
    }
}

struct Folder {
    tree: TreeId,
    /// In the snapshot.
    path: String,
    /// Relative to the target folder; empty for that itself.
    to: PathBuf,
    renamed: bool,
}

struct Export<'a> {
    repository: &'a Repository,
    root: PathBuf,
    options: &'a ExportOptions<'a>,
    report: ExportReport,
    /// Folders that are still to be made and filled, the next one last.
    open: Vec<Folder>,
    /// Files of one blob that wait until there are enough to read them together.
    small: Vec<(BlobId, Entry)>,
    small_bytes: u64,
}

/// A file with the name that it gets.
struct Entry {
    node: Node,
    path: String,
    to: PathBuf,
}

impl Export<'_> {
    /// Makes the next few folders while their trees are read, and looks at what is in them.
    async fn folders(&mut self) -> Result<()> {
        if self.options.cancel.is_cancelled() {
            return Err(Error::Canceled);
        }
        let mut folders = self.open.split_off(self.open.len().saturating_sub(FOLDERS));
        folders.reverse();
        let paths = folders
            .iter()
            .map(|folder| self.root.join(&folder.to))
            .collect();
        let ids = folders.iter().map(|folder| folder.tree).collect();
        let (made, trees) = futures::join!(files::make_folders(paths), self.repository.trees(ids));
        let below = self.open.len();
        for (folder, (made, tree)) in folders.into_iter().zip(made?.into_iter().zip(trees?)) {
            if let Err(error) = made {
                self.refuse(&folder.path, error)?;
                continue;
            }
            if !folder.to.as_os_str().is_empty() {
                self.note_name(&folder.path, &folder.to, folder.renamed);
                self.report.folders += 1;
            }
            match tree {
                Ok(tree) => self.entries(&folder, tree.nodes).await?,
                Err(error) => self.leave_out(&folder.path, &error.into()),
            }
        }
        self.open[below..].reverse();
        self.progress();
        Ok(())
    }

    async fn entries(&mut self, folder: &Folder, nodes: Vec<Node>) -> Result<()> {
        let mut taken = HashSet::new();
        let mut large = Vec::new();
        for node in nodes {
            let path = join(&folder.path, &node.name);
            let name = free_name(&node.name, &mut taken);
            let renamed = name != node.name;
            let to = folder.to.join(name);
            match node.node_type {
                NodeType::Dir => self.folder(&node, path, to, renamed),
                NodeType::File => {
                    self.note_name(&path, &to, renamed);
                    let blob = match node.content.as_deref() {
                        Some([blob]) => Some(*blob),
                        _ => None,
                    };
                    let entry = Entry { node, path, to };
                    match blob {
                        Some(blob) => self.small(blob, entry).await?,
                        None => large.push(entry),
                    }
                }
                NodeType::Symlink | NodeType::Other(_) => {
                    let message = format!("a {} is not exported", node.node_type.as_str());
                    self.leave_out(
                        &path,
                        &Error::Request {
                            code: "export-path-refused",
                            message,
                        },
                    );
                }
            }
        }
        self.write_large(large).await
    }

    fn note_name(&mut self, from: &str, to: &Path, renamed: bool) {
        if renamed {
            self.report.escaped += 1;
            if self.report.renamed.len() < NAMED {
                self.report.renamed.push(Renamed {
                    from: from.to_owned(),
                    to: to.display().to_string(),
                });
            }
        }
    }

    fn folder(&mut self, node: &Node, path: String, to: PathBuf, renamed: bool) {
        match node.subtree {
            Some(tree) => self.open.push(Folder {
                tree,
                path,
                to,
                renamed,
            }),
            None => self.leave_out(
                &path,
                &Error::Request {
                    code: "repository-damaged",
                    message: "the folder has no content".to_owned(),
                },
            ),
        }
    }

    async fn small(&mut self, blob: BlobId, entry: Entry) -> Result<()> {
        self.small_bytes = self.small_bytes.saturating_add(entry.node.size);
        self.small.push((blob, entry));
        if self.small.len() >= FILES || self.small_bytes >= BYTES {
            self.write_small().await?;
        }
        Ok(())
    }

    async fn write_small(&mut self) -> Result<()> {
        let (root, overwrite) = (self.root.clone(), self.options.overwrite);
        let files = std::mem::take(&mut self.small);
        self.small_bytes = 0;
        let written = self
            .repository
            .blobs(BlobType::Data, files, move |entry, bytes| {
                let written = bytes.map_err(Error::from).and_then(|bytes| {
                    files::write_bytes(bytes, &entry.node, &root.join(&entry.to), overwrite)
                });
                (entry.path, written)
            });
        for (path, written) in written.await? {
            self.wrote(&path, written)?;
        }
        self.progress();
        Ok(())
    }

    async fn write_large(&mut self, entries: Vec<Entry>) -> Result<()> {
        let (repository, root, overwrite) =
            (self.repository, self.root.clone(), self.options.overwrite);
        let root = &root;
        let mut written = futures::stream::iter(entries)
            .map(|Entry { node, path, to }| async move {
                (
                    path,
                    files::write(repository, &node, &root.join(to), overwrite).await,
                )
            })
            .buffered(WRITERS);
        while let Some((path, result)) = written.next().await {
            if self.options.cancel.is_cancelled() {
                return Err(Error::Canceled);
            }
            self.wrote(&path, result)?;
        }
        Ok(())
    }

    fn wrote(&mut self, path: &str, result: Result<Written>) -> Result<()> {
        match result {
            Ok(Written { bytes }) => {
                self.report.files += 1;
                self.report.bytes += bytes;
                Ok(())
            }
            Err(error) => self.refuse(path, error),
        }
    }

    /// Goes on without the entry, unless no other would fare better.
    fn refuse(&mut self, path: &str, error: Error) -> Result<()> {
        if error.code() == Some("disk-full") {
            return Err(error);
        }
        self.leave_out(path, &error);
        Ok(())
    }

    fn leave_out(&mut self, path: &str, error: &Error) {
        self.report.refused += 1;
        if self.report.left_out.len() < NAMED {
            let code = error.code().map(str::to_owned);
            self.report.left_out.push(LeftOut {
                path: path.to_owned(),
                code,
                reason: error.to_string(),
            });
        }
    }

    fn progress(&self) {
        self.options.reporter.report(Event::Progress {
            phase: "export".to_owned(),
            current: None,
            items: self.report.files,
            expected: None,
            bytes: self.report.bytes,
            requests: 0,
            budget_left: None,
        });
    }
}

/// The escaped name, or with a number the first that no other entry of the folder has, without regard to case.
fn free_name(name: &str, taken: &mut HashSet<String>) -> String {
    let escaped = escape(name);
    let mut free = escaped.clone();
    let mut number = 1;
    while !taken.insert(free.to_lowercase()) {
        number += 1;
        free = numbered(&escaped, number);
    }
    free
}
