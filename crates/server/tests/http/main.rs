//! The server as its clients see it, over real connections or in process.
#![expect(clippy::unwrap_used, reason = "tests")]

mod edge;
mod events;
mod idempotency;
mod maintenance;
mod openapi;
mod storage;
mod support;
mod tls;
