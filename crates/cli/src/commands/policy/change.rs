//! Options that change members of a policy.

use clap::{ArgGroup, Args};
use model::Policy;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
#[command(group = ArgGroup::new("when").args(["cron", "every", "at", "manual"]))]
pub(crate) struct Change {
    /// Let its schedule run
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Run by hand alone
    #[arg(long)]
    disable: bool,
    /// A connector's name or a pattern; may be given several times [default: all that no other policy names]
    #[arg(long = "connector", value_name = "NAME")]
    connectors: Vec<String>,
    /// For all connectors that no other policy names, instead of those of before
    #[arg(long, conflicts_with = "connectors")]
    other_connectors: bool,
    /// Back up this kind of data; may be given several times, `all` for whatever there is [default: all]
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Of this kind only items with this id, name or pattern: project=Payments, git-repository=Payments/web; `project=` for all
    #[arg(long = "include", value_name = "KIND=PATTERN")]
    include: Vec<String>,
    /// Of this kind no items with this id, name or pattern; `project=` to leave none out
    #[arg(long = "exclude", value_name = "KIND=PATTERN")]
    exclude: Vec<String>,
    /// Leave out items of this kind that appear from now on
    #[arg(long = "without-new", value_name = "KIND")]
    without_new: Vec<String>,
    /// Take items of this kind that appear later
    #[arg(long = "with-new", value_name = "KIND")]
    with_new: Vec<String>,
    /// Minute, hour, day of month, month, day of week
    #[arg(long, value_name = "FIELDS")]
    cron: Option<String>,
    /// Every so many minutes
    #[arg(long, value_name = "MINUTES")]
    every: Option<u32>,
    /// At this time of the day; may be given several times
    #[arg(long, value_name = "HH:MM")]
    at: Vec<String>,
    /// With --at, only on this day (mon to sun); may be given several times
    #[arg(long = "day", value_name = "DAY", requires = "at")]
    days: Vec<String>,
    /// Never by itself
    #[arg(long)]
    manual: bool,
    /// The zone of all times, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Up to so many minutes later, always by the same ones
    #[arg(long, value_name = "MINUTES")]
    jitter: Option<u32>,
    /// What becomes of runs whose time passed while the server was away
    #[arg(long, value_parser = ["skip", "run-once", "catch-up"])]
    missed: Option<String>,
    /// Begin only between these times, such as 22:00-06:00; `always` for any time
    #[arg(long, value_name = "FROM-TO")]
    window: Option<String>,
    #[command(flatten)]
    keep: Keep,
    /// Back up to this repository; `default` for whatever is the default one
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// A label or name that the worker must have; may be given several times, `any` for none
    #[arg(long = "worker", value_name = "LABEL")]
    worker: Vec<String>,
    /// Runs at the same time; 0 for no limit
    #[arg(long, value_name = "N")]
    max_runs: Option<u32>,
    /// Bytes a second from the service, for each run; 0 for no limit
    #[arg(long, value_name = "BYTES")]
    max_rate: Option<u64>,
    /// Whether another person has to approve a shorter retention
    #[arg(long, value_name = "YES_OR_NO", value_parser = ["yes", "no"])]
    four_eyes: Option<String>,
}

#[derive(Args)]
#[expect(clippy::struct_field_names, reason = "options are called so")]
pub(crate) struct Keep {
    /// Keep the newest so many snapshots
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Keep the newest of each of so many hours
    #[arg(long, value_name = "N")]
    keep_hourly: Option<u32>,
    /// Keep the newest of each of so many days
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,
    /// Keep the newest of each of so many weeks
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,
    /// Keep the newest of each of so many months
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,
    /// Keep the newest of each of so many years
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,
    /// Keep all of so many days, 0 for no such rule [default: 7 when a policy is made with other rules]
    #[arg(long, value_name = "DAYS")]
    keep_within_days: Option<u16>,
}

/// The object at a key, made when it is not there.
fn object<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value[key].is_object() {
        value[key] = Value::Object(Map::new());
    }
    &mut value[key]
}

/// Whether a choice leaves anything out.
fn chooses(choice: &Value) -> bool {
    let some = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    some(&choice["include"]) || some(&choice["exclude"]) || choice["new"] == false
}

fn pair(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=').ok_or_else(|| {
        Failure::usage(
            format!("`{text}` is no KIND=PATTERN"),
            "for example: --include project='Payments*'",
        )
    })
}

