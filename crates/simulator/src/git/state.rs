//! What is known of each repository beside its bare repository on disk.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::bare::{Bare, GitError, ZERO};
use super::errors::{project_needed, repository_not_found};
use crate::core::access;
use crate::server::ApiError;
use crate::world::{Organization, Person, SharedWorld};

#[derive(Default)]
pub(crate) struct State {
    repositories: BTreeMap<Uuid, Repository>,
    last_push: u32,
}

/// A repository, live or in the recycle bin.
#[expect(clippy::struct_excessive_bools, reason = "as many as the service has")]
pub(crate) struct Repository {
    pub id: Uuid,
    pub project: Uuid,
    pub name: String,
    /// Full ref name; absent until the first branch arrives.
    pub default_branch: Option<String>,
    pub disabled: bool,
    /// The service itself works on it.
    pub in_maintenance: bool,
    /// Its plain address shows no more refs than `_optimized`.
    pub limited_refs: bool,
    /// Backs a project wiki: shown only with `includeHidden`.
    pub hidden: bool,
    pub parent: Option<Uuid>,
    pub created: Timestamp,
    pub deleted: Option<(Timestamp, Arc<Person>)>,
    /// Bytes of objects after the last write.
    pub size: u64,
    pub bare: Bare,
    /// LFS objects by SHA-256, with their sizes; the contents lie in [`Repository::lfs_path`].
    pub lfs: BTreeMap<String, u64>,
    pub pushes: Vec<Push>,
    pub creators: BTreeMap<String, Arc<Person>>,
    pub locks: BTreeMap<String, Arc<Person>>,
    /// Held while refs change, so that each push is recorded with its own updates.
    pub gate: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone)]
pub(crate) struct Push {
    pub id: u32,
    pub date: Timestamp,
    pub by: Arc<Person>,
    pub updates: Vec<RefUpdate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefUpdate {
    pub name: String,
    pub old: String,
    pub new: String,
}

impl Repository {
    /// Where an LFS object lies, inside the repository's own folder.
    pub(crate) fn lfs_path(&self, oid: &str) -> PathBuf {
        self.bare.path().join("lfs").join(oid)
    }

    /// Whether limited refs leave this one in: a person sees the default branch, branches of their own and tags.
    pub(crate) fn is_in_view(&self, name: &str, person: &Person) -> bool {
        !name.starts_with("refs/pull/")
            && (!name.starts_with("refs/heads/")
                || self.default_branch.as_deref() == Some(name)
                || self
                    .creators
                    .get(name)
                    .is_some_and(|creator| creator.id == person.id))
    }

