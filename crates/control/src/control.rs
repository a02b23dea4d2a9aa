//! What the control side works with.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use catalog::{Catalog, Kek};
use jiff::Timestamp;
use model::Clock;
use service::Service;
use uuid::{NoContext, Uuid};

use crate::{Error, Reach, Result};

/// The control side of one installation; opens nothing by itself. Clones share everything.
#[derive(Clone)]
pub struct Control {
    pub catalog: Catalog,
    /// Opens the vault.
    pub kek: Arc<Kek>,
    pub clock: Arc<dyn Clock>,
    pub services: &'static [&'static Service],
    /// Where and as whom to sign in.
    pub reach: Reach,
    /// The name of this worker in leases; stable over restarts, so that what a killed process left can be found.
    pub worker: String,
    /// A folder for temporary files on a disk with room for the largest git pack.
    pub work: PathBuf,
}

/// A block that no disk keeps within its directories.
const PROBE: usize = 64 << 10;

impl Control {
    pub fn service(&self, name: &str) -> Result<&'static Service> {
        let found = self
            .services
            .iter()
            .copied()
            .find(|service| service.name == name);
        found.ok_or_else(|| Error::Request {
            code: "service-unknown",
            message: format!("this program does not know the service `{name}`"),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An id that sorts by time.
    pub fn new_id(&self) -> String {
        let now = self.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds)).to_string()
    }

    /// Writes a little to the disk that every run needs, and takes it away: fails with `disk-full` before a run would.
    pub async fn try_disk(&self) -> Result<()> {
        let work = self.work.clone();
        let write = move || {
            let mut file = tempfile::tempfile_in(&work)?;
            file.write_all(&vec![0; PROBE])
        };
        let wrote = tokio::task::spawn_blocking(write).await;
        wrote
            .map_err(io::Error::other)
            .flatten()
            .map_err(|source| Error::Io {
                what: format!("cannot write in {}", self.work.display()),
                source,
            })
    }

    pub(crate) fn temporary(&self) -> Result<tempfile::TempDir> {
        engine::work::private(&self.work).map_err(|source| Error::Io {
            what: format!("cannot make a folder in {}", self.work.display()),
            source,
        })
    }
}
