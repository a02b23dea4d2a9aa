//! The target as work items see it: projects, areas and iterations by their ids in the snapshot, else by their names there; fields by their
//! names.

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
use crate::kinds::node::read_trees;
use crate::kinds::node::stored::{Nodes, Owners};
use crate::kinds::parts;
use crate::kinds::project;
use crate::kinds::work_item::filed::Filed;

/// A project of the target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(in crate::kinds::work_item) struct Project {
    pub(in crate::kinds::work_item) id: String,
    pub(in crate::kinds::work_item) name: String,
}

/// The nodes of one tree of a project of the target: paths as fields hold them.
#[derive(Default)]
struct Paths {
    by_id: HashMap<String, String>,
    /// By the path in lower case.
    by_path: HashMap<String, String>,
}

impl Paths {
    /// The path below a project as the target writes it, if it is there.
    fn at(&self, project: &Project, names: &[String]) -> Option<&String> {
        let names = names.iter().map(String::as_str);
        let path: Vec<&str> = std::iter::once(&*project.name).chain(names).collect();
        self.by_path.get(&path.join("\\").to_lowercase())
    }

    /// The names of a node below its project.
    fn names(&self, id: &str) -> Option<Vec<String>> {
        let (_, names) = split_field(self.by_id.get(id)?);
        Some(owned(&names))
    }
}

/// Where an area or iteration of the snapshot is at the target.
pub(in crate::kinds::work_item) struct Spot {
    pub(in crate::kinds::work_item) path: String,
    /// It is this one, and no ancestor that stands for it.
    pub(in crate::kinds::work_item) exact: bool,
}

/// Both trees of a project.
type Trees = HashMap<&'static str, Paths>;

pub(in crate::kinds::work_item) struct Place<'a> {
    pub(super) cx: &'a Target<'a>,
    pub(super) base: String,
    /// By the id in the snapshot.
    projects: HashMap<String, Project>,
    /// By the name in the snapshot, in lower case.
    named: HashMap<String, Project>,
    /// Ids of the snapshot, by the name in lower case.
    ids: HashMap<String, String>,
    owners: Owners,
    nodes: Nodes<'a>,
    trees: Mutex<HashMap<String, Arc<Trees>>>,
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

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn fields(cx: &Target<'_>) -> Result<Option<HashSet<String>>> {
    match api::pages(cx.http, "/_apis/wit/fields", STABLE, Paging::Whole, &[]).await {
        Ok(pages) => {
            let fields = pages.values()?.into_iter();
            let names = fields.map(|field| Ok(read::<Field>(field)?.name));
            names.collect::<Result<_>>().map(Some)
        }
        Err(error) if error.is_fatal() => Err(error),
        Err(error) => {
            tracing::warn!("the fields of the target are not known, none is left out: {error}");
            Ok(None)
        }
    }
}

impl<'a> Place<'a> {
    pub(in crate::kinds::work_item) async fn load(cx: &'a Target<'a>) -> Result<Self> {
        let listed = project::list(cx.http).await?;
        let there = listed
            .values()?
            .into_iter()
            .map(read)
            .collect::<Result<Vec<Project>>>()?;
        let mut place = Self {
            cx,
            base: api::base(cx.http)?,
            projects: HashMap::new(),
            named: there
                .iter()
                .map(|project| (project.name.to_lowercase(), project.clone()))
                .collect(),
            ids: HashMap::new(),
            owners: Owners::read(cx.stored).await?,
            nodes: Nodes::new(cx),
            trees: Mutex::default(),
            fields: fields(cx).await?,
        };
        place.projects(&there).await?;
        Ok(place)
    }

    /// What stands for the projects of the snapshot.
    async fn projects(&mut self, there: &[Project]) -> Result<()> {
        let mut mapped = Vec::new();
        for id in self.cx.stored.ids(project::PROJECT, "").await? {
            let name = self.stored_name(&id).await?;
            let new = self.cx.ids.get(project::PROJECT, &id);
            let by_id = new.and_then(|new| {
                let mut there = there.iter();
                there.find(|project| project.id.eq_ignore_ascii_case(&new))
            });
            let by_name = || self.named.get(name.as_ref()?);
            if let Some(project) = by_id.or_else(by_name).cloned() {
                mapped.extend(name.clone().map(|name| (name, project.clone())));
                self.projects.insert(id.clone(), project);
            }
            self.ids.extend(name.map(|name| (name, id)));
        }
        // Not before all are looked up: a name may be that of another project at the target.
        self.named.extend(mapped);
        Ok(())
    }

    /// The name of a project of the snapshot in lower case; `None` where its document cannot be read: then its id and its nodes lead to it.
    async fn stored_name(&self, id: &str) -> Result<Option<String>> {
        let item = ItemRef::new(project::PROJECT, "", id);
        let document = match parts::document(self.cx.stored, &item).await {
            Err(error) if error.is_damage() => return Ok(None),
            document => document?,
        };
        let project: project::Project<'_> = parts::read(&item, &document)?;
        Ok(Some(project.name.to_lowercase()))
    }

