//! What is told of refs, commits and entries.

use serde::Serialize;
use service::git::browse::{
    CommitDetail, CommitLine, Entry, EntryKind, FileChange, Ref, Signature,
};
use utoipa::ToSchema;

/// A page of refs.
#[derive(Serialize, ToSchema)]
pub(super) struct GitRefsView {
    /// The default branch by its full name, or the id that HEAD holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) head: Option<String>,
    pub(super) items: Vec<GitRefView>,
    /// Give it as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// A ref.
#[derive(Serialize, ToSchema)]
pub(super) struct GitRefView {
    /// In full: `refs/heads/main`.
    name: String,
    target: String,
    /// The commit that an annotated tag stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    peeled: Option<String>,
}

impl From<Ref> for GitRefView {
    fn from(found: Ref) -> Self {
        Self {
            name: found.name,
            target: found.target.to_string(),
            peeled: found.peeled.map(|id| id.to_string()),
        }
    }
}

/// A commit in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct GitLogView {
    id: String,
    parents: Vec<String>,
    author: String,
    email: String,
    /// Absent where the history has a time that makes no sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    at: Option<String>,
    subject: String,
}

impl From<CommitLine> for GitLogView {
    fn from(commit: CommitLine) -> Self {
        Self {
            id: commit.id.to_string(),
            parents: commit.parents.iter().map(ToString::to_string).collect(),
            author: commit.author,
            email: commit.email,
            at: commit.at.map(|at| at.to_string()),
            subject: commit.subject,
        }
    }
}

/// Who, and when.
#[derive(Serialize, ToSchema)]
struct GitSignatureView {
    name: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    at: Option<String>,
}

impl From<Signature> for GitSignatureView {
    fn from(signature: Signature) -> Self {
        Self {
            name: signature.name,
            email: signature.email,
            at: signature.at.map(|at| at.to_string()),
        }
    }
}

/// A commit with its changes against its first parent.
#[derive(Serialize, ToSchema)]
pub(super) struct GitCommitView {
    id: String,
    parents: Vec<String>,
    author: GitSignatureView,
    committer: GitSignatureView,
    message: String,
    files: Vec<GitChangeView>,
    /// More files were changed than are listed.
    more_files: bool,
    /// As `git diff` writes it, up to 512 KiB.
    patch: String,
    /// The patch goes on.
    more_patch: bool,
}

/// A file that a commit changed.
#[derive(Serialize, ToSchema)]
struct GitChangeView {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_path: Option<String>,
    /// `added`, `modified`, `deleted`, `renamed`, `copied` or `type-changed`.
    status: &'static str,
    /// Lines; absent for what is not text.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<u64>,
}

impl From<FileChange> for GitChangeView {
    fn from(change: FileChange) -> Self {
        Self {
            path: change.path,
            old_path: change.old_path,
            status: change.status,
            added: change.added,
            removed: change.removed,
        }
    }
}

impl From<CommitDetail> for GitCommitView {
    fn from(commit: CommitDetail) -> Self {
        Self {
            id: commit.id.to_string(),
            parents: commit.parents.iter().map(ToString::to_string).collect(),
            author: commit.author.into(),
            committer: commit.committer.into(),
            message: commit.message,
            files: commit.files.into_iter().map(Into::into).collect(),
            more_files: commit.more_files,
            patch: commit.patch,
            more_patch: commit.more_patch,
        }
    }
}

/// An entry of a folder in the history.
#[derive(Serialize, ToSchema)]
pub(super) struct GitEntryView {
    /// With replacement characters where it is no text.
    name: String,
    /// The name in hexadecimal digits, where it is no text: such an entry is opened by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_name: Option<String>,
    /// `folder`, `file`, `link` or `submodule`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// As git writes it: `100644`.
    mode: String,
    id: String,
    /// Of files and links. Of a large file (LFS) that of its pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

impl From<Entry> for GitEntryView {
    fn from(entry: Entry) -> Self {
        let (name, raw_name) = match String::from_utf8(entry.name) {
            Ok(name) => (name, None),
            Err(error) => {
                let raw = error.as_bytes();
                let name = String::from_utf8_lossy(raw).into_owned();
                (name, Some(hex::encode(raw)))
            }
        };
        Self {
            name,
            raw_name,
            kind: match entry.kind {
                EntryKind::Folder => "folder",
                EntryKind::File => "file",
                EntryKind::Link => "link",
                EntryKind::Submodule => "submodule",
            },
            mode: format!("{:06o}", entry.mode),
            id: entry.id.to_string(),
            size: entry.size,
        }
    }
}
