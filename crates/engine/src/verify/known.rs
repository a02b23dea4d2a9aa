//! What a snapshot has, and what its items refer to: a number for each, so that a million items are no question of memory.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use model::{ItemRef, Severity};
use service::inspect::{Reference, Tie};

use super::Gap;
use super::walk::join;

#[derive(Default)]
pub(super) struct Known {
    state: RandomState,
    there: HashSet<u64>,
    /// References whose end has not been met yet.
    pending: HashMap<u64, Pending>,
}

/// What is referred to and not there.
pub(super) struct Pending {
    pub kind: &'static str,
    to: String,
    tie: Tie,
    pub from: ItemRef,
    pub path: String,
    /// How many more items refer to it.
    more: u64,
}

/// Which items of a kind a backup was to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Selected {
    All,
    /// Those of a choice. That none of them is lost, the counts tell.
    Some,
    None,
}

/// What to say of it.
pub(super) enum Verdict {
    /// Code, severity and message.
    Told(&'static str, Severity, String),
    /// Backups may have told of it.
    Gap(Gap),
}

impl Known {
    fn number(&self, kind: &str, word: &str) -> u64 {
        self.state.hash_one((kind, word.to_lowercase()))
    }

    /// An id or another word by which items refer to an item of the kind.
    pub(super) fn add(&mut self, kind: &str, word: &str) {
        let number = self.number(kind, word);
        self.pending.remove(&number);
        self.there.insert(number);
    }

    pub(super) fn refer(&mut self, from: &ItemRef, folder: &str, reference: Reference) {
        let Reference {
            kind,
            to,
            tie,
            part,
        } = reference;
        let number = self.number(kind, &to);
        if self.there.contains(&number) {
            return;
        }
        match self.pending.entry(number) {
            Entry::Occupied(mut pending) => {
                let pending = pending.get_mut();
                pending.more += 1;
                pending.tie = pending.tie.max(tie);
            }
            Entry::Vacant(free) => {
                free.insert(Pending {
                    kind,
                    to,
                    tie,
                    from: from.clone(),
                    path: join(folder, &part),
                    more: 0,
                });
            }
        }
    }

    /// What was never met, once everything was; in the order of paths.
    pub(super) fn unresolved(&mut self) -> Vec<Pending> {
        let mut all: Vec<Pending> = std::mem::take(&mut self.pending).into_values().collect();
        all.sort_by(|a, b| (&a.path, a.kind, &a.to).cmp(&(&b.path, b.kind, &b.to)));
        all
    }
}

impl Pending {
    pub(super) fn verdict(&self, selected: Selected) -> Verdict {
        let Self {
            kind,
            to,
            tie,
            from,
            path,
            more,
        } = self;
        let others = if *more > 0 {
            format!(" (and so do {more} more)")
        } else {
            String::new()
        };
        let message =
            format!("{from} refers to {kind} {to:?}, which the snapshot does not have{others}");
        match tie {
            _ if selected == Selected::None => Verdict::Told(
                "link-dangling",
                Severity::Note,
                format!("{message}: this kind was not selected"),
            ),
            Tie::Need if selected == Selected::Some => Verdict::Told(
                "link-dangling",
                Severity::Note,
                format!("{message}: it was not among those of this kind that were selected"),
            ),
            Tie::Link => Verdict::Told("link-dangling", Severity::Note, message),
            Tie::Name => Verdict::Told("reference-unclear", Severity::Doubt, message),
            Tie::Need => Verdict::Gap(Gap {
                code: "reference-missing",
                about: ItemRef::new(kind, "", to),
                from: from.clone(),
                path: path.clone(),
                message,
            }),
        }
    }
}
