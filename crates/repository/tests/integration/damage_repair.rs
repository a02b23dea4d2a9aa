//! Repairs bring back what can be brought back, and name the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use object_store::ObjectStore;
use repository::{
    CheckOptions, Error, Id, LOST_MEMBER, LockGuard, ProblemKind, REPAIRED_TAG, RepairReport,
    Repository, Snapshot,
};

use crate::damage_golden::{Files, GOLDEN, all_files, fixture, in_store, on_disk, opened_from};
use crate::damage_matrix::Damage::{self, Cut, Delete, Empty, Flip, Move, Swap};
use crate::damage_matrix::{astray, check};
use crate::support::*;

pub(crate) fn paths<'a>(files: &'a Files, folder: &str) -> Vec<&'a String> {
    let prefix = format!("{folder}/");
    files
        .keys()
        .filter(|path| path.starts_with(&prefix))
        .collect()
}

fn damaged(cases: &[(&str, Damage)]) -> Files {
    let mut files = fixture(GOLDEN);
    for (path, damage) in cases {
        damage.apply(path, &mut files);
    }
    files
}

pub(crate) async fn exclusive(repository: &Repository) -> LockGuard {
    repository
        .lock_exclusive(&holder(&TestClock::real()))
        .await
        .unwrap()
}

async fn repair_access(
    store: &Arc<dyn ObjectStore>,
    id: Option<Id>,
) -> repository::Result<RepairReport> {
    Repository::repair_access(Arc::clone(store), &secret(PASSWORD), &options(), id, false).await
}

/// All three repairs, in their order.
pub(crate) async fn repair_all(store: &Arc<dyn ObjectStore>, forget: bool) -> [RepairReport; 3] {
    let clock = TestClock::real();
    try_repair_all(store, forget, &clock).await.unwrap()
}

async fn try_repair_all(
    store: &Arc<dyn ObjectStore>,
    forget: bool,
    clock: &Arc<TestClock>,
) -> repository::Result<[RepairReport; 3]> {
    let access = repair_access(store, None).await?;
    let repository = Repository::open(Arc::clone(store), &secret(PASSWORD)).await?;
    let lock = repository.lock_exclusive(&holder(clock)).await?;
    let index = repository.repair_index(&lock, true, false).await?;
    let snapshots = repository.repair_snapshots(&lock, forget, false).await?;
    lock.release().await?;
    Ok([access, index, snapshots])
}

/// The contents of all files by snapshot time and path.
pub(crate) async fn contents(store: &Arc<dyn ObjectStore>) -> BTreeMap<String, Vec<u8>> {
    let repository = opened(Arc::clone(store)).await;
    let times: BTreeMap<_, _> = repository.snapshots().await.unwrap().into_iter().collect();
    let mut contents = BTreeMap::new();
    for (id, path, node) in all_files(&repository).await {
        let bytes = repository.read(&node).await.unwrap();
        contents.insert(format!("{} {path}", times[&id].time), bytes.to_vec());
    }
    contents
}

/// The files of a store, to be looked at by restic.
pub(crate) async fn dump(store: &Arc<dyn ObjectStore>) -> Files {
    use futures::TryStreamExt as _;
    use object_store::ObjectStoreExt as _;
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    let mut files = Files::new();
    for object in listed {
        let bytes = store
            .get(&object.location)
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        files.insert(object.location.to_string(), bytes.to_vec());
    }
    files
}

async fn assert_clean(store: &Arc<dyn ObjectStore>) {
    let report = check(store).await;
    assert!(report.is_clean(), "{:?}", report.problems);
    assert_eq!(report.copies_missing, 0);
}

pub(crate) async fn assert_sound(store: &Arc<dyn ObjectStore>) {
    assert_clean(store).await;
    let folder = on_disk(&without_locks(dump(store).await));
    restic(folder.path(), PASSWORD, &["check", "--read-data"]);
}

