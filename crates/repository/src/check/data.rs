//! Reads packs whole: file hash, header against index, and every blob.

use std::collections::HashSet;

use super::{CheckReport, ProblemKind};
use crate::index::file::IndexedPack;
use crate::pack::header;
use crate::{Error, FileKind, Repository, Result};

pub(super) async fn check_pack(
    repository: &Repository,
    pack: &IndexedPack,
    report: &mut CheckReport,
) -> Result<()> {
    let file = FileKind::Pack.path(pack.id).to_string();
    let bytes = match repository
        .files()
        .read_unverified(FileKind::Pack, pack.id)
        .await
    {
        Ok(bytes) => bytes,
        Err(error) => return report.add_error(ProblemKind::PackDamaged, file, error),
    };
    report.packs_read += 1;
    report.bytes_read += bytes.len() as u64;
    let (pack, cipher) = (pack.clone(), repository.cipher().clone());
    // Hashing and decrypting 16 MiB takes a while.
    let work = move || {
        let mut found = CheckReport::default();
        if crate::Id::of(&bytes) != pack.id {
            let reason = "its hash differs from its name";
            found.add_file(ProblemKind::PackDamaged, &file, reason);
        }
        match header::read(&cipher, pack.id, &bytes) {
            Ok(entries) if entries == pack.entries => {}
            Ok(_) => {
                let reason = "its header differs from the index";
                found.add_file(ProblemKind::PackDamaged, &file, reason);
            }
            Err(error) => found.add_error_in(
                ProblemKind::PackDamaged,
                Some(file.clone()),
                "its header",
                error,
            )?,
        }
        let mut reported = HashSet::new();
        for entry in &pack.entries {
            let range = entry.offset as usize..(entry.offset as usize + entry.length as usize);
            let Some(sealed) = bytes.get(range) else {
                let reason = "it lies beyond its pack's end";
                found.add(
                    ProblemKind::BlobDamaged,
                    Some(file.clone()),
                    format_args!("{} blob {}", entry.kind, entry.id),
                    reason,
                );
                continue;
            };
            if let Err(error) = entry.decode(&cipher, sealed)
                && reported.insert(entry.id)
            {
                found.add_error_in(
                    ProblemKind::BlobDamaged,
                    Some(file.clone()),
                    format_args!("{} blob {}", entry.kind, entry.id),
                    error,
                )?;
            }
        }
        Ok::<_, Error>(found.problems)
    };
    let problems = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::io("check a pack", error.into()))??;
    for problem in problems {
        report.add(problem.kind, problem.file, problem.subject, problem.reason);
    }
    Ok(())
}
