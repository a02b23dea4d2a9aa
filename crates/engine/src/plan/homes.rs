//! Whether what lies outside of its container has one to be written into. Without one it would only fail when the plan is applied.

use std::collections::{HashMap, HashSet};

use model::ItemRef;
use service::{Inspect, Kind, KindSpec};

use super::needs::outer;
use super::select::is_parent;
use super::{PlanContext, describe};
use crate::Result;

/// What is known of containers, in lower case; read when an item first asks for it.
#[derive(Default)]
pub(super) struct Homes {
    /// Ids and names in the snapshot and at the target, by kind; `None` where the target's cannot be told.
    containers: HashMap<&'static str, Option<HashSet<String>>>,
    /// Ids in the snapshot of what lies in containers, by kind.
    inside: HashMap<&'static str, HashSet<String>>,
}

impl Homes {
    /// Why an item cannot be made, if it lies in a container that is nowhere. `named` is what its document says of that.
    pub(super) async fn lacks(
        &mut self,
        cx: &PlanContext<'_>,
        kind: &dyn Kind,
        item: &ItemRef,
        named: Option<&str>,
    ) -> Result<Option<String>> {
        let spec = kind.spec();
        let Some(named) = named.filter(|_| spec.parent.is_none() && !is_parent(cx, spec.name))
        else {
            return Ok(None);
        };
        let outer = outer(cx, spec);
        for container in &outer {
            let known = self.known(cx, container).await?;
            if known.is_none_or(|known| known.contains(&named.to_lowercase())) {
                return Ok(None);
            }
        }
        if outer.is_empty() || self.is_filed(cx, kind, item, &outer).await? {
            return Ok(None);
        }
        let containers: Vec<&str> = outer.iter().map(|spec| spec.name).collect();
        let containers = containers.join(" or ");
        Ok(Some(format!(
            "its {containers} {named} is neither in this snapshot nor at the target"
        )))
    }

    async fn known(
        &mut self,
        cx: &PlanContext<'_>,
        spec: &'static KindSpec,
    ) -> Result<Option<&HashSet<String>>> {
        if !self.containers.contains_key(spec.name) {
            let known = containers(cx, spec).await?;
            self.containers.insert(spec.name, known);
        }
        Ok(self.containers.get(spec.name).and_then(Option::as_ref))
    }

    /// The name of a container may be an old one; what the item is filed under keeps its id.
    async fn is_filed(
        &mut self,
        cx: &PlanContext<'_>,
        kind: &dyn Kind,
        item: &ItemRef,
        outer: &[&'static KindSpec],
    ) -> Result<bool> {
        let inspect = Inspect {
            stored: cx.stored,
            source: "",
            work: cx.work,
        };
        let document = match cx.stored.document(item).await {
            Err(error) if error.is_damage() => None,
            document => document?,
        };
        let Some(document) = document else {
            return Ok(true);
        };
        let found = match kind.inspect(&inspect, item, &document).await {
            Err(error) if error.is_fatal() => return Err(error.into()),
            // Nothing is known then, and the restore says why.
            Err(_) => return Ok(true),
            Ok(found) => found,
        };
        for reference in found.references {
            let Some(place) = cx.service.kind(reference.kind).map(Kind::spec) else {
                continue;
            };
            let container = outer.iter().find(|spec| place.parent == Some(spec.name));
            if let Some(container) = container
                && let inside = self.inside(cx, place, container).await?
                && inside.contains(&reference.to.to_lowercase())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn inside(
        &mut self,
        cx: &PlanContext<'_>,
        place: &'static KindSpec,
        container: &KindSpec,
    ) -> Result<&HashSet<String>> {
        if !self.inside.contains_key(place.name) {
            let mut inside = HashSet::new();
            // What cannot be read was told of when the containers were looked for.
            for scope in cx.stored.readable_ids(container.name, "").await?.0 {
                let (ids, _) = cx.stored.readable_ids(place.name, &scope).await?;
                inside.extend(ids.into_iter().map(|id| id.to_lowercase()));
            }
            self.inside.insert(place.name, inside);
        }
        Ok(self.inside.entry(place.name).or_default())
    }
}

/// Asks the target once.
async fn containers(
    cx: &PlanContext<'_>,
    spec: &'static KindSpec,
) -> Result<Option<HashSet<String>>> {
    let Some(kind) = cx.service.kind(spec.name) else {
        return Ok(None);
    };
    let there = match kind.list(cx.http).await {
        Ok(Some(there)) => there,
        Err(error) if error.is_fatal() => return Err(error.into()),
        Ok(None) | Err(_) => return Ok(None),
    };
    let mut known: HashSet<String> = there
        .into_iter()
        .flat_map(|(id, name)| [id.to_lowercase(), name.to_lowercase()])
        .collect();
    let (ids, unreadable) = cx.stored.readable_ids(spec.name, "").await?;
    if !unreadable.is_empty() {
        return Ok(None);
    }
    for id in ids {
        let item = ItemRef::new(spec.name, "", &id);
        match describe(cx, kind, &item).await {
            // It may have any name.
            Err(error) if error.is_damage() => return Ok(None),
            name => _ = known.insert(name?.to_lowercase()),
        }
        known.insert(id.to_lowercase());
    }
    Ok(Some(known))
}
