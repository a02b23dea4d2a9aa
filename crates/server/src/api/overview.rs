//! Whether all is well, on one page: from the catalog alone, in a few statements.

mod body;

use std::collections::BTreeMap;

use axum::extract::State;
use catalog::{AlarmRow, EndedRuns, Page, Put, RepositoryRow, SnapshotFilter};
use control::Standing;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use model::AlarmLevel;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alarms;
use super::proposals::waiting;
use crate::access::{Allowed, Caller, ReadStatus};
use crate::{Json, Problem, Refusals, Server};
use body::{
    Growth, NextRun, OpenAlarms, Overview, RequestsOf, RunsOfDay, RunsView, SourceView,
    StorageView, StoredIn, TrafficView, UnprotectedView,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Days of growth.
const DAYS: i64 = 30;
/// Things that no policy protects, next runs, and connectors with the most requests.
const MOST: usize = 100;
const NEXT: usize = 20;

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(get))
}

/// Whether all is well: what is protected, storage, requests, alarms, and what comes next.
#[utoipa::path(get, path = "/overview", tag = "server", operation_id = "overview_get",
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Overview), Refusals))]
async fn get(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
) -> Result<Json<Overview>, Problem> {
    let (control, now) = (&server.control, server.control.clock.now());
    let catalog = &control.catalog;
    let own: Option<Vec<String>> = caller
        .connectors
        .as_ref()
        .map(|names| names.iter().map(|name| name.to_lowercase()).collect());
    let since = now.checked_sub(DAY).unwrap_or(Timestamp::UNIX_EPOCH);
    let first = today(now).saturating_sub((DAYS - 1) * 24 * 3600);
    let first = Timestamp::from_second(first).unwrap_or(Timestamp::UNIX_EPOCH);
    let most = u32::try_from(MOST).unwrap_or(u32::MAX);
    let (repositories, put, measured, growth, ended, alarms, unprotected) = tokio::try_join!(
        catalog.repositories(),
        catalog.put(own.as_deref()),
        catalog.put_since_measured(),
        catalog.growth(first, own.as_deref()),
        catalog.ended_since(since),
        catalog.alarms(),
        catalog.unprotected_items(own.as_deref(), most),
    )?;
    let waiting_proposals = waiting(&server, &caller).await?;
    let mut standings = control.standings().await?;
    standings.retain(|one| caller.reaches(&one.connector.name));
    let orphans = match caller.connectors {
        None => orphans(&server, now).await?,
        Some(_) => Vec::new(),
    };
    let ended: Vec<EndedRuns> = ended
        .into_iter()
        .filter(|one| caller.reaches(&one.connector))
        .collect();
    Ok(Json(Overview {
        storage: storage(repositories, &put, &measured, &growth, first),
        requests: traffic(&server, &caller, &ended),
        alarms: open_alarms(&caller, &alarms),
        unprotected: unprotected.into_iter().map(UnprotectedView::from).collect(),
        next_runs: next_runs(&standings),
        runs: RunsView {
            last_day: RunsOfDay::of(&ended),
        },
        waiting_proposals,
        sources: standings
            .into_iter()
            .map(|one| {
                let source = control.source_of(&one.connector);
                SourceView::of(one, source, now)
            })
            .chain(orphans)
            .collect(),
    }))
}

/// What has snapshots and no connector, for those who reach everything.
async fn orphans(server: &Server, now: Timestamp) -> Result<Vec<SourceView>, Problem> {
    let catalog = &server.control.catalog;
    let mut views = Vec::new();
    for (source, name) in server.control.sources_without_connector().await? {
        let filter = SnapshotFilter {
            sources: Some(vec![source.clone()]),
            ..SnapshotFilter::default()
        };
        let listed = catalog.list_snapshots(&filter, &Page::first(1)).await?;
        views.push(SourceView::orphan(source, name, listed.items.first(), now));
    }
    Ok(views)
}

fn open_alarms(caller: &Caller, rows: &[AlarmRow]) -> OpenAlarms {
    let open = || {
        rows.iter()
            .filter(|row| row.acknowledged.is_none() && alarms::reaches(caller, row))
    };
    let critical = open().filter(|row| row.alarm.level == AlarmLevel::Critical);
    OpenAlarms {
        open: open().count(),
        critical: critical.count(),
    }
}

/// The second at which this day began (UTC).
fn today(now: Timestamp) -> i64 {
    now.as_second().div_euclid(24 * 3600) * 24 * 3600
}

fn storage(
    repositories: Vec<RepositoryRow>,
    put: &BTreeMap<String, Put>,
    measured: &BTreeMap<String, u64>,
    growth: &[(Timestamp, u64)],
    first: Timestamp,
) -> StorageView {
    let added: BTreeMap<Timestamp, u64> = growth.iter().copied().collect();
    let days = (0..DAYS).filter_map(|day| first.checked_add((day * 24).hours()).ok());
    StorageView {
        raw_bytes: put.values().map(|put| put.received).sum(),
        stored_bytes: put.values().map(|put| put.stored).sum(),
        growth: days
            .map(|day| Growth::of(day, added.get(&day).copied().unwrap_or(0)))
            .collect(),
        repositories: repositories
            .into_iter()
            .map(|row| {
                let since = measured.get(&row.name).copied().unwrap_or(0);
                StoredIn::of(row, since)
            })
            .collect(),
    }
}

fn traffic(server: &Server, caller: &Caller, ended: &[EndedRuns]) -> TrafficView {
    let mut connectors: BTreeMap<String, RequestsOf> = BTreeMap::new();
    for one in ended.iter().filter(|one| one.requests > 0) {
        let of = connectors.entry(one.connector.clone()).or_default();
        of.requests += one.requests;
    }
    for (connector, seconds) in server.counters.throttled_last_day() {
        if caller.reaches(&connector) {
            let of = connectors.entry(connector.to_lowercase()).or_default();
            of.throttled_seconds += seconds;
        }
    }
    let (requests, throttled) = connectors.values().fold((0, 0), |(requests, seconds), of| {
        (requests + of.requests, seconds + of.throttled_seconds)
    });
    let mut connectors: Vec<RequestsOf> = connectors
        .into_iter()
        .map(|(connector, of)| RequestsOf { connector, ..of })
        .collect();
    connectors.sort_by_key(|of| std::cmp::Reverse((of.throttled_seconds, of.requests)));
    connectors.truncate(NEXT);
    TrafficView {
        last_day: requests,
        throttled_seconds: throttled,
        connectors,
    }
}

/// The soonest.
fn next_runs(standings: &[Standing]) -> Vec<NextRun> {
    let mut next: Vec<(Timestamp, &Standing)> = standings
        .iter()
        .filter_map(|one| Some((one.next_run?, one)))
        .collect();
    next.sort_by_key(|(at, _)| *at);
    next.truncate(NEXT);
    next.into_iter()
        .map(|(at, one)| NextRun {
            policy: one.policy.clone().unwrap_or_default(),
            connector: one.connector.name.clone(),
            at: at.to_string(),
        })
        .collect()
}
