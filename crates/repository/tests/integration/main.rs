//! The repository seen from outside: our reader on our writer, and restic as the judge of both.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod crash;
mod damage;
mod diff;
mod faulty;
mod judge;
mod locks;
mod model;
mod prune;
mod support;
