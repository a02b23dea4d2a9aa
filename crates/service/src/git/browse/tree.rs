//! Folders of a commit.

use super::{Bare, Revision, components, damaged, in_time, unknown};
use crate::Result;
use crate::git::Oid;
use crate::git::browse::objects::Objects;

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As the history has it: any bytes but a slash and NUL.
    pub name: Vec<u8>,
    pub kind: EntryKind,
    pub mode: u32,
    pub id: Oid,
    /// Of files and links.
    pub size: Option<u64>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Folder,
    File,
    Link,
    /// Another repository, which is not part of this one.
    Submodule,
}

/// A part of a folder.
#[derive(Clone, Debug)]
pub struct TreePage {
    pub entries: Vec<Entry>,
    /// The number of the entry that follows.
    pub next: Option<usize>,
}

/// Bytes of a folder's object: enough for a million entries.
const LARGEST: u64 = 64 << 20;

impl Bare {
    /// Entries of a folder below a commit, tag or tree, from this number on, in git's order.
    pub async fn tree(
        &self,
        at: Revision,
        folder: &str,
        from: usize,
        most: usize,
    ) -> Result<TreePage> {
        in_time(async {
            let mut objects = self.objects()?;
            let tree = descend(&mut objects, at, folder).await?;
            let content = read(&mut objects, tree).await?;
            let all = parse(&content)?;
            let end = all.len().min(from.saturating_add(most));
            let next = (end < all.len()).then_some(end);
            let mut entries = all.get(from..end).unwrap_or_default().to_vec();
            for entry in &mut entries {
                if matches!(entry.kind, EntryKind::File | EntryKind::Link) {
                    let found = objects.info(&entry.id.to_string()).await?;
                    entry.size = found.map(|found| found.size);
                }
            }
            Ok(TreePage { entries, next })
        })
        .await
    }
}

/// The tree of a folder.
async fn descend(objects: &mut Objects, at: Revision, folder: &str) -> Result<Oid> {
    let mut tree = objects.peel(at, "tree").await?;
    let parts = components(folder).ok_or_else(|| missing(folder))?;
    for part in parts {
        let entry = find(objects, tree, part).await?;
        let entry = entry.filter(|entry| entry.kind == EntryKind::Folder);
        tree = entry.ok_or_else(|| missing(folder))?.id;
    }
    Ok(tree)
}

/// The entry of a path below a commit, tag or tree.
pub(super) async fn entry_at(objects: &mut Objects, at: Revision, path: &str) -> Result<Entry> {
    components(path).ok_or_else(|| missing(path))?;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let tree = descend(objects, at, folder).await?;
    let entry = find(objects, tree, name).await?;
    entry.ok_or_else(|| missing(path))
}

async fn find(objects: &mut Objects, tree: Oid, name: &str) -> Result<Option<Entry>> {
    let content = read(objects, tree).await?;
    let entries = parse(&content)?.into_iter();
    let mut named = entries.filter(|entry| entry.name == name.as_bytes());
    Ok(named.next())
}

async fn read(objects: &mut Objects, tree: Oid) -> Result<Vec<u8>> {
    let (info, content) = objects.read(tree, LARGEST).await?;
    if info.kind == "tree" {
        return Ok(content);
    }
    Err(damaged(format!(
        "{tree} is to be a folder and is a {}",
        info.kind
    )))
}

fn missing(path: &str) -> crate::Error {
    unknown(format_args!("path {:.200}", path.escape_debug()))
}

/// Reads a tree object: `mode SP name NUL id` again and again.
fn parse(content: &[u8]) -> Result<Vec<Entry>> {
    let mut rest = content;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (entry, behind) = first(rest).ok_or_else(|| damaged("a folder cannot be read"))?;
        entries.push(entry);
        rest = behind;
    }
    Ok(entries)
}

fn first(rest: &[u8]) -> Option<(Entry, &[u8])> {
    let nul = rest.iter().position(|byte| *byte == 0)?;
    let (head, behind) = (&rest[..nul], &rest[nul + 1..]);
    let space = head.iter().position(|byte| *byte == b' ')?;
    let mode = u32::from_str_radix(std::str::from_utf8(&head[..space]).ok()?, 8).ok()?;
    let (id, behind) = behind.split_at_checked(20)?;
    let entry = Entry {
        name: head[space + 1..].to_vec(),
        kind: match mode & 0o170_000 {
            0o040_000 => EntryKind::Folder,
            0o120_000 => EntryKind::Link,
            0o160_000 => EntryKind::Submodule,
            _ => EntryKind::File,
        },
        mode,
        id: Oid::try_from(id).ok()?,
        size: None,
    };
    Some((entry, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_any_bytes() {
        use EntryKind as K;

        let mut tree = Vec::new();
        for (mode, name) in [
            ("100644", b"a\n\xff".as_slice()),
            ("40000", b".."),
            ("120000", b"link"),
            ("160000", b"other"),
        ] {
            tree.extend([mode.as_bytes(), b" ", name, b"\0", &[7; 20]].concat());
        }
        let entries = parse(&tree).unwrap();
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [K::File, K::Folder, K::Link, K::Submodule]);
        assert_eq!(entries[0].name, b"a\n\xff");
        for end in 1..tree.len() {
            let cut = parse(&tree[..end]);
            assert!(cut.is_err() || cut.unwrap().len() < 4);
        }
    }
}
