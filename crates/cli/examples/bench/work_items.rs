//! The whole `keepward backup` process against `restic backup` of the same documents as files.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::documents::Documents;
use crate::figures::{Figure, median};
use crate::measure::{Server, Used, run};
use crate::stores::{Round, Stores};

const CHANGED: u32 = 1000;
const MEMORY_GOAL: f64 = 150e6;

/// First, changed and quiet runs of one side.
#[derive(Default)]
struct Runs {
    first: Vec<f64>,
    changed: Vec<f64>,
    quiet: Vec<f64>,
}

impl std::fmt::Display for Runs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let last = [&self.first, &self.changed, &self.quiet].map(|runs| runs.last());
        write!(out, "{last:?}")
    }
}

/// What all rounds have measured.
#[derive(Default)]
struct Measured {
    ours: Runs,
    peer: Runs,
    memory: f64,
    stores: Stores,
}

pub(crate) async fn measure(keepward: &Path, items: u32, runs: usize) -> Result<Vec<Figure>> {
    let mut measured = Measured::default();
    for number in 1..=runs {
        eprintln!("cpu: round {number} of {runs}, {items} work items");
        measured.round(keepward, items).await?;
        eprintln!("  ours {}", measured.ours);
        eprintln!("  restic {}", measured.peer);
    }
    Ok(measured.figures())
}

impl Measured {
    /// Both sides back up the same items three times: from nothing, after changes, and once more.
    async fn round(&mut self, keepward: &Path, items: u32) -> Result<()> {
        let count = items.to_string();
        let bulk = ["--seed", "bulk", "--bytes", "2000", "--work-items", &count];
        let server = Server::start(keepward, &bulk)?;
        let folder = tempfile::tempdir()?;
        let (mine, theirs) = (
            Keepward::new(keepward, &server, folder.path())?,
            Restic::new(folder.path())?,
        );
        let mut documents = Documents {
            server: &server,
            folder: folder.path().join("documents"),
            items,
            token: None,
        };
        documents.write().await?;
        let (first, peer) = (mine.backup()?, theirs.backup(&documents.folder)?);
        self.stores.backup(first, peer);
        self.ours.first.push(first.cpu_seconds);
        self.peer.first.push(peer.cpu_seconds);

        change(&server).await?;
        documents.write().await?;
        let (changed, peer) = (mine.backup()?, theirs.backup(&documents.folder)?);
        self.ours.changed.push(changed.cpu_seconds);
        self.peer.changed.push(peer.cpu_seconds);

        let (quiet, peer) = (mine.backup()?, theirs.backup(&documents.folder)?);
        self.ours.quiet.push(quiet.cpu_seconds);
        self.peer.quiet.push(peer.cpu_seconds);
        for used in [first, changed, quiet] {
            self.memory = self.memory.max(used.peak_memory);
        }
        theirs.check(&folder.path().join("repository"), &mine.password)?;
        let round = Round {
            keepward,
            folder: folder.path(),
            documents: &documents.folder,
            items,
        };
        self.stores.measure(&round).await
    }

    fn figures(self) -> Vec<Figure> {
        let Self { ours, peer, .. } = self;
        let cpu = |name, ours: Vec<f64>, peer: Vec<f64>, goal| Figure {
            name,
            ours: median(ours),
            peer: median(peer),
            goal,
            unit: "cpu seconds",
        };
        let mut figures = vec![
            cpu("cpu-first", ours.first, peer.first, 0.5),
            cpu("cpu-changed", ours.changed, peer.changed, 0.2),
            cpu("cpu-quiet", ours.quiet, peer.quiet, 0.1),
            Figure {
                name: "memory",
                ours: self.memory,
                peer: MEMORY_GOAL,
                goal: 1.0,
                unit: "bytes",
            },
        ];
        figures.extend(self.stores.figures());
        figures
    }
}

async fn change(server: &Server) -> Result<()> {
    let url = format!("{}/__bulk/change", server.url);
    let body = serde_json::json!({"count": CHANGED}).to_string();
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .post(url)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await?;
    ensure!(
        answer.status().is_success(),
        "the simulator did not change the items: {}",
        answer.status()
    );
    Ok(())
}

/// The program under measure, with a data directory and a repository of its own.
struct Keepward {
    program: PathBuf,
    data: PathBuf,
    work: PathBuf,
    password: PathBuf,
}

impl Keepward {
    fn new(program: &Path, server: &Server, folder: &Path) -> Result<Self> {
        let password = folder.join("password");
        std::fs::write(&password, "bench\n")?;
        let pat = folder.join("pat");
        std::fs::write(&pat, &server.pat)?;
        let this = Self {
            program: program.to_owned(),
            data: folder.join("data"),
            work: folder.to_owned(),
            password,
        };
        run(this
            .command(&["repository", "init"])
            .arg(folder.join("repository"))
            .arg("--password-file")
            .arg(&this.password))?;
        run(this
            .command(&[
                "connector",
                "add",
                "azure-devops",
                &server.organization,
                "--url",
                &server.url,
            ])
            .arg("--pat-file")
            .arg(&pat))?;
        Ok(this)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.data)
            .env("TMPDIR", &self.work);
        command
    }

    fn backup(&self) -> Result<Used> {
        run(&mut self.command(&["backup", "contoso"]))
    }
}

struct Restic {
    repository: PathBuf,
    password: PathBuf,
    cache: PathBuf,
}

impl Restic {
    fn new(folder: &Path) -> Result<Self> {
        let this = Self {
            repository: folder.join("restic"),
            password: folder.join("password"),
            cache: folder.join("cache"),
        };
        run(this.command(&this.repository, &this.password).arg("init"))?;
        Ok(this)
    }

    fn command(&self, repository: &Path, password: &Path) -> Command {
        let mut command = Command::new("restic");
        command
            .arg("--repo")
            .arg(repository)
            .arg("--password-file")
            .arg(password)
            .arg("--cache-dir")
            .arg(&self.cache);
        command
    }

    fn backup(&self, documents: &Path) -> Result<Used> {
        run(self
            .command(&self.repository, &self.password)
            .arg("backup")
            .arg(documents))
    }

    /// The judge's word on what we wrote.
    fn check(&self, repository: &Path, password: &Path) -> Result<()> {
        run(self
            .command(repository, password)
            .args(["check", "--read-data"]))
        .map(drop)
    }
}
