//! Fetching a repository with verification against `git clone --mirror` and `git fetch`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use model::{Issue, ItemRef, Secret};
use service::git::{Remote, crawl_repository};
use service::http::{Auth, Options};
use service::{Client, Crawl, Item, PartInfo, Scope, Sink, Stored};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::figures::{Figure, median};
use crate::measure::{Server, run};

const COMMITS: u32 = 4000;

pub(crate) async fn measure(keepward: &Path, runs: usize) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let history = folder.path().join("history");
    make_history(&history)?;
    let history = history.to_str().context("a path that is not UTF-8")?;
    let server = Server::start(
        keepward,
        &[
            "--seed",
            "contoso",
            "--work-items",
            "1",
            "--history",
            history,
        ],
    )?;
    let paths = repositories(&server).await?;
    let base = format!("{}/{}", server.url, server.organization);
    let (mut initial, mut unchanged) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for round in 1..=runs {
        eprintln!("git: round {round} of {runs}, {} repositories", paths.len());
        let mirrors = Mirrors {
            base: &base,
            header: format!(
                "Authorization: Basic {}",
                base64(&format!(":{}", server.pat))
            ),
            pat: &server.pat,
            ours: folder.path().join(format!("ours-{round}")),
            theirs: folder.path().join(format!("git-{round}")),
        };
        let largest = &paths[..1];
        initial.0.push(mirrors.ours(largest)?);
        initial.1.push(mirrors.clone(largest)?);
        mirrors.ours(&paths)?;
        mirrors.clone(&paths[1..])?;
        unchanged.0.push(mirrors.ours(&paths)?);
        unchanged.1.push(mirrors.fetch()?);
        eprintln!(
            "  ours {:?} {:?}, git {:?} {:?}",
            initial.0.last(),
            unchanged.0.last(),
            initial.1.last(),
            unchanged.1.last()
        );
        mirrors.check(paths.len())?;
    }
    let figure = |name, (ours, peer): (Vec<f64>, Vec<f64>), goal| Figure {
        name,
        ours: median(ours),
        peer: median(peer),
        goal,
        unit: "cpu seconds",
    };
    Ok(vec![
        figure("git-initial", initial, 1.0),
        figure("git-unchanged", unchanged, 0.1),
    ])
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The same repositories as two sets of mirrors. One process of ours serves all, as it does in a backup; git needs one for each.
struct Mirrors<'a> {
    base: &'a str,
    header: String,
    pat: &'a str,
    ours: PathBuf,
    theirs: PathBuf,
}

impl Mirrors<'_> {
    /// CPU seconds of one process that fetches what is new.
    fn ours(&self, paths: &[String]) -> Result<f64> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["git-fetch", self.base, self.pat])
            .arg(&self.ours)
            .args(paths);
        Ok(run(&mut command)?.cpu_seconds)
    }

    fn clone(&self, paths: &[String]) -> Result<f64> {
        let mut spent = 0.0;
        for path in paths {
            let name = path.replace('/', "-");
            let address = format!("{}{path}", self.base);
            let mut command = self.git(&["clone", "--quiet", "--mirror", &address]);
            spent += run(command.arg(self.theirs.join(name)))?.cpu_seconds;
        }
        Ok(spent)
    }

    /// CPU seconds of `git fetch` in every mirror.
    fn fetch(&self) -> Result<f64> {
        let mut spent = 0.0;
        for entry in std::fs::read_dir(&self.theirs)? {
            let mut command = self.git(&["fetch", "--quiet", "--prune"]);
            spent += run(command.current_dir(entry?.path()))?.cpu_seconds;
        }
        Ok(spent)
    }

    /// The judge's word on what we fetched.
    fn check(&self, count: usize) -> Result<()> {
        for number in 0..count {
            let mut command = self.git(&["fsck", "--full", "--connectivity-only"]);
            run(command.current_dir(self.ours.join(number.to_string())))
                .context("what we fetched")?;
        }
        Ok(())
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "http.extraHeader")
            .env("GIT_CONFIG_VALUE_0", &self.header);
        command
    }
}

