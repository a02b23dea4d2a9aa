//! Wikis and their pages, which live in git repositories.

mod attachments;
mod batch;
mod dump;
mod errors;
mod pages;
mod paths;
mod rest;
mod tree;
mod wikis;

pub(crate) use dump::{count, dump};
pub(crate) use rest::handle;
pub(crate) use wikis::{NewWiki, create};

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::core::access;
use crate::world::Organization;

#[derive(Default)]
pub(crate) struct State {
    wikis: BTreeMap<Uuid, Wiki>,
    last_page: u32,
}

#[derive(Clone)]
pub(crate) struct Wiki {
    /// That of the repository for a project wiki.
    pub id: Uuid,
    pub project: Uuid,
    pub name: String,
    pub kind: Kind,
    pub repository: Uuid,
    /// `/`, or the folder of a code wiki.
    pub mapped_path: String,
    /// Branch names without `refs/heads/`; the first is the current one.
    pub versions: Vec<String>,
    /// Page ids by path; a page that came by a push gets its id when it is first seen.
    pages: BTreeMap<String, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Project,
    Code,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Project => "projectWiki",
            Self::Code => "codeWiki",
        }
    }
}

impl Wiki {
    pub(crate) fn branch(&self) -> String {
        format!(
            "refs/heads/{}",
            self.versions.first().map_or("wikiMaster", String::as_str)
        )
    }

    /// `WikiV2`.
    pub(crate) fn show(&self, base: &str) -> Value {
        let versions: Vec<Value> = self
            .versions
            .iter()
            .map(|version| json!({"version": version}))
            .collect();
        json!({
            "id": self.id,
            "versions": versions,
            "url": format!("{base}/{}/_apis/wiki/wikis/{}", self.project, self.id),
            "remoteUrl": format!("{base}/{}/_wiki/wikis/{}", self.project, self.id),
            "type": self.kind.name(),
            "name": self.name,
            "projectId": self.project,
            "repositoryId": self.repository,
            "mappedPath": self.mapped_path,
        })
    }
}

impl State {
    pub(crate) fn take_project(&mut self, project: Uuid) -> Vec<Wiki> {
        let own = self.wikis.extract_if(.., |_, wiki| wiki.project == project);
        own.map(|(_, wiki)| wiki).collect()
    }

    pub(crate) fn put_back(&mut self, wikis: Vec<Wiki>) {
        self.wikis
            .extend(wikis.into_iter().map(|wiki| (wiki.id, wiki)));
    }

    /// The id of a page, given on the first sight of its path.
    pub(crate) fn page_id(&mut self, wiki: Uuid, path: &str) -> u32 {
        let next = self.last_page + 1;
        let Some(wiki) = self.wikis.get_mut(&wiki) else {
            return 0;
        };
        let id = *wiki.pages.entry(path.to_owned()).or_insert(next);
        self.last_page = self.last_page.max(id);
        id
    }
}

/// Wikis whose repository is neither deleted nor gone nor hidden from the caller.
pub(crate) fn live(organization: &Organization) -> impl Iterator<Item = &Wiki> {
    let alive = |wiki: &&Wiki| {
        organization
            .git
            .get(wiki.repository)
            .is_some_and(|repository| {
                repository.deleted.is_none()
                    && access::reads_repository(repository.project, repository.id)
            })
    };
    organization.wiki.wikis.values().filter(alive)
}

/// The project wiki of a project.
pub(crate) fn project_wiki(organization: &Organization, project: Uuid) -> Option<Uuid> {
    live(organization)
        .find(|wiki| wiki.project == project && wiki.kind == Kind::Project)
        .map(|wiki| wiki.id)
}
