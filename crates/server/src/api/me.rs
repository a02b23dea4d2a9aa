//! The account of whoever calls.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use catalog::{PersonRow, SecondFactor};
use model::{Permission, Role};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, Caller, ClientLine, Own, acceptable, second_factor};
use crate::{Json, Problem, Refusals, SecretText, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(get))
        .routes(routes!(change_password))
        .routes(routes!(enrol))
        .routes(routes!(confirm))
        .routes(routes!(turn_off))
}

/// Who calls and what they may.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    name: String,
    /// `person`, `token`, `worker` or `local-administrator`.
    kind: &'static str,
    #[schema(value_type = Vec<String>)]
    roles: BTreeSet<Role>,
    #[schema(value_type = Vec<String>)]
    permissions: BTreeSet<Permission>,
    /// Absent for all connectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<BTreeSet<String>>,
    /// `off`, `pending` or `on`.
    second_factor: &'static str,
    has_password: bool,
    /// Somebody else has to approve what removes backups.
    four_eyes: bool,
}

pub(super) fn second_factor_word(factor: SecondFactor) -> &'static str {
    match factor {
        SecondFactor::Off => "off",
        SecondFactor::Pending => "pending",
        SecondFactor::On => "on",
    }
}

pub(super) async fn read(server: &Server, caller: &Caller) -> Result<Me, Problem> {
    let person = match &caller.person {
        Some(id) => Some(server.control.catalog.person_by_id(id).await?),
        None => None,
    };
    let factor = person
        .as_ref()
        .map_or(SecondFactor::Off, |person| person.second_factor);
    Ok(Me {
        name: caller.name.clone(),
        kind: caller.kind.word(),
        roles: caller.roles.clone(),
        permissions: caller.permissions(),
        connectors: caller.connectors.clone(),
        second_factor: second_factor_word(factor),
        has_password: person.is_some_and(|person| person.has_password),
        four_eyes: server.control.four_eyes().await?,
    })
}

/// Who calls and what they may.
#[utoipa::path(get, path = "/me", tag = "account", operation_id = "me_get",
    extensions(("x-permission" = json!("own"))),
    responses((status = 200, body = Me), Refusals))]
async fn get(caller: Allowed<Own>, State(server): State<Server>) -> Result<Json<Me>, Problem> {
    Ok(Json(read(&server, &caller).await?))
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The one of before.
    current: SecretText,
    new: SecretText,
}

/// A password, to prove that it is still the person who sits there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Proof {
    password: SecretText,
}

/// A code of the authenticator app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    code: SecretText,
}

/// What an authenticator app needs; it is shown this once.
#[derive(Serialize, ToSchema)]
struct Enrolled {
    /// In base 32, to be typed.
    secret: String,
    otpauth_url: String,
    /// The address as a QR code: its rows from the top, `1` for a dark square and `0` for a light one, without the light edge of four squares that a
    /// reader needs around it.
    qr: Vec<String>,
}

/// Codes for who has lost the authenticator; each is good once, and they are shown this once.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// The person behind a session, when the password is right; wrong ones are counted as at sign-in.
async fn proved(
    server: &Server,
    caller: &Caller,
    client: &ClientLine,
    password: &SecretText,
    at: &str,
) -> Result<PersonRow, Problem> {
    caller.in_person()?;
    crate::access::count_attempt(server, &caller.name, client).await?;
    let found = server.control.catalog.person_to_prove(&caller.name).await?;
    let (person, hash) = found.ok_or_else(Problem::sign_in)?;
    if password.expose().len() > crate::access::LONGEST
        || !server.access.hashing.verify(password, hash).await?
    {
        return Err(Problem::field(at, "not the password of this account"));
    }
    crate::access::forgive_attempt(server, &caller.name, client).await?;
    Ok(person)
}

/// Changes the password. All other sessions of the person end.
#[utoipa::path(put, path = "/me/password", tag = "account", operation_id = "me_password_set",
    extensions(("x-permission" = json!("own"))),
    request_body = NewPassword, responses((status = 204), Refusals))]
async fn change_password(
    caller: Allowed<Own>,
    State(server): State<Server>,
    client: ClientLine,
    Json(request): Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    let person = proved(&server, &caller, &client, &request.current, "/current").await?;
    acceptable(&request.new, &person.name, "/new")?;
    let hash = server.access.hashing.hash(&request.new).await?;
    let catalog = &server.control.catalog;
    catalog
        .set_password(&person.id, &hash, caller.proof.as_deref())
        .await?;
    let subject = format!("person/{}", person.name);
    server
        .audit(&caller, "person.change-password", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins the enrolment of one-time codes; sign-in asks for them once one was confirmed.
#[utoipa::path(post, path = "/me/second-factor", tag = "account", operation_id = "me_second_factor_create",
    extensions(("x-permission" = json!("own"))),
    request_body = Proof, responses((status = 201, body = Enrolled), Refusals))]
async fn enrol(
    caller: Allowed<Own>,
    State(server): State<Server>,
    client: ClientLine,
    Json(request): Json<Proof>,
) -> Result<(StatusCode, Json<Enrolled>), Problem> {
    let person = proved(&server, &caller, &client, &request.password, "/password").await?;
    let enrolment = second_factor::begin(&server, &person).await?;
    let subject = format!("person/{}", person.name);
    server
        .audit(&caller, "person.enrol-second-factor", &subject, json!({}))
        .await?;
    let enrolled = Enrolled {
        secret: enrolment.secret,
        otpauth_url: enrolment.url,
        qr: enrolment.qr,
    };
    Ok((StatusCode::CREATED, Json(enrolled)))
}

/// Turns one-time codes on by the first of them.
#[utoipa::path(post, path = "/me/second-factor/confirm", tag = "account", operation_id = "me_second_factor_confirm",
    extensions(("x-permission" = json!("own"))),
    request_body = Code, responses((status = 200, body = RecoveryCodes), Refusals))]
async fn confirm(
    caller: Allowed<Own>,
    State(server): State<Server>,
    client: ClientLine,
    Json(request): Json<Code>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let person = server
        .control
        .catalog
        .person_by_id(caller.in_person()?)
        .await?;
    crate::access::count_attempt(&server, &caller.name, &client).await?;
    let recovery_codes = second_factor::confirm(&server, &person, request.code.expose()).await?;
    crate::access::forgive_attempt(&server, &caller.name, &client).await?;
    let subject = format!("person/{}", person.name);
    server
        .audit(&caller, "person.confirm-second-factor", &subject, json!({}))
        .await?;
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Turns one-time codes off.
#[utoipa::path(post, path = "/me/second-factor/disable", tag = "account", operation_id = "me_second_factor_disable",
    extensions(("x-permission" = json!("own"))),
    request_body = Proof, responses((status = 204), Refusals))]
async fn turn_off(
    caller: Allowed<Own>,
    State(server): State<Server>,
    client: ClientLine,
    Json(request): Json<Proof>,
) -> Result<StatusCode, Problem> {
    let person = proved(&server, &caller, &client, &request.password, "/password").await?;
    server.control.catalog.end_second_factor(&person.id).await?;
    let subject = format!("person/{}", person.name);
    server
        .audit(&caller, "person.end-second-factor", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