/// Clone addresses below the organization of all repositories that are not empty, the largest first.
async fn repositories(server: &Server) -> Result<Vec<String>> {
    let url = format!(
        "{}/{}/_apis/git/repositories?api-version=7.1",
        server.url, server.organization
    );
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client
        .get(url)
        .basic_auth("", Some(&server.pat))
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?;
    let list: serde_json::Value = serde_json::from_slice(&answer)?;
    let list = list["value"].as_array().context("no repositories")?;
    let mut found = Vec::new();
    for repository in list {
        let text = |value: &serde_json::Value| {
            let text = value.as_str().context("a repository without a name")?;
            anyhow::Ok(service::http::segment(text))
        };
        let size = repository["size"].as_u64().unwrap_or(0);
        if size > 0 {
            let project = text(&repository["project"]["name"])?;
            let name = text(&repository["name"])?;
            found.push((size, format!("/{project}/_git/{name}")));
        }
    }
    ensure!(!found.is_empty(), "no repository has content");
    found.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// A bare repository with a history of a few megabytes: text files that change, a few branches and tags.
fn make_history(folder: &Path) -> Result<()> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    };
    let path = folder.to_str().context("a path that is not UTF-8")?;
    let init = ["init", "--quiet", "--bare", "--initial-branch=main", path];
    run(&mut git(&init))?;
    let mut import = git(&["-C", path, "fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()?;
    let input = import.stdin.take().context("no standard input")?;
    write_history(std::io::BufWriter::new(input))?;
    ensure!(import.wait()?.success(), "git fast-import failed");
    run(&mut git(&["-C", path, "repack", "-adq"])).map(drop)
}

/// Commits of three files each, as `git fast-import` reads them.
fn write_history(mut out: impl std::io::Write) -> Result<()> {
    let mut seed = 1_u64;
    for commit in 1..=COMMITS {
        let message = format!("change {commit}");
        write!(
            out,
            "commit refs/heads/main\ncommitter A B <a@example.com> {} +0000\ndata {}\n{message}\n",
            1_700_000_000 + commit,
            message.len()
        )?;
        for _ in 0..3 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let name = seed >> 33 & 0x3ff;
            let lines: Vec<String> = (0..60)
                .map(|line| {
                    let value = seed.rotate_left(line) / (1 + u64::from(line % 7 == 0) * 3);
                    format!("line {line} of {name}: {value:x}")
                })
                .collect();
            let body = lines.join("\n");
            write!(
                out,
                "M 100644 inline src/{:02}/{name}.txt\ndata {}\n{body}\n",
                name % 40,
                body.len()
            )?;
        }
        if commit % 500 == 0 {
            write!(
                out,
                "reset refs/tags/v{}\nfrom refs/heads/main\n\n",
                commit / 500
            )?;
        }
    }
    Ok(out.flush()?)
}

/// The measured side: fetches into folders that are bare repositories afterwards.
pub(crate) async fn fetch(base: &str, pat: &str, folder: &Path, paths: &[String]) -> Result<()> {
    let client = Client::new(Options {
        hosts: BTreeMap::from([("dev", base.parse()?)]),
        auth: Auth::Pat(Secret::new(pat)),
        user_agent: "bench".to_owned(),
        attempts: 1,
        max_wait: Duration::ZERO,
        timeout: Duration::from_secs(100),
        max_body: 1 << 30,
        observer: None,
    })?;
    for (number, path) in paths.iter().enumerate() {
        let mirror = folder.join(number.to_string());
        std::fs::create_dir_all(&mirror)?;
        fetch_one(&client, path, mirror).await?;
    }
    Ok(())
}

