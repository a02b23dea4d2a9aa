//! Commits as a stream for `git fast-import`, which makes hundreds of them in one process.

use jiff::Timestamp;

/// One commit on a branch.
pub(crate) struct Commit {
    /// Full ref name.
    pub reference: String,
    /// Starts a line of history at this commit or ref; absent goes on from the branch's tip.
    pub from: Option<String>,
    /// Further parents.
    pub merge: Vec<String>,
    pub author: (String, String),
    pub date: Timestamp,
    pub message: String,
    pub changes: Vec<Change>,
}

pub(crate) enum Change {
    Write {
        path: String,
        content: Vec<u8>,
    },
    /// As `git update-index --chmod=+x`.
    WriteExecutable {
        path: String,
        content: Vec<u8>,
    },
    Symlink {
        path: String,
        target: String,
    },
    Delete {
        path: String,
    },
    Rename {
        from: String,
        to: String,
    },
}

impl Change {
    /// The same change in a folder, whose name ends with a slash.
    pub(crate) fn below(self, folder: &str) -> Self {
        let put = |path: String| format!("{folder}{path}");
        match self {
            Self::Write { path, content } => Self::Write {
                path: put(path),
                content,
            },
            Self::WriteExecutable { path, content } => Self::WriteExecutable {
                path: put(path),
                content,
            },
            Self::Symlink { path, target } => Self::Symlink {
                path: put(path),
                target,
            },
            Self::Delete { path } => Self::Delete { path: put(path) },
            Self::Rename { from, to } => Self::Rename {
                from: put(from),
                to: put(to),
            },
        }
    }
}

/// A `fast-import` stream under construction.
#[derive(Default)]
pub(crate) struct Stream {
    bytes: Vec<u8>,
}

impl Stream {
    /// `tip` is where the branch stands in the repository when this is its first commit in the stream.
    pub(crate) fn commit(&mut self, commit: &Commit, tip: Option<&str>) {
        let who = person(&commit.author, commit.date);
        let from = commit.from.as_deref().or(tip);
        let from = from.map_or_else(String::new, |from| format!("from {from}\n"));
        let merges = commit.merge.iter().map(|merge| format!("merge {merge}\n"));
        let head = format!(
            "commit {}\nauthor {who}\ncommitter {who}\ndata {}\n{}\n{from}{}",
            commit.reference,
            commit.message.len(),
            commit.message,
            merges.collect::<Vec<_>>().concat()
        );
        self.bytes.extend_from_slice(head.as_bytes());
        for change in &commit.changes {
            self.change(change);
        }
        self.bytes.push(b'\n');
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Write { path, content } => self.inline("100644", path, content),
            Change::WriteExecutable { path, content } => self.inline("100755", path, content),
            Change::Symlink { path, target } => self.inline("120000", path, target.as_bytes()),
            Change::Delete { path } => self.line(&format!("D {}", quote(path))),
            Change::Rename { from, to } => self.line(&format!("R {} {}", quote(from), quote(to))),
        }
    }

    fn inline(&mut self, mode: &str, path: &str, content: &[u8]) {
        self.line(&format!("M {mode} inline {}", quote(path)));
        self.line(&format!("data {}", content.len()));
        self.bytes.extend_from_slice(content);
        self.bytes.push(b'\n');
    }

    fn line(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'\n');
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"done\n");
        self.bytes
    }
}

fn person((name, mail): &(String, String), date: Timestamp) -> String {
    let clean = |text: &str| text.replace(['<', '>', '\n'], "");
    format!(
        "{} <{}> {} +0000",
        clean(name),
        clean(mail),
        date.as_second()
    )
}

fn quote(path: &str) -> String {
    let path = path.trim_start_matches('/');
    format!(
        "\"{}\"",
        path.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
