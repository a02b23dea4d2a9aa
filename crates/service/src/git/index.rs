//! Packs on receipt: every object is unpacked and named by its own hash, and an index is written.
//!
//! One pass does it all: what objects mention is noted while they are in memory. (gix-pack would hash twice where deltas name their base
//! by id, as in all packs of Azure DevOps, and unpack a third time for the closure.)

mod delta;
mod inflate;
mod resolve;
mod scan;
mod write;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gix_pack::{MMap, data};
use model::Class;
use sha1::{Digest as _, Sha1};

use super::closure::Mentions;
use super::fetch::disk;
use super::{HASH, Oid, process};
use crate::{Error, Result};

const HEADER: usize = 12;
const TRAILER: usize = 20;

/// A pack that proved to be whole, with its index beside it.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// `pack-<sha1>`, where the id is the pack's own checksum.
    pub name: String,
    pub pack: PathBuf,
    pub idx: PathBuf,
    /// 0 for a pack without objects, which has no index and is not worth keeping.
    pub objects: u32,
    /// What its objects refer to, unless it was too large to note that in passing.
    pub(super) mentions: Option<Arc<Mentions>>,
}

/// What is done in this process; beyond it the git binary makes the index, since our memory grows with the number of objects.
#[derive(Clone, Copy, Debug)]
struct Limits {
    objects: u32,
    bytes: u64,
    /// Of one object; the git binary can stream larger ones.
    object_bytes: u64,
    /// Of all bases of deltas that are in memory at one time.
    base_bytes: usize,
}

const USUAL: Limits = Limits {
    objects: 2_000_000,
    bytes: 4_000_000_000,
    object_bytes: 256 << 20,
    base_bytes: 1 << 30,
};

/// Checks a pack down to the last object, and moves it with a new index into `folder`.
///
/// The error's class is `Malformed` for a pack that is damaged, and `Missing` for one that is whole but needs objects that are not in it.
pub async fn index(pack: &Path, folder: &Path) -> Result<Indexed> {
    index_within(USUAL, pack, folder).await
}

async fn index_within(limits: Limits, pack: &Path, folder: &Path) -> Result<Indexed> {
    let (from, to) = (pack.to_owned(), folder.to_owned());
    match blocking(move |interrupt| checked(limits, &from, &to, interrupt)).await? {
        Checked::Done(indexed) => Ok(indexed),
        Checked::TooLarge { checksum, objects } => by_git(pack, folder, checksum, objects).await,
    }
}

/// Runs blocking work that stops early when the caller goes away; a panic in it is an error about the data.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&AtomicBool) -> Result<T> + Send + 'static,
) -> Result<T> {
    struct Stop(Arc<AtomicBool>);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let flag = Arc::new(AtomicBool::new(false));
    let stop = Stop(Arc::clone(&flag));
    let result = tokio::task::spawn_blocking(move || work(&flag)).await;
    drop(stop);
    result.unwrap_or_else(|error| Err(damaged("it cannot be read").caused_by(error)))
}

enum Checked {
    Done(Indexed),
    TooLarge { checksum: Oid, objects: u32 },
}

