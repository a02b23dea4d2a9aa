//! A git repository of 200 MB and 8,000 refs, backed up, backed up again, and restored: time, CPU seconds, peak memory.
//!
//! `cargo run --release --package cli --example large_repository [-- --megabytes N]`, after a build of `keepward` in the same profile.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measuring program talks to the terminal"
)]

#[path = "bench/measure.rs"]
mod measure;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use measure::{Server, Used, run, run_into};
use serde_json::Value;

#[derive(Parser)]
struct Args {
    /// Of the packed history
    #[arg(long, default_value_t = 200)]
    megabytes: u32,
    /// Branches and tags
    #[arg(long, default_value_t = 8000)]
    refs: u32,
    /// The program to measure [default: the one built beside this]
    #[arg(long)]
    keepward: Option<PathBuf>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let args = Args::parse();
    let own = std::env::current_exe()?;
    let beside = own.parent().and_then(Path::parent).context("where am I?")?;
    let keepward = args.keepward.unwrap_or_else(|| beside.join("keepward"));
    let folder = tempfile::tempdir()?;
    let history = folder.path().join("history");
    make_history(&history, args.megabytes, args.refs)?;
    let path = history.to_str().context("a path that is not UTF-8")?;
    let server = Server::start(
        &keepward,
        &["--seed", "contoso", "--work-items", "1", "--history", path],
    )?;
    let second = second_organization(&server).await?;
    let subject = Subject {
        keepward,
        folder: folder.path().to_owned(),
    };
    subject.prepare(&server, &second)?;
    let backup = ["backup", &server.organization];
    let size = |at: &Path| Command::new("du").args(["-sm"]).arg(at).output();
    show("first backup", subject.run(&backup)?);
    show("quiet backup", subject.run(&backup)?);
    let plan = subject.told(&[
        "restore",
        "plan",
        "latest",
        "--kind",
        "git-repository",
        "--into",
        "second",
    ])?;
    let plan = plan["id"].as_str().context("a plan without an id")?;
    show("restore", subject.run(&["restore", "apply", plan])?);
    let stored = size(&folder.path().join("store"))?;
    println!(
        "stored MB: {}",
        String::from_utf8_lossy(&stored.stdout)
            .split('\t')
            .next()
            .unwrap_or("?")
    );
    Ok(())
}

fn show(what: &str, used: Used) {
    println!(
        "{what}: {:.1} s, {:.1} CPU s, {:.0} MB of memory at most",
        used.wall_seconds,
        used.cpu_seconds,
        used.peak_memory / 1e6
    );
}

async fn second_organization(server: &Server) -> Result<String> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let made = client
        .post(format!("{}/__organizations", server.url))
        .body(r#"{"name":"second"}"#)
        .send()
        .await?
        .error_for_status()?;
    let made: Value = serde_json::from_slice(&made.bytes().await?)?;
    Ok(made["pat"].as_str().context("no token")?.to_owned())
}

struct Subject {
    keepward: PathBuf,
    folder: PathBuf,
}

impl Subject {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.keepward);
        command
            .args(arguments)
            .arg("--json")
            .arg("--data-dir")
            .arg(self.folder.join("data"));
        command
    }

    /// Exit code 3 is a failure here: nothing is left out.
    fn run(&self, arguments: &[&str]) -> Result<Used> {
        let path = self.folder.join("told");
        run_into(&mut self.command(arguments), File::create(&path)?.into()).with_context(|| {
            let told = std::fs::read_to_string(&path).unwrap_or_default();
            let last: Vec<&str> = told.lines().rev().take(3).collect();
            last.join("\n")
        })
    }

    /// The event `plan`.
    fn told(&self, arguments: &[&str]) -> Result<Value> {
        self.run(arguments)?;
        let told = std::fs::read_to_string(self.folder.join("told"))?;
        let events: Vec<Value> = told
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        let plan = events.into_iter().rfind(|event| event["event"] == "plan");
        plan.context("nothing was planned")
    }

    fn prepare(&self, server: &Server, second: &str) -> Result<()> {
        let file = |name: &str, text: &str| -> Result<String> {
            let path = self.folder.join(name);
            std::fs::write(&path, text)?;
            Ok(path
                .to_str()
                .context("a path that is not UTF-8")?
                .to_owned())
        };
        let store = self.folder.join("store");
        let store = store.to_str().context("a path that is not UTF-8")?;
        let password = file("password", "a password of the measurement")?;
        self.run(&["repository", "init", store, "--password-file", &password])?;
        for (name, pat) in [
            (server.organization.as_str(), server.pat.as_str()),
            ("second", second),
        ] {
            let pat = file(&format!("pat-{name}"), pat)?;
            self.run(&[
                "connector",
                "add",
                "azure-devops",
                name,
                "--url",
                &server.url,
                "--pat-file",
                &pat,
            ])?;
        }
        Ok(())
    }
}

/// Commits of a megabyte that does not compress, and refs at all of them in turn.
fn make_history(folder: &Path, megabytes: u32, refs: u32) -> Result<()> {
    let git = || {
        let mut command = Command::new("git");
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    };
    run(git()
        .args(["init", "--quiet", "--bare", "--initial-branch=main"])
        .arg(folder))?;
    let mut import = git()
        .arg("-C")
        .arg(folder)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut input = BufWriter::new(import.stdin.take().context("no standard input")?);
    let mut seed = 1_u64;
    for commit in 1..=megabytes {
        write!(
            input,
            "commit refs/heads/main\nmark :{commit}\ncommitter A B <a@example.com> {} +0000\ndata 1\nm\n",
            1_700_000_000 + commit
        )?;
        for file in 0..5 {
            writeln!(
                input,
                "M 100644 inline f{}/{file}\ndata 200000",
                commit % 50
            )?;
            for _ in 0..25_000 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                input.write_all(&(seed ^ seed >> 29).to_le_bytes())?;
            }
            writeln!(input)?;
        }
    }
    for number in 0..refs {
        let space = if number % 2 == 0 { "heads" } else { "tags" };
        write!(
            input,
            "reset refs/{space}/r{number}\nfrom :{}\n\n",
            1 + number % megabytes
        )?;
    }
    input.flush()?;
    drop(input);
    ensure!(import.wait()?.success(), "git fast-import failed");
    run(git().arg("-C").arg(folder).args(["pack-refs", "--all"])).map(drop)
}
