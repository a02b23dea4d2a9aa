//! Which snapshots may go: restic's keep rules, never the last good snapshot of a source, and nothing after a suspicious drop.

mod forget;
mod rules;
mod suspicion;
mod within;

pub use forget::{ForgetPlan, ForgetRequest, forget};
pub use rules::{Candidate, Decision, Keep, Standing, decide};
pub use suspicion::{KindDrop, Suspicion, refuse, suspicions};
pub use within::Within;
