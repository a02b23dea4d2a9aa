//! What is wrong with the parts of a stored repository: packs and refs by [`prove_repository`], and large files by their names, which are
//! their hashes.

use model::ItemRef;

use super::lfs;
use super::prove::{Proof, prove_repository};
use super::state::{self, State};
use crate::{Inspect, Inspection, Result};

const DAMAGED: &str = "git-pack-damaged";
const INCOMPLETE: &str = "git-incomplete";

/// Adds what is wrong with a stored repository. Nothing is asked of any service.
pub async fn inspect_repository(
    cx: &Inspect<'_>,
    item: &ItemRef,
    found: &mut Inspection,
) -> Result<()> {
    if let Some(refs) = cx.stored.part(item, state::PACKED_REFS).await?
        && let Err(error) = state::parse_refs(&refs)
    {
        found.damage(DAMAGED, state::PACKED_REFS, error.message);
        return Ok(());
    }
    let state = State::load(cx.stored, item).await?;
    if !state.known {
        found.gap(INCOMPLETE, "", "its refs and objects were never read");
        return Ok(());
    }
    let proof = prove_repository(cx.stored, item, cx.work).await?;
    for fault in &proof.faults {
        let code = match fault.code {
            "git-object-missing" => INCOMPLETE,
            _ => DAMAGED,
        };
        found.damage(code, &fault.part, fault.message.clone());
    }
    large_files(cx, item, &state, &proof, found).await
}

async fn large_files(
    cx: &Inspect<'_>,
    item: &ItemRef,
    state: &State,
    proof: &Proof,
    found: &mut Inspection,
) -> Result<()> {
    for oid in state.lfs.keys() {
        let part = lfs::part(oid);
        // Whoever reads all files names one that cannot be read.
        let Some(hash) = lfs::hash(cx.stored, item, oid).await? else {
            continue;
        };
        if hash != *oid {
            let message = format!("the large file {oid} has the SHA-256 {hash}");
            found.damage("large-file-damaged", &part, message);
        }
    }
    for pointer in &proof.lfs {
        let oid = &pointer.oid;
        if state.lfs.contains_key(oid) {
            continue;
        }
        if state.lfs_missing.iter().any(|known| known.oid == *oid) {
            let message = format!("the service did not have the large file {oid}");
            found.note("loss-declared", lfs::MISSING, message);
        } else {
            let message = format!("the large file {oid} is neither stored nor listed as missing");
            found.damage("large-file-missing", &lfs::part(oid), message);
        }
    }
    Ok(())
}
