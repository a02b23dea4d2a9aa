//! Key files under names that are not theirs.

use repository::{CheckOptions, ProblemKind, Repository};

use crate::support::*;

#[tokio::test]
async fn a_key_file_under_another_name_opens_and_is_put_in_its_place() {
    for others in [0, 1] {
        let disk = OnDisk::init().await;
        let id = disk.repository.keys().await.unwrap()[0].id;
        for _ in 0..others {
            let added = disk.repository.add_key(&secret("second"), &options()).await;
            added.unwrap();
        }
        let place = disk.path().join("keys").join(id.to_string());
        // One that comes before it, and one that comes after.
        for name in ["00".repeat(32), "ff".repeat(32)] {
            std::fs::rename(&place, disk.path().join("keys").join(&name)).unwrap();
            let checked = disk.reopen().await.check(&CheckOptions::default()).await;
            let checked = checked.unwrap();
            let damaged = checked
                .problems
                .iter()
                .find(|problem| problem.kind == ProblemKind::KeyDamaged);
            assert_eq!(damaged.unwrap().file, Some(format!("keys/{name}")));
            let (store, _) = repository::store_from(disk.path().to_str().unwrap()).unwrap();
            for dry_run in [true, false] {
                let (store, password) = (store.clone(), secret(PASSWORD));
                let report =
                    Repository::repair_access(store, &password, &options(), None, dry_run).await;
                let report = report.unwrap();
                assert_eq!((report.repaired.len(), report.lost.len()), (2, 0));
                assert_eq!(place.exists(), !dry_run);
            }
            let repository = disk.reopen().await;
            assert_eq!(repository.keys().await.unwrap().len(), 1 + others);
            let checked = repository.check(&CheckOptions::default()).await.unwrap();
            assert_eq!(checked.problems, []);
            disk.restic(&["check"]);
        }
    }
}
