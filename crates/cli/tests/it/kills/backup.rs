//! A first backup, with checkpoints as often as they can be.

use crate::common::{Content, World};

use super::victim::{self, Place, Point, Writes};
use super::{holds, is_whole, undisturbed};

pub(crate) struct Backup {
    pub(super) writes: u64,
    whole: Content,
    count: u32,
}

fn arguments(repository: &str) -> [&str; 6] {
    let often = ["--checkpoint-pause", "0"];
    [
        "backup",
        "contoso",
        "--repository",
        repository,
        often[0],
        often[1],
    ]
}

/// Nothing is in the repository that the catalog did not know of.
pub(crate) async fn is_listed(world: &World, repository: &str) {
    let sync = format!("repository sync --repository {repository}");
    let synced = world.done(&sync).await;
    assert_eq!(synced.event("result")["added"], 0, "{}", synced.told());
}

impl Backup {
    pub(super) async fn prepare(world: &World, whole: Content) -> Self {
        world.repository("calm").await;
        let place = Place::Repository(world.path("calm"));
        Self {
            writes: undisturbed(world, &arguments("calm"), place).await,
            whole,
            count: 0,
        }
    }

    /// What it did when it was killed; `None` if it was not.
    pub(super) async fn kill(&mut self, world: &World, point: u64) -> Option<String> {
        self.count += 1;
        let name = format!("backup-{}", self.count);
        world.repository(&name).await;
        let mut writes = Writes::begin(world, Place::Repository(world.path(&name))).await;
        let ended = victim::run(
            world,
            &arguments(&name),
            &mut writes,
            Some(Point::Write(point)),
        )
        .await;
        let killed = ended.was_killed(&writes);

        is_whole(world, &name).await;
        let committed = world.snapshots(&name).await;
        if killed {
            // If it was written, it was as a whole; the catalog may not know of it, and the next one goes on all the same.
            world.keepward(&arguments(&name)).await.exits(0);
            is_whole(world, &name).await;
        }
        let all = world.snapshots(&name).await;
        assert_eq!(
            all.len(),
            committed.len().max(1) + usize::from(killed && !committed.is_empty())
        );
        is_listed(world, &name).await;
        holds(world, &name, &self.whole).await;
        killed.then(|| match ended.phase.split(' ').next() {
            Some("crawl") => format!("crawl, last wrote {}", writes.last),
            _ => format!("{}, last wrote {}", ended.phase, writes.last),
        })
    }
}
