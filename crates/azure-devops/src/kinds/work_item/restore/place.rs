//! The target as work items see it: projects, areas and iterations, fields, by their names in the snapshot.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::ItemRef;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::{Error, Result, Target};
use tokio::sync::Mutex;

use super::source::Source;
use crate::api::{self, Paging, STABLE};
use crate::kinds::node::paths::{in_fields, split_field};
use crate::kinds::node::{AREA, ITERATION, read_trees};
use crate::kinds::parts;
use crate::kinds::project;

/// A project of the target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(in crate::kinds::work_item) struct Project {
    pub(in crate::kinds::work_item) id: String,
    pub(in crate::kinds::work_item) name: String,
}

/// Areas and iterations of a project as paths in fields, in lower case.
type Paths = HashMap<&'static str, HashSet<String>>;

pub(in crate::kinds::work_item) struct Place<'a> {
    pub(super) cx: &'a Target<'a>,
    pub(super) base: String,
    /// By the name in the snapshot, in lower case.
    projects: HashMap<String, Project>,
    paths: Mutex<HashMap<String, Arc<Paths>>>,
    /// `None` when the fields could not be read.
    fields: Option<HashSet<String>>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(rename = "referenceName")]
    name: String,
}

fn read<'a, T: Deserialize<'a>>(value: &'a RawValue) -> Result<T> {
    serde_json::from_str(value.get()).map_err(|error| {
        Error::malformed(format!("a list of the target is not understood: {error}"))
    })
}

impl<'a> Place<'a> {
    pub(in crate::kinds::work_item) async fn load(cx: &'a Target<'a>) -> Result<Self> {
        let listed = project::list(cx.http).await?;
        let there = listed
            .values()?
            .into_iter()
            .map(read)
            .collect::<Result<Vec<Project>>>()?;
        let mut projects: HashMap<String, Project> = there
            .iter()
            .map(|project| (project.name.to_lowercase(), project.clone()))
            .collect();
        for id in cx.stored.ids(project::PROJECT, "").await? {
            let item = ItemRef::new(project::PROJECT, "", &id);
            let document = parts::document(cx.stored, &item).await?;
            let old: project::Project<'_> = parts::read(&item, &document)?;
            let Some(new) = cx.ids.get(project::PROJECT, &id) else {
                continue;
            };
            if let Some(project) = there
                .iter()
                .find(|project| project.id.eq_ignore_ascii_case(&new))
            {
                projects.insert(old.name.to_lowercase(), project.clone());
            }
        }
        let fields = match api::pages(cx.http, "/_apis/wit/fields", STABLE, Paging::Whole, &[])
            .await
        {
            Ok(pages) => Some(
                pages
                    .values()?
                    .into_iter()
                    .map(|field| Ok(read::<Field>(field)?.name))
                    .collect::<Result<_>>()?,
            ),
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                tracing::warn!("the fields of the target are not known, none is left out: {error}");
                None
            }
        };
        Ok(Self {
            cx,
            base: api::base(cx.http)?,
            projects,
            paths: Mutex::default(),
            fields,
        })
    }

    pub(in crate::kinds::work_item) fn project(&self, name: &str) -> Option<&Project> {
        self.projects.get(&name.to_lowercase())
    }

    /// Where an item is made: the first project that it was in and that is at the target.
    pub(in crate::kinds::work_item) fn home(&self, source: &Source) -> Result<&Project> {
        let known = source.projects().find_map(|name| self.project(name));
        known.ok_or_else(|| {
            let names: HashSet<&str> = source.projects().collect();
            Error::unsupported(format!(
                "its project {} is not at the target",
                names.into_iter().collect::<Vec<_>>().join(", ")
            ))
        })
    }

    pub(super) fn knows(&self, field: &str) -> bool {
        self.fields
            .as_ref()
            .is_none_or(|fields| fields.contains(field))
    }

    async fn paths(&self, project: &Project) -> Result<Arc<Paths>> {
        let mut known = self.paths.lock().await;
        if let Some(paths) = known.get(&project.id) {
            return Ok(Arc::clone(paths));
        }
        let mut paths = Paths::new();
        for node in read_trees(self.cx.http, &project.id).await? {
            paths
                .entry(node.kind)
                .or_default()
                .insert(in_fields(&node.path).to_lowercase());
        }
        let paths = Arc::new(paths);
        known.insert(project.id.clone(), Arc::clone(&paths));
        Ok(paths)
    }

    /// A path at the target: the same below the project, or its nearest ancestor that exists.
    pub(super) async fn path(
        &self,
        area: bool,
        old: &str,
        home: &Project,
        losses: &mut Vec<String>,
    ) -> Result<String> {
        let (project_name, names) = split_field(old);
        let (tree, what) = if area {
            (AREA, "area")
        } else {
            (ITERATION, "iteration")
        };
        let project = self.project(project_name).unwrap_or(home);
        let paths = self.paths(project).await?;
        let at = |length: usize| {
            std::iter::once(project.name.as_str())
                .chain(names.iter().take(length).copied())
                .collect::<Vec<_>>()
                .join("\\")
        };
        let exists = |path: &str| {
            paths
                .get(tree)
                .is_some_and(|paths| paths.contains(&path.to_lowercase()))
        };
        let length = (0..=names.len())
            .rev()
            .find(|length| exists(&at(*length)))
            .unwrap_or(0);
        let path = at(length);
        if length < names.len() || self.project(project_name).is_none() {
            let loss = format!("{what} {old} is not at the target: {path} stands for it");
            if !losses.contains(&loss) {
                losses.push(loss);
            }
        }
        Ok(path)
    }
}
