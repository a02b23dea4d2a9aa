//! The containers that selected items cannot live without: they come along, and the plan says what needs them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::ItemRef;
use service::KindSpec;

use super::mention::mentioned;
use super::order::restore_order;
use super::select::{Chosen, Why, is_parent};
use super::unread::Unread;
use super::{PlanContext, describe};
use crate::Result;

/// Adds the containers of everything chosen. Those that are at the target become no steps, or steps that only map their ids.
pub(super) async fn with_containers(
    cx: &PlanContext<'_>,
    mut chosen: Chosen,
    unread: &mut Unread,
) -> Result<Chosen> {
    let mut words = Words::new(unread);
    for kind in restore_order(cx.service).into_iter().rev() {
        let spec = kind.spec();
        let items: Vec<ItemRef> = chosen
            .0
            .get(spec.name)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .map(|key| key.item(spec.name))
            .collect();
        let mut done = BTreeSet::new();
        for item in items {
            match spec.parent {
                Some(parent) if !item.scope.is_empty() => {
                    if done.insert((parent, item.scope.clone())) {
                        chosen.add(parent, "", &item.scope, Why::Needed(item.to_string()));
                    }
                    of_scoped(cx, &mut chosen, &mut words, spec, &item).await?;
                }
                _ => of_unscoped(cx, &mut chosen, &mut words, spec, &item, &mut done).await?,
            }
        }
    }
    Ok(chosen)
}

/// A wiki needs the repository that its document names.
async fn of_scoped(
    cx: &PlanContext<'_>,
    chosen: &mut Chosen,
    words: &mut Words<'_>,
    spec: &KindSpec,
    item: &ItemRef,
) -> Result<()> {
    for after in beside(cx, spec, spec.parent) {
        let known = words.of(cx, after, &item.scope).await?;
        if known
            .values()
            .all(|id| chosen.contains(&ItemRef::new(after.name, &item.scope, id)))
        {
            continue;
        }
        for id in named(cx, item, after.name)
            .await?
            .iter()
            .filter_map(|text| known.get(text))
        {
            chosen.add(after.name, &item.scope, id, Why::Needed(item.to_string()));
        }
    }
    Ok(())
}

/// A work item lies outside of its project, whose areas and iterations it is filed under.
async fn of_unscoped(
    cx: &PlanContext<'_>,
    chosen: &mut Chosen,
    words: &mut Words<'_>,
    spec: &KindSpec,
    item: &ItemRef,
    done: &mut BTreeSet<(&'static str, String)>,
) -> Result<()> {
    for parent in outer(cx, spec) {
        let known = words.of(cx, parent, "").await?;
        if known
            .values()
            .all(|id| done.contains(&(parent.name, id.clone())))
        {
            continue;
        }
        let scopes: BTreeSet<String> = named(cx, item, parent.name)
            .await?
            .iter()
            .filter_map(|text| known.get(text).cloned())
            .collect();
        for scope in scopes {
            if !done.insert((parent.name, scope.clone())) {
                continue;
            }
            chosen.add(parent.name, "", &scope, Why::Needed(item.to_string()));
            for after in beside(cx, spec, Some(parent.name)) {
                if !named(cx, item, after.name).await?.is_empty() {
                    for id in words.unread.ids(cx, after.name, &scope).await? {
                        chosen.add(after.name, &scope, &id, Why::Needed(item.to_string()));
                    }
                }
            }
        }
    }
    Ok(())
}

/// The kinds that `spec` comes after and that live in `parent`.
fn beside(cx: &PlanContext<'_>, spec: &KindSpec, parent: Option<&str>) -> Vec<&'static KindSpec> {
    let specs = spec
        .after
        .iter()
        .filter_map(|name| cx.service.kind(name))
        .map(service::Kind::spec);
    specs
        .filter(|after| after.parent.is_some() && after.parent == parent)
        .collect()
}

/// The kinds of containers that the items of an unscoped kind may belong to.
pub(super) fn outer(cx: &PlanContext<'_>, spec: &KindSpec) -> Vec<&'static KindSpec> {
    let after = spec
        .after
        .iter()
        .filter_map(|name| cx.service.kind(name))
        .map(service::Kind::spec);
    let names: BTreeSet<&str> = after
        .filter_map(|after| {
            if is_parent(cx, after.name) {
                Some(after.name)
            } else {
                after.parent
            }
        })
        .collect();
    names
        .into_iter()
        .filter_map(|name| cx.service.kind(name))
        .map(service::Kind::spec)
        .collect()
}

/// What the item's document says in members named after a kind: `repositoryId` for `git-repository`.
async fn named(cx: &PlanContext<'_>, item: &ItemRef, kind: &str) -> Result<BTreeSet<String>> {
    let word = kind.rsplit('-').next().unwrap_or(kind);
    let document = match cx.stored.document(item).await {
        // It is left out of the plan.
        Err(error) if error.is_damage() => None,
        document => document?,
    };
    Ok(document
        .map(|document| mentioned(&document, word))
        .into_iter()
        .flatten()
        .collect())
}

/// Ids and names of a kind's items, in lower case, with their ids; read once.
struct Words<'u> {
    known: HashMap<(&'static str, String), BTreeMap<String, String>>,
    /// What cannot be read on the way.
    unread: &'u mut Unread,
}

impl<'u> Words<'u> {
    fn new(unread: &'u mut Unread) -> Self {
        let known = HashMap::new();
        Self { known, unread }
    }

    async fn of(
        &mut self,
        cx: &PlanContext<'_>,
        spec: &'static KindSpec,
        scope: &str,
    ) -> Result<&BTreeMap<String, String>> {
        let key = (spec.name, scope.to_owned());
        if !self.known.contains_key(&key) {
            let mut words = BTreeMap::new();
            if let Some(kind) = cx.service.kind(spec.name) {
                for id in self.unread.ids(cx, spec.name, scope).await? {
                    let item = ItemRef::new(spec.name, scope, &id);
                    match describe(cx, kind, &item).await {
                        Err(error) if error.is_damage() => {}
                        name => drop(words.insert(name?.to_lowercase(), id.clone())),
                    }
                    words.insert(id.to_lowercase(), id);
                }
            }
            self.known.insert(key.clone(), words);
        }
        Ok(self.known.entry(key).or_default())
    }
}