#[tokio::test]
async fn what_lies_there_twice_comes_back_whole() {
    let golden = fixture(GOLDEN);
    let whole = contents(&in_store(&golden).await).await;
    let (keys, snapshots) = (paths(&golden, "keys"), paths(&golden, "snapshots"));
    let swap = |with: &String| Swap { with: with.clone() };
    let copy = format!("keepward/{}", snapshots[0]);
    let cases: [&[(&str, Damage)]; 11] = [
        &[("config", Flip { bit: 300 })],
        &[("config", Delete)],
        &[("keepward/config", Cut { length: 9 })],
        &[(keys[0], Flip { bit: 900 }), (keys[1], Empty)],
        &[(keys[0], Delete), (keys[1], Delete)],
        &[(keys[0], swap(keys[1]))],
        &[(snapshots[0], Flip { bit: 500 })],
        &[
            (snapshots[0], Delete),
            (snapshots[1], Delete),
            (snapshots[2], Empty),
        ],
        &[(snapshots[0], swap(snapshots[2]))],
        &[(snapshots[1], swap(&"config".to_owned()))],
        &[(&copy, Cut { length: 50 })],
    ];
    for case in cases {
        let store = in_store(&damaged(case)).await;
        assert!(!check(&store).await.is_clean(), "{case:?}");
        let [access, index, snapshots] = repair_all(&store, false).await;
        assert!(index.is_nothing(), "{case:?}: {index:?}");
        assert!(
            access.lost.is_empty() && snapshots.lost.is_empty(),
            "{case:?}"
        );
        assert_eq!(contents(&store).await, whole, "{case:?}");
        assert_eq!(
            dump(&store).await,
            without_locks(golden.clone()),
            "{case:?}"
        );
        assert_sound(&store).await;
    }
}

/// The fixture's lock is stale: whoever locks removes it.
fn without_locks(mut files: Files) -> Files {
    files.retain(|path, _| !path.starts_with("locks/"));
    files
}

#[tokio::test]
async fn swapped_files_come_back_without_second_copies() {
    let mut golden = fixture(GOLDEN);
    golden.retain(|path, _| !path.starts_with("keepward/"));
    let whole = contents(&in_store(&golden).await).await;
    for folder in ["keys", "snapshots", "data", "index"] {
        let mut files = golden.clone();
        let (first, second) = (paths(&golden, folder)[0], paths(&golden, folder)[1]);
        Swap {
            with: second.clone(),
        }
        .apply(first, &mut files);
        let store = in_store(&files).await;
        let reports = repair_all(&store, false).await;
        assert!(
            reports.iter().all(|report| report.lost.is_empty()),
            "{reports:?}"
        );
        assert_eq!(contents(&store).await, whole, "{folder}");
        assert_sound(&store).await;
    }
}

#[tokio::test]
async fn a_lost_index_is_made_anew_from_the_packs() {
    let golden = fixture(GOLDEN);
    let whole = contents(&in_store(&golden).await).await;
    let indexes = paths(&golden, "index");
    let all: Vec<(&str, Damage)> = indexes.iter().map(|path| (path.as_str(), Delete)).collect();
    let cases: [&[(&str, Damage)]; 4] = [
        &[(indexes[0], Delete)],
        &[(indexes[1], Flip { bit: 700 })],
        &[(indexes[0], Empty), (indexes[2], Cut { length: 100 })],
        &all,
    ];
    for case in cases {
        let store = in_store(&damaged(case)).await;
        let repository = opened(Arc::clone(&store)).await;
        let lock = exclusive(&repository).await;
        let before = dump(&store).await;
        let plan = repository.repair_index(&lock, false, true).await.unwrap();
        assert_eq!(dump(&store).await, before, "a dry run writes nothing");
        let done = repository.repair_index(&lock, false, false).await.unwrap();
        assert_eq!((plan.repaired, plan.lost), (done.repaired, done.lost));
        assert!(
            repository
                .repair_index(&lock, true, false)
                .await
                .unwrap()
                .is_nothing()
        );
        lock.release().await.unwrap();
        assert_eq!(contents(&store).await, whole, "{case:?}");
        assert_sound(&store).await;
    }
}

