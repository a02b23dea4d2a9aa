//! Stored packs that are made one, and whole fetches that are compared with what is stored.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use service::git::{Indexed, Upkeep, index};

use crate::backup::{Backup, lay_out};
use crate::history::{Bare, noise, text};
use crate::host::{Fault, Host, Manner};
use crate::memory::Snapshot;

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// A backup of a repository whose history came in as many packs as there are commits.
async fn chain(upkeep: Upkeep, packs: u32) -> (Host, Bare, Backup) {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    let mut backup = Backup::of(&host.client, host.remote("repo").upkeep(upkeep));
    for version in 0..packs {
        bare.commit(
            "main",
            &[("a", &text(1, version)), ("dir/b", &text(2, version))],
        );
        backup.clean().await;
    }
    assert_eq!(backup.snapshot.packs().len(), packs as usize);
    host.seen();
    (host, bare, backup)
}

fn few(most_packs: usize) -> Upkeep {
    Upkeep {
        most_packs,
        ..Upkeep::USUAL
    }
}

fn same(snapshot: &Snapshot, bare: &Bare) {
    let (_folder, restored) = lay_out(snapshot);
    restored.fsck();
    assert_eq!(restored.picture(), bare.picture());
}

#[tokio::test]
async fn more_packs_than_allowed_are_made_one_without_a_request() {
    let (host, bare, mut backup) = chain(few(5), 6).await;
    let before = backup.snapshot.clone();
    backup.clean().await;
    assert_eq!(host.seen().len(), 1, "the list of refs, as ever");
    assert_eq!(backup.snapshot.packs().len(), 1);
    same(&backup.snapshot, &bare);
    same(&before, &bare);
    let bytes = |snapshot: &Snapshot| -> usize {
        snapshot
            .packs()
            .iter()
            .map(|name| snapshot.0[*name].len())
            .sum()
    };
    assert!(
        bytes(&backup.snapshot) * 2 < bytes(&before),
        "deltas are back"
    );
    // Then it is like any other.
    backup.clean().await;
    assert_eq!((host.seen().len(), backup.touched.len()), (1, 0));
    bare.commit("main", &[("a", &text(1, 99))]);
    backup.clean().await;
    assert!(host.seen()[1].body.contains("have "));
    assert_eq!(backup.snapshot.packs().len(), 2);
    same(&backup.snapshot, &bare);
}

#[tokio::test]
async fn what_is_new_in_the_same_run_is_in_the_one_pack() {
    let (host, bare, mut backup) = chain(few(5), 6).await;
    bare.commit("topic", &[("c", &text(3, 1))]);
    bare.tag("v1", "main");
    backup.clean().await;
    assert_eq!(host.seen().len(), 2);
    assert_eq!(backup.snapshot.packs().len(), 1);
    same(&backup.snapshot, &bare);
}

/// The ids of 201 commits, oldest first.
fn long_history(bare: &Bare) -> Vec<String> {
    let mut history = String::new();
    for version in 0..201 {
        let file = String::from_utf8(text(1, version)).unwrap();
        write!(
            history,
            "commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nm\nM 100644 inline a\ndata {}\n{file}\n",
            file.len()
        )
        .unwrap();
    }
    bare.feed(&["fast-import", "--quiet"], history.as_bytes());
    let ids = bare.git(&["rev-list", "--reverse", "main"]);
    ids.lines().map(str::to_owned).collect()
}

/// Adds a pack of its own for each commit but the first, as backups after each of them would have.
async fn store_each(bare: &Bare, snapshot: &mut Snapshot, commits: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    for pair in commits.windows(2) {
        let path = folder.path().join("in.pack");
        let revisions = format!("{}\n^{}\n", pair[1], pair[0]);
        let pack = bare.bytes(
            &["pack-objects", "--stdout", "--revs", "--quiet"],
            revisions.as_bytes(),
        );
        std::fs::write(&path, pack).unwrap();
        put(snapshot, &index(&path, folder.path()).await.unwrap());
    }
    let refs = format!("{} refs/heads/main\n", commits.last().unwrap());
    snapshot
        .0
        .insert("packed-refs".to_owned(), refs.into_bytes());
}

