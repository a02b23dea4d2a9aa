//! What trees hold, as `git ls-tree` tells it.

use super::bare::{Bare, GitError};

/// One entry, its path from the root of what was listed without a slash in front.
pub(crate) struct Entry {
    pub mode: String,
    /// `blob`, `tree`, or `commit` for a submodule.
    pub kind: String,
    pub object: String,
    /// Of a blob.
    pub size: Option<u64>,
    pub path: String,
}

impl Entry {
    /// The tree of a commit.
    pub(crate) fn root(object: String) -> Self {
        Self {
            mode: "040000".to_owned(),
            kind: "tree".to_owned(),
            object,
            size: None,
            path: String::new(),
        }
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or(self.path.as_str(), |(_, name)| name)
    }
}

impl Bare {
    /// What a commit has at a path, which is taken as it is and never as a pattern.
    pub(crate) async fn entry(&self, commit: &str, path: &str) -> Result<Option<Entry>, GitError> {
        // Git refuses paths that lead out of the tree.
        if path.split('/').any(|part| matches!(part, "." | "..")) {
            return Ok(None);
        }
        let arguments = [
            "--literal-pathspecs",
            "ls-tree",
            "-lz",
            "--full-tree",
            commit,
            "--",
            path,
        ];
        Ok(entries(&self.text(&arguments).await?)?.into_iter().next())
    }

    /// What a tree holds; with `deep`, also what the trees in it hold.
    pub(crate) async fn entries(&self, tree: &str, deep: bool) -> Result<Vec<Entry>, GitError> {
        let mut arguments = vec!["ls-tree", "-lz"];
        if deep {
            arguments.extend(["-r", "-t"]);
        }
        arguments.push(tree);
        entries(&self.text(&arguments).await?)
    }
}

fn entries(text: &str) -> Result<Vec<Entry>, GitError> {
    let lines = text.split('\0').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            entry(line).ok_or_else(|| GitError::Unreadable {
                command: "ls-tree",
                said: line.to_owned(),
            })
        })
        .collect()
}

/// `100644 blob 1b2c…     12\tsrc/main.rs`; trees have no size.
fn entry(line: &str) -> Option<Entry> {
    let (head, path) = line.split_once('\t')?;
    let mut parts = head.split_whitespace();
    let mut next = || parts.next().map(str::to_owned);
    let (mode, kind, object, size) = (next()?, next()?, next()?, next()?);
    Some(Entry {
        mode,
        kind,
        object,
        size: match size.as_str() {
            "-" => None,
            number => Some(number.parse().ok()?),
        },
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_git_never_writes_is_an_error_and_no_missing_entry() {
        let oid = "1".repeat(40);
        let good =
            format!("100644 blob {oid}      12\ta b\n.md\0040000 tree {oid}       -\tdocs\0");
        let found = entries(&good).unwrap();
        assert_eq!(
            (found[0].size, found[0].path.as_str()),
            (Some(12), "a b\n.md")
        );
        assert_eq!((found[1].size, found[1].kind.as_str()), (None, "tree"));
        assert!(entries("100644 blob\0").is_err());
        assert!(entries(&format!("100644 blob {oid} many\tx\0")).is_err());
    }
}
