//! The engine against small services with behavior, in memory; its promises under faults and kills are in `../simulation`.
#![expect(clippy::unwrap_used, reason = "tests")]

mod backup;
mod damage;
mod doubts;
mod export;
mod harness;
mod lock;
#[path = "../common/quick.rs"]
mod quick;
mod restore;
mod resume;
mod retention;
#[path = "../common/stand_in.rs"]
mod stand_in;
mod verify;
#[path = "../common/world/mod.rs"]
mod world;
