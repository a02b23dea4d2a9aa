//! `keepward repository maintenance`.

use clap::Args;
use serde_json::{Map, Value, json};

use super::Which;
use crate::client::{Api, segment};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

const TASKS: [&str; 3] = ["check", "prune", "verify"];

#[derive(Args)]
pub(crate) struct Maintenance {
    #[command(flatten)]
    which: Which,
    /// When to check it: minute, hour, day of month, month, day of week; `off` for never
    #[arg(long, value_name = "FIELDS")]
    check: Option<String>,
    /// How much of the packs each check reads, another part each time
    #[arg(long, value_name = "PERCENT")]
    read_percent: Option<u8>,
    /// When to prune it; `off` for never
    #[arg(long, value_name = "FIELDS")]
    prune: Option<String>,
    /// When to verify the newest snapshot of each source; `off` for never
    #[arg(long, value_name = "FIELDS")]
    verify: Option<String>,
    /// The zone of all times, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Up to so many minutes later, always by the same ones
    #[arg(long, value_name = "MINUTES")]
    jitter: Option<u32>,
    /// Only tell when it would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn maintenance(
    options: Maintenance,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let name = options.which.asked(&api).await?;
    let path = format!("/repositories/{}/maintenance", segment(&name));
    let before = body(&api.get(&path).await?);
    let mut wanted = before.clone();
    options.apply(&mut wanted)?;
    let view = if options.dry_run {
        api.post(&format!("{path}/preview"), Some(&wanted)).await?
    } else if wanted == before {
        api.get(&path).await?
    } else {
        api.put(&path, Some(&wanted)).await?
    };
    output.result(&view);
    output.line(format!("repository {name}"));
    for task in TASKS {
        output.line(format!("{task:<8}{}", words(&view[task])));
    }
    Ok(Exit::Done)
}

/// What can be sent of what was shown.
fn body(view: &Value) -> Value {
    let mut body = Map::new();
    for task in TASKS {
        let mut one = view[task].clone();
        if let Value::Object(members) = &mut one {
            members.retain(|name, _| matches!(name.as_str(), "schedule" | "read_percent"));
        }
        body.insert(task.to_owned(), one);
    }
    Value::Object(body)
}

impl Maintenance {
    fn apply(&self, body: &mut Value) -> Result<(), Failure> {
        let given = [&self.check, &self.prune, &self.verify];
        for (task, fields) in TASKS.into_iter().zip(given) {
            match fields.as_deref() {
                None => {}
                Some("off") => body[task] = Value::Null,
                Some(fields) => {
                    if body[task].is_null() {
                        body[task] = json!({ "schedule": {} });
                    }
                    let schedule = &mut body[task]["schedule"];
                    schedule["when"] = json!({ "every": "cron", "expression": fields });
                    // Who says when means then.
                    schedule["jitter_minutes"] = json!(0);
                }
            }
            if body[task].is_null() {
                continue;
            }
            if let Some(zone) = &self.time_zone {
                body[task]["schedule"]["time_zone"] = json!(zone);
            }
            if let Some(minutes) = self.jitter {
                body[task]["schedule"]["jitter_minutes"] = json!(minutes);
            }
        }
        match (self.read_percent, &mut body["check"]) {
            (Some(_), Value::Null) => Err(Failure::usage(
                "checks are switched off",
                "say when to check: --check '0 6 * * sat'",
            )),
            (Some(percent), check) => {
                check["read_percent"] = json!(percent);
                Ok(())
            }
            (None, Value::Object(check)) => {
                check.entry("read_percent").or_insert(json!(5));
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }
}

fn words(task: &Value) -> String {
    if task.is_null() {
        return "never".to_owned();
    }
    let when = &task["schedule"]["when"];
    let text = |value: &Value| match value {
        Value::Array(all) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            all.join(", ")
        }
        other => other.as_str().unwrap_or("").to_owned(),
    };
    let times = match when["every"].as_str().unwrap_or("") {
        "cron" => text(&when["expression"]),
        "interval" => format!("every {} minutes", when["minutes"]),
        "hours" => format!("{} {}", text(&when["days"]), text(&when["at"])),
        _ => "by hand alone".to_owned(),
    };
    let zone = task["schedule"]["time_zone"].as_str().unwrap_or("");
    let read = task["read_percent"]
        .as_u64()
        .map_or_else(String::new, |percent| {
            format!(", reads {percent} % of the packs")
        });
    let next = match task["next"][0].as_str() {
        Some(next) => format!("; next at {}", moment(&next)),
        None => String::new(),
    };
    format!("{} ({zone}){read}{next}", times.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Maintenance {
        Maintenance {
            which: Which { repository: None },
            check: None,
            read_percent: None,
            prune: None,
            verify: None,
            time_zone: None,
            jitter: None,
            dry_run: false,
        }
    }

    #[test]
    fn what_is_not_said_stays_and_off_is_null() {
        let view = json!({
            "check": { "schedule": { "when": { "every": "manual" }, "time_zone": "UTC" }, "read_percent": 5, "next": [] },
            "prune": { "schedule": { "when": { "every": "manual" } }, "next": ["x"], "fired": "y" },
            "verify": null,
        });
        let mut sent = body(&view);
        assert_eq!(
            sent["prune"],
            json!({ "schedule": { "when": { "every": "manual" } } })
        );
        let change = Maintenance {
            check: Some("0 6 * * sat".to_owned()),
            read_percent: Some(10),
            prune: Some("off".to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            ..options()
        };
        change.apply(&mut sent).unwrap();
        let when = json!({ "every": "cron", "expression": "0 6 * * sat" });
        assert_eq!(sent["check"]["schedule"]["when"], when);
        assert_eq!(sent["check"]["schedule"]["time_zone"], "Europe/Berlin");
        assert_eq!(sent["check"]["read_percent"], 10);
        assert_eq!(
            (&sent["prune"], &sent["verify"]),
            (&Value::Null, &Value::Null)
        );
        let nothing = Maintenance {
            check: Some("off".to_owned()),
            read_percent: Some(10),
            ..options()
        };
        assert!(nothing.apply(&mut sent).is_err());
    }
}
