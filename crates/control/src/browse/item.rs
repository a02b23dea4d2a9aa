//! One item: what it is called, its files, and where it is in the service.

use engine::SnapshotReader;
use engine::layout::Layouts;
use model::ItemRef;
use serde_json::Value;
use service::{PartInfo, Stored as _};

use super::{OpenSnapshot, no_such};
use crate::{Error, Result};

/// An item of a snapshot with its files.
#[derive(Clone, Debug)]
pub struct ItemView {
    pub item: ItemRef,
    pub name: String,
    /// Its folder in the snapshot.
    pub path: String,
    /// The document first.
    pub parts: Vec<PartInfo>,
    /// There are more files than are listed: those of large items are found folder by folder.
    pub more: bool,
    /// The page that the service has for it.
    pub url: Option<String>,
}

const PARTS: usize = 500;

impl OpenSnapshot {
    pub async fn item(&self, item: &ItemRef) -> Result<ItemView> {
        let service = self.library.0.control.service(&self.service)?;
        let layouts = Layouts::new(service);
        let path = layouts.path(item);
        let path = path.ok_or_else(|| no_such("item", &item.to_string()))?;
        let tree = Some(self.tree);
        let reader = SnapshotReader::new(self.repository.clone(), service, tree);
        if reader.node(&path).await?.is_none() {
            return Err(no_such("item", &item.to_string()));
        }
        let (mut parts, more) = reader.parts_up_to(item, PARTS).await?;
        let first = layouts.document(&item.kind).unwrap_or_default();
        parts.sort_by_key(|part| part.name != first);
        let document = reader.document(item).await?;
        // Its folder is there: to show it without its name would hide the damage.
        let document = document.ok_or_else(|| Error::Request {
            code: "document-missing",
            message: format!("the snapshot has {item} without its document {path}/{first}"),
        })?;
        let kind = service.kind(&item.kind);
        let described = kind.and_then(|kind| kind.describe(&document));
        Ok(ItemView {
            item: item.clone(),
            name: described.map_or_else(|| item.id.clone(), |(name, _)| name),
            path,
            parts,
            more,
            url: page(&document),
        })
    }
}

/// Where documents of the services name a page for people.
const PAGES: [&str; 3] = ["/_links/html/href", "/_links/web/href", "/webUrl"];

/// Only addresses of the web: the document is foreign, and somebody will click on it.
fn page(document: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let mut named = PAGES.iter().filter_map(|at| document.pointer(at)?.as_str());
    let url = url::Url::parse(named.next()?).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (plain && matches!(url.scheme(), "https" | "http")).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn only_pages_of_the_web_are_linked() {
        let link = |href: &str| {
            let document = serde_json::json!({"_links": {"html": {"href": href}}});
            page(document.to_string().as_bytes())
        };
        assert_eq!(
            link("https://dev.azure.com/contoso/_workitems/edit/1").as_deref(),
            Some("https://dev.azure.com/contoso/_workitems/edit/1")
        );
        for href in [
            "javascript:alert(1)",
            "data:text/html,<script>",
            "https://user:secret@example.com/",
            "//example.com",
            "",
        ] {
            assert_eq!(link(href), None, "{href}");
        }
        assert_eq!(page(b"no JSON"), None);
    }
}
