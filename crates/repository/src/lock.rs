//! restic's lock files: shared for readers and writers, exclusive for whoever removes data.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::Clock;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::crypto::random_bytes;
use crate::{Error, FileKind, Id, Repository, Result};

const REFRESH: Duration = Duration::from_mins(5);
/// restic's: a lock that nobody refreshed for so long has no holder.
pub(crate) const STALE: SignedDuration = SignedDuration::from_mins(30);
/// A prune excludes others for seconds; whoever comes meanwhile had better wait than fail.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at the locks of others, and up to a quarter more, so that two who wait do not stay in step.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Who takes a lock, and whose clock dates it.
#[derive(Clone)]
pub struct Holder {
    pub hostname: String,
    pub username: String,
    pub clock: Arc<dyn Clock>,
    /// How long to wait for others to release a lock that excludes ours.
    pub patience: Duration,
}

impl Holder {
    /// This machine's host name, as restic sees it, and our name.
    pub fn new(username: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname");
        let hostname =
            hostname.map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned());
        Self {
            hostname,
            username: username.into(),
            clock,
            patience: PATIENCE,
        }
    }

    /// The same holder, who waits so long.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

/// A lock file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    pub time: Timestamp,
    pub exclusive: bool,
    #[serde(default)]
    pub hostname: String,
    #[serde(default)]
    pub username: String,
    pub pid: i64,
}

impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "process {} of {} on {} since {}",
            self.pid, self.username, self.hostname, self.time
        )
    }
}

impl LockInfo {
    fn is_stale(&self, holder: &Holder) -> bool {
        holder.clock.now().duration_since(self.time) > STALE
            || (self.hostname == holder.hostname && is_gone(self.pid))
    }
}

/// Whether this machine has no such process; `false` where that cannot be told.
fn is_gone(pid: i64) -> bool {
    std::path::Path::new("/proc/self").exists()
        && !std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// A held lock, refreshed until it is dropped. Call [`LockGuard::release`] to be sure that its file is gone.
pub struct LockGuard {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    stopped: oneshot::Receiver<()>,
}

struct Shared {
    repository: Repository,
    holder: Holder,
    exclusive: bool,
    /// The current file and the time in it; `None` once the lock is lost or released.
    current: Mutex<Option<(Id, Timestamp)>>,
}

/// Fails with [`Error::Locked`] when others hold the repository for longer than the holder's patience.
pub(crate) async fn acquire(
    repository: &Repository,
    holder: &Holder,
    exclusive: bool,
) -> Result<LockGuard> {
    survive_questions()?;
    let mut waited = Duration::ZERO;
    loop {
        match acquire_now(repository, holder, exclusive).await {
            Err(Error::Locked { by }) if waited < holder.patience => {
                if waited.is_zero() {
                    tracing::warn!("waiting for the repository's lock: held by {by}");
                }
                let [random]: [u8; 1] = random_bytes();
                let pause = LOOK_AGAIN + Duration::from_millis(u64::from(random));
                tokio::time::sleep(pause).await;
                waited += pause;
            }
            result => return result,
        }
    }
}

async fn acquire_now(
    repository: &Repository,
    holder: &Holder,
    exclusive: bool,
) -> Result<LockGuard> {
    refuse_conflicts(repository, holder, exclusive, None).await?;
    let shared = Shared {
        repository: repository.clone(),
        holder: holder.clone(),
        exclusive,
        current: Mutex::new(None),
    };
    let (id, time) = shared.write().await?;
    // Whoever locked at the same moment sees our file, or we see theirs.
    if let Err(error) = refuse_conflicts(repository, holder, exclusive, Some(id)).await {
        repository.files().remove(FileKind::Lock, id).await?;
        return Err(error);
    }
    shared.set(Some((id, time)));
    // Only now nobody can remove data: what the index says from here on stays true.
    if let Err(error) = repository.index().refresh().await {
        repository.files().remove(FileKind::Lock, id).await?;
        return Err(error);
    }
    let shared = Arc::new(shared);
    let (stop, mut stopping) = oneshot::channel();
    let (done, stopped) = oneshot::channel::<()>();
    let background = Arc::clone(&shared);
    repository.tasks().spawn(async move {
        while tokio::time::timeout(REFRESH, &mut stopping).await.is_err() {
            if let Err(error) = background.refresh().await {
                tracing::warn!(%error, "the repository lock could not be refreshed");
            }
        }
        if let Err(error) = background.remove().await {
            tracing::warn!(%error, "the repository lock could not be removed");
        }
        // Dropping it tells whoever waits.
        drop(done);
    });
    Ok(LockGuard {
        shared,
        stop: Some(stop),
        stopped,
    })
}

/// `restic unlock` sends SIGHUP to the process that a lock names, to see whether it lives; by default that would end us.
/// Once asked for, tokio's handler stays for the life of the process.
#[cfg(unix)]
fn survive_questions() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::hangup())
        .map(drop)
        .map_err(|error| Error::io("handle SIGHUP", error))
}

