//! Links of every kind.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Maker;
use super::items::update;
use crate::server::ApiError;
use crate::wit::item::Target;
use crate::wit::patch::Operation;
use crate::wit::write;

/// Kinds of links between work items, from the later to the earlier one.
pub(crate) const BETWEEN: [&str; 7] = [
    "System.LinkTypes.Hierarchy-Reverse",
    "System.LinkTypes.Related",
    "System.LinkTypes.Dependency-Reverse",
    "System.LinkTypes.Duplicate-Reverse",
    "Microsoft.VSTS.Common.Affects-Forward",
    "Microsoft.VSTS.Common.TestedBy-Reverse",
    "System.LinkTypes.Dependency-Forward",
];

/// A commit and a branch that artifacts can point to.
#[derive(Clone)]
pub(crate) struct Artifact {
    pub project: Uuid,
    pub repository: Uuid,
    pub commit: String,
}

fn relation(rel: &str, url: &str, attributes: &Value) -> Operation {
    Operation::relation(json!({"rel": rel, "url": url, "attributes": attributes}))
}

/// Links two work items. A link that the rules refuse (a second parent, a circle, the same again) is left out: false.
pub(crate) fn between(maker: &mut Maker, from: u32, to: u32, rel: &str) -> Result<bool, ApiError> {
    let by = maker.person();
    let url = format!("{}/_apis/wit/workItems/{to}", maker.base);
    let comment = if maker.dice.chance(30) {
        maker.dice.sentence()
    } else {
        String::new()
    };
    match update(
        maker,
        from,
        &[relation(rel, &url, &json!({"comment": comment}))],
        &by,
    ) {
        Ok(()) => Ok(true),
        Err(error) if error.status.is_client_error() => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn hyperlink(maker: &mut Maker, id: u32) -> Result<(), ApiError> {
    let by = maker.person();
    let url = format!(
        "https://intranet.contoso.example/{}/{}?q=%C3%BC",
        maker.dice.word(),
        maker.dice.below(100_000)
    );
    let comment = maker.dice.sentence();
    update(
        maker,
        id,
        &[relation("Hyperlink", &url, &json!({"comment": comment}))],
        &by,
    )
}

/// A link to a commit, or to a branch.
pub(super) fn artifact(
    maker: &mut Maker,
    id: u32,
    artifact: &Artifact,
    commit: bool,
) -> Result<(), ApiError> {
    let by = maker.person();
    let Artifact {
        project,
        repository,
        ..
    } = artifact;
    let (kind, last, name) = if commit {
        ("Commit", artifact.commit.as_str(), "Fixed in Commit")
    } else {
        ("Ref", "GBmain", "Branch")
    };
    let url = format!("vstfs:///Git/{kind}/{project}%2F{repository}%2F{last}");
    match update(
        maker,
        id,
        &[relation("ArtifactLink", &url, &json!({"name": name}))],
        &by,
    ) {
        Err(error) if !error.status.is_client_error() => Err(error),
        // The item may have the link already.
        _ => Ok(()),
    }
}

/// Removes the newest link to another work item; returns the other one.
pub(crate) fn unlink(maker: &mut Maker, id: u32) -> Result<Option<u32>, ApiError> {
    let found = maker.with(|organization| {
        let item = organization
            .wit
            .items
            .get(&id)
            .filter(|item| item.deleted.is_none())
            .ok_or_else(|| write::unknown_item(id))?;
        let alive = |id: u32| {
            organization
                .wit
                .items
                .get(&id)
                .is_some_and(|item| item.deleted.is_none())
        };
        // Positions count the relations that answers show.
        let shown = item
            .relations
            .iter()
            .filter_map(|relation| match relation.target {
                Target::Item { id, .. } => alive(id).then_some(Some(id)),
                _ => Some(None),
            });
        Ok(shown
            .enumerate()
            .filter_map(|(place, other)| Some((place, other?)))
            .last())
    })?;
    let Some((place, other)) = found else {
        return Ok(None);
    };
    let by = maker.person();
    let removal = Operation {
        op: "remove".to_owned(),
        path: format!("/relations/{place}"),
        value: Value::Null,
    };
    update(maker, id, &[removal], &by)?;
    Ok(Some(other))
}
