//! Connectors, runs, jobs, plans and the search index, in SQLite or PostgreSQL.
//!
//! The only SQL of the project. Snapshots and the index are a cache: a repository alone is enough to fill them again.

mod catalog;
mod connectors;
mod db;
mod dialect;
mod error;
mod index;
mod issues;
mod journal;
mod page;
mod plans;
mod queue;
mod repositories;
mod runs;
mod schema;
mod snapshots;
pub mod vault;
mod verifications;

pub use catalog::Catalog;
pub use error::{Error, Result};
pub use index::{
    Change, IndexChange, IndexEntry, ItemChange, ItemFilter, ItemState, SearchHit, SnapshotWriter,
};
pub use issues::IssueRow;
pub use page::{Listed, Page};
pub use plans::StepCount;
pub use queue::{Beat, Job, JobRow, NewJob};
pub use repositories::RepositoryRow;
pub use snapshots::{KnownSnapshot, SnapshotRow, SourceKey};
pub use vault::{CredentialRow, Kek};
pub use verifications::Verification;
