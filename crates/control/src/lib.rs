//! The control side on the catalog: runs and their jobs, leases, plans, preflight; it takes every backup and restore through the queue.

mod alarms;
mod app_profiles;
mod backup;
pub mod browse;
mod connect;
mod connectors;
mod control;
mod coordinator;
mod credentials;
mod error;
mod forget;
mod identity;
mod index;
mod jobs;
mod maintenance;
pub mod next;
mod notify;
mod observe;
mod open;
mod overview;
mod plans;
mod preflight;
mod proposals;
mod prune;
mod reach;
pub mod remote;
mod repositories;
mod restore;
mod standing;
mod sync;
mod tenant;
mod verify;
mod wizard;
mod work;

pub use alarms::{AlarmSettings, Facts, StorageFact, find as find_alarms};
pub use app_profiles::{NewAppProfile, ProfileOf};
pub use backup::BackupOrder;
pub use connect::{USER_AGENT, addresses};
pub use connectors::{Checked, ConnectorEdit, IdentityChoice, NewConnector};
pub use control::Control;
pub use coordinator::CatalogCoordinator;
pub use credentials::Tested;
pub use engine::plan::{Select, Selector, What};
pub use error::{Ending, Error, Result};
pub use identity::Identity;
pub use jobs::Ended;
pub use maintenance::{CheckJob, PruneJob, VerifyJob, Wanted};
pub use notify::{ChannelChange, Message};
pub use open::gone;
pub use overview::{Protection, Standing};
pub use plans::CatalogPlanStore;
pub use prune::PruneRequest;
pub use reach::{KnownIdentity, OwnApp, Reach};
pub use repositories::{
    AddedRepository, Bounds, NewRepository, RepositoryMove, RepositoryState, password_credential,
};
pub use restore::{Asked, Known as KnownPeople, PlanOrder, PlanWish};
pub use sync::Synced;
pub use tenant::{DirectorySync, TenantEdit, TenantSettings};
pub use verify::service_of;
pub use wizard::{
    AppChoice, METHODS, Method, Wizard, WizardAdded, WizardBegin, WizardDraft, WizardFailure,
    WizardPick, WizardPrompt, WizardWay, WizardWishes,
};
pub use work::{
    BackupJob, BackupWish, Failed, Order, Outcome, Remembered, RetentionPreview, RunObserver,
    Shortening, Unobserved, WorkerSetup,
};
