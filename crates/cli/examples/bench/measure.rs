//! Time, CPU seconds and peak memory of child processes.

#![expect(
    clippy::cast_precision_loss,
    reason = "seconds and bytes far below 2^52"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// What a finished process used, its own children included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub wall_seconds: f64,
    /// user + sys
    pub cpu_seconds: f64,
    /// Of the process itself, in bytes.
    pub peak_memory: f64,
}

/// Runs a command to its end; fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<Used> {
    run_into(command, Stdio::null())
}

/// The same with a place for what it prints.
pub(crate) fn run_into(command: &mut Command, stdout: Stdio) -> Result<Used> {
    let before = children_cpu()?;
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(resident_peak(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    let wall_seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        let mut text = String::new();
        std::io::Read::read_to_string(
            &mut child.stderr.take().context("no standard error")?,
            &mut text,
        )?;
        bail!("{command:?} failed: {text}");
    }
    Ok(Used {
        wall_seconds,
        cpu_seconds: children_cpu()? - before,
        peak_memory: peak as f64,
    })
}

/// Of all children that have ended.
fn children_cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros as f64 / 1e6)
}

/// The kernel's own high-water mark, in bytes; 0 once the process has ended.
fn resident_peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| {
        line.trim()
            .trim_end_matches(" kB")
            .trim()
            .parse::<u64>()
            .ok()
    });
    kib.unwrap_or(0) * 1024
}

/// A simulator in another process; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub url: String,
    pub organization: String,
    pub pat: String,
}

impl Server {
    pub(crate) fn start(keepward: &std::path::Path, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(keepward);
        command
            .args(["simulator", "--json"])
            .args(arguments)
            .stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", keepward.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        let answer: serde_json::Value =
            serde_json::from_str(&line).with_context(|| format!("the simulator said {line:?}"))?;
        let text = |key: &str| {
            answer[key]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("the simulator gave no {key}"))
        };
        Ok(Self {
            url: text("url")?,
            organization: text("organization")?,
            pat: text("pat")?,
            child,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self
            .child
            .kill()
            .and_then(|()| self.child.wait().map(drop))
            .is_err()
        {
            eprintln!("the simulator had ended already");
        }
    }
}
