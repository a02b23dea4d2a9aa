//! Connectors, runs, jobs, plans and the search index, in SQLite or PostgreSQL.
//!
//! The only SQL of the project. Snapshots and the index are a cache: a repository alone is enough to fill them again.

mod acknowledged;
mod alarms;
mod answers;
mod app_profiles;
mod audit;
mod catalog;
mod channels;
mod claims;
mod connect_sessions;
mod connectors;
mod credentials;
mod db;
mod dialect;
mod ended;
mod error;
mod figures;
mod former;
mod found;
mod held;
mod index;
mod issues;
mod journal;
mod lists;
mod maintenance;
mod outbox;
mod overview;
mod page;
mod people;
mod plan_people;
mod plans;
mod policies;
mod proofs;
mod proposals;
mod queue;
mod rename;
mod repositories;
mod rules;
mod runs;
mod schema;
mod sessions;
mod snapshots;
mod steps;
mod tenants;
mod tokens;
pub mod vault;
mod verifications;
mod workers;

pub use acknowledged::{Acknowledgement, IssueFilter, RecurringIssue};
pub use alarms::{AlarmAcknowledgement, AlarmRow};
pub use answers::Earlier;
pub use app_profiles::AppProfile;
pub use audit::{AuditFilter, AuditReach, AuditRow, AuditVerdict, NewAudit};
pub use catalog::Catalog;
pub use claims::{Claimant, OpenJob, Placement, QueueLimits, QueuedRun, why_queued};
pub use connectors::Connecting;
pub use credentials::{CredentialRow, NewCredential};
pub use error::{Error, Result};
pub use figures::Figures;
pub use found::{FoundItem, SyncRow};
pub use index::{
    Change, IndexChange, IndexEntry, ItemChange, ItemFilter, ItemState, Piece, ProjectCount, Query,
    SnapshotWriter, TextFilter, TextHit,
};
pub use issues::IssueRow;
pub use lists::{ConnectorFilter, RunFilter, SnapshotFilter};
pub use maintenance::{Examined, MaintenanceRow};
pub use outbox::{NewMessage, OutboxRow};
pub use overview::{EndedRuns, LatestRun, LatestRuns, Put, Unprotected};
pub use page::{Listed, Page};
pub use people::{NewPerson, PersonChange, PersonRow, SecondFactor, totp_credential};
pub use plans::{PlanFilter, PlanRow};
pub use policies::PolicyRow;
pub use proofs::{Identity, PendingSignIn};
pub use proposals::Requester;
pub use queue::{Beat, Job, JobRow, NewJob};
pub use repositories::RepositoryRow;
pub use sessions::{NewSession, SessionRow};
pub use snapshots::{KnownSnapshot, SnapshotRow, SourceKey, SourceRow};
pub use steps::{StepCount, StepFilter, StepLosses};
pub use tenants::{DirectoryChange, DirectoryCount};
pub use tokens::{TokenProof, TokenRow};
pub use vault::Kek;
pub use verifications::Verification;
pub use workers::WorkerRow;
