//! Histories by seed.

use ::model::Class;
use engine::retention::Keep;
use fault_store::Plan;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::world::Change;

/// What kind of store the history has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It keeps its word: what it acknowledged stays, and a put is there as a whole or not at all.
    Honest,
    /// A put that fails, or in which the process dies, may leave the first part of the file.
    Torn,
    /// What it acknowledged may be gone or torn after a crash.
    Forgetful,
}

/// What the service does wrong during a backup.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// A kind fails after so many items.
    Kind(&'static str, Class, usize),
    /// A note cannot be read.
    Note(u8),
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Backup {
        trouble: Option<Trouble>,
        full: bool,
        /// A person has confirmed that projects may be gone.
        accept: bool,
    },
    Forget {
        keep: Keep,
        accept: bool,
    },
    Prune {
        /// Minutes.
        grace: u16,
    },
    Export,
    /// Every snapshot, into the second repository. Only where the store keeps its word: nobody mends that one.
    Copy,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Change(Vec<Change>),
    /// Hours in which nobody does anything.
    Wait(u16),
    /// One process, or two at once, on a store with faults.
    Run {
        acts: Vec<Act>,
        plan: Plan,
    },
}

pub(crate) fn history(seed: u64, mode: Mode) -> Vec<Step> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut steps = vec![
        Step::Change(changes(&mut random, 20)),
        run(&mut random, mode, vec![BACKUP]),
    ];
    for _ in 0..random.random_range(3..14) {
        let step = match random.random_range(0..20) {
            0..5 => Step::Change(changes(&mut random, 12)),
            5..7 => Step::Wait(random.random_range(1..200)),
            7..12 => {
                let act = backup(&mut random);
                run(&mut random, mode, vec![act])
            }
            12..18 => {
                let act = other(&mut random, mode);
                run(&mut random, mode, vec![act])
            }
            _ => {
                let acts = vec![backup(&mut random), other(&mut random, mode)];
                run(&mut random, mode, acts)
            }
        };
        steps.push(step);
    }
    steps
}

const BACKUP: Act = Act::Backup {
    trouble: None,
    full: false,
    accept: false,
};

fn run(random: &mut StdRng, mode: Mode, acts: Vec<Act>) -> Step {
    let plan = plan(random, mode);
    Step::Run { acts, plan }
}

fn changes(random: &mut StdRng, most: usize) -> Vec<Change> {
    let count = random.random_range(1..=most);
    (0..count).map(|_| change(random)).collect()
}

fn change(random: &mut StdRng) -> Change {
    let (project, id) = (random.random_range(0..3), random.random_range(0..25));
    match random.random_range(0..12) {
        0 => Change::Project(project),
        1 if random.random_bool(0.3) => Change::RemoveProject(random.random_range(1..3)),
        1..5 => Change::Note(project, random.random_range(0..8)),
        5 => Change::RemoveNote(project, random.random_range(0..8)),
        6..8 => Change::Event(id),
        8 => Change::Remark(id),
        9 => Change::Bin(id),
        10 => Change::Unbin(id),
        _ => Change::Destroy(id),
    }
}

fn backup(random: &mut StdRng) -> Act {
    let trouble = match random.random_range(0..10) {
        0..2 => {
            let kinds = ["project", "note", "log"];
            let classes = [Class::Permission, Class::Transient, Class::Credential];
            Some(Trouble::Kind(
                kinds[random.random_range(0..kinds.len())],
                classes[random.random_range(0..classes.len())],
                random.random_range(0..6),
            ))
        }
        2 => Some(Trouble::Note(random.random_range(0..8))),
        _ => None,
    };
    Act::Backup {
        trouble,
        full: random.random_bool(0.15),
        accept: random.random_bool(0.3),
    }
}

fn other(random: &mut StdRng, mode: Mode) -> Act {
    match random.random_range(0..8) {
        0..3 => {
            let mut keep = Keep {
                last: random.random_range(0..3),
                daily: random.random_range(0..3),
                weekly: random.random_range(0..2),
                ..Keep::default()
            };
            if keep.is_empty() {
                keep.last = 1;
            }
            Act::Forget {
                keep,
                accept: random.random_bool(0.5),
            }
        }
        3..6 => Act::Prune {
            grace: [0, 10, 60, 240][random.random_range(0..4)],
        },
        6 if mode == Mode::Honest => Act::Copy,
        _ => Act::Export,
    }
}

/// Mostly one kind of fault at a time: several hide each other.
fn plan(random: &mut StdRng, mode: Mode) -> Plan {
    let plan = Plan {
        seed: random.random(),
        delay: random.random_range(0..4),
        ..Plan::default()
    };
    let plan = Plan {
        torn: mode != Mode::Honest,
        forgetful: mode == Mode::Forgetful && random.random_bool(0.4),
        ..plan
    };
    match random.random_range(0..20) {
        0..7 => Plan {
            crash_at: Some(random.random_range(0..60)),
            ..plan
        },
        7..9 => Plan {
            errors: random.random_range(1..100),
            ..plan
        },
        9 => Plan {
            down_from: Some(random.random_range(0..60)),
            ..plan
        },
        10 => Plan {
            room: Some(random.random_range(0..4000)),
            ..plan
        },
        11..13 => Plan {
            late: random.random_range(1..12),
            ..plan
        },
        13 => Plan {
            twice: random.random_range(1..500),
            errors: random.random_range(0..20),
            ..plan
        },
        14 => Plan {
            swallow: random.random_range(1..400),
            ..plan
        },
        _ => plan,
    }
}
