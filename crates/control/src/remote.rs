//! Workers elsewhere: what they and the server say to each other over HTTPS, and both ends of it.

mod coordinator;
mod elsewhere;
mod held;
mod line;
mod serve;

use std::collections::{BTreeMap, BTreeSet};

use engine::coordinator::{IndexRow, SnapshotInfo};
use jiff::Timestamp;
use model::{Connector, Event, Picks, Resumed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::work::{BackupJob, Outcome};

pub use elsewhere::Elsewhere;
pub use line::Line;

/// Rows of a snapshot that are sent at once.
const ROWS: usize = 1000;
/// So many bytes of searchable text end a page early.
const TEXT: usize = 1 << 20;

/// A worker asks for a job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Claim {
    pub labels: BTreeSet<String>,
    /// Repositories on storage of its own.
    pub storages: BTreeSet<String>,
    /// The server may wait so long for one to come.
    pub wait_seconds: u32,
}

/// A secret on its way to the worker that needs it, for as long as its job lasts.
#[derive(Clone)]
pub struct Handed(pub(crate) Zeroizing<String>);

impl Handed {
    fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl Serialize for Handed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Handed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// How to open the repository of a job.
#[derive(Clone, Serialize, Deserialize)]
pub struct Opening {
    pub name: String,
    pub location: String,
    pub password: Handed,
    pub storage: Option<Handed>,
    /// The rule of its object lock (JSON).
    pub object_lock: Option<String>,
}

/// A job with all that it needs but the access to the service, which is asked for when it is used.
#[derive(Clone, Serialize, Deserialize)]
pub struct Task {
    pub job: String,
    pub run: String,
    /// The lease's token.
    pub token: i64,
    pub order: BackupJob,
    pub picks: Picks,
    pub connector: Connector,
    /// The cloud's own addresses of hosts.
    pub hosts: BTreeMap<String, String>,
    pub repository: Opening,
}

/// What a worker says about its job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum Say {
    /// It is at work; answered with [`Beaten`].
    Beat,
    /// What did an earlier attempt leave? Answered with [`Left`].
    Left,
    Resumed {
        from: Resumed,
    },
    Checkpoint {
        text: Option<String>,
    },
    /// May the snapshot be written?
    Permit,
    /// A page of the snapshot's rows, from 0.
    Rows {
        page: u32,
        rows: Vec<IndexRow>,
    },
    /// The snapshot is there, with so many pages.
    Index {
        pages: u32,
        snapshot: Box<SnapshotInfo>,
    },
    /// Access to the service; answered with [`Access`].
    Access,
    Progress {
        event: Event,
    },
    /// The work is over. `stopping` when the worker was told to stop.
    Finish {
        outcome: Box<Outcome>,
        stopping: bool,
    },
}

/// [`Say`] with the lease's token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobCall {
    pub token: i64,
    #[serde(flatten)]
    pub say: Say,
}

/// The answer to a beat.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Beaten {
    pub cancel: bool,
}

/// What an earlier attempt left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Left {
    pub checkpoint: Option<String>,
}

/// Access to the service, for a while or for the job.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "kebab-case")]
pub enum Access {
    Basic { user: String, secret: Handed },
    Bearer { token: Handed, expires: Timestamp },
}
