//! What keeps a repository healthy without anybody asking for it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::RunKind;
use crate::policy::{Invalid, Schedule, When};

/// Of the packs, that a scheduled check reads unless somebody wants more: all of them in 20 weeks.
const READ_PERCENT: u8 = 5;

/// A kind of maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Is the repository whole?
    Check,
    /// Frees what no snapshot needs.
    Prune,
    /// Reads the newest snapshot of each source back.
    Verify,
}

impl Task {
    pub const ALL: [Self; 3] = [Self::Check, Self::Prune, Self::Verify];

    pub fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Prune => "prune",
            Self::Verify => "verify",
        }
    }

    pub fn run_kind(self) -> RunKind {
        match self {
            Self::Check => RunKind::Check,
            Self::Prune => RunKind::Prune,
            Self::Verify => RunKind::Verify,
        }
    }
}

/// A task that is done by itself; one that is switched off has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    pub task: Task,
    pub schedule: Schedule,
    /// Of the packs, that a check reads whole: another part each time.
    pub read_percent: u8,
}

impl Maintenance {
    /// What a new repository begins with: after the night's backups, on days of their own.
    pub fn standard() -> Vec<Self> {
        let weekly = |day: &str| When::Hours {
            at: BTreeSet::from(["06:00".to_owned()]),
            days: BTreeSet::from([day.to_owned()]),
        };
        let monthly = When::Cron {
            expression: "0 6 1 * *".to_owned(),
        };
        let of = |task, when, read_percent| Self {
            task,
            schedule: Schedule {
                when,
                ..Schedule::default()
            },
            read_percent,
        };
        vec![
            of(Task::Check, weekly("sat"), READ_PERCENT),
            of(Task::Prune, weekly("sun"), 0),
            of(Task::Verify, monthly, 0),
        ]
    }

    /// What its jitter goes by: the repositories of one server do not begin at once.
    pub fn label(&self, repository: &str) -> String {
        format!("{} {repository}", self.task.name())
    }

    /// All that is wrong with it; pointers begin with the task's name.
    pub fn faults(&self) -> Vec<Invalid> {
        let name = self.task.name();
        let mut wrong = self.schedule.check();
        for one in &mut wrong {
            one.pointer = format!("/{name}{}", one.pointer);
        }
        if self.read_percent > 100 {
            let pointer = format!("/{name}/read_percent");
            wrong.push(Invalid::new(pointer, "from 0 to 100"));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::next_runs;

    #[test]
    fn what_a_new_repository_begins_with_is_right_and_comes_around() {
        let monday = "2026-11-02T12:00:00Z".parse().unwrap();
        let days = Maintenance::standard().into_iter().map(|one| {
            assert_eq!(one.faults(), []);
            let next = next_runs(&one.schedule, &one.label("main"), monday, 2);
            next.last().unwrap().duration_since(monday).as_hours() / 24
        });
        assert_eq!(days.collect::<Vec<_>>(), [11, 12, 59]);
    }

    #[test]
    fn faults_name_the_task() {
        let mut one = Maintenance::standard().remove(0);
        one.schedule.time_zone = "Nowhere".to_owned();
        one.read_percent = 101;
        let pointers: Vec<String> = one.faults().into_iter().map(|one| one.pointer).collect();
        assert_eq!(
            pointers,
            ["/check/schedule/time_zone", "/check/read_percent"]
        );
    }
}
