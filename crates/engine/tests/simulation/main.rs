//! A seeded simulation of the whole system: short histories of change, backup, kill, fault, forget, prune and restore.
//!
//! What is promised, and asserted after every step of every history:
//!
//! * Whatever a committed snapshot holds is read back byte for byte, until the snapshot is forgotten on purpose.
//! * A snapshot holds what the service held, and where it does not, it holds what the snapshot before held and says so (stale, or an issue).
//! * Nothing that is left behind (locks, packs without an index) stops the next run, which succeeds once the faults are over.
//! * `check` finds nothing wrong, and neither does restic in what the first few histories left.
//!
//! This takes a store that keeps its word: a put or delete that it acknowledged stays done, a put is there as a whole or not at all; packs alone
//! may never come to be there. For stores that do not, `mend.rs` asserts what is left: the damage is never taken for good data, `check` names it, and after a repair a
//! full backup holds everything again.
//!
//! `SEED=17 cargo nextest run -p engine --test simulation` runs one history again, `SEEDS=5000` (`make simulate`) more of them. Encryption
//! picks its own random numbers, and with them the names of packs and the order of what goes by name: a rare failure may take a few runs of
//! its seed to come back.

#![expect(clippy::unwrap_used, reason = "tests")]

mod act;
#[path = "../common/asked.rs"]
mod asked;
mod history;
mod judge;
mod machine;
mod mend;
mod model;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/quick.rs"]
mod quick;
mod seeds;
mod site;
#[path = "../common/stand_in.rs"]
mod stand_in;
#[path = "../common/world/mod.rs"]
#[expect(dead_code, reason = "the tests of backups use more of it")]
mod world;

use history::Mode;
use machine::Counts;

/// What never happens proves nothing.
fn assert_happened(counts: &Counts, events: &[&str]) {
    for event in events {
        let happened = counts.get(*event).is_some_and(|count| *count > 0);
        assert!(
            happened || seeds::is_asked(),
            "{event} never happened: {counts:?}"
        );
    }
}

#[test]
fn what_was_committed_comes_back_and_every_miss_is_named() {
    let counts = seeds::run(Mode::Honest, 200);
    let events = [
        "backup done",
        "backup failed",
        "backup died",
        "backup resumed",
        "forget done",
        "forget died",
        "prune done",
        "prune failed",
        "prune died",
        "export done",
        "copy done",
        "copy failed",
        "copy died",
        "snapshot after a failure",
        "stale",
        "issue",
    ];
    assert_happened(&counts, &events);
}

#[test]
fn a_torn_write_costs_a_repair_and_no_data() {
    let counts = seeds::run(Mode::Torn, 60);
    assert_happened(&counts, &["backup died", "prune died", "repaired"]);
}

#[test]
fn what_a_store_forgets_is_named_and_comes_back_with_a_full_backup() {
    let counts = seeds::run(Mode::Forgetful, 60);
    let events = ["writes lost", "damage named", "repaired", "snapshot lost"];
    assert_happened(&counts, &events);
}
