//! Reads packs whole: file hash, header against index, and every blob.

use std::collections::HashSet;

use super::{CheckReport, ProblemKind};
use crate::crypto::Cipher;
use crate::fetch::blocking;
use crate::index::file::IndexedPack;
use crate::pack::header;
use crate::{FileKind, Id, Repository, Result};

pub(super) async fn check_pack(
    repository: &Repository,
    pack: &IndexedPack,
    report: &mut CheckReport,
) -> Result<()> {
    let (files, kind) = (repository.files(), FileKind::Pack);
    let bytes = match files.read_unverified(kind, pack.id).await {
        Ok(bytes) => bytes,
        Err(error) => {
            return report.add_error(ProblemKind::PackDamaged, kind.path(pack.id), error);
        }
    };
    report.packs_read += 1;
    report.bytes_read += bytes.len() as u64;
    let (pack, cipher) = (pack.clone(), repository.cipher().clone());
    // Hashing and decrypting 16 MiB takes a while.
    let found = blocking(move || look(&cipher, &pack, &bytes)).await??;
    for problem in found.problems {
        report.add(problem.kind, problem.file, problem.subject, problem.reason);
    }
    Ok(())
}

/// What is wrong with a pack, by its own bytes.
fn look(cipher: &Cipher, pack: &IndexedPack, bytes: &[u8]) -> Result<CheckReport> {
    let mut found = CheckReport::default();
    let file = FileKind::Pack.path(pack.id).to_string();
    let damaged = ProblemKind::PackDamaged;
    if Id::of(bytes) != pack.id {
        found.add_file(damaged, &file, "its hash differs from its name");
    }
    match header::read(cipher, pack.id, bytes) {
        Ok(entries) if entries == pack.entries => {}
        Ok(_) => found.add_file(damaged, &file, "its header differs from the index"),
        Err(error) => found.add_error_in(damaged, Some(file.clone()), "its header", error)?,
    }
    let mut reported = HashSet::new();
    for entry in &pack.entries {
        if let Err(error) = entry.decode_in(cipher, bytes)
            && reported.insert(entry.id)
        {
            let subject = format_args!("{} blob {}", entry.kind, entry.id);
            found.add_error_in(ProblemKind::BlobDamaged, Some(file.clone()), subject, error)?;
        }
    }
    Ok(found)
}
