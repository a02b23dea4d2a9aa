//! Pushing a bare repository: explicit refs, in parts where one push would be too large.

mod history;
mod stage;

use std::collections::BTreeMap;
use std::path::Path;

use tokio::process::Command;

use super::fetch::disk;
use super::process::{count, git_in, listed, run, run_with};
use super::restore::{RESTORED, is_restored};
use super::state::{PACKED_REFS, State, render_refs};
use super::{Oid, Remote};
use crate::{Error, Result};

/// Branches that hold what was pushed of a history until a ref of its own reaches it. One that moved elsewhere would let go of what it held,
/// so that each history has one of its own; they are numbered.
const HELPERS: &str = "refs/heads/keepward-restore/";
/// Refs of one push: git compares each with each.
const MOST_REFS: usize = 1000;

/// Pushes branches, tags and notes of `bare`; gives what was left behind, in words.
///
/// No push carries more than the remote's limit, as long as no single file is larger. Each leaves a whole history at the target, and what an
/// earlier attempt brought there is not sent again.
pub(super) async fn push(remote: &Remote, state: &State, bare: &Path) -> Result<Vec<String>> {
    let mut pusher = Pusher {
        remote,
        bare,
        url: remote.url()?,
        // Counting and pushing may order deltas differently.
        limit: remote.push_limit / 10 * 9,
        there: Vec::new(),
        helpers: BTreeMap::new(),
        first: None,
    };
    // Packs hold more than is pushed, so this is the cheap answer for all but the largest.
    if pusher.stored_bytes().await? <= pusher.limit {
        for refs in in_order(state).chunks(MOST_REFS) {
            pusher.send_refs(refs).await?;
        }
        return Ok(Vec::new());
    }
    pusher.look(state).await?;
    pusher.parts(state).await?;
    Ok(pusher.clear().await)
}

struct Pusher<'a> {
    remote: &'a Remote,
    bare: &'a Path,
    url: String,
    /// Of one push, in bytes.
    limit: u64,
    /// Objects that stand at the target with all that they reach.
    there: Vec<Oid>,
    /// The helper branches at the target.
    helpers: BTreeMap<String, Oid>,
    /// The branch that the first part of history goes to: else the service would make a helper branch the default one.
    first: Option<String>,
}

