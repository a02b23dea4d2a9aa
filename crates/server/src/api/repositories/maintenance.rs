//! What is done for a repository by itself, and when.

use axum::extract::State;
use catalog::{MaintenanceRow, RepositoryRow};
use jiff::Timestamp;
use model::policy::next_runs;
use model::{Maintenance, Task};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, Everything, ManageRepositories, ReadStatus};
use crate::api::policies::ScheduleBody;
use crate::{FieldError, Json, Path, Problem, Refusals, Server};

/// Times that are told of each task.
const PREVIEW: usize = 5;

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(get, set))
        .routes(routes!(preview))
}

/// What is done for a repository by itself; null is switched off.
#[derive(Serialize, ToSchema)]
struct MaintenanceView {
    check: Option<ScheduledCheck>,
    prune: Option<ScheduledTask>,
    /// Of the newest snapshot of each source.
    verify: Option<ScheduledTask>,
    /// Grows with each change; sent back with one, it is refused when somebody else was faster.
    version: i64,
}

/// A check that comes by itself.
#[derive(Serialize, ToSchema)]
struct ScheduledCheck {
    #[serde(flatten)]
    task: ScheduledTask,
    /// Of the packs, that each check reads: another part each time.
    read_percent: u8,
}

/// A task and its times.
#[derive(Serialize, ToSchema)]
struct ScheduledTask {
    schedule: ScheduleBody,
    /// The next times, in UTC.
    next: Vec<String>,
    /// When its schedule made a run last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    fired: Option<String>,
}

/// What is to be done for a repository by itself. Each member has to be there; null switches it off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetMaintenance {
    #[serde(deserialize_with = "present")]
    #[schema(required)]
    check: Option<SetCheck>,
    #[serde(deserialize_with = "present")]
    #[schema(required)]
    prune: Option<SetTask>,
    #[serde(deserialize_with = "present")]
    #[schema(required)]
    verify: Option<SetTask>,
    /// What it replaces; absent for whatever is there.
    version: Option<i64>,
}

/// When to check, and how thoroughly.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetCheck {
    schedule: ScheduleBody,
    /// Of the packs, that each check reads; all other files are read whole.
    #[schema(minimum = 0, maximum = 100)]
    read_percent: u8,
}

/// When to do it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetTask {
    schedule: ScheduleBody,
}

/// A member that was forgotten must not switch anything off.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

impl SetMaintenance {
    /// The tasks, if all of their members can be right.
    fn tasks(&self) -> Result<Vec<Maintenance>, Problem> {
        let mut tasks = Vec::new();
        if let Some(check) = &self.check {
            tasks.push(Maintenance {
                task: Task::Check,
                schedule: check.schedule.schedule()?,
                read_percent: check.read_percent,
            });
        }
        for (task, set) in [(Task::Prune, &self.prune), (Task::Verify, &self.verify)] {
            if let Some(set) = set {
                tasks.push(Maintenance {
                    task,
                    schedule: set.schedule.schedule()?,
                    read_percent: 0,
                });
            }
        }
        let wrong: Vec<FieldError> = tasks
            .iter()
            .flat_map(Maintenance::faults)
            .map(|one| FieldError::pointer(one.pointer, one.message))
            .collect();
        if wrong.is_empty() {
            Ok(tasks)
        } else {
            Err(Problem::fields(wrong))
        }
    }
}

impl MaintenanceView {
    fn of(
        repository: &RepositoryRow,
        tasks: &[(Maintenance, Option<Timestamp>)],
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let view = |task: Task| -> Result<Option<(ScheduledTask, u8)>, Problem> {
            let Some((one, fired)) = tasks.iter().find(|(one, _)| one.task == task) else {
                return Ok(None);
            };
            let next = next_runs(&one.schedule, &one.label(&repository.name), now, PREVIEW);
            let view = ScheduledTask {
                schedule: ScheduleBody::of(&one.schedule)?,
                next: next.iter().map(ToString::to_string).collect(),
                fired: fired.map(|fired| fired.to_string()),
            };
            Ok(Some((view, one.read_percent)))
        };
        Ok(Self {
            check: view(Task::Check)?
                .map(|(task, read_percent)| ScheduledCheck { task, read_percent }),
            prune: view(Task::Prune)?.map(|(task, _)| task),
            verify: view(Task::Verify)?.map(|(task, _)| task),
            version: repository.maintenance_version,
        })
    }
}

async fn known(server: &Server, name: &str) -> Result<MaintenanceView, Problem> {
    // First: with a version that is too old nothing is overwritten.
    let repository = server.control.catalog.repository(name).await?;
    let rows = server.control.maintenance(name).await?;
    let task = |row: MaintenanceRow| (row.maintenance, row.fired);
    let tasks: Vec<_> = rows.into_iter().map(task).collect();
    MaintenanceView::of(&repository, &tasks, server.control.clock.now())
}

/// What is done for a repository by itself, and when next.
#[utoipa::path(get, path = "/repositories/{name}/maintenance", tag = "repositories", operation_id = "maintenance_get",
    params(("name" = String, Path)), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = MaintenanceView), Refusals))]
async fn get(
    _caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<MaintenanceView>, Problem> {
    known(&server, &name).await.map(Json)
}

/// Replaces what is done for a repository by itself.
#[utoipa::path(put, path = "/repositories/{name}/maintenance", tag = "repositories", operation_id = "maintenance_set",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    request_body = SetMaintenance, responses((status = 200, body = MaintenanceView), Refusals))]
async fn set(
    caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<SetMaintenance>,
) -> Result<Json<MaintenanceView>, Problem> {
    let tasks = request.tasks()?;
    let control = &server.control;
    control
        .set_maintenance(&name, &tasks, request.version)
        .await?;
    let names: Vec<&str> = tasks.iter().map(|one| one.task.name()).collect();
    server
        .audit(
            &caller,
            "repository.maintenance",
            &format!("repository/{name}"),
            json!({ "tasks": names }),
        )
        .await?;
    known(&server, &name).await.map(Json)
}

/// When it would be done, without a change.
#[utoipa::path(post, path = "/repositories/{name}/maintenance/preview", tag = "repositories", operation_id = "maintenance_preview",
    params(("name" = String, Path)), extensions(("x-permission" = json!("read-status"))),
    request_body = SetMaintenance, responses((status = 200, body = MaintenanceView), Refusals))]
async fn preview(
    _caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<SetMaintenance>,
) -> Result<Json<MaintenanceView>, Problem> {
    let repository = server.control.catalog.repository(&name).await?;
    let tasks = request.tasks()?.into_iter().map(|one| (one, None));
    let tasks: Vec<_> = tasks.collect();
    let now = server.control.clock.now();
    MaintenanceView::of(&repository, &tasks, now).map(Json)
}
