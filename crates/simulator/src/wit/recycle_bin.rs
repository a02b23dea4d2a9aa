//! Deleted work items.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use super::item::Item;
use super::render::{Expand, ItemView};
use super::value::{References, date_text};
use super::write::{self, unknown_item};
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

/// `DELETE workItems/{id}`, to the bin or with `destroy=true` for good.
pub(super) fn delete(
    organization: &mut Organization,
    call: &Call,
    id: u32,
) -> Result<Reply, ApiError> {
    let by = Arc::clone(&call.identity.person);
    if call.query.flag("destroy") {
        return write::destroy(organization, id, &by).map(|()| Reply::no_content());
    }
    write::delete(organization, id, &by)?;
    let item = organization
        .wit
        .items
        .get(&id)
        .ok_or_else(|| unknown_item(id))?;
    Ok(Reply::json(document(organization, call, item, 200)?))
}

/// `POST workItemsDelete`.
pub(super) fn delete_many(organization: &mut Organization, call: &Call) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let ids: Vec<u32> = serde_json::from_value(body["ids"].clone()).map_err(ApiError::bad_body)?;
    let by = Arc::clone(&call.identity.person);
    let mut results = Vec::new();
    for id in ids {
        let done = if body["destroy"] == json!(true) {
            write::destroy(organization, id, &by)
        } else {
            write::delete(organization, id, &by)
        };
        results.push(match (done, organization.wit.items.get(&id)) {
            (Ok(()), Some(item)) => document(organization, call, item, 200)?,
            (Ok(()), None) => json!({"id": id, "code": 200}),
            (Err(error), _) => {
                json!({"id": id, "code": error.status.as_u16(), "message": error.message})
            }
        });
    }
    Ok(Reply::json(json!({"results": results})))
}

/// Below `recyclebin`.
pub(super) fn route(
    organization: &mut Organization,
    call: &Call,
    rest: &[String],
) -> Result<Reply, ApiError> {
    let project = call.project_filter(organization)?;
    let inside = |item: &Item| {
        item.deleted.is_some()
            && project.is_none_or(|project| project == item.project)
            && !organization.hides_item(item)
    };
    let Some(id) = rest.first() else {
        let Some(ids) = call.query.list("ids") else {
            let items = organization.wit.items.values().filter(|item| inside(item));
            return Ok(Reply::list(
                items
                    .map(|item| json!({"id": item.id, "url": url(call, item)}))
                    .collect(),
            ));
        };
        let found = ids.iter().map(|id| match id.parse().ok().and_then(|id| organization.wit.items.get(&id)).filter(|item| inside(item)) {
            Some(item) => reference(organization, call, item, 200),
            None => json!({"id": id.parse::<u32>().ok(), "code": 404, "message": unknown_item(id).message}),
        });
        return Ok(Reply::list(found.collect()));
    };
    let id: u32 = id.parse().map_err(|_| ApiError::no_route(call))?;
    let item = organization
        .wit
        .items
        .get(&id)
        .filter(|item| inside(item))
        .ok_or_else(|| unknown_item(id))?;
    let by = Arc::clone(&call.identity.person);
    match call.method {
        Method::GET => Ok(Reply::json(reference(organization, call, item, 200))),
        Method::DELETE => write::destroy(organization, id, &by).map(|()| Reply::no_content()),
        Method::PATCH => {
            if call.value()?["isDeleted"] != json!(false) {
                return Err(ApiError::bad_request(
                    "VS403291: Only isDeleted = false can be set on a work item of the recycle bin.",
                ));
            }
            write::restore(organization, id, &by)?;
            let item = organization
                .wit
                .items
                .get(&id)
                .ok_or_else(|| unknown_item(id))?;
            Ok(Reply::json(document(organization, call, item, 200)?))
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

fn url(call: &Call, item: &Item) -> String {
    format!(
        "{}/{}/_apis/wit/recyclebin/{}",
        call.base, item.project, item.id
    )
}

fn reference(organization: &Organization, call: &Call, item: &Item, code: u16) -> Value {
    let mut value = json!({
        "id": item.id,
        "type": item.type_name(),
        "name": item.title(),
        "project": organization.project_by_id(item.project).map(|project| project.name.as_str()),
        "code": code,
        "url": url(call, item),
    });
    if let Some(deletion) = &item.deleted {
        value["deletedDate"] = json!(date_text(deletion.date));
        value["deletedBy"] = json!(deletion.by.combined());
    }
    value
}

fn document(
    organization: &Organization,
    call: &Call,
    item: &Item,
    code: u16,
) -> Result<Value, ApiError> {
    let expand = Expand {
        relations: true,
        ..Expand::default()
    };
    let references = References::new(&call.base);
    let view = ItemView::new(organization, item, &references, expand);
    let mut value = reference(organization, call, item, code);
    value["resource"] = serde_json::to_value(view).map_err(ApiError::internal)?;
    Ok(value)
}