#[tokio::test]
async fn a_repair_that_is_killed_anywhere_costs_another_repair_and_nothing_else() {
    let golden = fixture(GOLDEN);
    let (packs, indexes) = (paths(&golden, "data"), paths(&golden, "index"));
    let files = damaged(&[
        (packs[0], Flip { bit: 8 * 30 }),
        (
            packs[1],
            Move {
                to: astray(packs[1]),
            },
        ),
        (indexes[0], Delete),
        (paths(&golden, "snapshots")[0], Delete),
        ("config", Empty),
    ]);
    let undisturbed = in_store(&files).await;
    repair_all(&undisturbed, true).await;
    let expected = contents(&undisturbed).await;
    let clock = TestClock::real();
    let mut writes = 0;
    loop {
        let store = in_store(&files).await;
        let mortal = faulty(&store, &clock, after(writes));
        let place: Arc<dyn ObjectStore> = Arc::new(mortal.clone());
        let killed = try_repair_all(&place, true, &clock).await;
        clock.advance(jiff::SignedDuration::from_mins(31));
        try_repair_all(&store, true, &clock).await.unwrap();
        assert_eq!(contents(&store).await, expected, "{writes} writes");
        assert_clean(&store).await;
        if mortal.strikes().is_empty() {
            killed.unwrap();
            break;
        }
        writes += 1;
    }
    assert!(writes > 12, "{writes}");
}

#[tokio::test]
async fn damaged_packs_cost_what_was_in_the_damage_and_no_more() {
    let golden = fixture(GOLDEN);
    let whole = contents(&in_store(&golden).await).await;
    for path in paths(&golden, "data") {
        let length = golden[path].len();
        let cases = [
            Flip { bit: 8 * 30 },
            Flip {
                bit: 8 * (length - 20),
            },
            Flip {
                bit: 8 * (length - 2),
            },
            Cut { length: length / 2 },
            Cut { length: length - 1 },
            Empty,
            Delete,
        ];
        for damage in cases {
            let header_only = matches!(damage, Flip { bit } if bit > 8 * 30)
                || matches!(damage, Cut { length: cut } if cut == length - 1);
            let store = in_store(&damaged(&[(path, damage.clone())])).await;
            let [_, index, snapshots] = repair_all(&store, true).await;
            assert!(!index.is_nothing(), "{path} {damage:?}");
            let left = contents(&store).await;
            let missing: Vec<_> = whole
                .keys()
                .filter(|path| !left.contains_key(*path))
                .collect();
            for (path, bytes) in &left {
                assert_eq!(bytes, &whole[path]);
            }
            if header_only {
                assert!(missing.is_empty(), "{path} {damage:?}: {missing:?}");
            } else {
                assert!(
                    !missing.is_empty() && !snapshots.lost.is_empty(),
                    "{path} {damage:?}"
                );
            }
            match damage {
                Flip { .. } | Delete => assert_sound(&store).await,
                _ => assert_clean(&store).await,
            }
        }
    }
}

/// Whatever the original held is in the repaired snapshot, or named in it as lost.
async fn assert_here_or_named(
    repository: &Repository,
    repaired: &Snapshot,
    whole: &BTreeMap<String, Vec<u8>>,
) {
    let listed = repository.list(repaired.tree).await.unwrap();
    let here: BTreeSet<String> = listed.into_iter().map(|(path, _)| path).collect();
    let told = &repaired.extra[LOST_MEMBER];
    let lost = told["paths"].as_array().unwrap().iter();
    let lost: Vec<&str> = lost.map(|path| &path.as_str().unwrap()[1..]).collect();
    assert!(!lost.is_empty());
    assert_eq!(told["count"], lost.len());
    let time = format!("{} ", repaired.time);
    for path in whole.keys().filter_map(|key| key.strip_prefix(&time)) {
        let is_lost = lost
            .iter()
            .any(|lost| path == *lost || path.starts_with(&format!("{lost}/")));
        assert_ne!(
            here.contains(path),
            is_lost,
            "{path} is either here or named"
        );
    }
}

