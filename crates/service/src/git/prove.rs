//! Proving a stored repository: every pack is unpacked and hashed again, and what is stored is looked at as a whole.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use model::{Class, ItemRef};
use tokio::fs;

use super::closure::mentions;
use super::fetch::disk;
use super::index::{Indexed, index};
use super::state::{self, State};
use super::{Oid, Packs, Pointer};
use crate::{Error, Result, Stored};

/// What re-reading a stored repository showed.
#[derive(Clone, Default)]
pub struct Proof {
    pub packs: usize,
    /// Of all packs; one that two packs hold counts twice.
    pub objects: u64,
    /// The large files that stored pointers name, each once. Whether their contents are stored is not looked at.
    pub lfs: BTreeSet<Pointer>,
    /// None when the repository is whole.
    pub faults: Vec<Fault>,
    /// Indexes made anew from the packs; their files are gone when [`prove_repository`] returns, their content is not.
    pub(super) known: Packs,
}

/// Something wrong with a stored repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The part, or empty for the repository as a whole.
    pub part: String,
    /// `git-object-missing` or `repository-damaged`.
    pub code: &'static str,
    pub message: String,
}

/// Reads all packs of a repository back, one at a time in `work`: each object has the hash that is its name, the stored indexes say the same,
/// and nothing that a ref or an object refers to is missing. Nothing is asked of any service.
///
/// An error is about our own disk, never about the repository.
pub async fn prove_repository(stored: &dyn Stored, item: &ItemRef, work: &Path) -> Result<Proof> {
    let state = State::load(stored, item).await?;
    let folder = tempfile::tempdir_in(work).map_err(|e| disk(work, e))?;
    let mut proof = Proof::default();
    for part in &state.halves {
        proof.fault(
            part,
            "repository-damaged",
            "a pack and its index belong together, and one of them is not there",
        );
    }
    let mut wanted: HashSet<Oid> = state.refs.values().copied().collect();
    let mut made = Vec::new();
    for name in state.packs.keys() {
        match reread(stored, item, name, folder.path()).await {
            Ok(read) => {
                proof.packs += 1;
                proof.objects += u64::from(read.indexed.objects);
                for (part, message) in read.faults {
                    proof.fault(&part, "repository-damaged", message);
                }
                wanted.extend(read.wanted);
                proof.lfs.extend(read.lfs);
                made.extend((read.indexed.objects > 0).then_some(read.indexed.idx));
            }
            Err(error) if is_of_the_pack(&error) => {
                proof.fault(&state::pack_part(name), "repository-damaged", error.message);
            }
            Err(error) => return Err(error),
        }
    }
    proof.known = Packs::open(made)?;
    let missing: BTreeSet<Oid> = wanted
        .into_iter()
        .filter(|id| !proof.known.contains(id))
        .collect();
    if let Some(first) = missing.first() {
        let message = format!(
            "{} objects that refs or other objects refer to are not stored, {first} among them",
            missing.len()
        );
        proof.fault("", "git-object-missing", message);
    }
    Ok(proof)
}

impl Proof {
    fn fault(&mut self, part: &str, code: &'static str, message: impl Into<String>) {
        self.faults.push(Fault {
            part: part.to_owned(),
            code,
            message: message.into(),
        });
    }
}

/// A full disk says nothing about a pack.
fn is_of_the_pack(error: &Error) -> bool {
    matches!(error.class, Class::Malformed | Class::Missing) || error.code == "repository-damaged"
}

struct Read {
    indexed: Indexed,
    /// What its objects refer to beyond itself.
    wanted: Vec<Oid>,
    lfs: Vec<Pointer>,
    /// Part and what is wrong with it.
    faults: Vec<(String, &'static str)>,
}

async fn reread(stored: &dyn Stored, item: &ItemRef, name: &str, folder: &Path) -> Result<Read> {
    let (pack_part, idx_part) = (state::pack_part(name), state::idx_part(name));
    let (pack, idx): (PathBuf, PathBuf) = (folder.join("stored.pack"), folder.join("stored.idx"));
    state::copy(stored, item, &pack_part, &pack).await?;
    state::copy(stored, item, &idx_part, &idx).await?;
    let indexed = index(&pack, folder).await?;
    let mut faults = Vec::new();
    if indexed.name != name {
        faults.push((pack_part, "it is another pack than its name says"));
    }
    if indexed.objects == 0 {
        return Ok(Read {
            indexed,
            wanted: Vec::new(),
            lfs: Vec::new(),
            faults,
        });
    }
    if !same_content(&idx, &indexed.idx).await? {
        faults.push((idx_part, "it does not say what the pack holds"));
    }
    let mentions = mentions(&indexed).await?;
    let own = Packs::open([&indexed.idx])?;
    let wanted = mentions
        .ids
        .iter()
        .filter(|id| !own.contains(id))
        .copied()
        .collect();
    let lfs = mentions.pointers().collect();
    fs::remove_file(&indexed.pack)
        .await
        .map_err(|e| disk(&indexed.pack, e))?;
    Ok(Read {
        indexed,
        wanted,
        lfs,
        faults,
    })
}

/// Of two indexes: git and we write the same bytes for the same pack.
async fn same_content(a: &Path, b: &Path) -> Result<bool> {
    Ok(fs::read(a).await.map_err(|e| disk(a, e))? == fs::read(b).await.map_err(|e| disk(b, e))?)
}
