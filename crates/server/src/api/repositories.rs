//! Repositories: where backups are kept. Nothing here removes a backup.

mod dto;
mod maintenance;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use catalog::RepositoryRow;
use control::{Bounds, Control, NewRepository, PruneJob, RepositoryMove};
use model::{ProposalKind, Reason};
use repository::Location;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::location;
use super::proposals::Waits;
use super::run_actions::{Accepted, accepted};
use super::runs::RunView;
use crate::access::{Allowed, Caller, CallerKind, Everything, ManageRepositories, ReadStatus};
use crate::{Json, Paged, Path, Problem, Query, Refusals, SecretText, Server};

pub(super) use dto::ObjectLockBody;
use dto::{
    AddRepository, AddedRepository, CheckRepository, EditRepository, PruneRepository,
    RepositoryStateView, RepositoryStats, RepositoryView,
};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, edit, remove))
        .routes(routes!(set_default))
        .routes(routes!(state))
        .routes(routes!(check))
        .routes(routes!(prune))
        .routes(routes!(stats))
        .routes(routes!(sync))
        .merge(maintenance::routes())
}

/// The machine's own administrator may use any place; others those that the configuration allows.
async fn admit(server: &Server, caller: &Caller, text: &str) -> Result<Location, Problem> {
    if caller.kind == CallerKind::Local {
        return Ok(text.parse::<Location>()?);
    }
    admit_other(server, text).await
}

/// A place that the configuration allows.
pub(super) async fn admit_other(server: &Server, text: &str) -> Result<Location, Problem> {
    let bounds = Bounds {
        roots: server.options.repository_roots.clone(),
        egress: server.egress(),
    };
    Ok(bounds.admit(text).await?)
}

/// What to do about a place, where a repository is there already: nobody makes another one.
pub(super) fn of_existing(problem: Problem) -> Problem {
    match problem.code() {
        "repository-outside" => problem.hinted(
            "Choose a folder in one of `[repositories] roots` of the configuration, or let the administrator add it on the machine: \
             `keepward repository add PATH --name NAME --password-file FILE`.",
        ),
        "repository-not-found" => problem.hinted(
            "Give the folder in which the file `config` of the repository lies. If it is on a disk or share of its own, see whether that is mounted.",
        ),
        _ => problem,
    }
}

/// What is asked to open a storage there was meant for it; the machine's own administrator reads the vault anyway.
async fn entrust(
    server: &Server,
    caller: &Caller,
    location: &Location,
    (credential, secret): (Option<&str>, Option<&SecretText>),
) -> Result<(), Problem> {
    if caller.kind == CallerKind::Local {
        return Ok(());
    }
    let given = secret.is_some();
    server
        .control
        .known_server(location, credential, given)
        .await?;
    Ok(())
}

/// What adds it: one that exists is not taken up where policies would forget what lies in it.
async fn may_take_up(
    server: &Server,
    caller: &Caller,
    request: &AddRepository,
) -> Result<Control, Problem> {
    if !request.existing || caller.kind == CallerKind::Local {
        return Ok(server.control.clone());
    }
    let control = server.control.judging().await?;
    if control.adoption_waits(&request.name).await? {
        let name = &request.name;
        return Err(Problem::refused(
            "repository-ruled",
            format!("policies would forget snapshots in it as `{name}`"),
        ));
    }
    Ok(control)
}

async fn view(server: &Server, row: RepositoryRow) -> Result<RepositoryView, Problem> {
    let chosen = server.control.catalog.default_repository().await?;
    let chosen = chosen.is_some_and(|chosen| chosen.name == row.name);
    RepositoryView::of(row, chosen)
}

/// The repositories, by name.
#[utoipa::path(get, path = "/repositories", tag = "repositories", operation_id = "repository_list",
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<RepositoryView>), Refusals))]
async fn list(
    _caller: Allowed<ReadStatus>,
    State(server): State<Server>,
) -> Result<Json<Paged<RepositoryView>>, Problem> {
    let catalog = &server.control.catalog;
    let chosen = catalog.default_repository().await?.map(|row| row.name);
    let rows = catalog.repositories().await?.into_iter();
    let views: Result<Vec<_>, _> = rows
        .map(|row| {
            let is_chosen = chosen.as_ref() == Some(&row.name);
            RepositoryView::of(row, is_chosen)
        })
        .collect();
    Ok(Json(Paged::from(views?)))
}

/// Makes a repository, or takes up one that exists. It is used before it is remembered.
#[utoipa::path(post, path = "/repositories", tag = "repositories", operation_id = "repository_add",
    extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    request_body = AddRepository,
    responses((status = 201, body = AddedRepository, headers(("Location" = String))), Refusals))]
