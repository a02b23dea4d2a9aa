//! A snapshot in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use model::ItemRef;
use service::{Error, PartInfo, Result, Stored};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

#[derive(Clone, Default)]
pub(crate) struct MapSnapshot(BTreeMap<ItemRef, BTreeMap<String, Bytes>>);

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

    pub(crate) fn put(&mut self, kind: &str, scope: &str, id: &str, document: &str) {
        self.part(kind, scope, id, "document.json", document);
    }

    pub(crate) fn part(&mut self, kind: &str, scope: &str, id: &str, part: &str, text: &str) {
        let parts = self.0.entry(ItemRef::new(kind, scope, id)).or_default();
        parts.insert(part.to_owned(), Bytes::copy_from_slice(text.as_bytes()));
    }
}

#[async_trait]
impl Stored for MapSnapshot {
    async fn ids(&self, kind: &str, scope: &str) -> Result<Vec<String>> {
        Ok(self
            .0
            .keys()
            .filter(|item| item.kind == kind && item.scope == scope)
            .map(|item| item.id.clone())
            .collect())
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
