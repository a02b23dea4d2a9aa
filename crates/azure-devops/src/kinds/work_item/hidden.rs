//! Items that are neither live nor in the recycle bin: gone, or only hidden from the identity. Made again, a hidden one would be there twice.

use std::collections::{BTreeMap, BTreeSet};

use model::{Class, ItemRef};
use serde::Deserialize;
use service::{Error, Result, StoredItem, Target};

use crate::kinds::absent::{self, ITEMS_READ, Right};
use crate::kinds::node::{AREA, paths};
use crate::kinds::parts;
use crate::kinds::project::PROJECT;

#[derive(Deserialize)]
struct Placed {
    fields: Place,
}

#[derive(Deserialize)]
struct Place {
    #[serde(default, rename = "System.AreaPath")]
    area: String,
}

#[derive(Deserialize)]
struct Area {
    identifier: String,
    path: String,
}

/// Fails if the identity may not view work items where one of these was: nothing is known of it then.
pub(super) async fn refuse(cx: &Target<'_>, gone: &[&StoredItem], looked_for: usize) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let areas = areas(cx).await?;
    let mut wanted: BTreeMap<String, Vec<&ItemRef>> = BTreeMap::new();
    for item in gone {
        let document = parts::document(cx.stored, &item.item).await?;
        let placed: Placed = parts::read(&item.item, &document)?;
        if let Some(token) = token(&areas, &placed.fields.area) {
            wanted.entry(token).or_default().push(&item.item);
        }
    }
    let tokens: Vec<&String> = wanted.keys().collect();
    let mut hidden: BTreeSet<&ItemRef> = BTreeSet::new();
    for tokens in tokens.chunks(absent::AT_ONCE) {
        let rights: Vec<Right<'_>> = tokens.iter().map(|token| (ITEMS_READ, &***token)).collect();
        let allowed = absent::evaluated(cx.http, &rights).await?;
        let denied = tokens.iter().zip(allowed).filter(|(_, allowed)| !allowed);
        hidden.extend(denied.flat_map(|(token, _)| &wanted[*token]).copied());
    }
    let Some(first) = hidden.first() else {
        return Ok(());
    };
    // The others can be told apart one by one, unless there are none.
    let class = if hidden.len() == looked_for {
        Class::Permission
    } else {
        Class::Missing
    };
    let message =
        format!("{first} may be there: this identity may not view work items in its area");
    Err(Error::new(class, "permission-missing", message))
}

/// The identifiers of the areas of the snapshot that are at the target, by their paths in lower case.
async fn areas(cx: &Target<'_>) -> Result<BTreeMap<String, String>> {
    let mut areas = BTreeMap::new();
    for project in cx.stored.ids(PROJECT, "").await? {
        for id in cx.stored.ids(AREA, &project).await? {
            if cx.ids.get(AREA, &id).is_none() || cx.ids.get(PROJECT, &project).is_none() {
                continue;
            }
            let item = ItemRef::new(AREA, &project, &id);
            let document = parts::document(cx.stored, &item).await?;
            let area: Area = parts::read(&item, &document)?;
            areas.insert(paths::in_fields(&area.path).to_lowercase(), area.identifier);
        }
    }
    Ok(areas)
}

/// Each node from the root on; `None` unless all are known.
fn token(areas: &BTreeMap<String, String>, path: &str) -> Option<String> {
    let path = path.to_lowercase();
    let ends = path.match_indices('\\').map(|(at, _)| at);
    let nodes = ends.chain([path.len()]).map(|end| {
        let identifier = areas.get(&path[..end])?;
        Some(format!("vstfs:///Classification/Node/{identifier}"))
    });
    let nodes: Option<Vec<String>> = nodes.collect();
    nodes.map(|nodes| nodes.join(":"))
}
