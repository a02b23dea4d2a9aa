//! How well everything is protected, for those who want to be woken.

use std::collections::BTreeMap;

use control::Control;
use jiff::Timestamp;

use super::text::Page;
use crate::Problem;
use crate::api::word;

pub(super) async fn write(control: &Control, page: &mut Page) -> Result<(), Problem> {
    let now = control.clock.now();
    connectors(control, now, page).await?;
    repositories(control, now, page).await?;
    alarms(control, page).await
}

async fn connectors(control: &Control, now: Timestamp, page: &mut Page) -> Result<(), Problem> {
    let standings = control.standings().await?;
    let each = || {
        standings
            .iter()
            .map(|one| (vec![("connector", one.connector.name.clone())], one))
    };
    page.gauge(
        "rpo_seconds",
        "Time since the last good backup, or since the connector was made.",
        each().map(|(labels, one)| (labels, one.age(now).as_secs().max(0))),
    );
    page.gauge(
        "rpo_objective_seconds",
        "How old the last good backup may be.",
        each().map(|(labels, one)| (labels, one.objective.as_secs())),
    );
    page.gauge(
        "connector_protection",
        "Always 1; the state is a label: protected, late, failing, never or unprotected.",
        each().map(|(mut labels, one)| {
            labels.push(("state", one.state.name().to_owned()));
            (labels, 1)
        }),
    );
    Ok(())
}

async fn repositories(control: &Control, now: Timestamp, page: &mut Page) -> Result<(), Problem> {
    let catalog = &control.catalog;
    let (rows, verified, first) = tokio::try_join!(
        catalog.repositories(),
        catalog.last_verifications(now),
        catalog.first_snapshots(),
    )?;
    let label = |name: &str| vec![("repository", name.to_owned())];
    let ages = rows.iter().filter_map(|row| {
        let last = verified.get(&row.id).copied().max(row.checked);
        let since = last.or_else(|| first.get(&row.id).copied())?;
        Some((label(&row.name), now.duration_since(since).as_secs().max(0)))
    });
    page.gauge(
        "verify_age_seconds",
        "Time since a repository was checked or one of its snapshots verified, or since there was something to verify.",
        ages,
    );
    let pruned = rows
        .iter()
        .filter_map(|row| Some((label(&row.name), row.pruned?.as_second())));
    page.gauge(
        "repository_pruned_timestamp_seconds",
        "The last prune of a repository that went through.",
        pruned,
    );
    let damaged = rows
        .iter()
        .map(|row| (label(&row.name), u8::from(row.damaged.is_some())));
    page.gauge(
        "repository_damaged",
        "1 when a check has found damage that no later one could show to be gone.",
        damaged,
    );
    Ok(())
}

async fn alarms(control: &Control, page: &mut Page) -> Result<(), Problem> {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let open = control.catalog.alarms().await?;
    for row in open.iter().filter(|row| row.acknowledged.is_none()) {
        let key = (word(&row.alarm.kind), word(&row.alarm.level));
        *counts.entry(key).or_default() += 1;
    }
    let rows = counts
        .into_iter()
        .map(|((kind, level), count)| (vec![("kind", kind), ("level", level)], count));
    page.gauge("alarms", "Alarms that nobody has acknowledged.", rows);
    Ok(())
}
