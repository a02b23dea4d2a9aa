//! The listener and the way from a path to an area.

mod call;
mod elsewhere;
mod error;
mod metered;
mod place;
mod query;
mod reply;
mod route;

pub(crate) use call::{ApiVersion, Call, GitRequest, GitVariant, HostKind};
pub(crate) use error::ApiError;
pub(crate) use query::Query;
pub(crate) use reply::{Body, Reply};
pub(crate) use route::App;
