//! One snapshot as documents whose ids are replaced by natural names.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use engine::SnapshotReader;
use engine::layout::Layouts;
use futures::StreamExt as _;
use model::ItemRef;
use serde_json::{Map, Value, json};
use service::{Layout, PartInfo, Service, Stored as _};
use sha2::{Digest as _, Sha256};

use super::Pairs;
use crate::commands::demo::compare::Names;
use crate::failure::Failure;

/// Larger parts that are neither documents nor lines are compared by their hash.
const TEXT: u64 = 64 << 10;
/// The kind whose items are named by number, in the addresses of links.
const NUMBERED: &str = "work-item";

pub(in super::super) struct Side {
    reader: SnapshotReader,
    service: &'static Service,
    names: Names,
    /// What people call an item, by kind and id.
    called: HashMap<(String, String), String>,
}

impl Side {
    /// Reads what gives things their names. `pairs` says which item of the other snapshot an item of this one was made from.
    pub(in super::super) async fn read(
        reader: SnapshotReader,
        service: &'static Service,
        organization: &str,
        pairs: Option<&Pairs>,
    ) -> Result<Self, Failure> {
        let mut guids = HashMap::new();
        let mut called = HashMap::new();
        let mut items = HashMap::new();
        let mut scopes: HashMap<String, String> = HashMap::new();
        for kind in service.kinds {
            let spec = kind.spec();
            if !matches!(spec.layout, Layout::Item { .. }) {
                continue;
            }
            for item in all(&reader, service, spec.name).await? {
                if spec.name == NUMBERED {
                    files(&reader, service, &item, &mut guids).await?;
                    continue;
                }
                let Some(document) = reader.document(&item).await? else {
                    continue;
                };
                let document: Value = parse(&item, &document)?;
                let name = name(&document, scopes.get(&item.scope));
                if item.scope.is_empty() {
                    scopes.insert(item.id.clone(), name.clone());
                }
                for member in ["id", "identifier"] {
                    if let Some(id) = document[member].as_str() {
                        guids.insert(id.to_lowercase(), format!("{}:{name}", spec.name));
                    }
                }
                called.insert((spec.name.to_owned(), item.id.clone()), name);
            }
        }
        match pairs {
            Some(pairs) => {
                for ((_, old), new) in pairs.of_kind(NUMBERED) {
                    items.extend(new.parse().ok().map(|new| (new, format!("#{old}"))));
                }
            }
            None => {
                for id in reader.ids(NUMBERED, "").await? {
                    items.extend(id.parse().ok().map(|number| (number, format!("#{id}"))));
                }
            }
        }
        Ok(Self {
            names: Names::new(guids, items, organization),
            reader,
            service,
            called,
        })
    }

    /// All items of a kind.
    pub(super) async fn all(&self, kind: &str) -> Result<Vec<ItemRef>, Failure> {
        all(&self.reader, self.service, kind).await
    }

    pub(super) fn called(&self, item: &ItemRef) -> String {
        let name = self.called.get(&(item.kind.clone(), item.id.clone()));
        name.cloned().unwrap_or_else(|| {
            let number = item.id.parse().ok();
            number
                .and_then(|number| self.names.item(number))
                .unwrap_or_else(|| item.id.clone())
        })
    }

    /// `{"document", "parts"}`, or `None` when the snapshot does not have the item.
    pub(super) async fn view(&self, item: &ItemRef) -> Result<Option<Value>, Failure> {
        let Some(document) = self.reader.document(item).await? else {
            return Ok(None);
        };
        let mut document = parse(item, &document)?;
        self.links(&mut document);
        let name = match self.service.kind(&item.kind).map(|kind| kind.spec().layout) {
            Some(Layout::Item { document, .. }) => document,
            _ => "",
        };
        let mut parts = Map::new();
        for part in self.reader.parts(item).await? {
            if part.name == name || self.is_counted_elsewhere(item, &part.name) {
                continue;
            }
            let value = self.part(item, &part).await?;
            parts.insert(part.name, value);
        }
        let mut value = json!({"document": document, "parts": parts});
        self.names.rename(&mut value);
        Ok(Some(value))
    }

    /// How many items of other kinds the item's parts are.
    pub(super) async fn parts(&self, item: &ItemRef) -> Result<Vec<(&'static str, u64)>, Failure> {
        let mut counts = Vec::new();
        let own = |with: Option<&str>| with == Some(item.kind.as_str());
        for spec in self.service.kinds.iter().map(|kind| kind.spec()) {
            match spec.layout {
                Layout::Lines { part } if own(spec.with) => {
                    let lines = self.reader.part(item, part).await?.unwrap_or_default();
                    counts.push((spec.name, records(&lines).count() as u64));
                }
                Layout::Files { folder } if own(spec.with) => {
                    let parts = self.reader.parts(item).await?;
                    let files = parts
                        .iter()
                        .filter(|part| below(&part.name, folder))
                        .count();
                    counts.push((spec.name, files as u64));
                }
                _ => {}
            }
        }
        Ok(counts)
    }

