//! Finds what is wrong: pure, from facts, settings and the time.

use std::collections::BTreeMap;

use catalog::KnownSnapshot;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use model::{Alarm, AlarmKind, AlarmLevel, Connector, ConnectorStatus, SourceId};

use super::{AlarmSettings, Facts};

/// So many percent of a disk have to become free until it is filling no more.
const CALM: u128 = 2;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Clocks of two servers differ a little. What lies further ahead than this was dated by a clock that was wrong, and says nothing.
pub(super) const AHEAD: SignedDuration = DAY;

/// A time, unless it lies ahead: it would silence an alarm until it comes.
fn told(time: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    time.filter(|time| time.duration_since(now) <= AHEAD)
}

pub fn find(facts: &Facts, settings: &AlarmSettings, now: Timestamp) -> Vec<Alarm> {
    let mut found = Vec::new();
    backups(facts, settings, now, &mut found);
    sign_ins(facts, &mut found);
    credentials(facts, now, &mut found);
    unprotected(facts, &mut found);
    storage(facts, settings, &mut found);
    silence(facts, &mut found);
    verification(facts, settings, now, &mut found);
    pruning(facts, settings, now, &mut found);
    damage(facts, &mut found);
    global_tokens(facts, now, &mut found);
    found
}

/// Since when a connector has no good backup: the last one, or when it was made. Where nobody can tell when that was, it is too long ago.
fn without_backup(
    facts: &Facts,
    connector: &Connector,
    now: Timestamp,
) -> (Option<Timestamp>, Timestamp) {
    let last = facts.last_good.get(&connector.name.to_lowercase()).copied();
    let since = last.or_else(|| told(Some(connector.created), now));
    (last, since.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// When the next connector will have had no good backup for longer than its objective.
pub(super) fn next_overdue(
    facts: &Facts,
    settings: &AlarmSettings,
    now: Timestamp,
) -> Option<Timestamp> {
    let dues = facts.connectors.iter().filter_map(|connector| {
        let (_, since) = without_backup(facts, connector, now);
        since.checked_add(settings.objective(&connector.name)).ok()
    });
    dues.filter(|due| *due >= now).min()
}

fn backups(facts: &Facts, settings: &AlarmSettings, now: Timestamp, found: &mut Vec<Alarm>) {
    for connector in &facts.connectors {
        let (last, since) = without_backup(facts, connector, now);
        let objective = settings.objective(&connector.name);
        let age = now.duration_since(since);
        if age <= objective {
            continue;
        }
        let level = if age > objective * 3 {
            AlarmLevel::Critical
        } else {
            AlarmLevel::Warning
        };
        let how_long = match last {
            Some(last) => format!("for {} (since {last:.0})", words(age)),
            None => "yet".to_owned(),
        };
        found.push(Alarm {
            kind: AlarmKind::BackupOverdue,
            subject: connector.name.clone(),
            connector: Some(connector.name.clone()),
            level,
            message: format!(
                "{} has had no good backup {how_long}; its objective is {} h",
                connector.name,
                objective.as_hours()
            ),
            hint: format!(
                "Look at the last runs: `keepward run list`. Then run one: `keepward backup {}`.",
                connector.name
            ),
        });
    }
}

fn sign_ins(facts: &Facts, found: &mut Vec<Alarm>) {
    for connector in &facts.connectors {
        if let ConnectorStatus::SignInNeeded { why, .. } = &connector.status {
            found.push(Alarm {
                kind: AlarmKind::SignInNeeded,
                subject: connector.name.clone(),
                connector: Some(connector.name.clone()),
                level: AlarmLevel::Critical,
                message: format!("{} cannot sign in: {why}", connector.name),
                hint: "Sign in again, or give the credential a new secret.".to_owned(),
            });
        }
    }
}

fn credentials(facts: &Facts, now: Timestamp, found: &mut Vec<Alarm>) {
    for credential in &facts.credentials {
        let Some(expires) = credential.expires else {
            continue;
        };
        let left = expires.duration_since(now);
        let level = if left <= DAY {
            AlarmLevel::Critical
        } else if left <= DAY * 7 {
            AlarmLevel::Warning
        } else if left <= DAY * 30 {
            AlarmLevel::Notice
        } else {
            continue;
        };
        let users = facts.users.get(&credential.name.to_lowercase());
        let users = users.map_or_else(String::new, |users| format!(" ({})", users.join(", ")));
        let when = if left.is_negative() {
            format!("expired on {}", day(expires))
        } else {
            format!("expires on {}, in {}", day(expires), words(left))
        };
        found.push(Alarm {
            kind: AlarmKind::CredentialExpiring,
            subject: credential.name.clone(),
            connector: None,
            level,
            message: format!("the credential {}{users} {when}", credential.name),
            hint: "Make a new secret at the service and put it in the old one's place: `keepward credential rotate NAME`."
                .to_owned(),
        });
    }
}

fn unprotected(facts: &Facts, found: &mut Vec<Alarm>) {
    for connector in &facts.connectors {
        let count = facts.unprotected.get(&connector.name.to_lowercase());
        let Some(count) = count.filter(|count| **count > 0) else {
            continue;
        };
        found.push(Alarm {
            kind: AlarmKind::Unprotected,
            subject: connector.name.clone(),
            connector: Some(connector.name.clone()),
            level: AlarmLevel::Warning,
            message: format!("{count} new items of {} are not protected", connector.name),
            hint: format!(
                "Take them into the backup, or let new ones be added by themselves: `keepward connector edit {}`.",
                connector.name
            ),
        });
    }
}

fn storage(facts: &Facts, settings: &AlarmSettings, found: &mut Vec<Alarm>) {
    for (name, disk) in &facts.storage {
        let used = u128::from(disk.total.saturating_sub(disk.free)) * 100;
        let Some(percent) = used.checked_div(u128::from(disk.total)) else {
            continue;
        };
        // Around a threshold it would come and go with every file.
        let before = facts.filling.get(name);
        let calm = |is: bool| if is { CALM } else { 0 };
        if percent + calm(before.is_some()) < u128::from(settings.storage_percent) {
            continue;
        }
        let level = if percent + calm(before == Some(&AlarmLevel::Critical)) >= 97 {
            AlarmLevel::Critical
        } else {
            AlarmLevel::Warning
        };
        found.push(Alarm {
            kind: AlarmKind::StorageFilling,
            subject: name.clone(),
            connector: None,
            level,
            message: format!(
                "the disk of repository {name} is {percent} % full: {} GiB are free",
                disk.free >> 30
            ),
            hint: "Make room, keep snapshots for a shorter time, or free what no snapshot needs: `keepward repository prune`."
                .to_owned(),
        });
    }
}

/// Backups into it hang or fail, whatever else is told of them.
fn silence(facts: &Facts, found: &mut Vec<Alarm>) {
    found.extend(facts.silent.iter().map(|name| Alarm {
        kind: AlarmKind::StorageSilent,
        subject: name.clone(),
        connector: None,
        level: AlarmLevel::Critical,
        message: format!("the disk of repository {name} does not answer"),
        hint: "Look at it and at the way to it: a network file system whose server is gone holds up whoever asks it."
            .to_owned(),
    }));
}

/// A check of the repository or a verification of one of its snapshots counts.
fn verification(facts: &Facts, settings: &AlarmSettings, now: Timestamp, found: &mut Vec<Alarm>) {
    let most = DAY * i32::try_from(settings.verify_days).unwrap_or(i32::MAX);
    for row in &facts.repositories {
        let Some(first) = facts.first_snapshot.get(&row.id).copied() else {
            continue;
        };
        let verified = facts.verified.get(&row.id).copied();
        let last = told(verified, now).max(told(row.checked, now));
        let Some(since) = last.or_else(|| told(Some(first), now)) else {
            continue;
        };
        if now.duration_since(since) <= most {
            continue;
        }
        let how_long = match last {
            Some(_) => format!("for {}", words(now.duration_since(since))),
            None => "yet".to_owned(),
        };
        found.push(Alarm {
            kind: AlarmKind::VerificationOverdue,
            subject: row.name.clone(),
            connector: None,
            level: AlarmLevel::Warning,
            message: format!("repository {} was not verified {how_long}", row.name),
            hint: "Check it: `keepward repository check --read-data=5%`. Or verify a snapshot: `keepward verify latest`."
                .to_owned(),
        });
    }
}

/// Where it does not happen, storage grows for ever and nobody notices.
fn pruning(facts: &Facts, settings: &AlarmSettings, now: Timestamp, found: &mut Vec<Alarm>) {
    let most = DAY * i32::try_from(settings.prune_days).unwrap_or(i32::MAX);
    for row in &facts.repositories {
        let first = facts.first_snapshot.get(&row.id).copied();
        let last = told(row.pruned, now).max(told(first, now));
        let (Some(since), true) = (last, facts.pruning.contains(&row.name)) else {
            continue;
        };
        let age = now.duration_since(since);
        if age <= most {
            continue;
        }
        found.push(Alarm {
            kind: AlarmKind::MaintenanceOverdue,
            subject: row.name.clone(),
            connector: None,
            level: AlarmLevel::Warning,
            message: format!("repository {} was not pruned for {}", row.name, words(age)),
            hint: "Look at its last prune: `keepward run list`. What snapshots no longer need is not freed until one goes through."
                .to_owned(),
        });
    }
}

/// Of repositories, and of snapshots: a repository that gives back what was stored may have been given nonsense.
fn damage(facts: &Facts, found: &mut Vec<Alarm>) {
    for row in &facts.repositories {
        let Some(since) = row.damaged else {
            continue;
        };
        found.push(Alarm {
            kind: AlarmKind::DamageFound,
            subject: row.name.clone(),
            connector: None,
            level: AlarmLevel::Critical,
            message: format!("repository {} is damaged; a check found it on {}", row.name, day(since)),
            hint: "Bring back what can be: `keepward repository repair`. Then let a check read everything: `keepward repository check --read-data`."
                .to_owned(),
        });
    }
    let mut sources: BTreeMap<&SourceId, Vec<&KnownSnapshot>> = BTreeMap::new();
    for snapshot in &facts.damaged {
        let all = sources.entry(&snapshot.source.id).or_default();
        all.push(snapshot);
    }
    for (id, snapshots) in sources {
        let newest = snapshots.first().map_or("", |one| one.id.as_str());
        let source = snapshots.first().map_or("", |one| one.name.as_str());
        found.push(Alarm {
            kind: AlarmKind::DamageFound,
            subject: format!("{}/{}", id.service, id.address),
            connector: facts.sources.get(id).cloned(),
            level: AlarmLevel::Critical,
            message: format!(
                "{} snapshots of {source} are damaged, the newest is {}",
                snapshots.len(),
                newest.get(..8).unwrap_or(newest)
            ),
            hint: "What is missing is named by the run that verified it. A backup with --full reads everything again."
                .to_owned(),
        });
    }
}

/// Azure DevOps makes and renews none since 2026-03-15, and lets none in from this day on.
const GLOBAL_TOKENS_END: civil::Date = civil::date(2026, 12, 1);

fn global_tokens(facts: &Facts, now: Timestamp, found: &mut Vec<Alarm>) {
    for connector in &facts.connectors {
        if !facts.global_tokens.contains(&connector.name.to_lowercase()) {
            continue;
        }
        let Ok(end) = GLOBAL_TOKENS_END.to_zoned(TimeZone::UTC) else {
            continue;
        };
        let left = end.timestamp().duration_since(now);
        let (level, when) = match left.as_hours() {
            ..0 => (AlarmLevel::Critical, "since".to_owned()),
            hours @ 0..168 => (AlarmLevel::Critical, format!("in {} days, on", hours / 24)),
            hours => (AlarmLevel::Warning, format!("in {} days, on", hours / 24)),
        };
        found.push(Alarm {
            kind: AlarmKind::GlobalToken,
            subject: connector.name.clone(),
            connector: Some(connector.name.clone()),
            level,
            message: format!(
                "the token of {} is for all organizations of its owner: Azure DevOps lets no such token in {when} {GLOBAL_TOKENS_END}",
                connector.name
            ),
            hint: format!(
                "It can no longer be renewed. Make a token for {} alone and put it in the old one's place: `keepward credential rotate NAME`. Or sign in with Microsoft Entra.",
                connector.organization
            ),
        });
    }
}

fn words(length: SignedDuration) -> String {
    let hours = length.as_hours();
    match hours {
        0 => format!("{} minutes", length.as_mins()),
        1..48 => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}
