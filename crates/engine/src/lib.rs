//! Backup, restore, export and retention over any service and repository; it never names a service.

pub mod apply;
pub mod backup;
mod change;
pub mod coordinator;
mod error;
pub mod export;
pub mod layout;
mod merge;
pub mod plan;
pub mod rebuild;
pub mod retention;
mod rows;
mod sink;
mod spool;
pub mod stored;
pub mod undo;
pub mod verify;
pub mod work;

pub use error::{Error, Result};
pub use stored::SnapshotReader;

/// The clocks of machines that share a repository may differ so much.
const SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);
