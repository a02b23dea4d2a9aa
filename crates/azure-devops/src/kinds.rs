//! The kinds in the order in which they are crawled and restored.

mod absent;
mod area;
pub(crate) mod git_repository;
mod iteration;
mod node;
mod parts;
mod project;
mod team;
mod wiki;
mod work_item;

use service::Kind;

pub(crate) static KINDS: &[&dyn Kind] = &[
    &project::ProjectKind,
    &team::TeamKind,
    &area::AREA_KIND,
    &iteration::ITERATION_KIND,
    &git_repository::GitRepositoryKind,
    &wiki::WikiKind,
    &work_item::WorkItemKind,
    &parts::COMMENT,
    &parts::ATTACHMENT,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::KINDS;

    #[test]
    fn names_are_unique_and_refer_to_kinds_that_come_before() {
        let mut seen = HashSet::new();
        for kind in KINDS {
            let spec = kind.spec();
            for other in spec.parent.iter().chain(&spec.with).chain(spec.after) {
                assert!(seen.contains(other), "{} comes before {other}", spec.name);
            }
            assert!(seen.insert(spec.name), "{} twice", spec.name);
            assert!(!spec.read.is_empty(), "{} needs no permission?", spec.name);
        }
    }
}
