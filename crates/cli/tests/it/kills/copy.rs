//! A copy into another repository.

use crate::common::{Content, World};

use super::victim::{self, Place, Point, Writes};
use super::{Store, holds, is_whole, undisturbed};

const ARGUMENTS: [&str; 6] = ["repository", "copy", "--from", "source", "--to", "target"];

pub(crate) struct Copy {
    pub(super) writes: u64,
    /// The target before anything was copied.
    empty: tempfile::TempDir,
    snapshots: usize,
    content: Content,
}

impl Copy {
    pub(super) async fn prepare(world: &World, store: &Store) -> Self {
        store.put(&world.path("source"));
        let (place, password) = (world.at("source"), world.at("password"));
        let add = format!("repository add {place} --name source --password-file {password}");
        world.done(&add).await;
        world.repository("target").await;
        let empty = tempfile::tempdir().unwrap();
        super::replace(&world.path("target"), empty.path());
        let target = Place::Repository(world.path("target"));
        Self {
            writes: undisturbed(world, &ARGUMENTS, target).await,
            empty,
            snapshots: store.snapshots.len(),
            content: store.content.clone(),
        }
    }

    /// What it did when it was killed; `None` if it was not.
    pub(super) async fn kill(&mut self, world: &World, point: u64) -> Option<String> {
        let target = world.path("target");
        super::replace(self.empty.path(), &target);
        let sync = "repository sync --repository target";
        world.done(sync).await;
        let mut writes = Writes::begin(world, Place::Repository(target)).await;
        let ended = victim::run(world, &ARGUMENTS, &mut writes, Some(Point::Write(point))).await;
        let killed = ended.was_killed(&writes);
        is_whole(world, "source").await;
        is_whole(world, "target").await;
        world.keepward(&ARGUMENTS).await.exits(0);
        is_whole(world, "target").await;
        assert_eq!(world.snapshots("target").await.len(), self.snapshots);
        holds(world, "target", &self.content).await;
        killed.then(|| format!("{}, last wrote {}", ended.phase, writes.last))
    }
}
