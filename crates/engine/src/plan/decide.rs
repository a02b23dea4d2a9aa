//! What to do with one item, from what stands at the target.

use model::{Action, Conflict, MadeBefore};
use service::{Fidelity, Found, FoundState};

use super::select::Why;

/// How the reason of a step begins that another one cannot live without.
pub(crate) const NEEDED: &str = "needed by";
/// The reason of a step that writes only what does not stand at the target.
pub(crate) const IF_GONE: &str = "wanted if it is gone";

const ANOTHER: &str = "it is gone, and another one of its name stands there (asked for by its id, `--conflict duplicate` makes it beside that, `replace` writes that over)";
const OTHER: &str = "it is gone, and another one of its name is written over";

/// What a plan does with one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub action: Action,
    pub reason: Option<String>,
    /// The id of what already stands at the target.
    pub new_id: Option<String>,
    /// The revision of that, if it is written over.
    pub over: Option<String>,
}

impl Decision {
    pub(super) fn skip(reason: impl Into<String>) -> Self {
        Self {
            action: Action::Skip,
            reason: Some(reason.into()),
            new_id: None,
            over: None,
        }
    }
}

/// The circumstances of one item.
pub(super) struct Case<'a> {
    pub why: &'a Why,
    pub fidelity: Fidelity,
    pub found: Option<&'a Found>,
    /// The earlier plan that made what was found, when nothing else tells that it is the item.
    pub made: Option<&'a MadeBefore>,
    /// Why there cannot be a second beside what was found.
    pub only_one: Option<&'static str>,
    /// It was in the service's recycle bin when the snapshot was taken.
    pub binned: bool,
    pub conflict: Conflict,
    pub original: bool,
}

impl Case<'_> {
    /// Whether what stands there has the item's name and is another one: ids stay in the organization of the snapshot.
    fn is_another(&self, old_id: &str) -> bool {
        self.original
            && self.made.is_none()
            && self.found.is_some_and(|found| is_another(found, old_id))
    }
}

/// Whether what was found in the organization of the snapshot, and was not made by a restore, is another one of the item's name.
pub(super) fn is_another(found: &Found, old_id: &str) -> bool {
    found.state == FoundState::Present && !found.id.eq_ignore_ascii_case(old_id)
}

/// The decision, or `None` for an item that the plan need not name at all.
pub(super) fn decide(case: &Case<'_>, old_id: &str) -> Option<Decision> {
    if case.binned && *case.why != Why::Asked {
        return Some(Decision::skip("was in the recycle bin"));
    }
    let present = case
        .found
        .filter(|found| found.state != FoundState::Deleted);
    if let Why::Needed(by) = case.why
        && let Some(found) = present
    {
        let same = case.original && found.id == old_id;
        let reason = Some(format!("already there; needed by {by}"));
        return (!same).then(|| Decision {
            action: Action::Skip,
            reason,
            new_id: Some(found.id.clone()),
            over: None,
        });
    }
    let another = case.is_another(old_id);
    if *case.why == Why::IfGone && present.is_some() && !another {
        return None;
    }
    if let Fidelity::ExportOnly(reason) = case.fidelity {
        return Some(Decision {
            action: Action::Export,
            reason: Some(reason.to_owned()),
            new_id: None,
            over: None,
        });
    }
    Some(by_rule(case, old_id, another))
}

