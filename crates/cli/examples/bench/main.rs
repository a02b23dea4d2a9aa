//! `make bench`: the figures against restic, git and the request floors, measured in one run, interleaved.
//!
//! Ends with a JSON line for each figure: `{"figure":…,"ours":…,"peer":…,"ratio":…,"goal":…,"unit":…}`. Every ratio is lower-is-better.
//! `--items N` and `--runs N` make a short run for development; the figures of record are those of the defaults.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measuring program talks to the terminal"
)]

mod documents;
mod figures;
mod git;
mod ingest;
mod measure;
mod requests;
mod stores;
mod work_items;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Args {
    /// Work items of the CPU figures
    #[arg(long, default_value_t = 100_000)]
    items: u32,
    /// Interleaved runs, of which the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Only these figures: requests, cpu, git
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The program to measure [default: the one built beside this]
    #[arg(long)]
    keepward: Option<PathBuf>,
    #[command(subcommand)]
    step: Option<Step>,
}

/// What is measured runs in a process of its own.
#[derive(Subcommand)]
enum Step {
    /// Fetches and verifies git repositories into folders, going on from what the folders have
    #[command(hide = true)]
    GitFetch {
        base: String,
        pat: String,
        /// Of the mirrors, one folder each, named by number
        folder: PathBuf,
        /// Clone addresses below the organization
        paths: Vec<String>,
    },
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let args = Args::parse();
    if let Some(Step::GitFetch {
        base,
        pat,
        folder,
        paths,
    }) = args.step
    {
        return git::fetch(&base, &pat, &folder, &paths).await;
    }
    let keepward = match args.keepward {
        Some(path) => path,
        None => beside()?,
    };
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let mut figures = Vec::new();
    if wanted("requests") {
        figures.extend(requests::measure(&keepward)?);
    }
    if wanted("cpu") {
        figures.extend(work_items::measure(&keepward, args.items, args.runs).await?);
    }
    if wanted("git") {
        figures.extend(git::measure(&keepward, args.runs).await?);
    }
    let missed = figures
        .iter()
        .filter(|figure| figure.ratio() > figure.goal)
        .count();
    for figure in &figures {
        println!("{}", figure.json());
    }
    if missed > 0 {
        eprintln!("{missed} of {} figures miss their goal", figures.len());
    }
    Ok(())
}

/// `target/release/keepward` from `target/release/examples/bench`.
fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own
        .parent()
        .and_then(std::path::Path::parent)
        .context("where am I?")?;
    Ok(folder.join("keepward"))
}
