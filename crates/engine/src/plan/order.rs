//! The order of kinds in a restore.

use service::{Kind, KindSpec, Layout, Service};

/// Kinds with items of their own, each behind its parent, what it comes with, and its `after`; else in the service's order.
pub(crate) fn restore_order(service: &'static Service) -> Vec<&'static dyn Kind> {
    let mut waiting: Vec<&'static dyn Kind> = service
        .kinds
        .iter()
        .copied()
        .filter(|kind| has_items(kind.spec()))
        .collect();
    let mut order = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let free = waiting.iter().position(|kind| {
            !before(kind.spec()).any(|name| {
                name != kind.spec().name && waiting.iter().any(|other| other.spec().name == name)
            })
        });
        // A circle in the tables: the service's own order is as good as any.
        order.push(waiting.remove(free.unwrap_or(0)));
    }
    order
}

/// Whether the kind's items have folders, and so steps of their own; others come back with the item that they belong to.
pub(crate) fn has_items(spec: &KindSpec) -> bool {
    matches!(spec.layout, Layout::Item { .. })
}

fn before(spec: &KindSpec) -> impl Iterator<Item = &'static str> {
    spec.parent
        .into_iter()
        .chain(spec.with)
        .chain(spec.after.iter().copied())
}
