//! The table as a kind.

use async_trait::async_trait;
use jiff::Timestamp;
use model::ItemRef;
use serde_json::value::RawValue;

use super::{Paging, RestKind, pages::fill};
use crate::{
    Client, Crawl, Cursor, Found, Inspect, Inspection, Kind, KindSpec, Outcome, Pass, Restore,
    Result, Scope, StoredItem, Target,
};

#[async_trait]
impl Kind for RestKind {
    fn spec(&self) -> &KindSpec {
        &self.spec
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let document: &RawValue = serde_json::from_slice(document).ok()?;
        let (name, modified) = self.described(document);
        let name = name.or_else(|| Some(super::text_at(document, self.id)?.into_owned()))?;
        Some((name, modified))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        self.crawl_all(cx).await?;
        Ok(None)
    }

    async fn probe(&self, http: &Client, scope: &Scope) -> Result<()> {
        let http = http.tagged(self.spec.name);
        let mut call = http
            .get(self.list.host, &fill(self.list.path, scope, ""))
            .version(self.list.version);
        for (name, value) in self.list.query.iter().filter(|(name, _)| *name != "$top") {
            call = call.query(name, value);
        }
        if self.list.paging != Paging::One {
            call = call.query("$top", 1);
        }
        call.send().await?.values()?;
        Ok(())
    }

    async fn find(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        self.find_all(cx, items).await
    }

    async fn restore(
        &self,
        cx: &Restore<'_>,
        pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        match pass {
            Pass::Create => self.write_all(cx, items).await,
            Pass::Connect => Ok(vec![Outcome::Unchanged; items.len()]),
        }
    }

    async fn verify(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        self.verify_all(cx, items).await
    }

    async fn inspect(
        &self,
        _cx: &Inspect<'_>,
        _item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        let document: Option<&RawValue> = serde_json::from_slice(document).ok();
        let text = |pointer| Some(super::text_at(document?, pointer)?.into_owned());
        Ok(Inspection {
            id: text(self.id),
            aliases: text(self.name).into_iter().collect(),
            ..Inspection::default()
        })
    }
}
