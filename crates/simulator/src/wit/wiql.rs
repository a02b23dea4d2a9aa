//! Queries in the Work Item Query Language.

mod evaluate;
mod lex;
mod parse;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::fields::FieldId;
use super::item::Item;
use super::value::date_text;
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

/// Rows that a query may return.
const MOST: usize = 20_000;

fn error(message: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request(format!(
        "TF51006: The query statement is missing or not valid: {message}."
    ))
}

fn no_from(found: Option<&lex::Token>) -> ApiError {
    let found = found.map(ToString::to_string).unwrap_or_default();
    ApiError::bad_request(format!(
        "TF51006: The query statement is missing a FROM clause. The error is caused by «{found}»."
    ))
}

fn too_many() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemTrackingQueryResultSizeLimitExceededException",
        format!(
            "VS402337: The number of work items returned exceeds the size limit of {MOST}. Change the query to return fewer items."
        ),
    )
}

/// `POST wiql`.
pub(super) fn query(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let text = body["query"]
        .as_str()
        .ok_or_else(|| error("there is no query"))?;
    let scope = call.project_base(organization)?;
    let parsed = parse::parse(organization, call, text)?;
    let top = call.query.number("$top")?;
    let as_of = parsed.as_of.unwrap_or_else(|| organization.clock.now());
    let field = |id: FieldId| {
        let field = organization.wit.fields.get(id);
        json!({"referenceName": field.reference, "name": field.name, "url": format!("{scope}/_apis/wit/fields/{}", field.reference)})
    };
    let reference = |id: u32| json!({"id": id, "url": format!("{scope}/_apis/wit/workItems/{id}")});
    let columns: Vec<Value> = parsed.columns.iter().map(|id| field(*id)).collect();
    let mut answer = json!({
        "queryType": match parsed.links {
            None => "flat",
            Some(parse::LinkMode::Recursive) => "tree",
            Some(_) => "oneHop",
        },
        "queryResultType": if parsed.links.is_some() { "workItemLink" } else { "workItem" },
        "asOf": date_text(as_of),
        "columns": columns,
    });
    if !parsed.order.is_empty() {
        answer["sortColumns"] = parsed
            .order
            .iter()
            .map(|(id, descending)| json!({"field": field(*id), "descending": descending}))
            .collect();
    }
    if let Some(mode) = parsed.links {
        let rows = evaluate::links(organization, &parsed, mode);
        let rows = limit(rows, top)?;
        answer["workItemRelations"] = rows
            .into_iter()
            .map(|(source, rel, target)| json!({"rel": rel, "source": source.map(reference), "target": reference(target)}))
            .collect();
    } else {
        let found: Vec<&Item> = limit(evaluate::items(organization, &parsed), top)?;
        answer["workItems"] = found.into_iter().map(|item| reference(item.id)).collect();
    }
    Ok(Reply::json(answer))
}

fn limit<T>(mut rows: Vec<T>, top: Option<usize>) -> Result<Vec<T>, ApiError> {
    match top {
        Some(top) => rows.truncate(top.min(MOST)),
        None if rows.len() > MOST => return Err(too_many()),
        None => {}
    }
    Ok(rows)
}