async fn add(
    caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Json(request): Json<AddRepository>,
) -> Result<(StatusCode, HeaderMap, Json<AddedRepository>), Problem> {
    let control = may_take_up(&server, &caller, &request).await?;
    let adopted = request.existing;
    let next = |problem| {
        if adopted {
            of_existing(problem)
        } else {
            problem
        }
    };
    let place = admit(&server, &caller, &request.location)
        .await
        .map_err(next)?;
    let (credential, secret) = (&request.credential, &request.credential_secret);
    let opens = (credential.as_deref(), secret.as_ref());
    entrust(&server, &caller, &place, opens).await?;
    let new = NewRepository {
        location: place,
        name: request.name,
        storage_credential: request.credential,
        storage_secret: request.credential_secret.map(SecretText::into_secret),
        object_lock: request
            .object_lock
            .map(dto::ObjectLockBody::rule)
            .transpose()?,
        password: request.password.map(SecretText::into_secret),
        adopt: adopted,
    };
    let added = control.add_repository(new).await;
    let added = added.map_err(|error| next(error.into()))?;
    let row = &added.row;
    let details = json!({
        "location": row.location, "credential": row.storage_credential, "id": row.id, "existing": adopted,
        "object_lock": row.object_lock.is_some(),
    });
    let subject = format!("repository/{}", row.name);
    server
        .audit(&caller, "repository.add", &subject, details)
        .await?;
    let headers = location("repositories", &row.name);
    let body = AddedRepository {
        repository: view(&server, added.row).await?,
        password: added.password.map(|password| password.expose().to_owned()),
    };
    Ok((StatusCode::CREATED, headers, Json(body)))
}

/// A repository, as it is known here.
#[utoipa::path(get, path = "/repositories/{name}", tag = "repositories", operation_id = "repository_get",
    params(("name" = String, Path)), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = RepositoryView), Refusals))]
async fn get(
    _caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<RepositoryView>, Problem> {
    let row = server.control.catalog.repository(&name).await?;
    view(&server, row).await.map(Json)
}

/// Changes how a repository is reached; refused unless it is found there.
#[utoipa::path(put, path = "/repositories/{name}", tag = "repositories", operation_id = "repository_edit",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    request_body = EditRepository, responses((status = 200, body = RepositoryView), Refusals))]
async fn edit(
    caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<EditRepository>,
) -> Result<Json<RepositoryView>, Problem> {
    let known = server.control.catalog.repository(&name).await?;
    let location = if request.location == known.location {
        known.location.parse::<Location>()?
    } else {
        admit(&server, &caller, &request.location).await?
    };
    let (credential, secret) = (&request.credential, &request.credential_secret);
    let opens = (credential.as_deref(), secret.as_ref());
    entrust(&server, &caller, &location, opens).await?;
    let to = RepositoryMove {
        location,
        storage_credential: request.credential,
        storage_secret: request.credential_secret.map(SecretText::into_secret),
        object_lock: request
            .object_lock
            .map(dto::ObjectLockBody::rule)
            .transpose()?,
        version: request.version,
    };
    let row = server.control.move_repository(&name, to).await?;
    let details = json!({
        "location": row.location, "credential": row.storage_credential, "object_lock": row.object_lock,
    });
    let subject = format!("repository/{}", row.name);
    server
        .audit(&caller, "repository.edit", &subject, details)
        .await?;
    view(&server, row).await.map(Json)
}

/// Forgets where a repository is. Its backups and its password stay. Where policies that name no repository would keep less in it, should it be
/// taken up again, that waits for another person if that is asked for.
#[utoipa::path(delete, path = "/repositories/{name}", tag = "repositories", operation_id = "repository_remove",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    responses((status = 202, body = Waits), (status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let control = server.control.judging().await?;
    let row = control.catalog.repository(&name).await?;
    if control.removal_waits(&row.name).await? {
        let kind = ProposalKind::RemoveRepository {
            repository: row.name,
            id: row.id,
        };
        return Ok(server.propose(&caller, &kind).await?.into_response());
    }
    control.remove_repository(&name).await?;
    let subject = format!("repository/{name}");
    server
        .audit(&caller, "repository.remove", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What the caller knows of the change.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Knowing {
    /// That less is kept afterwards.
    #[serde(default)]
    #[param(required = false)]
    accept_less: bool,
}

/// `alpha in main, beta in main`
fn listed(less: &[(String, String)]) -> String {
    let one = |(connector, repository): &(String, String)| format!("{connector} in {repository}");
    less.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Makes it the one that is used when none is named: also the one whose snapshots the policies decide about which name none. Where less is kept
/// afterwards, that waits for another person if that is asked for, and is refused (`default-keeps-less`) without `accept_less` if not.
#[utoipa::path(put, path = "/repositories/{name}/default", tag = "repositories", operation_id = "repository_default",
    params(("name" = String, Path), Knowing), extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    responses((status = 202, body = Waits), (status = 204), Refusals))]
async fn set_default(
    caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Query(knowing): Query<Knowing>,
) -> Result<Response, Problem> {
    let control = server.control.judging().await?;
    let catalog = &control.catalog;
    let name = catalog.repository(&name).await?.name;
    let found = control.default_shortens(&name).await?;
    if found.waits {
        let before = catalog.default_repository().await?;
        let kind = ProposalKind::MoveDefaultRepository {
            repository: name,
            before: before.map(|row| row.name),
        };
        return Ok(server.propose(&caller, &kind).await?.into_response());
    }
    let less = listed(&control.existing(&found.less).await?);
    if !less.is_empty() && !knowing.accept_less {
        return Err(Problem::refused(
            "default-keeps-less",
            format!("policies would keep fewer snapshots of {less}"),
        ));
    }
    catalog.set_default_repository(&name).await?;
    let subject = format!("repository/{name}");
    let details = json!({ "less": less });
    server
        .audit(&caller, "repository.default", &subject, details)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Looks whether the storage answers, and how much is in it; the size may be that of the last check or prune.
#[utoipa::path(get, path = "/repositories/{name}/state", tag = "repositories", operation_id = "repository_state",
    params(("name" = String, Path)), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = RepositoryStateView), Refusals))]
