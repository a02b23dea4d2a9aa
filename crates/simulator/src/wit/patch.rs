//! JSON Patch as the work item area takes it.

use serde::Deserialize;
use serde_json::Value;

use crate::server::{ApiError, Call};

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Operation {
    pub op: String,
    pub path: String,
    #[serde(default)]
    pub value: Value,
}

impl Operation {
    /// `add` for a field by reference name.
    pub(crate) fn field(reference: &str, value: impl Into<Value>) -> Self {
        Self {
            op: "add".to_owned(),
            path: format!("/fields/{reference}"),
            value: value.into(),
        }
    }

    /// `add` of a relation: `{"rel", "url", "attributes"}`.
    pub(crate) fn relation(value: Value) -> Self {
        Self {
            op: "add".to_owned(),
            path: "/relations/-".to_owned(),
            value,
        }
    }

    /// Marks a long field as Markdown.
    pub(crate) fn markdown(reference: &str) -> Self {
        Self {
            op: "add".to_owned(),
            path: format!("/multilineFieldsFormat/{reference}"),
            value: "Markdown".into(),
        }
    }
}

/// Reads the operations of a request, which must be `application/json-patch+json`.
pub(crate) fn operations(call: &Call) -> Result<Vec<Operation>, ApiError> {
    const TAKEN: &str = "application/json-patch+json";
    let sent = call.header("content-type").unwrap_or_default();
    if !sent.to_ascii_lowercase().starts_with(TAKEN) {
        return Err(ApiError::content_type(call, sent, TAKEN));
    }
    call.json::<Vec<Operation>>().map_err(|_| {
        ApiError::bad_request("You must pass a valid patch document in the body of the request.")
    })
}