    /// As `main`, not `refs/heads/main`.
    pub(crate) fn default_name(&self) -> Option<&str> {
        self.default_branch
            .as_deref()
            .map(|name| name.strip_prefix("refs/heads/").unwrap_or(name))
    }
}

impl State {
    pub(crate) fn insert(&mut self, repository: Repository) {
        self.repositories.insert(repository.id, repository);
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> Option<Repository> {
        self.repositories.remove(&id)
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Repository> {
        self.repositories.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: Uuid) -> Option<&mut Repository> {
        self.repositories.get_mut(&id)
    }

    /// All of them, the recycle bin included, in no order that a client sees.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.values()
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = &Repository> {
        self.all().filter(|repository| {
            repository.deleted.is_none()
                && access::reads_repository(repository.project, repository.id)
        })
    }

    /// A live repository by id, or by name in a project.
    pub(crate) fn find(&self, project: Option<Uuid>, text: &str) -> Option<&Repository> {
        let id = Uuid::parse_str(text).ok();
        let mut inside = self
            .live()
            .filter(|repository| project.is_none_or(|project| repository.project == project));
        if let Some(id) = id {
            return inside.find(|repository| repository.id == id);
        }
        project?;
        let name = text.to_lowercase();
        inside.find(|repository| repository.name.to_lowercase() == name)
    }

    /// A repository that a client may read: live, and neither disabled nor in maintenance.
    pub(crate) fn open(&self, project: Option<Uuid>, text: &str) -> Result<&Repository, ApiError> {
        if project.is_none() && Uuid::parse_str(text).is_err() {
            return Err(project_needed());
        }
        self.find(project, text)
            .filter(|repository| !repository.disabled && !repository.in_maintenance)
            .ok_or_else(|| repository_not_found(text))
    }

    /// What is held while the refs of a repository change.
    pub(crate) fn gate(&self, id: Uuid) -> Result<Arc<tokio::sync::Mutex<()>>, ApiError> {
        let found = self.get(id);
        found
            .map(|repository| Arc::clone(&repository.gate))
            .ok_or_else(|| repository_not_found(&id.to_string()))
    }

    /// They stay on disk: the project may come back.
    pub(crate) fn take_project(&mut self, project: Uuid) -> Vec<Repository> {
        let own = |_: &Uuid, repository: &mut Repository| repository.project == project;
        let own = self.repositories.extract_if(.., own);
        own.map(|(_, repository)| repository).collect()
    }

    fn next_push(&mut self) -> u32 {
        self.last_push += 1;
        self.last_push
    }
}

/// Compares the refs with those `before`, and remembers the difference as one push of `person`. The first branch
/// becomes the default one. Nothing is recorded when no ref moved.
pub(crate) async fn record(
    world: &SharedWorld,
    organization: &str,
    repository: Uuid,
    before: &BTreeMap<String, String>,
    person: &Arc<Person>,
) -> Result<Option<Push>, ApiError> {
    let bare = {
        let guard = world.read();
        guard
            .organization(organization)?
            .git
            .get(repository)
            .map(|r| r.bare.clone())
    };
    let Some(bare) = bare else {
        return Err(repository_not_found(&repository.to_string()));
    };
    let after = bare.tips().await?;
    let updates = difference(before, &after);
    let size = bare.size()?;
    let mut guard = world.write();
    let organization = guard.organization_mut(organization)?;
    if updates.is_empty() {
        return Ok(None);
    }
    apply(organization, repository, &after, updates, size, person).map(Some)
}

fn apply(
    organization: &mut Organization,
    repository: Uuid,
    after: &BTreeMap<String, String>,
    updates: Vec<RefUpdate>,
    size: u64,
    person: &Arc<Person>,
) -> Result<Push, ApiError> {
    let id = organization.git.next_push();
    let date = organization.clock.tick();
    let missing = || repository_not_found(&repository.to_string());
    let repository = organization.git.get_mut(repository).ok_or_else(missing)?;
    repository.size = size;
    for update in &updates {
        if update.new == ZERO {
            repository.creators.remove(&update.name);
            repository.locks.remove(&update.name);
        } else if update.old == ZERO {
            repository
                .creators
                .insert(update.name.clone(), Arc::clone(person));
        }
    }
    choose_default(repository, after)?;
    let push = Push {
        id,
        date,
        by: Arc::clone(person),
        updates,
    };
    repository.pushes.push(push.clone());
    Ok(push)
}

fn choose_default(
    repository: &mut Repository,
    tips: &BTreeMap<String, String>,
) -> Result<(), GitError> {
    if repository
        .default_branch
        .as_ref()
        .is_some_and(|name| tips.contains_key(name))
    {
        return Ok(());
    }
    let first = tips.keys().find(|name| name.starts_with("refs/heads/"));
    let usual = [
        "refs/heads/main",
        "refs/heads/master",
        "refs/heads/wikiMaster",
    ]
    .iter()
    .find(|name| tips.contains_key(**name));
    let chosen = usual
        .map(|name| (*name).to_owned())
        .or_else(|| first.cloned());
    if let Some(name) = &chosen {
        repository.bare.set_head(name)?;
    }
    repository.default_branch = chosen;
    Ok(())
}

fn difference(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<RefUpdate> {
    let mut updates = Vec::new();
    for (name, new) in after {
        let old = before.get(name).map_or(ZERO, String::as_str);
        if old != new {
            updates.push(RefUpdate {
                name: name.clone(),
                old: old.to_owned(),
                new: new.clone(),
            });
        }
    }
    for (name, old) in before {
        if !after.contains_key(name) {
            updates.push(RefUpdate {
                name: name.clone(),
                old: old.clone(),
                new: ZERO.to_owned(),
            });
        }
    }
    updates
}
