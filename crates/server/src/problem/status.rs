//! Which status belongs to a code.

use axum::http::StatusCode;

/// What codes of conflicts end with.
const CONFLICTS: [&str; 6] = [
    "-exists", "-in-use", "-busy", "-taken", "-changed", "-closed",
];

/// Of errors that the layers below report. A credential or permission that a protected service refuses is no sign-in of ours.
pub(super) fn status_of(code: &str) -> StatusCode {
    match code {
        "service-unknown"
        | "kind-unknown"
        | "organization-unknown"
        | "tenant-unknown"
        | "application-unknown"
        | "device-code-unknown" => StatusCode::UNPROCESSABLE_ENTITY,
        _ if code.ends_with("-unknown") => StatusCode::NOT_FOUND,
        "proposal-own" | "proposal-of-others" | "approver-changed" | "setup-refused" => {
            StatusCode::FORBIDDEN
        }
        "last-administrator" => StatusCode::CONFLICT,
        "not-found" | "repository-not-found" | "repository-gone" => StatusCode::NOT_FOUND,
        _ if CONFLICTS.iter().any(|end| code.ends_with(end)) => StatusCode::CONFLICT,
        "job-superseded" | "lock-held" | "restore-conflict" | "suspicious-drop"
        | "snapshot-ambiguous" | "plan-started" => StatusCode::CONFLICT,
        "page-cursor" => StatusCode::BAD_REQUEST,
        "throttled"
        | "service-unavailable"
        | "storage-failed"
        | "lock-lost"
        | "content-preparing"
        | "repository-counting" => StatusCode::SERVICE_UNAVAILABLE,
        "catalog-failed" | "catalog-damaged" | "catalog-newer" | "disk-full"
        | "vault-key-wrong" | "tree-order" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
