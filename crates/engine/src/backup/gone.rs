//! Absence: items of the snapshot before that a complete listing does not mention any more.

use std::collections::{BTreeSet, HashSet};

use model::{Class, Issue, ItemRef, Picks};
use service::kind::Crawled as Often;
use service::{Kind, Layout, Stored as _};

use super::crawls::Crawled;
use super::prior::Prior;
use crate::Result;
use crate::change::{self, Change, Op};
use crate::layout::Layouts;
use crate::sink::CrawlInfo;
use crate::spool::Spool;

/// So many of the items that are kept are named.
const NAMED: usize = 5;

/// What absence came to, beside the deletions.
#[derive(Default)]
pub(crate) struct Doubts {
    pub issues: Vec<Issue>,
    /// What is kept although it is no longer listed.
    pub kept: Vec<ItemRef>,
}

/// Looks for what complete listings do not mention.
pub(crate) struct Absence<'a> {
    layouts: Layouts,
    prior: &'a Prior<'a>,
    crawled: &'a Crawled,
    mentioned: &'a HashSet<ItemRef>,
    /// Kinds whose implausible drop a person has confirmed.
    accepted: &'a BTreeSet<String>,
    doubts: Doubts,
    /// Containers that vanished unsaid: what lies in them is kept with them.
    lost: HashSet<String>,
    /// Containers that are gone: what lies in them goes with them.
    over: HashSet<String>,
}

impl<'a> Absence<'a> {
    pub(crate) fn new(
        layouts: Layouts,
        prior: &'a Prior<'a>,
        crawled: &'a Crawled,
        mentioned: &'a HashSet<ItemRef>,
        accepted: &'a BTreeSet<String>,
    ) -> Self {
        Self {
            layouts,
            prior,
            crawled,
            mentioned,
            accepted,
            doubts: Doubts::default(),
            lost: HashSet::new(),
            over: HashSet::new(),
        }
    }

    /// Adds a deletion to the spool for every item that is gone; a drop that looks like a lost permission becomes an issue instead.
    pub(crate) async fn find(mut self, spool: &mut Spool) -> Result<Doubts> {
        if self.prior.is_empty() {
            return Ok(self.doubts);
        }
        let left_out = self.crawled.left_out();
        // Parents come first.
        for (number, info) in (0..).zip(&self.crawled.infos) {
            if !info.complete || left_out.contains(&number) {
                continue;
            }
            for kind in listed_kinds(self.layouts, info.kind) {
                self.kind(kind, number, info, spool).await?;
            }
        }
        Ok(self.doubts)
    }

    async fn kind(
        &mut self,
        kind: &str,
        number: u16,
        info: &CrawlInfo,
        spool: &mut Spool,
    ) -> Result<()> {
        let picks = &self.crawled.picks;
        let mut before = items_before(self.layouts, self.prior, picks, kind, info).await?;
        before.retain(|item| !self.lost.contains(&item.scope) && !self.over.contains(&item.scope));
        let known = before.len();
        let mentioned = self.mentioned;
        let gone = before.into_iter().filter(|item| !mentioned.contains(item));
        let gone: Vec<ItemRef> = gone.collect();
        let contains = is_parent(self.layouts, kind);
        let doubted = self.is_doubtful(kind, known, &gone) && !self.accepted.contains(kind);
        if contains {
            let ids = gone.iter().map(|item| item.id.clone());
            if doubted {
                self.lost.extend(ids);
            } else {
                self.over.extend(ids);
            }
        }
        if doubted {
            self.doubts.issues.push(issue(kind, info, known, &gone));
            self.doubts.kept.extend(gone);
            return Ok(());
        }
        gone.iter()
            .try_for_each(|item| self.delete(item, number, spool))
    }

    fn is_doubtful(&self, kind: &str, before: usize, gone: &[ItemRef]) -> bool {
        // What has no scope of its own may have been in a lost one.
        let suspect = is_parent(self.layouts, kind)
            || (!self.lost.is_empty() && gone.iter().any(|item| item.scope.is_empty()));
        let kinds = self.layouts.service();
        let filtered = kinds.kind(kind).is_some_and(Kind::is_filtered);
        implausible(before as u64, gone.len() as u64) || ((suspect || filtered) && !gone.is_empty())
    }

    fn delete(&self, item: &ItemRef, number: u16, spool: &mut Spool) -> Result<()> {
        let Some(folder) = self.layouts.path(item) else {
            return Ok(());
        };
        let change = Change {
            crawl: number,
            item: folder.len() as u16,
            epoch: 0,
            op: Op::Delete,
        };
        spool.push(&change::key(&folder, ""), &[&change.encode()?])
    }
}

/// What a lost permission looks like: everything gone where there was something, or most of many.
pub(crate) fn implausible(before: u64, gone: u64) -> bool {
    (gone == before && before >= 3) || (gone >= 10 && gone * 2 > before)
}

/// A parent takes everything in it along, so that even one that is gone without a word of the service is doubted.
fn is_parent(layouts: Layouts, kind: &str) -> bool {
    layouts
        .service()
        .kinds
        .iter()
        .any(|other| other.spec().parent == Some(kind))
}

/// The kind itself and those with folders of their own that arrive with it.
pub(super) fn listed_kinds(layouts: Layouts, kind: &'static str) -> Vec<&'static str> {
    let with = layouts.service().kinds.iter().map(|other| other.spec());
    let with = with
        .filter(|spec| spec.with == Some(kind) && matches!(spec.layout, Layout::Item { .. }))
        .map(|spec| spec.name);
    std::iter::once(kind).chain(with).collect()
}

async fn items_before(
    layouts: Layouts,
    prior: &Prior<'_>,
    picks: &Picks,
    kind: &str,
    info: &CrawlInfo,
) -> Result<Vec<ItemRef>> {
    let spec = layouts.service().kind(kind).map(Kind::spec);
    let scopes = match spec.and_then(|spec| spec.parent) {
        Some(parent) if spec.is_some_and(|spec| spec.crawled == Often::Once) => {
            let mut scopes = prior.ids(parent, "").await?;
            // What lies in a container that is not selected was not asked for.
            scopes.retain(|id| picks.takes(parent, id, &[]));
            scopes
        }
        _ => vec![info.scope.id.clone()],
    };
    let mut items = Vec::new();
    for scope in scopes {
        items.extend(
            prior
                .ids(kind, &scope)
                .await?
                .into_iter()
                .map(|id| ItemRef::new(kind, &scope, &id)),
        );
    }
    Ok(items)
}

/// The ids of the first ones.
pub(super) fn listed<'i>(items: impl IntoIterator<Item = &'i ItemRef>) -> String {
    let mut items = items.into_iter();
    let named = items.by_ref().take(NAMED).map(|item| item.id.as_str());
    let mut named = named.collect::<Vec<_>>().join(", ");
    if items.next().is_some() {
        named.push_str(", …");
    }
    named
}

fn issue(kind: &str, info: &CrawlInfo, before: usize, gone: &[ItemRef]) -> Issue {
    let (named, gone) = (listed(gone), gone.len());
    Issue {
        code: "implausible-drop".to_owned(),
        class: Class::Implausible,
        kind: kind.to_owned(),
        scope: info.scope.id.clone(),
        item: None,
        message: format!(
            "{gone} of {before} items of kind {kind} are no longer listed ({named}); they are kept as they were"
        ),
        hint: Some(format!(
            "Check that the identity still sees them. If they were deleted, say so with --accept-deletions {kind}."
        )),
    }
}
