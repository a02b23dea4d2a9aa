//! Looking into snapshots: folders, files, items, and the history of stored git repositories.

mod folder;
mod git;
mod item;
mod place;
mod shelf;
mod unpacked;
mod whole;

use std::sync::Arc;

use catalog::KnownSnapshot;
use repository::{BlobType, Node, Repository, TreeId};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::{Control, Error, Result};

pub use git::{GitFile, GitView};
pub use item::ItemView;
use shelf::Shelf;
use unpacked::Unpacked;

/// What several who look around share: open repositories and unpacked git repositories, a bounded number of each. Clones are handles on
/// the same.
#[derive(Clone)]
pub struct Library(Arc<Inner>);

struct Inner {
    control: Control,
    shelf: Shelf,
    unpacked: Unpacked,
    /// Who may run git: its processes take processors and memory.
    git: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// Requests that run git at the same time.
const AT_ONCE: usize = 6;

impl Library {
    /// Nothing is opened before somebody looks.
    pub fn new(control: Control) -> Self {
        let work = control.work.clone();
        Self(Arc::new(Inner {
            control,
            shelf: Shelf::default(),
            unpacked: Unpacked::new(work),
            git: Arc::new(Semaphore::new(AT_ONCE)),
            tasks: TaskTracker::new(),
        }))
    }

    /// A repository to read, by its id: open already, when somebody looked into it not long ago.
    pub async fn repository(&self, id: &str) -> Result<Repository> {
        let inner = &self.0;
        let opened = inner.shelf.open(&inner.control, id).await?;
        if inner.shelf.wants_sweep() {
            let weak = Arc::downgrade(inner);
            let sweep = async move {
                loop {
                    tokio::time::sleep(shelf::IDLE).await;
                    let Some(inner) = weak.upgrade() else { break };
                    if inner.shelf.sweep() {
                        break;
                    }
                }
            };
            drop(inner.tasks.spawn(sweep));
        }
        Ok(opened)
    }

    /// A snapshot to look into.
    pub async fn snapshot(&self, snapshot: &KnownSnapshot) -> Result<OpenSnapshot> {
        let damaged = |_| catalog::Error::Damaged {
            what: format!("the tree of snapshot {}", snapshot.id),
        };
        let tree: TreeId = snapshot.tree.parse().map_err(damaged)?;
        let repository = self.repository(&snapshot.source.repository).await?;
        if is_gone(&repository, snapshot, tree).await? {
            return Err(no_longer(snapshot));
        }
        Ok(OpenSnapshot {
            library: self.clone(),
            repository,
            service: snapshot.source.id.service.clone(),
            tree,
        })
    }
}

/// A snapshot that is being looked into.
pub struct OpenSnapshot {
    library: Library,
    repository: Repository,
    service: String,
    tree: TreeId,
}

impl OpenSnapshot {
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// A ZIP of files and folders, made while it is read.
    pub async fn archive(&self, paths: &[String]) -> Result<engine::export::Archive> {
        Ok(engine::export::Archive::open(&self.repository, self.tree, paths).await?)
    }

    /// The node at a path; paths are names with `/` between them, and nothing in them has a meaning of its own.
    async fn node(&self, path: &str) -> Result<Node> {
        let found = self.repository.find(self.tree, path).await?;
        found.ok_or_else(|| no_such("file or folder", path))
    }
}

/// Whether neither the snapshot nor its data is there: another installation or program forgot and pruned it. Where one of them is, the other is
/// damaged.
async fn is_gone(repository: &Repository, snapshot: &KnownSnapshot, tree: TreeId) -> Result<bool> {
    match repository.has(BlobType::Tree, tree).await {
        Ok(false) => {}
        Err(error) if !error.is_damage() => return Err(error.into()),
        Ok(true) | Err(_) => return Ok(false),
    }
    let Ok(id) = snapshot.id.parse() else {
        return Ok(false);
    };
    let file = repository.snapshot(id).await;
    Ok(matches!(file, Err(repository::Error::FileMissing { .. })))
}

fn no_longer(snapshot: &KnownSnapshot) -> Error {
    Error::Request {
        code: "snapshot-unknown",
        message: format!(
            "the snapshot {:.8} is no longer in the repository: it was forgotten and its data removed, or both were lost; `keepward repository sync` takes it out of the list",
            snapshot.id
        ),
    }
}

fn no_such(what: &str, path: &str) -> Error {
    Error::Request {
        code: "file-unknown",
        message: format!("the snapshot has no {what} {:.300}", path.escape_debug()),
    }
}
