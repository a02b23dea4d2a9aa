//! Tags, which exist as soon as a work item has one.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::value::{FieldValue, date_text};
use super::{State, ids};
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

/// Names that were given to tags by hand, by project and lowercase name.
#[derive(Debug, Default)]
pub(crate) struct Tags(BTreeMap<(Uuid, String), Timestamp>);

fn id(project: Uuid, name: &str) -> Uuid {
    Uuid::new_v5(&project, name.to_lowercase().as_bytes())
}

/// `[{"id", "name"}]` for `a; b`.
pub(super) fn references(project: Uuid, tags: &str) -> Vec<Value> {
    split(tags)
        .map(|name| json!({"id": id(project, name), "name": name}))
        .collect()
}

impl State {
    /// Name and when it was last used, of the tags of a project.
    fn tags_of(&self, project: Uuid) -> BTreeMap<String, Timestamp> {
        let mut found = BTreeMap::new();
        for item in self
            .items
            .values()
            .filter(|item| item.project == project && item.deleted.is_none())
        {
            for name in split(item.latest().values.text(ids::TAGS)) {
                let renamed = self.tags.0.get(&(project, name.to_lowercase())).copied();
                found.insert(
                    name.to_owned(),
                    renamed
                        .unwrap_or(item.latest().changed)
                        .max(item.latest().changed),
                );
            }
        }
        found
    }
}

fn split(tags: &str) -> impl Iterator<Item = &str> {
    tags.split([';', ','])
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
}

/// `a; b` of both texts, each tag once, without regard to case; nothing without any tag.
pub(super) fn joined(first: &str, second: &str) -> Option<String> {
    let mut tags: Vec<&str> = Vec::new();
    for tag in split(first).chain(split(second)) {
        let known = |own: &&str| own.to_lowercase() == tag.to_lowercase();
        if !tags.iter().any(known) {
            tags.push(tag);
        }
    }
    (!tags.is_empty()).then(|| tags.join("; "))
}

/// Below `{project}/_apis/wit/tags`.
pub(super) fn route(
    organization: &mut Organization,
    call: &Call,
    rest: &[String],
) -> Result<Reply, ApiError> {
    let project = call.project(organization)?.id;
    let tags = organization.wit.tags_of(project);
    let document = |name: &str, date: Timestamp| {
        let id = id(project, name);
        json!({"id": id, "name": name, "lastUpdated": date_text(date), "url": format!("{}/{project}/_apis/wit/tags/{id}", call.base)})
    };
    let Some(wanted) = rest.first() else {
        return Ok(Reply::list(
            tags.iter()
                .map(|(name, date)| document(name, *date))
                .collect(),
        ));
    };
    let found = tags.iter().find(|(name, _)| {
        name.eq_ignore_ascii_case(wanted)
            || id(project, name).to_string().eq_ignore_ascii_case(wanted)
    });
    let (name, date) = found.ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "Microsoft.TeamFoundation.WorkItemTracking.Server.TagNotFoundException",
            format!("VS402396: The tag {wanted} could not be found."),
        )
    })?;
    match call.method {
        Method::GET => Ok(Reply::json(document(name, *date))),
        Method::PATCH => {
            let body = call.value()?;
            let new = body["name"]
                .as_str()
                .filter(|new| !new.trim().is_empty() && !new.contains([';', ',']))
                .ok_or_else(|| ApiError::bad_body("the member name is missing"))?;
            replace(organization, project, name, Some(new));
            let now = organization.clock.tick();
            organization
                .wit
                .tags
                .0
                .insert((project, new.to_lowercase()), now);
            Ok(Reply::json(document(new, now)))
        }
        Method::DELETE => {
            replace(organization, project, name, None);
            Ok(Reply::no_content())
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

/// A tag is stored by its id: every item shows the change at once and without a revision.
fn replace(organization: &mut Organization, project: Uuid, old: &str, new: Option<&str>) {
    for item in organization
        .wit
        .items
        .values_mut()
        .filter(|item| item.project == project)
    {
        for revision in &mut item.revisions {
            let tags = revision.values.text(ids::TAGS).to_owned();
            if !split(&tags).any(|tag| tag.eq_ignore_ascii_case(old)) {
                continue;
            }
            let kept: Vec<&str> = split(&tags)
                .filter_map(|tag| {
                    if tag.eq_ignore_ascii_case(old) {
                        new
                    } else {
                        Some(tag)
                    }
                })
                .collect();
            revision.values.set(
                ids::TAGS,
                (!kept.is_empty()).then(|| FieldValue::text(&kept.join("; "))),
            );
        }
    }
}
