//! The program under measure, with a data directory and a repository of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::measure::{Server, Used, run, run_into};

pub(crate) struct Subject {
    program: PathBuf,
    folder: PathBuf,
}

impl Subject {
    pub(crate) fn new(program: &Path, server: &Server, folder: &Path) -> Result<Self> {
        let this = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
        };
        let (password, pat) = (folder.join("password"), folder.join("pat"));
        std::fs::write(&password, "bench\n")?;
        std::fs::write(&pat, &server.pat)?;
        run(this
            .command(&["repository", "init"])
            .arg(folder.join("repository"))
            .arg("--password-file")
            .arg(&password))?;
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
            .arg(self.folder.join("data"))
            .env("TMPDIR", &self.folder);
        command
    }

    pub(crate) fn backup(&self) -> Result<Used> {
        run(&mut self.command(&["backup", "contoso"]))
    }

    /// Reads one item to files, in a process that knows nothing yet.
    pub(crate) fn export(&self, item: u32) -> Result<Used> {
        let to = self.folder.join("item");
        let path = format!("work-items/{:04}/{item}", item / 256);
        let used = run(self
            .command(&["export", "latest", &path])
            .arg("--to")
            .arg(&to))?;
        ensure!(
            to.join(item.to_string()).join("work-item.json").exists(),
            "{path} was not exported"
        );
        Ok(used)
    }

    pub(crate) fn search(&self, words: &str) -> Result<Used> {
        run(&mut self.command(&["snapshot", "search", words]))
    }

    /// Plans and applies; both are what a person waits for.
    pub(crate) fn restore(&self, item: u32) -> Result<Used> {
        let id = item.to_string();
        let output = self.folder.join("plan.json");
        let mut command = self.command(&[
            "restore",
            "plan",
            "latest",
            "--kind",
            "work-item",
            "--id",
            &id,
            "--json",
        ]);
        let plan = run_into(&mut command, File::create(&output)?.into())?;
        let text = std::fs::read_to_string(&output)?;
        let plan_id = text
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find(|event| event["event"] == "plan")
            .and_then(|event| event["id"].as_str().map(str::to_owned))
            .with_context(|| format!("no plan in {text}"))?;
        let applied = run(&mut self.command(&["restore", "apply", &plan_id]))?;
        Ok(Used {
            wall_seconds: plan.wall_seconds + applied.wall_seconds,
            cpu_seconds: plan.cpu_seconds + applied.cpu_seconds,
            peak_memory: plan.peak_memory.max(applied.peak_memory),
        })
    }

    pub(crate) fn repository_bytes(&self) -> Result<u64> {
        let (mut open, mut bytes) = (vec![self.folder.join("repository")], 0);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let meta = entry.metadata()?;
                if meta.is_dir() {
                    open.push(entry.path());
                } else {
                    bytes += meta.len();
                }
            }
        }
        Ok(bytes)
    }
}
