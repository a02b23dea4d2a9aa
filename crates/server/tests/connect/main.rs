//! Connecting, from the first step to the last, against the simulated service.
#![expect(clippy::unwrap_used, reason = "tests")]

mod connectors;
mod credentials;
mod messages;
mod needles;
mod secrets;
mod tenants;
mod wizard;
mod world;
