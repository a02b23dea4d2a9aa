//! A snapshot in memory.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use model::{Class, ItemRef};
use service::{Error, PartInfo, Result, Stored, Unreadable};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

#[derive(Clone, Default)]
pub(crate) struct MapSnapshot(BTreeMap<ItemRef, BTreeMap<String, Bytes>>, Damage);

/// What of it cannot be read.
#[derive(Clone, Default)]
struct Damage {
    /// Folders, each with the kind and the scope of what lies in it.
    folders: Vec<(String, String, String)>,
    documents: BTreeSet<ItemRef>,
}

impl MapSnapshot {
    /// Two projects with a team of their own and the default team, a record, and things in them that link to each other.
    pub(crate) fn contoso(things: usize) -> Self {
        let mut snapshot = Self::default();
        for project in ["p1", "p2"] {
            let name = if project == "p1" {
                "Contoso"
            } else {
                "Fabrikam"
            };
            snapshot.put(
                "project",
                "",
                project,
                &format!(r#"{{"name":"{name}","body":"about {name}"}}"#),
            );
            snapshot.put(
                "team",
                project,
                &format!("{project}-default"),
                &format!(r#"{{"name":"{name} Team","body":"default"}}"#),
            );
            snapshot.put(
                "team",
                project,
                &format!("{project}-blue"),
                r#"{"name":"Blue","body":"blue"}"#,
            );
            snapshot.put(
                "record",
                project,
                &format!("{project}-record"),
                r#"{"name":"Record"}"#,
            );
        }
        for number in 1..=things {
            let project = if number % 2 == 1 {
                "Contoso"
            } else {
                "Fabrikam"
            };
            let other = number % things + 1;
            let document = format!(
                r#"{{"name":"thing {number}","body":"body {number}","team-project":"{project}","links":["{other}"]}}"#
            );
            snapshot.put("thing", "", &number.to_string(), &document);
        }
        snapshot
    }

    /// A folder of items of this kind is damaged: nobody can tell that there are these.
    pub(crate) fn lose(&mut self, folder: &str, kind: &str, scope: &str, ids: &[&str]) {
        for id in ids {
            self.0.remove(&ItemRef::new(kind, scope, id)).unwrap();
        }
        let lost = (folder.to_owned(), kind.to_owned(), scope.to_owned());
        self.1.folders.push(lost);
    }

    /// The document of an item is damaged.
    pub(crate) fn damage(&mut self, kind: &str, scope: &str, id: &str) {
        self.1.documents.insert(ItemRef::new(kind, scope, id));
    }

    pub(crate) fn put(&mut self, kind: &str, scope: &str, id: &str, document: &str) {
        self.part(kind, scope, id, "document.json", document);
    }

    pub(crate) fn part(&mut self, kind: &str, scope: &str, id: &str, part: &str, text: &str) {
        let parts = self.0.entry(ItemRef::new(kind, scope, id)).or_default();
        parts.insert(part.to_owned(), Bytes::copy_from_slice(text.as_bytes()));
    }
}

fn damaged(what: &str) -> Error {
    let message = format!("{what} is damaged");
    Error::new(Class::Malformed, "repository-damaged", message)
}

#[async_trait]
impl Stored for MapSnapshot {
    async fn ids(&self, kind: &str, scope: &str) -> Result<Vec<String>> {
        match self.readable_ids(kind, scope).await? {
            (ids, lost) if lost.is_empty() => Ok(ids),
            (_, lost) => Err(damaged(&lost[0].folder)),
        }
    }

    async fn readable_ids(
        &self,
        kind: &str,
        scope: &str,
    ) -> Result<(Vec<String>, Vec<Unreadable>)> {
        let own = self.0.keys();
        let own = own.filter(|item| item.kind == kind && item.scope == scope);
        let lost = self.1.folders.iter();
        let lost = lost.filter(|(_, of, within)| of == kind && within == scope);
        let lost = lost.map(|(folder, ..)| Unreadable {
            folder: folder.clone(),
            why: "tree blob 0a1b is damaged".to_owned(),
        });
        Ok((own.map(|item| item.id.clone()).collect(), lost.collect()))
    }

    async fn document(&self, item: &ItemRef) -> Result<Option<Bytes>> {
        self.part(item, "document.json").await
    }

    async fn parts(&self, item: &ItemRef) -> Result<Vec<PartInfo>> {
        let parts = self.0.get(item).into_iter().flatten();
        Ok(parts
            .map(|(name, bytes)| PartInfo {
                name: name.clone(),
                size: bytes.len() as u64,
            })
            .collect())
    }

    async fn part(&self, item: &ItemRef, part: &str) -> Result<Option<Bytes>> {
        if part == "document.json" && self.1.documents.contains(item) {
            return Err(damaged("data blob 2c3d"));
        }
        Ok(self.0.get(item).and_then(|parts| parts.get(part)).cloned())
    }

    async fn copy(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64> {
        let bytes = Stored::part(self, item, part)
            .await?
            .ok_or_else(|| Error::storage("no such part"))?;
        to.write_all(&bytes)
            .await
            .map_err(|error| Error::storage(error.to_string()))?;
        Ok(bytes.len() as u64)
    }
}
