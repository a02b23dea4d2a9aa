//! What a backup of one repository asks for and keeps.

use std::fmt::Write as _;

use service::git::Protocol;

use crate::backup::{Backup, lay_out};
use crate::history::text;
use crate::host::{Host, Manner};

#[tokio::test]
async fn a_repository_comes_back_whole_in_two_requests_and_costs_one_when_it_is_unchanged() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    bare.commit("main", &[("a.txt", b"1\n")]);
    let tip = bare.commit("main", &[("a.txt", b"2\n"), ("dir/b", &text(1, 0))]);
    bare.git(&["update-ref", "refs/pull/7/merge", &tip]);
    let tag = bare.tag("v1", "main");
    bare.tag("tag-of-tag", &tag);
    bare.tag("tag-of-tree", "main^{tree}");
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    backup.clean().await;
    let requests: Vec<_> = host
        .seen()
        .iter()
        .map(|seen| (seen.method.to_string(), seen.path.clone()))
        .collect();
    assert_eq!(
        requests,
        [
            (
                "GET".to_owned(),
                "/org/project/_git/_full/repo/info/refs".to_owned()
            ),
            (
                "POST".to_owned(),
                "/org/project/_git/_full/repo/git-upload-pack".to_owned()
            )
        ]
    );
    let (_folder, restored) = backup.laid_out();
    restored.fsck();
    assert_eq!(restored.picture(), bare.picture());
    backup.clean().await;
    assert_eq!((host.seen().len(), backup.touched.len()), (1, 0));
}

#[tokio::test]
async fn an_incremental_backup_sends_the_new_commit_alone() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    for version in 0..30 {
        bare.commit(
            "main",
            &[("a", &text(1, version)), ("b", &text(2, version))],
        );
    }
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    backup.clean().await;
    let first = backup.snapshot.clone();
    bare.commit("main", &[("a", &text(1, 99))]);
    backup.clean().await;
    assert_eq!(
        backup.touched.len(),
        3,
        "pack, index, packed-refs: {:?}",
        backup.touched
    );
    let new = backup
        .snapshot
        .packs()
        .into_iter()
        .find(|name| !first.0.contains_key(*name))
        .unwrap();
    let objects = u32::from_be_bytes(backup.snapshot.0[new][8..12].try_into().unwrap());
    assert_eq!(objects, 3, "a commit, a tree and a file");
    assert_eq!(
        lay_out(&first)
            .1
            .git(&["rev-list", "--count", "--all"])
            .trim(),
        "30",
        "the snapshot before is what it was"
    );
    assert_eq!(backup.laid_out().1.picture(), bare.picture());
}

#[tokio::test]
async fn refs_that_move_among_stored_objects_need_no_pack() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    let first = bare.commit("main", &[("a", b"1")]);
    bare.commit("main", &[("a", b"2")]);
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    backup.clean().await;
    host.seen();
    bare.git(&["update-ref", "refs/heads/old", &first]);
    bare.git(&["update-ref", "refs/heads/main", &first]);
    backup.clean().await;
    assert_eq!(host.seen().len(), 1);
    assert_eq!(backup.touched, ["packed-refs"]);
    bare.git(&["symbolic-ref", "HEAD", "refs/heads/old"]);
    backup.clean().await;
    assert_eq!(backup.touched, ["HEAD"]);
    assert_eq!(host.seen().len(), 1);
}

#[tokio::test]
async fn version_2_is_spoken_where_it_is_asked_for() {
    let host = Host::start(Manner::Plain).await;
    let bare = host.repository("repo");
    bare.commit("main", &[("a", &text(1, 1))]);
    bare.tag("v1", "main");
    let mut backup = Backup::of(&host.client, host.remote("repo").asking_for(Protocol::V2));
    backup.clean().await;
    assert_eq!(host.seen().len(), 3);
    bare.commit("main", &[("a", &text(1, 2))]);
    backup.clean().await;
    assert_eq!(host.seen().len(), 3);
    backup.clean().await;
    assert_eq!((host.seen().len(), backup.touched.len()), (2, 0));
    assert_eq!(backup.laid_out().1.picture(), bare.picture());
}

#[tokio::test]
async fn thin_packs_are_never_asked_for_and_haves_are_few() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    let tip = bare.commit("main", &[("a", b"1")]);
    let mut branches = String::new();
    for n in 0..300 {
        writeln!(
            branches,
            "commit refs/heads/b{n}\ncommitter A <a@b> 1700000000 +0000\ndata 0"
        )
        .unwrap();
        writeln!(branches, "from {tip}\nM 100644 inline n\ndata 3\n{n:03}").unwrap();
    }
    bare.feed(&["fast-import", "--quiet"], branches.as_bytes());
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    backup.clean().await;
    host.seen();
    bare.commit("main", &[("a", b"2")]);
    backup.clean().await;
    let request = host.seen().remove(1);
    assert_eq!(request.headers["content-encoding"], "gzip");
    assert_eq!(request.body.matches("have ").count(), 256);
    assert!(
        request.body[request.body.find("have ").unwrap()..].starts_with(&format!("have {tip}")),
        "the moved branch comes first"
    );
    assert!(
        !request.body.contains("thin-pack")
            && !request.body.contains("include-tag")
            && !request.body.contains("ofs-delta")
    );
    assert_eq!(backup.laid_out().1.picture(), bare.picture());
}

#[tokio::test]
async fn an_empty_repository_is_a_repository() {
    for manner in [Manner::AzureDevOps, Manner::Plain] {
        let host = Host::start(manner).await;
        let bare = host.repository("repo");
        let mut backup = Backup::of(&host.client, host.remote("repo"));
        backup.clean().await;
        assert_eq!(host.seen().len(), 1);
        let (_folder, restored) = backup.laid_out();
        assert_eq!(restored.git(&["for-each-ref"]), "");
        backup.clean().await;
        assert!(backup.touched.is_empty());
        bare.commit("main", &[("a", b"1")]);
        backup.clean().await;
        assert_eq!(backup.laid_out().1.picture(), bare.picture());
    }
}

#[tokio::test]
async fn a_repository_whose_refs_all_vanish_is_kept() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    bare.commit("main", &[("a", b"1")]);
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    backup.clean().await;
    bare.git(&["update-ref", "-d", "refs/heads/main"]);
    assert_eq!(backup.kept().await.code, "implausible-drop");
}

#[tokio::test]
async fn a_repository_that_is_refused_is_an_issue_that_names_it() {
    let host = Host::start(Manner::AzureDevOps).await;
    let issue = Backup::of(&host.client, host.remote("gone")).kept().await;
    assert_eq!(issue.code, "git-refused");
    assert!(
        issue.message.contains("/project/_git/_full/gone"),
        "{}",
        issue.message
    );
    assert!(issue.hint.is_some());
}

#[tokio::test]
async fn submodules_and_lookalikes_of_pointers_do_no_harm() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    let tree = bare.feed(
        &["mktree", "--missing"],
        b"160000 commit 1111111111111111111111111111111111111111\tmodule\n",
    );
    let commit = bare.git(&["commit-tree", "-m", "m", tree.trim()]);
    bare.git(&["update-ref", "refs/heads/main", commit.trim()]);
    bare.commit(
        "main",
        &[(
            "x",
            b"version https://git-lfs.github.com/spec/v1\nno pointer\n",
        )],
    );
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    backup.clean().await;
    assert_eq!(backup.laid_out().1.picture(), bare.picture());
}
