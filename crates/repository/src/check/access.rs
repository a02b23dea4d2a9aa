//! What opens a repository: keys and config; and the locks in it.

use super::{CheckReport, ProblemKind, ids, list};
use crate::config::Config;
use crate::crypto::Cipher;
use crate::files::{Files, unseal};
use crate::lock::LockInfo;
use crate::{Error, FileKind, Id, Repository, Result, key};

/// Key files are clear, so that no password is needed to check them.
pub(super) async fn check_keys(files: &Files, report: &mut CheckReport) -> Result<()> {
    let kind = FileKind::Key;
    let listed = list(files, kind, report).await?;
    let copies = files.list_copies(kind).await?;
    for file in &listed {
        match files.read_original(kind, file.id).await {
            Ok(bytes) if key::is_key_file(&bytes) => {}
            Ok(_) => report.add_file(
                ProblemKind::KeyDamaged,
                kind.path(file.id),
                "it is not a key file",
            ),
            // Removed since the listing.
            Err(Error::FileMissing { .. }) => {}
            Err(error) => {
                report.add_error(ProblemKind::KeyDamaged, kind.path(file.id), error)?;
            }
        }
    }
    let (here, copied) = (ids(&listed), ids(&copies));
    report.copies_missing += here.difference(&copied).count() as u64;
    for id in &copied {
        if let Err(error) = files.read_copy(kind, *id).await {
            report.add_error(ProblemKind::CopyDamaged, kind.copy_path(*id), error)?;
        } else if !here.contains(id) {
            let reason =
                "it is gone: it was lost, or another program removed it; its second copy is there";
            report.add_file(ProblemKind::KeyMissing, kind.path(*id), reason);
        }
    }
    if here.is_empty() && copied.is_empty() {
        let reason = "there is no key file: nobody can open the repository";
        report.add_file(ProblemKind::KeyMissing, "keys", reason);
    }
    Ok(())
}

pub(super) async fn check_config(repository: &Repository, report: &mut CheckReport) -> Result<()> {
    let (files, cipher) = (repository.files(), repository.cipher());
    let config = match files.read_config().await {
        Ok(None) => Err(Error::damaged("config", "it does not exist")),
        Ok(Some(sealed)) => Config::open(cipher, &sealed),
        Err(error) => Err(error),
    };
    match files.read_config_copy().await {
        Ok(None) => report.copies_missing += 1,
        Err(error) => report.add_error(ProblemKind::CopyDamaged, "keepward/config", error)?,
        Ok(Some(sealed)) => match (Config::open(cipher, &sealed), &config) {
            (Ok(copy), Ok(config)) if copy == *config => {}
            (Ok(_), Err(_)) => {}
            (Ok(_), Ok(_)) => report.add_file(
                ProblemKind::CopyDamaged,
                "keepward/config",
                "it differs from the config",
            ),
            (Err(error), _) => {
                report.add_error(ProblemKind::CopyDamaged, "keepward/config", error)?;
            }
        },
    }
    match config {
        Ok(_) => Ok(()),
        Err(error) => report.add_error(ProblemKind::ConfigDamaged, "config", error),
    }
}

/// A lock that cannot be read stops writers, since nobody can say whether it excludes them.
pub(super) async fn check_locks(repository: &Repository, report: &mut CheckReport) -> Result<()> {
    let kind = FileKind::Lock;
    for file in repository.files().list(kind).await? {
        match read_lock(repository.files(), repository.cipher(), file.id).await {
            // Released since the listing.
            Ok(_) | Err(Error::FileMissing { .. }) => {}
            Err(error) => {
                report.add_error(ProblemKind::LockDamaged, kind.path(file.id), error)?;
            }
        }
    }
    Ok(())
}

pub(crate) async fn read_lock(files: &Files, cipher: &Cipher, id: Id) -> Result<LockInfo> {
    let at = FileKind::Lock.path(id);
    let sealed = files.read_original(FileKind::Lock, id).await?;
    let json = unseal(cipher, &at, &sealed)?;
    serde_json::from_slice(&json).map_err(|error| Error::damaged(at, error))
}

/// Whether a place without config and keys holds what must have belonged to a repository.
pub(super) async fn has_content(files: &Files) -> Result<bool> {
    for kind in [FileKind::Snapshot, FileKind::Index, FileKind::Pack] {
        if !files.list(kind).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
