//! Differences and walks.

use futures::TryStreamExt as _;
use repository::{Difference, DifferenceKind, Repository, TreeId};

use crate::support::*;

async fn diff(repository: &Repository, old: TreeId, new: TreeId) -> Vec<(String, DifferenceKind)> {
    let found: Vec<Difference> = repository
        .diff(Some(old), Some(new))
        .try_collect()
        .await
        .unwrap();
    found
        .into_iter()
        .map(|difference| (difference.path, difference.kind))
        .collect()
}

#[tokio::test]
async fn differences_come_in_order_with_their_kinds_and_sizes() {
    use DifferenceKind::{Added, Modified, Removed, TypeChanged};
    let (repository, _) = in_memory().await;
    let old = commit(
        &repository,
        None,
        &[
            ("a/x", b"1"),
            ("a/y", b"2"),
            ("b", b"3"),
            ("c/d/e", b"4"),
            ("same/f", b"5"),
        ],
    )
    .await;
    let new = commit(
        &repository,
        None,
        &[
            ("a/x", b"one"),
            ("a.txt", b"6"),
            ("b/z", b"3"),
            ("n/m", b"7"),
            ("same/f", b"5"),
        ],
    )
    .await;
    let expected = [
        ("a/x", Modified),
        ("a/y", Removed),
        ("a.txt", Added),
        ("b", TypeChanged),
        ("b/z", Added),
        ("c", Removed),
        ("c/d", Removed),
        ("c/d/e", Removed),
        ("n", Added),
        ("n/m", Added),
    ];
    let found = diff(&repository, old.tree, new.tree).await;
    assert_eq!(found, expected.map(|(path, kind)| (path.to_owned(), kind)));
    assert!(diff(&repository, old.tree, old.tree).await.is_empty());
    let first: Difference = repository
        .diff(Some(old.tree), Some(new.tree))
        .try_collect::<Vec<_>>()
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (first.old_size, first.new_size, first.is_dir),
        (Some(1), Some(3), false)
    );
    let everything: Vec<_> = repository
        .diff(None, Some(old.tree))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(everything.len(), 9);
    assert!(everything.iter().all(|difference| difference.kind == Added));
}

#[tokio::test]
async fn what_cannot_be_read_is_no_difference_and_hides_none() {
    use DifferenceKind::{Added, Modified, Removed};
    let (repository, store) = in_memory().await;
    let files: [(&str, &[u8]); 3] = [("a/x", b"1"), ("b/y", b"2"), ("c", b"3")];
    let old = commit(&repository, None, &files).await;
    let files: [(&str, &[u8]); 4] = [("a/x", b"1"), ("a/z", b"4"), ("b/y", b"5"), ("d", b"6")];
    let new = commit(&repository, None, &files).await;
    let folder = repository.find(new.tree, "a").await.unwrap().unwrap();
    let tree = folder.subtree.unwrap();
    let damaged = without_blob(&store, tree).await;
    let strict = damaged.diff(Some(old.tree), Some(new.tree));
    let strict = strict.try_collect::<Vec<_>>().await;
    assert_eq!(strict.unwrap_err().code(), "repository-damaged");
    let around = async |old: TreeId, new: TreeId| {
        let found = damaged.diff_around_damage(Some(old), Some(new));
        let found: Vec<Difference> = found.try_collect().await.unwrap();
        let told = found.into_iter().map(|one| (one.path, one.kind));
        told.collect::<Vec<_>>()
    };
    let told = |all: &[(&str, DifferenceKind)]| -> Vec<_> {
        let all = all.iter();
        all.map(|(path, kind)| ((*path).to_owned(), *kind))
            .collect()
    };
    let expected = [("b/y", Modified), ("c", Removed), ("d", Added)];
    assert_eq!(around(old.tree, new.tree).await, told(&expected));
    let expected = [
        ("a/x", Added),
        ("b/y", Modified),
        ("c", Added),
        ("d", Removed),
    ];
    assert_eq!(around(new.tree, old.tree).await, told(&expected));
}

#[tokio::test]
async fn a_walk_can_begin_anywhere() {
    let (repository, _) = in_memory().await;
    let tree = commit(
        &repository,
        None,
        &[
            ("a/b/c", b"1"),
            ("a/b.json", b"2"),
            ("a/d", b"3"),
            ("e", b"4"),
        ],
    )
    .await
    .tree;
    let walk = async |prefix: &str| {
        let found: Vec<_> = repository.walk(tree, prefix).try_collect().await.unwrap();
        found.into_iter().map(|(path, _)| path).collect::<Vec<_>>()
    };
    assert_eq!(walk("a").await, ["a/b", "a/b/c", "a/b.json", "a/d"]);
    assert_eq!(walk("a/b").await, ["a/b/c"]);
    assert!(walk("e").await.is_empty());
    assert!(walk("none/at/all").await.is_empty());
}
