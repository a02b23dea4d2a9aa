//! What is wrong with a policy, member by member.

use jiff::Timestamp;

use super::schedule::{cron, next_runs, time, weekday, zone};
use super::{Policy, Schedule, When, Window, matches};

/// The shortest interval: a backup asks the service for something even when nothing changed.
const LEAST_MINUTES: u32 = 5;
/// Whatever runs less often than once a year protects nothing.
const MOST_MINUTES: u32 = 366 * 24 * 60;
const MOST_JITTER: u32 = 24 * 60;
/// No service has longer names; the longest is a path of folders.
const LONGEST_PATTERN: usize = 1024;

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
        } else if !name.chars().all(allowed)
            || !name.starts_with(char::is_alphanumeric)
            || name.trim() != name
        {
            wrong.push(Invalid::new(
                "/name",
                "letters and digits, and `-`, `_`, `.` and spaces within it are allowed",
            ));
        }
        check_patterns("/connectors", &self.connectors, &mut wrong);
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
                let at = format!("/selection/items/{}/{list}", escape(kind));
                check_patterns(&at, patterns, wrong);
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

fn check_patterns(at: &str, patterns: &[String], wrong: &mut Vec<Invalid>) {
    for (number, pattern) in patterns.iter().enumerate() {
        let why = if pattern.trim().is_empty() {
            "it is empty".to_owned()
        } else if pattern.chars().count() > LONGEST_PATTERN {
            format!("at most {LONGEST_PATTERN} characters")
        } else {
            continue;
        };
        wrong.push(Invalid::new(format!("{at}/{number}"), why));
    }
}

/// A name within a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A member that cannot be right, and why.
type Wrong = (&'static str, String);

fn no_time(text: &str) -> String {
    format!("`{text}` is no time like `22:00`")
}

impl When {
    fn wrong(&self) -> Vec<Wrong> {
        match self {
            Self::Cron { expression } => {
                let wrong = cron(expression).err();
                wrong.map(|why| ("expression", why)).into_iter().collect()
            }
            Self::Interval { minutes } if *minutes < LEAST_MINUTES => {
                let why = format!("at least {LEAST_MINUTES} minutes lie between two runs");
                vec![("minutes", why)]
            }
            Self::Interval { minutes } if *minutes > MOST_MINUTES => {
                let why = format!("at most {MOST_MINUTES}, which is a year");
                vec![("minutes", why)]
            }
            Self::Manual | Self::Interval { .. } => Vec::new(),
            Self::Hours { at, days } => {
                let none = at.is_empty().then(|| ("at", "it names no time".to_owned()));
                let times = at.iter().filter(|text| time(text).is_none());
                let times = times.map(|text| ("at", no_time(text)));
                let days = days.iter().filter(|text| weekday(text).is_none());
                let days = days.map(|text| ("days", format!("`{text}` is no day like `mon`")));
                none.into_iter().chain(times).chain(days).collect()
            }
        }
    }
}

impl Window {
    fn wrong(&self) -> Vec<Wrong> {
        let members = [("from", &self.from), ("to", &self.to)];
        let times = members.into_iter().filter(|(_, text)| time(text).is_none());
        let times = times.map(|(member, text)| (member, no_time(text)));
        let same = (self.from == self.to).then(|| {
            let why = "it is the same time: leave the window out for the whole day";
            ("to", why.to_owned())
        });
        times.chain(same).collect()
    }
}

impl Schedule {
    /// Days come back: what has not come for ages does not come.
    fn ever_runs(&self) -> bool {
        matches!(self.when, When::Manual)
            || !next_runs(self, "", Timestamp::UNIX_EPOCH, 1).is_empty()
    }

    /// All that is wrong with it; pointers begin with `/schedule`.
    pub fn check(&self) -> Vec<Invalid> {
        let mut wrong = Vec::new();
        let mut refuse = |pointer: &str, message: String| {
            wrong.push(Invalid::new(format!("/schedule/{pointer}"), message));
        };
        for (member, why) in self.when.wrong() {
            refuse(&format!("when/{member}"), why);
        }
        if zone(&self.time_zone).is_none() {
            let why = format!("`{}` is no time zone like `Europe/Berlin`", self.time_zone);
            refuse("time_zone", why);
        }
        if self.jitter_minutes > MOST_JITTER {
            let why = format!("at most {MOST_JITTER}, which is a day");
            refuse("jitter_minutes", why);
        }
        for (member, why) in self.window.iter().flat_map(Window::wrong) {
            refuse(&format!("window/{member}"), why);
        }
        if wrong.is_empty() && !self.ever_runs() {
            let never = "no day is like that: it would never run";
            wrong.push(Invalid::new("/schedule/when/expression", never));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_an_end_is_refused_where_it_stands() {
        let mut policy = Policy::standard();
        policy.connectors = vec!["*".repeat(LONGEST_PATTERN), "c".repeat(100_000)];
        let choice = super::super::Choice {
            exclude: vec!["x".repeat(LONGEST_PATTERN + 1)],
            ..super::super::Choice::default()
        };
        policy.selection.items.insert("project".to_owned(), choice);
        let wrong = policy.check();
        let at: Vec<&str> = wrong.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(at, ["/connectors/1", "/selection/items/project/exclude/0"]);
    }
}