    /// Files have names that are their hashes, and are compared where something refers to them. The objects of a git repository are proved to be
    /// whole, and their names are their hashes too.
    fn is_counted_elsewhere(&self, item: &ItemRef, part: &str) -> bool {
        let specs = self.service.kinds.iter().map(|kind| kind.spec());
        let mut folders = specs
            .filter(|spec| spec.with == Some(item.kind.as_str()))
            .filter_map(|spec| match spec.layout {
                Layout::Files { folder } => Some(folder),
                _ => None,
            });
        folders.any(|folder| below(part, folder)) || below(part, "objects")
    }

    async fn part(&self, item: &ItemRef, part: &PartInfo) -> Result<Value, Failure> {
        let lines = ends_in(&part.name, "ndjson");
        if !lines && !ends_in(&part.name, "json") && part.size > TEXT {
            let bytes = self.hash(item, &part.name).await?;
            return Ok(json!({"sha256": bytes, "size": part.size}));
        }
        let bytes = self
            .reader
            .part(item, &part.name)
            .await?
            .unwrap_or_default();
        if lines {
            return records(&bytes)
                .map(|line| parse(item, line))
                .collect::<Result<Vec<Value>, _>>()
                .map(Value::Array);
        }
        if ends_in(&part.name, "json") {
            return parse(item, &bytes);
        }
        if part.name == "packed-refs" {
            return Ok(refs(&bytes));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned().into())
    }

    async fn hash(&self, item: &ItemRef, part: &str) -> Result<String, Failure> {
        hash(&self.reader, self.service, item, part).await
    }

    /// Links between items are named by the items, and have no order.
    fn links(&self, document: &mut Value) {
        let relations = document.get_mut("relations");
        let Some(relations) = relations.and_then(Value::as_array_mut) else {
            return;
        };
        for relation in relations.iter_mut() {
            let number = relation["url"]
                .as_str()
                .and_then(|url| url.rsplit_once('/'))
                .filter(|(before, _)| before.to_lowercase().ends_with("/workitems"))
                .and_then(|(_, id)| id.parse().ok());
            if let Some(number) = number {
                let name = self.names.item(number);
                relation["url"] = name
                    .unwrap_or_else(|| "an item that is not here".to_owned())
                    .into();
            }
            self.names.rename(relation);
        }
        relations.sort_by_cached_key(|relation| {
            (
                relation["rel"].to_string(),
                relation["url"].to_string(),
                relation.to_string(),
            )
        });
    }
}

/// The lines of a file of lines.
fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
}

fn ends_in(part: &str, ending: &str) -> bool {
    Path::new(part).extension().is_some_and(|own| own == ending)
}

fn below(part: &str, folder: &str) -> bool {
    part.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn parse(item: &ItemRef, bytes: &[u8]) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(bytes).with_context(|| format!("{item}: a document is not JSON"))?)
}

/// `path` of a node, else `name`, behind that of what it lies in.
fn name(document: &Value, scope: Option<&String>) -> String {
    let own = document["path"]
        .as_str()
        .or_else(|| document["name"].as_str())
        .unwrap_or_default();
    let container = scope
        .map(String::as_str)
        .or_else(|| document["project"]["name"].as_str());
    match container {
        Some(container) if document["path"].is_null() => format!("{container}/{own}"),
        _ => own.to_owned(),
    }
}

/// Ref → object.
fn refs(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let refs = text
        .lines()
        .filter(|line| !line.starts_with(['#', '^']))
        .filter_map(|line| line.split_once(' '))
        .map(|(id, name)| (name.to_owned(), Value::from(id)));
    Value::Object(refs.collect())
}

async fn all(
    reader: &SnapshotReader,
    service: &'static Service,
    kind: &str,
) -> Result<Vec<ItemRef>, Failure> {
    let parent = service.kind(kind).and_then(|kind| kind.spec().parent);
    let mut scopes = vec![String::new()];
    if let Some(parent) = parent {
        scopes.extend(reader.ids(parent, "").await?);
    }
    let mut items = Vec::new();
    for scope in scopes {
        let ids = reader.ids(kind, &scope).await?;
        items.extend(ids.iter().map(|id| ItemRef::new(kind, &scope, id)));
    }
    Ok(items)
}

/// Names the files of an item by their hashes.
async fn files(
    reader: &SnapshotReader,
    service: &'static Service,
    item: &ItemRef,
    names: &mut HashMap<String, String>,
) -> Result<(), Failure> {
    for part in reader.parts(item).await? {
        if let Some(guid) = part.name.strip_prefix("attachments/") {
            let hash = hash(reader, service, item, &part.name).await?;
            names.insert(guid.to_lowercase(), format!("attachment:{hash}"));
        }
    }
    Ok(())
}

async fn hash(
    reader: &SnapshotReader,
    service: &'static Service,
    item: &ItemRef,
    part: &str,
) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    let path = Layouts::new(service).path(item);
    let node = reader
        .node(&format!("{}/{part}", path.unwrap_or_default()))
        .await?
        .with_context(|| format!("{item} has no {part}"))?;
    let mut pieces = std::pin::pin!(reader.repository().stream(&node));
    while let Some(piece) = pieces.next().await {
        hash.update(&piece?);
    }
    Ok(hex::encode(hash.finalize()))
}