async fn fetch_one(client: &Client, path: &str, mirror: PathBuf) -> Result<()> {
    let work = tempfile::tempdir()?;
    let store = Folder(mirror);
    let selection = BTreeSet::new();
    let cx = Crawl {
        http: client,
        scope: &Scope::default(),
        cursor: None,
        order: service::Order::usual(jiff::Timestamp::UNIX_EPOCH),
        selection: &selection,
        sink: &store,
        prior: &store,
        work: work.path(),
    };
    crawl_repository(
        &cx,
        &Remote::new(client, "dev", path),
        &ItemRef::new("git-repository", "", "bench"),
    )
    .await?;
    Ok(())
}

/// Parts as files.
struct Folder(PathBuf);

fn broken(error: &std::io::Error) -> service::Error {
    service::Error::storage(error.to_string())
}

impl Folder {
    fn place(&self, part: &str) -> service::Result<PathBuf> {
        let path = self.0.join(part);
        std::fs::create_dir_all(path.parent().unwrap_or(&self.0))
            .map_err(|error| broken(&error))?;
        Ok(path)
    }
}

#[async_trait]
impl Sink for Folder {
    async fn upsert(&self, _item: &Item, _document: &[u8]) -> service::Result<()> {
        Ok(())
    }

    async fn keep(&self, _item: &ItemRef) -> service::Result<()> {
        Ok(())
    }

    async fn delete(&self, _item: &ItemRef) -> service::Result<()> {
        Ok(())
    }

    async fn part(&self, _item: &ItemRef, part: &str, bytes: &[u8]) -> service::Result<()> {
        std::fs::write(self.place(part)?, bytes).map_err(|error| broken(&error))
    }

    async fn append(&self, _item: &ItemRef, part: &str, _line: &[u8]) -> service::Result<()> {
        Err(service::Error::storage(format!(
            "{part} is not a part of a git repository"
        )))
    }

    async fn stream(
        &self,
        _item: &ItemRef,
        part: &str,
        from: &mut (dyn AsyncRead + Send + Unpin),
    ) -> service::Result<u64> {
        let mut file = tokio::fs::File::create(self.place(part)?)
            .await
            .map_err(|error| broken(&error))?;
        let size = tokio::io::copy(from, &mut file)
            .await
            .map_err(|error| broken(&error))?;
        file.sync_all().await.map_err(|error| broken(&error))?;
        Ok(size)
    }

    async fn remove_part(&self, _item: &ItemRef, part: &str) -> service::Result<()> {
        match std::fs::remove_file(self.0.join(part)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(broken(&error)),
            _ => Ok(()),
        }
    }

    fn issue(&self, issue: Issue) {
        eprintln!("issue {}: {}", issue.code, issue.message);
    }

    fn expect(&self, _items: u64) {}
}

#[async_trait]
impl Stored for Folder {
    async fn ids(&self, _kind: &str, _scope: &str) -> service::Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn document(&self, _item: &ItemRef) -> service::Result<Option<Bytes>> {
        Ok(None)
    }

    async fn parts(&self, _item: &ItemRef) -> service::Result<Vec<PartInfo>> {
        let mut open = vec![self.0.clone()];
        let mut parts = Vec::new();
        while let Some(folder) = open.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries {
                let entry = entry.map_err(|error| broken(&error))?;
                let meta = entry.metadata().map_err(|error| broken(&error))?;
                if meta.is_dir() {
                    open.push(entry.path());
                } else if let Ok(name) = entry.path().strip_prefix(&self.0) {
                    parts.push(PartInfo {
                        name: name.to_string_lossy().into_owned(),
                        size: meta.len(),
                    });
                }
            }
        }
        Ok(parts)
    }

    async fn part(&self, _item: &ItemRef, part: &str) -> service::Result<Option<Bytes>> {
        match std::fs::read(self.0.join(part)) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(broken(&error)),
        }
    }

    async fn copy(
        &self,
        _item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> service::Result<u64> {
        let mut file = tokio::fs::File::open(self.0.join(part))
            .await
            .map_err(|error| broken(&error))?;
        tokio::io::copy(&mut file, to)
            .await
            .map_err(|error| broken(&error))
    }
}
