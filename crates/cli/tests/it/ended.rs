//! The program is asked to end while it works: it gives back what it holds.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::World;

/// Asks it to end as soon as something of its lock is there; its exit code.
async fn asked_at_its_lock(world: &World, arguments: &[&str], signal: Signal) -> Option<i32> {
    let locks = world.path("default/locks");
    let mut child = world.start(arguments);
    while std::fs::read_dir(&locks).unwrap().next().is_none() {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), signal).unwrap();
    child.wait().await.unwrap().code()
}

#[tokio::test]
async fn whoever_is_asked_to_end_early_leaves_no_lock() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let mut canceled = 0;
    for line in [
        "backup contoso --full",
        "verify latest",
        "repository check --read-data",
        "repository stats",
        "repository prune",
        "snapshot forget --keep-last 100",
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            let code = asked_at_its_lock(&world, &arguments, signal).await;
            // It may have come to its end before it heard.
            assert!(matches!(code, Some(0 | 130)), "{line}, {signal}: {code:?}");
            canceled += u32::from(code == Some(130));
            let left = std::fs::read_dir(world.path("default/locks")).unwrap();
            assert_eq!(left.count(), 0, "{line}, {signal}");
        }
    }
    assert!(canceled >= 6, "{canceled}");
    // restic, which asks no process of ours whether it lives, is not kept waiting.
    let pruned = world.restic("default", &["prune"]).await;
    assert!(pruned.status.success(), "{pruned:?}");
}