fn put(snapshot: &mut Snapshot, indexed: &Indexed) {
    for (ending, path) in [("pack", &indexed.pack), ("idx", &indexed.idx)] {
        let part = format!("objects/pack/{}.{ending}", indexed.name);
        snapshot.0.insert(part, std::fs::read(path).unwrap());
    }
}

#[tokio::test]
async fn two_hundred_packs_are_left_alone_and_one_more_is_too_many() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    let commits = long_history(&bare);
    let show = |commit: &str| bare.git(&["update-ref", "refs/heads/main", commit]);
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    show(&commits[0]);
    backup.clean().await;
    store_each(&bare, &mut backup.snapshot, &commits[..200]).await;
    show(&commits[199]);
    backup.clean().await;
    assert_eq!(
        (backup.snapshot.packs().len(), backup.touched.len()),
        (200, 0)
    );
    show(&commits[200]);
    backup.clean().await;
    assert_eq!(backup.snapshot.packs().len(), 201);
    host.seen();
    backup.clean().await;
    assert_eq!((backup.snapshot.packs().len(), host.seen().len()), (1, 1));
    same(&backup.snapshot, &bare);
}

#[tokio::test]
async fn history_that_no_ref_reaches_goes_when_it_is_most_of_what_is_stored() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    bare.commit("main", &[("a", &noise(1, 40_000))]);
    bare.commit("small", &[("b", &noise(2, 20_000))]);
    bare.commit("large", &[("c", &noise(3, 80_000))]);
    let upkeep = Upkeep {
        least_bytes: 0,
        ..Upkeep::USUAL
    };
    let mut backup = Backup::of(&host.client, host.remote("repo").upkeep(upkeep));
    backup.clean().await;
    host.seen();
    // A seventh of all is not worth it.
    bare.git(&["update-ref", "-d", "refs/heads/small"]);
    backup.clean().await;
    let mut touched = backup.touched.clone();
    touched.sort();
    assert_eq!(touched, ["packed-refs", "upkeep.json"]);
    let before = backup.snapshot.clone();
    bare.git(&["update-ref", "-d", "refs/heads/large"]);
    backup.clean().await;
    assert_eq!(
        backup.touched,
        ["packed-refs"],
        "all packs were read a moment ago"
    );
    // The next commit that leaves something behind, a week later.
    backup.now += days(7);
    bare.commit_on(
        "refs/heads/main",
        None,
        &[("a", &noise(1, 40_000)), ("z", b"z")],
    );
    backup.clean().await;
    assert_eq!(backup.snapshot.packs().len(), 1);
    let bytes = |snapshot: &Snapshot| snapshot.0[snapshot.packs()[0]].len();
    assert!(bytes(&backup.snapshot) < 50_000 && bytes(&before) > 140_000);
    same(&backup.snapshot, &bare);
    assert!(host.seen().len() <= 4, "three lists and one commit");
    assert!(lay_out(&before).1.git(&["for-each-ref"]).contains("large"));
}

#[tokio::test]
async fn a_branch_that_only_grows_is_never_measured() {
    let (_host, bare, mut backup) = chain(Upkeep::USUAL, 3).await;
    backup.now += days(30);
    bare.commit("main", &[("a", &text(1, 50))]);
    backup.clean().await;
    assert!(
        !backup.touched.iter().any(|part| part == "upkeep.json"),
        "{:?}",
        backup.touched
    );
}

#[tokio::test]
async fn a_whole_fetch_takes_the_place_of_the_chain_after_90_days() {
    let (host, bare, mut backup) = chain(Upkeep::USUAL, 4).await;
    let before = backup.snapshot.clone();
    backup.now += days(83);
    backup.clean().await;
    assert_eq!(host.seen().len(), 1);
    backup.now += days(7);
    bare.commit("main", &[("a", &text(1, 50))]);
    backup.clean().await;
    let seen = host.seen();
    assert_eq!(seen.len(), 2);
    assert!(!seen[1].body.contains("have "));
    assert_eq!(backup.snapshot.packs().len(), 1);
    same(&backup.snapshot, &bare);
    assert_eq!(
        lay_out(&before)
            .1
            .git(&["rev-list", "--count", "--all"])
            .trim(),
        "4"
    );
    backup.clean().await;
    assert_eq!((host.seen().len(), backup.touched.len()), (1, 0));
}

