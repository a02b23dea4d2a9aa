//! The program under judgment, with a data directory of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

pub(crate) struct Keepward {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Keepward {
    pub(crate) fn new(program: &Path) -> Result<Self> {
        let program = program
            .canonicalize()
            .with_context(|| format!("no program at {}", program.display()))?;
        Ok(Self {
            program,
            folder: tempfile::tempdir()?,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    pub(crate) fn password(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.path("password"))?
            .trim_end()
            .to_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("KEEPWARD_DATA_DIR", self.path("data"))
            .stdin(Stdio::null());
        command
    }

    /// Fails unless the exit code is 0.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<()> {
        self.ends_with(&[0], arguments)
    }

    /// What vanishes while the backup runs is an issue: exit code 3.
    pub(crate) fn backup(&self) -> Result<()> {
        self.ends_with(&[0, 3], &["backup", "contoso"])
    }

    fn ends_with(&self, codes: &[i32], arguments: &[&str]) -> Result<()> {
        let output = self.command().args(arguments).output()?;
        ensure!(
            output
                .status
                .code()
                .is_some_and(|code| codes.contains(&code)),
            "keepward {} ended with {}: {}{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    pub(crate) fn export(&self, snapshot: &str, path: &str, to: &Path) -> Result<()> {
        self.run(&[
            "export",
            snapshot,
            path,
            "--to",
            to.to_str().context("a path that is not UTF-8")?,
        ])
    }

    /// Uses a repository of others, as `judged`.
    pub(crate) fn add(&self, repository: &Path, password: &str) -> Result<()> {
        let file = self.path("judged-password");
        std::fs::write(&file, password)?;
        let text = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .context("a path that is not UTF-8")
        };
        self.run(&[
            "repository",
            "add",
            &text(repository)?,
            "--password-file",
            &text(&file)?,
            "--name",
            "judged",
        ])
    }

    /// A small organization of every kind with a connector to it, and a repository of our own.
    pub(crate) fn organization(&self) -> Result<Server> {
        let mut child = self
            .command()
            .args(["simulator", "--seed", "small", "--json"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        let server = Server {
            child,
            said: serde_json::from_str(&line)
                .with_context(|| format!("the simulator said {line:?}"))?,
        };
        std::fs::write(self.path("password"), "judges\n")?;
        std::fs::write(
            self.path("pat"),
            server.said["pat"].as_str().context("no token")?,
        )?;
        let text = |name: &str| {
            self.path(name)
                .to_str()
                .map(str::to_owned)
                .context("a path that is not UTF-8")
        };
        self.run(&[
            "repository",
            "init",
            &text("repository")?,
            "--password-file",
            &text("password")?,
        ])?;
        let url = server.url()?;
        self.run(&[
            "connector",
            "add",
            "azure-devops",
            "contoso",
            "--url",
            &url,
            "--pat-file",
            &text("pat")?,
        ])?;
        Ok(server)
    }
}

/// A simulator; it ends with this.
pub(crate) struct Server {
    child: Child,
    said: serde_json::Value,
}

impl Server {
    fn url(&self) -> Result<String> {
        Ok(self.said["url"].as_str().context("no address")?.to_owned())
    }

    /// Something of every kind is added, changed or deleted.
    pub(crate) fn change(&self) -> Result<()> {
        use std::io::{Read as _, Write as _};
        let url = self.url()?;
        let host = url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(host)?;
        write!(
            stream,
            "POST /__demo/change HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(
            answer.starts_with("HTTP/1.1 200"),
            "the simulator changed nothing: {answer}"
        );
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("the simulator did not end: {error}");
        }
    }
}
