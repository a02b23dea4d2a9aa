//! Packs on receipt: every object is unpacked and named by its own hash, and an index is written.
//!
//! One pass does it all: what objects mention is noted while they are in memory. (gix-pack would hash twice where deltas name their base
//! by id, as in all packs of Azure DevOps, and unpack a third time for the closure.)

mod delta;
#[cfg(test)]
pub(super) mod fuzz;
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
    /// Of one object in the memory of the git binary: it streams those that are told whole, and makes no differences of larger ones itself.
    git_bytes: u64,
}

const USUAL: Limits = Limits {
    objects: 2_000_000,
    bytes: 4_000_000_000,
    object_bytes: 256 << 20,
    base_bytes: 1 << 30,
    git_bytes: 2 << 30,
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
        Checked::TooLarge { checksum, objects } => {
            by_git(limits, pack, folder, checksum, objects).await
        }
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

async fn by_git(
    limits: Limits,
    pack: &Path,
    folder: &Path,
    checksum: Oid,
    objects: u32,
) -> Result<Indexed> {
    let name = format!("pack-{checksum}");
    let mut git = process::git(folder);
    git.env("GIT_ALLOC_LIMIT", limits.git_bytes.to_string())
        .args(["index-pack", "--no-rev-index", "-o"])
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

    /// A pack of one small object and a chain of deltas, each of which doubles what it is told from.
    fn bomb(folder: &Path, doublings: u32) -> PathBuf {
        use std::io::Write as _;
        let packed = |bytes: &[u8]| {
            let mut encoder =
                flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let number = |mut number: u64| {
            let mut bytes = Vec::new();
            while number > 0x7f {
                bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            bytes.push(number as u8);
            bytes
        };
        let base = vec![b'a'; 1 << 16];
        let mut content = b"PACK\0\0\0\x02".to_vec();
        content.extend_from_slice(&(doublings + 1).to_be_bytes());
        let mut before = content.len();
        // Kind 3 and the lowest 4 bits of the size, then the rest of it.
        content.push(0xb0);
        content.extend_from_slice(&number((1 << 16) >> 4));
        content.extend_from_slice(&packed(&base));
        for step in 0..doublings {
            let size = 1_u64 << (16 + step);
            let mut delta = [number(size), number(size * 2)].concat();
            for _ in 0..2 {
                for at in (0..size).step_by(1 << 16) {
                    let at = (at as u32).to_le_bytes();
                    // A copy of 65,536 bytes from there.
                    delta.push(0x8f);
                    delta.extend_from_slice(&at);
                }
            }
            let start = content.len();
            content.push(0xe0 | (delta.len() as u8 & 0x0f));
            content.extend_from_slice(&number(delta.len() as u64 >> 4));
            let distance = (start - before) as u32;
            let mut bytes = vec![distance as u8 & 0x7f];
            let mut rest = distance >> 7;
            while rest > 0 {
                rest -= 1;
                bytes.push(rest as u8 & 0x7f | 0x80);
                rest >>= 7;
            }
            bytes.reverse();
            content.extend_from_slice(&bytes);
            content.extend_from_slice(&packed(&delta));
            before = start;
        }
        let checksum: [u8; TRAILER] = Sha1::digest(&content).into();
        content.extend_from_slice(&checksum);
        let path = folder.join("bomb.pack");
        fs::write(&path, content).unwrap();
        path
    }

    #[tokio::test]
    async fn an_object_that_deltas_blow_up_never_gets_memory_beyond_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            object_bytes: 1 << 20,
            ..USUAL
        };
        // 64 KiB and 4 doublings are 1 MiB, which is allowed.
        let small = bomb(folder.path(), 4);
        assert_eq!(
            index_within(limits, &small, folder.path())
                .await
                .unwrap()
                .objects,
            5
        );
        for doublings in [5, 10] {
            let large = bomb(folder.path(), doublings);
            assert!(fs::metadata(&large).unwrap().len() < 50_000);
            let stop = AtomicBool::new(false);
            assert!(matches!(
                checked(limits, &large, folder.path(), &stop).unwrap(),
                Checked::TooLarge { .. }
            ));
        }
    }

    #[tokio::test]
    async fn git_gets_no_more_memory_for_one_object_either() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            object_bytes: 1 << 20,
            git_bytes: 16 << 20,
            ..USUAL
        };
        let large = bomb(folder.path(), 10);
        let error = index_within(limits, &large, folder.path())
            .await
            .unwrap_err();
        assert_eq!(error.code, "git-object-missing");
        assert!(error.message.contains("limit"), "{}", error.message);
        assert!(large.exists(), "it is not taken");
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