/// What the conflict rule makes of what was found.
fn by_rule(case: &Case<'_>, old_id: &str, another: bool) -> Decision {
    let needed = match case.why {
        Why::Needed(by) => Some(format!("{NEEDED} {by}")),
        Why::IfGone | Why::Swept | Why::Asked => None,
    };
    let decision = |action, reason: Option<&str>, found: Option<&Found>| Decision {
        action,
        reason: reason.map(str::to_owned).or_else(|| needed.clone()),
        new_id: found.map(|found| found.id.clone()),
        over: None,
    };
    let found = case.found;
    // The very item, as the service made it once.
    let same = case.original && found.is_some_and(|found| found.id == old_id);
    let there = if another {
        ANOTHER.to_owned()
    } else {
        there(case.made)
    };
    let there = Some(there.as_str());
    match (found.map(|found| found.state), case.conflict) {
        (None, _) | (Some(FoundState::Deleted), Conflict::Duplicate) => {
            decision(Action::Create, None, None)
        }
        (Some(FoundState::Deleted), _) if !case.original => decision(Action::Create, None, None),
        (Some(FoundState::Deleted), _) => decision(Action::Undelete, None, found),
        (Some(FoundState::Automatic), Conflict::Skip) if same => {
            decision(Action::Skip, there, found)
        }
        (Some(FoundState::Automatic), _) => decision(Action::Merge, None, found),
        (Some(FoundState::Present), Conflict::Skip) => decision(Action::Skip, there, found),
        // Others made it since: who wants it written over says so of this very item.
        (Some(FoundState::Present), Conflict::Replace) if another && *case.why != Why::Asked => {
            decision(Action::Skip, there, found)
        }
        (Some(FoundState::Present), Conflict::Replace) if another => {
            decision(Action::Replace, Some(OTHER), found)
        }
        (Some(FoundState::Present), Conflict::Replace) => decision(Action::Replace, None, found),
        (Some(FoundState::Present), Conflict::Duplicate) if case.only_one.is_some() => {
            decision(Action::Skip, case.only_one, found)
        }
        (Some(FoundState::Present), Conflict::Duplicate) => {
            let reason = there.map(|there| format!("a duplicate: {there}"));
            decision(Action::Create, reason.as_deref(), None)
        }
    }
}

/// Why nothing is to be made.
fn there(made: Option<&MadeBefore>) -> String {
    match made {
        None => "the target already has it".to_owned(),
        Some(made) if made.finished => {
            format!("the target already has it: restore {} made it", made.plan)
        }
        Some(made) => format!(
            "the target already has it, perhaps in part: restore {} began it and did not end, so apply that one again",
            made.plan
        ),
    }
}

#[cfg(test)]
mod tests {
    use model::ItemRef;

    use super::*;

    fn found(state: FoundState) -> Found {
        Found {
            id: "12".to_owned(),
            state,
        }
    }

    fn action(
        why: &Why,
        found: Option<&Found>,
        conflict: Conflict,
        original: bool,
    ) -> Option<Action> {
        let case = Case {
            why,
            fidelity: Fidelity::Full,
            found,
            made: None,
            only_one: None,
            binned: false,
            conflict,
            original,
        };
        decide(&case, "1").map(|decision| decision.action)
    }

    #[test]
    fn another_one_of_its_name_is_told_and_written_over_only_on_request() {
        let present = found(FoundState::Present);
        let decided = |why: &Why, conflict, original, made, old_id: &str| {
            let case = Case {
                why,
                fidelity: Fidelity::Full,
                found: Some(&present),
                made,
                only_one: None,
                binned: false,
                conflict,
                original,
            };
            decide(&case, old_id).map(|decision| (decision.action, decision.reason))
        };
        let another = Some((Action::Skip, Some(ANOTHER.to_owned())));
        for conflict in [Conflict::Skip, Conflict::Replace] {
            for why in [Why::IfGone, Why::Swept] {
                assert_eq!(decided(&why, conflict, true, None, "1"), another);
            }
        }
        let over = Some((Action::Replace, Some(OTHER.to_owned())));
        assert_eq!(
            decided(&Why::Asked, Conflict::Replace, true, None, "1"),
            over
        );
        let beside = decided(&Why::IfGone, Conflict::Duplicate, true, None, "1");
        assert_eq!(beside.unwrap().0, Action::Create);
        // The very one, one that a restore made, and one at another place are what was looked for.
        let made = MadeBefore {
            item: ItemRef::new("thing", "", "1"),
            new_id: "12".to_owned(),
            plan: "plan".to_owned(),
            finished: true,
        };
        for (original, made, id) in [
            (true, None, "12"),
            (true, Some(&made), "1"),
            (false, None, "1"),
        ] {
            assert_eq!(
                decided(&Why::IfGone, Conflict::Skip, original, made, id),
                None
            );
        }
    }

