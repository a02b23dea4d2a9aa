//! Bare repositories on disk and the `git` program, run apart from any configuration of the machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use thiserror::Error;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The object id that stands for "does not exist" in ref updates.
pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";

const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\
    [http]\n\treceivepack = true\n\
    [uploadpack]\n\tallowTipSHA1InWant = true\n\tallowFilter = true\n\
    [receive]\n\thideRefs = refs/pull\n\tautogc = false\n\tdenyDeleteCurrent = ignore\n\
    [gc]\n\tauto = 0\n\
    [fastimport]\n\tunpackLimit = 1\n";

/// Variables that would make git look at another repository or configuration than the named one.
const FOREIGN: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_PROTOCOL",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG",
];

#[derive(Debug, Error)]
pub(crate) enum GitError {
    #[error("git could not be started: {0}")]
    Start(std::io::Error),
    #[error("repository {path}: {source}")]
    Disk {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("git {command} failed: {message}")]
    Failed { command: String, message: String },
    #[error("git {command} answered what cannot be read: {said:?}")]
    Unreadable { command: &'static str, said: String },
}

/// A bare repository by its path; cheap to clone, so that no lock is held while git runs.
#[derive(Clone, Debug)]
pub(crate) struct Bare {
    path: PathBuf,
}

/// One line of `for-each-ref`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) object: String,
    /// What an annotated tag points to in the end.
    pub(crate) peeled: Option<String>,
}

