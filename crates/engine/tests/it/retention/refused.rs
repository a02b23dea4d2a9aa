//! A forget in a repository: what is good, what is suspicious, and what is selected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::retention::{ForgetRequest, Keep, forget, refuse, suspicions};
use jiff::{SignedDuration, Timestamp};
use model::{Clock, Issue, KindCounts, SourceFile};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use repository::{Change, Holder, Node, Op, Repository, Snapshot, SnapshotId};
use service::Service;

use crate::harness::At;
use crate::quick;
use crate::stand_in::NoPreflight;

static SERVICE: Service = Service {
    name: "fake",
    title: "Fake",
    hosts: &[],
    kinds: &[],
    preflight: &NoPreflight,
};

fn day(day: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day)
}

struct History(Repository);

impl History {
    async fn new() -> Self {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        quick::make(store.as_ref()).await;
        Self(quick::open(&store).await.unwrap())
    }

    /// A snapshot of that day, as `change` wants its description to be.
    async fn add(&self, at: i64, notes: u64, change: impl FnOnce(&mut SourceFile)) -> SnapshotId {
        let mut source = description(day(at), notes);
        change(&mut source);
        let clock: Arc<dyn Clock> = Arc::new(At(day(at)));
        let lock = self
            .0
            .lock_shared(&Holder::new("test", clock))
            .await
            .unwrap();
        let mut writer = self.0.writer();
        let content = writer
            .bytes(&serde_json::to_vec(&source).unwrap())
            .await
            .unwrap();
        let put = Change {
            path: vec!["source.json".to_owned()],
            op: Op::Put(Box::new(Node::file("source.json", content, day(at)))),
        };
        let tree = writer.update(None, [put]).await.unwrap();
        let tags = ["keepward", "service=fake"].map(str::to_owned).into_iter();
        let snapshot = Snapshot {
            tags: tags.chain([format!("source={}", source.source)]).collect(),
            ..Snapshot::new(day(at), tree)
        };
        let id = writer.commit(&snapshot, &lock).await.unwrap();
        lock.release().await.unwrap();
        id
    }

    async fn left(&self) -> Vec<SnapshotId> {
        let snapshots = self.0.snapshots().await.unwrap();
        snapshots.into_iter().map(|(id, _)| id).collect()
    }

    async fn forget(&self, change: impl FnOnce(&mut ForgetRequest)) -> engine::Result<()> {
        let mut request = ForgetRequest {
            keep: Keep {
                last: 1,
                ..Keep::default()
            },
            ..ForgetRequest::default()
        };
        change(&mut request);
        forget(&self.0, &SERVICE, &request, day(1000))
            .await
            .map(drop)
    }
}

fn description(time: Timestamp, notes: u64) -> SourceFile {
    let counts = KindCounts {
        items: notes,
        ..KindCounts::default()
    };
    SourceFile {
        schema: 1,
        service: "fake".to_owned(),
        source: "contoso".to_owned(),
        url: "https://example.invalid/contoso".to_owned(),
        connector: "contoso".to_owned(),
        run: "run".to_owned(),
        job: "job".to_owned(),
        token: 1,
        started: time,
        finished: time,
        selection: Vec::new(),
        picks: model::Picks::default(),
        accepted: BTreeSet::new(),
        cursors: BTreeMap::new(),
        counts: BTreeMap::from([("note".to_owned(), counts)]),
        stale: BTreeMap::new(),
        stale_items: Vec::new(),
        issues: Vec::new(),
        requests: 0,
    }
}

fn issue() -> Issue {
    Issue {
        code: "not-found".to_owned(),
        class: model::Class::Missing,
        kind: "note".to_owned(),
        scope: String::new(),
        item: None,
        message: "gone".to_owned(),
        hint: None,
    }
}

fn contoso() -> BTreeSet<String> {
    BTreeSet::from(["Contoso".to_owned()])
}

#[tokio::test]
async fn the_newest_of_the_best_snapshots_stays() {
    let history = History::new().await;
    let stale = |source: &mut SourceFile| {
        source.stale.insert("note".to_owned(), day(0));
    };
    history.add(1, 5, stale).await;
    history
        .add(2, 5, |source| source.issues.push(issue()))
        .await;
    let good = history
        .add(3, 5, |source| source.issues.push(issue()))
        .await;
    let newest = history.add(4, 5, stale).await;
    history.forget(|_| ()).await.unwrap();
    assert_eq!(history.left().await, [good, newest]);

    let whole = history.add(5, 5, |_| ()).await;
    let newest = history
        .add(6, 5, |source| source.issues.push(issue()))
        .await;
    history.forget(|_| ()).await.unwrap();
    assert_eq!(history.left().await, [whole, newest]);
}

