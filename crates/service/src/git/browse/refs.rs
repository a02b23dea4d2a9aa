//! Refs: read from the stored list, never by git.

use std::collections::BTreeMap;

use super::{Bare, in_time, unknown};
use crate::git::state::parse_refs;
use crate::git::{Oid, oid};
use crate::{Error, Result};

/// The stored refs.
#[derive(Clone, Debug, Default)]
pub struct Refs {
    head: Option<String>,
    refs: BTreeMap<String, Oid>,
}

/// A ref of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    pub name: String,
    pub target: Oid,
    /// The commit that an annotated tag stands for.
    pub peeled: Option<Oid>,
}

/// What somebody asked for, as the id of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    pub id: Oid,
    /// A stored ref says so: when the object is not there, something is lost.
    pub(super) stored: bool,
}

impl Refs {
    /// Reads `packed-refs` and `HEAD` as they are stored.
    pub fn read(packed: &[u8], head: &[u8]) -> Result<Self> {
        let refs = parse_refs(packed).map_err(|error| Error {
            code: super::DAMAGED,
            ..error
        })?;
        let head = String::from_utf8_lossy(head);
        let head = head
            .trim_end()
            .strip_prefix("ref: ")
            .unwrap_or(&head)
            .trim_end();
        let known = refs.contains_key(head) || oid(head.as_bytes()).is_some();
        Ok(Self {
            head: known.then(|| head.to_owned()),
            refs,
        })
    }

    /// The name of the default branch, or the id that `HEAD` holds; `None` when there is nothing there.
    pub fn head(&self) -> Option<&str> {
        self.head.as_deref()
    }

    /// What a revision stands for: a ref by its full name or by that of a branch or tag, a whole object id, or `HEAD`.
    pub fn resolve(&self, revision: &str) -> Result<Revision> {
        let name = match revision {
            "" | "HEAD" => self.head().ok_or_else(|| unknown("default branch"))?,
            name => name,
        };
        let full = |space: &str| self.refs.get(&format!("{space}{name}")).copied();
        ["", "refs/heads/", "refs/tags/", "refs/"]
            .into_iter()
            .find_map(full)
            .map(|id| Revision { id, stored: true })
            .or_else(|| {
                let id = oid(name.as_bytes())?;
                Some(Revision { id, stored: false })
            })
            .ok_or_else(|| unknown(format_args!("revision {:.120}", name.escape_debug())))
    }

    pub fn is_empty(&self) -> bool {
        self.refs.is_empty()
    }

    /// Refs by name behind `after`, at most so many, and whether more follow; with `text` in their names. Tags are followed where there is
    /// a repository to look into.
    pub async fn page(
        &self,
        bare: Option<&Bare>,
        text: &str,
        after: &str,
        most: usize,
    ) -> Result<(Vec<Ref>, bool)> {
        let after = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let text = text.to_lowercase();
        let found = self.refs.range::<str, _>(after);
        let mut found = found.filter(|(name, _)| name.to_lowercase().contains(&text));
        let mut refs = Vec::new();
        let mut objects = None;
        while refs.len() < most
            && let Some((name, target)) = found.next()
        {
            let mut peeled = None;
            if let (true, Some(bare)) = (name.starts_with("refs/tags/"), bare) {
                let objects = match &mut objects {
                    Some(objects) => objects,
                    none => none.insert(bare.objects()?),
                };
                let commit = format!("{target}^{{commit}}");
                let commit = in_time(objects.info(&commit)).await?;
                peeled = commit.map(|commit| commit.id).filter(|id| id != target);
            }
            refs.push(Ref {
                name: name.clone(),
                target: *target,
                peeled,
            });
        }
        Ok((refs, found.next().is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    const TAG: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

    fn refs() -> Refs {
        let packed = format!(
            "{MAIN} refs/heads/--upload-pack=touch\n{MAIN} refs/heads/main\n{TAG} refs/tags/main\n{TAG} refs/pull/1/merge\n"
        );
        Refs::read(packed.as_bytes(), b"ref: refs/heads/main\n").unwrap()
    }

    #[test]
    fn revisions_are_looked_up_and_never_handed_on() {
        let refs = refs();
        for (revision, id) in [
            ("", MAIN),
            ("HEAD", MAIN),
            ("main", MAIN),
            ("refs/tags/main", TAG),
            ("pull/1/merge", TAG),
            ("--upload-pack=touch", MAIN),
            (TAG, TAG),
        ] {
            assert_eq!(
                refs.resolve(revision).unwrap().id.to_string(),
                id,
                "{revision}"
            );
        }
        for revision in [
            "--output=/tmp/x",
            "main~1",
            "main:file",
            "@{u}",
            "..",
            "E69DE29BB2D1D6434B8B29AE775AD8C2E48C5391",
            "4b825dc",
            "x\ny",
        ] {
            let error = refs.resolve(revision).unwrap_err();
            assert_eq!(error.code, "git-revision-unknown", "{revision}");
            assert!(!error.message.contains('\n'));
        }
    }

    #[test]
    fn a_head_that_leads_nowhere_is_none() {
        for head in [
            "ref: refs/heads/gone",
            "ref: ../../etc/passwd",
            "",
            "\u{fffd}",
        ] {
            let refs = Refs::read(
                format!("{MAIN} refs/heads/main\n").as_bytes(),
                head.as_bytes(),
            );
            let refs = refs.unwrap();
            assert_eq!(refs.head(), None, "{head}");
            assert_eq!(refs.resolve("").unwrap_err().code, "git-revision-unknown");
        }
        let detached = Refs::read(b"", format!("{TAG}\n").as_bytes()).unwrap();
        assert_eq!(detached.resolve("HEAD").unwrap().id.to_string(), TAG);
    }

    #[test]
    fn a_list_that_is_none_is_damage() {
        let error = Refs::read(b"nonsense\n", b"").unwrap_err();
        assert_eq!(error.code, "git-pack-damaged");
    }
}
