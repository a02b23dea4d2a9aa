//! The control side on the catalog: runs and their jobs, leases, plans, preflight; it takes every backup and restore through the queue.

mod backup;
mod connect;
mod control;
mod coordinator;
mod error;
mod forget;
mod jobs;
mod observe;
mod plans;
mod preflight;
mod prune;
mod restore;
mod sync;
mod verify;

pub use backup::BackupOrder;
pub use connect::{USER_AGENT, addresses, connect};
pub use control::Control;
pub use coordinator::CatalogCoordinator;
pub use error::{Ending, Error, Result};
pub use jobs::Ended;
pub use plans::CatalogPlanStore;
pub use prune::PruneRequest;
pub use restore::PlanOrder;
pub use sync::Synced;
pub use verify::service_of;
