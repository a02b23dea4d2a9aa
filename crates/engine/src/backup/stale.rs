//! What a snapshot holds that its run did not read: carried over because this run could not read it, or because an earlier one could not and
//! nobody has since.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use model::{Class, Issue, ItemRef, StaleItem};
use repository::Writer;

use super::attempt::{Attempt, Sent};
use super::crawls::Crawled;
use super::gone::listed_kinds;
use super::scope_key;
use crate::Result;
use crate::layout::Layouts;
use crate::merge::Merged;
use crate::stored::SnapshotReader;

/// What was stale before and has not been read by this run.
#[derive(Default)]
pub(super) struct Still {
    /// As in [`model::SourceFile::stale`].
    pub keys: BTreeSet<String>,
    pub items: BTreeSet<ItemRef>,
}

impl Still {
    /// The folders of its items.
    pub(super) fn folders(&self, layouts: Layouts) -> BTreeSet<String> {
        let items = self.items.iter();
        items.filter_map(|item| layouts.path(item)).collect()
    }

    /// Whether an issue says why something is stale.
    fn explains(&self, issue: &Issue) -> bool {
        if let Some(item) = &issue.item {
            return self.items.contains(item);
        }
        let doubted = |item: &ItemRef| item.kind == issue.kind && item.scope == issue.scope;
        self.keys.contains(&scope_key(&issue.kind, &issue.scope))
            || (issue.class == Class::Implausible && self.items.iter().any(doubted))
    }
}

impl Attempt<'_> {
    /// What the snapshot before says is stale, without what this run was told of.
    pub(super) fn still(&self, crawled: &Crawled, mentioned: &HashSet<ItemRef>) -> Still {
        let Some(before) = self.before() else {
            return Still::default();
        };
        let left_out = crawled.left_out();
        let read = (0..).zip(&crawled.infos);
        let read = read.filter(|(number, _)| !left_out.contains(number));
        let (mut told, mut listed) = (BTreeSet::new(), BTreeSet::new());
        for (_, info) in read {
            for kind in listed_kinds(self.layouts(), info.kind) {
                let key = scope_key(kind, &info.scope.id);
                if info.complete {
                    listed.insert(key.clone());
                }
                told.insert(key);
            }
        }
        let is_listed = |item: &ItemRef| {
            listed.contains(&scope_key(&item.kind, &item.scope))
                || listed.contains(item.kind.as_str())
        };
        let items = before.stale_items.iter().map(|stale| &stale.item);
        let items = items.filter(|item| !mentioned.contains(*item) && !is_listed(item));
        let keys = before.stale.keys().filter(|key| !told.contains(*key));
        Still {
            keys: keys.cloned().collect(),
            items: items.cloned().collect(),
        }
    }

    /// Leaves out what came anew or is no longer in the snapshot, and tells again why the rest is stale.
    pub(super) async fn carry(
        &self,
        sent: &mut Sent,
        writer: &mut Writer,
        merged: &Merged,
    ) -> Result<()> {
        let mut still = std::mem::take(&mut sent.still);
        let layouts = self.layouts();
        still.items.retain(|item| {
            let folder = layouts.path(item);
            folder.is_none_or(|folder| !merged.read.contains(&folder))
        });
        if still.keys.is_empty() && still.items.is_empty() {
            return Ok(());
        }
        writer.flush().await?;
        let (repository, tree) = (self.cx.repository.clone(), Some(merged.tree));
        let now = SnapshotReader::new(repository, self.cx.service, tree);
        for key in still.keys.clone() {
            if let Some(container) = self.container(&key)
                && let Some(folder) = layouts.path(&container)
                && now.node(&folder).await?.is_none()
            {
                still.keys.remove(&key);
            }
        }
        for item in still.items.clone() {
            let there = match layouts.path(&item) {
                Some(folder) => now.node(&folder).await?.is_some(),
                None => false,
            };
            if !there {
                still.items.remove(&item);
            }
        }
        let issues = self.before().map_or(&[][..], |before| &before.issues);
        for issue in issues {
            if still.explains(issue) && !sent.issues.contains(issue) {
                self.note(issue.clone(), &mut sent.issues);
            }
        }
        sent.still = still;
        Ok(())
    }

    /// The item that a stale mark is about the insides of, if it is about one.
    fn container(&self, key: &str) -> Option<ItemRef> {
        let (kind, scope) = key.split_once('/')?;
        let parent = self.cx.service.kind(kind)?.spec().parent?;
        Some(ItemRef::new(parent, "", scope))
    }

    /// What was carried over whole, and when it was last read.
    pub(super) fn stale(&self, sent: &Sent) -> BTreeMap<String, Timestamp> {
        let last_read = |key: &str| {
            self.before().map_or(sent.started, |before| {
                before.stale.get(key).copied().unwrap_or(before.finished)
            })
        };
        let keys = sent.crawled.stale_keys(self.layouts()).into_iter();
        keys.chain(sent.still.keys.iter().cloned())
            .map(|key| (key.clone(), last_read(&key)))
            .collect()
    }

    /// What was carried over one by one, where the snapshot before has it, and when it was last read.
    pub(super) async fn stale_items(
        &self,
        base: &SnapshotReader,
        sent: &Sent,
    ) -> Result<Vec<StaleItem>> {
        let Some(before) = self.before() else {
            return Ok(Vec::new());
        };
        let layouts = self.layouts();
        let mut stale = Vec::new();
        for item in sent.carried() {
            let (Some(folder), Some(document)) = (layouts.path(item), layouts.document(&item.kind))
            else {
                continue;
            };
            if base.node(&format!("{folder}/{document}")).await?.is_some() {
                let known = before.stale_items.iter().find(|known| known.item == *item);
                stale.push(StaleItem {
                    item: item.clone(),
                    read: known.map_or(before.finished, |known| known.read),
                });
            }
        }
        Ok(stale)
    }
}
