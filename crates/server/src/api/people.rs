//! Accounts.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::AppendHeaders;
use catalog::{NewPerson, PersonChange, PersonRow};
use model::Role;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::me::second_factor_word;
use crate::access::{Allowed, Caller, CallerKind, ManagePeople, acceptable, person_name};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, SecretText, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, edit, remove))
        .routes(routes!(reset_password))
}

/// An account.
#[derive(Serialize, ToSchema)]
struct Person {
    name: String,
    #[schema(value_type = Vec<String>)]
    roles: BTreeSet<Role>,
    /// Absent for all connectors; otherwise those that whoever asks reaches too.
    #[serde(skip_serializing_if = "Option::is_none")]
    connectors: Option<BTreeSet<String>>,
    disabled: bool,
    has_password: bool,
    /// `off`, `pending` or `on`.
    second_factor: &'static str,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_in: Option<String>,
    /// The issuers of identities that sign in to this account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    issuers: Vec<String>,
    /// Grows with each change; sent back with one, it is refused when somebody else was faster.
    version: i64,
}

impl Person {
    fn seen(row: PersonRow, caller: &Caller) -> Self {
        Self {
            name: row.name,
            roles: row.roles,
            connectors: row.connectors.map(|names| caller.reached(names)),
            disabled: row.disabled,
            has_password: row.has_password,
            second_factor: second_factor_word(row.second_factor),
            created: row.created.to_string(),
            signed_in: row.signed_in.map(|time| time.to_string()),
            issuers: Vec::new(),
            version: row.version,
        }
    }
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddPerson {
    name: String,
    password: SecretText,
    #[schema(value_type = Vec<String>, min_items = 1, example = json!(["viewer"]))]
    roles: BTreeSet<Role>,
    /// The connectors that the person reaches; all when absent.
    connectors: Option<BTreeSet<String>>,
}

/// What changes in an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditPerson {
    #[schema(value_type = Option<Vec<String>>, min_items = 1)]
    roles: Option<BTreeSet<Role>>,
    /// `null` for all connectors; absent to leave them.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    connectors: Option<Option<BTreeSet<String>>>,
    disabled: Option<bool>,
    /// What it changes; absent for whatever is there.
    version: Option<i64>,
}

/// Tells `null` from what is absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A new password that somebody else sets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetPassword {
    password: SecretText,
    /// Turns one-time codes off too, for who has lost the authenticator and the recovery codes.
    #[serde(default)]
    second_factor_off: bool,
}

fn subject(name: &str) -> String {
    format!("person/{name}")
}

fn with_roles(roles: &BTreeSet<Role>) -> Result<(), Problem> {
    if roles.is_empty() {
        return Err(Problem::field("/roles", "at least one role"));
    }
    Ok(())
}

/// Nobody changes an account that may more than they do, and a token not the account that it belongs to.
fn may_change(caller: &Caller, person: &PersonRow) -> Result<(), Problem> {
    if caller.kind == CallerKind::Token && caller.person.as_deref() == Some(&person.id) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "person-needed",
            "a token cannot change the account of its owner",
        ));
    }
    caller.may_grant(&person.roles, person.connectors.as_ref())
}

/// All accounts, by name.
#[utoipa::path(get, path = "/people", tag = "people", operation_id = "person_list",
    params(PageQuery), extensions(("x-permission" = json!("manage-people"))),
    responses((status = 200, body = Paged<Person>), Refusals))]
async fn list(
    caller: Allowed<ManagePeople>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Paged<Person>>, Problem> {
    let people = server.control.catalog.people(&query.page(&server)?).await?;
    Ok(Json(Paged::from_listed(&server, people, |row| {
        Person::seen(row, &caller)
    })))
}

/// Makes an account with a password.
#[utoipa::path(post, path = "/people", tag = "people", operation_id = "person_add",
    extensions(("x-permission" = json!("manage-people"))),
    request_body = AddPerson,
    responses((status = 201, body = Person, headers(("Location" = String))), Refusals))]
async fn add(
    caller: Allowed<ManagePeople>,
    State(server): State<Server>,
    Json(request): Json<AddPerson>,
) -> Result<
    (
        StatusCode,
        AppendHeaders<Option<(HeaderName, HeaderValue)>>,
        Json<Person>,
    ),
    Problem,