async fn state(
    _caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<RepositoryStateView>, Problem> {
    let row = server.control.catalog.repository(&name).await?;
    let state = server.repository_state(&row).await?;
    let bytes = match state.error {
        None => server.repository_size(&row).await,
        Some(_) => None,
    };
    Ok(Json(RepositoryStateView::of(&state, bytes)))
}

/// Queues a check of everything but packs, and of those as much as is asked for. What it found is the run's `result`, and its issues.
#[utoipa::path(post, path = "/repositories/{name}/check", tag = "repositories", operation_id = "repository_check",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    request_body = CheckRepository,
    responses((status = 202, body = RunView, headers(("Location" = String))), Refusals))]
async fn check(
    caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<CheckRepository>,
) -> Result<Accepted, Problem> {
    let percent = request.read_percent.unwrap_or(0);
    if percent > 100 {
        return Err(Problem::field("/read_percent", "from 0 to 100"));
    }
    let run = server
        .control
        .request_check(&name, percent, Reason::Request)
        .await?;
    let details = json!({ "run": run.id, "read_percent": percent });
    let subject = format!("repository/{}", run.repository);
    server
        .audit(&caller, "repository.check", &subject, details)
        .await?;
    Ok(accepted(run))
}

/// Queues a prune, which frees the space that no snapshot needs, or tells what it would free: in the run's `result`. It may be canceled at
/// any time, and goes on with the next.
#[utoipa::path(post, path = "/repositories/{name}/prune", tag = "repositories", operation_id = "repository_prune",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    request_body = PruneRepository,
    responses((status = 202, body = RunView, headers(("Location" = String))), Refusals))]
async fn prune(
    caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<PruneRepository>,
) -> Result<Accepted, Problem> {
    let details = json!({ "dry_run": request.dry_run, "accept_drop": request.accept_drop });
    let wish = PruneJob {
        dry_run: request.dry_run,
        accept_drop: request.accept_drop,
        ..PruneJob::default()
    };
    let run = server
        .control
        .request_prune(&name, wish, Reason::Request)
        .await?;
    let subject = format!("repository/{}", run.repository);
    server
        .audit(&caller, "repository.prune", &subject, details)
        .await?;
    Ok(accepted(run))
}

/// How large it is, and what makes it so. That of a large repository takes longer than a request may (`repository-counting`): ask again.
#[utoipa::path(get, path = "/repositories/{name}/stats", tag = "repositories", operation_id = "repository_stats",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    responses((status = 200, body = RepositoryStats), Refusals))]
async fn stats(
    _caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<RepositoryStats>, Problem> {
    let row = server.control.catalog.repository(&name).await?;
    let counted = server.repository_stats(&row).await?;
    Ok(Json(RepositoryStats::of(&counted)))
}

/// Queues the reading of the repository's index: afterwards the catalog lists what the repository has. For a catalog that was lost, and after other
/// programs have changed the repository.
#[utoipa::path(post, path = "/repositories/{name}/sync", tag = "repositories", operation_id = "repository_sync",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-repositories")), ("x-reach" = json!("all"))),
    responses((status = 202, body = RunView, headers(("Location" = String))), Refusals))]
async fn sync(
    caller: Allowed<ManageRepositories, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Accepted, Problem> {
    let run = server.control.request_sync(&name, Reason::Request).await?;
    let subject = format!("repository/{}", run.repository);
    server
        .audit(
            &caller,
            "repository.sync",
            &subject,
            json!({ "run": run.id }),
        )
        .await?;
    Ok(accepted(run))
}
