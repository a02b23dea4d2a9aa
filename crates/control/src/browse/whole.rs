//! Archives of what people select: folders with what belongs to them elsewhere in the snapshot.

use std::collections::BTreeSet;

use engine::SnapshotReader;
use engine::export::{self, Archive};
use engine::layout::Layouts;
use model::ItemRef;
use serde_json::Value;
use service::Stored as _;

use super::OpenSnapshot;
use crate::Result;

impl OpenSnapshot {
    /// A ZIP of files and folders at their places in the snapshot, with what holds their content: a wiki comes with the repository of its pages.
    /// `named` is what a person wrote, and has to be there now; `listed` are folders of items as the catalog has them, however many.
    pub async fn archive_whole(
        &self,
        named: &[String],
        listed: BTreeSet<String>,
    ) -> Result<Archive> {
        let (repository, tree) = (&self.repository, self.tree);
        let mut folders = listed;
        for path in named {
            let path = export::find(repository, tree, path).await?;
            if path.is_empty() {
                return Ok(Archive::open(repository, tree, &[path]).await?);
            }
            folders.insert(path);
        }
        let (holders, left_out) = self.holders(&folders).await?;
        folders.extend(holders);
        Ok(Archive::in_place(repository, tree, folders.into_iter().collect(), left_out).await?)
    }

    /// The folders that hold the content of items in these, and a line for each item whose content is not in the snapshot.
    async fn holders(&self, folders: &BTreeSet<String>) -> Result<(Vec<String>, Vec<String>)> {
        let service = self.library.0.control.service(&self.service)?;
        let layouts = Layouts::new(service);
        let reader = SnapshotReader::new(self.repository.clone(), service, Some(self.tree));
        let (mut found, mut left_out) = (Vec::new(), Vec::new());
        for kind in service.kinds {
            let Some(content) = kind.content() else {
                continue;
            };
            let name = kind.spec().name;
            // Damage in a folder that nobody asked for refuses nothing.
            let asked = |own: String| covers(folders, &own) || reaches_into(folders, &own);
            if !layouts.folder(name, "").is_some_and(asked) {
                continue;
            }
            for id in reader.ids(name, "").await? {
                let item = ItemRef::new(name, "", &id);
                let Some(path) = layouts.path(&item).filter(|path| covers(folders, path)) else {
                    continue;
                };
                let Some(document) = reader.document(&item).await? else {
                    left_out.push(format!(
                        "{path}: it has no document, so nobody can tell where its content is"
                    ));
                    continue;
                };
                let holder = holder(content, &document).and_then(|holder| layouts.path(&holder));
                match holder {
                    Some(folder) if reader.node(&folder).await?.is_some() => found.push(folder),
                    _ => left_out.push(format!(
                        "{path}: the {} with its content is not in the snapshot",
                        content.0
                    )),
                }
            }
        }
        Ok((found, left_out))
    }
}

/// The item that a document names as the one which holds its content.
fn holder((kind, member): (&str, &str), document: &[u8]) -> Option<ItemRef> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let id = document.pointer(member)?.as_str()?;
    Some(ItemRef::new(kind, "", id))
}

/// Whether one of these folders is this path or lies above it.
fn covers(folders: &BTreeSet<String>, path: &str) -> bool {
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above.chain([path]).any(|one| folders.contains(one))
}

/// Whether one of these folders lies below this one.
fn reaches_into(folders: &BTreeSet<String>, path: &str) -> bool {
    let below = [path, "/"].concat();
    let next = folders.range(below.clone()..).next();
    next.is_some_and(|one| one.starts_with(&below))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{covers, reaches_into};

    #[test]
    fn a_folder_covers_itself_and_what_lies_below_it_and_no_name_that_begins_alike() {
        let folders = BTreeSet::from(["git/a".to_owned(), "wikis".to_owned()]);
        for (path, covered) in [
            ("git/a", true),
            ("git/a/refs", true),
            ("git/ab", false),
            ("git", false),
            ("wikis/7", true),
            ("wikis2", false),
        ] {
            assert_eq!(covers(&folders, path), covered, "{path}");
        }
        for (path, reached) in [("git", true), ("gi", false), ("wikis", false), ("x", false)] {
            assert_eq!(reaches_into(&folders, path), reached, "{path}");
        }
    }
}
