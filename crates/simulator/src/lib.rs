//! Azure DevOps as a real HTTP server for tests and demonstrations.
//!
//! Written from the vendor's documents and recorded traffic, never from our own client, so that both cannot share a mistake.

mod auth;
mod catalogue;
mod change;
mod core;
mod faults;
mod git;
mod inspect;
mod ledger;
mod seed;
mod server;
mod simulator;
mod wiki;
mod wit;
mod world;

pub use simulator::{Options, Seed, Simulator, SimulatorError};
