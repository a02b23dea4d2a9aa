//! Work items at the target: by their known id, in the recycle bin, or (for a write that was interrupted) by what was written.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service::http::Method;
use service::{Client, Error, Found, FoundState, Result, StoredItem, Target};

use super::history::{CREATED_DATE, Revision, TITLE, TYPE};
use super::restore::Place;
use super::restore::check::Source;
use super::verify::same_moment;
use super::{REVISIONS, WORK_ITEM, batch, hidden};
use crate::api::{self, DEV, Paging, STABLE};
use crate::kinds::parts;
use crate::raw::{self, Number};

const ID: &str = "System.Id";
/// Stored documents that are read side by side.
const READERS: usize = 8;

#[derive(Deserialize)]
struct Named {
    id: Number,
}

#[derive(Deserialize)]
struct Rows {
    #[serde(rename = "workItems")]
    items: Vec<Named>,
}

/// The members of a list of work items with holes that are needed.
fn read<T: DeserializeOwned>(values: Vec<&serde_json::value::RawValue>) -> Result<Vec<T>> {
    let named = |value: &&serde_json::value::RawValue| value.get() != "null";
    values
        .into_iter()
        .filter(named)
        .map(|value| serde_json::from_str(value.get()))
        .collect::<Result<_, _>>()
        .map_err(|error| Error::malformed(format!("work items: {error}")))
}

fn ids(values: Vec<&serde_json::value::RawValue>) -> Result<BTreeSet<u32>> {
    let named: Vec<Named> = read(values)?;
    Ok(named.into_iter().map(|named| named.id.0).collect())
}

/// The fields of what is there, which may be none but the number: documents are not needed to know that an item is there.
async fn present<T: DeserializeOwned>(
    http: &Client,
    wanted: &[u32],
    fields: &[&str],
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for chunk in wanted.chunks(batch::AT_ONCE) {
        let body = serde_json::json!({ "ids": chunk, "fields": fields, "errorPolicy": "omit" });
        let call = http
            .call(Method::POST, DEV, "/_apis/wit/workitemsbatch")
            .version(STABLE)
            .json(&body)
            .safe();
        if let Some(answer) = parts::there(call.send().await)? {
            found.extend(read::<T>(answer.values()?)?);
        }
    }
    Ok(found)
}

pub(super) async fn revisions(
    cx: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Option<String>>> {
    #[derive(Deserialize)]
    struct Revised {
        id: Number,
        rev: Number,
    }
    let wanted: Vec<u32> = items.iter().filter_map(|item| known(cx, item)).collect();
    let found: Vec<Revised> = present(cx.http, &wanted, &[ID]).await?;
    let found: HashMap<u32, u32> = found.iter().map(|one| (one.id.0, one.rev.0)).collect();
    let revision = |item| Some(found.get(&known(cx, item)?)?.to_string());
    Ok(items.iter().map(revision).collect())
}

/// The id at the target that is known of an item.
fn known(cx: &Target<'_>, item: &StoredItem) -> Option<u32> {
    let id = item.new_id.clone();
    id.or_else(|| cx.ids.get(WORK_ITEM, &item.item.id))?
        .parse()
        .ok()
}

pub(super) async fn find(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
    let wanted: Vec<u32> = items.iter().filter_map(|item| known(cx, item)).collect();
    let live: Vec<Named> = present(cx.http, &wanted, &[ID]).await?;
    let live: BTreeSet<u32> = live.into_iter().map(|named| named.id.0).collect();
    let bin = if wanted.iter().all(|id| live.contains(id)) {
        BTreeSet::new()
    } else {
        let bin = "/_apis/wit/recyclebin";
        ids(api::pages(cx.http, bin, STABLE, Paging::Whole, &[])
            .await?
            .values()?)?
    };
    if cx.original {
        let is_gone = |item: &&StoredItem| {
            let id = known(cx, item).or_else(|| item.item.id.parse().ok());
            !item.open_intent && id.is_some_and(|id| !live.contains(&id) && !bin.contains(&id))
        };
        let gone: Vec<&StoredItem> = items.iter().filter(is_gone).collect();
        hidden::refuse(cx, &gone, items.len()).await?;
    }
    let state = |id: &u32| {
        let deleted = || bin.contains(id).then_some(FoundState::Deleted);
        let present = live.contains(id).then_some(FoundState::Present);
        present.or_else(deleted)
    };
    let mut unnoted = Unnoted::default();
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let seen = known(cx, item).and_then(|id| Some((id, state(&id)?)));
        let seen = match seen {
            None if item.open_intent => {
                let id = unnoted.take(cx, item).await?;
                id.map(|id| (id, FoundState::Present))
            }
            seen => seen,
        };
        all.push(seen.map(|(id, state)| Found {
            id: id.to_string(),
            state,
        }));
    }
    Ok(all)
}

