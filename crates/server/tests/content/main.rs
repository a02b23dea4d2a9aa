//! What snapshots hold, over the interface: against contents that were made to do harm.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bytes;
mod folders;
mod git;
mod maker;
mod reach;
mod search;
mod taken;
mod world;
