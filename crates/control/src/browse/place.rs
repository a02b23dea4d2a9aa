//! The folder of what is laid out: private, gone with this process, and cleared away by the next one after a crash.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "keepward-browse-";
/// Held as long as its folder is in use.
const LOCK: &str = "lock";

pub(super) struct Place {
    folder: TempDir,
    _lock: File,
}

impl Place {
    pub(super) fn make(work: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(work)?;
        let owner = fs::metadata(folder.path())?.uid();
        for entry in fs::read_dir(work)? {
            let entry = entry?;
            let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
            if named && entry.path() != folder.path() {
                clear(&entry.path(), owner);
            }
        }
        // Nobody else sees the lock before it is held.
        let new = folder.path().join("lock.new");
        let lock = File::create_new(&new)?;
        lock.lock()?;
        fs::rename(&new, folder.path().join(LOCK))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes what a killed process of ours left.
fn clear(left: &Path, owner: u32) {
    let ours = fs::symlink_metadata(left).is_ok_and(|left| left.is_dir() && left.uid() == owner);
    if !ours {
        return;
    }
    let free = File::open(left.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
    if free && let Err(error) = fs::remove_dir_all(left) {
        tracing::debug!(%error, "an old folder for browsing stays");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_cleared_away_and_nothing_else() {
        let work = tempfile::tempdir().unwrap();
        let used = Place::make(work.path()).unwrap();
        let left = work.path().join("keepward-browse-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), b"").unwrap();
        fs::write(left.join("large"), b"x").unwrap();
        let being_made = work.path().join("keepward-browse-new");
        fs::create_dir(&being_made).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join(LOCK), b"").unwrap();
        let link = work.path().join("keepward-browse-link");
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        Place::make(work.path()).unwrap();
        assert!(!left.exists());
        assert!(used.path().exists() && being_made.exists() && elsewhere.path().exists());
    }
}