#[tokio::test]
async fn a_repaired_snapshot_names_what_it_lacks_and_stands_beside_its_original() {
    let golden = fixture(GOLDEN);
    let whole = contents(&in_store(&golden).await).await;
    // The first pack that costs some items of a snapshot, but not all.
    for path in paths(&golden, "data") {
        let store = in_store(&damaged(&[(path, Delete)])).await;
        let repository = opened(Arc::clone(&store)).await;
        let lock = exclusive(&repository).await;
        repository.repair_index(&lock, false, false).await.unwrap();
        let report = repository
            .repair_snapshots(&lock, false, false)
            .await
            .unwrap();
        let again = repository
            .repair_snapshots(&lock, false, false)
            .await
            .unwrap();
        assert!(
            again.repaired.is_empty(),
            "a second repair finds nothing new: {again:?}"
        );
        lock.release().await.unwrap();
        assert!(!report.lost.is_empty());
        let snapshots = repository.snapshots().await.unwrap();
        for (_, new) in snapshots
            .iter()
            .filter(|(_, snapshot)| snapshot.tags.iter().any(|tag| tag == REPAIRED_TAG))
        {
            let original = new.original.unwrap();
            let (_, old) = snapshots
                .iter()
                .find(|(id, _)| *id == original)
                .expect("the original stays");
            assert_eq!(
                (old.time, &old.hostname, &old.paths),
                (new.time, &new.hostname, &new.paths)
            );
            assert_here_or_named(&repository, new, &whole).await;
        }
    }
}

#[tokio::test]
async fn a_lost_key_costs_its_password_alone() {
    let golden = fixture(GOLDEN);
    for (number, path) in paths(&golden, "keys").into_iter().enumerate() {
        let mut files = golden.clone();
        files.retain(|path, _| !path.starts_with("keepward/"));
        Flip { bit: 8 * 400 }.apply(path, &mut files);
        let store = in_store(&files).await;
        let password = if Repository::open(Arc::clone(&store), &secret(PASSWORD))
            .await
            .is_ok()
        {
            PASSWORD
        } else {
            "a second password"
        };
        let report = Repository::repair_access(
            Arc::clone(&store),
            &secret(password),
            &options(),
            None,
            false,
        )
        .await
        .unwrap();
        assert_eq!(report.lost.len(), 1, "{number}: {report:?}");
        let repository = Repository::open(Arc::clone(&store), &secret(password))
            .await
            .unwrap();
        assert_eq!(repository.keys().await.unwrap().len(), 1);
        assert_eq!(
            repository
                .check(&CheckOptions::default())
                .await
                .unwrap()
                .problems,
            []
        );
    }
}

/// A member that does not matter for opening: the password still fits, and gets a sound file.
#[tokio::test]
async fn a_damaged_key_file_that_still_opens_is_replaced() {
    let disk = OnDisk::init().await;
    let id = disk.repository.keys().await.unwrap()[0].id;
    std::fs::remove_dir_all(disk.path().join("keepward")).unwrap();
    let file = disk.path().join("keys").join(id.to_string());
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("test-host", "tast-host")).unwrap();
    assert_eq!(
        disk.reopen()
            .await
            .check(&CheckOptions::default())
            .await
            .unwrap()
            .problems[0]
            .kind,
        ProblemKind::KeyDamaged
    );
    let (store, _) = repository::store_from(disk.path().to_str().unwrap()).unwrap();
    let report = repair_access(&store, None).await.unwrap();
    assert!(report.lost.is_empty(), "{report:?}");
    assert_ne!(disk.reopen().await.keys().await.unwrap()[0].id, id);
    assert_eq!(
        disk.reopen()
            .await
            .check(&CheckOptions::default())
            .await
            .unwrap()
            .problems,
        []
    );
    disk.restic(&["check"]);
}

#[tokio::test]
async fn a_config_that_is_lost_with_its_copy_is_made_anew() {
    let golden = fixture(GOLDEN);
    let whole = contents(&in_store(&golden).await).await;
    let id = opened_from(&golden).await.id();
    for known in [Some(id), None] {
        let store = in_store(&damaged(&[
            ("config", Flip { bit: 77 }),
            ("keepward/config", Delete),
        ]))
        .await;
        let refused = Repository::open(Arc::clone(&store), &secret(PASSWORD)).await;
        assert!(matches!(refused.err().unwrap(), Error::Damaged { .. }));
        repair_access(&store, known).await.unwrap();
        let repository = opened(Arc::clone(&store)).await;
        assert_eq!(repository.id() == id, known.is_some());
        assert_eq!(contents(&store).await, whole);
        assert_sound(&store).await;
    }
}

