//! What a repository is for after the backup, against restic on the same repository: check, one item read cold, everything restored.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::figures::{Figure, median};
use crate::ingest;
use crate::measure::{Used, run};

/// Items that are read cold in each round, far apart.
const ITEMS: u32 = 3;

/// Seconds of ours and of the peer: wall time if not said otherwise.
#[derive(Default)]
struct Pair(Vec<f64>, Vec<f64>);

impl Pair {
    fn push(&mut self, ours: f64, peer: f64) {
        self.0.push(ours);
        self.1.push(peer);
    }

    fn figure(self, name: &'static str, goal: f64, unit: &'static str) -> Figure {
        Figure {
            name,
            ours: median(self.0),
            peer: median(self.1),
            goal,
            unit,
        }
    }
}

#[derive(Default)]
pub(crate) struct Stores {
    backup: Pair,
    check: Pair,
    item: Pair,
    restore: Pair,
    ingest: Pair,
}

/// What one round of backups left behind.
pub(crate) struct Round<'a> {
    pub keepward: &'a Path,
    /// Holds `data`, `password` and `repository` of ours.
    pub folder: &'a Path,
    /// What restic has backed up of the same work items.
    pub documents: &'a Path,
    pub items: u32,
}

impl Stores {
    pub(crate) fn backup(&mut self, ours: Used, peer: Used) {
        self.backup.push(ours.wall_seconds, peer.wall_seconds);
    }

    pub(crate) async fn measure(&mut self, round: &Round<'_>) -> Result<()> {
        let ours = run(&mut round.keepward(&["repository", "check"]))?;
        let peer = run(&mut round.restic(&["check"]))?;
        self.check.push(ours.wall_seconds, peer.wall_seconds);
        for part in 1..=ITEMS {
            self.item(round, part)?;
        }
        self.restore(round)?;
        let limits = ingest::measure(&round.folder.join("restored/work-items")).await?;
        self.ingest.push(limits.limit, limits.ours);
        eprintln!(
            "  ours: check {:.2}, item {:.2}, restore {:.2} s, ingest {:.0} MB/s",
            last(&self.check.0),
            last(&self.item.0),
            last(&self.restore.0),
            limits.ours / 1e6
        );
        eprintln!(
            "  peer: check {:.2}, item {:.2}, restore {:.2} s, limit  {:.0} MB/s",
            last(&self.check.1),
            last(&self.item.1),
            last(&self.restore.1),
            limits.limit / 1e6
        );
        Ok(())
    }

    /// A new process each, nothing kept from an earlier one; the operating system's cache is warm for both.
    fn item(&mut self, round: &Round<'_>, part: u32) -> Result<()> {
        let id = (round.items * part / (ITEMS + 1)).max(1);
        let path = format!("work-items/{:04}/{id}/work-item.json", id / 256);
        let to = round.folder.join(format!("item-{id}"));
        let ours = run(round
            .keepward(&["export", "latest", &path])
            .arg("--to")
            .arg(&to))?;
        let peer = run(&mut round.restic(&["--no-cache", "dump", "latest", &path]))?;
        self.item.push(ours.wall_seconds, peer.wall_seconds);
        let dumped = round
            .restic(&["--no-cache", "dump", "latest", &path])
            .output()?;
        ensure!(
            std::fs::read(to.join("work-item.json"))? == dumped.stdout,
            "{path} differs from what restic reads"
        );
        Ok(())
    }

    /// Both folders stay until the end of the round: the file system is slow to reuse what was just removed.
    fn restore(&mut self, round: &Round<'_>) -> Result<()> {
        let (mine, theirs) = (
            round.folder.join("restored"),
            round.folder.join("restored-by-restic"),
        );
        settle()?;
        let ours = run(round
            .keepward(&["export", "latest", "/"])
            .arg("--to")
            .arg(&mine))?;
        settle()?;
        let peer = run(round
            .restic(&["restore", "latest", "--target"])
            .arg(&theirs))?;
        let first = self.restore.0.is_empty();
        self.restore.push(ours.wall_seconds, peer.wall_seconds);
        if first {
            same(&mine, &theirs).context("restored by restic")?;
            // The figures of the backups compare the same documents, or nothing.
            same(&mine.join("work-items"), round.documents).context("backed up by restic")?;
        }
        Ok(())
    }

    pub(crate) fn figures(self) -> Vec<Figure> {
        let seconds = "seconds";
        vec![
            self.backup.figure("backup", 1.0, seconds),
            self.check.figure("check", 0.7, seconds),
            self.item.figure("item-cold", 0.5, seconds),
            self.restore.figure("restore", 1.0, seconds),
            // The limit stands where ours does elsewhere, so that lower is better here too.
            self.ingest
                .figure("ingest", 1.67, "limit ÷ ours, bytes per second"),
        ]
    }
}

impl Round<'_> {
    fn keepward(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.keepward);
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.folder.join("data"));
        command.env("TMPDIR", self.folder);
        command
    }

    fn restic(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("restic");
        command
            .arg("--repo")
            .arg(self.folder.join("repository"))
            .arg("--password-file")
            .arg(self.folder.join("password"))
            .arg("--cache-dir")
            .arg(self.folder.join("cache"))
            .args(arguments);
        command
    }
}

fn last(values: &[f64]) -> f64 {
    values.last().copied().unwrap_or(f64::NAN)
}

/// What earlier steps wrote goes to disk in their time, not in that of the next.
fn settle() -> Result<()> {
    ensure!(Command::new("sync").status()?.success(), "sync failed");
    Ok(())
}

/// Every file of one folder is in the other, with the same bytes, and there is no other.
fn same(mine: &Path, theirs: &Path) -> Result<()> {
    let (mut open, mut files) = (vec![PathBuf::new()], 0);
    while let Some(folder) = open.pop() {
        let names = |root: &Path| -> Result<Vec<_>> {
            let entries = std::fs::read_dir(root.join(&folder))?;
            let mut names = entries
                .map(|entry| Ok(entry?.file_name()))
                .collect::<Result<Vec<_>>>()?;
            names.sort();
            Ok(names)
        };
        let found = names(mine)?;
        ensure!(
            found == names(theirs)?,
            "{} has other entries than there are here",
            folder.display()
        );
        for name in found {
            let path = folder.join(name);
            if mine.join(&path).is_dir() {
                open.push(path);
                continue;
            }
            files += 1;
            let read = |root: &Path| -> Result<Vec<u8>> {
                let mut bytes = Vec::new();
                File::open(root.join(&path))?.read_to_end(&mut bytes)?;
                Ok(bytes)
            };
            ensure!(read(mine)? == read(theirs)?, "{} differs", path.display());
        }
    }
    ensure!(files > 0, "nothing was restored");
    Ok(())
}
