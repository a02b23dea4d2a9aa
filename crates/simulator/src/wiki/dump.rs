//! What inspections tell of the wikis.

use serde_json::{Value, json};

use super::tree::Tree;
use super::{Wiki, live};
use crate::server::ApiError;
use crate::world::{Organization, SharedWorld};

pub(crate) fn count(organization: &Organization) -> usize {
    live(organization).count()
}

/// Every wiki with the paths of its pages and the blobs that they hold.
pub(crate) async fn dump(world: &SharedWorld, organization: &str) -> Result<Value, ApiError> {
    let wikis: Vec<(Wiki, crate::git::bare::Bare)> = {
        let guard = world.read();
        let organization = guard.organization(organization)?;
        let with_bare = |wiki: &Wiki| {
            organization
                .git
                .get(wiki.repository)
                .map(|repository| (wiki.clone(), repository.bare.clone()))
        };
        live(organization).filter_map(with_bare).collect()
    };
    let mut values = Vec::new();
    for (wiki, bare) in wikis {
        let tree = Tree::read(&bare, &wiki.branch(), &wiki.mapped_path).await?;
        let pages: Vec<Value> = tree
            .all()
            .into_iter()
            .map(|page| json!({"path": page.path, "blob": page.blob}))
            .collect();
        values.push(json!({
            "id": wiki.id,
            "name": wiki.name,
            "type": wiki.kind.name(),
            "project": wiki.project,
            "repository": wiki.repository,
            "mappedPath": wiki.mapped_path,
            "versions": wiki.versions,
            "pages": pages,
            "attachments": tree.others,
        }));
    }
    Ok(json!(values))
}
