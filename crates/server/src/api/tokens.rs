//! API tokens.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use catalog::{PersonRow, TokenRow};
use jiff::{SignedDuration, Timestamp};
use model::Permission;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sessions::{Whose, reach, whose};
use crate::access::{Allowed, Caller, CallerKind, Own, new_token};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(revoke))
}

/// An API token, without its secret.
#[derive(Serialize, ToSchema)]
struct Token {
    id: String,
    name: String,
    person: String,
    /// What the token begins with, to recognize it.
    prefix: String,
    #[schema(value_type = Vec<String>)]
    permissions: BTreeSet<Permission>,
    /// Absent for all that its owner reaches; otherwise those that whoever asks reaches too.
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<BTreeSet<String>>,
    created: String,
    expires: String,
    expired: bool,
    /// To the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<String>,
}

impl Token {
    fn seen(row: TokenRow, caller: &Caller, now: Timestamp) -> Self {
        Self {
            id: row.id,
            name: row.name,
            person: row.person,
            prefix: format!("kw_{}", row.prefix),
            permissions: row.permissions,
            connectors: row.connectors.map(|names| caller.reached(names)),
            created: row.created.to_string(),
            expires: row.expires.to_string(),
            expired: row.expires <= now,
            used: row.used.map(|time| time.to_string()),
        }
    }
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddToken {
    name: String,
    /// At most these, as far as the owner has them at the time of each request.
    #[schema(value_type = Vec<String>, min_items = 1, example = json!(["read-status"]))]
    permissions: BTreeSet<Permission>,
    /// At most these connectors; all that the owner reaches when absent.
    connectors: Option<BTreeSet<String>>,
    /// At most 366; 90 when absent.
    #[schema(minimum = 1, maximum = 366)]
    days: Option<u16>,
    /// Whose token it is: only the machine's own administrator can make one for somebody.
    person: Option<String>,
}

/// A new token. Its text is shown this once.
#[derive(Serialize, ToSchema)]
struct NewToken {
    #[serde(flatten)]
    token: Token,
    secret: String,
}

const LONGEST: u16 = 366;
const USUAL: u16 = 90;

/// Whoever holds a token cannot revoke, unless it is one for managing people.
pub(super) fn not_a_mere_token(caller: &Caller) -> Result<(), Problem> {
    if caller.kind == CallerKind::Local || caller.may(Permission::ManagePeople) {
        return Ok(());
    }
    caller.in_person().map(drop)
}

/// One's own tokens, or everybody's, the newest first.
#[utoipa::path(get, path = "/tokens", tag = "account", operation_id = "token_list",
    params(PageQuery, Whose), extensions(("x-permission" = json!("own"))),
    responses((status = 200, body = Paged<Token>), Refusals))]
async fn list(
    caller: Allowed<Own>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(all): Query<Whose>,
) -> Result<Json<Paged<Token>>, Problem> {
    let person = whose(&caller, &all)?;
    let tokens = server
        .control
        .catalog
        .tokens(person, &query.page(&server)?)
        .await?;
    let now = server.control.clock.now();
    Ok(Json(Paged::from_listed(&server, tokens, |row| {
        Token::seen(row, &caller, now)
    })))
}

/// Makes a token of one's own. A token cannot make tokens.
#[utoipa::path(post, path = "/tokens", tag = "account", operation_id = "token_add",
    extensions(("x-permission" = json!("own"))),
    request_body = AddToken, responses((status = 201, body = NewToken), Refusals))]
async fn add(
    caller: Allowed<Own>,
    State(server): State<Server>,
    Json(request): Json<AddToken>,
) -> Result<(StatusCode, Json<NewToken>), Problem> {
    let owner = owner(&server, &caller, request.person.as_deref()).await?;
    check(&request, &owner)?;
    let now = server.control.clock.now();
    let (secret, prefix, hash) = new_token();
    let days = i64::from(request.days.unwrap_or(USUAL));
    let row = TokenRow {
        id: server.control.new_id(),
        name: request.name,
        person: owner.name.clone(),
        prefix,
        permissions: request.permissions,
        connectors: request.connectors,
        created: now,
        expires: now + SignedDuration::from_hours(24 * days),
        used: None,
    };
    server
        .control
        .catalog
        .add_token(&owner.id, &row, &hash)
        .await?;
    let details = json!({
        "person": owner.name, "name": row.name, "permissions": row.permissions,
        "connectors": row.connectors, "expires": row.expires.to_string(),
    });
    server
        .audit(&caller, "token.add", &format!("token/{}", row.id), details)
        .await?;
    let token = Token::seen(row, &caller, now);
    Ok((StatusCode::CREATED, Json(NewToken { token, secret })))
}

async fn owner(
    server: &Server,
    caller: &Caller,
    named: Option<&str>,
) -> Result<PersonRow, Problem> {
    let catalog = &server.control.catalog;
    match (caller.kind, named) {
        (CallerKind::Local, Some(name)) => Ok(catalog.person(name).await?),
        (CallerKind::Local, None) => Err(Problem::field("/person", "say whose token it is")),
        (_, Some(name)) if !name.eq_ignore_ascii_case(&caller.name) => {
            Err(Problem::field("/person", "nobody makes tokens of others"))
        }
        _ => Ok(catalog.person_by_id(caller.in_person()?).await?),
    }
}

fn check(request: &AddToken, owner: &PersonRow) -> Result<(), Problem> {
    crate::access::person_name(&request.name)?;
    if !(1..=LONGEST).contains(&request.days.unwrap_or(USUAL)) {
        return Err(Problem::field("/days", "from 1 to 366"));
    }
    if request.permissions.is_empty() {
        return Err(Problem::field("/permissions", "at least one"));
    }
    let has = |permission: &Permission| owner.roles.iter().any(|role| role.may(*permission));
    if !request.permissions.iter().all(has) {
        return Err(Problem::field(
            "/permissions",
            "the owner does not have all of them",
        ));
    }
    let reached = |names: &BTreeSet<String>| {
        let owned = owner.connectors.as_ref();
        names
            .iter()
            .all(|name| owned.is_none_or(|owned| owned.contains(&name.to_lowercase())))
    };
    if !request.connectors.as_ref().is_none_or(reached) {
        return Err(Problem::field(
            "/connectors",
            "the owner does not reach all of them",
        ));
    }
    Ok(())
}

/// Revokes a token: an own one, or anybody's for who manages people.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "account", operation_id = "token_revoke", params(("id" = String, Path)),
    extensions(("x-permission" = json!("own"))),
    responses((status = 204), Refusals))]
async fn revoke(
    caller: Allowed<Own>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    not_a_mere_token(&caller)?;
    if !server
        .control
        .catalog
        .remove_token(&id, reach(&caller))
        .await?
    {
        return Err(Problem::not_found(
            "token-unknown",
            "there is no such token",
        ));
    }
    server
        .audit(&caller, "token.revoke", &format!("token/{id}"), json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
