//! Reads packs whole: file hash, header against index, and every blob.

use std::collections::HashSet;

use super::{CheckReport, ProblemKind, note_damage};
use crate::index::file::IndexedPack;
use crate::pack::header;
use crate::{Error, FileKind, Repository, Result};

pub(super) async fn check_pack(
    repository: &Repository,
    pack: &IndexedPack,
    report: &mut CheckReport,
) -> Result<()> {
    let subject = format!("pack {}", pack.id);
    let bytes = match repository
        .files()
        .read_unverified(FileKind::Pack, pack.id)
        .await
    {
        Ok(bytes) => bytes,
        Err(error) => return note_damage(report, ProblemKind::PackDamaged, subject, error),
    };
    report.packs_read += 1;
    report.bytes_read += bytes.len() as u64;
    let (pack, cipher) = (pack.clone(), repository.cipher().clone());
    // Hashing and decrypting 16 MiB takes a while.
    let work = move || {
        let mut found = CheckReport::default();
        if crate::Id::of(&bytes) != pack.id {
            found.add(
                ProblemKind::PackDamaged,
                &subject,
                "its hash differs from its name",
            );
        }
        match header::read(&cipher, pack.id, &bytes) {
            Ok(entries) if entries == pack.entries => {}
            Ok(_) => found.add(
                ProblemKind::PackDamaged,
                &subject,
                "its header differs from the index",
            ),
            Err(error) => note_damage(&mut found, ProblemKind::PackDamaged, &subject, error)?,
        }
        let mut reported = HashSet::new();
        for entry in &pack.entries {
            let range = entry.offset as usize..(entry.offset as usize + entry.length as usize);
            let Some(sealed) = bytes.get(range) else {
                found.add(
                    ProblemKind::BlobDamaged,
                    format_args!("blob {}", entry.id),
                    "it lies beyond its pack's end",
                );
                continue;
            };
            if let Err(error) = entry.decode(&cipher, sealed)
                && reported.insert(entry.id)
            {
                note_damage(
                    &mut found,
                    ProblemKind::BlobDamaged,
                    format_args!("blob {}", entry.id),
                    error,
                )?;
            }
        }
        Ok::<_, Error>(found.problems)
    };
    let problems = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::io("check a pack", error.into()))??;
    report.problems.extend(problems);
    Ok(())
}
