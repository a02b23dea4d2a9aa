//! What the store remembers between operations, and how it decides on each.

use std::collections::HashMap;
use std::time::SystemTime;

use object_store::path::Path;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::plan::{Effect, Plan, Strike, Verdict};

/// What an operation is, as far as faults differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Put { size: u64 },
    Delete,
}

pub(crate) struct State {
    plan: Plan,
    random: StdRng,
    /// Operations since the plan began.
    pub(crate) count: u64,
    used: u64,
    writes: u64,
    /// The operation from which on a new object is seen.
    hidden: HashMap<Path, u64>,
    modified: HashMap<Path, SystemTime>,
    /// Acknowledged since the plan began, in order.
    written: Vec<Path>,
    pub(crate) strikes: Vec<Strike>,
}

impl State {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            random: StdRng::seed_from_u64(plan.seed),
            plan,
            count: 0,
            used: 0,
            writes: 0,
            hidden: HashMap::new(),
            modified: HashMap::new(),
            written: Vec::new(),
            strikes: Vec::new(),
        }
    }

    /// Begins another plan; times of objects stay known.
    pub(crate) fn arm(&mut self, plan: Plan) {
        let modified = std::mem::take(&mut self.modified);
        *self = Self {
            modified,
            ..Self::new(plan)
        };
    }

    pub(crate) fn pauses(&mut self) -> u32 {
        self.random.random_range(0..=self.plan.delay)
    }

    pub(crate) fn decide(&mut self, operation: Operation, name: &str) -> Verdict {
        let number = self.count;
        self.count += 1;
        let verdict = self.verdict(operation, number, name);
        if let Some(fault) = verdict.name() {
            self.strikes.push(Strike {
                number,
                operation: name.to_owned(),
                fault,
            });
        }
        verdict
    }

    fn verdict(&mut self, operation: Operation, number: u64, name: &str) -> Verdict {
        if self.plan.crash_at == Some(number) {
            return Verdict::Die(self.effect(operation));
        }
        if self.plan.down_from.is_some_and(|from| number >= from) {
            return Verdict::Fail(Effect::None);
        }
        if operation != Operation::Read {
            self.writes += 1;
            if self.plan.writes.is_some_and(|most| self.writes > most) {
                return Verdict::Fail(Effect::None);
            }
        }
        if self.chance(self.plan.errors) {
            return Verdict::Fail(self.effect(operation));
        }
        match operation {
            Operation::Put { size } => {
                let used = self.used + size;
                if self.plan.room.is_some_and(|room| used > room) {
                    let torn = self.plan.torn && self.random.random_bool(0.5);
                    return Verdict::Full(if torn { Effect::Torn } else { Effect::None });
                }
                self.used = used;
                if is_data(name) && self.chance(self.plan.swallow) {
                    Verdict::Swallow
                } else {
                    Verdict::Pass
                }
            }
            Operation::Delete if self.chance(self.plan.twice) => Verdict::Twice,
            Operation::Delete | Operation::Read => Verdict::Pass,
        }
    }

    fn chance(&mut self, of_thousand: u32) -> bool {
        of_thousand > 0 && self.random.random_range(0..1000) < of_thousand
    }

    fn effect(&mut self, operation: Operation) -> Effect {
        let choices: &[Effect] = match operation {
            Operation::Read => &[Effect::None],
            Operation::Put { .. } if self.plan.torn => &[Effect::None, Effect::Whole, Effect::Torn],
            Operation::Put { .. } | Operation::Delete => &[Effect::None, Effect::Whole],
        };
        choices[self.random.random_range(0..choices.len())]
    }

    /// How much of a file of this size a torn write leaves: never all of it.
    pub(crate) fn torn_size(&mut self, size: usize) -> usize {
        self.random.random_range(0..size.max(1))
    }

    /// Notes an object that is there now; `acknowledged` if its writer was told so.
    pub(crate) fn written(&mut self, at: &Path, now: SystemTime, acknowledged: bool) {
        self.modified.insert(at.clone(), now);
        if self.plan.late > 0 {
            let until = self.count + self.random.random_range(0..=self.plan.late);
            self.hidden.insert(at.clone(), until);
        }
        if acknowledged {
            self.written.push(at.clone());
        }
    }

    pub(crate) fn removed(&mut self, at: &Path) {
        self.modified.remove(at);
        self.hidden.remove(at);
    }

    pub(crate) fn is_hidden(&self, at: &Path) -> bool {
        self.hidden
            .get(at)
            .is_some_and(|until| self.count <= *until)
    }

    pub(crate) fn modified(&self, at: &Path) -> Option<SystemTime> {
        self.modified.get(at).copied()
    }

    /// Acknowledged writes that a forgetful store loses in a crash; `true` where the first part stays.
    pub(crate) fn lost(&mut self) -> Vec<(Path, bool)> {
        let written = std::mem::take(&mut self.written);
        if !self.plan.forgetful {
            return Vec::new();
        }
        let mut lost = Vec::new();
        for path in written {
            if self.random.random_bool(0.4) {
                lost.push((path, self.plan.torn && self.random.random_bool(0.3)));
            }
        }
        lost
    }
}

/// Whether an operation is on something in a folder `data`.
fn is_data(name: &str) -> bool {
    name.split(['/', ' ']).any(|part| part == "data")
}
