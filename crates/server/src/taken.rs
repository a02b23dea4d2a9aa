//! Who took what out of which snapshot: reading leaves its rows in the audit log too, without a row for each look.

use std::collections::BTreeMap;
use std::sync::Mutex;

use catalog::KnownSnapshot;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::access::Caller;
use crate::{Problem, Server};

/// The parts of one download, and a download that is tried again, are one row.
const SAME: SignedDuration = SignedDuration::from_mins(10);
/// Whoever looks around in a snapshot is told of so often.
const LOOKING: SignedDuration = SignedDuration::from_hours(1);
/// More than this is not remembered: what comes then has a row of its own.
const MOST: usize = 2_000;

/// The hash of all that a row says: what is asked for may be long.
type Key = [u8; 32];

/// What has a row already, and until when that is enough.
#[derive(Default)]
pub(crate) struct Taken(Mutex<BTreeMap<Key, Timestamp>>);

impl Taken {
    /// Whether this needs a row.
    fn is_new(&self, key: Key, now: Timestamp, life: SignedDuration) -> bool {
        let Ok(mut known) = self.0.lock() else {
            return true;
        };
        if known.get(&key).is_some_and(|until| now < *until) {
            return false;
        }
        known.retain(|_, until| now < *until);
        if known.len() < MOST {
            known.insert(key, now + life);
        }
        true
    }

    /// The row could not be written.
    fn forget(&self, key: &Key) {
        if let Ok(mut known) = self.0.lock() {
            known.remove(key);
        }
    }
}

impl Server {
    /// Notes that a caller takes these paths of a snapshot along; before the first byte of them is sent.
    pub(crate) async fn note_download(
        &self,
        caller: &Caller,
        snapshot: &KnownSnapshot,
        paths: &[String],
    ) -> Result<(), Problem> {
        let mut details = about(snapshot);
        details["paths"] = json!(paths);
        let subject = format!("snapshot/{}", snapshot.id);
        self.note_once(caller, ("snapshot.download", &subject), details, SAME)
            .await
    }

    /// Notes that a caller takes a file of a snapshot along, or that they look at it or at others there within the hour.
    pub(crate) async fn note_content(
        &self,
        caller: &Caller,
        snapshot: &KnownSnapshot,
        path: &str,
        download: bool,
    ) -> Result<(), Problem> {
        if download {
            let path = path.to_owned();
            return self.note_download(caller, snapshot, &[path]).await;
        }
        let subject = format!("snapshot/{}", snapshot.id);
        let row = ("snapshot.read", subject.as_str());
        self.note_once(caller, row, about(snapshot), LOOKING).await
    }

    /// Notes that a caller takes the audit log along, in however many pieces within the hour.
    pub(crate) async fn note_audit_export(&self, caller: &Caller) -> Result<(), Problem> {
        let row = ("audit.export", "audit");
        self.note_once(caller, row, json!({}), LOOKING).await
    }

    async fn note_once(
        &self,
        caller: &Caller,
        (action, subject): (&str, &str),
        details: Value,
        life: SignedDuration,
    ) -> Result<(), Problem> {
        // A name may be given to another person; what they prove themselves with is theirs alone.
        let proof = caller.proof.as_deref().unwrap_or_default();
        let key = json!([action, subject, caller.name, proof, details]).to_string();
        let key: Key = Sha256::digest(key).into();
        if !self.taken.is_new(key, self.control.clock.now(), life) {
            return Ok(());
        }
        let noted = self.audit(caller, action, subject, details).await;
        if noted.is_err() {
            self.taken.forget(&key);
        }
        noted
    }
}

fn about(snapshot: &KnownSnapshot) -> Value {
    let service = &snapshot.source.id.service;
    json!({ "service": service, "source": snapshot.name, "time": snapshot.time.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        Sha256::digest(number.to_be_bytes()).into()
    }

    #[test]
    fn the_same_again_is_one_row_for_a_time() {
        let taken = Taken::default();
        let new = |number: u64, second: i64| {
            let now = Timestamp::from_second(second).unwrap();
            taken.is_new(key(number), now, SAME)
        };
        assert!(new(1, 0));
        assert!(!new(1, 599));
        assert!(new(2, 599));
        assert!(new(1, 600));
        taken.forget(&key(1));
        assert!(new(1, 601));
    }

    #[test]
    fn what_cannot_be_remembered_is_noted_each_time() {
        let taken = Taken::default();
        let new = |number: u64| taken.is_new(key(number), Timestamp::UNIX_EPOCH, SAME);
        assert!((0..MOST as u64).all(new));
        assert!(new(MOST as u64));
        assert!(new(MOST as u64));
    }
}
