//! S3's object lock: what it holds, and that nothing less than a proof is believed. moto is the server that has it.

use std::sync::Arc;

use futures::TryStreamExt as _;
use jiff::SignedDuration;
use model::{Clock, Secret};
use object_store::client::{HttpConnector as _, HttpRequest, ReqwestConnector};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{
    Error, Location, LockMode, Node, ObjectLock, ObjectLockRule, Repository, Snapshot,
    StoreCredential, open_locked_store, open_store,
};

use crate::cloud::S3Server;
use crate::support::*;

fn rule(mode: LockMode, seconds: i64) -> ObjectLockRule {
    ObjectLockRule {
        mode,
        keep: SignedDuration::from_secs(seconds),
    }
}

fn key(id: &str, secret: &str) -> StoreCredential {
    StoreCredential::S3Key {
        id: id.to_owned(),
        secret: Secret::new(secret),
        session_token: None,
    }
}

#[tokio::test]
async fn a_storage_that_cannot_prove_its_lock_is_refused() {
    let server = S3Server::start().await;
    let location: Location = format!("s3://backups?endpoint={}", server.endpoint)
        .parse()
        .unwrap();
    let key = key("AKIDTEST", "a-secret-of-the-storage");
    let rule = rule(LockMode::Compliance, 3600);
    let refused = open_locked_store(&location, &key, rule, TestClock::real()).await;
    assert_eq!(refused.err().unwrap().code(), "object-lock-unproved");
    let folder: Location = "/tmp".parse().unwrap();
    let refused = open_locked_store(&folder, &key, rule, TestClock::real()).await;
    assert!(matches!(refused, Err(Error::NotImmutable { .. })));
}

#[expect(clippy::disallowed_methods, reason = "where the server is")]
fn moto() -> String {
    std::env::var("KEEPWARD_TEST_MOTO").unwrap()
}

/// moto takes requests without a signature.
async fn send(method: &str, url: &str, headers: &[(&'static str, &str)], body: &str) -> u16 {
    let mut request = HttpRequest::new(body.to_owned().into());
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = url.parse().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let options = object_store::ClientOptions::new().with_allow_http(true);
    let client = ReqwestConnector::default().connect(&options).unwrap();
    client.execute(request).await.unwrap().status().as_u16()
}

async fn bucket(name: &str, locked: bool) -> Location {
    let moto = moto();
    let lock: &[_] = if locked {
        &[("x-amz-bucket-object-lock-enabled", "true")]
    } else {
        &[]
    };
    assert_eq!(send("PUT", &format!("{moto}/{name}"), lock, "").await, 200);
    format!("s3://{name}/contoso?endpoint={moto}")
        .parse()
        .unwrap()
}

async fn locked(
    location: &Location,
    rule: ObjectLockRule,
    clock: &Arc<TestClock>,
) -> repository::Result<(Arc<dyn ObjectStore>, ObjectLock)> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    open_locked_store(location, &key("test", "test"), rule, clock).await
}

#[tokio::test]
#[ignore = "needs moto: make test-object-lock"]
async fn a_bucket_without_object_lock_is_refused() {
    let location = bucket("without-lock", false).await;
    let refused = locked(
        &location,
        rule(LockMode::Governance, 3600),
        &TestClock::real(),
    )
    .await;
    let refused = refused.err().unwrap();
    assert_eq!(refused.code(), "object-lock-unproved");
    let store = open_store(&location, &key("test", "test")).unwrap();
    let left = store.get(&Path::from("keepward/lock-probe")).await;
    assert!(left.is_err(), "nothing was stored");
}

#[tokio::test]
#[ignore = "needs moto: make test-object-lock"]
async fn nothing_that_a_snapshot_needs_can_be_removed_before_its_time() {
    for (mode, name) in [
        (LockMode::Governance, "governance"),
        (LockMode::Compliance, "compliance"),
    ] {
        let clock = TestClock::real();
        let location = bucket(name, true).await;
        let (store, _) = locked(&location, rule(mode, 3600), &clock).await.unwrap();
        // Each run proves it again, on the probe that is there.
        locked(&location, rule(mode, 3600), &clock).await.unwrap();
        let repository = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options())
            .await
            .unwrap();
        let first = commit(&repository, None, &[("a", &noise(1, 2 << 20))]).await;
        let second = commit(&repository, None, &[("b", b"kept")]).await;
        let snapshots = repository.snapshots().await.unwrap();
        let (old, _) = snapshots
            .iter()
            .find(|(_, snapshot)| snapshot.tree == first.tree)
            .unwrap();
        let refused = repository.forget(&[*old]).await.unwrap_err();
        assert_eq!(refused.code(), "object-locked", "{refused}");
        assert_eq!(repository.snapshots().await.unwrap().len(), 2);

        // By the clock that prune goes by, the snapshots' time is over, but not yet that of their packs.
        let plain = open_store(&location, &key("test", "test")).unwrap();
        let at = Path::from(format!("snapshots/{old}"));
        let copy = Path::from(format!("keepward/snapshots/{old}"));
        for at in [at, copy] {
            plain.delete(&at).await.unwrap();
        }
        let report = prune(&repository).await;
        assert!(report.packs_locked > 0, "{report:?}");
        assert!(report.bytes_freed < 2 << 20, "{report:?}");
        let fresh = opened(Arc::clone(&store)).await;
        let node = fresh.find(second.tree, "b").await.unwrap().unwrap();
        assert_eq!(fresh.read(&node).await.unwrap(), "kept");
    }
}

