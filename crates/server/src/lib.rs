//! HTTP alone: the REST interface under `/api/v1`, who may call it, and its description.

pub mod access;
mod api;
mod app;
mod console;
mod edge;
mod events;
mod extract;
mod health;
mod idempotency;
mod kept;
mod looks;
mod metrics;
mod openapi;
mod page;
mod problem;
mod secret;
mod serve;
mod taken;

pub use app::{Answer, Options, Server};
pub use edge::ClientAddress;
use edge::RequestId;
pub use events::Events;
pub use extract::{Json, Path, Query};
pub use openapi::openapi;
pub use page::{PageQuery, Paged};
pub use problem::{FieldError, Problem, Refusals, TOLD};
pub use secret::SecretText;
pub use serve::Tls;
