//! The refs that the service lists, beside those that it listed before: many that are gone at once look like a lost permission.

use model::{Class, Issue, ItemRef};

use super::Remote;
use super::advertisement::Advertisement;
use super::state::State;
use crate::Order;

/// The refs of this run.
pub(super) struct Listing {
    /// With those that are kept.
    pub(super) adv: Advertisement,
    /// Refs that the service lists no more and that stay until a person says that they were deleted.
    pub(super) kept: usize,
    before: usize,
    accepted: bool,
}

impl Listing {
    pub(super) fn new(now: Advertisement, state: &State, order: Order<'_>, kind: &str) -> Self {
        let mut this = Self {
            adv: Advertisement::default(),
            kept: 0,
            before: state.refs.len(),
            accepted: order.accepted.contains(kind),
        };
        let gone = gone(&now, state);
        if is_implausible(this.before, gone) && !this.accepted {
            this.kept = gone;
        }
        this.adv = this.again(now, state);
        this
    }

    /// The same for refs that were listed once more in this run.
    pub(super) fn again(&self, mut now: Advertisement, state: &State) -> Advertisement {
        if !self.accepted && is_implausible(self.before, gone(&now, state)) {
            for (name, id) in &state.refs {
                now.refs.entry(name.clone()).or_insert(*id);
            }
        }
        now
    }

    /// What a person has to decide, if anything was kept.
    pub(super) fn issue(&self, remote: &Remote, item: &ItemRef) -> Option<Issue> {
        (self.kept > 0).then(|| Issue {
            code: "implausible-drop".to_owned(),
            class: Class::Implausible,
            kind: item.kind.clone(),
            scope: item.scope.clone(),
            item: Some(item.clone()),
            message: format!(
                "repository {}: {} of its {} refs are no longer listed; they are kept as they were",
                remote.path, self.kept, self.before
            ),
            hint: Some(format!(
                "Check that the identity still sees them. If they were deleted, say so with --accept-deletions {}.",
                item.kind
            )),
        })
    }
}

fn gone(now: &Advertisement, state: &State) -> usize {
    state
        .refs
        .keys()
        .filter(|name| !now.refs.contains_key(*name))
        .count()
}

/// All of them, or most of many. A branch that moves is not gone.
fn is_implausible(before: usize, gone: usize) -> bool {
    gone > 0 && (gone == before || (gone >= 10 && gone * 2 > before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_up_is_plausible_and_a_wipe_is_not() {
        for (before, gone, expected) in [
            (0, 0, false),
            (5, 0, false),
            (1, 1, true),
            (12, 9, false),
            (20, 10, false),
            (20, 11, true),
            (8000, 4001, true),
            (8000, 3999, false),
        ] {
            assert_eq!(is_implausible(before, gone), expected, "{gone} of {before}");
        }
    }
}
