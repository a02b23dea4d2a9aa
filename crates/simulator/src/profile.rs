//! `app.vssps.visualstudio.com`: who the caller is, and which organizations they are in.

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::auth::{self, Caller};
use crate::server::{ApiError, Query, Reply};
use crate::wit::value::date_text;
use crate::world::{Clock, SharedWorld, World};

/// Whether a path on the bare port is one of this service: it names no organization.
pub(crate) fn belongs_here(segments: &[String]) -> bool {
    matches!(segments, [first, second, ..]
        if first.eq_ignore_ascii_case("_apis")
            && (second.eq_ignore_ascii_case("profile") || second.eq_ignore_ascii_case("accounts")))
}

pub(crate) fn answer(
    world: &SharedWorld,
    method: &Method,
    segments: &[String],
    query: &str,
    headers: &HeaderMap,
) -> Result<Reply, Box<Reply>> {
    let world = world.read();
    let caller = auth::everywhere(&world, headers)?;
    let lower: Vec<String> = segments
        .iter()
        .map(|segment| segment.to_lowercase())
        .collect();
    let parts: Vec<&str> = lower.iter().map(String::as_str).collect();
    let reply = match (method, &parts[..]) {
        (&Method::GET, ["_apis", "profile", "profiles", id]) => profile(&caller, id),
        (&Method::GET, ["_apis", "accounts"]) => accounts(&world, &caller, &Query::parse(query)),
        _ => Err(ApiError::no_route_path(&format!("/{}", segments.join("/")))),
    };
    reply.map_err(|error| Box::new(error.into_reply()))
}

fn profile(caller: &Caller, id: &str) -> Result<Reply, ApiError> {
    let person = &caller.person;
    if id != "me" && id != person.id.to_string() {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "Microsoft.VisualStudio.Services.Profile.ProfileDoesNotExistException",
            format!("VS403354: Profile {id} does not exist."),
        ));
    }
    Ok(Reply::json(json!({
        "displayName": person.display_name,
        "publicAlias": person.id,
        "emailAddress": person.unique_name,
        "coreRevision": 11_257_310,
        "timeStamp": date_text(Clock::default().now()),
        "id": person.id,
        "revision": 11_257_310,
    })))
}

/// Organizations of a person. Applications are in none, whatever they were added to.
fn accounts(world: &World, caller: &Caller, query: &Query) -> Result<Reply, ApiError> {
    let wanted = query.get("memberId").or_else(|| query.get("ownerId"));
    let Some(wanted) = wanted else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.VisualStudio.Services.Account.AccountException",
            "VS404236: Either the owner or the member of the accounts has to be given.",
        ));
    };
    let owned = query.get("memberId").is_none();
    let wanted = Uuid::parse_str(wanted)
        .map_err(|_| ApiError::bad_request(format!("The value '{wanted}' is not valid.")))?;
    if wanted != caller.person.id {
        return Err(ApiError::unauthorized(format!(
            "TF400813: The user '{}' is not authorized to access this resource.",
            caller.person.id
        )));
    }
    let found = world.organizations.values().filter(|organization| {
        let membership = organization.access.membership(wanted);
        !caller.application
            && caller
                .tenant
                .is_none_or(|tenant| tenant == organization.access.tenant)
            && organization.people.iter().any(|person| person.id == wanted)
            && if owned {
                membership.owner
            } else {
                membership.member
            }
    });
    let list = found.map(|organization| {
        json!({
            "accountId": organization.id,
            "accountUri": format!("https://vssps.dev.azure.com:443/{}/", organization.name),
            "accountName": organization.name,
            "properties": {},
        })
    });
    Ok(Reply::list(list.collect()))
}
