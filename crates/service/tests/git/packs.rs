//! Packs and their indexes, compared with what git makes of them.

use std::collections::BTreeSet;

use service::git::{Oid, Packs, closure, index};

use crate::history::{Bare, text};

fn repository() -> (tempfile::TempDir, Bare) {
    let folder = tempfile::tempdir().unwrap();
    let bare = Bare::init(folder.path().join("repo.git"));
    for version in 0..25 {
        bare.commit(
            "main",
            &[
                ("a", &text(1, version)),
                (&format!("dir/{}", version % 4), &text(2, version)),
            ],
        );
    }
    bare.tag("v1", "main");
    (folder, bare)
}

fn pack(bare: &Bare, more: &[&str], revisions: &str) -> Vec<u8> {
    let arguments = [
        &[
            "pack-objects",
            "--stdout",
            "--revs",
            "--quiet",
            "--window=50",
        ],
        more,
    ]
    .concat();
    bare.bytes(&arguments, revisions.as_bytes())
}

fn tips(bare: &Bare, names: &[&str]) -> BTreeSet<Oid> {
    names
        .iter()
        .map(|name| Oid::from_hex(bare.id(name).as_bytes()).unwrap())
        .collect()
}

#[tokio::test]
async fn the_index_is_the_one_that_git_writes() {
    let (folder, bare) = repository();
    for options in [&["--all", "--delta-base-offset"][..], &["--all"]] {
        let path = folder.path().join("in.pack");
        std::fs::write(&path, pack(&bare, options, "")).unwrap();
        let expected = folder.path().join("expected.idx");
        bare.git(&[
            "index-pack",
            "-o",
            expected.to_str().unwrap(),
            path.to_str().unwrap(),
        ]);
        let indexed = index(&path, folder.path()).await.unwrap();
        assert_eq!(
            std::fs::read(&indexed.idx).unwrap(),
            std::fs::read(&expected).unwrap()
        );
        assert!(!path.exists() && indexed.pack.ends_with(format!("{}.pack", indexed.name)));
    }
}

#[tokio::test]
async fn every_flipped_byte_and_every_cut_is_found() {
    let (folder, bare) = repository();
    let good = pack(&bare, &[], "main~20\n");
    let path = folder.path().join("bad.pack");
    for at in (0..good.len()).step_by(good.len() / 40 + 1) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        assert_eq!(
            index(&path, folder.path()).await.unwrap_err().class,
            model::Class::Malformed,
            "flip at {at}"
        );
        std::fs::write(&path, &good[..at]).unwrap();
        assert_eq!(
            index(&path, folder.path()).await.unwrap_err().class,
            model::Class::Malformed,
            "cut at {at}"
        );
    }
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_str().unwrap().contains("pack-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_thin_pack_is_whole_but_not_complete() {
    let (folder, bare) = repository();
    let path = folder.path().join("thin.pack");
    std::fs::write(&path, pack(&bare, &["--thin"], "main\n^main~1\n")).unwrap();
    assert_eq!(
        index(&path, folder.path()).await.unwrap_err().class,
        model::Class::Missing
    );
}

#[tokio::test]
async fn the_closure_of_increments_is_proved_by_indexes_alone() {
    let (folder, bare) = repository();
    let mut indexes = Vec::new();
    for (name, revisions) in [("a", "main~10\n"), ("b", "main\n^main~10\n")] {
        let path = folder.path().join(name);
        std::fs::write(&path, pack(&bare, &[], revisions)).unwrap();
        indexes.push(index(&path, folder.path()).await.unwrap());
    }
    let [base, increment] = indexes.try_into().unwrap();
    let stored = Packs::open([&base.idx]).unwrap();
    std::fs::remove_file(&base.pack).unwrap();
    assert!(
        closure(
            Some(&increment),
            &stored,
            &tips(&bare, &["main", "main~12"])
        )
        .await
        .unwrap()
        .missing
        .is_empty()
    );
    let missing = closure(Some(&increment), &Packs::default(), &tips(&bare, &["main"]))
        .await
        .unwrap()
        .missing;
    assert!(missing.contains(&Oid::from_hex(bare.id("main~10").as_bytes()).unwrap()));
    let missing = closure(Some(&increment), &stored, &tips(&bare, &["refs/tags/v1"]))
        .await
        .unwrap()
        .missing;
    assert_eq!(
        missing,
        tips(&bare, &["refs/tags/v1"])
            .into_iter()
            .collect::<Vec<_>>()
    );
    let missing = closure(None, &stored, &tips(&bare, &["main"]))
        .await
        .unwrap()
        .missing;
    assert_eq!(missing.len(), 1);
}

#[tokio::test]
async fn a_tree_that_makes_no_sense_is_not_accepted() {
    let (folder, bare) = repository();
    let tree = bare.feed(
        &["hash-object", "-t", "tree", "--literally", "-w", "--stdin"],
        b"100644 a",
    );
    let path = folder.path().join("odd.pack");
    let bytes = bare.bytes(&["pack-objects", "--stdout", "--quiet"], tree.as_bytes());
    std::fs::write(&path, bytes).unwrap();
    let indexed = index(&path, folder.path()).await.unwrap();
    assert_eq!(
        closure(Some(&indexed), &Packs::default(), &BTreeSet::new())
            .await
            .unwrap_err()
            .code,
        "git-object-missing"
    );
}
