//! Areas and iterations: trees of classification nodes, read whole and stored node by node.

pub(crate) mod paths;
mod restore;
mod slice;
pub(crate) mod stored;

use async_trait::async_trait;
use jiff::Timestamp;
use model::ItemRef;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::http::{Answer, segment};
use service::{
    Client, Crawl, Cursor, Error, Found, Inspect, Inspection, Item, Kind, KindSpec, Loss, Outcome,
    Pass, Removal, Restore, Result, Scope, StoredItem, Target,
};

use super::parts;
use crate::api::{DEV, STABLE};
use slice::Slices;

pub(crate) const AREA: &str = "area";
pub(crate) const ITERATION: &str = "iteration";
/// Deeper than the trees that people make; what lies deeper still is asked for by its ids.
const DEPTH: u32 = 14;
const IDS_AT_ONCE: usize = 100;

/// One of the two trees of a project.
pub(crate) struct Tree {
    pub(crate) kind: &'static str,
    /// In addresses: `Areas`.
    pub(crate) group: &'static str,
}

pub(crate) static TREES: [Tree; 2] = [
    Tree {
        kind: AREA,
        group: "Areas",
    },
    Tree {
        kind: ITERATION,
        group: "Iterations",
    },
];

pub(crate) struct NodeKind {
    pub(crate) tree: &'static Tree,
    pub(crate) spec: KindSpec,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Placed {
    id: u64,
    path: String,
}

/// Both trees of a project in one answer.
async fn roots(http: &Client, project: &str) -> Result<Answer> {
    let path = format!("/{}/_apis/wit/classificationnodes", segment(project));
    http.get(DEV, &path)
        .version(STABLE)
        .query("$depth", DEPTH)
        .send()
        .await
}

/// Calls `each` for every node of both trees, parents first.
pub(crate) async fn read_trees(http: &Client, project: &str) -> Result<Vec<slice::Slice>> {
    let answer = roots(http, project).await?;
    let mut slices = Slices::default();
    slices.take(&answer.values()?)?;
    loop {
        let deeper = std::mem::take(&mut slices.deeper);
        if deeper.is_empty() {
            return Ok(slices.all);
        }
        for ids in deeper.chunks(IDS_AT_ONCE) {
            let list = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
            let path = format!("/{}/_apis/wit/classificationnodes", segment(project));
            let answer = http
                .get(DEV, &path)
                .version(STABLE)
                .query("ids", list)
                .query("$depth", DEPTH)
                .send()
                .await?;
            let values: Vec<&RawValue> = answer.values()?;
            let before = slices.all.len();
            slices.take_children(&values)?;
            if slices.all.len() == before {
                return Err(Error::malformed(format!(
                    "project {project}: nodes that have children came without them"
                )));
            }
        }
    }
}

#[async_trait]
impl Kind for NodeKind {
    fn spec(&self) -> &KindSpec {
        &self.spec
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let node: Named = serde_json::from_slice(document).ok()?;
        Some((node.name, None))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        let nodes = read_trees(cx.http, &cx.scope.id).await?;
        cx.sink.expect(nodes.len() as u64);
        for node in nodes {
            if !cx.selection.contains(node.kind) {
                continue;
            }
            let item = ItemRef::new(node.kind, &cx.scope.id, &node.id.to_string());
            cx.sink
                .upsert(
                    &Item {
                        item,
                        name: node.name,
                        modified: None,
                    },
                    node.document.as_bytes(),
                )
                .await?;
        }
        Ok(None)
    }

    async fn probe(&self, http: &Client, scope: &Scope) -> Result<()> {
        let path = format!("/{}/_apis/wit/classificationnodes", segment(&scope.id));
        http.get(DEV, &path)
            .version(STABLE)
            .send()
            .await?
            .values()
            .map(drop)
    }

    async fn find(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        restore::find(self.tree, cx, items).await
    }

    async fn restore(
        &self,
        cx: &Restore<'_>,
        pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        if pass == Pass::Connect {
            return Ok(vec![Outcome::Unchanged; items.len()]);
        }
        restore::create(self.tree, cx, items).await
    }

    async fn verify(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        restore::verify(self.tree, cx, items).await
    }

    async fn losses(&self, _cx: &Target<'_>, item: &StoredItem) -> Result<Option<Vec<Loss>>> {
        let all = self.spec.losses().iter();
        let had = all.filter(|_| parts::gets_another_id(item));
        Ok(Some(had.copied().collect()))
    }

    fn only_one(&self) -> Option<&'static str> {
        Some(parts::ONE_OF_A_NAME)
    }

    fn removal(&self) -> Removal {
        Removal::Never(
            "work items and nodes of others may be filed under it since: delete it at the service when nobody needs it",
        )
    }

    async fn inspect(
        &self,
        _cx: &Inspect<'_>,
        _item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        let mut found = Inspection::default();
        if let Some(node) = parts::inspected::<Placed>(document, &mut found) {
            found.id = Some(node.id.to_string());
            found.aliases.push(paths::in_fields(&node.path));
        }
        Ok(found)
    }
}
