//! The HTTP client: one pool, one identity, one budget. Everything that is sent to a service goes through [`Client`].

mod address;
mod answer;
mod backoff;
mod body;
mod buffer;
mod call;
mod classify;
mod client;
mod exchange;
mod fault;
mod gate;
mod redact;
mod signals;
mod transmit;
mod understand;
mod usage;

pub use address::segment;
pub use answer::Answer;
pub use body::Body;
pub use call::Call;
pub use client::{Auth, Client, Options};
pub use fault::Fault;
pub use reqwest::header::HeaderMap;
pub use reqwest::{Method, Url};
pub use usage::Usage;
