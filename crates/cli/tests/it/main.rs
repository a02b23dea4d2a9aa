//! The program as users run it, against a simulated organization: bad input, faults of the service, its own sudden end.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod architecture;
mod bad_input;
mod crash;
mod damage;
mod faults;
mod kills;
mod maintenance;
mod people;
mod serve;
mod verify;
