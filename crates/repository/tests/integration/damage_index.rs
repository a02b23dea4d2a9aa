//! Snapshots are repaired while the index does not say what packs hold.

use crate::damage_golden::{GOLDEN, fixture, in_store};
use crate::damage_matrix::Damage::{self, Delete, Flip, Move};
use crate::damage_matrix::astray;
use crate::damage_repair::{assert_sound, contents, dump, exclusive, paths, repair_all};
use crate::support::*;

#[tokio::test]
async fn a_repair_of_snapshots_takes_nothing_for_lost_that_packs_hold() {
    let golden = fixture(GOLDEN);
    let whole = contents(&in_store(&golden).await).await;
    let (indexes, packs) = (paths(&golden, "index"), paths(&golden, "data"));
    let snapshot = paths(&golden, "snapshots")[0].as_str();
    let all = indexes.iter().map(|path| (path.as_str(), Delete));
    let to = astray(packs[0]);
    let cases: [Vec<(&str, Damage)>; 4] = [
        vec![(indexes[0], Delete)],
        vec![(indexes[1], Flip { bit: 700 })],
        all.chain([(snapshot, Delete)]).collect(),
        vec![(packs[0], Move { to })],
    ];
    for case in cases {
        let mut files = golden.clone();
        for (path, damage) in &case {
            damage.apply(path, &mut files);
        }
        let store = in_store(&files).await;
        let repository = opened(store.clone()).await;
        let lock = exclusive(&repository).await;
        let before = dump(&store).await;
        let plan = repository.repair_snapshots(&lock, true, true).await;
        assert_eq!(plan.unwrap().lost, [], "{case:?}");
        assert_eq!(dump(&store).await, before, "a dry run writes nothing");
        let done = repository.repair_snapshots(&lock, true, false).await;
        assert_eq!(done.unwrap().lost, [], "{case:?}");
        lock.release().await.unwrap();
        assert_eq!(contents(&store).await, whole, "{case:?}");
        assert_sound(&store).await;
    }
}

/// As when a copy of the lost file is found after the repair.
#[tokio::test]
async fn what_stands_for_a_damaged_snapshot_goes_once_the_original_is_whole_again() {
    let golden = fixture(GOLDEN);
    let whole = contents(&in_store(&golden).await).await;
    for path in paths(&golden, "data") {
        let mut files = golden.clone();
        let pack = files.remove(path).unwrap();
        let store = in_store(&files).await;
        let [.., repaired] = repair_all(&store, false).await;
        assert!(!repaired.lost.is_empty(), "{path}");
        let mut files = dump(&store).await;
        files.insert(path.clone(), pack);
        let store = in_store(&files).await;
        let [.., repaired] = repair_all(&store, false).await;
        assert!(repaired.lost.is_empty(), "{path}: {repaired:?}");
        assert_eq!(contents(&store).await, whole, "{path}");
        let files = dump(&store).await;
        assert_eq!(paths(&files, "snapshots"), paths(&golden, "snapshots"));
        assert_sound(&store).await;
    }
}
