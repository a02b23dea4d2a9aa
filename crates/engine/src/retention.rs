//! Which snapshots may go: restic's keep rules, never the last good snapshot of a source, and nothing after a suspicious drop.

mod forget;
mod rules;
mod suspicion;
mod within;

pub use forget::{ForgetPlan, ForgetRequest, forget};
pub use model::policy::{Keep, Within};
pub use rules::{Candidate, Decision, Standing, decide};
pub use suspicion::{KindDrop, Suspicion, refuse, suspicions};
