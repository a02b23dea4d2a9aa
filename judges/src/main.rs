//! `make judges`: rustic_core, a second implementation of the format, judges what keepward writes, and keepward what it writes.
//!
//! Both sides are used as a stranger would: keepward through its command line, rustic_core through its library. The argument is the
//! program to judge. Ends with `N passed, N failed`, and exit code 1 if anything failed.

mod keepward;
mod rustic;
mod tree;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use keepward::Keepward;
use rustic::Rustic;

type Case = (&'static str, fn(&Keepward) -> Result<()>);

const CASES: [Case; 2] = [
    ("rustic_core reads what keepward wrote", ours_for_rustic),
    ("keepward reads what rustic_core wrote", rustics_for_us),
];

fn main() -> Result<()> {
    let program = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .context("usage: judges PROGRAM")?;
    let mut failed = 0;
    for (name, case) in CASES {
        let result = Keepward::new(&program).and_then(|keepward| case(&keepward));
        match result {
            Ok(()) => println!("pass  {name}"),
            Err(error) => {
                failed += 1;
                println!("FAIL  {name}: {error:#}");
            }
        }
    }
    println!("{} passed, {failed} failed", CASES.len() - failed);
    if failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

/// Two snapshots of a changing organization: checked with all data, listed, dumped and restored, and the same as our export.
fn ours_for_rustic(keepward: &Keepward) -> Result<()> {
    let server = keepward.organization()?;
    keepward.backup()?;
    server.change()?;
    keepward.backup()?;
    drop(server);

    let rustic = Rustic::open(&keepward.repository(), &keepward.password()?)?;
    rustic.check()?;
    let snapshots = rustic.snapshots()?;
    ensure!(
        snapshots.len() == 2,
        "there are {} snapshots and not 2",
        snapshots.len()
    );
    let (_scratch, folder) = scratch()?;
    for snapshot in snapshots {
        let (exported, restored) = (
            folder.join(format!("ours-{snapshot}")),
            folder.join(format!("theirs-{snapshot}")),
        );
        keepward.export(&snapshot, "/", &exported)?;
        let rustic = Rustic::open(&keepward.repository(), &keepward.password()?)?;
        let listed = rustic.files(&snapshot)?;
        let files = tree::files(&exported)?;
        ensure!(
            listed == files.keys().cloned().collect::<Vec<_>>(),
            "the list of files of {snapshot} differs"
        );
        for path in files.keys().step_by(7) {
            ensure!(
                rustic.dump(&snapshot, path)? == files[path],
                "{path} of {snapshot} differs"
            );
        }
        rustic.restore(&snapshot, &restored)?;
        ensure!(
            tree::files(&restored)? == files,
            "the restored files of {snapshot} differ"
        );
        ensure!(files.len() > 50, "the snapshot is suspiciously small");
    }
    Ok(())
}

/// Files of all sizes and names in two versions: checked with all data, exported, and the same as on disk.
fn rustics_for_us(keepward: &Keepward) -> Result<()> {
    let (_scratch, folder) = scratch()?;
    let (source, repository) = (folder.join("source"), folder.join("repository"));
    tree::write_first(&source)?;
    let rustic = Rustic::init(&repository, "judges")?;
    let first = rustic.backup(&source)?;
    let before = tree::files(&source)?;
    tree::change(&source)?;
    let second = Rustic::open(&repository, "judges")?.backup(&source)?;
    let after = tree::files(&source)?;
    ensure!(before != after, "nothing changed");

    keepward.add(&repository, "judges")?;
    keepward.run(&[
        "repository",
        "check",
        "--repository",
        "judged",
        "--read-data",
    ])?;
    for (snapshot, files) in [(first, before), (second, after)] {
        let to = folder.join(&snapshot);
        let path = source.to_str().context("a path that is not UTF-8")?;
        keepward.run(&[
            "export",
            "--repository",
            "judged",
            &snapshot,
            path,
            "--to",
            to.to_str().context("a path that is not UTF-8")?,
        ])?;
        ensure!(
            tree::files(&to.join("source"))? == tree::escaped(files),
            "the exported files of {snapshot} differ"
        );
    }
    Ok(())
}

/// A folder that goes away with the first of the two.
fn scratch() -> Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().canonicalize()?;
    Ok((folder, path))
}
