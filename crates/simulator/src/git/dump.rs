//! What inspections tell of the repositories.

use serde_json::{Value, json};

use super::bare::Bare;
use super::shape;
use crate::server::ApiError;
use crate::world::{Organization, SharedWorld};

/// Numbers for the inventory.
pub(crate) struct Counts {
    /// Live ones, those of wikis included.
    pub repositories: usize,
    /// Those that have no ref.
    pub empty: usize,
    /// Those that plain listings leave out.
    pub hidden: usize,
    pub lfs_objects: usize,
    pub deleted: usize,
}

pub(crate) fn counts(organization: &Organization) -> Counts {
    let live = || organization.git.live();
    Counts {
        repositories: live().count(),
        empty: live()
            .filter(|repository| repository.default_branch.is_none())
            .count(),
        hidden: live().filter(|repository| repository.hidden).count(),
        lfs_objects: live().map(|repository| repository.lfs.len()).sum(),
        deleted: organization
            .git
            .all()
            .filter(|repository| repository.deleted.is_some())
            .count(),
    }
}

/// Every repository, deleted ones included, with its refs and where it lies on the disk.
pub(crate) async fn dump(world: &SharedWorld, organization: &str) -> Result<Value, ApiError> {
    let mut found: Vec<(Value, Bare)> = {
        let guard = world.read();
        let organization = guard.organization(organization)?;
        let describe = |repository: &super::Repository| {
            let lfs: Vec<Value> = repository
                .lfs
                .iter()
                .map(|(oid, size)| json!({"oid": oid, "size": size}))
                .collect();
            json!({
                "id": repository.id,
                "name": repository.name,
                "project": repository.project,
                "projectName": shape::project_name(organization, repository.project),
                "defaultBranch": repository.default_branch,
                "isDisabled": repository.disabled,
                "isInMaintenance": repository.in_maintenance,
                "limitedRefs": repository.limited_refs,
                "isHidden": repository.hidden,
                "parent": repository.parent,
                "isDeleted": repository.deleted.is_some(),
                "lfs": lfs,
                "lfsPath": repository.lfs_path("").to_string_lossy(),
                "repositoryPath": repository.bare.path().to_string_lossy(),
            })
        };
        organization
            .git
            .all()
            .map(|repository| (describe(repository), repository.bare.clone()))
            .collect()
    };
    for (value, bare) in &mut found {
        value["refs"] = json!(bare.tips().await?);
    }
    Ok(json!(
        found
            .into_iter()
            .map(|(value, _)| value)
            .collect::<Vec<_>>()
    ))
}
