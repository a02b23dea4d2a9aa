//! Crawling a table kind: the whole list each time, and the parts of each item.

use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use model::{Class, ItemRef};
use serde_json::value::RawValue;

use super::{Pages, PartList, RestKind, read};
use crate::{Crawl, Error, Item, Result};

/// Items whose parts are read at once.
const AT_ONCE: usize = 8;

impl RestKind {
    pub(super) async fn crawl_all(&self, cx: &Crawl<'_>) -> Result<()> {
        let http = cx.http.tagged(self.spec.name);
        let mut pages = Pages::new(&http, &self.list, cx.scope);
        let mut first = true;
        while let Some(page) = pages.next().await? {
            let values = page.values()?;
            if std::mem::take(&mut first) {
                cx.sink.expect(values.len() as u64);
            }
            let items = values
                .into_iter()
                .map(|document| Ok((self.item(&cx.scope.id, document)?, document)))
                .collect::<Result<Vec<_>>>()?;
            for (item, document) in &items {
                cx.sink.upsert(item, document.get().as_bytes()).await?;
            }
            if !self.parts.is_empty() {
                let calls: Vec<_> = items
                    .iter()
                    .map(|(item, _)| self.crawl_parts(cx, &http, &item.item))
                    .collect();
                futures::stream::iter(calls)
                    .buffer_unordered(AT_ONCE)
                    .try_collect::<()>()
                    .await?;
            }
        }
        Ok(())
    }

    /// The item that a document of the list is.
    pub(super) fn item(&self, scope: &str, document: &RawValue) -> Result<Item> {
        let Some(id) = read::text_at(document, self.id).filter(|id| !id.is_empty()) else {
            return Err(Error::malformed(format!(
                "a {} without an id at {}",
                self.spec.name, self.id
            )));
        };
        let (name, modified) = self.described(document);
        Ok(Item {
            item: ItemRef::new(self.spec.name, scope, &id),
            name: name.unwrap_or_else(|| id.into_owned()),
            modified,
        })
    }

    pub(super) fn described(&self, document: &RawValue) -> (Option<String>, Option<Timestamp>) {
        (
            read::text_at(document, self.name).map(Into::into),
            read::time_at(document, self.modified),
        )
    }

    /// A part that cannot be read is an issue of its item; only what ends the whole run ends this.
    async fn crawl_parts(
        &self,
        cx: &Crawl<'_>,
        http: &crate::Client,
        item: &ItemRef,
    ) -> Result<()> {
        for part in self.parts {
            match self.read_part(cx, http, item, part).await {
                Ok(bytes) => cx.sink.part(item, part.file, &bytes).await?,
                Err(error) if error.is_fatal() || error.class == Class::Throttled => {
                    return Err(error);
                }
                Err(error) => {
                    cx.sink
                        .issue(error.to_issue(self.spec.name, &cx.scope.id, Some(item.clone())));
                }
            }
        }
        Ok(())
    }

    async fn read_part(
        &self,
        cx: &Crawl<'_>,
        http: &crate::Client,
        item: &ItemRef,
        part: &PartList,
    ) -> Result<Vec<u8>> {
        let lines = std::path::Path::new(part.file)
            .extension()
            .is_some_and(|extension| extension == "ndjson");
        let mut pages = Pages::of_part(http, self.list.host, part, cx.scope, &item.id);
        let mut bytes = Vec::new();
        let mut first = true;
        while let Some(page) = pages.next().await? {
            let values = page.values()?;
            if lines {
                for value in values {
                    bytes.extend(value.get().bytes().map(|byte| {
                        if matches!(byte, b'\n' | b'\r') {
                            b' '
                        } else {
                            byte
                        }
                    }));
                    bytes.push(b'\n');
                }
            } else if std::mem::take(&mut first) {
                bytes = page.body.to_vec();
            } else {
                return Err(Error::malformed(format!(
                    "{item}: {} has more than one page",
                    part.file
                )));
            }
        }
        Ok(bytes)
    }
}
