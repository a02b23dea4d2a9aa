//! Files that lie where nobody looks for them.

use std::sync::Arc;

use crate::damage_golden::{GOLDEN, fixture, in_store};
use crate::damage_matrix::Damage::Move;
use crate::damage_matrix::{astray, check};
use crate::damage_repair::{assert_sound, contents, dump, exclusive, paths, repair_all};
use crate::support::*;

#[tokio::test]
async fn what_went_astray_is_put_in_its_place() {
    let mut golden = fixture(GOLDEN);
    golden.retain(|path, _| !path.starts_with("keepward/"));
    let whole = contents(&in_store(&golden).await).await;
    for path in ["data", "index", "snapshots"].map(|folder| paths(&golden, folder)[0]) {
        let to = astray(path);
        let mut files = golden.clone();
        Move { to: to.clone() }.apply(path, &mut files);
        let store = in_store(&files).await;
        let repository = opened(Arc::clone(&store)).await;
        let lock = exclusive(&repository).await;
        let plan = repository.repair_index(&lock, false, true).await.unwrap();
        assert!(
            dump(&store).await.contains_key(&to),
            "a dry run moves nothing"
        );
        let done = repository.repair_index(&lock, false, false).await.unwrap();
        assert_eq!((plan.repaired, &plan.lost), (done.repaired, &done.lost));
        lock.release().await.unwrap();
        let reports = repair_all(&store, false).await;
        assert!(
            reports.iter().all(|report| report.lost.is_empty()),
            "{reports:?}"
        );
        assert!(!dump(&store).await.contains_key(&to), "{path}");
        assert_eq!(contents(&store).await, whole, "{path}");
        assert_sound(&store).await;
    }
    // What is in its place as well may lie wherever it likes.
    let pack = paths(&golden, "data")[0];
    let mut files = golden.clone();
    files.insert(astray(pack), golden[pack].clone());
    let report = check(&in_store(&files).await).await;
    assert!(report.is_clean(), "{:?}", report.problems);
    let strays: Vec<_> = report.problems.iter().map(|one| &one.file).collect();
    assert_eq!(strays, [&Some(astray(pack))]);
}
