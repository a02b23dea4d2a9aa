//! Which items of a source a policy selects.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{matches, yes};

/// What a policy selects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Kinds of data; empty for all, also those that a later version adds.
    pub kinds: BTreeSet<String>,
    /// By kind (`project`, `git-repository`, `user`): which of its items. Kinds that are not named are taken whole.
    pub items: BTreeMap<String, Choice>,
}

/// Which items of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Ids, names or patterns; empty for all.
    #[serde(default)]
    pub include: Vec<String>,
    /// Ids, names or patterns; they win over `include`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Whether items that appear at the service later are taken when they fit.
    #[serde(default = "yes")]
    pub new: bool,
    /// Since when new items are left out; set when `new` is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
            new: true,
            closed: None,
        }
    }
}

/// A choice as a run sees it: what is new has been decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pick {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// The ids that may be taken at all, beside those that `include` names in full; `None` for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<BTreeSet<String>>,
}

impl Pick {
    /// Whether an item is taken, by its id and the names that a person may call it by (`web`, `Payments/web`).
    pub fn takes(&self, id: &str, names: &[&str]) -> bool {
        let fits = |pattern: &String| {
            pattern.eq_ignore_ascii_case(id) || names.iter().any(|name| matches(pattern, name))
        };
        if self.exclude.iter().any(fits) {
            return false;
        }
        let named = |pattern: &&String| !pattern.contains(['*', '?']);
        if self.include.iter().filter(named).any(fits) {
            return true;
        }
        let known = self
            .known
            .as_ref()
            .is_none_or(|known| known.contains(&id.to_lowercase()));
        known && (self.include.is_empty() || self.include.iter().any(fits))
    }

    /// Whether it takes everything.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// The picks of a run by kind; kinds that are not named are taken whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Picks(pub BTreeMap<String, Pick>);

impl Picks {
    /// Whether an item of this kind is taken.
    pub fn takes(&self, kind: &str, id: &str, names: &[&str]) -> bool {
        self.0.get(kind).is_none_or(|pick| pick.takes(id, names))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(include: &[&str], exclude: &[&str], known: Option<&[&str]>) -> Pick {
        let own = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        Pick {
            include: own(include),
            exclude: own(exclude),
            known: known.map(|known| known.iter().map(|one| (*one).to_owned()).collect()),
        }
    }

    #[test]
    fn what_is_excluded_stays_out_whatever_includes_it() {
        let picks = pick(&["Payments/*"], &["*/archive-*"], None);
        assert!(picks.takes("1", &["Payments/web", "web"]));
        assert!(!picks.takes("2", &["Payments/archive-1", "archive-1"]));
        assert!(!picks.takes("3", &["Other/web", "web"]));
    }

    #[test]
    fn a_name_without_its_project_fits_in_every_project() {
        let picks = pick(&["web"], &[], None);
        assert!(picks.takes("1", &["Payments/web", "web"]));
        assert!(picks.takes("2", &["Other/WEB", "WEB"]));
        assert!(!picks.takes("3", &["Other/website", "website"]));
    }

    #[test]
    fn what_is_not_known_is_taken_only_when_it_is_named() {
        let picks = pick(&[], &[], Some(&["1"]));
        assert!(picks.takes("1", &["web"]));
        assert!(!picks.takes("2", &["new"]));
        let picks = pick(&["w*", "new"], &[], Some(&["1"]));
        assert!(picks.takes("1", &["web"]));
        assert!(picks.takes("2", &["new"]));
        assert!(!picks.takes("3", &["wax"]));
    }

    #[test]
    fn ids_are_names_too() {
        assert!(pick(&["A1-B2"], &[], None).takes("a1-b2", &["web"]));
        assert!(!pick(&[], &["a1-b2"], None).takes("A1-B2", &["web"]));
    }
}
