//! Real repositories on disk, made and read by the git binary alone.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A bare repository.
#[derive(Clone)]
pub(crate) struct Bare {
    pub(crate) path: PathBuf,
}

/// Git without the machine's own configuration, in the folder of a repository.
pub(crate) fn hermetic(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_CONFIG_PARAMETERS",
        "GIT_CONFIG_COUNT",
        "GIT_PROTOCOL",
        "XDG_CONFIG_HOME",
    ] {
        command.env_remove(name);
    }
    command
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .current_dir(folder);
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "Ada")
            .env(format!("GIT_{who}_EMAIL"), "ada@example.org")
            .env(format!("GIT_{who}_DATE"), "1700000000 +0000");
    }
    command
}

impl Bare {
    pub(crate) fn init(path: PathBuf) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let bare = Self { path };
        bare.git(&["init", "--quiet", "--bare", "--initial-branch=main", "."]);
        for (key, value) in [
            ("http.receivepack", "true"),
            ("receive.hideRefs", "refs/pull"),
            ("gc.auto", "0"),
            ("receive.autogc", "false"),
            ("core.fsync", "none"),
        ] {
            bare.git(&["config", key, value]);
        }
        bare
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.feed(arguments, b"")
    }

    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> String {
        String::from_utf8(self.bytes(arguments, input)).unwrap()
    }

    /// What git prints; it must succeed.
    pub(crate) fn bytes(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = hermetic(&self.path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    pub(crate) fn try_git(&self, arguments: &[&str]) -> bool {
        hermetic(&self.path)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    pub(crate) fn id(&self, revision: &str) -> String {
        self.git(&["rev-parse", "--verify", "--quiet", revision])
            .trim()
            .to_owned()
    }

    /// A commit with these files on top of a branch, or on another parent, or on none; gives its id.
    pub(crate) fn commit_on(
        &self,
        name: &str,
        parent: Option<&str>,
        files: &[(&str, &[u8])],
    ) -> String {
        let mut stream =
            format!("commit {name}\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 1\nm\n")
                .into_bytes();
        match parent {
            Some(parent) => {
                stream.extend_from_slice(format!("from {}\n", self.id(parent)).as_bytes());
            }
            None => stream
                .splice(0..0, format!("reset {name}\n\n").into_bytes())
                .for_each(drop),
        }
        for (path, content) in files {
            stream.extend_from_slice(
                format!("M 100644 inline {path}\ndata {}\n", content.len()).as_bytes(),
            );
            stream.extend_from_slice(content);
            stream.push(b'\n');
        }
        stream.extend_from_slice(b"done\n");
        self.feed(&["fast-import", "--force", "--quiet", "--done"], &stream);
        self.id(name)
    }

    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &[u8])]) -> String {
        let name = format!("refs/heads/{branch}");
        let parent = self
            .try_git(&["rev-parse", "--verify", "--quiet", &name])
            .then(|| self.id(&name));
        self.commit_on(&name, parent.as_deref(), files)
    }

    /// An annotated tag of any object.
    pub(crate) fn tag(&self, name: &str, object: &str) -> String {
        let kind = self.git(&["cat-file", "-t", object]);
        let tag = format!(
            "object {}\ntype {}\ntag {name}\ntagger Ada <ada@example.org> 1700000000 +0000\n\nm\n",
            self.id(object),
            kind.trim()
        );
        let id = self.feed(&["mktag"], tag.as_bytes());
        self.git(&["update-ref", &format!("refs/tags/{name}"), id.trim()]);
        id.trim().to_owned()
    }

    /// What the server forgets with time: everything that no ref reaches.
    pub(crate) fn collect_garbage(&self) {
        self.git(&["reflog", "expire", "--expire=now", "--all"]);
        self.git(&["gc", "--quiet", "--prune=now"]);
    }

    /// Everything that a person could miss: refs, HEAD and every object that refs reach.
    pub(crate) fn picture(&self) -> String {
        let mut objects: Vec<String> = self
            .git(&["rev-list", "--objects", "--all"])
            .lines()
            .map(|line| line[..40].to_owned())
            .collect();
        objects.sort();
        let mut picture = self.git(&[
            "for-each-ref",
            "--format=%(objectname) %(objecttype) %(refname)",
        ]);
        write!(
            picture,
            "HEAD {}\n{}",
            self.git(&["symbolic-ref", "HEAD"]).trim(),
            objects.join("\n")
        )
        .unwrap();
        picture
    }

    pub(crate) fn fsck(&self) {
        self.git(&["fsck", "--full", "--strict", "--no-dangling"]);
        self.git(&["refs", "verify"]);
    }
}

/// A text of which few lines change from version to version, so that packs hold deltas.
pub(crate) fn text(file: u32, version: u32) -> Vec<u8> {
    let mut text = String::new();
    for line in 0..60 {
        let seed = if line == version % 60 { version } else { 0 };
        writeln!(
            text,
            "file {file} line {line} {:08x}",
            (file + 1)
                .wrapping_mul(2_654_435_761)
                .wrapping_add(line * 97 + seed * 7919)
        )
        .unwrap();
    }
    text.into_bytes()
}

/// Bytes that do not compress, so that sizes are what they seem.
pub(crate) fn noise(seed: u32, bytes: usize) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    (0..bytes)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u8
        })
        .collect()
}
