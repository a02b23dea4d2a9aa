//! `OPTIONS _apis` and the resource areas, from what a live organization answered.

use axum::http::StatusCode;

use crate::server::{ApiError, Call, Reply};

pub(crate) fn options(_call: &Call) -> Reply {
    Reply::list(Vec::new())
}

pub(crate) fn resource_areas(_call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::list(Vec::new()))
}

pub(crate) fn bad_version(text: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "Microsoft.VisualStudio.Services.WebApi.VssVersionOutOfRangeException",
        format!("The requested REST API version of {text} is out of range for this server."),
    )
}
