//! `make bench-scale`: what a large organization costs, and whether quiet runs and single restores stay as cheap as its lists allow.
//!
//! Two organizations are made in the simulator, one a tenth of the other, and each goes through first backup, quiet run, 0.1 % changed,
//! one item restored cold (into the service, and to files) and a search. A JSON line for each step:
//! `{"step":…,"work_items":…,"repositories":…,"seconds":…,"cpu_seconds":…,"peak_memory":…,"requests":…,"repository_bytes":…}`
//! and at the end the figures, as `make bench` prints them. The large one needs 3 GB of memory, most of it for the simulator, and 5 GB of disk.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measuring program talks to the terminal"
)]

#[path = "../bench/measure.rs"]
mod measure;
mod organization;
mod subject;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser;
use measure::{Server, Used};
use organization::Organization;
use subject::Subject;

/// Bytes of a work item's document.
const BYTES: &str = "2000";
/// A changed run changes one of so many.
const SHARE: u32 = 1000;
const MEMORY_GOAL: f64 = 400e6;

#[derive(Parser)]
struct Args {
    /// Work items of the large organization
    #[arg(long, default_value_t = 1_000_000)]
    work_items: u32,
    /// Its repositories
    #[arg(long, default_value_t = 1_000)]
    repositories: u32,
    /// How many times smaller the other one is
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..))]
    smaller: u32,
    /// Where repositories and data folders go for the time of the run [default: the temporary folder]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The program to measure [default: the one built beside this]
    #[arg(long)]
    keepward: Option<PathBuf>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let args = Args::parse();
    let keepward = match &args.keepward {
        Some(path) => path.clone(),
        None => beside()?,
    };
    let small = [
        args.work_items / args.smaller,
        args.repositories / args.smaller,
    ]
    .map(|count| count.max(1));
    let large = [args.work_items, args.repositories];
    let folder = args.folder.unwrap_or_else(std::env::temp_dir);
    let small_steps = measure(&keepward, &folder, small).await?;
    let large_steps = measure(&keepward, &folder, large).await?;
    let growth = f64::from(args.smaller);
    let mut missed = 0;
    for ((name, small), (_, large)) in small_steps.iter().zip(&large_steps) {
        if !["quiet", "item", "item-files"].contains(name) {
            continue;
        }
        // Our own work: the time also has what the simulator needs, which starts a git for each repository.
        missed += figure(
            &format!("scale-{name}"),
            large.cpu_seconds,
            small.cpu_seconds,
            growth,
            "cpu seconds",
        );
    }
    let peak = large_steps
        .iter()
        .map(|(_, used)| used.peak_memory)
        .fold(0.0, f64::max);
    missed += figure("scale-memory", peak, MEMORY_GOAL, 1.0, "bytes");
    if missed > 0 {
        eprintln!("{missed} figures miss their goal");
    }
    Ok(())
}

/// Prints the figure; 1 if it misses its goal.
fn figure(name: &str, ours: f64, peer: f64, goal: f64, unit: &str) -> u32 {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    let ratio = ours / peer;
    println!(
        "{}",
        serde_json::json!({"figure": name, "ours": round(ours), "peer": round(peer), "ratio": round(ratio), "goal": goal, "unit": unit})
    );
    u32::from(ratio > goal)
}

async fn measure(
    keepward: &Path,
    folder: &Path,
    [work_items, repositories]: [u32; 2],
) -> Result<Vec<(&'static str, Used)>> {
    eprintln!("{work_items} work items, {repositories} repositories: filling the simulator");
    let folder = tempfile::tempdir_in(folder)?;
    let (items, repos) = (work_items.to_string(), repositories.to_string());
    let server = Server::start(
        keepward,
        &[
            "--seed",
            "bulk",
            "--work-items",
            &items,
            "--bytes",
            BYTES,
            "--repositories",
            &repos,
        ],
    )?;
    let organization = Organization::new(&server)?;
    let subject = Subject::new(keepward, &server, folder.path())?;
    let mut run = Run {
        organization,
        subject,
        size: [work_items, repositories],
        steps: Vec::new(),
    };

    run.step("first", Subject::backup).await?;
    run.step("quiet", Subject::backup).await?;
    run.organization.change(work_items.div_ceil(SHARE)).await?;
    run.organization.push(repositories.div_ceil(SHARE)).await?;
    run.step("changed", Subject::backup).await?;
    // None of those that changed: what a restore needs of it lies far back in the index.
    let item = work_items / 2 + 7;
    run.step("item-files", |subject| subject.export(item))
        .await?;
    let title = run.organization.title(item).await?;
    // Without a server the words of new texts are indexed by the first search that wants them.
    run.step("first-search", |subject| subject.search(&title))
        .await?;
    run.step("search", |subject| subject.search(&title)).await?;
    run.organization.delete(item).await?;
    run.step("item", |subject| subject.restore(item)).await?;
    Ok(run.steps)
}

struct Run<'a> {
    organization: Organization<'a>,
    subject: Subject,
    size: [u32; 2],
    steps: Vec<(&'static str, Used)>,
}

impl Run<'_> {
    async fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&Subject) -> Result<Used>,
    ) -> Result<()> {
        self.organization.reset_requests().await?;
        let used = work(&self.subject)?;
        let requests = self.organization.requests().await?;
        let repository_bytes = self.subject.repository_bytes()?;
        let [work_items, repositories] = self.size;
        println!(
            "{}",
            serde_json::json!({
                "step": name,
                "work_items": work_items,
                "repositories": repositories,
                "seconds": (used.wall_seconds * 1000.0).round() / 1000.0,
                "cpu_seconds": (used.cpu_seconds * 1000.0).round() / 1000.0,
                "peak_memory": used.peak_memory,
                "requests": requests,
                "repository_bytes": repository_bytes,
            })
        );
        self.steps.push((name, used));
        Ok(())
    }
}

/// `target/release/keepward` from `target/release/examples/bench_scale`.
fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).context("where am I?")?;
    Ok(folder.join("keepward"))
}
