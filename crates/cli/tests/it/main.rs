//! The program as users run it, against a simulated organization: bad input, faults of the service, its own sudden end.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../../../server/tests/common/needles.rs"]
mod needles;

mod architecture;
mod audited;
mod bad_input;
mod connecting;
mod crash;
mod damage;
mod ended;
mod faults;
mod keeping;
mod kills;
mod look;
mod maintenance;
mod outbound;
mod overtaken;
mod people;
mod refused;
mod scheduling;
mod secrets;
mod serve;
mod taken_up;
mod tenant;
mod tired;
mod vault;
mod verify;
