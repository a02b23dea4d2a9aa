//! Error answers in the shapes that the real service sends.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, Reply};

/// An error answer in one of the three shapes that the service has for it.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub status: StatusCode,
    pub message: String,
    shape: Shape,
    headers: Vec<(&'static str, String)>,
}

#[derive(Debug)]
enum Shape {
    /// `WrappedException`: an operation refuses.
    Wrapped(Wrapped),
    /// `{"count": 1, "value": {"Message"}}`: what was sent fits no operation.
    Unbound,
    /// Plain text: no route leads there.
    Text,
}

#[derive(Debug)]
struct Wrapped {
    /// Full .NET name without assembly, as `Microsoft.TeamFoundation.WebApi.X`.
    type_name: String,
    /// `customProperties`, which few exceptions have.
    properties: Option<Value>,
}

impl Wrapped {
    fn document(&self, message: &str) -> Value {
        let (assembly, key) = self
            .type_name
            .rsplit_once('.')
            .unwrap_or(("", &self.type_name));
        // The area of work items counts its events apart from all others.
        let of_items = assembly.starts_with("Microsoft.TeamFoundation.WorkItemTracking");
        let mut document = json!({
            "$id": "1",
            "innerException": null,
            "message": message,
            "typeName": format!("{}, {assembly}", self.type_name),
            "typeKey": key,
            "errorCode": 0,
            "eventId": if of_items { 3200 } else { 3000 },
        });
        if let Some(properties) = &self.properties {
            document["customProperties"] = properties.clone();
        }
        document
    }
}

impl ApiError {
    /// `type_name` is the full .NET name without the assembly; `message` starts with the code, as `TF401232: …`.
    pub(crate) fn new(status: StatusCode, type_name: &str, message: impl Into<String>) -> Self {
        let wrapped = Wrapped {
            type_name: type_name.to_owned(),
            properties: None,
        };
        Self::shaped(status, message, Shape::Wrapped(wrapped))
    }

    fn shaped(status: StatusCode, message: impl Into<String>, shape: Shape) -> Self {
        Self {
            status,
            message: message.into(),
            shape,
            headers: Vec::new(),
        }
    }

    /// Says more beside the message, as `customProperties`.
    pub(crate) fn with_properties(mut self, said: Value) -> Self {
        if let Shape::Wrapped(wrapped) = &mut self.shape {
            wrapped.properties = Some(said);
        }
        self
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

    /// The simulator itself has failed.
    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "System.Exception",
            message.to_string(),
        )
    }

    /// A body or a parameter that cannot be read as what the operation takes.
    pub(crate) fn unbound(message: impl Into<String>) -> Self {
        Self::shaped(StatusCode::BAD_REQUEST, message, Shape::Unbound)
    }

    /// A body of a content type that the operation does not take.
    pub(crate) fn content_type(call: &Call, sent: &str, taken: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.VisualStudio.Services.WebApi.VssRequestContentTypeNotSupportedException",
            format!(
                "The request indicated a Content-Type of \"{sent}\" for method type \"{}\" which is not supported. Valid content types for this method are: {taken}.",
                call.method
            ),
        )
    }

    /// A document without a member that the operation needs.
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

    /// The words differ by what the caller named the project by.
    pub(crate) fn no_project(name: &str) -> Self {
        let (exception, message) = match Uuid::parse_str(name) {
            Ok(id) => (
                "ProjectDoesNotExistException",
                format!(
                    "VS800075: The project with id 'vstfs:///Classification/TeamProject/{id}' does not exist, or you do not have permission to access it."
                ),
            ),
            Err(_) => (
                "ProjectDoesNotExistWithNameException",
                format!(
                    "TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and that the project exists on the specified Azure DevOps Server."
                ),
            ),
        };
        Self::new(
            StatusCode::NOT_FOUND,
            &format!("Microsoft.TeamFoundation.Core.WebApi.{exception}"),
            message,
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
        let message = format!(
            "The requested resource does not support http method '{}'.",
            call.method
        );
        Self::shaped(StatusCode::METHOD_NOT_ALLOWED, message, Shape::Unbound)
    }

    pub(crate) fn text(status: StatusCode, message: impl Into<String>) -> Self {
        Self::shaped(status, message, Shape::Text)
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut reply = match &self.shape {
            Shape::Wrapped(wrapped) => Reply::json(wrapped.document(&self.message)),
            Shape::Unbound => Reply::json(json!({"count": 1, "value": {"Message": self.message}})),
            Shape::Text => {
                let encoded = crate::wit::types::encode(&self.message);
                Reply::bytes("text/plain; charset=utf-8", self.message)
                    .header("x-tfs-serviceerror", encoded)
            }
        };
        reply.status = self.status;
        for (name, value) in self.headers {
            reply = reply.header(name, value);
        }
        reply
    }
}