#[tokio::test]
#[ignore = "needs moto: make test-object-lock"]
async fn packs_that_new_snapshots_share_are_held_as_long_as_those() {
    let clock = TestClock::real();
    let location = bucket("extended", true).await;
    let rule = rule(LockMode::Governance, 4000);
    let (store, lock) = locked(&location, rule, &clock).await.unwrap();
    let repository = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options())
        .await
        .unwrap();
    commit(&repository, None, &[("a", &noise(1, 1 << 20))]).await;
    let holder = holder(&clock);
    let extended = repository
        .keep_locked(&lock, &holder, &Silent)
        .await
        .unwrap();
    assert!(extended >= 7, "{extended}");
    let again = repository
        .keep_locked(&lock, &holder, &Silent)
        .await
        .unwrap();
    assert_eq!(again, 0, "the margin is not used up");
    // Nobody who lacks the key can say that it was done.
    let plain = open_store(&location, &key("test", "test")).unwrap();
    let note = Path::from("keepward/lock-extended");
    plain.put(&note, "{}".into()).await.unwrap();
    let after = repository
        .keep_locked(&lock, &holder, &Silent)
        .await
        .unwrap();
    assert_eq!(after, extended);
    clock.advance(SignedDuration::from_secs(600));
    let late = repository
        .keep_locked(&lock, &holder, &Silent)
        .await
        .unwrap();
    assert_eq!(late, extended);
}

#[tokio::test]
#[ignore = "needs moto: make test-object-lock"]
async fn what_lost_its_lock_before_the_commit_makes_no_snapshot() {
    let clock = TestClock::real();
    let location = bucket("sabotaged", true).await;
    let rule = rule(LockMode::Governance, 4000);
    let (store, lock) = locked(&location, rule, &clock).await.unwrap();
    let repository = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options())
        .await
        .unwrap();
    let holder = holder(&clock);
    repository
        .keep_locked(&lock, &holder, &Silent)
        .await
        .unwrap();
    let guard = repository.lock_shared(&holder).await.unwrap();
    let mut writer = repository.writer();
    let content = writer.bytes(&noise(1, 1 << 20)).await.unwrap();
    let change = repository::Change {
        path: vec!["a".to_owned()],
        op: repository::Op::Put(Box::new(Node::file("", content, time(0)))),
    };
    let tree = writer.update(None, vec![change]).await.unwrap();
    writer.flush().await.unwrap();
    let plain = open_store(&location, &key("test", "test")).unwrap();
    let packs = plain.list(Some(&Path::from("data")));
    let packs: Vec<_> = packs.try_collect().await.unwrap();
    let pack = &packs[0].location;
    let bytes = plain.get(pack).await.unwrap().bytes().await.unwrap();
    // Somebody puts a file without a lock in its place: the content is right, and nothing holds it.
    plain.put(pack, bytes.into()).await.unwrap();
    let snapshot = Snapshot::new(time(0), tree);
    let refused = writer.commit(&snapshot, &guard).await.unwrap_err();
    assert_eq!(refused.code(), "object-lock-unproved", "{refused}");
    assert!(repository.snapshots().await.unwrap().is_empty());
    guard.release().await.unwrap();
}

#[tokio::test]
#[ignore = "needs moto: make test-object-lock"]
async fn a_pack_that_a_killed_run_left_is_held_for_the_snapshot_that_uses_it() {
    const DAY: i64 = 24 * 60 * 60;
    let clock = TestClock::real();
    let location = bucket("taken-up", true).await;
    let rule = rule(LockMode::Governance, 10 * DAY);
    let (store, lock) = locked(&location, rule, &clock).await.unwrap();
    let repository = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options())
        .await
        .unwrap();
    let holder = holder(&clock);
    repository
        .keep_locked(&lock, &holder, &Silent)
        .await
        .unwrap();
    let bytes = noise(1, 1 << 20);
    let mut killed = repository.writer();
    killed.bytes(&bytes).await.unwrap();
    killed.flush().await.unwrap();
    drop(killed);
    let plain = open_store(&location, &key("test", "test")).unwrap();
    let packs = plain.list(Some(&Path::from("data")));
    let packs: Vec<_> = packs.try_collect().await.unwrap();
    let pack = packs[0].location.clone();

    clock.advance(SignedDuration::from_secs(10 * DAY));
    let (store, lock) = locked(&location, rule, &clock).await.unwrap();
    let repository = opened(Arc::clone(&store)).await;
    repository
        .keep_locked(&lock, &holder, &Silent)
        .await
        .unwrap();
    commit(&repository, None, &[("a", &bytes)]).await;
    // The time that the pack was held for at first is over, that of the snapshot is not.
    clock.advance(SignedDuration::from_secs(3 * DAY));
    let refused = store.delete(&pack).await.unwrap_err();
    assert!(
        refused.to_string().contains("it is locked until"),
        "{refused}"
    );
}
