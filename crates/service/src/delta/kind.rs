//! The delta query as a kind.

use async_trait::async_trait;
use jiff::Timestamp;
use model::ItemRef;
use serde_json::value::RawValue;

use super::DeltaKind;
use crate::json::text_at;
use crate::kind::not_restorable;
use crate::{
    Client, Crawl, Cursor, Found, Inspect, Inspection, Kind, KindSpec, Outcome, Pass, Restore,
    Result, Scope, StoredItem, Target,
};

#[async_trait]
impl Kind for DeltaKind {
    fn spec(&self) -> &KindSpec {
        &self.spec
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let document: &RawValue = serde_json::from_slice(document).ok()?;
        let (name, modified) = self.described(document);
        let name = name.or_else(|| Some(text_at(document, self.id)?.into_owned()))?;
        Some((name, modified))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        self.crawl_changes(cx).await
    }

    async fn probe(&self, http: &Client, _scope: &Scope) -> Result<()> {
        let http = http.tagged(self.spec.name);
        http.get(self.host, self.probe).send().await?.values()?;
        Ok(())
    }

    /// Nothing is restored by it, so that nothing has to be found.
    async fn find(&self, _cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        Ok(vec![None; items.len()])
    }

    async fn restore(
        &self,
        _cx: &Restore<'_>,
        _pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        let refused = items.iter().map(|item| {
            let error = not_restorable(&self.spec, &item.item);
            Outcome::Failed {
                code: error.code,
                message: error.message,
            }
        });
        Ok(refused.collect())
    }

    async fn verify(&self, _cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        Ok(vec![Vec::new(); items.len()])
    }

    async fn inspect(
        &self,
        _cx: &Inspect<'_>,
        _item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        let document: Option<&RawValue> = serde_json::from_slice(document).ok();
        let text = |pointer| Some(text_at(document?, pointer)?.into_owned());
        Ok(Inspection {
            id: text(self.id),
            aliases: self
                .name
                .iter()
                .filter_map(|pointer| text(pointer))
                .collect(),
            ..Inspection::default()
        })
    }
}