/// The number alone does not tell: an organization that was made anew gives the same ones to others. No write but that of a restore moves the
/// moment of creation.
pub(super) async fn recognize(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<bool>> {
    #[derive(Deserialize)]
    struct Dated {
        id: Number,
        fields: Fields,
    }
    #[derive(Deserialize)]
    struct Fields {
        #[serde(rename = "System.CreatedDate")]
        created: Option<String>,
    }
    let number = |item: &StoredItem| -> Option<u32> { item.new_id.as_deref()?.parse().ok() };
    let wanted: Vec<u32> = items.iter().filter_map(number).collect();
    let found: Vec<Dated> = present(cx.http, &wanted, &[ID, CREATED_DATE]).await?;
    let found: HashMap<u32, Option<String>> = found
        .into_iter()
        .map(|one| (one.id.0, one.fields.created))
        .collect();
    let open: Vec<_> = items
        .iter()
        .map(|item| {
            let there = number(item).and_then(|id| found.get(&id));
            async move {
                let Some(there) = there else {
                    return Ok(false);
                };
                let stored = created(cx, item).await?;
                Ok::<_, Error>(stored.is_some() && same_moment(stored.as_deref(), there.as_deref()))
            }
        })
        .collect();
    stream::iter(open).buffered(READERS).try_collect().await
}

/// When the stored item was made.
async fn created(cx: &Target<'_>, item: &StoredItem) -> Result<Option<String>> {
    let document = parts::document(cx.stored, &item.item).await?;
    let document = std::str::from_utf8(&document)
        .map_err(|_| Error::malformed(format!("{}: its stored document is not text", item.item)))?;
    Ok(Revision::read(document)?.created)
}

/// Looks for what an interrupted restore made and could not note. Nothing is asked before it is needed.
#[derive(Default)]
struct Unnoted<'a> {
    place: Option<Place<'a>>,
    /// Ids that stand for items already.
    taken: Option<HashSet<u32>>,
}

impl<'a> Unnoted<'a> {
    async fn take(&mut self, cx: &'a Target<'a>, item: &StoredItem) -> Result<Option<u32>> {
        let place = match self.place.take() {
            Some(place) => place,
            None => Place::load(cx).await?,
        };
        let candidates = written(cx, self.place.insert(place), item).await?;
        if candidates.is_empty() {
            return Ok(None);
        }
        let mut taken = match self.taken.take() {
            Some(taken) => taken,
            None => mapped(cx).await?,
        };
        let free = candidates
            .into_iter()
            .find(|id| !cx.ids.is_of_another(WORK_ITEM, &id.to_string()) && taken.insert(*id));
        self.taken = Some(taken);
        Ok(free)
    }
}

/// Ids at the target that stand for items of the snapshot already.
async fn mapped(cx: &Target<'_>) -> Result<HashSet<u32>> {
    let old = cx.stored.ids(WORK_ITEM, "").await?;
    Ok(old
        .iter()
        .filter_map(|old| cx.ids.get(WORK_ITEM, old)?.parse().ok())
        .collect())
}

/// Items that the first write of this one could have made: same project, type, title and exact moment of creation.
async fn written(cx: &Target<'_>, place: &Place<'_>, item: &StoredItem) -> Result<Vec<u32>> {
    let records = cx
        .stored
        .part(&item.item, REVISIONS)
        .await?
        .unwrap_or_default();
    let Some(first) = raw::lines(&records).next() else {
        return Ok(Vec::new());
    };
    let first = Revision::read(first?)?;
    // It was written into today's project, whichever the first revision was in.
    let source = Source::read(cx.stored, item).await?;
    let (Ok(project), Some(created)) = (place.home(&source), first.created.as_deref()) else {
        return Ok(Vec::new());
    };
    let query = wiql(&project.name, first.text(TYPE), created, first.text(TITLE));
    let call = cx
        .http
        .call(Method::POST, DEV, "/_apis/wit/wiql")
        .version(STABLE)
        .query("timePrecision", "true");
    let answer = call
        .json(&serde_json::json!({ "query": query }))
        .safe()
        .send()
        .await?;
    Ok(answer
        .json::<Rows>()?
        .items
        .into_iter()
        .map(|row| row.id.0)
        .collect())
}

fn wiql(project: &str, kind: &str, created: &str, title: &str) -> String {
    let quoted = |text: &str| text.replace('\'', "''");
    format!(
        "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = '{}' AND [{TYPE}] = '{}' AND [{CREATED_DATE}] = '{}' AND [{TITLE}] = '{}'",
        quoted(project),
        quoted(kind),
        quoted(created),
        quoted(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_leave_its_quotes() {
        let query = wiql(
            "P",
            "Task",
            "2026-01-01T00:00:00.5Z",
            "it's' OR [System.Id] > '0",
        );
        assert!(
            query.ends_with("[System.Title] = 'it''s'' OR [System.Id] > ''0'"),
            "{query}"
        );
    }
}
