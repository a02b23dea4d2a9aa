//! restic's word on what a history left.

use std::process::Command;

use futures::TryStreamExt as _;
use object_store::{ObjectMeta, ObjectStore as _, ObjectStoreExt as _};

use crate::quick;
use crate::site::{Place, Site};

impl Site {
    /// Fails unless `restic check --read-data` finds both repositories whole.
    pub(crate) fn ask_restic(&self) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        self.calmly(async {
            let all: Vec<ObjectMeta> = self.store.list(None).try_collect().await.unwrap();
            for file in all {
                let bytes = self.store.get(&file.location).await.unwrap();
                let path = folder.path().join(file.location.as_ref());
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes.bytes().await.unwrap()).unwrap();
            }
        });
        for place in [Place::Main, Place::Second] {
            let repository = folder.path().join(place.folder());
            // An empty one has no folders yet, which restic misses.
            for part in ["data", "index", "keys", "locks", "snapshots"] {
                std::fs::create_dir_all(repository.join(part)).unwrap();
            }
            let output = Command::new("restic")
                .args(["check", "--read-data", "--no-cache", "--no-lock", "--repo"])
                .arg(&repository)
                .env("RESTIC_PASSWORD", quick::PASSWORD)
                .output()
                .expect("restic is installed");
            if !output.status.success() {
                let errors = String::from_utf8_lossy(&output.stderr);
                return Err(format!("restic check of {}: {errors}", place.folder()));
            }
        }
        Ok(())
    }
}
