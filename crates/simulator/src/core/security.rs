//! Effective permissions of the caller, and the entries that make team administrators.

use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access;
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

/// Namespace, bit, and the name under which a fault takes the permission away.
const BITS: [(&str, u64, &str); 7] = [
    ("3e65f728-f8bc-4ecd-8764-7e378b19bfa7", 4, "CREATE_PROJECTS"),
    ("52d39943-cb85-4d7f-8fa8-c6baac873819", 1, "GENERIC_READ"),
    (
        "52d39943-cb85-4d7f-8fa8-c6baac873819",
        1_048_576,
        "BYPASS_RULES",
    ),
    (
        "52d39943-cb85-4d7f-8fa8-c6baac873819",
        2_097_152,
        "SUPPRESS_NOTIFICATIONS",
    ),
    (
        "52d39943-cb85-4d7f-8fa8-c6baac873819",
        8_192,
        "WORK_ITEM_DELETE",
    ),
    ("83e28ad4-2d72-4ceb-97b0-c7726d5502c3", 16, "WORK_ITEM_READ"),
    ("2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87", 2, "GIT_READ"),
];

/// Namespace `Identity`, whose entries on `{project}\{team}` make administrators.
const IDENTITY: &str = "5a27515b-ccd7-42c9-84f1-54c998f03866";

fn allows(organization: &Organization, namespace: &str, token: &str, permissions: u64) -> bool {
    let taken = BITS.iter().any(|(own, bit, name)| {
        own.eq_ignore_ascii_case(namespace)
            && permissions & bit != 0
            && organization.core.denied.contains(*name)
    });
    !taken && access::may(namespace, token, permissions)
}

/// `POST security/permissionevaluationbatch`.
pub(crate) fn evaluate(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let mut body = call.value()?;
    let evaluations = body["evaluations"]
        .as_array_mut()
        .ok_or_else(|| ApiError::bad_body("the member evaluations is missing"))?;
    for evaluation in evaluations {
        let missing = |name: &str| ApiError::bad_body(format!("the member {name} is missing"));
        let text = |name: &str| evaluation[name].as_str().ok_or_else(|| missing(name));
        let permissions = evaluation["permissions"].as_u64();
        let allowed = allows(
            organization,
            text("securityNamespaceId")?,
            text("token")?,
            permissions.ok_or_else(|| missing("permissions"))?,
        );
        evaluation["value"] = json!(allowed);
    }
    Ok(Reply::json(body))
}

/// `GET permissions/{namespace}/{permissions}?tokens=`.
pub(crate) fn permissions(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let [_, namespace, permissions] = &call.segments[..] else {
        return Err(ApiError::no_route(call));
    };
    let permissions = permissions.parse().map_err(|_| ApiError::no_route(call))?;
    let tokens = call.query.get("tokens").unwrap_or_default();
    let allowed = |token: &str| json!(allows(organization, namespace, token, permissions));
    Ok(Reply::list(tokens.split(',').map(allowed).collect()))
}

/// `POST accesscontrolentries/{namespace}`: kept only where it makes or unmakes an administrator of a team.
pub(crate) fn entries(
    organization: &mut Organization,
    call: &Call,
    namespace: &str,
) -> Result<Reply, ApiError> {
    if call.method != Method::POST {
        return Err(ApiError::method_not_allowed(call));
    }
    let body = call.value()?;
    let token = body["token"].as_str().unwrap_or_default();
    let team = token
        .rsplit('\\')
        .next()
        .and_then(|id| Uuid::parse_str(id).ok())
        .filter(|_| namespace == IDENTITY);
    let entries: Vec<Value> = body["accessControlEntries"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for entry in &entries {
        let descriptor = entry["descriptor"].as_str().unwrap_or_default();
        let mail = descriptor.rsplit('\\').next().unwrap_or_default();
        if let (Some(team), Some(person)) = (
            team,
            organization
                .people
                .find(mail)
                .or_else(|| organization.people.find(descriptor)),
        ) {
            super::teams::add_member(
                organization,
                team,
                &person,
                entry["allow"]
                    .as_u64()
                    .is_some_and(|allow| allow & 31 == 31),
            );
        }
    }
    Ok(Reply::list(entries))
}
