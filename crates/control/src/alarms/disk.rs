//! How full a disk is; one that hangs holds up nobody.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::StorageFact;

/// A disk that takes longer to say how full it is does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Folders that a thread waits for: each look would leave another one behind.
static WAITED_FOR: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Told(StorageFact),
    /// It is not there or cannot be asked: another alarm tells of backups that fail.
    Nothing,
    /// A network file system whose server is gone.
    Silent,
}

pub(super) async fn ask(folder: &Path) -> Asked {
    ask_with(folder, statvfs, PATIENCE).await
}

async fn ask_with(
    folder: &Path,
    how: fn(&Path) -> Option<StorageFact>,
    patience: Duration,
) -> Asked {
    let lock = || WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner);
    if !lock().insert(folder.to_owned()) {
        return Asked::Silent;
    }
    let (tell, told) = oneshot::channel();
    let place = folder.to_owned();
    // Not one of the runtime's: its end would wait for the disk.
    std::thread::spawn(move || {
        let fact = how(&place);
        lock().remove(&place);
        if tell.send(fact).is_err() {
            tracing::debug!(folder = %place.display(), "a disk answered too late");
        }
    });
    match tokio::time::timeout(patience, told).await {
        Ok(Ok(Some(fact))) => Asked::Told(fact),
        Ok(_) => Asked::Nothing,
        Err(_) => Asked::Silent,
    }
}

#[cfg(unix)]
fn statvfs(folder: &Path) -> Option<StorageFact> {
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    let block = found.fragment_size();
    Some(StorageFact {
        total: found.blocks().saturating_mul(block),
        free: found.blocks_available().saturating_mul(block),
    })
}

#[cfg(not(unix))]
fn statvfs(_: &Path) -> Option<StorageFact> {
    None
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    static HANGS: AtomicBool = AtomicBool::new(true);

    #[tokio::test]
    async fn a_disk_that_hangs_is_named_and_asked_by_one_thread_alone() {
        const FULL: StorageFact = StorageFact { total: 9, free: 0 };
        let (folder, short) = (Path::new("/a disk that hangs"), Duration::from_millis(20));
        let hanging = |_: &Path| {
            while HANGS.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            Some(FULL)
        };
        assert_eq!(ask_with(folder, hanging, short).await, Asked::Silent);
        let never = |_: &Path| -> Option<StorageFact> { panic!("it is being asked") };
        assert_eq!(ask_with(folder, never, short).await, Asked::Silent);
        HANGS.store(false, Ordering::SeqCst);
        // It is back: as soon as the thread is, it is asked again.
        let back = async {
            while ask_with(folder, hanging, PATIENCE).await != Asked::Told(FULL) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), back)
            .await
            .unwrap();
        let nothing = ask_with(Path::new("/nothing"), |_| None, PATIENCE).await;
        assert_eq!(nothing, Asked::Nothing);
    }
}
