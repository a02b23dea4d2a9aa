//! Links: to artifacts, whose ids are translated, and between work items, of which one end is written.

use std::collections::HashSet;

use serde_json::{Value, json};
use service::{Outcome, Restore, Result, StoredItem, Target};

use super::change;
use super::place::Place;
use super::source::{Leads, Relation, Source};
use crate::api;
use crate::kinds::git_repository::GIT_REPOSITORY;
use crate::kinds::project::PROJECT;
use crate::kinds::wiki::WIKI;
use crate::kinds::work_item::WORK_ITEM;

/// What a `vstfs:///` address of something that can be restored says.
struct Artifact<'u> {
    tool: &'u str,
    kind: &'u str,
    project: &'u str,
    /// The kind and the id of what it lies in.
    container: (&'static str, &'u str),
    tail: &'u str,
}

impl<'u> Artifact<'u> {
    /// `None` for what is never restored, and stays what it is at the original place.
    fn read(url: &'u str, original: bool) -> Option<Self> {
        let mut segments = url.strip_prefix("vstfs:///")?.splitn(3, '/');
        let (tool, kind, rest) = (segments.next()?, segments.next()?, segments.next()?);
        let container = match (tool, kind) {
            ("Git", "Commit" | "Ref") => GIT_REPOSITORY,
            ("Wiki", "WikiPage") => WIKI,
            ("Git", "PullRequestId") if original => GIT_REPOSITORY,
            _ => return None,
        };
        let upper = rest.to_ascii_uppercase();
        let mut separators = upper.match_indices("%2F").map(|(at, _)| at);
        let (first, second) = (separators.next()?, separators.next()?);
        Some(Self {
            tool,
            kind,
            project: &rest[..first],
            container: (container, &rest[first + 3..second]),
            tail: &rest[second..],
        })
    }

    fn is_pull_request(&self) -> bool {
        self.kind == "PullRequestId"
    }
}

/// A `vstfs:///` address at the target, or why there is none.
pub(super) fn artifact(url: &str, cx: &Target<'_>) -> Result<String, String> {
    let Some(artifact) = Artifact::read(url, cx.original) else {
        return if cx.original {
            Ok(url.to_owned())
        } else {
            Err(format!(
                "the link {url} leads to something that is not restored"
            ))
        };
    };
    let (of, container) = artifact.container;
    let lost = || format!("the link {url} leads to something that is not at the target");
    let new_project = cx.ids.get(PROJECT, artifact.project).ok_or_else(lost)?;
    let new_container = cx.ids.get(of, container).ok_or_else(lost)?;
    if artifact.is_pull_request() && new_container != container {
        return Err(format!(
            "the link {url} leads to a pull request, which is not restored"
        ));
    }
    let Artifact {
        tool, kind, tail, ..
    } = artifact;
    Ok(format!(
        "vstfs:///{tool}/{kind}/{new_project}%2F{new_container}{tail}"
    ))
}

/// Why a link is going to be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kinds::work_item) enum Lost {
    /// It leads to something that no restore makes again.
    NotRestored,
    /// What it leads to is neither at the target nor restored with it.
    Absent,
    /// It leads out of the organization.
    Elsewhere,
}

/// What will become of a relation, as far as the plan that is being made knows; `None` for one that is written.
pub(in crate::kinds::work_item) fn lost(relation: &Relation, cx: &Target<'_>) -> Option<Lost> {
    match (relation.leads(), relation.item()) {
        (Leads::ToItem, Some(other)) => {
            let expected = cx.ids.is_expected(WORK_ITEM, &other.to_string());
            (!expected).then_some(Lost::Absent)
        }
        (Leads::Elsewhere, _) => Some(Lost::Elsewhere),
        (Leads::ToArtifact, _) => {
            let Some(artifact) = Artifact::read(&relation.url, cx.original) else {
                return (!cx.original).then_some(Lost::NotRestored);
            };
            let (of, container) = artifact.container;
            if artifact.is_pull_request() {
                let same = cx.ids.get(of, container).as_deref() == Some(container);
                return (!same).then_some(Lost::NotRestored);
            }
            let expected =
                cx.ids.is_expected(PROJECT, artifact.project) && cx.ids.is_expected(of, container);
            (!expected).then_some(Lost::Absent)
        }
        _ => None,
    }
}

/// Links between items of the target, each in the direction in which the service states it: `(type, from, to)`.
pub(super) type Known = HashSet<(String, u32, u32)>;

