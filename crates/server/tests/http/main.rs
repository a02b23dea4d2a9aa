//! The server as its clients see it, over real connections or in process.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/answer.rs"]
mod answer;
mod console;
mod edge;
mod events;
mod idempotency;
#[path = "../common/installed.rs"]
mod installed;
mod issues;
mod maintenance;
mod openapi;
mod policies;
mod storage;
mod support;
mod tls;
mod versions;
