//! The discussion of a work item.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::item::{CommentRef, Item};
use super::value::{FieldValue, date_text};
use super::{ids, write};
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, Person};

/// Comments on one page.
pub(crate) const PAGE: usize = 200;

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub text: Arc<str>,
    pub by: FieldValue,
    pub date: Timestamp,
    pub deleted: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub id: u32,
    pub markdown: bool,
    /// Never empty; version 1 is the first.
    pub versions: Vec<Version>,
    /// Person, kind of reaction.
    pub reactions: Vec<(Arc<Person>, String)>,
}

impl Comment {
    pub(crate) fn is_deleted(&self) -> bool {
        self.latest().deleted
    }

    pub(crate) fn latest(&self) -> &Version {
        &self.versions[self.versions.len() - 1]
    }

    fn reference(&self) -> CommentRef {
        CommentRef {
            comment: self.id,
            version: self.versions.len() as u32,
        }
    }
}

fn not_found(id: u32, item: u32) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Microsoft.Azure.Boards.Comments.Server.CommentNotFoundException",
        format!(
            "VS403691: Comment {id} of work item {item} does not exist or you do not have permission to read it."
        ),
    )
}

fn start(
    item: &mut Item,
    id: u32,
    text: &str,
    by: &FieldValue,
    date: Timestamp,
    markdown: bool,
) -> CommentRef {
    let version = Version {
        text: text.into(),
        by: by.clone(),
        date,
        deleted: false,
    };
    let comment = Comment {
        id,
        markdown,
        versions: vec![version],
        reactions: Vec::new(),
    };
    let reference = comment.reference();
    item.comments.push(comment);
    reference
}

/// The comment that a `System.History` makes, by the author and at the date of its revision.
pub(super) fn from_history(
    last: &mut u32,
    item: &mut Item,
    text: &str,
    by: &FieldValue,
    date: Timestamp,
) -> CommentRef {
    *last += 1;
    start(item, *last, text, by, date, false)
}

/// Adds a comment by `by` at the next moment, which makes a revision.
pub(crate) fn add(
    organization: &mut Organization,
    id: u32,
    text: &str,
    markdown: bool,
    by: &Arc<Person>,
) -> Result<u32, ApiError> {
    if text.is_empty() {
        return Err(ApiError::bad_request(
            "VS403693: The text of a comment must not be empty.",
        ));
    }
    let item = organization
        .wit
        .items
        .get_mut(&id)
        .filter(|item| item.deleted.is_none())
        .ok_or_else(|| write::unknown_item(id))?;
    let date = organization
        .clock
        .clone()
        .tick()
        .max(item.latest().changed + jiff::SignedDuration::from_millis(3));
    organization.wit.last_comment += 1;
    let comment = organization.wit.last_comment;
    let reference = start(
        item,
        comment,
        text,
        &FieldValue::Person(Arc::clone(by)),
        date,
        markdown,
    );
    write::revise(organization, id, by, Some(reference), |values| {
        values.set(ids::HISTORY, Some(FieldValue::text(text)));
    });
    Ok(comment)
}

/// Adds a version with another text, or the deletion, which makes a revision too.
pub(crate) fn change(
    organization: &mut Organization,
    id: u32,
    comment: u32,
    text: Option<&str>,
    by: &Arc<Person>,
) -> Result<(), ApiError> {
    let item = organization
        .wit
        .items
        .get_mut(&id)
        .filter(|item| item.deleted.is_none())
        .ok_or_else(|| write::unknown_item(id))?;
    let date = organization
        .clock
        .clone()
        .tick()
        .max(item.latest().changed + jiff::SignedDuration::from_millis(3));
    let found = item
        .comments
        .iter_mut()
        .find(|found| found.id == comment && !found.is_deleted())
        .ok_or_else(|| not_found(comment, id))?;
    let text_now = text.map_or_else(|| Arc::clone(&found.latest().text), Into::into);
    found.versions.push(Version {
        text: text_now,
        by: FieldValue::Person(Arc::clone(by)),
        date,
        deleted: text.is_none(),
    });
    let reference = found.reference();
    write::revise(organization, id, by, Some(reference), |_| {});
    Ok(())
}

fn document(call: &Call, item: &Item, comment: &Comment, expand: &str) -> Value {
    let (first, latest) = (&comment.versions[0], comment.latest());
    let url = format!(
        "{}/{}/_apis/wit/workItems/{}/comments/{}",
        call.base, item.project, item.id, comment.id
    );
    let mut value = json!({
        "mentions": [],
        "workItemId": item.id,
        "id": comment.id,
        "version": comment.versions.len(),
        "text": &*latest.text,
        "createdBy": author(&first.by, &call.base),
        "createdDate": date_text(first.date),
        "modifiedBy": author(&latest.by, &call.base),
        "modifiedDate": date_text(latest.date),
        "format": if comment.markdown { "markdown" } else { "html" },
        "url": url,
    });
    if matches!(expand, "renderedtext" | "all") {
        value["renderedText"] = json!(&*latest.text);
    }
    if matches!(expand, "reactions" | "all") {
        value["reactions"] = reactions(call, item, comment).into();
    }
    if comment.is_deleted() {
        value["isDeleted"] = json!(true);
    }
    value
}

