//! Pushing a bare repository: explicit refs, in pieces where one push would be too large.

use std::path::Path;

use tokio::process::Command;

use super::process::{git, run, run_with};
use super::restore::is_restored;
use super::state::State;
use super::{Oid, Remote, oid};
use crate::{Error, Result};

/// Holds what was pushed so far while a large history goes over in pieces; the last push removes it.
const PIECE: &str = "refs/heads/keepward-restore/piece";

/// Pushes branches, tags and notes of `bare`.
pub(super) async fn push(remote: &Remote, state: &State, bare: &Path) -> Result<()> {
    let pusher = Pusher {
        remote,
        bare,
        url: remote.url()?,
    };
    let mut refspecs: Vec<String> = ["refs/heads/*", "refs/tags/*", "refs/notes/*"]
        .into_iter()
        .filter(|space| {
            state
                .refs
                .keys()
                .any(|name| name.starts_with(space.trim_end_matches('*')))
        })
        .map(|space| format!("+{space}:{space}"))
        .collect();
    if pusher.pieces(state).await? {
        refspecs.push(format!(":{PIECE}"));
    }
    pusher.send(&refspecs).await
}

struct Pusher<'a> {
    remote: &'a Remote,
    bare: &'a Path,
    url: String,
}

impl Pusher<'_> {
    fn git(&self) -> Command {
        let mut command = git(self.bare);
        command.arg("--git-dir").arg(self.bare);
        command
    }

    async fn send(&self, refspecs: &[String]) -> Result<()> {
        let mut command = self.git();
        // The credential goes by environment: arguments are seen by everyone on the machine.
        for (name, value) in self.remote.client.git_environment() {
            command.env(name, value.expose());
        }
        command
            .args([
                "push",
                "--quiet",
                "--no-verify",
                "--no-follow-tags",
                "--no-signed",
                "--",
                &self.url,
            ])
            .args(refspecs);
        run(command).await.map(drop)
    }

    /// Pushes the oldest history first until the rest fits into one push; tells whether there was a need to.
    async fn pieces(&self, state: &State) -> Result<bool> {
        let limit = self.remote.push_limit;
        let mut pushed: Vec<Oid> = Vec::new();
        // Packs hold more than is pushed, so this is the cheap answer for all but the largest.
        if self.stored_bytes().await? <= limit {
            return Ok(false);
        }
        for tip in tips(state) {
            if self.bytes(&all(state), &pushed).await? <= limit {
                break;
            }
            self.ascend(tip, limit, &mut pushed).await?;
        }
        Ok(!pushed.is_empty())
    }

    /// Pushes commits on the way to `tip`, each at most `limit` bytes above the one before; a larger commit goes alone.
    async fn ascend(&self, tip: Oid, limit: u64, pushed: &mut Vec<Oid>) -> Result<()> {
        let path = self.first_parents(tip, pushed).await?;
        let mut start = 0;
        while start < path.len() {
            let (mut fits, mut too_far) = (start, path.len());
            // The furthest commit within the limit: the size grows along the path.
            while fits + 1 < too_far {
                let middle = fits.midpoint(too_far);
                if self.bytes(&path[middle..=middle], pushed).await? <= limit {
                    fits = middle;
                } else {
                    too_far = middle;
                }
            }
            let commit = path[fits];
            self.send(&[format!("+{commit}:{PIECE}")]).await?;
            pushed.push(commit);
            start = fits + 1;
        }
        Ok(())
    }

    /// From the oldest commit that is not pushed yet to `tip`.
    async fn first_parents(&self, tip: Oid, pushed: &[Oid]) -> Result<Vec<Oid>> {
        let mut command = self.git();
        command.args(["rev-list", "--first-parent", "--reverse", "--stdin"]);
        let printed = run_with(command, &beyond(&[tip], pushed)).await?;
        let lines = printed
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .map(|line| {
                oid(line).ok_or_else(|| Error::malformed("git printed a line that is no commit"))
            })
            .collect()
    }

    /// The bytes in packs of what these reach beyond what is pushed.
    async fn bytes(&self, of: &[Oid], pushed: &[Oid]) -> Result<u64> {
        let mut command = self.git();
        command.args(["rev-list", "--objects", "--disk-usage", "--stdin"]);
        let printed = run_with(command, &beyond(of, pushed)).await?;
        let number = std::str::from_utf8(&printed)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        number.ok_or_else(|| Error::malformed("git printed no number of bytes"))
    }

    async fn stored_bytes(&self) -> Result<u64> {
        let folder = self.bare.join("objects/pack");
        let failed = |e| super::fetch::disk(&folder, e);
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

/// Revisions for git's standard input: there may be more than fit into arguments.
fn beyond(of: &[Oid], pushed: &[Oid]) -> Vec<u8> {
    let wanted = of.iter().map(|id| format!("{id}\n"));
    wanted
        .chain(pushed.iter().map(|id| format!("^{id}\n")))
        .collect::<String>()
        .into_bytes()
}

/// The default branch first: it is where most of the history is.
fn tips(state: &State) -> Vec<Oid> {
    let head = state.head_branch().and_then(|name| state.refs.get(name));
    let branches = state
        .refs
        .iter()
        .filter(|(name, _)| name.starts_with("refs/heads/"))
        .map(|(_, id)| id);
    head.into_iter().chain(branches).copied().collect()
}

fn all(state: &State) -> Vec<Oid> {
    state
        .refs
        .iter()
        .filter(|(name, _)| is_restored(name))
        .map(|(_, id)| *id)
        .collect()
}