/// What another program removed on purpose must not come back by itself.
#[tokio::test]
async fn what_restic_removed_stays_removed() {
    let folder = on_disk(&fixture(GOLDEN));
    let run = |arguments: &[&str]| restic(folder.path(), PASSWORD, arguments);
    run(&["unlock", "--remove-all"]);
    run(&["forget", "--keep-last", "1", "--prune"]);
    let (store, _) = repository::store_from(folder.path().to_str().unwrap()).unwrap();
    let report = check(&store).await;
    assert!(report.is_clean(), "{:?}", report.problems);
    let forgotten = report
        .problems
        .iter()
        .filter(|problem| problem.kind == ProblemKind::SnapshotForgotten);
    assert_eq!(forgotten.count(), 2);
    repair_all(&store, false).await;
    assert_eq!(check(&store).await.problems, []);
    assert_eq!(check(&store).await.snapshots, 1);

    let listed = run(&["key", "list"]);
    let other = listed
        .lines()
        .find(|line| {
            line.trim_start()
                .starts_with(|first: char| first.is_ascii_hexdigit())
                && !line.starts_with('*')
        })
        .unwrap();
    run(&["key", "remove", other.split_whitespace().next().unwrap()]);
    let named = |report: &repository::CheckReport| {
        report
            .problems
            .iter()
            .any(|problem| problem.kind == ProblemKind::KeyMissing)
    };
    assert!(
        named(&check(&store).await),
        "its second copy still opens the repository"
    );
    let report = repair_access(&store, None).await.unwrap();
    assert_eq!((report.repaired.len(), report.lost.len()), (0, 1));
    let repository = opened(Arc::clone(&store)).await;
    let golden = fixture(GOLDEN);
    let gone = paths(&golden, "keys")
        .into_iter()
        .map(|path| path["keys/".len()..].parse::<Id>().unwrap());
    for id in gone.filter(|id| !folder.path().join("keys").join(id.to_string()).exists()) {
        repository.remove_key(id).await.unwrap();
    }
    assert_eq!(check(&store).await.problems, []);
}

#[tokio::test]
async fn repairs_need_an_exclusive_lock() {
    let (repository, _) = in_memory().await;
    let lock = repository
        .lock_shared(&holder(&TestClock::real()))
        .await
        .unwrap();
    assert_eq!(
        repository
            .repair_index(&lock, false, true)
            .await
            .err()
            .unwrap()
            .code(),
        "lock-lost"
    );
    assert_eq!(
        repository
            .repair_snapshots(&lock, false, true)
            .await
            .err()
            .unwrap()
            .code(),
        "lock-lost"
    );
}

#[tokio::test]
async fn a_damaged_lock_goes_once_it_can_have_no_holder() {
    let golden = fixture(GOLDEN);
    let lock = paths(&golden, "locks")[0];
    for (minutes, goes) in [(29, false), (31, true)] {
        let store = in_store(&damaged(&[(lock, Cut { length: 50 })])).await;
        let repository = opened(Arc::clone(&store)).await;
        let holder = holder(&TestClock::real());
        let error = repository.lock_shared(&holder).await.err().unwrap();
        assert_eq!(
            error.code(),
            "repository-damaged",
            "nobody knows whether it excludes us"
        );
        let by = repository::InitOptions {
            created: holder.clock.now() + jiff::SignedDuration::from_mins(minutes),
            ..options()
        };
        let report =
            Repository::repair_access(Arc::clone(&store), &secret(PASSWORD), &by, None, false)
                .await
                .unwrap();
        assert_eq!(
            (report.repaired.len(), report.lost.len()),
            if goes { (1, 0) } else { (0, 1) }
        );
        let locked = repository.lock_shared(&holder).await;
        assert_eq!(locked.is_ok(), goes);
    }
}
