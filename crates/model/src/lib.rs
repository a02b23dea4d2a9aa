//! The shared words of Keepward as types: ids, connectors, runs, issues, events, plans. Data only.

pub mod access;
pub mod alarm;
pub mod channel;
pub mod clock;
pub mod code;
pub mod connector;
pub mod credential;
pub mod directory;
pub mod event;
pub mod finding;
pub mod issue;
pub mod maintenance;
pub mod outcome;
pub mod plan;
pub mod policy;
pub mod proposal;
pub mod run;
pub mod secret;
pub mod source;
pub mod unseen;

pub use access::{Permission, Role};
pub use alarm::{Alarm, AlarmKind, AlarmLevel};
pub use channel::{Channel, Destination, MailSecurity, Occasion};
pub use clock::Clock;
pub use code::Code;
pub use connector::{Connector, ConnectorStatus, SyncSettings, SyncTime};
pub use credential::{App, CredentialName, ManagedIdentity, SignIn};
pub use event::{Event, Reporter, Silent};
pub use finding::{Finding, Severity};
pub use issue::{Class, Issue};
pub use maintenance::{Maintenance, Task};
pub use outcome::Outcome;
pub use plan::{
    Action, Conflict, MadeBefore, PlanPerson, PlanState, RestorePlan, RestoreTarget, Step,
    StepState, Undone, Written,
};
pub use policy::{Picks, Policy, Reason, Waiting};
pub use proposal::{Proposal, ProposalKind, ProposalState};
pub use run::{Counts, JobState, KindCounts, Resumed, Run, RunKind, RunState};
pub use secret::Secret;
pub use source::{ItemRef, SourceFile, SourceId, StaleItem, is_tenant_id};
pub use unseen::is_unseen;