> {
    person_name(&request.name)?;
    with_roles(&request.roles)?;
    caller.may_grant(&request.roles, request.connectors.as_ref())?;
    acceptable(&request.password, &request.name, "/password")?;
    let person = NewPerson {
        id: server.control.new_id(),
        name: request.name,
        roles: request.roles,
        connectors: request.connectors,
        password: Some(server.access.hashing.hash(&request.password).await?),
        created: server.control.clock.now(),
    };
    server.control.catalog.add_person(&person).await?;
    let details = json!({ "roles": person.roles, "connectors": person.connectors });
    server
        .audit(&caller, "person.add", &subject(&person.name), details)
        .await?;
    let added = server.control.catalog.person(&person.name).await?;
    let location = HeaderValue::from_str(&format!(
        "/api/v1/people/{}",
        service::http::segment(&added.name)
    ))
    .ok();
    let location = AppendHeaders(location.map(|location| (header::LOCATION, location)));
    Ok((
        StatusCode::CREATED,
        location,
        Json(Person::seen(added, &caller)),
    ))
}

/// An account.
#[utoipa::path(get, path = "/people/{name}", tag = "people", operation_id = "person_get", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-people"))),
    responses((status = 200, body = Person), Refusals))]
async fn get(
    caller: Allowed<ManagePeople>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<Person>, Problem> {
    let catalog = &server.control.catalog;
    let row = catalog.person(&name).await?;
    let identities = catalog.identities(&row.id).await?;
    let issuers = identities
        .into_iter()
        .map(|identity| identity.issuer)
        .collect();
    Ok(Json(Person {
        issuers,
        ..Person::seen(row, &caller)
    }))
}

/// Changes roles or connectors, or disables an account, which ends its sessions and stops its tokens.
#[utoipa::path(patch, path = "/people/{name}", tag = "people", operation_id = "person_edit", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-people"))),
    request_body = EditPerson, responses((status = 200, body = Person), Refusals))]
async fn edit(
    caller: Allowed<ManagePeople>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<EditPerson>,
) -> Result<Json<Person>, Problem> {
    let catalog = &server.control.catalog;
    if let Some(roles) = &request.roles {
        with_roles(roles)?;
    }
    let person = catalog.person(&name).await?;
    may_change(&caller, &person)?;
    let roles = request.roles.as_ref().unwrap_or(&person.roles);
    let connectors = request.connectors.as_ref().unwrap_or(&person.connectors);
    caller.may_grant(roles, connectors.as_ref())?;
    let details = json!({
        "before": { "roles": person.roles, "connectors": person.connectors, "disabled": person.disabled },
        "roles": request.roles,
        "connectors": request.connectors,
        "disabled": request.disabled,
    });
    let change = PersonChange {
        roles: request.roles,
        connectors: request.connectors,
        disabled: request.disabled,
        version: request.version,
        ..PersonChange::default()
    };
    catalog.change_person(&person.id, &change).await?;
    server
        .audit(&caller, "person.edit", &subject(&person.name), details)
        .await?;
    let changed = catalog.person(&name).await?;
    Ok(Json(Person::seen(changed, &caller)))
}

/// Removes an account with its sessions and tokens.
#[utoipa::path(delete, path = "/people/{name}", tag = "people", operation_id = "person_remove", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-people"))),
    responses((status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManagePeople>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let catalog = &server.control.catalog;
    let person = catalog.person(&name).await?;
    may_change(&caller, &person)?;
    catalog.remove_person(&person.id).await?;
    let details = json!({ "roles": person.roles });
    server
        .audit(&caller, "person.remove", &subject(&person.name), details)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a password for somebody who has lost theirs. All their sessions end.
#[utoipa::path(put, path = "/people/{name}/password", tag = "people", operation_id = "person_reset_password",
    params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-people"))),
    request_body = ResetPassword, responses((status = 204), Refusals))]
async fn reset_password(
    caller: Allowed<ManagePeople>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<ResetPassword>,
) -> Result<StatusCode, Problem> {
    let catalog = &server.control.catalog;
    let person = catalog.person(&name).await?;
    may_change(&caller, &person)?;
    acceptable(&request.password, &person.name, "/password")?;
    let hash = server.access.hashing.hash(&request.password).await?;
    catalog.set_password(&person.id, &hash, None).await?;
    if request.second_factor_off {
        catalog.end_second_factor(&person.id).await?;
    }
    let details = json!({ "second_factor_off": request.second_factor_off });
    server
        .audit(
            &caller,
            "person.reset-password",
            &subject(&person.name),
            details,
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
