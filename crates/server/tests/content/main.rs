//! What snapshots hold, over the interface: against contents that were made to do harm.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/answer.rs"]
mod answer;
mod bytes;
mod changes;
mod folders;
mod git;
#[path = "../common/installed.rs"]
mod installed;
mod maker;
mod reach;
#[path = "../common/remembered.rs"]
mod remembered;
mod search;
mod stale;
mod taken;
mod world;
