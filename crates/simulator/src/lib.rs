//! Azure DevOps as a real HTTP server for tests and demonstrations.
//!
//! Written from the vendor's documents and recorded traffic, never from our own client, so that both cannot share a mistake.
//!
//! Beside the interface of the service, the same port answers
//! - `GET /__state?organization=X`: everything that an organization holds, with the folders of its bare repositories;
//! - `GET /__inventory?organization=X`: what a complete backup has to read, in numbers, and the page sizes;
//! - `GET /__ledger[?organization=X][&summary=true]`, `POST /__ledger/reset`: every request that was answered;
//! - `POST /__faults` with a rule or a list of rules, `GET /__faults`, `DELETE /__faults`: faults on demand;
//! - `POST /__organizations {"name"}` and `POST /__pats {"organization", "scopes"}`: more of both;
//! - `POST /__repositories {"organization", "repository", "isInMaintenance", "limitedRefs"}`: states that no client can ask for;
//! - `POST /__demo/change`, `POST /__bulk/change {"count"}`: the changes that a second backup finds.

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
