//! The first start: the first administrator comes in by a token that the server printed, and may bring a repository along.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use catalog::{NewPerson, Page, RepositoryRow, RunFilter};
use control::NewRepository;
use model::{Permission, Reason, Role, RunKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::repositories::{ObjectLockBody, admit_other, of_existing};
use super::runs::RunView;
use crate::access::{Caller, ClientLine, Started, acceptable, digest, person_name};
use crate::{Json, Problem, Refusals, SecretText, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(get, set_up))
}

/// Whether the server waits for its first administrator, and how the taking up of a repository stands.
#[derive(Serialize, ToSchema)]
struct Setup {
    needed: bool,
    /// The newest run that read a repository's index, for callers who are signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    restore: Option<RunView>,
    /// What has snapshots, and no connector that makes new ones: secrets are not in repositories, so that each has to be signed in to again. For
    /// callers who are signed in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without_connector: Vec<Orphan>,
}

/// An organization or tenant that has snapshots and no connector.
#[derive(Serialize, ToSchema)]
struct Orphan {
    service: String,
    source: String,
    /// Where that is: two sources at two addresses may have one name.
    address: String,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetUp {
    /// As printed when the server was started.
    token: SecretText,
    name: String,
    password: SecretText,
    /// A repository of a server that is gone: its snapshots, search and history come back.
    restore: Option<RestoreFrom>,
}

/// A repository that another server has left.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RestoreFrom {
    /// As in `POST /repositories`.
    location: String,
    /// The repository's own.
    password: SecretText,
    /// What it is called here; `restored` when absent.
    name: Option<String>,
    /// What opens the storage; the machine's own identity when absent.
    credential_secret: Option<SecretText>,
    object_lock: Option<ObjectLockBody>,
}

/// Who is signed in now, and the run that reads the repository's index.
#[derive(Serialize, ToSchema)]
struct SetUpDone {
    #[serde(flatten)]
    me: super::me::Me,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore: Option<RunView>,
}

/// Whether the server waits for its first administrator.
#[utoipa::path(get, path = "/setup", tag = "sign-in", operation_id = "setup_get", security(()),
    responses((status = 200, body = Setup), Refusals))]
async fn get(
    State(server): State<Server>,
    caller: Option<Extension<Caller>>,
) -> Result<Json<Setup>, Problem> {
    let needed = !server.control.catalog.has_people().await?;
    let mut setup = Setup {
        needed,
        restore: None,
        without_connector: Vec::new(),
    };
    let reads = |caller: &Caller| caller.connectors.is_none() && caller.may(Permission::ReadStatus);
    if caller.is_some_and(|Extension(caller)| reads(&caller)) {
        let filter = RunFilter {
            kind: Some(RunKind::Sync),
            ..RunFilter::default()
        };
        let newest = Page::first(1);
        let runs = server.control.catalog.list_runs(&filter, &newest).await?;
        setup.restore = runs.items.into_iter().next().map(RunView::from);
        let orphans = server.control.sources_without_connector().await?;
        setup.without_connector = orphans
            .into_iter()
            .map(|(id, source)| Orphan {
                service: id.service,
                source,
                address: id.address,
            })
            .collect();
    }
    Ok(Json(setup))
}

/// Makes the first administrator and signs them in; with `restore`, the repository is opened before and its index is read by a run that is queued then. If
/// it cannot be opened, nothing has happened. The token is gone afterwards.
#[utoipa::path(post, path = "/setup", tag = "sign-in", operation_id = "setup_create", security(()),
    request_body = SetUp, responses((status = 201, body = SetUpDone), Refusals))]
async fn set_up(
    State(server): State<Server>,
    client: ClientLine,
    Json(request): Json<SetUp>,
) -> Result<impl axum::response::IntoResponse, Problem> {
    person_name(&request.name)?;
    acceptable(&request.password, &request.name, "/password")?;
    crate::access::count_attempt(&server, "setup", &client).await?;
    let catalog = &server.control.catalog;
    if catalog.has_people().await? {
        return Err(catalog::Error::SetupRefused.into());
    }
    let token = digest(request.token.expose());
    let taken = match request.restore {
        // Nobody else makes this server look into storages.
        Some(restore) if catalog.is_setup_token(&token).await? => {
            Some(take_up(&server, restore).await.map_err(of_existing)?)
        }
        _ => None,
    };
    let person = NewPerson {
        id: server.control.new_id(),
        name: request.name.clone(),
        roles: [Role::Admin].into(),
        connectors: None,
        password: Some(server.access.hashing.hash(&request.password).await?),
        created: server.control.clock.now(),
    };
    if let Err(error) = catalog.add_first_person(&token, &person).await {
        let details = json!({ "reason": error.code() });
        server
            .audit_nobody(&request.name, &client, "setup.refused", details)
            .await?;
        return Err(error.into());
    }
    let person = catalog.person(&person.name).await?;
    let subject = format!("person/{}", person.name);
    let started = Started::begin(&server, person, "setup", &client, None).await?;
    let details = json!({ "roles": [Role::Admin], "by": "setup" });
    server
        .audit(&started.caller, "person.add", &subject, details)
        .await?;
    let restore = match taken {
        Some(row) => Some(read_index(&server, &started.caller, &row).await?),
        None => None,
    };
    let me = super::me::read(&server, &started.caller).await?;
    let body = Json(SetUpDone { me, restore });
    Ok((StatusCode::CREATED, started.cookie.header(), body))
}

/// Opens the repository and remembers it as the default one.
async fn take_up(server: &Server, restore: RestoreFrom) -> Result<RepositoryRow, Problem> {
    let lock = restore.object_lock.map(ObjectLockBody::rule).transpose()?;
    let location = admit_other(server, &restore.location).await?;
    let given = restore.credential_secret.is_some();
    server.control.known_server(&location, None, given).await?;
    let new = NewRepository {
        name: restore.name.unwrap_or_else(|| "restored".to_owned()),
        location,
        storage_credential: None,
        storage_secret: restore.credential_secret.map(SecretText::into_secret),
        object_lock: lock,
        password: Some(restore.password.into_secret()),
        adopt: true,
    };
    let row = server.control.add_repository(new).await?.row;
    let catalog = &server.control.catalog;
    catalog.set_default_repository(&row.name).await?;
    Ok(row)
}

async fn read_index(
    server: &Server,
    caller: &Caller,
    row: &RepositoryRow,
) -> Result<RunView, Problem> {
    let run = server
        .control
        .request_sync(&row.name, Reason::Request)
        .await?;
    let details = json!({
        "location": row.location, "id": row.id, "existing": true, "default": true, "by": "setup", "run": run.id,
    });
    let subject = format!("repository/{}", row.name);
    server
        .audit(caller, "repository.add", &subject, details)
        .await?;
    Ok(run.into())
}

impl Server {
    /// A token that makes the first administrator, or `None` when somebody has an account; a token of before is void. Print it once.
    pub async fn offer_setup(&self) -> Result<Option<String>, catalog::Error> {
        let token = crate::access::Random::draw();
        let offered = self.control.catalog.offer_setup(&token.digest()).await?;
        Ok(offered.then(|| token.reveal()))
    }
}
