//! One commit that is larger than a push may be: its files go first, in commits that only the helper branch knows.

use super::history::ids;
use super::{Pusher, beyond, lines, run_with};
use crate::git::{Oid, oid};
use crate::{Error, Result};

/// Always the same, so that an attempt after an interruption makes the same commits.
const IDENTITY: [(&str, &str); 6] = [
    ("GIT_AUTHOR_NAME", "Keepward"),
    ("GIT_AUTHOR_EMAIL", "keepward@localhost"),
    ("GIT_AUTHOR_DATE", "@0 +0000"),
    ("GIT_COMMITTER_NAME", "Keepward"),
    ("GIT_COMMITTER_EMAIL", "keepward@localhost"),
    ("GIT_COMMITTER_DATE", "@0 +0000"),
];

impl Pusher<'_> {
    /// Pushes all files that `commit` brings, in groups within the limit; a larger file goes alone.
    ///
    /// Ends with a commit whose parents are the last group and `commit` itself: git leaves out what the trees of a push's known parents hold.
    pub(super) async fn stage(&mut self, commit: Oid) -> Result<()> {
        let mut stages = Vec::new();
        let mut folders = Vec::new();
        for (number, group) in self.groups(commit).await?.iter().enumerate() {
            let mut files = Vec::new();
            for (position, id) in group.iter().enumerate() {
                files.extend(format!("100644 blob {id}\t{position}\n").into_bytes());
            }
            let folder = self.made(&["mktree"], &files).await?;
            folders.extend(format!("040000 tree {folder}\t{number}\n").into_bytes());
            let tree = self.made(&["mktree"], &folders).await?;
            let before = stages.last().copied();
            stages.push(self.commit(tree, before.as_slice()).await?);
        }
        let Some(last) = stages.last().copied() else {
            return Ok(());
        };
        let tree = self
            .made(
                &["rev-parse", "--verify", &format!("{commit}^{{tree}}")],
                b"",
            )
            .await?;
        stages.push(self.commit(tree, &[last, commit]).await?);
        let arrived = stages
            .iter()
            .rposition(|stage| self.helpers.values().any(|id| id == stage));
        let helper = self.helper();
        for stage in stages.iter().skip(arrived.map_or(0, |at| at + 1)) {
            self.send_to(*stage, &helper).await?;
        }
        self.there.push(commit);
        Ok(())
    }

    /// The files that only this commit brings. Whole sizes are an upper bound for what a push of them carries.
    async fn groups(&self, commit: Oid) -> Result<Vec<Vec<Oid>>> {
        let command = self.git(&["rev-list", "--objects", "--no-object-names", "--stdin"]);
        let listed = run_with(command, &beyond(&[commit], &self.there)).await?;
        let command = self.git(&[
            "cat-file",
            "--batch-check=%(objectname) %(objecttype) %(objectsize)",
        ]);
        let told = run_with(command, &listed).await?;
        let (mut groups, mut bytes): (Vec<Vec<Oid>>, u64) = (Vec::new(), 0);
        for line in lines(&told) {
            let words: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
            let &[id, kind, size] = words.as_slice() else {
                return Err(Error::malformed(
                    "git printed a line that describes no object",
                ));
            };
            let size: Option<u64> = std::str::from_utf8(size)
                .ok()
                .and_then(|text| text.parse().ok());
            let (Some(id), Some(size)) = (oid(id), size) else {
                return Err(Error::malformed(
                    "git printed a line that describes no object",
                ));
            };
            if kind != b"blob" {
                continue;
            }
            match groups.last_mut() {
                Some(group) if bytes + size <= self.limit => group.push(id),
                _ => {
                    groups.push(vec![id]);
                    bytes = 0;
                }
            }
            bytes += size;
        }
        Ok(groups)
    }

    async fn commit(&self, tree: Oid, parents: &[Oid]) -> Result<Oid> {
        let tree = tree.to_string();
        let mut command = self.git(&["commit-tree", "-m", "Files of a large commit", &tree]);
        for parent in parents {
            command.args(["-p", &parent.to_string()]);
        }
        command.envs(IDENTITY);
        one(&run_with(command, b"").await?)
    }

    async fn made(&self, arguments: &[&str], input: &[u8]) -> Result<Oid> {
        one(&run_with(self.git(arguments), input).await?)
    }
}

fn one(printed: &[u8]) -> Result<Oid> {
    match ids(printed)?.as_slice() {
        [id] => Ok(*id),
        _ => Err(Error::malformed("git printed no object")),
    }
}