/// A `git` command that sees neither the machine's configuration nor the caller's repository.
pub(crate) fn command(home: &Path) -> Command {
    let mut command = Command::new("git");
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
        .env("HOME", home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Bare {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes an empty repository without starting a process, so it is fit for use under the world's lock.
    pub(crate) fn create(path: PathBuf, branch: &str) -> Result<Self, GitError> {
        let disk = |source| GitError::Disk {
            path: path.clone(),
            source,
        };
        for folder in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
            std::fs::create_dir_all(path.join(folder)).map_err(disk)?;
        }
        std::fs::write(path.join("config"), CONFIG).map_err(disk)?;
        std::fs::write(path.join("HEAD"), format!("ref: refs/heads/{branch}\n")).map_err(disk)?;
        Ok(Self { path })
    }

    /// Makes an empty repository equal to another, sharing its packs; `refs` are those of the other.
    pub(crate) fn copy_from(
        &self,
        other: &Self,
        refs: &BTreeMap<String, String>,
    ) -> Result<(), GitError> {
        let disk = |source| GitError::Disk {
            path: self.path.clone(),
            source,
        };
        let packs = Path::new("objects/pack");
        for pack in std::fs::read_dir(other.path.join(packs)).map_err(disk)? {
            let name = packs.join(pack.map_err(disk)?.file_name());
            std::fs::hard_link(other.path.join(&name), self.path.join(&name)).map_err(disk)?;
        }
        let lines: Vec<String> = refs
            .iter()
            .map(|(name, id)| format!("{id} {name}\n"))
            .collect();
        std::fs::write(self.path.join("packed-refs"), lines.concat()).map_err(disk)
    }

    /// Points HEAD at a full ref name, which need not exist yet.
    pub(crate) fn set_head(&self, reference: &str) -> Result<(), GitError> {
        std::fs::write(self.path.join("HEAD"), format!("ref: {reference}\n")).map_err(|source| {
            GitError::Disk {
                path: self.path.clone(),
                source,
            }
        })
    }

    /// Bytes of all objects, as the `size` of a repository reports them.
    pub(crate) fn size(&self) -> Result<u64, GitError> {
        let folder = self.path.join("objects");
        folder_size(&folder).map_err(|source| GitError::Disk {
            path: folder,
            source,
        })
    }

    pub(crate) fn remove(&self) -> Result<(), GitError> {
        match std::fs::remove_dir_all(&self.path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(GitError::Disk {
                path: self.path.clone(),
                source,
            }),
            _ => Ok(()),
        }
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        self.run_with(arguments, &[]).await
    }

    /// Runs git with `input` as its standard input; an exit code other than 0 is an error with git's own words.
    pub(crate) async fn run_with(
        &self,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        let output = self.output(arguments, input).await?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failed(
            arguments.first().copied().unwrap_or_default(),
            &output,
        ))
    }

    async fn output(&self, arguments: &[&str], input: &[u8]) -> Result<Output, GitError> {
        let mut command = command(&self.path);
        command.arg("--git-dir").arg(&self.path).args(arguments);
        if input.is_empty() {
            return command.output().await.map_err(GitError::Start);
        }
        command.stdin(Stdio::piped());
        let mut child = command.spawn().map_err(GitError::Start)?;
        let stdin = child.stdin.take();
        let write = async move {
            if let Some(mut stdin) = stdin {
                // A git that stopped early says why on stderr: a broken pipe tells nothing more.
                if stdin.write_all(input).await.is_ok() {
                    stdin.shutdown().await.ok();
                }
            }
        };
        let ((), output) = tokio::join!(write, child.wait_with_output());
        output.map_err(GitError::Start)
    }

    pub(crate) async fn text(&self, arguments: &[&str]) -> Result<String, GitError> {
        Ok(String::from_utf8_lossy(&self.run(arguments).await?).into_owned())
    }

    /// Asks what git may answer with no, which it does with the exit code 1; any other is a failure.
    async fn ask(&self, arguments: &[&str]) -> Result<Option<String>, GitError> {
        let output = self.output(arguments, &[]).await?;
        match output.status.code() {
            Some(0) => Ok(Some(
                String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            )),
            Some(1) => Ok(None),
            _ => Err(failed(
                arguments.first().copied().unwrap_or_default(),
                &output,
            )),
        }
    }

    /// The object id of a revision, or nothing if it does not exist.
    pub(crate) async fn resolve(&self, revision: &str) -> Result<Option<String>, GitError> {
        let arguments = ["rev-parse", "-q", "--verify", "--end-of-options", revision];
        // A revision that excludes, as `^main`, is no object.
        Ok(self.ask(&arguments).await?.filter(|id| id.len() == 40))
    }

    /// The newest commit that both histories have; nothing if they have none in common.
    pub(crate) async fn merge_base(
        &self,
        one: &str,
        other: &str,
    ) -> Result<Option<String>, GitError> {
        self.ask(&["merge-base", one, other]).await
    }

    /// How many commits only the first has, and how many only the other.
    pub(crate) async fn apart(&self, one: &str, other: &str) -> Result<(u64, u64), GitError> {
        let sides = format!("{one}...{other}");
        let arguments = ["rev-list", "--left-right", "--count", &sides];
        let said = self.text(&arguments).await?;
        let numbers = said
            .trim()
            .split_once('\t')
            .and_then(|(left, right)| Some((left.parse().ok()?, right.parse().ok()?)));
        numbers.ok_or(GitError::Unreadable {
            command: "rev-list",
            said,
        })
    }

    /// Whether a ref may have the name.
    pub(crate) async fn takes_name(&self, name: &str) -> Result<bool, GitError> {
        Ok(self.ask(&["check-ref-format", name]).await?.is_some())
    }

    pub(crate) async fn references(&self) -> Result<Vec<Reference>, GitError> {
        let text = self
            .text(&[
                "for-each-ref",
                "--format=%(refname)%00%(objectname)%00%(*objectname)",
            ])
            .await?;
        text.lines().map(reference).collect()
    }

    pub(crate) async fn tips(&self) -> Result<BTreeMap<String, String>, GitError> {
        Ok(self
            .references()
            .await?
            .into_iter()
            .map(|r| (r.name, r.object))
            .collect())
    }

    /// Fetches from a repository on this machine, whoever owns it. A shallow one has no complete history to
    /// give: false, and nothing is fetched.
    pub(crate) async fn fetch_from(
        &self,
        source: &Path,
        refspecs: &[&str],
    ) -> Result<bool, GitError> {
        let trust = self.path.join("trust");
        std::fs::write(&trust, "[safe]\n\tdirectory = *\n").map_err(|error| GitError::Disk {
            path: trust.clone(),
            source: error,
        })?;
        let asking = |arguments: &[&str]| {
            let mut git = command(&self.path);
            git.env("GIT_CONFIG_GLOBAL", &trust).args(arguments);
            git
        };
        let shallow = asking(&["-C"])
            .arg(source)
            .args(["rev-parse", "--is-shallow-repository"])
            .output()
            .await
            .map_err(GitError::Start)?;
        if !shallow.status.success() {
            return Err(failed("rev-parse", &shallow));
        }
        if shallow.stdout.starts_with(b"true") {
            return Ok(false);
        }
        let output = asking(&["--git-dir"])
            .arg(&self.path)
            .args(["fetch", "--quiet", "--no-tags"])
            .arg(source)
            .args(refspecs)
            .output()
            .await
            .map_err(GitError::Start)?;
        if output.status.success() {
            return Ok(true);
        }
        Err(failed("fetch", &output))
    }

    pub(crate) async fn fast_import(&self, stream: &[u8]) -> Result<(), GitError> {
        self.run_with(&["fast-import", "--quiet", "--force", "--done"], stream)
            .await
            .map(drop)
    }
}

