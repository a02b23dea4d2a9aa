//! The three streams: revisions, links, discussions.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fields::{FieldId, Fields};
use super::ids;
use super::item::{Item, Revision};
use super::links::LinkType;
use super::render::{FieldsView, Select, comment_reference, formats};
use super::value::{Identities, PersonView, References, date_text, parse_date};
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, Person};

/// Revisions and links on one page.
pub(crate) const PAGE: usize = 1000;
/// Revisions on one page with long text.
pub(crate) const PAGE_WITH_FIELDS: usize = 200;

/// A link that came or went, stated from its forward end.
#[derive(Clone, Debug)]
pub(crate) struct LinkChange {
    link: &'static LinkType,
    source: u32,
    target: u32,
    date: Timestamp,
    by: Arc<Person>,
    comment: Option<Arc<str>>,
    active: bool,
}

impl LinkChange {
    pub(crate) fn new(
        link: &'static LinkType,
        source: u32,
        target: u32,
        date: Timestamp,
        by: &Arc<Person>,
        comment: Option<Arc<str>>,
        active: bool,
    ) -> Self {
        let (link, source, target) = if link.is_stated_from(source, target) {
            (link, source, target)
        } else {
            (link.opposite(), target, source)
        };
        Self {
            link,
            source,
            target,
            date,
            by: Arc::clone(by),
            comment,
            active,
        }
    }
}

/// Where a page of a stream starts.
fn position(
    call: &Call,
    length: usize,
    since: impl Fn(Timestamp) -> usize,
) -> Result<usize, ApiError> {
    let bad = |message: &str| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemReportingInvalidArgumentException",
            message,
        )
    };
    match (
        call.query.get("continuationToken"),
        call.query.get("startDateTime"),
    ) {
        (Some(_), Some(_)) => Err(bad(
            "The continuationToken and startDateTime cannot both be specified.",
        )),
        (None, None) => Ok(0),
        (None, Some(date)) => Ok(since(
            parse_date(date).ok_or_else(|| bad("The startDateTime is not valid."))?,
        )),
        (Some(token), None) => {
            let mut parts = token.split(';');
            let at = (
                parts.next(),
                parts.next().and_then(|part| part.parse::<usize>().ok()),
            );
            // A watermark of the future is one of another organization.
            match at {
                (Some(_), Some(at)) if at <= length => Ok(at),
                _ => Err(bad("The continuationToken is not valid.")),
            }
        }
    }
}

/// `id;watermark;1`.
fn token(id: u32, position: usize) -> String {
    format!("{id};{position};1")
}

fn next_link(call: &Call, token: &str) -> String {
    let mut link = url::form_urlencoded::Serializer::new(String::new());
    link.append_pair("continuationToken", token);
    for name in [
        "types",
        "fields",
        "linkTypes",
        "includeIdentityRef",
        "includeDeleted",
        "includeTagRef",
        "includeLatestOnly",
        "includeDiscussionChangesOnly",
        "$expand",
        "$maxPageSize",
    ] {
        if let Some(value) = call.query.get(name) {
            link.append_pair(name, value);
        }
    }
    link.append_pair(
        "api-version",
        &call
            .version
            .as_ref()
            .map_or_else(|| "7.1".to_owned(), ToString::to_string),
    );
    let project = call
        .project
        .as_deref()
        .map(|project| format!("/{}", super::types::encode(project)))
        .unwrap_or_default();
    format!(
        "{}{project}/_apis/{}?{}",
        call.base,
        call.segments.join("/"),
        link.finish()
    )
}

/// What a request for revisions asks for.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the parameters of the operation"
)]
struct Filter {
    project: Option<Uuid>,
    types: Vec<String>,
    fields: Option<Vec<FieldId>>,
    deleted: bool,
    identity_refs: bool,
    tag_refs: bool,
    latest_only: bool,
    discussions: bool,
    expand: bool,
}

