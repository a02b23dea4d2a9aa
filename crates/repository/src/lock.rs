//! restic's lock files: shared for readers and writers, exclusive for whoever removes data.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::{Clock, Event, Reporter};
use serde::{Deserialize, Serialize};
use tokio::sync::{SetOnce, oneshot};
use tokio_util::task::TaskTracker;

use crate::crypto::random_bytes;
use crate::{Error, FileKind, Id, Repository, Result};

const REFRESH: Duration = Duration::from_mins(5);
/// restic's: a lock that nobody refreshed for so long has no holder.
pub(crate) const STALE: SignedDuration = SignedDuration::from_mins(30);
/// A prune excludes others for seconds; whoever comes meanwhile had better wait than fail.
const PATIENCE: Duration = Duration::from_mins(2);
/// Why a lock's file is gone, which nobody says.
const REMOVED: &str = "someone removed its file, by hand or taking it for stale: so does a machine whose clock is half an hour off";
/// By then others have taken it for stale.
const UNREFRESHED: &str = "it was not refreshed for 30 minutes";
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
    /// Where `pid` means something; restic writes none, and ignores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<String>,
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
            || (self.processes.is_some() && self.processes == processes() && is_gone(self.pid))
    }
}

/// The processes that this one can ask about: those of this start of the machine, in this container. A host name says neither.
fn processes() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// Whether there is no such process. One of another user is there: `/proc` may hide it, the kernel does not.
#[cfg(unix)]
fn is_gone(pid: i64) -> bool {
    use nix::errno::Errno;
    use nix::sys::signal::kill;
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0);
    pid.is_some_and(|pid| kill(nix::unistd::Pid::from_raw(pid), None) == Err(Errno::ESRCH))
}