    /// What stands for the project of a revision: that of its nodes, which stay the same under whatever names; else that of the name.
    pub(in crate::kinds::work_item) fn project(
        &self,
        filed: &Filed,
        name: &str,
    ) -> Option<&Project> {
        let mut nodes = filed.nodes();
        match nodes.find_map(|(kind, id)| self.owners.project(kind, id)) {
            Some(old) => self.projects.get(old),
            None => self.named.get(&name.to_lowercase()),
        }
    }

    /// The project that an item is in. Without it nothing else may stand for it.
    pub(in crate::kinds::work_item) fn present(&self, source: &Source) -> Result<&Project> {
        let (filed, name) = source.projects().last().unwrap_or_default();
        self.project(filed, name)
            .ok_or_else(|| Error::unsupported(format!("its project {name} is not at the target")))
    }

    /// Where an item is made: the first project that it was in and that is at the target.
    pub(in crate::kinds::work_item) fn home(&self, source: &Source) -> Result<&Project> {
        let present = self.present(source)?;
        let mut all = source.projects();
        let first = all.find_map(|(filed, name)| self.project(filed, name));
        Ok(first.unwrap_or(present))
    }

    pub(super) fn knows(&self, field: &str) -> bool {
        self.fields
            .as_ref()
            .is_none_or(|fields| fields.contains(field))
    }

    async fn trees(&self, project: &Project) -> Result<Arc<Trees>> {
        let mut known = self.trees.lock().await;
        if let Some(trees) = known.get(&project.id) {
            return Ok(Arc::clone(trees));
        }
        let mut trees = Trees::new();
        for node in read_trees(self.cx.http, &project.id).await? {
            let path = in_fields(&node.path);
            let paths = trees.entry(node.kind).or_default();
            paths.by_path.insert(path.to_lowercase(), path.clone());
            paths.by_id.insert(node.id.to_string(), path);
        }
        let trees = Arc::new(trees);
        known.insert(project.id.clone(), Arc::clone(&trees));
        Ok(trees)
    }

    /// Where an area or iteration is: under its id, under the names that the snapshot has of it, or else its nearest ancestor.
    pub(in crate::kinds::work_item) async fn spot(
        &self,
        kind: &'static str,
        filed: &Filed,
        old: &str,
        home: &Project,
    ) -> Result<Spot> {
        let (name, names) = split_field(old);
        let own = self.project(filed, name);
        let project = own.unwrap_or(home);
        let trees = self.trees(project).await?;
        let none = Paths::default();
        let paths = trees.get(kind).unwrap_or(&none);
        let spot = |path: &String, exact| Spot {
            path: path.clone(),
            exact,
        };
        let id = filed.node(kind);
        let new = id.and_then(|id| self.cx.ids.get(kind, id));
        if let Some(path) = new.and_then(|new| paths.by_id.get(&new)) {
            return Ok(spot(path, true));
        }
        let owner = id.and_then(|id| Some((self.owners.project(kind, id)?, id)));
        let stored = match owner {
            Some((owner, id)) => self.nodes.node(kind, owner, id).await?,
            None => None,
        };
        let names = stored.map_or_else(|| owned(&names), |node| node.names);
        if let Some(path) = paths.at(project, &names) {
            return Ok(spot(path, own.is_some()));
        }
        let by_name = || self.ids.get(&name.to_lowercase()).map(String::as_str);
        let way = match owner.map(|(owner, _)| owner).or_else(by_name) {
            Some(old) => {
                let today = |id: &str| paths.names(id);
                self.nodes.way(kind, old, &names, today).await?
            }
            None => names,
        };
        if let Some(path) = paths.at(project, &way) {
            return Ok(spot(path, own.is_some()));
        }
        let mut lengths = (0..way.len()).rev();
        let ancestor = lengths.find_map(|length| paths.at(project, &way[..length]));
        Ok(spot(ancestor.unwrap_or(&project.name), false))
    }

    /// A path at the target: the same below the project, or its nearest ancestor that exists.
    pub(super) async fn path(
        &self,
        kind: &'static str,
        filed: &Filed,
        old: &str,
        home: &Project,
        losses: &mut Vec<String>,
    ) -> Result<String> {
        let Spot { path, exact } = self.spot(kind, filed, old, home).await?;
        if !exact {
            // Nobody moves the item later by itself.
            let loss = format!(
                "{kind} {old} is not at the target: {path} stands for it (once it is there, a new plan with the rule `replace` puts the item into it)"
            );
            if !losses.contains(&loss) {
                losses.push(loss);
            }
        }
        Ok(path)
    }
}
