//! Alarms: what is wrong although nobody started anything.

use std::collections::BTreeMap;

use axum::extract::State;
use catalog::AlarmRow;
use control::AlarmSettings;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::word;
use crate::access::{Allowed, Caller, Everything, ManagePolicies, ReadStatus, RunBackups};
use crate::{Json, Paged, Problem, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(acknowledge))
        .routes(routes!(get_settings, set_settings))
}

/// Something that is wrong at the moment.
#[derive(Serialize, ToSchema)]
struct AlarmView {
    /// Names it for an acknowledgement.
    key: String,
    kind: String,
    /// The connector, credential or repository.
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<String>,
    /// `notice`, `warning` or `critical`.
    level: String,
    message: String,
    hint: String,
    #[schema(format = DateTime)]
    raised: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Acknowledged>,
}

/// Somebody knows.
#[derive(Serialize, ToSchema)]
struct Acknowledged {
    #[schema(format = DateTime)]
    at: String,
    by: String,
    reason: String,
}

impl AlarmView {
    fn of(row: AlarmRow) -> Self {
        Self {
            key: row.key,
            kind: word(&row.alarm.kind),
            subject: row.alarm.subject,
            connector: row.alarm.connector,
            level: word(&row.alarm.level),
            message: row.alarm.message,
            hint: row.alarm.hint,
            raised: row.raised.to_string(),
            acknowledged: row.acknowledged.map(|made| Acknowledged {
                at: made.at.to_string(),
                by: made.by,
                reason: made.reason,
            }),
        }
    }
}

/// Who reaches some connectors only sees what is about those.
pub(super) fn reaches(caller: &Caller, row: &AlarmRow) -> bool {
    match &row.alarm.connector {
        Some(connector) => caller.reaches(connector),
        None => caller.connectors.is_none(),
    }
}

/// Why an alarm may stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcknowledgeAlarm {
    key: String,
    #[schema(min_length = 1)]
    reason: String,
}

/// When something counts as wrong.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AlarmSettingsBody {
    /// How old the last good backup of a connector may be: its recovery point objective.
    #[schema(minimum = 1, maximum = 8784)]
    backup_hours: u32,
    /// Other objectives, by connector.
    #[serde(default)]
    connectors: BTreeMap<String, u32>,
    /// How long ago a repository was checked, or one of its snapshots verified, at most.
    #[schema(minimum = 1, maximum = 366)]
    verify_days: u32,
    /// How long ago a repository that is to be pruned by itself was, at most.
    #[serde(default = "prune_days")]
    #[schema(minimum = 1, maximum = 366)]
    prune_days: u32,
    /// How much of a repository's disk may be in use.
    #[schema(minimum = 1, maximum = 100)]
    storage_percent: u32,
    /// Grows with each change; sent back with one, it is refused when somebody else was faster. Absent to replace whatever is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
}

fn prune_days() -> u32 {
    AlarmSettings::default().prune_days
}

impl AlarmSettingsBody {
    fn of((settings, version): (AlarmSettings, i64)) -> Self {
        Self {
            version: Some(version),
            backup_hours: settings.backup_hours,
            connectors: settings.connectors,
            verify_days: settings.verify_days,
            prune_days: settings.prune_days,
            storage_percent: settings.storage_percent,
        }
    }
}

/// What is wrong at the moment, the newest first.
#[utoipa::path(get, path = "/alarms", tag = "alarms", operation_id = "alarm_list",
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<AlarmView>), Refusals))]
async fn list(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
) -> Result<Json<Paged<AlarmView>>, Problem> {
    let rows = server.control.catalog.alarms().await?;
    let seen = rows.into_iter().filter(|row| reaches(&caller, row));
    Ok(Json(Paged::from(
        seen.map(AlarmView::of).collect::<Vec<_>>(),
    )))
}

/// Says that somebody knows of an alarm. It comes back when it gets worse.
#[utoipa::path(post, path = "/alarms/acknowledge", tag = "alarms", operation_id = "alarm_acknowledge",
    extensions(("x-permission" = json!("run-backups"))),
    request_body = AcknowledgeAlarm, responses((status = 200, body = AlarmView), Refusals))]
async fn acknowledge(
    caller: Allowed<RunBackups>,
    State(server): State<Server>,
    Json(request): Json<AcknowledgeAlarm>,
) -> Result<Json<AlarmView>, Problem> {
    let key = &request.key;
    let row = server.control.catalog.alarm(key).await?;
    if !reaches(&caller, &row) {
        return Err(catalog::Error::AlarmUnknown { key: key.clone() }.into());
    }
    let row = server
        .control
        .acknowledge_alarm(key, &caller.name, &request.reason)
        .await?;
    let details = json!({ "reason": request.reason });
    server
        .audit(
            &caller,
            "alarm.acknowledge",
            &format!("alarm/{key}"),
            details,
        )
        .await?;
    Ok(Json(AlarmView::of(row)))
}

/// What alarms go by.
#[utoipa::path(get, path = "/alarms/settings", tag = "alarms", operation_id = "alarm_settings_get",
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = AlarmSettingsBody), Refusals))]
async fn get_settings(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
) -> Result<Json<AlarmSettingsBody>, Problem> {
    let (mut settings, version) = server.control.versioned_alarm_settings().await?;
    settings.connectors.retain(|name, _| caller.reaches(name));
    Ok(Json(AlarmSettingsBody::of((settings, version))))
}

/// Changes what alarms go by.
#[utoipa::path(put, path = "/alarms/settings", tag = "alarms", operation_id = "alarm_settings_set",
    extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    request_body = AlarmSettingsBody, responses((status = 200, body = AlarmSettingsBody), Refusals))]
async fn set_settings(
    caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Json(request): Json<AlarmSettingsBody>,
) -> Result<Json<AlarmSettingsBody>, Problem> {
    let settings = AlarmSettings {
        backup_hours: request.backup_hours,
        connectors: request.connectors,
        verify_days: request.verify_days,
        prune_days: request.prune_days,
        storage_percent: request.storage_percent,
    };
    let control = &server.control;
    let version = control
        .set_alarm_settings(&settings, request.version)
        .await?;
    let body = AlarmSettingsBody::of((settings, version));
    server
        .audit(&caller, "alarm.settings", "alarm", json!(body))
        .await?;
    Ok(Json(body))
}