#[tokio::test]
async fn a_whole_fetch_that_brings_nothing_else_is_not_stored() {
    let (host, _bare, mut backup) = chain(Upkeep::USUAL, 1).await;
    let packs: Vec<String> = backup
        .snapshot
        .packs()
        .into_iter()
        .map(str::to_owned)
        .collect();
    backup.now += days(90);
    backup.clean().await;
    assert_eq!(host.seen().len(), 2);
    assert_eq!(backup.touched, ["upkeep.json"]);
    assert_eq!(backup.snapshot.packs(), packs);
    // A person may ask for it at any time.
    backup.full = true;
    backup.clean().await;
    assert_eq!(host.seen().len(), 2);
}

/// The newest of the stored packs gets this content, with an index that fits.
async fn replace_newest(before: &BTreeSet<String>, backup: &mut Backup, pack: &[u8]) {
    let name = backup
        .snapshot
        .packs()
        .into_iter()
        .find(|name| !before.contains(*name))
        .unwrap()
        .to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pack");
    std::fs::write(&path, pack).unwrap();
    let indexed = index(&path, folder.path()).await.unwrap();
    backup.snapshot.0.remove(&name);
    backup.snapshot.0.remove(&name.replace(".pack", ".idx"));
    put(&mut backup.snapshot, &indexed);
}

#[tokio::test]
async fn a_stored_chain_that_lacks_an_object_is_told_and_replaced() {
    let (host, bare, mut backup) = chain(Upkeep::USUAL, 3).await;
    let before: BTreeSet<String> = backup
        .snapshot
        .packs()
        .into_iter()
        .map(str::to_owned)
        .collect();
    bare.commit("main", &[("a", &text(1, 50))]);
    backup.clean().await;
    // All but the file.
    let ids = format!("{}\n{}\n", bare.id("main"), bare.id("main^{tree}"));
    let pack = bare.bytes(&["pack-objects", "--stdout", "--quiet"], ids.as_bytes());
    replace_newest(&before, &mut backup, &pack).await;
    backup.clean().await;
    backup.now += days(90);
    let issues = backup.run().await.unwrap();
    let codes: Vec<&str> = issues.iter().map(|issue| issue.code.as_str()).collect();
    assert_eq!(codes, ["git-chain-differs"]);
    assert!(
        issues[0].message.contains(&bare.id("main:a")),
        "{}",
        issues[0].message
    );
    assert_eq!(backup.snapshot.packs().len(), 1);
    same(&backup.snapshot, &bare);
    host.seen();
    backup.clean().await;
    assert_eq!((host.seen().len(), backup.touched.len()), (1, 0));
}

fn flip(snapshot: &mut Snapshot, ending: &str) -> String {
    let name = snapshot
        .0
        .keys()
        .find(|name| name.starts_with("objects/") && name.ends_with(ending))
        .unwrap()
        .clone();
    let bytes = snapshot.0.get_mut(&name).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    name
}

#[tokio::test]
async fn a_stored_pack_that_rotted_is_told_and_replaced() {
    for ending in [".pack", ".idx"] {
        let (_host, bare, mut backup) = chain(Upkeep::USUAL, 3).await;
        let name = flip(&mut backup.snapshot, ending);
        backup.full = true;
        let issues = backup.run().await.unwrap();
        assert_eq!(issues.len(), 1, "{issues:?}");
        assert!(
            issues[0].code == "git-chain-differs" && issues[0].message.contains(&name),
            "{}",
            issues[0].message
        );
        same(&backup.snapshot, &bare);
    }
}

