//! The server as its clients see it, over real connections or in process.
#![expect(clippy::unwrap_used, reason = "tests")]

mod console;
mod edge;
mod events;
mod idempotency;
mod maintenance;
mod openapi;
mod policies;
mod storage;
mod support;
mod tls;
