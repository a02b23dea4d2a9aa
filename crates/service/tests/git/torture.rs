//! A long random life of a repository, backed up at every turn: each snapshot is exactly what the server had.

use jiff::SignedDuration;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use service::git::{Protocol, Upkeep};

use crate::backup::{Backup, lay_out};
use crate::history::{Bare, text};
use crate::host::{Host, Manner};

struct Life {
    bare: Bare,
    random: StdRng,
    /// Commits that were seen at some time; the server may have forgotten them.
    past: Vec<String>,
    count: u32,
}

impl Life {
    fn names(&self, space: &str) -> Vec<String> {
        self.bare
            .git(&["for-each-ref", "--format=%(refname)", space])
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn any(&mut self, space: &str) -> Option<String> {
        let names = self.names(space);
        names.choose(&mut self.random).cloned()
    }

    fn commit(&mut self, name: &str, parent: Option<&str>) {
        self.count += 1;
        let file = self.random.random_range(0..6);
        let path = format!("dir{}/file{file}", file % 3);
        let id = self
            .bare
            .commit_on(name, parent, &[(&path, &text(file, self.count))]);
        self.past.push(id);
    }

    fn step(&mut self) {
        self.count += 1;
        let fresh = format!("refs/heads/b{}", self.random.random_range(0..8));
        let branch = self.any("refs/heads").unwrap();
        match self.random.random_range(0..13) {
            0..=3 => self.commit(&branch, Some(&branch)),
            4 => self.commit(&fresh, Some(&branch)),
            5 => self.commit(&fresh, None),
            6 => {
                let older = format!("{branch}~1");
                let parent = self
                    .bare
                    .try_git(&["rev-parse", "--verify", "--quiet", &older])
                    .then_some(older);
                self.commit(&branch, parent.as_deref());
            }
            7 if branch != self.head() => drop(self.bare.git(&["update-ref", "-d", &branch])),
            8 => self.resurrect(&fresh),
            9 => drop(self.bare.tag(&format!("t{}", self.count), &branch)),
            10 => {
                let object = self
                    .any("refs/tags")
                    .unwrap_or_else(|| format!("{branch}^{{tree}}"));
                drop(self.bare.tag(&format!("t{}", self.count % 5), &object));
            }
            11 => {
                if let Some(tag) = self.any("refs/tags") {
                    self.bare.git(&["update-ref", "-d", &tag]);
                }
            }
            12 => {
                let pull = format!("refs/pull/{}/merge", self.random.random_range(1..4));
                self.commit(&pull, Some(&branch));
            }
            _ => drop(self.bare.git(&["symbolic-ref", "HEAD", &branch])),
        }
    }

    fn head(&self) -> String {
        self.bare.git(&["symbolic-ref", "HEAD"]).trim().to_owned()
    }

    /// An old commit comes back, if the server still has it.
    fn resurrect(&mut self, name: &str) {
        let Some(id) = self.past.choose(&mut self.random).cloned() else {
            return;
        };
        if self
            .bare
            .try_git(&["rev-list", "--objects", "--quiet", &id])
        {
            self.bare.git(&["update-ref", name, &id]);
        }
    }
}

/// With an upkeep that is always at work, packs come and go from run to run.
async fn live(seed: u64, manner: Manner, protocol: Protocol, upkeep: Upkeep) {
    let host = Host::start(manner).await;
    let mut life = Life {
        bare: host.repository("repo"),
        random: StdRng::seed_from_u64(seed),
        past: Vec::new(),
        count: 0,
    };
    life.commit("refs/heads/main", None);
    let remote = host.remote("repo").asking_for(protocol).upkeep(upkeep);
    let mut backup = Backup::of(&host.client, remote);
    let mut consolidated = 0;
    let mut snapshots = Vec::new();
    let listing = if protocol == Protocol::V2 { 2 } else { 1 };
    for round in 0..14 {
        for _ in 0..life.random.random_range(1..7) {
            life.step();
        }
        if life.random.random_bool(0.3) {
            life.bare.collect_garbage();
        }
        backup.clean().await;
        assert!(host.seen().len() <= listing + 1, "round {round}");
        let (_folder, restored) = backup.laid_out();
        restored.fsck();
        let picture = life.bare.picture();
        assert_eq!(restored.picture(), picture, "round {round}");
        snapshots.push((backup.snapshot.clone(), picture));
        backup.now += SignedDuration::from_hours(24);
        if upkeep.most_packs == Upkeep::USUAL.most_packs {
            backup.clean().await;
            assert_eq!(
                (host.seen().len(), backup.touched.len()),
                (listing, 0),
                "round {round}"
            );
        }
        consolidated += usize::from(backup.snapshot.packs().len() == 1);
    }
    for (snapshot, picture) in &snapshots {
        let names: Vec<&String> = snapshot
            .0
            .keys()
            .filter(|name| name.starts_with("objects/"))
            .collect();
        if upkeep.most_packs == Upkeep::USUAL.most_packs {
            assert!(
                names
                    .iter()
                    .all(|name| backup.snapshot.0[*name] == snapshot.0[*name]),
                "stored packs never change"
            );
        }
        assert_eq!(lay_out(snapshot).1.picture(), *picture);
    }
    assert!(
        upkeep.most_packs == Upkeep::USUAL.most_packs || consolidated > 3,
        "{consolidated}"
    );
    let target = host.repository("target");
    backup.restore(&host.remote("target")).await.unwrap();
    assert!(
        backup
            .verify(&host.remote("target"))
            .await
            .unwrap()
            .iter()
            .all(|difference| difference.starts_with("the default branch"))
    );
    target.fsck();
}

#[tokio::test]
async fn azure_devops_repositories_survive_a_long_life() {
    live(1, Manner::AzureDevOps, Protocol::V0, Upkeep::USUAL).await;
}

#[tokio::test]
async fn repositories_of_plain_version_0_survive_a_long_life() {
    live(2, Manner::Plain, Protocol::V0, Upkeep::USUAL).await;
}

#[tokio::test]
async fn repositories_of_version_2_survive_a_long_life() {
    live(3, Manner::Plain, Protocol::V2, Upkeep::USUAL).await;
}

#[tokio::test]
async fn packs_that_are_looked_after_all_the_time_lose_nothing() {
    let upkeep = Upkeep {
        most_packs: 2,
        most_waste: 10,
        least_bytes: 0,
        measure_days: 1,
        whole_days: 11,
    };
    live(4, Manner::AzureDevOps, Protocol::V0, upkeep).await;
}