impl Change {
    /// The document of a new policy. Beside other rules all backups of a week stay, as under the policy that is there from the start.
    pub(crate) fn new_policy(&self, name: &str) -> Result<Value, Failure> {
        let mut policy = json!({ "name": name });
        self.apply(&mut policy)?;
        if self.keep.forgets_young() {
            policy["retention"]["within"] = json!(Policy::standard().retention.within);
        }
        Ok(policy)
    }

    /// Writes what was given into a policy's document; the rest stays.
    pub(crate) fn apply(&self, policy: &mut Value) -> Result<(), Failure> {
        if self.enable || self.disable {
            policy["enabled"] = json!(self.enable);
        }
        if self.other_connectors {
            policy["connectors"] = json!([]);
        } else if !self.connectors.is_empty() {
            policy["connectors"] = json!(self.connectors);
        }
        self.select(policy)?;
        self.schedule(policy)?;
        self.keep.apply(policy);
        match self.repository.as_deref() {
            Some("default") => drop(
                policy
                    .as_object_mut()
                    .and_then(|all| all.remove("repository")),
            ),
            Some(name) => policy["repository"] = json!(name),
            None => {}
        }
        match self.worker.as_slice() {
            [] => {}
            [any] if any == "any" => policy["worker"] = json!([]),
            some => policy["worker"] = json!(some),
        }
        if let Some(runs) = self.max_runs {
            object(policy, "limits")["runs"] = if runs == 0 { Value::Null } else { json!(runs) };
        }
        if let Some(rate) = self.max_rate {
            object(policy, "limits")["bytes_per_second"] =
                if rate == 0 { Value::Null } else { json!(rate) };
        }
        if let Some(word) = &self.four_eyes {
            policy["four_eyes"] = json!(word == "yes");
        }
        Ok(())
    }

    fn select(&self, policy: &mut Value) -> Result<(), Failure> {
        let given = [
            &self.include,
            &self.exclude,
            &self.without_new,
            &self.with_new,
        ];
        if self.kinds.is_empty() && given.iter().all(|list| list.is_empty()) {
            return Ok(());
        }
        let selection = object(policy, "selection");
        match self.kinds.as_slice() {
            [] => {}
            [all] if all == "all" => selection["kinds"] = json!([]),
            some => selection["kinds"] = json!(some),
        }
        let items = object(selection, "items");
        for (member, list) in [("include", &self.include), ("exclude", &self.exclude)] {
            let mut begun: Vec<&str> = Vec::new();
            for text in list {
                let (kind, pattern) = pair(text)?;
                let choice = object(items, kind);
                if !begun.contains(&kind) {
                    begun.push(kind);
                    choice[member] = json!([]);
                }
                if let Some(patterns) = choice[member].as_array_mut()
                    && !pattern.is_empty()
                {
                    patterns.push(json!(pattern));
                }
            }
        }
        for (kinds, new) in [(&self.without_new, false), (&self.with_new, true)] {
            for kind in kinds {
                object(items, kind)["new"] = json!(new);
            }
        }
        if let Some(items) = items.as_object_mut() {
            items.retain(|_, choice| chooses(choice));
        }
        Ok(())
    }

    fn schedule(&self, policy: &mut Value) -> Result<(), Failure> {
        let when = if self.manual {
            Some(json!({ "every": "manual" }))
        } else if let Some(expression) = &self.cron {
            Some(json!({ "every": "cron", "expression": expression }))
        } else if let Some(minutes) = self.every {
            Some(json!({ "every": "interval", "minutes": minutes }))
        } else if self.at.is_empty() {
            None
        } else {
            Some(json!({ "every": "hours", "at": self.at, "days": self.days }))
        };
        if let Some(when) = when {
            let schedule = object(policy, "schedule");
            schedule["when"] = when;
            // Whoever names a time means it.
            if self.jitter.is_none() {
                schedule["jitter_minutes"] = json!(0);
            }
        }
        if let Some(zone) = &self.time_zone {
            object(policy, "schedule")["time_zone"] = json!(zone);
        }
        if let Some(minutes) = self.jitter {
            object(policy, "schedule")["jitter_minutes"] = json!(minutes);
        }
        if let Some(missed) = &self.missed {
            object(policy, "schedule")["missed"] = json!(missed);
        }
        match self.window.as_deref() {
            None => {}
            Some("always") => {
                let schedule = object(policy, "schedule").as_object_mut();
                drop(schedule.and_then(|all| all.remove("window")));
            }
            Some(text) => {
                let (from, to) = text.split_once('-').ok_or_else(|| {
                    Failure::usage(
                        format!("`{text}` is no window"),
                        "for example: --window 22:00-06:00",
                    )
                })?;
                object(policy, "schedule")["window"] = json!({ "from": from, "to": to });
            }
        }
        Ok(())
    }
}

