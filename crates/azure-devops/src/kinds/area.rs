//! Areas; their crawl brings the iterations along, since one request answers both trees.

use super::node::{AREA, NodeKind, TREES};
use super::project::PROJECT;
use service::{Crawled, Fidelity, KindSpec, Layout, Permission, Searched};

pub(crate) static AREA_KIND: NodeKind = NodeKind {
    tree: &TREES[0],
    spec: KindSpec {
        name: AREA,
        title: "Areas",
        parent: Some(PROJECT),
        crawled: Crawled::PerParent,
        with: None,
        after: &[],
        layout: Layout::Item {
            folder: "areas",
            shard: None,
            document: "area.json",
        },
        bin: None,
        search: Searched::NAMES,
        read: &[Permission {
            scope: "vso.work",
            why: "Without it areas and iterations are not read.",
        }],
        write: &[Permission {
            scope: "vso.work_write",
            why: "To create areas.",
        }],
        restore: Fidelity::Partial(&[
            "An area that is created again gets another id; permissions on it are not written back.",
        ]),
    },
};
