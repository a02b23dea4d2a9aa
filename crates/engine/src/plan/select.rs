//! What a person selected, as items of the snapshot.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use model::ItemRef;
use serde::{Deserialize, Serialize};
use service::KindSpec;

use super::mention::mentioned;
use super::order::{has_items, restore_order};
use super::unread::Unread;
use super::{PlanContext, describe};
use crate::layout::is_within;
use crate::{Error, Result};

/// The items that a restore is about. The default selects nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    Everything,
    /// What any of the selectors names.
    Items(Vec<Selector>),
}

impl Default for Select {
    fn default() -> Self {
        Self::Items(Vec::new())
    }
}

/// Items that meet all of its conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// One kind, or every kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// Id or name of a container (a project): the container itself and what is in it.
    #[serde(default)]
    pub scope: Option<String>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    All,
    /// By the ids that they have in the snapshot; every one must be there.
    Ids(Vec<String>),
    /// Items whose folder in the snapshot is this one or lies below it.
    Under(String),
    /// Items of the snapshot that are gone at the target.
    Deleted,
    /// Of these, what is gone at the target.
    Missing(Box<Self>),
}

impl What {
    /// What is meant, whether or not it is gone.
    fn named(&self) -> &Self {
        match self {
            Self::Missing(what) => what.named(),
            what => what,
        }
    }
}

/// Why an item is part of a plan, from the weakest reason to the strongest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// A container of something selected; its text names what needs it.
    Needed(String),
    /// Only if it is gone at the target.
    IfGone,
    Swept,
    /// Named by its id: also from the service's recycle bin.
    Asked,
}

/// The chosen items: kind → (scope, id) → why. The order within a kind is by scope, then as ids sort (numbers by value).
#[derive(Debug, Default)]
pub(super) struct Chosen(pub BTreeMap<&'static str, BTreeMap<Key, Why>>);

/// Orders items of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    scope: String,
    number: Option<u64>,
    id: String,
}

impl Key {
    pub(super) fn new(scope: &str, id: &str) -> Self {
        Self {
            scope: scope.to_owned(),
            number: id.parse().ok(),
            id: id.to_owned(),
        }
    }

    pub(super) fn same_scope(&self, other: &Self) -> bool {
        self.scope == other.scope
    }

    pub(super) fn item(&self, kind: &str) -> ItemRef {
        ItemRef::new(kind, &self.scope, &self.id)
    }
}

impl Chosen {
    /// Adds an item; the strongest reason stays.
    pub(super) fn add(&mut self, kind: &'static str, scope: &str, id: &str, why: Why) {
        let known = self
            .0
            .entry(kind)
            .or_default()
            .entry(Key::new(scope, id))
            .or_insert_with(|| why.clone());
        if *known < why {
            *known = why;
        }
    }

    pub(super) fn contains(&self, item: &ItemRef) -> bool {
        self.why(item).is_some()
    }

    /// Why the item is chosen; `None` for one that is not.
    pub(super) fn why(&self, item: &ItemRef) -> Option<&Why> {
        let items = self.0.get(item.kind.as_str())?;
        items.get(&Key::new(&item.scope, &item.id))
    }

    pub(super) fn len(&self) -> u64 {
        self.0.values().map(|items| items.len() as u64).sum()
    }
}

/// Resolves the selection against the snapshot; an error for what the snapshot does not have.
pub(super) async fn choose(
    cx: &PlanContext<'_>,
    select: &Select,
    unread: &mut Unread,
) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    match select {
        Select::Everything => {
            let all = Selector {
                kind: None,
                scope: None,
                what: What::All,
            };
            choose_one(cx, &all, &mut chosen, unread).await?;
        }
        Select::Items(selectors) => {
            for selector in selectors {
                choose_one(cx, selector, &mut chosen, unread).await?;
            }
        }
    }
    Ok(chosen)
}

async fn choose_one(
    cx: &PlanContext<'_>,
    selector: &Selector,
    chosen: &mut Chosen,
    unread: &mut Unread,
) -> Result<()> {
    let kinds = kinds(cx, selector)?;
    let mut own = Unread::default();
    let within = match &selector.scope {
        Some(text) => Some(containers(cx, text, &mut own).await?),
        None => None,
    };
    let named = selector.what.named();
    let mut wanted: BTreeSet<&str> = match named {
        What::Ids(ids) => ids.iter().map(String::as_str).collect(),
        _ => BTreeSet::new(),
    };
    let mut matched = false;
    for spec in kinds {
        for scope in scopes(cx, spec, within.as_ref(), &mut own).await? {
            for id in own.ids(cx, spec.name, &scope).await? {
                let item = ItemRef::new(spec.name, &scope, &id);
                let Some(why) = why(cx, &selector.what, &item) else {
                    continue;
                };
                if let Some(within) = &within
                    && !within.hold(cx, spec, &item, &mut own).await?
                {
                    continue;
                }
                wanted.remove(id.as_str());
                matched = true;
                chosen.add(spec.name, &scope, &id, why);
            }
        }
    }
    let kind = selector.kind.as_deref().unwrap_or("item");
    match named {
        What::Ids(_) if wanted.is_empty() => {}
        What::Ids(_) => {
            let list = wanted.into_iter().collect::<Vec<_>>().join(", ");
            // It may be there.
            own.refuse(&format!("{kind} {list} cannot be found"))?;
            return Err(unknown(format!("the snapshot has no {kind} {list}")));
        }
        What::Under(prefix) => {
            let mut near = Unread::default();
            near.take(own, prefix.trim_matches('/'));
            if !matched {
                near.refuse(&format!("what is at `{prefix}` cannot be told"))?;
                return Err(unknown(format!(
                    "the snapshot has no item at `{prefix}` or below it"
                )));
            }
            unread.take(near, "");
        }
        What::All | What::Deleted | What::Missing(_) => unread.take(own, ""),
    }
    Ok(())
}

