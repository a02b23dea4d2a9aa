//! `keepward snapshot forget`.

use std::collections::BTreeSet;

use clap::Args;
use engine::retention::{Decision, ForgetRequest, Keep, Suspicion, Within, refuse};
use repository::{Repository, Snapshot, SnapshotId};

use super::ask::resolve;
use crate::app::App;
use crate::client::Api;
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};
use crate::services::SERVICES;

#[derive(Args)]
pub(crate) struct Forget {
    /// Ids, or beginnings of ids
    #[arg(required_unless_present = "rule", conflicts_with = "rule")]
    snapshots: Vec<String>,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    filter: Filter,
    /// Forget although the newest snapshot of this organization has far fewer items than one before
    #[arg(long, value_name = "ORGANIZATION")]
    accept_drop: Vec<String>,
    /// Only say what would be forgotten
    #[arg(long)]
    dry_run: bool,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

/// Which snapshots the rules are for; others are neither counted nor forgotten.
#[derive(Args)]
struct Filter {
    /// Only snapshots of this organization
    #[arg(long, value_name = "ORGANIZATION", requires = "rule")]
    source: Vec<String>,
    /// Only snapshots with this tag; several tags joined by commas are needed together
    #[arg(long, value_name = "TAG[,TAG]", requires = "rule")]
    tag: Vec<String>,
}

/// Rules count for each organization on its own; what one of them keeps stays. Days begin at midnight UTC.
#[derive(Args)]
#[group(id = "rule", multiple = true)]
struct Rules {
    /// Keep the newest N
    #[arg(long = "keep-last", value_name = "N")]
    last: Option<u32>,
    /// Keep the newest of each of the last N hours that have one
    #[arg(long = "keep-hourly", value_name = "N")]
    hourly: Option<u32>,
    /// … of the last N days that have one
    #[arg(long = "keep-daily", value_name = "N")]
    daily: Option<u32>,
    /// … of the last N weeks that have one
    #[arg(long = "keep-weekly", value_name = "N")]
    weekly: Option<u32>,
    /// … of the last N months that have one
    #[arg(long = "keep-monthly", value_name = "N")]
    monthly: Option<u32>,
    /// … of the last N years that have one
    #[arg(long = "keep-yearly", value_name = "N")]
    yearly: Option<u32>,
    /// Keep what is younger than this, counted back from the newest, for example 1y6m, 14d or 48h
    #[arg(long = "keep-within", value_name = "TIME", value_parser = within)]
    within: Option<Within>,
    /// Keep the newest of each hour that is younger than this
    #[arg(long = "keep-within-hourly", value_name = "TIME", value_parser = within)]
    within_hourly: Option<Within>,
    /// … of each day
    #[arg(long = "keep-within-daily", value_name = "TIME", value_parser = within)]
    within_daily: Option<Within>,
    /// … of each week
    #[arg(long = "keep-within-weekly", value_name = "TIME", value_parser = within)]
    within_weekly: Option<Within>,
    /// … of each month
    #[arg(long = "keep-within-monthly", value_name = "TIME", value_parser = within)]
    within_monthly: Option<Within>,
    /// … of each year
    #[arg(long = "keep-within-yearly", value_name = "TIME", value_parser = within)]
    within_yearly: Option<Within>,
    /// Keep what has this tag; several tags joined by commas are needed together
    #[arg(long = "keep-tag", value_name = "TAG[,TAG]")]
    tags: Vec<String>,
}

impl Rules {
    fn keep(&self) -> Keep {
        Keep {
            last: self.last.unwrap_or(0),
            hourly: self.hourly.unwrap_or(0),
            daily: self.daily.unwrap_or(0),
            weekly: self.weekly.unwrap_or(0),
            monthly: self.monthly.unwrap_or(0),
            yearly: self.yearly.unwrap_or(0),
            within: self.within,
            within_hourly: self.within_hourly,
            within_daily: self.within_daily,
            within_weekly: self.within_weekly,
            within_monthly: self.within_monthly,
            within_yearly: self.within_yearly,
            tags: tag_lists(&self.tags),
        }
    }
}

/// Tags that are needed together, from `a,b`.
fn tag_lists(texts: &[String]) -> Vec<Vec<String>> {
    texts
        .iter()
        .map(|tags| tags.split(',').map(|tag| tag.trim().to_owned()).collect())
        .collect()
}

/// `1y6m2d12h` in this order of units, each at most once.
fn within(text: &str) -> Result<Within, String> {
    let wrong = || {
        format!(
            "{text:?} is not a length of time; write it like 1y6m, 14d or 48h (years, months, days, hours)"
        )
    };
    let mut length = Within::default();
    let (mut rest, mut units) = (text, "ymdh");
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u16 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = rest[digits..].chars().next().ok_or_else(wrong)?;
        units = &units[units.find(unit).ok_or_else(wrong)? + 1..];
        match unit {
            'y' => length.years = number,
            'm' => length.months = number,
            'd' => length.days = number,
            _ => length.hours = number,
        }
        rest = &rest[digits + unit.len_utf8()..];
    }
    if length == Within::default() {
        Err(wrong())
    } else {
        Ok(length)
    }
}