#[cfg(not(unix))]
fn is_gone(_: i64) -> bool {
    false
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
    /// Why it was lost, once that is known.
    lost: SetOnce<&'static str>,
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

/// The lock of a job that reads. Where none can be written, as on a full disk or where a repository is mounted read-only, there is nothing in
/// it: what is stored can be read all the same, and damage must be looked for.
pub struct ReadLock(Option<LockGuard>);

pub(crate) async fn acquire_to_read(
    repository: &Repository,
    holder: &Holder,
    reporter: &dyn Reporter,
) -> Result<ReadLock> {
    match acquire(repository, holder, false).await {
        Ok(lock) => Ok(ReadLock(Some(lock))),
        // Whoever excludes us removes data.
        Err(error @ (Error::Locked { .. } | Error::LockLost(_) | Error::IndexReplaced)) => {
            Err(error)
        }
        Err(error) => {
            reporter.report(Event::Note {
                message: format!("read without a lock: {error}"),
            });
            Ok(ReadLock(None))
        }
    }
}

impl ReadLock {
    /// Removes the lock's file before it returns.
    pub async fn release(self) -> Result<()> {
        match self.0 {
            Some(lock) => lock.release().await,
            None => Ok(()),
        }
    }
}

async fn acquire_now(
    repository: &Repository,
    holder: &Holder,
    exclusive: bool,
) -> Result<LockGuard> {
    refuse_conflicts(repository, holder, exclusive, None).await?;
    let lock = LockGuard::write(Shared {
        repository: repository.clone(),
        holder: holder.clone(),
        exclusive,
        current: Mutex::new(None),
        lost: SetOnce::new(),
    })
    .await?;
    match lock.settle().await {
        Ok(()) => Ok(lock),
        Err(error) => {
            lock.release().await?;
            Err(error)
        }
    }
}

/// One token for each lock of this process that is held, or whose file is on its way into or out of its repository.
static HELD: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// Waits until the files of all locks that this process has dropped are gone, in whatever repository: a command that is cut short
/// drops its locks, and the process must not end before. Forever while a lock is held.
pub async fn locks_given_back() {
    HELD.close();
    HELD.wait().await;
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

    /// Refreshes the lock until `stopping`, and removes it.
    async fn keep(&self, mut stopping: oneshot::Receiver<()>) {
        while tokio::time::timeout(REFRESH, &mut stopping).await.is_err() {
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "the repository lock could not be refreshed");
            }
        }
        if let Err(error) = self.remove().await {
            tracing::warn!(%error, "the repository lock could not be removed");
        }
    }

    async fn write(&self) -> Result<(Id, Timestamp)> {
        let info = LockInfo {
            time: self.holder.clock.now(),
            exclusive: self.exclusive,
            hostname: self.holder.hostname.clone(),
            username: self.holder.username.clone(),
            pid: i64::from(std::process::id()),
            processes: processes(),
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
            return Err(self.lose(REMOVED, Some(new.0)).await);
        }
        self.set(Some(new));
        if new.0 == old {
            Ok(())
        } else {
            self.repository.files().remove(FileKind::Lock, old).await
        }
    }

    async fn check(&self) -> Result<(Id, Timestamp)> {
        let Some((id, time)) = self.get() else {
            // Found lost again, it is lost for the same reason.
            let why = self.lost.get().copied();
            return Err(Error::LockLost(why.unwrap_or(REMOVED)));
        };
        if self.holder.clock.now().duration_since(time) > STALE {
            return Err(self.lose(UNREFRESHED, Some(id)).await);
        }
        if !self.repository.files().exists(FileKind::Lock, id).await? {
            return Err(self.lose(REMOVED, None).await);
        }
        Ok((id, time))
    }

    /// Lost for good, for the reason that was found first, even where our own file cannot be removed any more.
    async fn lose(&self, why: &'static str, left: Option<Id>) -> Error {
        drop(self.lost.set(why));
        self.set(None);
        if let Some(id) = left
            && let Err(error) = self.repository.files().remove(FileKind::Lock, id).await
        {
            tracing::warn!(%error, "the file of a lost lock could not be removed");
        }
        Error::LockLost(why)
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
    /// Writes the lock's file in a task of its own: whoever is dropped while that lasts leaves no file either.
    async fn write(shared: Shared) -> Result<Self> {
        let shared = Arc::new(shared);
        let (stop, stopping) = oneshot::channel();
        let (tell, written) = oneshot::channel();
        let (done, stopped) = oneshot::channel::<()>();
        let (background, held) = (Arc::clone(&shared), HELD.token());
        shared.repository.tasks().spawn(async move {
            let first = background.write().await;
            let current = first.as_ref().ok().copied();
            background.set(current);
            // Nobody may wait for it any more.
            drop(tell.send(first.map(drop)));
            if current.is_some() {
                background.keep(stopping).await;
            }
            // Dropping them tells whoever waits.
            drop((done, held));
        });
        let lock = Self {
            shared,
            stop: Some(stop),
            stopped,
        };
        let ended = |_| Error::io("write a lock", std::io::Error::other("its task ended"));
        written.await.map_err(ended)??;
        Ok(lock)
    }

    /// Whoever locked at the same moment sees our file, or we see theirs.
    async fn settle(&self) -> Result<()> {
        let Shared {
            repository,
            holder,
            exclusive,
            ..
        } = &*self.shared;
        let own = self.shared.get().map(|(id, _)| id);
        refuse_conflicts(repository, holder, *exclusive, own).await?;
        // Only now nobody can remove data: what the index says from here on stays true.
        repository.index().refresh().await
    }

    pub(crate) fn is_exclusive(&self) -> bool {
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
            .ok_or(Error::LockLost(REMOVED))
    }

    /// Done every 5 minutes on its own.
    pub async fn refresh(&self) -> Result<()> {
        self.shared.refresh().await
    }

    /// Ends once it is known that the lock was lost: what is not committed by then cannot be any more, and what is committed stands.
    pub async fn lost(&self) -> Error {
        Error::LockLost(self.shared.lost.wait().await)
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    struct At(Timestamp);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    #[test]
    fn a_process_counts_as_gone_only_where_that_can_be_told() {
        let holder = Holder::new("keepward", Arc::new(At(Timestamp::UNIX_EPOCH)));
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        let pid = i64::from(ended.id());
        ended.wait().unwrap();
        let lock = |pid: i64, processes: Option<String>| LockInfo {
            time: Timestamp::UNIX_EPOCH,
            exclusive: true,
            hostname: holder.hostname.clone(),
            username: "root".to_owned(),
            pid,
            processes,
        };
        assert!(lock(pid, processes()).is_stale(&holder), "it has ended");
        let own = i64::from(std::process::id());
        assert!(!lock(own, processes()).is_stale(&holder));
        assert!(
            !lock(pid, None).is_stale(&holder),
            "restic's, or of an older program: it may be in another container with this host name"
        );
        let elsewhere = Some("another boot pid:[4026531836]".to_owned());
        assert!(!lock(pid, elsewhere).is_stale(&holder));
        // Of another user, or of anybody on a system that hides them: it answers that we may not, not that it is not there.
        assert!(!is_gone(1));
        assert!(!is_gone(0) && !is_gone(-1) && !is_gone(i64::MAX));
    }
}