fn failed(command: &str, output: &Output) -> GitError {
    GitError::Failed {
        command: command.to_owned(),
        message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    }
}

fn reference(line: &str) -> Result<Reference, GitError> {
    let mut parts = line.split('\0');
    let (Some(name), Some(object), Some(peeled)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(GitError::Unreadable {
            command: "for-each-ref",
            said: line.to_owned(),
        });
    };
    Ok(Reference {
        name: name.to_owned(),
        object: object.to_owned(),
        peeled: (!peeled.is_empty()).then(|| peeled.to_owned()),
    })
}

fn folder_size(folder: &Path) -> std::io::Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        size += if metadata.is_dir() {
            folder_size(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two commits on `main`, and one on `other` that shares nothing with them.
    async fn two_histories(folder: &Path) -> Bare {
        let bare = Bare::create(folder.join("a.git"), "main").unwrap();
        let commits = ["main", "main", "other"].map(|branch| {
            format!(
                "commit refs/heads/{branch}\ncommitter A <a@example.com> 1767600000 +0000\ndata {}\n{branch}\n",
                branch.len()
            )
        });
        let stream = format!("{}done\n", commits.concat());
        bare.fast_import(stream.as_bytes()).await.unwrap();
        bare
    }

    /// "Exit status is 0 if there is a merge base, 1 if there is none" (git-merge-base); any other is a failure.
    #[tokio::test]
    async fn no_common_commit_is_told_apart_from_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let bare = two_histories(folder.path()).await;
        let base = bare.merge_base("main", "main~1").await.unwrap();
        assert_eq!(base, bare.resolve("main~1").await.unwrap());
        assert_eq!(bare.merge_base("main", "other").await.unwrap(), None);
        assert_eq!(bare.apart("main", "other").await.unwrap(), (2, 1));
        let missing = "1".repeat(40);
        let failed = bare.merge_base("main", &missing).await.unwrap_err();
        assert!(failed.to_string().contains("merge-base"), "{failed}");
        assert!(bare.apart("main", &missing).await.is_err());
    }

    #[tokio::test]
    async fn what_does_not_exist_is_told_apart_from_a_repository_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let bare = two_histories(folder.path()).await;
        assert!(bare.resolve("main").await.unwrap().is_some());
        assert_eq!(bare.resolve("nothing").await.unwrap(), None);
        assert_eq!(bare.resolve("^main").await.unwrap(), None);
        assert!(bare.takes_name("refs/heads/a").await.unwrap());
        assert!(!bare.takes_name("refs/heads/a..b").await.unwrap());
        std::fs::remove_dir_all(bare.path()).unwrap();
        assert!(bare.resolve("main").await.is_err());
        assert!(bare.references().await.is_err());
        assert!(bare.size().is_err());
    }
}
