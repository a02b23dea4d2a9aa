//! Which `api-version` a request must carry.

use axum::http::{Method, StatusCode};

use super::Route;
use crate::server::{ApiError, ApiVersion, Call};

fn error(kind: &str, message: String) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        &format!("Microsoft.VisualStudio.Services.WebApi.{kind}"),
        message,
    )
}

/// A version that cannot be read.
pub(crate) fn bad(text: &str) -> ApiError {
    error(
        "VssVersionOutOfRangeException",
        format!(
            "The requested REST API version of {text} is out of range for this server. The latest REST API version this server supports is 7.2."
        ),
    )
}

/// Reads may leave the version out; previews must say so.
pub(crate) fn check(call: &Call, routes: &[&Route]) -> Result<(), ApiError> {
    let Some(version) = &call.version else {
        if matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        return Err(error(
            "VssVersionNotSpecifiedException",
            format!(
                "No api-version was supplied for the \"{}\" request. The version must be supplied either as part of the Accept header (e.g. \"application/json; api-version=1.0\") or as a query parameter (e.g. \"?api-version=1.0\").",
                call.method
            ),
        ));
    };
    let mut first = None;
    for route in routes {
        match fits(version, route) {
            Ok(()) => return Ok(()),
            Err(error) => first = first.or(Some(error)),
        }
    }
    first.map_or(Ok(()), Err)
}

fn fits(version: &ApiVersion, route: &Route) -> Result<(), ApiError> {
    let number = version.number();
    if number > route.max || number < route.min {
        return Err(bad(&version.to_string()));
    }
    if !version.preview && number > route.released {
        let (major, minor) = number;
        return Err(error(
            "VssInvalidPreviewVersionException",
            format!(
                "The requested version \"{major}.{minor}\" of the resource is under preview. The -preview flag must be supplied in the api-version for such requests. For example: \"{major}.{minor}-preview\""
            ),
        ));
    }
    if version
        .resource
        .is_some_and(|resource| resource > route.resource_version)
    {
        return Err(error(
            "VssResourceVersionOutOfRangeException",
            format!(
                "The requested resource version of {version} is out of range. The latest resource version is {}.",
                route.resource_version
            ),
        ));
    }
    Ok(())
}
