//! A history that is too large for one push: the oldest commits go first.

use super::{Pusher, beyond, lines, run_with};
use crate::git::{Oid, oid};
use crate::{Error, Result};

impl Pusher<'_> {
    /// Pushes commits on the way to `tip` until the rest fits into one push.
    pub(super) async fn ascend(&mut self, tip: Oid) -> Result<()> {
        let path = self.first_parents(tip).await?;
        let helper = self.helper();
        let mut start = 0;
        while start < path.len() {
            let rest = &path[start..];
            let count = self.most(rest.len(), |count| vec![rest[count - 1]]).await?;
            if count == rest.len() {
                return Ok(());
            }
            match count {
                0 => Box::pin(self.alone(rest[0])).await?,
                _ => self.send_commit(rest[count - 1], &helper).await?,
            }
            start += count.max(1);
        }
        Ok(())
    }

    /// A commit that is too large beyond its first parent: what it merges goes first, then its files in groups.
    async fn alone(&mut self, commit: Oid) -> Result<()> {
        for parent in self.parents(commit).await?.into_iter().skip(1) {
            if !self.fits(&[parent]).await? {
                Box::pin(self.ascend(parent)).await?;
            }
            self.send_commit(parent, &self.helper()).await?;
        }
        if self.fits(&[commit]).await? {
            return self.send_commit(commit, &self.helper()).await;
        }
        self.stage(commit).await
    }

    async fn send_commit(&mut self, commit: Oid, helper: &str) -> Result<()> {
        match self.first.take() {
            Some(branch) => self.send(&[format!("+{commit}:{branch}")]).await?,
            None => self.send_to(commit, helper).await?,
        }
        self.there.push(commit);
        Ok(())
    }

    pub(super) async fn send_to(&mut self, commit: Oid, helper: &str) -> Result<()> {
        self.send(&[format!("+{commit}:{helper}")]).await?;
        self.helpers.insert(helper.to_owned(), commit);
        Ok(())
    }

    /// From the oldest commit that is not there yet to `tip`; none for a tip that is no commit.
    async fn first_parents(&self, tip: Oid) -> Result<Vec<Oid>> {
        let command = self.git(&["rev-list", "--first-parent", "--reverse", "--stdin"]);
        ids(&run_with(command, &beyond(&[tip], &self.there)).await?)
    }

    async fn parents(&self, commit: Oid) -> Result<Vec<Oid>> {
        let commit = commit.to_string();
        let command = self.git(&[
            "rev-list",
            "--no-walk",
            "--format=%P",
            "--no-commit-header",
            &commit,
        ]);
        let printed = run_with(command, b"").await?;
        let spaced: Vec<u8> = printed
            .iter()
            .map(|b| if *b == b' ' { b'\n' } else { *b })
            .collect();
        ids(&spaced)
    }
}

pub(super) fn ids(printed: &[u8]) -> Result<Vec<Oid>> {
    let id =
        |line| oid(line).ok_or_else(|| Error::malformed("git printed a line that is no object"));
    lines(printed).map(id).collect()
}
