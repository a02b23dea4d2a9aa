//! `SharePoint` sites as entries of the tenant: address, name and ids; their lists and files are other kinds.
//!
//! `GET /sites/delta` is documented to mark deleted sites with the facet `deleted`, and was seen to give them without any mark. So what a later
//! round names is asked for by its id (20 in a request), and what is not found is gone.

use service::delta::Gone;
use service::{Crawled, DeltaKind, KindSpec, Layout, Permission, Searched, TextOf};

use super::NOT_WRITTEN;
use crate::GRAPH;

pub(crate) static SITE: DeltaKind = DeltaKind {
    spec: KindSpec {
        name: "site",
        title: "Sites",
        parent: None,
        crawled: Crawled::Once,
        with: None,
        after: &[],
        layout: Layout::Item {
            folder: "sites",
            shard: Some(256),
            document: "site.json",
        },
        bin: None,
        search: Searched {
            text: &[TextOf::document(&["/description", "/webUrl"])],
            project: None,
        },
        read: &[Permission {
            scope: "Sites.Read.All",
            why: "Without it SharePoint sites are not backed up.",
        }],
        write: &[],
        restore: NOT_WRITTEN,
    },
    host: GRAPH,
    path: "/sites/delta",
    query: &[],
    headers: super::GENTLE,
    probe: "/sites/delta?token=latest",
    id: "/id",
    name: &["/displayName", "/name", "/webUrl"],
    modified: Some("/lastModifiedDateTime"),
    one: "/sites/{id}",
    relations: &[],
    gone: Gone::Asked,
};