/// Whether another person has to approve it here: then it goes the way of the interface, as changes of policies do.
pub(super) async fn waits(forget: &Forget, global: &Global) -> Result<bool, Failure> {
    if forget.dry_run {
        return Ok(false);
    }
    let api = Api::open(global).await?;
    Ok(api.get("/settings/four-eyes").await?["enabled"] == true)
}

/// Asks a server, which may make it wait for another person's approval (exit 7).
pub(super) async fn ask(
    forget: &Forget,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    if forget.snapshots.is_empty() || forget.dry_run {
        return Err(Failure::usage(
            "a server forgets snapshots by their ids, or by the retention of its policies",
            "name the snapshots, without --dry-run: keepward snapshot list",
        ));
    }
    let api = Api::open(global).await?;
    let mut snapshots = Vec::new();
    for snapshot in &forget.snapshots {
        snapshots.push(resolve(&api, snapshot, forget.repository.as_deref()).await?);
    }
    let body = serde_json::json!({ "snapshots": snapshots });
    let answer = api.post("/snapshots/forget", Some(&body)).await?;
    output.result(&answer);
    let forgotten = answer["snapshots"].as_array().map_or(0, Vec::len);
    output.line(format!("{forgotten} snapshots forgotten"));
    Ok(Exit::Done)
}

pub(super) async fn run(app: &App, forget: Forget, output: &Output) -> Result<Exit, Failure> {
    let (row, repository) = app
        .repository_to_write(forget.repository.as_deref())
        .await?;
    let (decisions, suspicions) = if forget.snapshots.is_empty() {
        by_rule(app, &repository, &forget).await?
    } else {
        (by_name(&repository, &forget.snapshots).await?, Vec::new())
    };
    let accepted: BTreeSet<String> = forget.accept_drop.iter().cloned().collect();
    // A dry run shows everything first, and then ends as the real one would.
    if !forget.dry_run {
        refuse(&suspicions, &accepted)?;
    }
    if forget.snapshots.is_empty() {
        show(&decisions, &repository.snapshots().await?, output);
    } else {
        show_named(&decisions, output);
    }
    let gone = decisions.iter().filter(|decision| !decision.keep());
    let gone: Vec<SnapshotId> = gone.map(|decision| decision.id).collect();
    if !forget.dry_run && !gone.is_empty() {
        let forgotten = async { Ok(app.control.forget_these(&repository, &gone).await?) };
        let subject = format!("repository/{}", row.name);
        let texts: Vec<String> = gone.iter().map(ToString::to_string).collect();
        let details = serde_json::json!({ "snapshots": texts });
        app.noted("snapshot.forget", &subject, details, forgotten)
            .await?;
    }
    ended(forget.dry_run, gone.len(), decisions.len(), output);
    refuse(&suspicions, &accepted)?;
    Ok(Exit::Done)
}