fn canonical(rel: &str, from: u32, to: u32) -> (String, u32, u32) {
    if let Some(base) = rel.strip_suffix("-Forward") {
        (base.to_owned(), from, to)
    } else if let Some(base) = rel.strip_suffix("-Reverse") {
        (base.to_owned(), to, from)
    } else {
        (rel.to_owned(), from.min(to), from.max(to))
    }
}

/// Notes the links that an item at the target has already.
pub(super) fn note(known: &mut Known, id: u32, relations: &[Relation]) {
    for relation in relations {
        if let Some(other) = relation.item() {
            known.insert(canonical(&relation.rel, id, other));
        }
    }
}

/// Adds the item's links to other items that neither end has yet. Links alone make no revision.
pub(super) async fn add(
    cx: &Restore<'_>,
    place: &Place<'_>,
    source: &Source,
    new_id: &str,
    known: &mut Known,
) -> Result<Vec<String>> {
    let mut losses = Vec::new();
    let Ok(id) = new_id.parse::<u32>() else {
        return Ok(losses);
    };
    let mut operations = Vec::new();
    for relation in &source.relations {
        let other = match (relation.leads(), relation.item()) {
            (Leads::ToItem, Some(other)) => other,
            (Leads::Elsewhere, _) => {
                losses.push(format!(
                    "the link {} to {} cannot be written",
                    relation.rel, relation.url
                ));
                continue;
            }
            _ => continue,
        };
        let new = cx
            .target
            .ids
            .get(WORK_ITEM, &other.to_string())
            .and_then(|new| new.parse::<u32>().ok());
        let Some(new) = new else {
            losses.push(format!(
                "the link {} to work item {other}, which is not at the target",
                relation.rel
            ));
            continue;
        };
        let key = canonical(&relation.rel, id, new);
        if known.insert(key) {
            operations.push(operation(
                relation,
                &format!("{}/_apis/wit/workItems/{new}", place.base),
            ));
        }
    }
    losses.extend(one_by_one(cx, new_id, &operations).await?);
    Ok(losses)
}

fn operation(relation: &Relation, url: &str) -> Value {
    let mut attributes = serde_json::Map::new();
    if let Some(comment) = relation
        .attributes
        .comment
        .as_deref()
        .filter(|comment| !comment.is_empty())
    {
        attributes.insert("comment".to_owned(), Value::from(comment));
    }
    if relation.attributes.locked == Some(true) {
        attributes.insert("isLocked".to_owned(), Value::from(true));
    }
    json!({ "op": "add", "path": "/relations/-", "value": { "rel": relation.rel, "url": url, "attributes": attributes } })
}

/// All at once, or when that is refused each alone: one bad link does not cost the others.
pub(super) async fn one_by_one(
    cx: &Restore<'_>,
    new_id: &str,
    operations: &[Value],
) -> Result<Vec<String>> {
    let mut losses = Vec::new();
    if operations.is_empty() {
        return Ok(losses);
    }
    match change(cx.target.http, new_id, operations).await {
        Ok(_) => return Ok(losses),
        Err(error) if !api::is_refusal(&error) => return Err(error),
        Err(_) => {}
    }
    for operation in operations {
        match change(cx.target.http, new_id, std::slice::from_ref(operation)).await {
            Ok(_) => {}
            Err(error) if api::is_refusal(&error) => {
                let (rel, url) = (&operation["value"]["rel"], &operation["value"]["url"]);
                losses.push(format!(
                    "the link {} to {}: {}",
                    rel.as_str().unwrap_or_default(),
                    url.as_str().unwrap_or_default(),
                    error.message
                ));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(losses)
}

/// An outcome that tells what was lost.
pub(super) fn done(item: &StoredItem, losses: Vec<String>) -> Outcome {
    let new_id = item.new_id.clone().unwrap_or_default();
    Outcome::Done { new_id, losses }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_link_are_one_link() {
        assert_eq!(
            canonical("System.LinkTypes.Hierarchy-Forward", 1, 2),
            canonical("System.LinkTypes.Hierarchy-Reverse", 2, 1)
        );
        assert_eq!(
            canonical("System.LinkTypes.Related", 1, 2),
            canonical("System.LinkTypes.Related", 2, 1)
        );
        assert_ne!(
            canonical("System.LinkTypes.Hierarchy-Forward", 1, 2),
            canonical("System.LinkTypes.Hierarchy-Forward", 2, 1)
        );
        assert_ne!(
            canonical("System.LinkTypes.Dependency-Forward", 1, 2),
            canonical("System.LinkTypes.Hierarchy-Forward", 1, 2)
        );
    }
}