impl Filter {
    fn of(call: &Call, organization: &Organization) -> Result<Self, ApiError> {
        let body = if call.method == Method::POST {
            call.value()?
        } else {
            Value::Null
        };
        let flag = |name: &str| call.query.flag(name) || body[name] == json!(true);
        let list = |name: &str| -> Option<Vec<String>> {
            let sent = body[name].as_array().map(|values| {
                values
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            });
            sent.or_else(|| {
                call.query
                    .list(name)
                    .map(|values| values.into_iter().map(str::to_owned).collect())
            })
        };
        let fields = list("fields").filter(|names| !names.is_empty());
        let find = |name: &String| {
            organization
                .wit
                .fields
                .find(name)
                .ok_or_else(|| Fields::unknown(name))
        };
        Ok(Self {
            project: call.project_filter(organization)?,
            types: list("types").unwrap_or_default(),
            fields: fields
                .map(|names| names.iter().map(find).collect())
                .transpose()?,
            deleted: flag("includeDeleted"),
            identity_refs: flag("includeIdentityRef"),
            tag_refs: flag("includeTagRef"),
            latest_only: flag("includeLatestOnly"),
            discussions: flag("includeDiscussionChangesOnly"),
            expand: call
                .query
                .get("$expand")
                .is_some_and(|value| value.eq_ignore_ascii_case("fields")),
        })
    }

    fn wants(
        &self,
        organization: &Organization,
        item: &Item,
        rev: u32,
        revision: &Revision,
    ) -> bool {
        let values = &revision.values;
        let project = || {
            self.project.is_none_or(|id| {
                organization
                    .project_by_id(id)
                    .is_some_and(|project| project.name == values.text(ids::TEAM_PROJECT))
            })
        };
        let kind = values.text(ids::WORK_ITEM_TYPE);
        (self.deleted || item.deleted.is_none())
            && !organization.hides_item(item)
            && (!self.latest_only || rev == item.rev())
            && (!self.discussions || revision.comment.is_some())
            && (self.types.is_empty()
                || self
                    .types
                    .iter()
                    .any(|wanted| wanted.eq_ignore_ascii_case(kind)))
            && project()
    }
}

struct Entry<'a> {
    filter: &'a Filter,
    call: &'a Call,
    fields: FieldsView<'a>,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = &self.fields;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &view.item.id)?;
        map.serialize_entry("rev", &view.rev)?;
        map.serialize_entry("fields", view)?;
        if self.filter.expand && !view.revision.markdown.is_empty() {
            map.serialize_entry(
                "multilineFieldsFormat",
                &formats(view.organization, view.revision),
            )?;
        }
        if view.revision.comment.is_some() {
            let project = format!("{}/{}", self.call.base, view.item.project);
            if let Some(reference) = comment_reference(view.item, view.rev, view.revision, &project)
            {
                map.serialize_entry("commentVersionRef", &reference)?;
            }
        }
        map.end()
    }
}

/// A page of a stream.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    values: Vec<T>,
    next_link: String,
    continuation_token: String,
    is_last_batch: bool,
}

/// `GET` and `POST reporting/workItemRevisions[/discussions]`.
pub(crate) fn revisions(
    organization: &Organization,
    call: &Call,
    discussions: bool,
) -> Result<Reply, ApiError> {
    let mut filter = Filter::of(call, organization)?;
    filter.discussions |= discussions;
    let log = &organization.wit.log;
    let start = position(call, log.len(), |date| {
        log.partition_point(|(_, _, at)| *at < date)
    })?;
    let cap = if filter.expand {
        PAGE_WITH_FIELDS
    } else {
        PAGE
    };
    let size = call
        .query
        .number("$maxPageSize")?
        .filter(|size| *size > 0)
        .unwrap_or(cap)
        .min(cap);
    let references = References::new(&call.base);
    let select = match (&filter.fields, filter.expand) {
        (Some(fields), _) => Select::Named(fields),
        (None, true) => Select::All,
        (None, false) => Select::Short,
    };
    let identities = if filter.identity_refs {
        Identities::References(&references)
    } else {
        Identities::Combined
    };
    let entry = |(id, rev, _): &(u32, u32, Timestamp)| {
        let item = organization.wit.items.get(id)?;
        let revision = item.revision(*rev)?;
        let fields = FieldsView {
            organization,
            item,
            rev: *rev,
            revision,
            select,
            identities,
            tag_refs: filter.tag_refs,
            parent: false,
        };
        filter
            .wants(organization, item, *rev, revision)
            .then_some(Entry {
                filter: &filter,
                call,
                fields,
            })
    };
    Ok(read_on(call, log, start, size, entry, |(id, ..)| *id))
}

