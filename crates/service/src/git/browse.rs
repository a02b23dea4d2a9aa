//! Looking into a stored repository, which may be hostile: git sees packs and ids of objects, and nothing else that was stored.
//!
//! No ref, configuration, hook or attribute gets into the folder that git works in; names of refs and paths are looked up here, so
//! that none of them is ever an argument. Whatever git cannot read is damage of what is stored, never an error of ours.

mod blob;
mod commit;
mod commits;
mod objects;
mod refs;
mod tree;

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Class;
use tokio::fs;
use tokio::process::Command;

use super::fetch::disk;
use super::process::git_in;
use super::state::{CONFIG, HEAD};
use crate::{Error, Result};

pub use blob::Blob;
pub use commit::{CommitDetail, FileChange, Signature};
pub use commits::CommitLine;
pub use refs::{Ref, Refs, Revision};
pub use tree::{Entry, EntryKind, TreePage};

/// What a person waits for at most; a process that takes longer is ended.
const PATIENCE: Duration = Duration::from_secs(30);
const NO_REVISION: &str = "git-revision-unknown";
const TOO_LARGE: &str = "content-too-large";
const DAMAGED: &str = "git-pack-damaged";

/// A folder with the packs of one stored repository.
#[derive(Clone, Debug)]
pub struct Bare {
    folder: PathBuf,
}

impl Bare {
    /// Makes an empty bare repository in a folder that is there; packs are then put where [`Bare::place`] says.
    pub async fn make(folder: &Path) -> Result<Self> {
        for part in ["objects/pack", "refs"] {
            let path = folder.join(part);
            fs::create_dir_all(&path)
                .await
                .map_err(|e| disk(&path, e))?;
        }
        let (config, bytes) = CONFIG;
        for (name, bytes) in [
            (config, bytes),
            (HEAD, b"ref: refs/heads/none\n".as_slice()),
        ] {
            let path = folder.join(name);
            fs::write(&path, bytes).await.map_err(|e| disk(&path, e))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Where the file of this name in `objects/pack` belongs; `None` for what is no pack and no index of one.
    pub fn place(&self, name: &str) -> Option<PathBuf> {
        let (id, ending) = name.strip_prefix("pack-")?.split_once('.')?;
        let known = super::oid(id.as_bytes()).is_some() && matches!(ending, "pack" | "idx");
        known.then(|| self.folder.join("objects/pack").join(name))
    }

    /// Prints the commits that are named to it, and no others.
    fn log(&self, format: &str) -> Command {
        self.git(&[
            "log",
            "-z",
            "--no-walk=unsorted",
            "--no-mailmap",
            "--no-show-signature",
            "--no-color",
            "--encoding=UTF-8",
            format,
            "--stdin",
        ])
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = git_in(&self.folder, arguments);
        command
            // No pathspec magic, no single allocation that the machine would not survive.
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_ALLOC_LIMIT", "2g")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0");
        command
    }
}

/// The components of a path within a repository; `None` when it could mean anything else than a place below its top.
fn components(path: &str) -> Option<Vec<&str>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let parts: Vec<&str> = path.split('/').collect();
    let plain = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains('\0');
    parts.iter().all(plain).then_some(parts)
}

fn unknown(what: impl std::fmt::Display) -> Error {
    Error::new(
        Class::Missing,
        NO_REVISION,
        format!("the stored repository has no {what}"),
    )
}

fn too_large(what: &str) -> Error {
    Error::new(Class::Unsupported, TOO_LARGE, what)
}

fn damaged(what: impl Into<String>) -> Error {
    Error::new(Class::Storage, DAMAGED, what)
}

/// Waits no longer than a person does; git's own failure is damage of what it reads.
async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Err(error)) if error.code == "restore-failed" && error.source.is_none() => {
            Err(damaged(error.message))
        }
        Ok(done) => done,
        Err(_) => Err(too_large("git did not find it in 30 seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_only_below_the_top() {
        assert_eq!(components(""), Some(Vec::new()));
        assert_eq!(
            components("a/--output=x/\n"),
            Some(vec!["a", "--output=x", "\n"])
        );
        for path in ["/a", "a/", "a//b", "..", "a/../b", "./a", "a\0b"] {
            assert_eq!(components(path), None, "{path:?}");
        }
    }

    #[tokio::test]
    async fn only_packs_and_their_indexes_have_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let bare = Bare::make(folder.path()).await.unwrap();
        let id = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        assert!(bare.place(&format!("pack-{id}.pack")).is_some());
        assert!(bare.place(&format!("pack-{id}.idx")).is_some());
        for name in [
            format!("pack-{id}.keep"),
            format!("pack-{id}.promisor"),
            format!("pack-{id}.bitmap"),
            format!("pack-{id}.pack.pack"),
            format!("pack-{id}/../../../config.pack"),
            "pack-x.pack".to_owned(),
            "multi-pack-index".to_owned(),
            "../config".to_owned(),
        ] {
            assert_eq!(bare.place(&name), None, "{name}");
        }
    }
}
