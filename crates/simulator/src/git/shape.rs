//! JSON documents of the git area.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::state::Repository;
use crate::world::Organization;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One path segment or query value, percent-encoded.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

pub(crate) fn project_id(organization: &Organization, text: &str) -> Option<Uuid> {
    organization.project(text).ok().map(|project| project.id)
}

pub(crate) fn project_name(organization: &Organization, id: Uuid) -> String {
    organization
        .project_by_id(id)
        .map(|project| project.name.clone())
        .unwrap_or_default()
}

/// `TeamProjectReference`.
pub(crate) fn project(organization: &Organization, id: Uuid, base: &str) -> Value {
    organization
        .project_by_id(id)
        .map_or(Value::Null, |project| project.reference(base))
}

/// Addresses of a repository.
pub(crate) struct Urls {
    pub api: String,
    pub remote: String,
    pub ssh: String,
    pub web: String,
}

pub(crate) fn urls(organization: &Organization, repository: &Repository, base: &str) -> Urls {
    let (project, name) = (
        encode(&project_name(organization, repository.project)),
        encode(&repository.name),
    );
    let web = format!("{base}/{project}/_git/{name}");
    // The remote address names the organization as user, as the service does.
    let remote = match web.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}@{rest}", encode(&organization.name)),
        None => web.clone(),
    };
    Urls {
        api: format!(
            "{base}/{}/_apis/git/repositories/{}",
            repository.project, repository.id
        ),
        remote,
        ssh: format!(
            "git@ssh.dev.azure.com:v3/{}/{project}/{name}",
            encode(&organization.name)
        ),
        web,
    }
}

/// `GitRepository` as lists and writes answer it.
pub(crate) fn repository(
    organization: &Organization,
    repository: &Repository,
    base: &str,
) -> Value {
    let urls = urls(organization, repository, base);
    let mut value = json!({
        "id": repository.id,
        "name": repository.name,
        "url": urls.api,
        "project": project(organization, repository.project, base),
    });
    if let Some(branch) = &repository.default_branch {
        value["defaultBranch"] = json!(branch);
    }
    value["size"] = json!(repository.size);
    value["remoteUrl"] = json!(urls.remote);
    value["sshUrl"] = json!(urls.ssh);
    value["webUrl"] = json!(urls.web);
    if repository.parent.is_some() {
        value["isFork"] = json!(true);
    }
    value["isDisabled"] = json!(repository.disabled);
    value["isInMaintenance"] = json!(repository.in_maintenance);
    value
}

/// The same with `_links`, as reading one repository answers it.
pub(crate) fn repository_with_links(
    organization: &Organization,
    item: &Repository,
    base: &str,
) -> Value {
    let urls = urls(organization, item, base);
    let api = &urls.api;
    let mut value = repository(organization, item, base);
    value["_links"] = json!({
        "self": {"href": api},
        "project": {"href": format!("vstfs:///Classification/TeamProject/{}", item.project)},
        "web": {"href": urls.web},
        "ssh": {"href": urls.ssh},
        "commits": {"href": format!("{api}/commits")},
        "refs": {"href": format!("{api}/refs")},
        "pullRequests": {"href": format!("{api}/pullRequests")},
        "items": {"href": format!("{api}/items")},
        "pushes": {"href": format!("{api}/pushes")},
    });
    value
}

/// `GitRepositoryRef` of a fork's parent.
pub(super) fn parent(organization: &Organization, parent: &Repository, base: &str) -> Value {
    let urls = urls(organization, parent, base);
    json!({
        "id": parent.id,
        "name": parent.name,
        "url": urls.api,
        "project": project(organization, parent.project, base),
        "isFork": parent.parent.is_some(),
        "remoteUrl": urls.remote,
        "sshUrl": urls.ssh,
        "collection": {"id": organization.id, "name": organization.name, "url": format!("{base}/_apis/projectCollections/{}", organization.id)},
    })
}

/// Milliseconds as the service writes dates.
pub(crate) fn date(timestamp: jiff::Timestamp) -> String {
    format!("{timestamp:.3}")
}
