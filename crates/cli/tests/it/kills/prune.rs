//! A prune of what a forgotten snapshot and checkpoints left.

use crate::common::{Content, World};

use super::victim::{self, Place, Point, Writes};
use super::{Store, holds, is_whole, undisturbed};

const ARGUMENTS: [&str; 8] = [
    "repository",
    "prune",
    "--grace",
    "0s",
    "--max-unused",
    "0",
    "--repository",
    "work",
];

pub(crate) struct Prune {
    pub(super) writes: u64,
    start: tempfile::TempDir,
    snapshots: Vec<String>,
    content: Content,
}

impl Prune {
    pub(super) async fn prepare(world: &World, store: &Store) -> Self {
        let work = world.path("work");
        store.put(&work);
        let writes = undisturbed(world, &ARGUMENTS, Place::Repository(work)).await;
        let start = tempfile::tempdir().unwrap();
        store.put(start.path());
        Self {
            writes,
            start,
            snapshots: store.snapshots.clone(),
            content: store.content.clone(),
        }
    }

    /// What it did when it was killed; `None` if it was not.
    pub(super) async fn kill(&mut self, world: &World, point: u64) -> Option<String> {
        let work = world.path("work");
        super::replace(self.start.path(), &work);
        let mut writes = Writes::begin(world, Place::Repository(work)).await;
        let ended = victim::run(world, &ARGUMENTS, &mut writes, Some(Point::Write(point))).await;
        let killed = ended.was_killed(&writes);
        self.is_right(world).await;
        world.keepward(&ARGUMENTS).await.exits(0);
        self.is_right(world).await;
        killed.then(|| format!("{}, last touched {}", ended.phase, writes.last))
    }

    async fn is_right(&self, world: &World) {
        is_whole(world, "work").await;
        assert_eq!(world.snapshots("work").await, self.snapshots);
        holds(world, "work", &self.content).await;
    }
}
