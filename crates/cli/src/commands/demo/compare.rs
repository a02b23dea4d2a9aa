//! Compares what the simulator held before with what it holds after, item by item. Our own client has no part in it:
//! both sides are state dumps of the simulator and what `git` says about its bare repositories.

mod diff;
pub(super) mod expected;
mod names;
mod rules;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub(in crate::commands) use diff::{Difference, documents};
pub(in crate::commands) use names::Names;
pub(super) use rules::RULES;
pub(in crate::commands) use rules::{Applies, Declared, NEW_IDS, Rule, Side};
pub(super) use view::KINDS;

use view::View;

/// Which items were made anew, so that some of what they had cannot be the same.
#[derive(Default)]
pub(super) struct Marks {
    /// Everything: another organization.
    pub all: bool,
    /// Ids of work items in the expected state that came back as new ones.
    pub items: BTreeSet<u64>,
    /// Ids of repositories in the expected state that came back as new ones.
    pub repositories: BTreeSet<String>,
    /// Ids of work items that came out of the recycle bin.
    pub undeleted: BTreeSet<u64>,
}

/// One comparison.
pub(super) struct Comparison<'a> {
    pub expected: &'a Value,
    pub actual: &'a Value,
    pub marks: Marks,
    /// What the restore plans said would be lost: rules that excuse a loss hold only if it was declared.
    pub losses: &'a [String],
}

/// What a comparison came to.
pub(super) struct Outcome {
    pub differences: Vec<Difference>,
    /// How many items of each kind were expected.
    pub items: BTreeMap<&'static str, u64>,
    /// The rules that held.
    pub rules: Vec<&'static Rule>,
}

impl Outcome {
    pub(super) fn of_kind(&self, kind: &str) -> u64 {
        self.differences
            .iter()
            .filter(|difference| difference.kind == kind)
            .count() as u64
    }
}

impl Comparison<'_> {
    pub(super) fn run(&self) -> Outcome {
        let rules: Vec<&'static Rule> = RULES
            .iter()
            .filter(|rule| rule.holds(&self.marks, self.losses))
            .collect();
        let (before, after) = (Names::of(self.expected), Names::of(self.actual));
        let when = When::of(&self.marks, &before);
        let mut expected = View::of(self.expected, &before);
        let mut actual = View::of(self.actual, &after);
        expected.normalize(Side::Expected, &rules, self.losses, &when);
        actual.normalize(Side::Actual, &rules, self.losses, &when);
        let items = expected
            .0
            .iter()
            .map(|(kind, documents)| (*kind, documents.len() as u64))
            .collect();
        Outcome {
            differences: diff::views(&expected, &actual),
            items,
            rules,
        }
    }
}

/// What happened to an item, by the name that it has on both sides.
struct When {
    all: bool,
    anew: BTreeSet<String>,
    undeleted: BTreeSet<String>,
}

impl When {
    fn of(marks: &Marks, names: &Names) -> Self {
        let item = |id: &u64| names.item(*id);
        let repository = |id: &String| {
            names
                .guid(id)
                .map(|name| name.trim_start_matches("repository:").to_owned())
        };
        let anew = marks
            .items
            .iter()
            .filter_map(item)
            .chain(marks.repositories.iter().filter_map(repository))
            .collect();
        Self {
            all: marks.all,
            anew,
            undeleted: marks.undeleted.iter().filter_map(item).collect(),
        }
    }
}