#[tokio::test]
async fn a_drop_is_suspicious_until_it_is_over_or_confirmed() {
    let history = History::new().await;
    history.add(1, 40, |_| ()).await;
    let rich = history.add(2, 41, |_| ()).await;
    history.add(3, 3, |_| ()).await;
    let poor = history.add(4, 3, |_| ()).await;

    let found = suspicions(&history.0, &SERVICE).await.unwrap();
    let [suspicion] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!((suspicion.snapshot, suspicion.kinds.len()), (poor, 1));
    let drop = &suspicion.kinds[0];
    assert_eq!((drop.before, drop.now, drop.since.0), (41, 3, rich));
    let error = history.forget(|_| ()).await.unwrap_err();
    assert_eq!(error.code(), Some("suspicious-drop"));
    assert!(
        error.to_string().contains("--accept-drop contoso"),
        "{error}"
    );
    assert_eq!(history.left().await.len(), 4);
    history
        .forget(|request| request.dry_run = true)
        .await
        .unwrap();
    assert!(refuse(&found, &contoso()).is_ok());

    history
        .add(5, 3, |source| {
            source.accepted.insert("note".to_owned());
        })
        .await;
    let newest = history.add(6, 3, |_| ()).await;
    assert!(suspicions(&history.0, &SERVICE).await.unwrap().is_empty());
    history.forget(|_| ()).await.unwrap();
    assert_eq!(history.left().await, [newest]);
}

#[tokio::test]
async fn a_drop_that_a_person_vouches_for_is_forgotten() {
    let history = History::new().await;
    history.add(1, 40, |_| ()).await;
    let poor = history.add(2, 0, |_| ()).await;
    history
        .forget(|request| request.accept_drop = contoso())
        .await
        .unwrap();
    assert_eq!(history.left().await, [poor]);
}

#[tokio::test]
async fn items_that_came_back_are_not_suspicious() {
    let history = History::new().await;
    history.add(1, 40, |_| ()).await;
    history.add(2, 3, |_| ()).await;
    let newest = history.add(3, 39, |_| ()).await;
    history.forget(|_| ()).await.unwrap();
    assert_eq!(history.left().await, [newest]);
}

#[tokio::test]
async fn one_suspicious_source_does_not_stop_the_others() {
    let history = History::new().await;
    history.add(1, 40, |_| ()).await;
    history.add(2, 3, |_| ()).await;
    let other = |source: &mut SourceFile| source.source = "fabrikam".to_owned();
    history.add(3, 9, other).await;
    history.add(4, 9, other).await;
    assert!(history.forget(|_| ()).await.is_err());
    history
        .forget(|request| request.sources = BTreeSet::from(["fabrikam".to_owned()]))
        .await
        .unwrap();
    assert_eq!(history.left().await.len(), 3);
}

#[tokio::test]
async fn one_name_at_two_hosts_is_two_sources() {
    let history = History::new().await;
    let elsewhere = |source: &mut SourceFile| source.url = "https://other.invalid/".to_owned();
    let first = history.add(1, 40, |_| ()).await;
    let second = history.add(2, 2, elsewhere).await;
    assert!(suspicions(&history.0, &SERVICE).await.unwrap().is_empty());
    history.forget(|_| ()).await.unwrap();
    assert_eq!(history.left().await, [first, second]);
}

#[tokio::test]
async fn what_is_dated_later_than_now_is_neither_forgotten_nor_counted() {
    let history = History::new().await;
    let old = history.add(998, 40, |_| ()).await;
    let good = history.add(999, 40, |_| ()).await;
    // A clock that was ahead, and what was dated right after it.
    let ahead = history.add(4000, 40, |_| ()).await;
    let after = history.add(4000, 41, |_| ()).await;
    history.forget(|_| ()).await.unwrap();
    let left = BTreeSet::from_iter(history.left().await);
    assert_eq!(left, BTreeSet::from([good, ahead, after]), "not {old}");
}