/// Names that nobody resolves are shown without an id.
fn author(by: &FieldValue, base: &str) -> Value {
    match by {
        FieldValue::Person(person) => person.reference(base),
        other => {
            json!({"displayName": other.display(), "id": uuid::Uuid::nil(), "uniqueName": other.display()})
        }
    }
}

fn reactions(call: &Call, item: &Item, comment: &Comment) -> Vec<Value> {
    let mut kinds: Vec<&str> = Vec::new();
    for (_, kind) in &comment.reactions {
        if !kinds.contains(&kind.as_str()) {
            kinds.push(kind);
        }
    }
    let entry = |kind: &str| {
        json!({
            "commentId": comment.id,
            "type": kind,
            "count": comment.reactions.iter().filter(|(_, own)| own == kind).count(),
            "isCurrentUserEngaged": comment.reactions.iter().any(|(person, own)| own == kind && person.id == call.identity.person.id),
            "url": format!("{}/{}/_apis/wit/workItems/{}/comments/{}/reactions/{kind}", call.base, item.project, item.id, comment.id),
        })
    };
    kinds.into_iter().map(entry).collect()
}

fn version_document(call: &Call, item: &Item, comment: &Comment, number: usize) -> Value {
    let version = &comment.versions[number - 1];
    json!({
        "id": comment.id,
        "version": number,
        "text": &*version.text,
        "renderedText": &*version.text,
        "isDeleted": version.deleted,
        "createdBy": author(&comment.versions[0].by, &call.base),
        "createdDate": date_text(comment.versions[0].date),
        "modifiedBy": author(&version.by, &call.base),
        "modifiedDate": date_text(version.date),
        "url": format!("{}/{}/_apis/wit/workItems/{}/comments/{}/versions/{number}", call.base, item.project, item.id, comment.id),
    })
}

/// Which comment of which item.
#[derive(Clone, Copy)]
struct At {
    item: u32,
    comment: u32,
}

impl At {
    fn find(self, organization: &Organization) -> Result<(&Item, &Comment), ApiError> {
        let items = &organization.wit.items;
        let item = items
            .get(&self.item)
            .ok_or_else(|| write::unknown_item(self.item))?;
        let found = item.comments.iter().find(|own| own.id == self.comment);
        found
            .map(|found| (item, found))
            .ok_or_else(|| self.not_found())
    }

    fn find_mut(self, organization: &mut Organization) -> Result<&mut Comment, ApiError> {
        let item = organization.wit.items.get_mut(&self.item);
        let mut comments = item.into_iter().flat_map(|item| &mut item.comments);
        comments
            .find(|own| own.id == self.comment)
            .ok_or_else(|| self.not_found())
    }

    fn not_found(self) -> ApiError {
        not_found(self.comment, self.item)
    }
}

