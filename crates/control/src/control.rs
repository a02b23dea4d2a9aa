//! What the control side works with.

use std::path::PathBuf;
use std::sync::Arc;

use catalog::{Catalog, Kek};
use jiff::Timestamp;
use model::{Clock, Connector, Reporter};
use service::{Client, Service};
use uuid::{NoContext, Uuid};

use crate::{Error, Result, connect};

/// The control side of one installation; opens nothing by itself. Clones share everything.
#[derive(Clone)]
pub struct Control {
    pub catalog: Catalog,
    /// Opens the vault.
    pub kek: Arc<Kek>,
    pub clock: Arc<dyn Clock>,
    pub services: &'static [&'static Service],
    /// The name of this worker in leases; stable over restarts, so that what a killed process left can be found.
    pub worker: String,
    /// A folder for temporary files on a disk with room for the largest git pack.
    pub work: PathBuf,
}

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

    /// A client with the connector's credential; `observer` hears of waits.
    pub async fn client(
        &self,
        connector: &Connector,
        observer: Option<Arc<dyn Reporter>>,
    ) -> Result<Client> {
        let secret = self
            .catalog
            .get_credential(&self.kek, &connector.credential)
            .await?;
        let secret = secret.ok_or_else(|| catalog::Error::CredentialUnknown {
            name: connector.credential.clone(),
        })?;
        connect(
            self.service(&connector.service)?,
            &connector.organization,
            connector.url.as_deref(),
            secret,
            observer,
        )
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An id that sorts by time.
    pub(crate) fn new_id(&self) -> String {
        let now = self.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds)).to_string()
    }

    pub(crate) fn temporary(&self) -> Result<tempfile::TempDir> {
        let made = tempfile::Builder::new()
            .prefix("keepward-")
            .tempdir_in(&self.work);
        made.map_err(|source| Error::Io {
            what: format!("cannot make a folder in {}", self.work.display()),
            source,
        })
    }
}
