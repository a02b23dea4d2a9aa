//! `make crash-test`: kills the program with SIGKILL while it writes, at random points of every command that does, and looks at what is left.
//!
//! Ends with `N passed, N failed`. The seed is printed, and `--seed` repeats it; where exactly a kill lands is a race, as in life.

#![expect(clippy::unwrap_used, reason = "a test")]
#![expect(clippy::print_stdout, reason = "it talks to the terminal")]

#[expect(dead_code, reason = "other tests need the rest")]
#[path = "../../tests/common/mod.rs"]
mod common;
#[expect(dead_code, reason = "a test kills at the snapshot too")]
#[path = "../../tests/it/kills/mod.rs"]
mod kills;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser;
use futures::FutureExt as _;
use rand::RngExt as _;

use kills::Kills;

#[derive(Parser)]
struct Args {
    /// Kills in all, the same number for each command
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// Chooses the points [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Only these commands: backup, restore, prune, copy
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args
        .seed
        .unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    println!("seed {seed}");
    let mut kills = Kills::prepare(seed).await;
    let names = kills.names();
    let chosen: Vec<usize> = (0..names.len())
        .filter(|&at| args.only.is_empty() || args.only.iter().any(|only| only == names[at]))
        .collect();
    let (mut passed, mut failed) = (0, 0);
    for (number, &command) in chosen.iter().cycle().take(args.kills).enumerate() {
        let killed = AssertUnwindSafe(kills.kill(command)).catch_unwind().await;
        let (number, name) = (number + 1, names[command]);
        if let Ok(doing) = killed {
            passed += 1;
            println!("{number:3} {name:8} killed at: {doing}");
        } else {
            failed += 1;
            println!("{number:3} {name:8} FAILED; again: make crash-test SEED={seed}");
        }
    }
    println!("\nkills by what was going on:");
    for ((command, doing), count) in &kills.tally {
        println!("  {command:8} {doing:40} {count}");
    }
    println!("\n{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
