//! Iterations; they arrive with the areas.

use super::node::{AREA, ITERATION, NodeKind, TREES};
use super::project::PROJECT;
use service::{Crawled, Fidelity, KindSpec, Layout, Permission, Searched};

pub(crate) static ITERATION_KIND: NodeKind = NodeKind {
    tree: &TREES[1],
    spec: KindSpec {
        name: ITERATION,
        title: "Iterations",
        parent: Some(PROJECT),
        crawled: Crawled::PerParent,
        with: Some(AREA),
        after: &[],
        layout: Layout::Item {
            folder: "iterations",
            shard: None,
            document: "iteration.json",
        },
        bin: None,
        search: Searched::NAMES,
        read: &[Permission {
            scope: "vso.work",
            why: "Without it areas and iterations are not read.",
        }],
        write: &[Permission {
            scope: "vso.work_write",
            why: "To create iterations and set their dates.",
        }],
        restore: Fidelity::Partial(&[
            "An iteration that is created again gets another id; permissions on it are not written back.",
        ]),
    },
};
