//! The seeded simulation with the real kinds: an Azure DevOps over HTTP whose answers fail, on a storage that fails too.
//!
//! After every run each file of the new snapshot is what the organization holds (a full backup without faults says what that is), or what the
//! snapshot before held, and then the snapshot names it. Git packs differ between an increment and a full fetch: of git, the refs count here.
//!
//! `SEED=17 cargo nextest run -p engine --test simulation_http` runs one history again, `SEEDS=50` more of them.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/asked.rs"]
mod asked;
mod organization;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/quick.rs"]
mod quick;
mod run;
#[path = "../common/stand_in.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod stand_in;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use asked::asked;
use organization::Organization;
use run::{Backups, Files};

/// Rounds of change and backup in one history.
const ROUNDS: usize = 3;

/// Returns how often a backup failed or died, and how often one told of a miss.
fn play(seed: u64) -> Result<(usize, usize), String> {
    let mut random = StdRng::seed_from_u64(seed);
    let organization = Organization::start();
    let backups = Backups::new(&organization);
    let (mut failed, mut told) = (0, 0);
    let mut before = Files::default();
    for round in 0..ROUNDS {
        organization.change(random.random_range(1..6));
        let held = Backups::new(&organization).clean()?.files;
        organization.trouble(&mut random);
        let done = backups.run(run::plan(&mut random));
        organization.heal();
        failed += usize::from(!done);
        for new in backups.new_snapshots()? {
            told += usize::from(!new.source.issues.is_empty());
            new.judge(&before, &held)
                .map_err(|error| format!("round {round}: {error}"))?;
            before = new.files;
        }
    }
    let held = Backups::new(&organization).clean()?.files;
    let last = backups.clean()?;
    last.judge(&Files::default(), &held)
        .map_err(|error| format!("after the last round: {error}"))?;
    backups.check()?;
    Ok((failed, told))
}

#[test]
fn what_the_organization_held_comes_back_and_every_miss_is_named() {
    let (first, count) = match asked("SEED") {
        Some(seed) => (seed, 1),
        None => (0, asked("SEEDS").unwrap_or(6)),
    };
    let (mut failed, mut told) = (0, 0);
    for seed in first..first + count {
        let (more_failed, more_told) = play(seed).unwrap_or_else(|error| {
            panic!("seed {seed}: {error}\nagain: SEED={seed} cargo nextest run -p engine --test simulation_http")
        });
        failed += more_failed;
        told += more_told;
    }
    assert!(
        count < 6 || (failed > 0 && told > 0),
        "{failed} failed, {told} told of a miss: nothing was tried"
    );
}
