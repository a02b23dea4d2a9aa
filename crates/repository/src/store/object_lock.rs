//! Files that nobody can change or remove for a time: S3's object lock.
//!
//! Each write asks for the retention and reads back that it got it. A pack that an old snapshot shares with a new one must be
//! held as long as the new one: [`crate::Repository::keep_locked`] extends what is needed, before the margin is used up that
//! each file gets on top of the rule.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use model::Clock;
use object_store::path::Path;
use object_store::{
    Error as StoreError, PutMode, PutOptions, PutPayload, PutResult, Result as StoreResult,
};
use serde::{Deserialize, Serialize};

use super::Bucket;
use super::s3_request::{Answer, Ask, Requests, failed};
use crate::{Error, Result};

/// How fast a lock holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// Identities with a permission of their own can lift it.
    Governance,
    /// Nobody can lift it, the account's owner included.
    Compliance,
}

impl LockMode {
    fn word(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// What was asked for: each snapshot and all that it needs stay for `keep` after it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectLockRule {
    pub mode: LockMode,
    pub keep: SignedDuration,
}

impl ObjectLockRule {
    /// For so long a file can be shared with new snapshots before its retention has to be extended.
    pub(crate) fn margin(self) -> SignedDuration {
        self.keep / 4
    }
}

/// A bucket whose object lock was proved. Cheap to clone.
#[derive(Clone)]
pub struct ObjectLock(Arc<Inner>);

struct Inner {
    requests: Requests,
    place: String,
    rule: ObjectLockRule,
    clock: Arc<dyn Clock>,
    /// What was written since the last commit.
    written: Mutex<BTreeSet<Path>>,
    /// What others wrote before, and a snapshot that is being made needs: perhaps no snapshot did until now, so that nobody extended its lock.
    relied_on: Mutex<BTreeSet<Path>>,
}

/// How a version of a file is held.
struct Held {
    version: String,
    mode: Option<String>,
    until: Option<Timestamp>,
}

/// Why a file was not removed.
#[derive(Debug, thiserror::Error)]
#[error("it is locked until {until}")]
pub(crate) struct LockedUntil {
    pub(crate) until: Timestamp,
}

/// Requests at the same time.
const AT_ONCE: usize = 8;
const PROBE: &str = "keepward/lock-probe";
/// A probe is renewed after so long, so that few of them lie about.
const PROBE_LASTS: SignedDuration = SignedDuration::from_hours(24);

impl ObjectLock {
    pub(super) fn new(
        bucket: &Bucket,
        requests: Requests,
        rule: ObjectLockRule,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            requests,
            place: bucket.to_string(),
            rule,
            clock,
            written: Mutex::default(),
            relied_on: Mutex::default(),
        }))
    }

    pub fn rule(&self) -> ObjectLockRule {
        self.0.rule
    }

    /// Everything but what has to change: locks, and the notes about the object lock itself.
    pub(super) fn protects(at: &Path) -> bool {
        let first = at.parts().next();
        let first = first.as_ref().map(AsRef::as_ref);
        first != Some("locks") && !(at.as_ref().starts_with("keepward/lock-"))
    }

    /// Index files may be hidden before their time: all that they say is in the packs, and in the index that follows them.
    pub(super) fn guards_removal(at: &Path) -> bool {
        let first = at.parts().next();
        Self::protects(at) && first.as_ref().map(AsRef::as_ref) != Some("index")
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Until when a file that is written or extended now has to be held.
    fn until(&self) -> StoreResult<Timestamp> {
        self.now()
            .checked_add(self.0.rule.keep + self.0.rule.margin())
            .map_err(failed)
    }

    /// Proves that the bucket keeps locks: its configuration says so, a file gets its retention, and cannot be removed.
    pub async fn prove(&self) -> Result<()> {
        let failing = |reason: String| Error::NotImmutable {
            place: self.0.place.clone(),
            reason,
        };
        let ask = Ask {
            method: "GET",
            query: "?object-lock=".to_owned(),
            ..Ask::default()
        };
        let answer = self
            .ask("read the object lock's configuration", &ask)
            .await?;
        let enabled = String::from_utf8_lossy(&answer.body)
            .contains("<ObjectLockEnabled>Enabled</ObjectLockEnabled>");
        if answer.status != 200 || !enabled {
            return Err(failing(format!(
                "the bucket was not made with object lock ({})",
                answer.reason()
            )));
        }
        let probe = Path::from(PROBE);
        let mut held = self
            .head(&probe)
            .await
            .map_err(|error| self.storage(error))?;
        if held.as_ref().and_then(|held| held.until) <= Some(self.now()) {
            // An old one has served its time.
            if let Some(old) = &held {
                self.remove_version(&probe, &old.version).await?;
            }
            held = Some(self.write_probe(&probe).await?);
        }
        let Some(held) = held else {
            return Err(failing("a written file cannot be found".to_owned()));
        };
        if held.mode.as_deref() != Some(self.0.rule.mode.word()) {
            return Err(failing(format!(
                "a file that was written in {} mode is held in {} mode",
                self.0.rule.mode.word(),
                held.mode.as_deref().unwrap_or("no")
            )));
        }
        let removed = self.remove_version(&probe, &held.version).await?;
        if removed.status < 400 {
            return Err(failing("a locked file could be removed".to_owned()));
        }
        if removed.status != 403 && removed.status != 409 {
            return Err(failing(format!(
                "removing a locked file ends with {}",
                removed.reason()
            )));
        }
        Ok(())
    }

    async fn write_probe(&self, at: &Path) -> Result<Held> {
        let until = self
            .now()
            .checked_add(self.0.rule.keep.min(PROBE_LASTS))
            .map_err(|error| self.storage(failed(error)))?;
        let payload =
            PutPayload::from_static(b"Keepward proves with this file that nobody can remove it.");
        self.put_until(at, payload, &PutOptions::default(), until)
            .await
            .map_err(|error| Error::NotImmutable {
                place: self.0.place.clone(),
                reason: error.to_string(),
            })?;
        let held = self.head(at).await.map_err(|error| self.storage(error))?;
        held.ok_or_else(|| Error::NotImmutable {
            place: self.0.place.clone(),
            reason: "a written file cannot be found".to_owned(),
        })
    }

    async fn remove_version(&self, at: &Path, version: &str) -> Result<Answer> {
        let ask = Ask {
            method: "DELETE",
            at: Some(at),
            query: format!("?versionId={version}"),
            ..Ask::default()
        };
        self.ask("try to remove a locked file", &ask).await
    }

    async fn ask(&self, action: &str, ask: &Ask<'_>) -> Result<Answer> {
        let sent = self.0.requests.send(ask).await;
        sent.map_err(|error| Error::storage(action, error))
    }

    fn storage(&self, error: StoreError) -> Error {
        Error::storage(
            format_args!("prove the object lock of {}", self.0.place),
            error,
        )
    }

    /// Writes a file under the rule, and reads back that it is held.
    pub(super) async fn put(
        &self,
        at: &Path,
        payload: PutPayload,
        options: &PutOptions,
    ) -> StoreResult<PutResult> {
        let put = self.put_until(at, payload, options, self.until()?).await?;
        self.written().insert(at.clone());
        Ok(put)
    }

    fn written(&self) -> MutexGuard<'_, BTreeSet<Path>> {
        self.0
            .written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn relied_on(&self) -> MutexGuard<'_, BTreeSet<Path>> {
        let set = self.0.relied_on.lock();
        set.unwrap_or_else(PoisonError::into_inner)
    }

    /// The next snapshot needs this file too.
    pub(crate) fn rely_on(&self, at: Path) {
        self.relied_on().insert(at);
    }

    /// Proves once more that all that was written is held, and with it what is relied on, as long as a snapshot has to be that is made now.
    pub(crate) async fn prove_needed(&self) -> Result<()> {
        let needed = self.now().checked_add(self.0.rule.keep);
        let needed = second(needed.map_err(|error| self.storage(failed(error)))?);
        let (written, relied_on) = (self.written().clone(), self.relied_on().clone());
        let files = relied_on.union(&written).cloned().collect::<Vec<_>>();
        let own = &written;
        stream::iter(files)
            .map(|at| async move { self.prove_held(&at, own.contains(&at), needed).await })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        self.written().retain(|at| !written.contains(at));
        self.relied_on().retain(|at| !relied_on.contains(at));
        Ok(())
    }

    /// What we wrote ourselves was held in the right mode; another run may have written without a lock.
    async fn prove_held(&self, at: &Path, own: bool, needed: Timestamp) -> Result<()> {
        let held = self.head(at).await.map_err(|error| self.storage(error))?;
        let right = |held: &Held| held.mode.as_deref() == Some(self.0.rule.mode.word());
        let reason = match held {
            None => "is gone",
            Some(held) if own && !right(&held) => {
                "is not held any more in the mode that was asked for"
            }
            Some(held) if right(&held) && held.until >= Some(needed) => return Ok(()),
            // A long run has used the margin up, or nothing needed it for a while.
            Some(_) => match self.extend(at).await {
                Ok(()) => return Ok(()),
                Err(_) => "is not held for long enough, and that cannot be extended",
            },
        };
        Err(Error::NotImmutable {
            place: self.0.place.clone(),
            reason: format!("{at}, which was written before, {reason}"),
        })
    }

    async fn put_until(
        &self,
        at: &Path,
        payload: PutPayload,
        options: &PutOptions,
        until: Timestamp,
    ) -> StoreResult<PutResult> {
        let mut headers = vec![
            ("x-amz-object-lock-mode", self.0.rule.mode.word().to_owned()),
            ("x-amz-object-lock-retain-until-date", date(until)),
        ];
        if options.mode == PutMode::Create {
            headers.push(("if-none-match", "*".to_owned()));
        }
        let ask = Ask {
            method: "PUT",
            at: Some(at),
            headers,
            body: payload.into(),
            ..Ask::default()
        };
        let answer = self.0.requests.send(&ask).await?;
        match answer.status {
            200 => {}
            412 => {
                return Err(StoreError::AlreadyExists {
                    path: at.to_string(),
                    source: answer.reason().into(),
                });
            }
            _ => return Err(failed(answer.reason())),
        }
        let held = self.head(at).await?;
        if held.and_then(|held| held.until) < Some(second(until)) {
            return Err(failed(format!(
                "{at} was written but is not locked: the storage ignores retention"
            )));
        }
        Ok(PutResult {
            e_tag: answer.header("etag").map(str::to_owned),
            version: answer.header("x-amz-version-id").map(str::to_owned),
            extensions: object_store::Extensions::default(),
        })
    }

    /// Holds a file as long as one that is written now.
    pub(crate) async fn extend(&self, at: &Path) -> StoreResult<()> {
        let until = self.until()?;
        let retention = format!(
            "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{}</Mode><RetainUntilDate>{}</RetainUntilDate></Retention>",
            self.0.rule.mode.word(),
            date(until)
        );
        let ask = Ask {
            method: "PUT",
            at: Some(at),
            query: "?retention=".to_owned(),
            body: retention.into(),
            ..Ask::default()
        };
        let answer = self.0.requests.send(&ask).await?;
        if answer.status == 200 {
            return Ok(());
        }
        // It may be held for longer than we ask, which nobody can shorten.
        match self.head(at).await? {
            Some(held) if held.until >= Some(second(until)) => Ok(()),
            _ => Err(failed(format!(
                "the retention of {at} cannot be extended: {}",
                answer.reason()
            ))),
        }
    }

    /// Removes a file for good, unless it is held.
    pub(super) async fn remove(&self, at: &Path) -> StoreResult<()> {
        let Some(held) = self.head(at).await? else {
            return Ok(());
        };
        if let Some(until) = held.until.filter(|until| *until > self.now()) {
            return Err(StoreError::PermissionDenied {
                path: at.to_string(),
                source: Box::new(LockedUntil { until }),
            });
        }
        let ask = Ask {
            method: "DELETE",
            at: Some(at),
            query: format!("?versionId={}", held.version),
            ..Ask::default()
        };
        let answer = self.0.requests.send(&ask).await?;
        self.written().remove(at);
        match answer.status {
            200..=299 | 404 => Ok(()),
            _ => Err(failed(answer.reason())),
        }
    }

    async fn head(&self, at: &Path) -> StoreResult<Option<Held>> {
        let ask = Ask {
            method: "HEAD",
            at: Some(at),
            ..Ask::default()
        };
        let answer = self.0.requests.send(&ask).await?;
        match answer.status {
            200 => {}
            404 => return Ok(None),
            _ => return Err(failed(answer.reason())),
        }
        let until = answer.header("x-amz-object-lock-retain-until-date");
        Ok(Some(Held {
            version: answer
                .header("x-amz-version-id")
                .unwrap_or_default()
                .to_owned(),
            mode: answer.header("x-amz-object-lock-mode").map(str::to_owned),
            until: until.map(str::parse).transpose().map_err(failed)?,
        }))
    }
}

/// S3 knows whole seconds.
fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
