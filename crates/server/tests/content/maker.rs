//! Git repositories made object by object, as no decent client would make them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) struct Maker {
    folder: tempfile::TempDir,
    refs: BTreeMap<String, String>,
}

impl Maker {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let this = Self {
            folder,
            refs: BTreeMap::new(),
        };
        this.git(&["init", "--quiet", "--bare", "."], b"");
        this
    }

    pub(crate) fn git(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Anna <b>")
            .env("GIT_AUTHOR_EMAIL", "anna@example.com")
            .env("GIT_AUTHOR_DATE", "@1790000000 +0200")
            .env("GIT_COMMITTER_NAME", "Build")
            .env("GIT_COMMITTER_EMAIL", "build@example.com")
            .env("GIT_COMMITTER_DATE", "@1790000001 +0000")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn blob(&self, bytes: &[u8]) -> String {
        self.git(&["hash-object", "-w", "--stdin"], bytes)
    }

    /// Entries as mode, kind, id and name; names may be any bytes.
    pub(crate) fn tree(&self, entries: &[(&str, &str, &str, &[u8])]) -> String {
        let mut input = Vec::new();
        for (mode, kind, id, name) in entries {
            input.extend(format!("{mode} {kind} {id}\t").into_bytes());
            input.extend(*name);
            input.push(0);
        }
        self.git(&["mktree", "-z", "--missing"], &input)
    }

    pub(crate) fn commit(&self, tree: &str, parents: &[&str], message: &str) -> String {
        let mut arguments = vec!["commit-tree", tree];
        for parent in parents {
            arguments.extend(["-p", parent]);
        }
        self.git(&arguments, message.as_bytes())
    }

    /// A ref in the stored list; git itself never hears of it.
    pub(crate) fn point(&mut self, name: &str, id: &str) {
        self.refs.insert(name.to_owned(), id.to_owned());
    }

    /// Everything as the files of a stored repository in this folder of a snapshot.
    pub(crate) fn files(&self, folder: &str, head: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut put = |name: &str, bytes: Vec<u8>| {
            files.insert(format!("{folder}/{name}"), bytes);
        };
        let mut packed = String::from("# pack-refs with: sorted \n");
        for (name, id) in &self.refs {
            packed.extend([id.as_str(), " ", name.as_str(), "\n"]);
        }
        put("packed-refs", packed.into_bytes());
        put("HEAD", head.as_bytes().to_vec());
        put(
            "config",
            b"[core]\n\tfsmonitor = touch /tmp/pwned\n\tpager = touch /tmp/pwned\n".to_vec(),
        );
        put(
            "hooks/post-checkout",
            b"#!/bin/sh\ntouch /tmp/pwned\n".to_vec(),
        );
        put("objects/keep.lock", Vec::new());
        put("repository.json", b"{\"name\": \"web\"}".to_vec());
        let all = self.git(
            &[
                "cat-file",
                "--batch-all-objects",
                "--batch-check=%(objectname)",
            ],
            b"",
        );
        if !all.is_empty() {
            let name = self.git(&["pack-objects", "--quiet", "made"], all.as_bytes());
            for ending in ["pack", "idx"] {
                let bytes = self.read(Path::new(&format!("made-{name}.{ending}")));
                put(&format!("objects/pack/pack-{name}.{ending}"), bytes);
            }
        }
        files
    }

    fn read(&self, path: &Path) -> Vec<u8> {
        std::fs::read(self.folder.path().join(path)).unwrap()
    }
}
