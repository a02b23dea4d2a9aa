//! Refs: list with filters and pages, create, move, delete, lock.

use std::sync::Arc;

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::bare::{GitError, Reference, ZERO};
use super::errors::{argument, repository_not_found};
use super::present::SYSTEM_ONLY;
use super::rest::{self, Opened};
use super::shape;
use super::state::{Repository, record};
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

const PAGE: usize = 100;
const PAGE_LIMIT: usize = 1000;

pub(super) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    match call.method {
        Method::GET => list(world, call, &opened).await,
        Method::POST => update(world, call, &opened).await,
        Method::PATCH => lock(world, call, &opened).await,
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

/// The `filter`, also as the path after `refs`: a prefix without `refs/`.
fn filter(call: &Call) -> Option<String> {
    let path = call
        .segments
        .get(4..)
        .filter(|rest| !rest.is_empty())
        .map(|rest| rest.join("/"));
    path.or_else(|| call.query.get("filter").map(str::to_owned))
}

async fn list(world: &SharedWorld, call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let prefix = format!("refs/{}", filter(call).unwrap_or_default());
    let contains = call.query.get("filterContains").map(str::to_lowercase);
    let token = call.query.get("continuationToken");
    let mut found = opened.bare.references().await?;
    found.retain(|reference| {
        reference.name.starts_with(&prefix)
            && contains
                .as_ref()
                .is_none_or(|text| reference.name.to_lowercase().contains(text))
            && token.is_none_or(|token| reference.name.as_str() >= token)
    });
    let top = call.query.number("$top")?;
    let limit = match (top, token) {
        (Some(top), _) => top.clamp(1, PAGE_LIMIT),
        (None, Some(_)) => PAGE,
        (None, None) => usize::MAX,
    };
    let next = found.get(limit).map(|reference| reference.name.clone());
    found.truncate(limit);
    let peel = call.query.flag("peelTags");
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let repository = organization
        .git
        .get(opened.id)
        .ok_or_else(|| repository_not_found(&opened.url))?;
    let administrator = organization.people.administrator();
    let values = found.iter().map(|reference| {
        let mut value = show(
            repository,
            reference,
            &opened.url,
            &call.base,
            &administrator,
        );
        if let Some(object) = reference.peeled.as_ref().filter(|_| peel) {
            value["peeledObjectId"] = json!(object);
        }
        value
    });
    let reply = Reply::list(values.collect());
    Ok(match next {
        Some(next) => reply.header("x-ms-continuationtoken", next),
        None => reply,
    })
}

/// `GitRef`.
fn show(
    repository: &Repository,
    reference: &Reference,
    url: &str,
    base: &str,
    fallback: &Arc<crate::world::Person>,
) -> Value {
    let creator = repository.creators.get(&reference.name).unwrap_or(fallback);
    let mut value = json!({"name": reference.name, "objectId": reference.object});
    if let Some(person) = repository.locks.get(&reference.name) {
        value["isLockedBy"] = person.reference(base);
        value["isLocked"] = json!(true);
    }
    value["creator"] = creator.reference(base);
    let short = reference
        .name
        .strip_prefix("refs/")
        .unwrap_or(&reference.name);
    value["url"] = json!(format!("{url}/refs?filter={}", shape::encode(short)));
    value
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    name: String,
    old_object_id: String,
    new_object_id: String,
}

async fn update(world: &SharedWorld, call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let updates: Vec<Update> = call.json()?;
    let gate = {
        let guard = world.read();
        guard
            .organization(&call.organization)?
            .git
            .gate(opened.id)?
    };
    let _held = gate.lock_owned().await;
    let before = opened.bare.tips().await?;
    let mut results = Vec::new();
    for update in &updates {
        let status = apply(world, call, opened, update).await?;
        let mut result = json!({
            "repositoryId": opened.id,
            "name": update.name,
            "oldObjectId": update.old_object_id,
            "newObjectId": update.new_object_id,
            "isLocked": false,
            "updateStatus": status,
            "success": status == "succeeded",
        });
        if status == "rejectedByPlugin" {
            result["customMessage"] = json!(SYSTEM_ONLY);
        }
        results.push(result);
    }
    record(
        world,
        &call.organization,
        opened.id,
        &before,
        &call.identity.person,
    )
    .await?;
    Ok(Reply::list(results))
}

/// Moves one ref and says how that went, in the words of `GitRefUpdateStatus`.
async fn apply(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    update: &Update,
) -> Result<&'static str, ApiError> {
    let (name, old, new) = (
        update.name.as_str(),
        update.old_object_id.as_str(),
        update.new_object_id.as_str(),
    );
    if name.starts_with("refs/pull/") {
        return Ok("rejectedByPlugin");
    }
    let hexadecimal = |id: &str| id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !name.starts_with("refs/")
        || !opened.bare.takes_name(name).await?
        || !hexadecimal(old)
        || !hexadecimal(new)
    {
        return Ok("invalidRefName");
    }
    let locked = {
        let guard = world.read();
        let repository = guard.organization(&call.organization)?.git.get(opened.id);
        repository.is_some_and(|repository| repository.locks.contains_key(name))
    };
    if locked {
        return Ok("locked");
    }
    let current = opened.bare.resolve(name).await?;
    if current.as_deref().unwrap_or(ZERO) != old {
        return Ok("staleOldObjectId");
    }
    if new == ZERO {
        if current.is_none() {
            return Ok("succeededNonExistentRef");
        }
        opened.bare.run(&["update-ref", "-d", name, old]).await?;
        return Ok("succeeded");
    }
    let kind = if name.starts_with("refs/heads/") {
        format!("{new}^{{commit}}")
    } else {
        format!("{new}^{{object}}")
    };
    if opened.bare.resolve(&kind).await?.is_none() {
        return Ok("unresolvableToCommit");
    }
    match opened.bare.run(&["update-ref", name, new, old]).await {
        Ok(_) => Ok("succeeded"),
        // `refs/heads/a` stands where `refs/heads/a/b` needs a folder, or the other way round.
        Err(GitError::Failed { message, .. }) if message.contains("cannot lock ref") => {
            Ok("refNameConflict")
        }
        Err(error) => Err(error.into()),
    }
}

async fn lock(world: &SharedWorld, call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let filter = filter(call).ok_or_else(|| argument("The filter must name one ref."))?;
    let name = format!("refs/{}", filter.strip_prefix("refs/").unwrap_or(&filter));
    let locked = call.value()?["isLocked"]
        .as_bool()
        .ok_or_else(|| argument("isLocked is required."))?;
    let found = opened
        .bare
        .references()
        .await?
        .into_iter()
        .find(|reference| reference.name == name);
    let reference =
        found.ok_or_else(|| argument(format!("TF401035: The ref '{name}' does not exist.")))?;
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let administrator = organization.people.administrator();
    let repository = organization
        .git
        .get_mut(opened.id)
        .ok_or_else(|| repository_not_found(&opened.url))?;
    if locked {
        repository
            .locks
            .insert(name, Arc::clone(&call.identity.person));
    } else {
        repository.locks.remove(&name);
    }
    Ok(Reply::json(show(
        repository,
        &reference,
        &opened.url,
        &call.base,
        &administrator,
    )))
}
