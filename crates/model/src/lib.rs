//! The shared words of Keepward as types: ids, connectors, runs, issues, events, plans. Data only.

pub mod access;
pub mod clock;
pub mod code;
pub mod connector;
pub mod credential;
pub mod event;
pub mod finding;
pub mod issue;
pub mod plan;
pub mod run;
pub mod secret;
pub mod source;

pub use access::{Permission, Role};
pub use clock::Clock;
pub use code::Code;
pub use connector::Connector;
pub use credential::{App, CredentialName, ManagedIdentity, SignIn};
pub use event::{Event, Reporter};
pub use finding::{Finding, Severity};
pub use issue::{Class, Issue};
pub use plan::{Action, Conflict, PlanState, RestorePlan, RestoreTarget, Step, StepState};
pub use run::{Counts, JobState, KindCounts, Resumed, Run, RunKind, RunState};
pub use secret::Secret;
pub use source::{ItemRef, SourceFile, StaleItem};
