//! How long the server takes to start, and how much memory it has when nobody asks anything.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

const START: Duration = Duration::from_secs(1);
const MEMORY: u64 = 150 << 20;

/// How many goals were missed.
pub(crate) fn measure() -> Result<u32> {
    let folder = tempfile::tempdir()?;
    let program = std::env::current_exe()?;
    let program = program
        .parent()
        .and_then(|examples| examples.parent())
        .context("no folder")?
        .join("keepward");
    let begun = Instant::now();
    let mut server = Command::new(program)
        .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the server")?;
    let output = server.stdout.take().context("no output")?;
    let listening = BufReader::new(output)
        .lines()
        .map_while(std::result::Result::ok)
        .find(|line| line.contains("listening"));
    let start = begun.elapsed();
    // What it does at the start has ended after some rounds of its loops.
    std::thread::sleep(Duration::from_secs(15));
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = resident
        .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .context("no VmRSS")?;
    server.kill()?;
    server.wait()?;
    listening.context("the server never listened")?;
    let memory = kilobytes << 10;
    println!(
        "{}",
        serde_json::json!({"step": "start", "seconds": start.as_secs_f64(), "goal_seconds": START.as_secs_f64(), "ok": start < START})
    );
    println!(
        "{}",
        serde_json::json!({"step": "idle", "memory": memory, "goal_memory": MEMORY, "ok": memory < MEMORY})
    );
    Ok(u32::from(start >= START) + u32::from(memory >= MEMORY))
}
