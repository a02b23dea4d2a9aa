//! `make bench-api`: how fast lists answer on a large catalog, on both databases, and what an idle server costs.
//!
//! A JSON line for each list: `{"step":"GET /runs","database":"sqlite","p50_ms":…,"p99_ms":…}`, and at the end whether the goals hold.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measuring program talks to the terminal, has a clock and looks for its programs"
)]

mod fill;
mod idle;
#[expect(
    clippy::unwrap_used,
    reason = "without its own PostgreSQL there is nothing to measure"
)]
#[path = "../../../catalog/tests/conformance/postgres.rs"]
mod postgres;
mod support;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use catalog::{Catalog, Kek};
use clap::Parser;
use control::{Control, Reach};
use reqwest::Method;
use serde_json::Value;
use server::{Options, Server};

use support::{Place, Wall};

/// Milliseconds.
const GOAL: f64 = 50.0;

#[derive(Parser)]
pub(crate) struct Args {
    #[arg(long, default_value_t = 10_000)]
    runs: u32,
    #[arg(long, default_value_t = 1_000_000)]
    items: u32,
    #[arg(long, default_value_t = 500)]
    connectors: u32,
    /// Requests for each list
    #[arg(long, default_value_t = 200)]
    requests: usize,
    /// On this one alone: `sqlite` or `postgresql`
    #[arg(long)]
    database: Option<String>,
    /// A small catalog, to see that it runs: goals are not judged
    #[arg(long)]
    quick: bool,
}

impl Args {
    fn read() -> Self {
        let args = Self::parse();
        if !args.quick {
            return args;
        }
        Self {
            runs: 200,
            items: 2_000,
            connectors: 20,
            requests: 10,
            ..args
        }
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let args = Args::read();
    let mut missed = idle::measure()?;
    let wanted = |name| args.database.as_deref().is_none_or(|only| only == name);
    if wanted("sqlite") {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite://{}/catalog.db", folder.path().display());
        missed += measure("sqlite", &url, &args).await?;
    }
    if wanted("postgresql") {
        let cluster = postgres::Cluster::start();
        let Place { url } = cluster.place("bench");
        missed += measure("postgresql", &url, &args).await?;
    }
    ensure!(args.quick || missed == 0, "{missed} goals missed");
    Ok(())
}

/// Fills a catalog and asks for each list; how many were too slow.
async fn measure(database: &str, url: &str, args: &Args) -> Result<u32> {
    let catalog = Catalog::open(url).await?;
    let kek = Arc::new(Kek::new([7; 32]));
    let begun = Instant::now();
    fill::fill(&catalog, &kek, args).await?;
    eprintln!(
        "{database}: filled in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    let clock = Arc::new(Wall);
    let control = Control {
        catalog,
        kek,
        clock: clock.clone(),
        services: &[],
        reach: Reach::usual(clock)?,
        worker: "bench".to_owned(),
        work: std::env::temp_dir(),
    };
    let server = Server::new(control, Options::default());
    let mut missed = 0;
    for path in lists(&server).await? {
        missed += u32::from(!fast(&server, database, &path, args.requests).await?);
    }
    Ok(missed)
}

/// A name that few have, that all have and that none has, in a project and in one that has nothing, in the recycle bin, and words of texts.
const FILTERS: [&str; 17] = [
    "name=item%20999",
    "name=4711",
    "name=item",
    "name=bench%20it",
    "name=item%20nowhere",
    "name=nowhere",
    "project=project%2011",
    "project=nowhere",
    "project=project%2011&name=4711",
    "project=project%2011&name=item%2012",
    "project=nowhere&name=item",
    "binned=true",
    "binned=true&name=item",
    "binned=true&project=project%2011&name=nowhere",
    "project=project%2011&q=4711",
    "project=nowhere&q=item",
    "q=item",
];

/// Every list of the interface that needs no parameter, and those of a snapshot and a run.
async fn lists(server: &Server) -> Result<Vec<String>> {
    let (snapshot, run) = (
        first(server, "/snapshots").await?,
        first(server, "/runs").await?,
    );
    let document = serde_json::to_value(server::openapi())?;
    let paths = document["paths"].as_object().context("no paths")?;
    let plain = paths.iter().filter(|(path, methods)| {
        let get = &methods["get"];
        let needs = get["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|parameter| parameter["required"] == true);
        get["responses"]["200"]["content"]["application/json"].is_object()
            && !needs
            && !path.contains('{')
    });
    let mut lists: Vec<String> = plain.map(|(path, _)| path.clone()).collect();
    lists.extend([
        "/runs?connector=organization-7".to_owned(),
        "/runs?state=failed".to_owned(),
        format!("/runs/{run}/issues"),
        format!("/snapshots/{snapshot}/items"),
        format!("/snapshots/{snapshot}/counts"),
        format!("/snapshots/{snapshot}/history?kind=work-item&id=4711"),
        "/search?q=4711&limit=20".to_owned(),
        "/search?q=card%204711&limit=20".to_owned(),
        "/search?q=item&kind=team".to_owned(),
        "/search?q=item&project=nowhere".to_owned(),
    ]);
    lists.extend(
        FILTERS
            .iter()
            .map(|filter| format!("/snapshots/{snapshot}/items?kind=work-item&{filter}")),
    );
    Ok(lists)
}

async fn first(server: &Server, path: &str) -> Result<String> {
    let listed: Value = serde_json::from_slice(&server.call(Method::GET, path, None).await.body)?;
    let id = listed["items"][0]["id"].as_str();
    id.map(str::to_owned)
        .with_context(|| format!("{path} is empty"))
}

async fn fast(server: &Server, database: &str, path: &str, requests: usize) -> Result<bool> {
    let mut times = Vec::with_capacity(requests);
    for _ in 0..requests {
        let begun = Instant::now();
        let answer = server.call(Method::GET, path, None).await;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        ensure!(
            answer.status.is_success(),
            "{path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let (p50, p99) = (at(50), at(99));
    println!(
        "{}",
        serde_json::json!({"step": format!("GET {path}"), "database": database, "p50_ms": p50, "p99_ms": p99, "goal_ms": GOAL, "ok": p99 < GOAL})
    );
    Ok(p99 < GOAL)
}
