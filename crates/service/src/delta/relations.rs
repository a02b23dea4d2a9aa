//! Lists within items, put together from the pieces that a round gives.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use model::ItemRef;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::document::{is_removed, members};
use super::{DeltaKind, Relation};
use crate::json::{Members, text_at};
use crate::{Crawl, Error, Result};

/// What one list of one item became: each record as it came, or none where it was taken out.
type Changes = BTreeMap<String, Option<String>>;

/// By item, the changes of each of the kind's relations.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Relations(BTreeMap<String, Vec<Changes>>);

impl Relations {
    /// Takes up the pieces in an item. Later ones win over earlier ones.
    pub(super) fn take(&mut self, kind: &DeltaKind, id: &str, item: &Members<'_>) -> Result<()> {
        for (position, relation) in kind.relations.iter().enumerate() {
            let Some(piece) = item.get(relation.member) else {
                continue;
            };
            let records: Vec<&RawValue> = serde_json::from_str(piece.get())
                .map_err(|error| Error::malformed(format!("{}: {error}", relation.member)))?;
            let own = self.0.entry(id.to_owned()).or_default();
            own.resize_with(kind.relations.len(), Changes::new);
            for record in records {
                let Some(other) = text_at(record, "/id") else {
                    return Err(Error::malformed(format!(
                        "{}: a record without an id",
                        relation.member
                    )));
                };
                let removed = is_removed(&members(record)?);
                let kept = (!removed).then(|| one_line(record.get()));
                own[position].insert(other.into_owned(), kept);
            }
        }
        Ok(())
    }

    /// Only of these.
    pub(super) fn keep(&mut self, ids: &BTreeSet<String>) {
        self.0.retain(|id, _| ids.contains(id));
    }

    /// The item is gone, and its lists with it.
    pub(super) fn forget(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Sends the lists that changed. In a complete crawl an item without any record has an empty list, whatever it was before.
    pub(super) async fn send(&self, kind: &DeltaKind, cx: &Crawl<'_>, ids: &[&str]) -> Result<()> {
        static NONE: Vec<Changes> = Vec::new();
        for id in ids {
            let item = ItemRef::new(kind.spec.name, "", id);
            let own = self.0.get(*id).unwrap_or(&NONE);
            for (position, relation) in kind.relations.iter().enumerate() {
                send_one(cx, &item, relation, own.get(position)).await?;
            }
        }
        Ok(())
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

async fn send_one(
    cx: &Crawl<'_>,
    item: &ItemRef,
    relation: &Relation,
    changes: Option<&Changes>,
) -> Result<()> {
    let complete = cx.cursor.is_none();
    let none = Changes::new();
    let changes = changes.unwrap_or(&none);
    if changes.is_empty() && !complete {
        return Ok(());
    }
    let before = match cx.prior.part(item, relation.file).await {
        Err(error) if error.is_damage() && complete => Before::Damaged,
        Err(error) if error.is_damage() => return Err(anew(item, relation, &error.message)),
        part => part?.map_or(Before::Nothing, Before::List),
    };
    let mut records = match &before {
        Before::List(list) if !complete => {
            stored(list).map_err(|why| anew(item, relation, &why))?
        }
        _ => BTreeMap::new(),
    };
    for (id, record) in changes {
        match record {
            Some(record) => records.insert(id.clone(), record.clone()),
            None => records.remove(id),
        };
    }
    let mut bytes = Vec::new();
    for record in records.values() {
        bytes.extend_from_slice(record.as_bytes());
        bytes.push(b'\n');
    }
    match before {
        Before::List(before) if before == bytes => Ok(()),
        Before::Nothing if bytes.is_empty() => Ok(()),
        _ if bytes.is_empty() => cx.sink.remove_part(item, relation.file).await,
        _ => cx.sink.part(item, relation.file, &bytes).await,
    }
}

/// A list as the snapshot before has it.
enum Before {
    Nothing,
    List(Bytes),
    Damaged,
}

/// The records of a stored list by their ids, or why it is none.
fn stored(list: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let lines = list.split(|byte| *byte == b'\n');
    let record = |line: &[u8]| {
        let record: &RawValue = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let id = text_at(record, "/id").ok_or("a record has no id")?;
        Ok((id.into_owned(), record.get().to_owned()))
    };
    lines.filter(|line| !line.is_empty()).map(record).collect()
}

/// What was added and removed says nothing without the list that it was added to: everything is listed anew.
fn anew(item: &ItemRef, relation: &Relation, why: &str) -> Error {
    Error::cursor_expired(format!(
        "{item}: the stored {} is damaged: {why}",
        relation.file
    ))
}

/// Within JSON a line break can only stand between tokens, where a space means the same.
fn one_line(record: &str) -> String {
    record.replace(['\n', '\r'], " ")
}
