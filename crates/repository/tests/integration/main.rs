//! The repository seen from outside: our reader on our writer, and restic as the judge of both.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod judge;
mod model;
mod support;
