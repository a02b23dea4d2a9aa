//! Large files of LFS: found in new history, fetched, missed, fetched later, given back.

use crate::backup::Backup;
use crate::history::Bare;
use crate::host::{Fault, Host, Manner, pointer};

const ONE: &[u8] = b"the first large file";
const TWO: &[u8] = b"the second large file, a little larger";

async fn with_pointers() -> (Host, Bare, Backup) {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    bare.commit(
        "main",
        &[
            ("one.bin", &pointer(ONE)),
            ("two.bin", &pointer(TWO)),
            ("again/one.bin", &pointer(ONE)),
        ],
    );
    let backup = Backup::of(&host.client, host.remote("repo"));
    (host, bare, backup)
}

fn part(oid: &str) -> String {
    format!("lfs/objects/{}/{}/{oid}", &oid[..2], &oid[2..4])
}

#[tokio::test]
async fn contents_are_stored_once_and_only_new_history_is_searched() {
    let (host, bare, mut backup) = with_pointers().await;
    let [one, two] = [ONE, TWO].map(|content| host.inner.lfs.lock().unwrap().add(content));
    backup.clean().await;
    assert_eq!(
        (
            backup.snapshot.0[&part(&one)].as_slice(),
            backup.snapshot.0[&part(&two)].as_slice()
        ),
        (ONE, TWO)
    );
    let seen = host.seen();
    assert_eq!(seen.len(), 5, "refs, pack, batch, two contents");
    assert_eq!(
        seen[2].path,
        "/org/project/_git/repo/info/lfs/objects/batch"
    );
    assert!(seen[3].headers.contains_key("x-asked"));
    bare.commit("main", &[("three", b"small")]);
    backup.clean().await;
    assert_eq!(host.seen().len(), 2);
    backup.clean().await;
    assert_eq!(host.seen().len(), 1);
}

#[tokio::test]
async fn what_the_service_lacks_is_told_and_tried_again() {
    let (host, _, mut backup) = with_pointers().await;
    let one = host.inner.lfs.lock().unwrap().add(ONE);
    let issues = backup.run().await.unwrap();
    assert_eq!(
        (
            issues.len(),
            issues[0].code.as_str(),
            issues[0].kind.as_str()
        ),
        (1, "lfs-object-missing", "lfs-object")
    );
    assert!(
        backup.snapshot.0.contains_key(&part(&one))
            && backup.snapshot.0.contains_key("packed-refs"),
        "the rest is stored"
    );
    let missing = String::from_utf8(backup.snapshot.0["lfs-missing"].clone()).unwrap();
    assert_eq!(missing.lines().count(), 1);
    host.seen();
    assert_eq!(backup.run().await.unwrap().len(), 1);
    assert_eq!(
        (host.seen().len(), backup.touched.len()),
        (2, 0),
        "refs and a batch"
    );
    let two = host.inner.lfs.lock().unwrap().add(TWO);
    backup.clean().await;
    assert_eq!(backup.snapshot.0[&part(&two)], TWO);
    assert!(!backup.snapshot.0.contains_key("lfs-missing"));
}

#[tokio::test]
async fn a_throttled_download_is_gone_on_with_in_the_next_run() {
    let (host, bare, mut backup) = with_pointers().await;
    let [one, two] = [ONE, TWO].map(|content| host.inner.lfs.lock().unwrap().add(content));
    host.fault("batch", Fault::Status(429, "{}"));
    assert_eq!(backup.run().await.unwrap_err().code, "throttled");
    assert!(!backup.snapshot.0.contains_key(&part(&one)));
    bare.commit("main", &[("three", b"small")]);
    backup.clean().await;
    assert!(
        backup.snapshot.0.contains_key(&part(&one)) && backup.snapshot.0.contains_key(&part(&two))
    );
    assert!(!backup.snapshot.0.contains_key("lfs-missing"));
}

