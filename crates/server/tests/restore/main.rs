//! Restores over the interface: the simulator's organization is backed up, loses something, gets it back, and gives it up again.
#![expect(clippy::unwrap_used, reason = "tests")]

mod archive;
mod asking;
#[path = "../common/installed.rs"]
mod installed;
mod journey;
mod people;
#[path = "../common/remembered.rs"]
mod remembered;
mod site;
mod undo;
#[path = "../connect/world.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod world;