    #[test]
    fn what_stands_there_and_the_rule_decide() {
        let (present, deleted, automatic) = (
            found(FoundState::Present),
            found(FoundState::Deleted),
            found(FoundState::Automatic),
        );
        let table = [
            (None, Conflict::Skip, true, Action::Create),
            (None, Conflict::Duplicate, false, Action::Create),
            (Some(&present), Conflict::Skip, true, Action::Skip),
            (Some(&present), Conflict::Replace, false, Action::Replace),
            (Some(&present), Conflict::Duplicate, true, Action::Create),
            (Some(&deleted), Conflict::Skip, true, Action::Undelete),
            (Some(&deleted), Conflict::Duplicate, true, Action::Create),
            (Some(&deleted), Conflict::Replace, false, Action::Create),
            (Some(&automatic), Conflict::Skip, false, Action::Merge),
        ];
        for (found, conflict, original, expected) in table {
            assert_eq!(
                action(&Why::Swept, found, conflict, original),
                Some(expected),
                "{found:?} {conflict:?} {original}"
            );
        }
    }

    #[test]
    fn what_there_can_be_one_of_is_not_duplicated() {
        let present = found(FoundState::Present);
        let case = |found| Case {
            why: &Why::Swept,
            fidelity: Fidelity::Full,
            found,
            made: None,
            only_one: Some("there can be one"),
            binned: false,
            conflict: Conflict::Duplicate,
            original: true,
        };
        let left = decide(&case(Some(&present)), "1").unwrap();
        assert_eq!(
            (left.action, left.reason.as_deref(), left.new_id.as_deref()),
            (Action::Skip, Some("there can be one"), Some("12"))
        );
        let made = decide(&case(None), "1").unwrap();
        assert_eq!(made.action, Action::Create);
    }

    #[test]
    fn what_the_service_made_once_and_still_has_is_not_merged_into_itself() {
        let itself = Found {
            id: "1".to_owned(),
            state: FoundState::Automatic,
        };
        assert_eq!(
            action(&Why::Swept, Some(&itself), Conflict::Skip, true),
            Some(Action::Skip)
        );
        assert_eq!(
            action(&Why::Swept, Some(&itself), Conflict::Skip, false),
            Some(Action::Merge)
        );
        assert_eq!(
            action(&Why::Swept, Some(&itself), Conflict::Duplicate, true),
            Some(Action::Merge)
        );
    }

    #[test]
    fn a_container_that_is_there_is_never_touched() {
        let needed = Why::Needed("work-item 7".to_owned());
        for conflict in [Conflict::Skip, Conflict::Replace, Conflict::Duplicate] {
            assert_eq!(
                action(&needed, Some(&found(FoundState::Present)), conflict, false),
                Some(Action::Skip)
            );
            assert_eq!(action(&needed, None, conflict, false), Some(Action::Create));
        }
        let same = Found {
            id: "1".to_owned(),
            state: FoundState::Present,
        };
        assert_eq!(action(&needed, Some(&same), Conflict::Replace, true), None);
    }

    #[test]
    fn items_that_are_still_there_are_not_gone() {
        let itself = Found {
            id: "1".to_owned(),
            state: FoundState::Present,
        };
        assert_eq!(
            action(&Why::IfGone, Some(&itself), Conflict::Replace, true),
            None
        );
        assert_eq!(
            action(
                &Why::IfGone,
                Some(&found(FoundState::Deleted)),
                Conflict::Replace,
                true
            ),
            Some(Action::Undelete)
        );
    }

    #[test]
    fn binned_items_come_back_only_by_name() {
        let case = |why| Case {
            why,
            fidelity: Fidelity::Full,
            found: None,
            made: None,
            only_one: None,
            binned: true,
            conflict: Conflict::Skip,
            original: true,
        };
        let swept = decide(&case(&Why::Swept), "1");
        assert_eq!(
            swept.and_then(|decision| decision.reason).as_deref(),
            Some("was in the recycle bin")
        );
        assert_eq!(
            decide(&case(&Why::Asked), "1").map(|decision| decision.action),
            Some(Action::Create)
        );
    }

    #[test]
    fn what_cannot_be_written_is_exported() {
        let case = Case {
            why: &Why::Asked,
            fidelity: Fidelity::ExportOnly("the service has no call for it"),
            found: None,
            made: None,
            only_one: None,
            binned: false,
            conflict: Conflict::Skip,
            original: true,
        };
        assert_eq!(
            decide(&case, "1").map(|decision| decision.action),
            Some(Action::Export)
        );
    }
}