#[cfg(not(unix))]
fn survive_questions() -> Result<()> {
    Ok(())
}

async fn refuse_conflicts(
    repository: &Repository,
    holder: &Holder,
    exclusive: bool,
    own: Option<Id>,
) -> Result<()> {
    for (id, info) in list(repository).await? {
        if Some(id) == own {
            continue;
        }
        if info.is_stale(holder) {
            tracing::info!(lock = %info, "removing a stale lock");
            repository.files().remove(FileKind::Lock, id).await?;
        } else if exclusive || info.exclusive {
            return Err(Error::Locked { by: Box::new(info) });
        }
    }
    Ok(())
}

pub(crate) async fn list(repository: &Repository) -> Result<Vec<(Id, LockInfo)>> {
    let mut locks = Vec::new();
    for listed in repository.files().list(FileKind::Lock).await? {
        // restic too takes an empty file for an upload that was cut off.
        if listed.size == 0 {
            continue;
        }
        match repository
            .files()
            .read_json(repository.cipher(), FileKind::Lock, listed.id)
            .await
        {
            Ok(info) => locks.push((listed.id, info)),
            // Released between the listing and now.
            Err(Error::FileMissing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(locks)
}

impl Shared {
    fn get(&self) -> Option<(Id, Timestamp)> {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, current: Option<(Id, Timestamp)>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }

    async fn write(&self) -> Result<(Id, Timestamp)> {
        let info = LockInfo {
            time: self.holder.clock.now(),
            exclusive: self.exclusive,
            hostname: self.holder.hostname.clone(),
            username: self.holder.username.clone(),
            pid: i64::from(std::process::id()),
        };
        let (files, cipher) = (self.repository.files(), self.repository.cipher());
        Ok((
            files.write_json(cipher, FileKind::Lock, &info).await?,
            info.time,
        ))
    }

    /// Writes a new file and removes the old one. A lock that someone removed stays lost.
    async fn refresh(&self) -> Result<()> {
        let (old, _) = self.check().await?;
        let new = self.write().await?;
        if !self.repository.files().exists(FileKind::Lock, old).await? {
            self.set(None);
            self.repository
                .files()
                .remove(FileKind::Lock, new.0)
                .await?;
            return Err(Error::LockLost("someone removed its file"));
        }
        self.set(Some(new));
        if new.0 == old {
            Ok(())
        } else {
            self.repository.files().remove(FileKind::Lock, old).await
        }
    }

    async fn check(&self) -> Result<(Id, Timestamp)> {
        let (id, time) = self
            .get()
            .ok_or(Error::LockLost("someone removed its file"))?;
        if self.holder.clock.now().duration_since(time) > STALE {
            self.set(None);
            self.repository.files().remove(FileKind::Lock, id).await?;
            return Err(Error::LockLost("it was not refreshed for 30 minutes"));
        }
        if !self.repository.files().exists(FileKind::Lock, id).await? {
            self.set(None);
            return Err(Error::LockLost("someone removed its file"));
        }
        Ok((id, time))
    }

    async fn remove(&self) -> Result<()> {
        match self.get() {
            Some((id, _)) => {
                self.set(None);
                self.repository.files().remove(FileKind::Lock, id).await
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("exclusive", &self.shared.exclusive)
            .finish_non_exhaustive()
    }
}

impl LockGuard {
    pub fn is_exclusive(&self) -> bool {
        self.shared.exclusive
    }

    /// Fails if the lock was lost or belongs to another repository.
    pub async fn verify(&self, repository: &Repository) -> Result<()> {
        if repository.id() != self.shared.repository.id() {
            return Err(Error::LockLost("it belongs to another repository"));
        }
        self.shared.check().await.map(drop)
    }

    /// When the storage, by its own clock, took in the lock's file: no later than now, whatever our clock says.
    pub(crate) async fn stored_at(&self) -> Result<Timestamp> {
        let (own, _) = self.shared.check().await?;
        let listed = self.shared.repository.files().list(FileKind::Lock).await?;
        let file = listed.iter().find(|file| file.id == own);
        file.map(|file| file.modified)
            .ok_or(Error::LockLost("someone removed its file"))
    }

    /// Done every 5 minutes on its own.
    pub async fn refresh(&self) -> Result<()> {
        self.shared.refresh().await
    }

    /// Removes the lock's file before it returns.
    pub async fn release(mut self) -> Result<()> {
        self.stop.take();
        // Nothing is ever sent: the end of the task closes the channel.
        if (&mut self.stopped).await.is_ok() {
            return Ok(());
        }
        self.shared.remove().await
    }
}
