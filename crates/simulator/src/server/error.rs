//! Error answers in the shapes that the real service sends.

use axum::http::StatusCode;
use serde_json::json;

use super::{Call, Reply};

/// An error answer: a `WrappedException` in JSON, or plain text for routes that do not exist.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub status: StatusCode,
    pub message: String,
    /// Full .NET name without assembly, as `Microsoft.TeamFoundation.WebApi.X`; empty for a plain text answer.
    type_name: String,
    headers: Vec<(&'static str, String)>,
}

impl ApiError {
    /// `type_name` is the full .NET name without the assembly; `message` starts with the code, as `TF401232: …`.
    pub(crate) fn new(status: StatusCode, type_name: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            type_name: type_name.to_owned(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same error with the status 404.
    pub(crate) fn not_found(mut self) -> Self {
        self.status = StatusCode::NOT_FOUND;
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.VisualStudio.Services.Common.VssPropertyValidationException",
            message,
        )
    }

    /// A body that is not the JSON that the operation takes.
    pub(crate) fn bad_body(message: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.VisualStudio.Services.Common.VssPropertyValidationException",
            format!("TF400898: the request body is not valid: {message}"),
        )
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Microsoft.TeamFoundation.Framework.Server.UnauthorizedRequestException",
            message,
        )
        .with_header(
            "www-authenticate",
            "Basic realm=\"https://tfsprodcus0.visualstudio.com/\"",
        )
    }

    pub(crate) fn no_organization(name: &str) -> Self {
        Self::text(
            StatusCode::NOT_FOUND,
            format!("The resource cannot be found. The organization {name} does not exist."),
        )
    }

    pub(crate) fn no_project(name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Microsoft.TeamFoundation.Core.WebApi.ProjectDoesNotExistWithNameException",
            format!(
                "TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and that the project exists on the specified Azure DevOps Server."
            ),
        )
    }

    /// The plain text answer for a path that no controller serves.
    pub(crate) fn no_route(call: &Call) -> Self {
        Self::no_route_path(&call.path)
    }

    pub(crate) fn no_route_path(path: &str) -> Self {
        Self::text(
            StatusCode::NOT_FOUND,
            format!(
                "The controller for path '{path}' was not found or does not implement IController."
            ),
        )
    }

    pub(crate) fn method_not_allowed(call: &Call) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Microsoft.VisualStudio.Services.WebApi.VssServiceResponseException",
            format!(
                "The requested resource does not support http method '{}'.",
                call.method
            ),
        )
    }

    pub(crate) fn text(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            type_name: String::new(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn type_key(&self) -> &str {
        self.type_name.rsplit('.').next().unwrap_or_default()
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut reply = if self.type_name.is_empty() {
            Reply::bytes("text/plain; charset=utf-8", self.message)
        } else {
            let assembly = self
                .type_name
                .rsplit_once('.')
                .map_or("", |(assembly, _)| assembly);
            Reply::json(json!({
                "$id": "1",
                "innerException": null,
                "message": self.message,
                "typeName": format!("{}, {assembly}", self.type_name),
                "typeKey": self.type_key(),
                "errorCode": 0,
                "eventId": 3000,
            }))
        };
        reply.status = self.status;
        for (name, value) in self.headers {
            reply = reply.header(name, value);
        }
        reply
    }
}
