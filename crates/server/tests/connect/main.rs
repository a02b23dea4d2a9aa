//! Connecting, from the first step to the last, against the simulated service.
#![expect(clippy::unwrap_used, reason = "tests")]

mod acceptance;
mod apps;
mod connectors;
mod credentials;
#[path = "../common/installed.rs"]
mod installed;
mod lines;
mod long_run;
mod messages;
#[path = "../common/needles.rs"]
mod needles;
mod outbound;
mod reach;
#[path = "../common/remembered.rs"]
mod remembered;
mod secrets;
mod tenants;
mod wizard;
mod world;