/// Below `workItems/{id}/comments`.
pub(crate) fn route(
    organization: &mut Organization,
    call: &Call,
    id: u32,
    rest: &[String],
) -> Result<Reply, ApiError> {
    let project = call.project(organization)?.id;
    let wanted = organization
        .wit
        .items
        .get(&id)
        .filter(|item| item.deleted.is_none() && item.project == project);
    let item = wanted.ok_or_else(|| write::unknown_item(id))?;
    let Some((comment, rest)) = rest.split_first() else {
        return match call.method {
            Method::GET => list(item, call, &expand(call)),
            Method::POST => post(organization, call, id),
            _ => Err(ApiError::method_not_allowed(call)),
        };
    };
    let at = At {
        item: id,
        comment: comment.parse().map_err(|_| ApiError::no_route(call))?,
    };
    let (item, found) = at.find(organization)?;
    match (&call.method, rest) {
        (_, []) => one(organization, call, at),
        (&Method::GET, [part, number @ ..]) if part.eq_ignore_ascii_case("versions") => {
            versions(call, item, found, number.first())
        }
        (_, [part, kind @ ..]) if part.eq_ignore_ascii_case("reactions") => {
            react(organization, call, at, kind.first())
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

fn expand(call: &Call) -> String {
    call.query.get("$expand").unwrap_or_default().to_lowercase()
}

fn post(organization: &mut Organization, call: &Call, item: u32) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let markdown = wanted_format(call)?.unwrap_or(false);
    let text = body["text"].as_str().unwrap_or_default();
    let comment = add(organization, item, text, markdown, &call.identity.person)?;
    shown(organization, call, At { item, comment })
}

/// `GET`, `PATCH` and `DELETE` of one comment.
fn one(organization: &mut Organization, call: &Call, at: At) -> Result<Reply, ApiError> {
    let person = &call.identity.person;
    match call.method {
        Method::GET => {
            let (_, found) = at.find(organization)?;
            if found.is_deleted() && !call.query.flag("includeDeleted") {
                return Err(at.not_found());
            }
        }
        Method::PATCH => {
            let body = call.value()?;
            let text = body["text"]
                .as_str()
                .ok_or_else(|| ApiError::bad_body("the member text is missing"))?;
            let markdown = wanted_format(call)?;
            change(organization, at.item, at.comment, Some(text), person)?;
            // An edit names the format anew; without one it stays.
            if let Some(markdown) = markdown {
                at.find_mut(organization)?.markdown = markdown;
            }
        }
        Method::DELETE => {
            change(organization, at.item, at.comment, None, person)?;
            return Ok(Reply::no_content());
        }
        _ => return Err(ApiError::method_not_allowed(call)),
    }
    shown(organization, call, at)
}

fn shown(organization: &Organization, call: &Call, at: At) -> Result<Reply, ApiError> {
    let (item, found) = at.find(organization)?;
    Ok(Reply::json(document(call, item, found, &expand(call))))
}

/// The newest first, or one by its number.
fn versions(
    call: &Call,
    item: &Item,
    comment: &Comment,
    number: Option<&String>,
) -> Result<Reply, ApiError> {
    let all = 1..=comment.versions.len();
    let document = |number: usize| version_document(call, item, comment, number);
    match number {
        None => Ok(Reply::list(all.rev().map(document).collect())),
        Some(number) => number
            .parse()
            .ok()
            .filter(|number| all.contains(number))
            .map(|number| Reply::json(document(number)))
            .ok_or_else(|| not_found(comment.id, item.id)),
    }
}

/// Whether `?format=` asks for Markdown; `None` when it is not given. Clients send the name or the number of `CommentFormat`.
fn wanted_format(call: &Call) -> Result<Option<bool>, ApiError> {
    match call.query.get("format") {
        None => Ok(None),
        Some(format) if format == "0" || format.eq_ignore_ascii_case("markdown") => Ok(Some(true)),
        Some(format) if format == "1" || format.eq_ignore_ascii_case("html") => Ok(Some(false)),
        Some(format) => Err(ApiError::bad_request(format!(
            "The value '{format}' of the parameter format is neither markdown nor html."
        ))),
    }
}

/// Newest first unless `order=asc`; the token is the number of comments before the page.
fn list(item: &Item, call: &Call, expand: &str) -> Result<Reply, ApiError> {
    let deleted = call.query.flag("includeDeleted");
    let wanted_ids = call.query.list("ids");
    let wanted = |comment: &&Comment| {
        (deleted || !comment.is_deleted())
            && wanted_ids
                .as_ref()
                .is_none_or(|ids| ids.iter().any(|id| id.parse() == Ok(comment.id)))
    };
    let mut all: Vec<&Comment> = item.comments.iter().filter(wanted).collect();
    if !call
        .query
        .get("order")
        .is_some_and(|order| order.eq_ignore_ascii_case("asc"))
    {
        all.reverse();
    }
    let top = call
        .query
        .number("$top")?
        .filter(|top| *top > 0)
        .unwrap_or(PAGE)
        .min(PAGE);
    let skip = call.query.number("continuationToken")?.unwrap_or(0);
    let page: Vec<Value> = all
        .iter()
        .skip(skip)
        .take(top)
        .map(|comment| document(call, item, comment, expand))
        .collect();
    let next = skip + page.len();
    let url = format!(
        "{}/{}/_apis/wit/workItems/{}/comments",
        call.base, item.project, item.id
    );
    let mut value =
        json!({"totalCount": all.len(), "count": page.len(), "comments": page, "url": url});
    if next < all.len() {
        value["continuationToken"] = json!(next.to_string());
        value["nextPage"] = json!(format!("{url}?$top={top}&continuationToken={next}"));
    }
    Ok(Reply::json(value))
}

/// The reactions to a comment; `PUT` and `DELETE` of a kind are the caller's own.
fn react(
    organization: &mut Organization,
    call: &Call,
    at: At,
    kind: Option<&String>,
) -> Result<Reply, ApiError> {
    let person = &call.identity.person;
    if let Some(kind) = kind {
        let reactions = &mut at.find_mut(organization)?.reactions;
        let own = reactions
            .iter()
            .position(|(by, known)| by.id == person.id && known == kind);
        match (&call.method, own) {
            (&Method::PUT, None) => reactions.push((Arc::clone(person), kind.clone())),
            (&Method::DELETE, Some(own)) => drop(reactions.remove(own)),
            _ => {}
        }
    }
    let (item, found) = at.find(organization)?;
    let all = reactions(call, item, found);
    let Some(kind) = kind else {
        return Ok(Reply::list(all));
    };
    let left = all.into_iter().find(|reaction| reaction["type"] == **kind);
    Ok(Reply::json(left.unwrap_or_else(
        || json!({"commentId": at.comment, "type": kind, "count": 0, "isCurrentUserEngaged": false}),
    )))
}
