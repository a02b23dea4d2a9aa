//! Pages with their ids, a hundred at a time.

use serde_json::{Value, json};

use super::errors::{invalid, page_id_not_found};
use super::rest::Opened;
use super::tree::Tree;
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

const PAGE: usize = 100;

/// Ids and paths, ordered by id; ids are given to pages that have none yet.
async fn known(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
) -> Result<Vec<(u32, String)>, ApiError> {
    let tree = Tree::read(&opened.bare, &opened.branch, &opened.wiki.mapped_path).await?;
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let pages = tree.all();
    let mut known: Vec<(u32, String)> = pages
        .into_iter()
        .map(|page| {
            (
                organization.wiki.page_id(opened.wiki.id, &page.path),
                page.path,
            )
        })
        .collect();
    known.sort();
    Ok(known)
}

pub(super) async fn pages(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let top = body["top"]
        .as_u64()
        .map_or(PAGE, |top| (top as usize).clamp(1, PAGE));
    let token = match &body["continuationToken"] {
        Value::Null => 0,
        Value::String(text) if text.is_empty() => 0,
        token => token
            .as_str()
            .map_or_else(|| token.as_u64(), |text| text.parse().ok())
            .ok_or_else(|| invalid("The continuation token is not valid."))?,
    };
    let known = known(world, call, opened).await?;
    let mut rest = known
        .into_iter()
        .filter(|(id, _)| u64::from(*id) > token)
        .peekable();
    let mut shown = Vec::new();
    let mut last = 0;
    for (id, path) in rest.by_ref().take(top) {
        last = id;
        shown.push(json!({"path": path, "id": id, "viewStats": []}));
    }
    let reply = Reply::list(shown);
    Ok(if rest.peek().is_some() {
        reply.header("x-ms-continuationtoken", last.to_string())
    } else {
        reply
    })
}

pub(super) async fn stats(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
) -> Result<Reply, ApiError> {
    let wanted = &call.segments[4];
    let known = known(world, call, opened).await?;
    let (id, path) = known
        .into_iter()
        .find(|(id, _)| id.to_string() == *wanted)
        .ok_or_else(|| page_id_not_found(wanted))?;
    Ok(Reply::json(
        json!({"path": path, "id": id, "viewStats": []}),
    ))
}