/// Why a pack has no index yet.
#[derive(Debug)]
enum Failure {
    /// It is too large for this process.
    Limit,
    Damaged(&'static str),
    /// Bases of deltas are not in the pack.
    Incomplete(String),
}

fn checked(limits: Limits, pack: &Path, folder: &Path, interrupt: &AtomicBool) -> Result<Checked> {
    let length = fs::metadata(pack).map_err(|e| disk(pack, e))?.len();
    let file =
        data::File::<MMap>::at(pack, HASH).map_err(|_| damaged("it does not begin like a pack"))?;
    let bytes = file
        .entry_slice(0..length)
        .filter(|bytes| bytes.len() >= HEADER + TRAILER)
        .ok_or_else(|| damaged("it is too short"))?;
    // A wrong checksum explains every other error, so it is looked at first.
    let (content, trailer) = bytes.split_at(bytes.len() - TRAILER);
    let computed: [u8; TRAILER] = Sha1::digest(content).into();
    if trailer != computed {
        return Err(damaged("its checksum is wrong"));
    }
    let checksum = Oid::from_bytes_or_panic(&computed);
    let (objects, name) = (file.num_objects(), format!("pack-{checksum}"));
    if objects == 0 {
        return Ok(Checked::Done(Indexed {
            name,
            pack: pack.to_owned(),
            idx: PathBuf::new(),
            objects,
            mentions: None,
        }));
    }
    if objects > limits.objects || length > limits.bytes {
        return Ok(Checked::TooLarge { checksum, objects });
    }
    let mut mentions = Mentions::default();
    let entries = scan::scan(limits, content, objects, &mut mentions, interrupt)
        .and_then(|scanned| resolve::resolve(limits, content, scanned, &mut mentions, interrupt));
    let entries = match entries {
        Ok(entries) => entries,
        Err(Failure::Limit) => return Ok(Checked::TooLarge { checksum, objects }),
        Err(Failure::Damaged(why)) => return Err(damaged(why)),
        Err(Failure::Incomplete(why)) => return Err(incomplete(&why)),
    };
    write::write(
        &folder.join(format!("{name}.idx")),
        folder,
        entries,
        &computed,
    )?;
    Ok(Checked::Done(adopt(
        pack,
        folder,
        name,
        objects,
        Some(mentions),
    )?))
}

fn adopt(
    pack: &Path,
    folder: &Path,
    name: String,
    objects: u32,
    mentions: Option<Mentions>,
) -> Result<Indexed> {
    let target = folder.join(format!("{name}.pack"));
    fs::rename(pack, &target).map_err(|e| disk(&target, e))?;
    Ok(Indexed {
        idx: folder.join(format!("{name}.idx")),
        pack: target,
        name,
        objects,
        mentions: mentions.map(Arc::new),
    })
}

async fn by_git(pack: &Path, folder: &Path, checksum: Oid, objects: u32) -> Result<Indexed> {
    let name = format!("pack-{checksum}");
    let mut git = process::git(folder);
    git.args(["index-pack", "--no-rev-index", "-o"])
        .arg(folder.join(format!("{name}.idx")))
        .arg(pack);
    process::run(git).await.map_err(|error| {
        if error.class == Class::Storage {
            error
        } else {
            incomplete(&error.message)
        }
    })?;
    adopt(pack, folder, name, objects, None)
}

fn damaged(why: &str) -> Error {
    Error::new(
        Class::Malformed,
        "git-object-missing",
        format!("the pack that came is damaged: {why}"),
    )
}

/// The checksum is right, so the server sent it like this.
fn incomplete(why: &str) -> Error {
    Error::new(
        Class::Missing,
        "git-object-missing",
        format!("the pack that came is not complete: {why}"),
    )
}

fn is_stopped(interrupt: &AtomicBool) -> Result<(), Failure> {
    if interrupt.load(Ordering::Relaxed) {
        Err(Failure::Damaged("nobody waits for it any more"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::*;
    use crate::git::{Packs, closure};

    /// A pack of a few versions of a file, and an LFS pointer; deltas name their bases by id.
    async fn pack(folder: &Path) -> PathBuf {
        let git = |arguments: &[&str], input: &[u8]| {
            let mut command = process::git(folder);
            command.args(arguments);
            let input = input.to_vec();
            async move { process::run_with(command, &input).await.unwrap() }
        };
        git(&["init", "--quiet", "--bare", "."], b"").await;
        let mut stream = String::new();
        for version in 0..20 {
            let lines: Vec<String> = (0..200)
                .map(|line| {
                    format!(
                        "line {line} {}",
                        if line == version { version * 7 } else { 0 }
                    )
                })
                .collect();
            let text = lines.join("\n");
            writeln!(
                stream,
                "commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nm"
            )
            .unwrap();
            writeln!(stream, "M 100644 inline a\ndata {}\n{text}", text.len()).unwrap();
        }
        let oid = "ab".repeat(32);
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 7\n");
        write!(
            stream,
            "M 100644 inline p\ndata {}\n{pointer}\n",
            pointer.len()
        )
        .unwrap();
        git(&["fast-import", "--quiet"], stream.as_bytes()).await;
        let path = folder.join("in.pack");
        fs::write(
            &path,
            git(&["pack-objects", "--stdout", "--quiet", "--all"], b"\n").await,
        )
        .unwrap();
        path
    }

    #[tokio::test]
    async fn packs_beyond_every_limit_are_indexed_by_git_to_the_same_result() {
        let folder = tempfile::tempdir().unwrap();
        let original = pack(folder.path()).await;
        let indexed = |limits: Limits| {
            let (original, folder) = (original.clone(), folder.path().to_owned());
            async move {
                let copy = folder.join("copy.pack");
                fs::copy(original, &copy).unwrap();
                let indexed = index_within(limits, &copy, &folder).await.unwrap();
                let proof = closure(Some(&indexed), &Packs::default(), &BTreeSet::new())
                    .await
                    .unwrap();
                (
                    indexed.mentions.is_none(),
                    fs::read(&indexed.idx).unwrap(),
                    proof.missing,
                    proof.lfs,
                )
            }
        };
        let (by_git, idx, missing, lfs) = indexed(USUAL).await;
        assert!(!by_git && missing.is_empty() && lfs.len() == 1);
        for limits in [
            Limits {
                objects: 1,
                ..USUAL
            },
            Limits { bytes: 1, ..USUAL },
            Limits {
                object_bytes: 100,
                ..USUAL
            },
            Limits {
                base_bytes: 100,
                ..USUAL
            },
        ] {
            assert_eq!(
                indexed(limits).await,
                (true, idx.clone(), missing.clone(), lfs.clone()),
                "{limits:?}"
            );
        }
    }

    #[tokio::test]
    async fn damage_under_a_right_checksum_is_an_error_and_never_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let good = fs::read(pack(folder.path()).await).unwrap();
        let path = folder.path().join("bad.pack");
        let (mut refused, mut tried) = (0, 0);
        for at in (4..good.len() - TRAILER).step_by(5) {
            tried += 1;
            let mut bad = good.clone();
            bad[at] = bad[at].wrapping_add(1 + (at % 255) as u8);
            let checksum: [u8; TRAILER] = Sha1::digest(&bad[..good.len() - TRAILER]).into();
            bad[good.len() - TRAILER..].copy_from_slice(&checksum);
            fs::write(&path, &bad).unwrap();
            if let Err(error) = checked(
                Limits {
                    objects: 1000,
                    ..USUAL
                },
                &path,
                folder.path(),
                &AtomicBool::new(false),
            ) {
                assert_eq!(error.code, "git-object-missing");
                refused += 1;
            }
        }
        assert!(refused * 10 > tried * 9, "{refused} of {tried}");
    }
}