#[tokio::test]
async fn packs_that_cannot_be_made_one_because_they_rotted_are_fetched_anew() {
    let (host, bare, mut backup) = chain(few(5), 6).await;
    let (name, bytes) = {
        let packs = backup.snapshot.packs();
        let name = packs
            .iter()
            .max_by_key(|name| backup.snapshot.0[**name].len())
            .unwrap();
        ((*name).to_owned(), backup.snapshot.0[*name].clone())
    };
    let damaged: Vec<u8> = bytes
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (12..bytes.len() - 20).contains(&at) {
                byte ^ 0x5a
            } else {
                *byte
            }
        })
        .collect();
    backup.snapshot.0.insert(name, damaged);
    let issues = backup.run().await.unwrap();
    let codes: Vec<&str> = issues.iter().map(|issue| issue.code.as_str()).collect();
    assert!(codes.contains(&"git-chain-differs"), "{issues:?}");
    assert_eq!(host.seen().len(), 2, "the list, and everything");
    assert_eq!(backup.snapshot.packs().len(), 1);
    same(&backup.snapshot, &bare);
}

#[tokio::test]
async fn a_whole_fetch_that_fails_is_told_and_does_not_hold_up_what_is_new() {
    let (host, bare, mut backup) = chain(Upkeep::USUAL, 2).await;
    backup.now += days(90);
    bare.commit("main", &[("a", &text(1, 50))]);
    host.fault("pack", Fault::Flip);
    let issues = backup.run().await.unwrap();
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert_eq!(issues[0].code, "git-object-missing");
    same(&backup.snapshot, &bare);
    host.seen();
    backup.now += days(1);
    backup.clean().await;
    assert_eq!(host.seen().len(), 1, "not again the next day");
    backup.now += days(6);
    backup.clean().await;
    assert_eq!(host.seen().len(), 2);
    assert_eq!(backup.snapshot.packs().len(), 1);
}

#[tokio::test]
async fn a_repository_that_was_stored_before_there_was_a_record_is_fetched_whole() {
    let (host, bare, mut backup) = chain(Upkeep::USUAL, 2).await;
    backup.snapshot.0.remove("upkeep.json").unwrap();
    backup.now = Timestamp::UNIX_EPOCH;
    backup.clean().await;
    assert_eq!(host.seen().len(), 2);
    same(&backup.snapshot, &bare);
}

#[tokio::test]
async fn refs_that_a_person_says_were_deleted_go() {
    let (host, bare, mut backup) = chain(Upkeep::USUAL, 2).await;
    bare.git(&["update-ref", "-d", "refs/heads/main"]);
    let issue = backup.kept().await;
    assert!(
        issue
            .hint
            .unwrap()
            .contains("--accept-deletions git-repository")
    );
    assert_eq!(
        backup.kept().await.code,
        "implausible-drop",
        "until someone decides"
    );
    backup.accepted.insert("git-repository".to_owned());
    backup.clean().await;
    assert_eq!(backup.laid_out().1.git(&["for-each-ref"]), "");
    backup.accepted.clear();
    backup.clean().await;
    host.seen();
    bare.commit("main", &[("new", b"beginning")]);
    backup.clean().await;
    same(&backup.snapshot, &bare);
}

#[tokio::test]
async fn most_of_many_refs_are_kept_while_what_is_new_comes_in() {
    let (host, bare, mut backup) = chain(Upkeep::USUAL, 1).await;
    let change = |command: &dyn Fn(u32) -> String| {
        let commands: Vec<String> = (0..20).map(command).collect();
        bare.feed(&["update-ref", "--stdin"], commands.concat().as_bytes());
    };
    let tip = bare.id("main");
    change(&|n| format!("create refs/heads/b{n} {tip}\n"));
    bare.commit("b19", &[("only", b"here")]);
    backup.clean().await;
    change(&|n| format!("delete refs/heads/b{n}\n"));
    let tip = bare.commit("main", &[("a", &text(1, 50))]);
    backup.now += days(90);
    let issues = backup.run().await.unwrap();
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0].code, "implausible-drop");
    let (_folder, restored) = backup.laid_out();
    restored.fsck();
    assert_eq!(restored.id("main"), tip);
    assert_eq!(restored.git(&["for-each-ref"]).lines().count(), 21);
    backup.accepted.insert("git-repository".to_owned());
    backup.clean().await;
    same(&backup.snapshot, &bare);
    drop(host);
}
