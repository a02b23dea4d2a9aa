//! The HTTP client: one pool, one identity, one budget. Everything that is sent to a service goes through [`Client`].

mod address;
mod answer;
mod backoff;
mod body;
mod buffer;
mod call;
mod classify;
mod client;
mod credential;
mod exchange;
mod fault;
mod gate;
mod rate;
mod redact;
mod signals;
mod skew;
mod transmit;
mod understand;
mod usage;

pub use address::segment;
pub(crate) use address::{is_local, shown};
pub use answer::Answer;
pub use body::Body;
pub use call::Call;
pub use client::{Client, Options};
pub use credential::{Auth, Lender};
pub use fault::Fault;
pub(crate) use redact::Redactor;
pub use reqwest::header::HeaderMap;
pub use reqwest::{Method, Url};
pub use usage::Usage;
