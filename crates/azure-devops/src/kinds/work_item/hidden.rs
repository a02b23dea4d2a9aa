//! Items that are neither live nor in the recycle bin: gone, or only hidden from the identity. Made again, a hidden one would be there twice.

use std::collections::{BTreeMap, BTreeSet};

use model::{Class, ItemRef};
use serde::Deserialize;
use service::{Error, Result, StoredItem, Target};

use crate::api::{self, RIGHTS_AT_ONCE, Right};
use crate::kinds::absent::ITEMS_READ;
use crate::kinds::node::{AREA, paths};
use crate::kinds::parts;
use crate::kinds::project::PROJECT;
use crate::kinds::work_item::{REVISIONS, history};
use crate::raw::Number;

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
    id: Number,
    identifier: String,
    path: String,
}

/// Areas of the snapshot that are at the target; paths are in lower case.
#[derive(Default)]
struct Areas {
    /// By the path.
    identifiers: BTreeMap<String, String>,
    /// By the id.
    paths: BTreeMap<String, String>,
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
        let token = match areas.token(&placed.fields.area) {
            // It was renamed since the item's last revision.
            None => areas.token(&today(cx, &item.item, &areas).await?),
            token => token,
        };
        if let Some(token) = token {
            wanted.entry(token).or_default().push(&item.item);
        }
    }
    let tokens: Vec<&String> = wanted.keys().collect();
    let mut hidden: BTreeSet<&ItemRef> = BTreeSet::new();
    for tokens in tokens.chunks(RIGHTS_AT_ONCE) {
        let rights: Vec<Right<'_>> = tokens.iter().map(|token| (ITEMS_READ, &***token)).collect();
        let allowed = api::evaluated(cx.http, &rights, false).await?;
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

/// The path that the snapshot has of the area of an item, whatever the item says; empty where the area is not at the target. Fails where
/// nothing tells which area it is.
async fn today(cx: &Target<'_>, item: &ItemRef, areas: &Areas) -> Result<String> {
    let records = cx.stored.part(item, REVISIONS).await?.unwrap_or_default();
    let revisions = history::read_all(&records)?;
    let Some(last) = revisions.last() else {
        let message = format!(
            "{item} may be there, and hidden from this identity: the snapshot has no revisions of it, which tell its area"
        );
        return Err(Error::new(Class::Malformed, "repository-damaged", message));
    };
    let area = last.filed.node(AREA);
    let path = area.and_then(|id| areas.paths.get(id));
    Ok(path.cloned().unwrap_or_default())
}

async fn areas(cx: &Target<'_>) -> Result<Areas> {
    let mut areas = Areas::default();
    for project in cx.stored.ids(PROJECT, "").await? {
        for id in cx.stored.ids(AREA, &project).await? {
            if cx.ids.get(AREA, &id).is_none() || cx.ids.get(PROJECT, &project).is_none() {
                continue;
            }
            let item = ItemRef::new(AREA, &project, &id);
            let document = parts::document(cx.stored, &item).await?;
            let area: Area = parts::read(&item, &document)?;
            let path = paths::in_fields(&area.path).to_lowercase();
            areas.paths.insert(area.id.0.to_string(), path.clone());
            areas.identifiers.insert(path, area.identifier);
        }
    }
    Ok(areas)
}

impl Areas {
    /// Each node from the root on; `None` unless all are known.
    fn token(&self, path: &str) -> Option<String> {
        let path = path.to_lowercase();
        let ends = path.match_indices('\\').map(|(at, _)| at);
        let nodes = ends.chain([path.len()]).map(|end| {
            let identifier = self.identifiers.get(&path[..end])?;
            Some(format!("vstfs:///Classification/Node/{identifier}"))
        });
        let nodes: Option<Vec<String>> = nodes.collect();
        nodes.map(|nodes| nodes.join(":"))
    }
}
