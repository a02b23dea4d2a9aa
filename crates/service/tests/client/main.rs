//! The HTTP client and the table kinds against a server that answers as Azure DevOps does on good and bad days.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bodies;
mod delta;
mod faults;
mod memory;
mod redaction;
mod requests;
mod server;
