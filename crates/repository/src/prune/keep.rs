//! Extends the object lock of all that snapshots need, so that no pack is free before the last snapshot that shares it.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use model::Reporter;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::State;
use crate::files::Files;
use crate::progress::Progress;
use crate::{Error, FileKind, Holder, ObjectLock, Repository, Result, files};

const AT_ONCE: usize = 8;
/// When everything was extended last. Encrypted, so that only who has the key can set the time forward.
const NOTE: &str = "keepward/lock-extended";

#[derive(Serialize, Deserialize)]
struct Extended {
    at: Timestamp,
}

impl Repository {
    /// Makes sure that whatever a snapshot needs that is made from now on stays as long as the rule says: call it before each
    /// backup into a repository with object lock, and let the backup fail when it fails. Does something only when part of the
    /// margin is used up. Returns how many files it extended. From now on each commit proves again that what was written for it is held.
    pub async fn keep_locked(
        &self,
        lock: &ObjectLock,
        holder: &Holder,
        reporter: &dyn Reporter,
    ) -> Result<u64> {
        self.hold_by(lock);
        let now = holder.clock.now();
        // A run may take half of the margin.
        let fresh = |at: Timestamp| now.duration_since(at) < lock.rule().margin() / 2 && at <= now;
        if self.extended().await?.is_some_and(fresh) {
            return Ok(0);
        }
        let guard = self.lock_shared(holder).await?;
        let extended = self.extend_all(lock, reporter).await;
        guard.release().await?;
        let count = extended?;
        let json = serde_json::to_vec(&Extended { at: now })
            .map_err(|error| Error::damaged("the note to write", error))?;
        let mut sealed = Vec::new();
        self.cipher().seal(&json, &mut sealed);
        self.files().write_note(&Path::from(NOTE), sealed).await?;
        Ok(count)
    }

    async fn extended(&self) -> Result<Option<Timestamp>> {
        let at = Path::from(NOTE);
        let Some(sealed) = self.files().read_note(&at).await? else {
            return Ok(None);
        };
        // A note that cannot be read says nothing: everything is extended again.
        let json = files::unseal(self.cipher(), &at, &sealed).ok();
        let note = json.and_then(|json| serde_json::from_slice::<Extended>(&json).ok());
        Ok(note.map(|note| note.at))
    }

    async fn extend_all(&self, lock: &ObjectLock, reporter: &dyn Reporter) -> Result<u64> {
        let mut paths = Files::fixed_paths();
        for kind in [FileKind::Key, FileKind::Snapshot, FileKind::Index] {
            for file in self.files().list(kind).await? {
                paths.push(kind.path(file.id));
            }
            if kind.is_kept_twice() {
                let copies = self.files().list_copies(kind).await?;
                paths.extend(copies.iter().map(|file| kind.copy_path(file.id)));
            }
        }
        let packs = State::live_packs(self, reporter).await?;
        paths.extend(packs.into_iter().map(|id| FileKind::Pack.path(id)));
        let mut progress = Progress::begin(reporter, "extend", Some(paths.len() as u64));
        let count = paths.len() as u64;
        let mut extended = stream::iter(paths)
            .map(|path| async move {
                let done = lock.extend(&path).await;
                done.map_err(|error| {
                    Error::storage(format_args!("extend the lock of {path}"), error)
                })
            })
            .buffer_unordered(AT_ONCE);
        while extended.try_next().await?.is_some() {
            progress.add(1, 0);
        }
        Ok(count)
    }
}
