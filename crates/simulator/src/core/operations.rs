//! Long operations, which clients poll.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

/// Requests that an operation takes.
pub(crate) const DURATION: u64 = 3;

pub(crate) struct Operation {
    id: Uuid,
    /// The turn at which it has succeeded.
    ends: u64,
}

/// Starts an operation and answers 202 with its reference.
pub(crate) fn begin(organization: &mut Organization, base: &str) -> Reply {
    let id = organization.ids.guid();
    organization.core.operations.push(Operation {
        id,
        ends: organization.core.turn() + DURATION,
    });
    Reply::json(reference(id, "notSet", base)).with_status(StatusCode::ACCEPTED)
}

fn reference(id: Uuid, status: &str, base: &str) -> Value {
    json!({"id": id, "status": status, "url": format!("{base}/_apis/operations/{id}")})
}

pub(crate) fn get(organization: &Organization, call: &Call, id: &str) -> Result<Reply, ApiError> {
    let operation = organization
        .core
        .operations
        .iter()
        .find(|operation| operation.id.to_string() == id)
        .ok_or_else(|| {
            ApiError::new(
                StatusCode::NOT_FOUND,
                "Microsoft.VisualStudio.Services.Operations.OperationNotFoundException",
                format!("VS403402: The operation {id} was not found."),
            )
        })?;
    let status = if organization.core.turn() >= operation.ends {
        "succeeded"
    } else {
        "inProgress"
    };
    let mut document = reference(operation.id, status, &call.base);
    document["_links"] = json!({"self": {"href": document["url"]}});
    Ok(Reply::json(document))
}
