//! A tenant of the simulator: connected, listed, backed up.
#![expect(clippy::unwrap_used, reason = "tests")]

mod backup;
mod chosen;
mod connect;
mod support;
