//! The audit log.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use catalog::{AuditFilter, AuditReach, AuditRow};
use futures::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, Caller, Everything, ReadAudit};
use crate::{Json, PageQuery, Paged, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(verify))
        .routes(routes!(export))
}

/// An entry.
#[derive(Serialize, ToSchema)]
struct Entry {
    /// From 1, without gaps.
    seq: u64,
    time: String,
    /// `person`, `token`, `local-administrator`, `worker`, `identity-provider`, or `nobody` for who did not get in.
    kind: String,
    actor: String,
    action: String,
    subject: String,
    /// `done`, `refused` or `failed`.
    outcome: String,
    #[schema(value_type = Object)]
    details: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    /// Covers this entry and the hash of the one before.
    hash: String,
}

impl From<AuditRow> for Entry {
    fn from(row: AuditRow) -> Self {
        let event = row.event;
        // What somebody altered in the database may not be JSON; it is shown as the text that it is.
        let details = RawValue::from_string(event.details);
        let details = details.or_else(|error| serde_json::value::to_raw_value(&error.to_string()));
        Self {
            seq: row.seq,
            time: event.time.to_string(),
            kind: event.kind,
            actor: event.actor,
            action: event.action,
            subject: event.subject,
            outcome: event.outcome,
            details: details.unwrap_or_else(|_| RawValue::NULL.to_owned()),
            address: event.address,
            request: event.request,
            hash: row.hash,
        }
    }
}

/// Which entries to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    #[param(required = false)]
    actor: Option<String>,
    /// `connector.add`, or `connector` for all of them.
    #[param(required = false)]
    action: Option<String>,
    /// `connector/contoso`, or `connector` for all of them.
    #[param(required = false)]
    subject: Option<String>,
    /// `done`, `refused` or `failed`.
    #[param(required = false)]
    outcome: Option<String>,
    /// From this time on (RFC 3339).
    #[param(required = false)]
    since: Option<String>,
    /// Before this time.
    #[param(required = false)]
    until: Option<String>,
}

fn time(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let parsed = text.map(|text| text.parse::<Timestamp>()).transpose();
    parsed.map_err(|_| Problem::parameter(name, "not a time like 2026-11-22T10:00:00Z"))
}

impl Filter {
    fn read(self, caller: &Caller) -> Result<AuditFilter, Problem> {
        let reach = caller.connectors.as_ref().map(|connectors| AuditReach {
            actor: caller.name.clone(),
            connectors: connectors.clone(),
        });
        Ok(AuditFilter {
            actor: self.actor,
            action: self.action,
            subject: self.subject,
            outcome: self.outcome,
            since: time("since", self.since)?,
            until: time("until", self.until)?,
            reach,
        })
    }
}

/// What was done, the newest first. Who reaches some connectors alone sees what was done to those, and what they did themselves.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "audit_list",
    params(PageQuery, Filter), extensions(("x-permission" = json!("read-audit"))),
    responses((status = 200, body = Paged<Entry>), Refusals))]
async fn list(
    caller: Allowed<ReadAudit>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<Filter>,
) -> Result<Json<Paged<Entry>>, Problem> {
    let rows = server
        .control
        .catalog
        .audit(&filter.read(&caller)?, &query.page(&server)?)
        .await?;
    Ok(Json(Paged::from_listed(&server, rows, Entry::from)))
}

/// An entry that somebody noted elsewhere, to prove that the log still has it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Anchor {
    #[param(required = false)]
    seq: Option<u64>,
    /// The hash of that entry.
    #[param(required = false)]
    hash: Option<String>,
}

/// What reading the whole log came to.
#[derive(Serialize, ToSchema)]
struct Verdict {
    /// Every entry is as it was written, and none is missing.
    whole: bool,
    entries: u64,
    /// The hash of the last good entry. Note it elsewhere: against somebody who writes the log anew, nothing else helps.
    hash: String,
    /// The first entry that is not as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

/// The first entry that is not as it was written.
#[derive(Serialize, ToSchema)]
struct Fault {
    seq: u64,
    reason: String,
}

/// Reads the whole log and looks for entries that were altered, removed or moved.
#[utoipa::path(get, path = "/audit/verify", tag = "audit", operation_id = "audit_verify",
    params(Anchor), extensions(("x-permission" = json!("read-audit"))),
    responses((status = 200, body = Verdict), Refusals))]
async fn verify(
    _caller: Allowed<ReadAudit>,
    State(server): State<Server>,
    Query(anchor): Query<Anchor>,
) -> Result<Json<Verdict>, Problem> {
    let anchor = match (anchor.seq, &anchor.hash) {
        (Some(seq), Some(hash)) => Some((seq, hash.as_str())),
        (None, None) => None,
        _ => return Err(Problem::parameter("hash", "seq and hash belong together")),
    };
    let verdict = server.control.catalog.verify_audit(anchor).await?;
    Ok(Json(Verdict {
        whole: verdict.fault.is_none(),
        entries: verdict.rows,
        hash: verdict.head,
        fault: verdict.fault.map(|(seq, reason)| Fault { seq, reason }),
    }))
}

const AT_ONCE: u32 = 500;

/// A part of the log, for who fetches it in pieces.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Part {
    /// Only entries with greater numbers.
    #[param(required = false)]
    after: Option<u64>,
    /// At most this many; all when absent.
    #[param(required = false)]
    limit: Option<u64>,
}

/// The whole log in the order in which it was written, a JSON document a line; for those who reach all connectors.
#[utoipa::path(get, path = "/audit/export", tag = "audit", operation_id = "audit_export",
    params(Part), extensions(("x-permission" = json!("read-audit")), ("x-reach" = json!("all"))),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), Refusals))]
async fn export(
    caller: Allowed<ReadAudit, Everything>,
    State(server): State<Server>,
    Query(part): Query<Part>,
) -> Result<impl IntoResponse, Problem> {
    server.note_audit_export(&caller).await?;
    let begin = (part.after.unwrap_or(0), part.limit.unwrap_or(u64::MAX));
    let lines = stream::try_unfold(begin, move |(after, left)| {
        let server = server.clone();
        async move {
            let some = u32::try_from(left).map_or(AT_ONCE, |left| left.min(AT_ONCE));
            let rows = server.control.catalog.audit_after(after, some).await?;
            let Some(last) = rows.last().map(|row| row.seq) else {
                return Ok::<_, axum::BoxError>(None);
            };
            let left = left - rows.len() as u64;
            let mut text = Vec::new();
            for row in rows {
                serde_json::to_writer(&mut text, &Entry::from(row))?;
                text.push(b'\n');
            }
            Ok(Some((text, (last, left))))
        }
    });
    Ok((
        [(header::CONTENT_TYPE, "application/x-ndjson")],
        Body::from_stream(lines),
    ))
}
