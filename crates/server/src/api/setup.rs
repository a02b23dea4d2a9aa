//! The first start: the first administrator comes in by a token that the server printed.

use axum::extract::State;
use axum::http::StatusCode;
use catalog::NewPerson;
use model::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{ClientLine, Started, acceptable, digest, person_name};
use crate::{Json, Problem, Refusals, SecretText, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(get, set_up))
}

/// Whether the server waits for its first administrator.
#[derive(Serialize, ToSchema)]
struct Setup {
    needed: bool,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetUp {
    /// As printed when the server was started.
    token: SecretText,
    name: String,
    password: SecretText,
}

/// Whether the server waits for its first administrator.
#[utoipa::path(get, path = "/setup", tag = "sign-in", operation_id = "setup_get", security(()),
    responses((status = 200, body = Setup), Refusals))]
async fn get(State(server): State<Server>) -> Result<Json<Setup>, Problem> {
    let needed = !server.control.catalog.has_people().await?;
    Ok(Json(Setup { needed }))
}

/// Makes the first administrator and signs them in. The token is gone afterwards.
#[utoipa::path(post, path = "/setup", tag = "sign-in", operation_id = "setup_create", security(()),
    request_body = SetUp, responses((status = 201, body = super::me::Me), Refusals))]
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
    let person = NewPerson {
        id: server.control.new_id(),
        name: request.name.clone(),
        roles: [Role::Admin].into(),
        connectors: None,
        password: Some(server.access.hashing.hash(&request.password).await?),
        created: server.control.clock.now(),
    };
    let added = catalog
        .add_first_person(&digest(request.token.expose()), &person)
        .await;
    if let Err(error) = added {
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
    let me = super::me::read(&server, &started.caller).await?;
    Ok((StatusCode::CREATED, started.cookie.header(), Json(me)))
}

impl Server {
    /// A token that makes the first administrator, or `None` when somebody has an account; a token of before is void. Print it once.
    pub async fn offer_setup(&self) -> Result<Option<String>, catalog::Error> {
        let token = crate::access::Random::draw();
        let offered = self.control.catalog.offer_setup(&token.digest()).await?;
        Ok(offered.then(|| token.reveal()))
    }
}
