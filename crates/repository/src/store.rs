//! Where a repository lies, and how it is reached.

mod credential;
mod leftover;
mod line;
mod listing;
mod local;
mod location;
mod object_lock;
mod remote;
mod s3_request;

use std::sync::Arc;

use model::Clock;
use object_store::ObjectStore;

pub use credential::StoreCredential;
pub(crate) use leftover::is_one as is_leftover;
pub use line::{Access, Names};
pub use location::{Bucket, Cloud, Location};
pub(crate) use object_lock::LockedUntil;
pub use object_lock::{LockMode, ObjectLock, ObjectLockRule};

use crate::{Error, Result};
use local::Local;

/// A place that holds the files of one repository.
pub type Store = Arc<dyn ObjectStore>;

/// Opens a place by its address with the machine's own identity, where one is needed. Nothing is sent or created before the
/// first use.
pub fn store_from(location: &str) -> Result<(Store, Location)> {
    let location: Location = location.parse()?;
    let store = open_store(&location, &StoreCredential::Machine)?;
    Ok((store, location))
}

/// Opens a place with a credential. Nothing is sent or created before the first use.
pub fn open_store<'a>(location: &Location, access: impl Into<Access<'a>>) -> Result<Store> {
    Ok(match location {
        Location::Local(path) => Arc::new(Local::new(path.clone())),
        Location::Cloud(bucket) => Arc::new(remote::open(bucket, &access.into())?),
    })
}

/// Opens a place whose files nobody can change or remove for a time. Fails unless the storage proves that it keeps the rule:
/// an immutability that is only believed in is none.
pub async fn open_locked_store<'a>(
    location: &Location,
    access: impl Into<Access<'a>>,
    rule: ObjectLockRule,
    clock: Arc<dyn Clock>,
) -> Result<(Store, ObjectLock)> {
    match location {
        Location::Cloud(bucket) if bucket.cloud == Cloud::S3 => {
            let (store, lock) = remote::open_locked(bucket, &access.into(), rule, clock)?;
            lock.prove().await?;
            Ok((Arc::new(store), lock))
        }
        _ => Err(Error::NotImmutable {
            place: location.to_string(),
            reason: "object lock is proved on S3 storage alone".to_owned(),
        }),
    }
}