impl Pusher<'_> {
    fn git(&self, arguments: &[&str]) -> Command {
        git_in(self.bare, arguments)
    }

    async fn send(&self, refspecs: &[String]) -> Result<()> {
        let mut command = self.git(&[
            "push",
            "--quiet",
            "--no-verify",
            "--no-follow-tags",
            "--no-signed",
            "--",
            &self.url,
        ]);
        // The credential goes by environment: arguments are seen by everyone on the machine.
        for (name, value) in self.remote.client.git_environment().await? {
            command.env(name, value.expose());
        }
        command.args(refspecs);
        run(command).await.map(drop)
    }

    /// What the target has already: after an interruption that may be most.
    async fn look(&mut self, state: &State) -> Result<()> {
        let adv = self.remote.advertise().await?;
        let helpers = adv
            .refs
            .iter()
            .filter(|(name, _)| name.starts_with(HELPERS));
        self.helpers = helpers.map(|(name, id)| (name.clone(), *id)).collect();
        if !adv.refs.keys().any(|name| name.starts_with("refs/heads/")) {
            self.first = state.head_branch().map(str::to_owned);
        }
        let command = self.git(&["cat-file", "--batch-check=%(objectname)"]);
        for line in lines(&run_with(command, &listed(&adv.tips())).await?) {
            // What is unknown here is printed as missing.
            self.there.extend(super::oid(line));
        }
        Ok(())
    }

    /// Pushes refs, as many at a time as fit; history that is too large for one push goes ahead of its ref.
    async fn parts(&mut self, state: &State) -> Result<()> {
        let refs = in_order(state);
        let mut start = 0;
        while start < refs.len() {
            let most = refs.len().min(start + MOST_REFS);
            let mut end = start + self.furthest(&refs[start..most]).await?;
            if end == start {
                self.ascend(refs[start].1).await?;
                end += 1;
            }
            self.send_refs(&refs[start..end]).await?;
            self.there
                .extend(refs[start..end].iter().map(|(_, id)| *id));
            self.first = None;
            start = end;
        }
        Ok(())
    }

    /// Shows git these refs alone, and pushes all that it sees.
    async fn send_refs(&self, refs: &[(&str, Oid)]) -> Result<()> {
        let shown: BTreeMap<String, Oid> = refs
            .iter()
            .map(|(name, id)| ((*name).to_owned(), *id))
            .collect();
        let path = self.bare.join(PACKED_REFS);
        tokio::fs::write(&path, render_refs(&shown))
            .await
            .map_err(|e| disk(&path, e))?;
        self.send(&spaces(&shown)).await
    }

    /// How many of these refs fit into one push.
    async fn furthest(&self, refs: &[(&str, Oid)]) -> Result<usize> {
        let ids: Vec<Oid> = refs.iter().map(|(_, id)| *id).collect();
        if self.seems_to_fit(&ids).await? && self.fits(&ids).await? {
            return Ok(refs.len());
        }
        self.most(refs.len(), |count| ids[..count].to_vec()).await
    }

    /// The largest number up to `most` for which that many fit; sizes grow with the number.
    async fn most(&self, most: usize, of: impl Fn(usize) -> Vec<Oid>) -> Result<usize> {
        let (mut fitting, mut too_many) = (0, most + 1);
        while fitting + 1 < too_many {
            let middle = fitting.midpoint(too_many);
            if self.seems_to_fit(&of(middle)).await? {
                fitting = middle;
            } else {
                too_many = middle;
            }
        }
        while fitting > 0 && !self.fits(&of(fitting)).await? {
            fitting /= 2;
        }
        Ok(fitting)
    }

    /// By the stored sizes of all that these reach: a guess, and cheap.
    async fn seems_to_fit(&self, of: &[Oid]) -> Result<bool> {
        let revisions = beyond(of, &self.there);
        let command = self.git(&["rev-list", "--objects", "--disk-usage", "--stdin"]);
        let printed = run_with(command, &revisions).await?;
        let stored: u64 = std::str::from_utf8(&printed)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| Error::malformed("git printed no number of bytes"))?;
        Ok(stored <= self.limit)
    }

    /// By the very pack that a push would carry: what is stored as a difference from a later object is sent whole when that one is not.
    async fn fits(&self, of: &[Oid]) -> Result<bool> {
        let revisions = beyond(of, &self.there);
        let command = self.git(&["pack-objects", "--revs", "--stdout", "--thin", "--quiet"]);
        Ok(count(command, &revisions, self.limit).await? <= self.limit)
    }

    /// A helper branch that is not in use.
    fn helper(&self) -> String {
        let mut number = self.helpers.len() + 1;
        while self.helpers.contains_key(&format!("{HELPERS}{number}")) {
            number += 1;
        }
        format!("{HELPERS}{number}")
    }

    /// Removes the helper branches. Everything is there, so that a refusal is only told.
    async fn clear(&mut self) -> Vec<String> {
        if self.helpers.is_empty() {
            return Vec::new();
        }
        let specs: Vec<String> = self.helpers.keys().map(|name| format!(":{name}")).collect();
        match self.send(&specs).await {
            Ok(()) => Vec::new(),
            Err(error) => vec![format!(
                "branches {HELPERS}* served the restore and could not be deleted: {}",
                error.message
            )],
        }
    }

    async fn stored_bytes(&self) -> Result<u64> {
        let folder = self.bare.join("objects/pack");
        let failed = |e| disk(&folder, e);
        let mut entries = tokio::fs::read_dir(&folder).await.map_err(failed)?;
        let mut bytes = 0;
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            if entry
                .path()
                .extension()
                .is_some_and(|ending| ending == "pack")
            {
                bytes += entry.metadata().await.map_err(failed)?.len();
            }
        }
        Ok(bytes)
    }
}

/// Revisions for git: these, without what the others reach.
fn beyond(of: &[Oid], there: &[Oid]) -> Vec<u8> {
    let left_out = there.iter().flat_map(|id| format!("^{id}\n").into_bytes());
    listed(of).into_iter().chain(left_out).collect()
}

fn lines(printed: &[u8]) -> impl Iterator<Item = &[u8]> {
    printed
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
}

/// The namespaces that there is something in.
fn spaces(refs: &BTreeMap<String, Oid>) -> Vec<String> {
    RESTORED
        .iter()
        .filter(|space| refs.keys().any(|name| name.starts_with(**space)))
        .map(|space| format!("+{space}*:{space}*"))
        .collect()
}

/// The default branch first: it is where most of the history is. Then branches, tags and notes.
fn in_order(state: &State) -> Vec<(&str, Oid)> {
    let rank = |name: &str| {
        let space = RESTORED.iter().position(|space| name.starts_with(space));
        (state.head_branch() != Some(name), space)
    };
    let mut refs: BTreeMap<_, _> = BTreeMap::new();
    for (name, id) in state.refs.iter().filter(|(name, _)| is_restored(name)) {
        refs.insert((rank(name), name.as_str()), *id);
    }
    refs.into_iter().map(|((_, name), id)| (name, id)).collect()
}
