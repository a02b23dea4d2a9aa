//! Paths of nodes: `\Project\Area\A\B` in the tree, `Project\A\B` in fields.

/// The names below the root of a tree path.
pub(crate) fn below_root(path: &str) -> Vec<&str> {
    path.split('\\')
        .filter(|name| !name.is_empty())
        .skip(2)
        .collect()
}

/// The path of a node in fields: the tree path without `Area` or `Iteration`.
pub(crate) fn in_fields(path: &str) -> String {
    let names: Vec<&str> = path.split('\\').filter(|name| !name.is_empty()).collect();
    let below = names.iter().skip(2);
    names
        .iter()
        .take(1)
        .chain(below)
        .copied()
        .collect::<Vec<_>>()
        .join("\\")
}

/// Project and names below it of a path in fields.
pub(crate) fn split_field(path: &str) -> (&str, Vec<&str>) {
    let mut names = path.split('\\').filter(|name| !name.is_empty());
    let project = names.next().unwrap_or_default();
    (project, names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_paths_and_field_paths_name_the_same_node() {
        assert_eq!(below_root("\\P\\Area\\A\\B"), ["A", "B"]);
        assert_eq!(below_root("\\P\\Area"), Vec::<&str>::new());
        assert_eq!(in_fields("\\P\\Iteration\\Sprint 1"), "P\\Sprint 1");
        assert_eq!(in_fields("\\P\\Area"), "P");
        assert_eq!(split_field("P\\A\\B"), ("P", vec!["A", "B"]));
    }
}