fn ended(dry_run: bool, gone: usize, all: usize, output: &Output) {
    let verb = if dry_run {
        "would be forgotten"
    } else {
        "forgotten"
    };
    let kept = all - gone;
    output.event(&serde_json::json!({"event": "result", "dry_run": dry_run, "forgotten": gone, "kept": kept}));
    output.line(format!("{gone} snapshots {verb}"));
    if gone > 0 && !dry_run {
        output.line("their space is freed by: keepward repository prune");
    }
}

async fn by_name(repository: &Repository, names: &[String]) -> Result<Vec<Decision>, Failure> {
    let mut decisions: Vec<Decision> = Vec::new();
    for name in names {
        let id = repository.resolve_to_forget(name).await?;
        if decisions.iter().all(|decision| decision.id != id) {
            let reasons = Vec::new();
            decisions.push(Decision { id, reasons });
        }
    }
    Ok(decisions)
}

/// What the rules decide, of all services.
async fn by_rule(
    app: &App,
    repository: &Repository,
    forget: &Forget,
) -> Result<(Vec<Decision>, Vec<Suspicion>), Failure> {
    let request = ForgetRequest {
        keep: forget.rules.keep(),
        sources: forget.filter.source.iter().cloned().collect(),
        source: None,
        tags: tag_lists(&forget.filter.tag),
        accept_drop: BTreeSet::new(),
        dry_run: true,
    };
    if request.keep.is_empty() {
        return Err(Failure::usage(
            "these rules keep nothing, so they are not applied",
            "give at least one --keep-… above 0, or name the snapshots to forget",
        ));
    }
    let (mut decisions, mut suspicions) = (Vec::new(), Vec::new());
    for service in SERVICES {
        let plan = app.control.forget(repository, service, &request).await?;
        decisions.extend(plan.decisions);
        suspicions.extend(plan.suspicions);
    }
    Ok((decisions, suspicions))
}

fn show_named(decisions: &[Decision], output: &Output) {
    for decision in decisions {
        output.event(&serde_json::json!({"event": "decision", "id": decision.id.to_string(), "keep": false, "reasons": decision.reasons}));
        output.line(format!("forget {}", decision.id.short()));
    }
}

/// Every snapshot with the reasons why it stays.
fn show(decisions: &[Decision], known: &[(SnapshotId, Snapshot)], output: &Output) {
    let rows: Vec<serde_json::Value> = decisions
        .iter()
        .map(|decision| {
            let snapshot = known.iter().find(|(id, _)| *id == decision.id).map(|(_, snapshot)| snapshot);
            let source = snapshot.and_then(|snapshot| snapshot.tags.iter().find_map(|tag| tag.strip_prefix("source=")));
            serde_json::json!({
                "event": "decision", "id": decision.id.to_string(), "short": decision.id.short(), "keep": decision.keep(), "reasons": decision.reasons,
                "time": snapshot.map(|snapshot| snapshot.time.to_string()), "source": source,
            })
        })
        .collect();
    output.rows(&["id", "time", "source", "", "why"], &rows, |row| {
        let text = |key: &str| row[key].as_str().unwrap_or("").to_owned();
        let reasons: Vec<&str> = row["reasons"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_str)
            .collect();
        let verdict = if row["keep"] == true {
            "keep"
        } else {
            "forget"
        };
        vec![
            text("short"),
            moment(&text("time")),
            text("source"),
            verdict.to_owned(),
            reasons.join(", "),
        ]
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_in_its_units() {
        assert_eq!(
            within("1y6m"),
            Ok(Within {
                years: 1,
                months: 6,
                ..Within::default()
            })
        );
        assert_eq!(
            within("14d"),
            Ok(Within {
                days: 14,
                ..Within::default()
            })
        );
        assert_eq!(
            within("2m48h"),
            Ok(Within {
                months: 2,
                hours: 48,
                ..Within::default()
            })
        );
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in [
            "", "d", "14", "3w", "1d1y", "1d2d", "0d", "-1d", "99999d", "1é", "1 d",
        ] {
            assert!(within(text).is_err(), "{text}");
        }
    }
}
