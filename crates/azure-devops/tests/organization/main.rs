//! A whole organization against the simulator, by a backup engine in memory.
#![expect(clippy::unwrap_used, reason = "tests")]

mod added;
mod backup;
mod damaged;
mod discussions;
mod duplicated;
mod hidden;
mod losses;
mod refused;
mod renamed;
mod replaced;
mod repositories;
mod restore;
#[path = "../connect/script.rs"]
mod script;
mod selection;
#[path = "../support/mod.rs"]
mod support;
mod unread;
mod vanished;
