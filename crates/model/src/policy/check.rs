//! What is wrong with a policy, member by member.

use jiff::Timestamp;

use super::schedule::{cron, next_runs, time, weekday, zone};
use super::{Policy, Schedule, When, matches};

/// The shortest interval: a backup asks the service for something even when nothing changed.
const LEAST_MINUTES: u32 = 5;
/// Whatever runs less often than once a year protects nothing.
const MOST_MINUTES: u32 = 366 * 24 * 60;
const MOST_JITTER: u32 = 24 * 60;

/// A member that cannot be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// A JSON pointer: `/schedule/time_zone`.
    pub pointer: String,
    pub message: String,
}

impl Invalid {
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

impl Policy {
    /// All that is wrong with it as it stands; what it names (connectors, repository, kinds) is not looked up.
    pub fn check(&self) -> Vec<Invalid> {
        let mut wrong = Vec::new();
        let name = self.name.as_str();
        let allowed = |char: char| char.is_alphanumeric() || "-_. ".contains(char);
        if name.is_empty() || name.chars().count() > 64 {
            wrong.push(Invalid::new("/name", "it needs 1 to 64 characters"));
        } else if !name.chars().all(allowed) || name.trim() != name {
            wrong.push(Invalid::new(
                "/name",
                "letters, digits, `-`, `_`, `.` and spaces within it are allowed",
            ));
        }
        for (number, pattern) in self.connectors.iter().enumerate() {
            if pattern.trim().is_empty() {
                wrong.push(Invalid::new(format!("/connectors/{number}"), "it is empty"));
            }
        }
        self.selection_check(&mut wrong);
        wrong.extend(self.schedule.check());
        if self.retention.tags.iter().any(Vec::is_empty) {
            wrong.push(Invalid::new(
                "/retention/tags",
                "an entry without a tag would keep nothing",
            ));
        }
        if self.limits.runs == Some(0) {
            wrong.push(Invalid::new(
                "/limits/runs",
                "0 would never run: switch the policy off instead",
            ));
        }
        if self.limits.bytes_per_second.is_some_and(|rate| rate < 1024) {
            wrong.push(Invalid::new(
                "/limits/bytes_per_second",
                "at least 1024 are needed to get through",
            ));
        }
        wrong
    }

    fn selection_check(&self, wrong: &mut Vec<Invalid>) {
        for (kind, choice) in &self.selection.items {
            let lists = [("include", &choice.include), ("exclude", &choice.exclude)];
            for (list, patterns) in lists {
                for (number, pattern) in patterns.iter().enumerate() {
                    if pattern.trim().is_empty() {
                        wrong.push(Invalid::new(
                            format!("/selection/items/{}/{list}/{number}", escape(kind)),
                            "it is empty",
                        ));
                    }
                }
            }
            let all = |pattern: &String| ["", "a", "Ω/ß"].iter().all(|name| matches(pattern, name));
            if choice.exclude.iter().any(all) {
                wrong.push(Invalid::new(
                    format!("/selection/items/{}/exclude", escape(kind)),
                    "it excludes everything",
                ));
            }
        }
    }
}

/// A name within a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl Schedule {
    /// Days come back: what has not come for ages does not come.
    fn ever_runs(&self) -> bool {
        !next_runs(self, "", Timestamp::UNIX_EPOCH, 1).is_empty()
    }

    /// All that is wrong with it; pointers begin with `/schedule`.
    pub fn check(&self) -> Vec<Invalid> {
        let mut wrong = Vec::new();
        let mut refuse = |pointer: &str, message: String| {
            wrong.push(Invalid::new(format!("/schedule/{pointer}"), message));
        };
        match &self.when {
            When::Manual => {}
            When::Cron { expression } => {
                if let Err(reason) = cron(expression) {
                    refuse("when/expression", reason);
                } else if !self.ever_runs() {
                    let never = "no day is like that: it would never run";
                    refuse("when/expression", never.to_owned());
                }
            }
            When::Interval { minutes } => {
                if *minutes < LEAST_MINUTES {
                    refuse(
                        "when/minutes",
                        format!("at least {LEAST_MINUTES} minutes lie between two runs"),
                    );
                } else if *minutes > MOST_MINUTES {
                    refuse(
                        "when/minutes",
                        format!("at most {MOST_MINUTES}, which is a year"),
                    );
                }
            }
            When::Hours { at, days } => {
                if at.is_empty() {
                    refuse("when/at", "it names no time".to_owned());
                }
                for text in at.iter().filter(|text| time(text).is_none()) {
                    refuse("when/at", format!("`{text}` is no time like `22:00`"));
                }
                for text in days.iter().filter(|text| weekday(text).is_none()) {
                    refuse("when/days", format!("`{text}` is no day like `mon`"));
                }
            }
        }
        if zone(&self.time_zone).is_none() {
            refuse(
                "time_zone",
                format!("`{}` is no time zone like `Europe/Berlin`", self.time_zone),
            );
        }
        if self.jitter_minutes > MOST_JITTER {
            refuse(
                "jitter_minutes",
                format!("at most {MOST_JITTER}, which is a day"),
            );
        }
        if let Some(window) = &self.window {
            for (member, text) in [("from", &window.from), ("to", &window.to)] {
                if time(text).is_none() {
                    refuse(
                        &format!("window/{member}"),
                        format!("`{text}` is no time like `22:00`"),
                    );
                }
            }
            if window.from == window.to {
                refuse(
                    "window/to",
                    "it is the same time: leave the window out for the whole day".to_owned(),
                );
            }
        }
        wrong
    }
}