#[tokio::test]
async fn content_with_another_hash_is_never_stored() {
    let (host, _, mut backup) = with_pointers().await;
    let [one, two] = [ONE, TWO].map(|content| host.inner.lfs.lock().unwrap().add(content));
    host.inner
        .lfs
        .lock()
        .unwrap()
        .contents
        .insert(one.clone(), b"The first large file".to_vec());
    host.inner
        .lfs
        .lock()
        .unwrap()
        .contents
        .insert(two.clone(), TWO[..10].to_vec());
    let issues = backup.run().await.unwrap();
    assert_eq!(
        (issues.len(), issues[0].code.as_str()),
        (1, "lfs-object-missing")
    );
    assert!(
        !backup.snapshot.0.contains_key(&part(&one))
            && !backup.snapshot.0.contains_key(&part(&two))
    );
}

#[tokio::test]
async fn our_credential_is_not_sent_to_a_foreign_store() {
    let (host, _, mut backup) = with_pointers().await;
    let other = Host::start(Manner::Plain).await;
    for content in [ONE, TWO] {
        host.inner.lfs.lock().unwrap().add(content);
        other.inner.lfs.lock().unwrap().add(content);
    }
    host.inner.lfs.lock().unwrap().foreign = Some(format!("{}/foreign", other.origin));
    backup.clean().await;
    let seen = other.seen();
    assert_eq!(seen.len(), 2);
    assert!(
        seen.iter()
            .all(|seen| !seen.headers.contains_key("authorization")
                && seen.headers.contains_key("x-asked"))
    );
    assert!(other.inner.lfs.lock().unwrap().leaked.is_empty());
}

#[tokio::test]
async fn more_than_a_hundred_objects_are_asked_for_in_batches() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    let contents: Vec<Vec<u8>> = (0..150)
        .map(|n| format!("content {n}").into_bytes())
        .collect();
    let names: Vec<String> = (0..150).map(|n| format!("f{n}")).collect();
    let pointers: Vec<Vec<u8>> = contents.iter().map(|content| pointer(content)).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&pointers)
        .map(|(name, pointer)| (name.as_str(), pointer.as_slice()))
        .collect();
    bare.commit("main", &files);
    for content in &contents {
        host.inner.lfs.lock().unwrap().add(content);
    }
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    backup.clean().await;
    assert_eq!(
        host.seen()
            .iter()
            .filter(|seen| seen.path.ends_with("/batch"))
            .count(),
        2
    );
    assert_eq!(
        backup
            .snapshot
            .0
            .keys()
            .filter(|name| name.starts_with("lfs/"))
            .count(),
        150
    );
}

#[tokio::test]
async fn a_restore_uploads_before_it_pushes_and_is_verified() {
    let (host, _, mut backup) = with_pointers().await;
    for content in [ONE, TWO] {
        host.inner.lfs.lock().unwrap().add(content);
    }
    backup.clean().await;
    let other = Host::start(Manner::AzureDevOps).await;
    other.repository("target");
    let there = backup_at(&other, backup);
    assert_eq!(
        there.restore(&other.remote("target")).await.unwrap(),
        [""; 0]
    );
    let seen: Vec<_> = other
        .seen()
        .iter()
        .map(|seen| (seen.method.to_string(), seen.path.clone()))
        .collect();
    let put = seen
        .iter()
        .rposition(|(method, _)| method == "PUT")
        .unwrap();
    let push = seen
        .iter()
        .position(|(_, path)| path.ends_with("git-receive-pack"))
        .unwrap();
    assert!(put < push, "{seen:?}");
    let counts = |lfs: &crate::host::Objects| (lfs.contents.len(), lfs.verified.len());
    assert_eq!(counts(&other.inner.lfs.lock().unwrap()), (2, 2));
    assert_eq!(
        there.verify(&other.remote("target")).await.unwrap(),
        [""; 0]
    );
    other.inner.lfs.lock().unwrap().contents.clear();
    assert_eq!(
        there.verify(&other.remote("target")).await.unwrap().len(),
        2
    );
}

/// The same snapshot, seen by the client of another host.
fn backup_at(host: &Host, backup: Backup) -> Backup {
    let mut there = Backup::of(&host.client, host.remote("target"));
    there.snapshot = backup.snapshot;
    there
}
