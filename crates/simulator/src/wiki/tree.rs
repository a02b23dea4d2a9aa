//! The pages of a wiki as its repository holds them.

use std::collections::{BTreeMap, BTreeSet};

use super::paths;
use crate::git::bare::Bare;
use crate::git::tree::Entry;
use crate::server::ApiError;

/// All pages at one commit.
#[derive(Default)]
pub(super) struct Tree {
    /// Blob by file, without `.md`; relative to the mapped folder.
    files: BTreeMap<String, String>,
    /// Lines of `.order` by folder; the root is the empty folder.
    orders: BTreeMap<String, Vec<String>>,
    /// Everything else, as attachments.
    pub others: BTreeSet<String>,
}

/// One page with its place among its siblings.
pub(super) struct Page {
    pub path: String,
    /// Without `.md`.
    pub file: String,
    /// Absent for a folder that has pages but is none.
    pub blob: Option<String>,
    pub order: usize,
    pub has_children: bool,
}

impl Tree {
    /// Reads the tree of a branch; an absent branch is an empty wiki.
    pub(super) async fn read(bare: &Bare, branch: &str, mapped: &str) -> Result<Self, ApiError> {
        let mut tree = Self::default();
        if bare.resolve(branch).await?.is_none() {
            return Ok(tree);
        }
        let prefix = mapped.trim_matches('/');
        let entries = bare.entries(&format!("{branch}:{prefix}"), true).await?;
        for entry in entries.into_iter().filter(|entry| entry.kind == "blob") {
            let Entry { object, path, .. } = entry;
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if name == ".order" {
                let lines = bare.text(&["cat-file", "blob", &object]).await?;
                tree.orders.insert(
                    folder.to_owned(),
                    lines
                        .lines()
                        .map(|line| line.trim().to_owned())
                        .filter(|line| !line.is_empty())
                        .collect(),
                );
            } else if let Some(file) = path.strip_suffix(".md") {
                tree.files.insert(file.to_owned(), object);
            } else {
                tree.others.insert(path);
            }
        }
        Ok(tree)
    }

    pub(super) fn blob(&self, file: &str) -> Option<&String> {
        self.files.get(file)
    }

    /// Whether a page of this file exists, be it only as a folder of pages.
    pub(super) fn contains(&self, file: &str) -> bool {
        file.is_empty() || self.files.contains_key(file) || self.has_children(file)
    }

    pub(super) fn has_children(&self, file: &str) -> bool {
        let prefix = folder_prefix(file);
        self.files
            .range(prefix.clone()..)
            .next()
            .is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    pub(super) fn order(&self, folder: &str) -> Vec<String> {
        self.orders.get(folder).cloned().unwrap_or_default()
    }

    /// Names of the pages in a folder, in the order in which the wiki shows them.
    fn names(&self, folder: &str) -> Vec<String> {
        let prefix = folder_prefix(folder);
        let below = self
            .files
            .range(prefix.clone()..)
            .take_while(|(name, _)| name.starts_with(&prefix));
        let found: BTreeSet<&str> = below
            .filter_map(|(name, _)| name[prefix.len()..].split('/').next())
            .collect();
        let mut names: Vec<String> = self
            .order(folder)
            .into_iter()
            .filter(|name| found.contains(name.as_str()))
            .collect();
        for name in found {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    pub(super) fn children(&self, file: &str) -> Vec<Page> {
        let prefix = folder_prefix(file);
        let names = self.names(file).into_iter().enumerate();
        names
            .map(|(order, name)| self.page_at(format!("{prefix}{name}"), order))
            .collect()
    }

    fn page_at(&self, file: String, order: usize) -> Page {
        Page {
            path: paths::page(&file),
            blob: self.files.get(&file).cloned(),
            has_children: self.has_children(&file),
            order,
            file,
        }
    }

    /// The page of a file, with its place among its siblings.
    pub(super) fn page(&self, file: &str) -> Option<Page> {
        if file.is_empty() {
            let has_children = !self.files.is_empty();
            return Some(Page {
                path: "/".to_owned(),
                file: String::new(),
                blob: None,
                order: 0,
                has_children,
            });
        }
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        let order = self.names(folder).iter().position(|known| known == name)?;
        Some(self.page_at(file.to_owned(), order))
    }

    /// Every page, parents before children, siblings in their order.
    pub(super) fn all(&self) -> Vec<Page> {
        let mut pages = Vec::new();
        let mut open: Vec<Page> = self.children("");
        open.reverse();
        while let Some(page) = open.pop() {
            let mut children = self.children(&page.file);
            children.reverse();
            pages.push(page);
            open.append(&mut children);
        }
        pages
    }

    /// Files of a page and of all below it, with `.md` and `.order`, for moving and deleting.
    pub(super) fn subtree(&self, file: &str) -> Vec<String> {
        let prefix = folder_prefix(file);
        let mut found: Vec<String> = Vec::new();
        if self.files.contains_key(file) {
            found.push(format!("{file}.md"));
        }
        found.extend(
            self.files
                .keys()
                .filter(|name| name.starts_with(&prefix))
                .map(|name| format!("{name}.md")),
        );
        let orders = self
            .orders
            .keys()
            .filter(|folder| *folder == file || folder.starts_with(&prefix));
        found.extend(orders.map(|folder| format!("{folder}/.order")));
        found
    }
}

fn folder_prefix(folder: &str) -> String {
    if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    }
}
