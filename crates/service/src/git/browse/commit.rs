//! One commit, and what it changed against its first parent.

use std::collections::HashMap;

use jiff::Timestamp;

use super::commits::{ids, text, time};
use super::{Bare, Revision, damaged, in_time};
use crate::Result;
use crate::git::process::{listed, run_to, run_with};
use crate::git::{Oid, oid};

/// Who, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub name: String,
    pub email: String,
    pub at: Option<Timestamp>,
}

/// A commit with its changes.
#[derive(Clone, Debug)]
pub struct CommitDetail {
    pub id: Oid,
    pub parents: Vec<Oid>,
    pub author: Signature,
    pub committer: Signature,
    pub message: String,
    pub files: Vec<FileChange>,
    /// There are more files than are listed.
    pub more_files: bool,
    /// As `git diff` shows it; bytes that are no UTF-8 are replaced.
    pub patch: String,
    /// The patch goes on.
    pub more_patch: bool,
}

/// A file that a commit changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChange {
    pub path: String,
    /// Of a file that was renamed or copied.
    pub old_path: Option<String>,
    /// `added`, `modified`, `deleted`, `renamed`, `copied`, `type-changed`.
    pub status: &'static str,
    /// Lines; `None` for what is not text.
    pub added: Option<u64>,
    pub removed: Option<u64>,
}

const FORMAT: &str = "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B";
const NAME: usize = 500;
const MESSAGE: usize = 64 << 10;
const PATCH: usize = 512 << 10;
/// Bytes of the list of files.
const LIST: usize = 1 << 20;
const FILES: usize = 1000;

impl Bare {
    /// `at` is a commit or leads to one.
    pub async fn commit(&self, at: Revision) -> Result<CommitDetail> {
        in_time(async {
            let id = self.objects()?.peel(at, "commit").await?;
            let printed = run_with(self.log(FORMAT), &listed([&id])).await?;
            let mut detail =
                read(&printed).ok_or_else(|| damaged(format!("the commit {id} cannot be read")))?;
            let parent = detail.parents.first().copied();
            let (list, more_list) = self
                .diff(parent, id, &["--raw", "--numstat", "-z"], LIST)
                .await?;
            (detail.files, detail.more_files) = files(&list);
            detail.more_files |= more_list;
            let (patch, more) = self.diff(parent, id, &["-p"], PATCH).await?;
            detail.patch = String::from_utf8_lossy(&patch).into_owned();
            detail.more_patch = more;
            Ok(detail)
        })
        .await
    }

    /// What `git diff-tree` prints, and whether it was more than `most` bytes.
    async fn diff(
        &self,
        parent: Option<Oid>,
        id: Oid,
        how: &[&str],
        most: usize,
    ) -> Result<(Vec<u8>, bool)> {
        let (id, parent) = (id.to_string(), parent.map(|id| id.to_string()));
        let mut arguments = vec![
            "diff-tree",
            "-r",
            "-M",
            "--no-commit-id",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--full-index",
        ];
        arguments.extend(how);
        match &parent {
            Some(parent) => arguments.extend([parent.as_str(), id.as_str()]),
            None => arguments.extend(["--root", id.as_str()]),
        }
        let (mut printed, mut more) = (Vec::new(), false);
        let mut take = |piece: &[u8]| {
            let room = most - printed.len();
            more = piece.len() > room;
            printed.extend_from_slice(&piece[..piece.len().min(room)]);
            !more
        };
        run_to(self.git(&arguments), &[], &mut take).await?;
        Ok((printed, more))
    }
}

fn read(printed: &[u8]) -> Option<CommitDetail> {
    let mut fields = printed.splitn(9, |byte| *byte == 0);
    let mut next = || fields.next();
    let id = oid(next()?)?;
    let parents = ids(next()?)?;
    let mut signature = || {
        Some(Signature {
            name: text(next()?, NAME),
            email: text(next()?, NAME),
            at: time(next()?),
        })
    };
    let (author, committer) = (signature()?, signature()?);
    let message = fields.next()?;
    let message = message.strip_suffix(b"\0").unwrap_or(message);
    Some(CommitDetail {
        id,
        parents,
        author,
        committer,
        message: text(message, MESSAGE).trim_end().to_owned(),
        files: Vec::new(),
        more_files: false,
        patch: String::new(),
        more_patch: false,
    })
}

/// Reads `--raw --numstat -z`: all statuses first, then the numbers. What was cut off at the end is left out.
fn files(list: &[u8]) -> (Vec<FileChange>, bool) {
    let mut fields = list.split(|byte| *byte == 0).peekable();
    let mut changes = Vec::new();
    while let Some(raw) = fields.next_if(|field| field.starts_with(b":")) {
        let letter = raw.rsplit(|byte| *byte == b' ').next();
        let letter = letter.and_then(|word| word.first().copied());
        let Some(path) = fields.next() else { break };
        let mut change = FileChange {
            path: text(path, MESSAGE),
            status: status(letter),
            ..FileChange::default()
        };
        if matches!(letter, Some(b'R' | b'C')) {
            let Some(path) = fields.next() else { break };
            change.old_path = Some(std::mem::replace(&mut change.path, text(path, MESSAGE)));
        }
        changes.push(change);
    }
    let mut numbers: HashMap<String, [Option<u64>; 2]> = HashMap::new();
    while let Some(field) = fields.next() {
        let mut words = field.splitn(3, |byte| *byte == b'\t');
        let mut number = || text(words.next()?, 20).parse().ok();
        let counted = [number(), number()];
        let path = match words.next() {
            // A renamed one: the old path and the new one follow.
            Some(b"") => fields.nth(1),
            path => path,
        };
        if let Some(path) = path {
            numbers.insert(text(path, MESSAGE), counted);
        }
    }
    for change in &mut changes {
        if let Some([added, removed]) = numbers.get(&change.path) {
            (change.added, change.removed) = (*added, *removed);
        }
    }
    let more = changes.len() > FILES;
    changes.truncate(FILES);
    (changes, more)
}

fn status(letter: Option<u8>) -> &'static str {
    match letter {
        Some(b'A') => "added",
        Some(b'D') => "deleted",
        Some(b'R') => "renamed",
        Some(b'C') => "copied",
        Some(b'T') => "type-changed",
        _ => "modified",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_numbers_find_each_other() {
        let list = b":000000 100644 0 1 A\0new\n\tfile\0:100644 100644 1 2 R090\0old\0moved\0:100644 000000 1 0 D\0gone\0\
            3\t0\tnew\n\tfile\x001\t2\t\0old\0moved\0-\t-\tgone\0";
        let (files, more) = files(list);
        assert!(!more);
        let told: Vec<_> = files
            .iter()
            .map(|file| (file.path.as_str(), file.status, file.added, file.removed))
            .collect();
        assert_eq!(
            told,
            [
                ("new\n\tfile", "added", Some(3), Some(0)),
                ("moved", "renamed", Some(1), Some(2)),
                ("gone", "deleted", None, None),
            ]
        );
        assert_eq!(files[1].old_path.as_deref(), Some("old"));
    }

    #[test]
    fn a_list_that_was_cut_off_gives_what_is_whole() {
        let whole = b":100644 100644 1 2 R090\0old\0moved\0";
        for end in 0..whole.len() {
            assert!(files(&whole[..end]).0.len() <= 1);
        }
    }
}
