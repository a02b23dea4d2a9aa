//! Work through the queue: requests, workers' loops, schedules, and what becomes of a run in the end.

mod ask;
mod discover;
mod order;
mod perform;
mod retain;
mod scheduler;
mod settle;
mod shorten;
mod watch;
mod worker;

pub use ask::BackupWish;
pub(crate) use order::HERE;
pub use order::{BackupJob, Order};
pub(crate) use perform::{failed, failed_backup};
pub(crate) use retain::Retained;
pub use retain::RetentionPreview;
pub use scheduler::Remembered;
pub use settle::{Failed, Outcome};
pub use shorten::Shortening;
pub(crate) use watch::Tap;
pub use watch::{RunObserver, Unobserved};
pub use worker::WorkerSetup;