struct LinkEntry<'a> {
    organization: &'a Organization,
    base: &'a str,
    change: &'a LinkChange,
}

impl Serialize for LinkEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let change = self.change;
        let project = |id: u32| {
            self.organization
                .wit
                .items
                .get(&id)
                .map(|item| item.project)
        };
        let attributes = LinkAttributes {
            link_type: change.link.reference,
            source_id: change.source,
            target_id: change.target,
            is_active: change.active,
            changed_date: date_text(change.date),
            changed_by: PersonView {
                person: &change.by,
                base: self.base,
            },
            comment: change.comment.as_deref().unwrap_or_default(),
            changed_operation: if change.active { "create" } else { "remove" },
            source_project_id: project(change.source),
            target_project_id: project(change.target),
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("rel", change.link.stem())?;
        map.serialize_entry("attributes", &attributes)?;
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LinkAttributes<'a> {
    link_type: &'a str,
    source_id: u32,
    target_id: u32,
    is_active: bool,
    changed_date: String,
    changed_by: PersonView<'a>,
    comment: &'a str,
    changed_operation: &'a str,
    source_project_id: Option<Uuid>,
    target_project_id: Option<Uuid>,
}

/// `GET reporting/workItemLinks`.
pub(crate) fn links(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let project = call.project_filter(organization)?;
    let log = &organization.wit.link_log;
    let start = position(call, log.len(), |date| {
        log.partition_point(|change| change.date < date)
    })?;
    let link_types = call.query.list("linkTypes").unwrap_or_default();
    let types = call.query.list("types").unwrap_or_default();
    let item = |id: u32| organization.wit.items.get(&id);
    let wants = |change: &LinkChange| {
        let named = |wanted: &&str| {
            wanted.eq_ignore_ascii_case(change.link.reference)
                || wanted.eq_ignore_ascii_case(change.link.stem())
        };
        let kind = |wanted: &&str| {
            item(change.source).is_some_and(|item| item.type_name().eq_ignore_ascii_case(wanted))
        };
        let place = |project: Uuid| item(change.source).is_some_and(|item| item.project == project);
        (link_types.is_empty() || link_types.iter().any(named))
            && (types.is_empty() || types.iter().any(kind))
            && project.is_none_or(place)
    };
    let entry = |change| {
        wants(change).then_some(LinkEntry {
            organization,
            base: &call.base,
            change,
        })
    };
    Ok(read_on(call, log, start, PAGE, entry, |change| {
        change.source
    }))
}

/// A page of a stream from a place on: it is full, or the stream at its end. The token names the last item that was looked at.
fn read_on<'a, L, T: Serialize>(
    call: &Call,
    log: &'a [L],
    start: usize,
    size: usize,
    entry: impl Fn(&'a L) -> Option<T>,
    item: impl Fn(&L) -> u32,
) -> Reply {
    let mut values = Vec::with_capacity(size.min(log.len() - start));
    let mut at = start;
    while at < log.len() && values.len() < size {
        values.extend(entry(&log[at]));
        at += 1;
    }
    let last = at.checked_sub(1).map_or(0, |at| item(&log[at]));
    let token = token(last, at);
    Reply::serialized(&Page {
        values,
        next_link: next_link(call, &token),
        continuation_token: token,
        is_last_batch: at == log.len(),
    })
}