impl Keep {
    fn apply(&self, policy: &mut Value) {
        let counts = [
            ("last", self.keep_last),
            ("hourly", self.keep_hourly),
            ("daily", self.keep_daily),
            ("weekly", self.keep_weekly),
            ("monthly", self.keep_monthly),
            ("yearly", self.keep_yearly),
        ];
        for (name, count) in counts {
            if let Some(count) = count {
                object(policy, "retention")[name] = json!(count);
            }
        }
        if let Some(days) = self.keep_within_days {
            let rule = (days > 0).then(|| json!({ "days": days }));
            object(policy, "retention")["within"] = json!(rule);
        }
    }

    /// Whether a rule of a new policy would take away what is younger than a week, and nobody said that it may.
    fn forgets_young(&self) -> bool {
        let counts = [
            self.keep_last,
            self.keep_hourly,
            self.keep_daily,
            self.keep_weekly,
            self.keep_monthly,
            self.keep_yearly,
        ];
        self.keep_within_days.is_none() && counts.into_iter().flatten().any(|count| count > 0)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde::Deserialize;

    use super::*;

    /// Written by the console's tests: what it shows as a command, and what it sends for the same.
    const CASES: &str = include_str!("../../../../../web/src/pages/policies/cli.cases.json");

    #[derive(Parser)]
    struct Words {
        name: String,
        #[command(flatten)]
        change: Change,
    }

    #[derive(Deserialize)]
    struct Case {
        /// Nothing for a policy that is made.
        before: Option<Value>,
        words: Vec<String>,
        body: Value,
    }

    fn change(words: &[&str]) -> Change {
        let all = ["policy", "name"].iter().chain(words);
        Words::try_parse_from(all).unwrap().change
    }

    #[test]
    fn a_command_that_the_console_shows_does_what_the_console_does() {
        let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
        assert!(cases.len() > 50);
        for case in cases {
            let given = Words::try_parse_from(&case.words[1..])
                .unwrap_or_else(|error| panic!("{:?}: {error}", case.words));
            let policy = match case.before {
                None => given.change.new_policy(&given.name).unwrap(),
                Some(mut policy) => {
                    given.change.apply(&mut policy).unwrap();
                    policy
                }
            };
            let read = |policy: Value| serde_json::from_value::<Policy>(policy).unwrap();
            assert_eq!(read(policy), read(case.body), "{:?}", case.words);
        }
    }

    #[test]
    fn what_was_chosen_can_be_taken_back() {
        let mut policy = json!({
            "connectors": ["zzz"],
            "selection": { "kinds": ["project"], "items": {
                "project": { "include": ["Pay*"], "exclude": ["Old"], "new": true },
                "wiki": { "include": ["a"], "exclude": ["b"], "new": true },
            } },
            "retention": { "daily": 30, "within": { "days": 7 } },
        });
        let all = change(&[
            "--other-connectors",
            "--kind=all",
            "--include=project=",
            "--exclude=project=",
            "--exclude=wiki=",
            "--keep-within-days=0",
        ]);
        all.apply(&mut policy).unwrap();
        assert_eq!(
            policy,
            json!({
                "connectors": [],
                "selection": { "kinds": [], "items": { "wiki": { "include": ["a"], "exclude": [], "new": true } } },
                "retention": { "daily": 30, "within": null },
            })
        );
    }

    #[test]
    fn a_new_policy_keeps_all_of_a_week_unless_it_says_otherwise() {
        let within = |words: &[&str]| {
            let policy = change(words).new_policy("p").unwrap();
            let policy: Policy = serde_json::from_value(policy).unwrap();
            policy.retention.within.map(|within| within.days)
        };
        assert_eq!(within(&["--keep-daily=30"]), Some(7));
        assert_eq!(
            within(&["--keep-daily=30", "--keep-within-days=3"]),
            Some(3)
        );
        assert_eq!(within(&["--keep-daily=30", "--keep-within-days=0"]), None);
        assert_eq!(within(&[]), None, "everything is kept");
    }
}