fn kinds(cx: &PlanContext<'_>, selector: &Selector) -> Result<Vec<&'static KindSpec>> {
    let Some(name) = &selector.kind else {
        return Ok(restore_order(cx.service)
            .into_iter()
            .map(service::Kind::spec)
            .collect());
    };
    let kind = cx.service.kind(name).ok_or_else(|| {
        let all: Vec<&str> = restore_order(cx.service)
            .into_iter()
            .map(|kind| kind.spec().name)
            .collect();
        let message = format!(
            "{} has no kind `{name}`; it has {}",
            cx.service.title,
            all.join(", ")
        );
        Error::Request {
            code: "kind-unknown",
            message,
        }
    })?;
    match kind.spec().with {
        Some(owner) if !has_items(kind.spec()) => Err(unknown(format!(
            "{name}s come back with their {owner}: select the {owner}"
        ))),
        _ => Ok(vec![kind.spec()]),
    }
}

fn why(cx: &PlanContext<'_>, what: &What, item: &ItemRef) -> Option<Why> {
    match what {
        What::All => Some(Why::Swept),
        What::Deleted => Some(Why::IfGone),
        What::Missing(what) => why(cx, what, item).map(|_| Why::IfGone),
        What::Ids(ids) => ids.contains(&item.id).then_some(Why::Asked),
        What::Under(prefix) => {
            let prefix = prefix.trim_matches('/');
            let path = cx.layouts().path(item)?;
            // A path into an item, to one of its files, means the item, and not what it contains.
            let names = is_within(prefix, &path)
                && cx
                    .layouts()
                    .parse(prefix)
                    .is_none_or(|place| place.item == *item);
            (prefix.is_empty() || is_within(&path, prefix) || names).then_some(Why::Swept)
        }
    }
}

/// The scopes of a kind that may hold something: every item of its parent, and none.
async fn scopes(
    cx: &PlanContext<'_>,
    spec: &KindSpec,
    within: Option<&Containers>,
    unread: &mut Unread,
) -> Result<Vec<String>> {
    let mut scopes = vec![String::new()];
    if let Some(parent) = spec.parent {
        let mut ids = unread.ids(cx, parent, "").await?;
        if let Some(within) = within {
            ids.retain(|id| within.items.contains(&(parent, id.clone())));
        }
        scopes.extend(ids);
    }
    Ok(scopes)
}

/// The containers that a selector's scope means.
struct Containers {
    items: HashSet<(&'static str, String)>,
    /// Ids and names of them by kind, in lower case.
    words: BTreeMap<&'static str, HashSet<String>>,
}

impl Containers {
    /// Whether the item is one of the containers or lies in one of them.
    async fn hold(
        &self,
        cx: &PlanContext<'_>,
        spec: &'static KindSpec,
        item: &ItemRef,
        unread: &mut Unread,
    ) -> Result<bool> {
        if self.items.contains(&(spec.name, item.id.clone())) {
            return Ok(true);
        }
        if !item.scope.is_empty() {
            return Ok(spec
                .parent
                .is_some_and(|parent| self.items.contains(&(parent, item.scope.clone()))));
        }
        if spec.parent.is_some() || is_parent(cx, spec.name) {
            return Ok(false);
        }
        let document = match cx.stored.document(item).await {
            Ok(Some(document)) => document,
            // Nobody can tell where it lies.
            Ok(None) => {
                return unread
                    .leave_out(cx, item, nameless(cx, item))
                    .map(|()| false);
            }
            Err(error) => return unread.leave_out(cx, item, error.into()).map(|()| false),
        };
        Ok(self
            .words
            .iter()
            .any(|(kind, words)| !mentioned(&document, kind).is_disjoint(words)))
    }
}

/// An item of the snapshot without its document.
fn nameless(cx: &PlanContext<'_>, item: &ItemRef) -> Error {
    let document = cx.layouts().document(&item.kind).unwrap_or("document");
    Error::missing(item, document)
}

async fn containers(cx: &PlanContext<'_>, text: &str, unread: &mut Unread) -> Result<Containers> {
    let mut found = Containers {
        items: HashSet::new(),
        words: BTreeMap::new(),
    };
    for kind in restore_order(cx.service)
        .into_iter()
        .filter(|kind| is_parent(cx, kind.spec().name))
    {
        let name = kind.spec().name;
        for id in unread.ids(cx, name, "").await? {
            let item = ItemRef::new(name, "", &id);
            let title = match describe(cx, kind, &item).await {
                Err(error) if error.is_damage() => String::new(),
                title => title?,
            };
            if id == text || title.to_lowercase() == text.to_lowercase() {
                found
                    .words
                    .entry(name)
                    .or_default()
                    .extend([id.to_lowercase(), title.to_lowercase()]);
                found.items.insert((name, id));
            }
        }
    }
    if found.items.is_empty() {
        unread.refuse(&format!("a container `{text}` cannot be found"))?;
        return Err(unknown(format!(
            "the snapshot has no project or other container `{text}`"
        )));
    }
    Ok(found)
}

pub(super) fn is_parent(cx: &PlanContext<'_>, kind: &str) -> bool {
    cx.service
        .kinds
        .iter()
        .any(|other| other.spec().parent == Some(kind))
}

fn unknown(message: String) -> Error {
    Error::Request {
        code: "selection-unknown",
        message,
    }
}
