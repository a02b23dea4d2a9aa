//! Folders of the snapshot before that cannot be read. What lay in them is read from the service again, where that can be done completely, and
//! gets a fresh folder; where it cannot, the folder stays as it is. Either way it is an issue.

use std::collections::{BTreeMap, BTreeSet};

use model::{Class, Issue};
use service::KindSpec;
use service::kind::Crawled as Often;

use super::Failed;
use super::crawls::Crawled;
use super::gone::implausible;
use super::parent::{Older, Parent};
use crate::error::DAMAGED;
use crate::layout::Layouts;
use crate::stored::Gap;

/// What follows from the gaps that are known by now.
#[derive(Default)]
pub(super) struct Verdict {
    /// Kinds that told only what changed: nobody knows what else was there, so they have to tell everything.
    pub anew: BTreeSet<&'static str>,
    /// Crawls whose items have no place, because those of another kind lie there too and could not be read.
    pub failed: Failed,
    /// Folders of items that begin empty: everything that belongs into them has been told.
    pub empty: Vec<Gap>,
}

/// What the run knows when its crawls are through.
pub(super) struct Judge<'a> {
    pub layouts: Layouts,
    pub crawled: &'a Crawled,
    /// How many items complete crawls have told of, by kind.
    pub told: &'a BTreeMap<String, u64>,
    pub parent: Option<&'a Parent>,
    /// Kinds whose implausible drop a person has confirmed.
    pub accepted: &'a BTreeSet<String>,
}

impl Judge<'_> {
    pub(super) fn judge(&self, gaps: &[Gap]) -> Verdict {
        let mut verdict = Verdict::default();
        for gap in gaps {
            for number in self.crawls_at(&gap.folder) {
                let info = &self.crawled.infos[usize::from(number)];
                if !info.complete {
                    verdict.anew.insert(info.kind);
                }
            }
        }
        // A crawl that has no place for its items fails, and with it those that share another gap with it.
        loop {
            let known = verdict.failed.len();
            for gap in gaps {
                if self.is_blocked(gap, &verdict.failed) {
                    verdict.failed.extend(self.crawls_at(&gap.folder));
                }
            }
            if verdict.failed.len() == known {
                break;
            }
        }
        let failed = &verdict.failed;
        let is_told = |gap: &&Gap| !self.is_blocked(gap, failed) && self.is_listed(&gap.folder);
        verdict.empty = gaps.iter().filter(is_told).cloned().collect();
        verdict
    }

    /// The crawls that tell of what lies in a folder.
    fn crawls_at(&self, folder: &str) -> Vec<u16> {
        let kinds = self.layouts.kinds_at(folder);
        let all = (0..).zip(&self.crawled.infos);
        let at = all.filter(|(number, info)| {
            let own = |(spec, scope): &(&KindSpec, String)| {
                spec.with.unwrap_or(spec.name) == info.kind
                    && (scope.is_empty() || info.scope.id.is_empty() || info.scope.id == *scope)
            };
            !self.crawled.is_idle(*number) && kinds.iter().any(own)
        });
        at.map(|(number, _)| number).collect()
    }

    /// Whether something lies there that nobody has told of.
    fn is_blocked(&self, gap: &Gap, failed: &Failed) -> bool {
        let left_out = self.crawled.left_out();
        let is_untold = |number: &u16| {
            let info = &self.crawled.infos[usize::from(*number)];
            !info.complete || left_out.contains(number) || failed.contains(number)
        };
        let is_unread = |(spec, _): &(&KindSpec, String)| {
            !self.crawled.selection.contains(spec.name) || !self.is_plausible(spec)
        };
        self.crawls_at(&gap.folder).iter().any(is_untold)
            || self.layouts.kinds_at(&gap.folder).iter().any(is_unread)
    }

    /// Whether nothing but items lies in the folder, all of which are listed where their containers are. In the folder of an item may be what
    /// did not change and was not told.
    fn is_listed(&self, folder: &str) -> bool {
        let in_item = self.layouts.parse(folder).is_some_and(|place| {
            let child = self.layouts.child_at(&place.item.kind, &place.part);
            child.is_none()
        });
        let crawls = self.crawls_at(folder);
        let kinds = self.layouts.kinds_at(folder);
        let is_crawled = |(spec, scope): &(&KindSpec, String)| {
            let owner = spec.with.unwrap_or(spec.name);
            let crawled = |number: &u16| self.crawled.infos[usize::from(*number)].kind == owner;
            let anywhere = spec.crawled == Often::PerParent && scope.is_empty();
            anywhere || crawls.iter().any(crawled)
        };
        !in_item && !kinds.is_empty() && kinds.iter().all(is_crawled)
    }

    /// What a lost permission looks like is not taken for all that there is.
    fn is_plausible(&self, spec: &KindSpec) -> bool {
        let counts = self.parent.map(|parent| &parent.source.counts);
        let before = counts.and_then(|counts| counts.get(spec.name));
        let before = before.map_or(0, |counts| counts.items);
        let told = self.told.get(spec.name).copied().unwrap_or(0);
        self.accepted.contains(spec.name) || !implausible(before, before.saturating_sub(told))
    }
}

/// What a person has to know of a gap: whether the folder began empty, and which snapshot still has it.
pub(super) fn issue(layouts: Layouts, gap: &Gap, emptied: bool, older: Option<&Older>) -> Issue {
    let what = if emptied {
        "what lies there was read from the service again; what the service no longer has could not be carried over"
    } else {
        "it stays as it is, because not all that lies there was read from the service again"
    };
    let older = older.map_or_else(
        || "No older snapshot can show it.".to_owned(),
        |older| {
            let (id, time) = (older.id.short(), older.time);
            format!("Snapshot {id} of {time:.0} still has it, as it was then.")
        },
    );
    let again = " A backup with `--full` reads everything again.";
    let message = format!(
        "`{}` of the snapshot before cannot be read (tree {}): {what}",
        gap.folder, gap.tree
    );
    let hint = older + if emptied { "" } else { again };
    about(layouts, &gap.folder, message, hint)
}

/// The same of something that stood in the place of a file, which came anew.
pub(super) fn displaced(layouts: Layouts, path: &str, what: &str) -> Issue {
    let message = format!(
        "`{path}` of the snapshot before is a {what} and no file: it was read from the service again"
    );
    let hint = "Another program may have written that snapshot: `keepward verify` looks into it.";
    about(layouts, path, message, hint.to_owned())
}

/// An issue of a place in the snapshot before.
fn about(layouts: Layouts, path: &str, message: String, hint: String) -> Issue {
    let kinds = layouts.kinds_at(path);
    let (kind, scope) = kinds
        .first()
        .map_or_else(Default::default, |(spec, scope)| {
            (spec.name.to_owned(), scope.clone())
        });
    Issue {
        code: DAMAGED.to_owned(),
        class: Class::Malformed,
        kind,
        scope,
        item: None,
        message,
        hint: Some(hint),
    }
}
