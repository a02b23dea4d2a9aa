//! Restore plans in the forms in which they are sent.

use std::collections::BTreeMap;

use catalog::{KnownSnapshot, PlanRow, StepLosses};
use control::{Select, Selector, What};
use model::{Action, Conflict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Problem;
use crate::api::word;

/// What to do with items that the target has already.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnConflict {
    /// They stay as they are.
    #[default]
    Skip,
    /// They become what the snapshot has.
    Replace,
    /// The snapshot's come beside them.
    Duplicate,
}

impl From<OnConflict> for Conflict {
    fn from(conflict: OnConflict) -> Self {
        match conflict {
            OnConflict::Skip => Self::Skip,
            OnConflict::Replace => Self::Replace,
            OnConflict::Duplicate => Self::Duplicate,
        }
    }
}

/// A restore to be planned.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddRestorePlan {
    /// The snapshot's id, or the beginning of it.
    pub(super) snapshot: String,
    pub(super) target: AddRestoreTarget,
    #[serde(default)]
    pub(super) conflict: OnConflict,
    pub(super) select: RestoreSelection,
}

/// Where to restore to: the original organization, or another one of the same service.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddRestoreTarget {
    pub(super) connector: String,
}

/// What to restore. Kinds and projects narrow each other; items and paths are added to them. Nothing selected is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreSelection {
    /// All that the snapshot holds.
    #[serde(default)]
    everything: bool,
    /// Of what is selected, only what the target lacks; by itself, everything that it lacks.
    #[serde(default)]
    missing: bool,
    #[serde(default)]
    kinds: Vec<String>,
    /// By id or name.
    #[serde(default)]
    projects: Vec<String>,
    #[serde(default)]
    items: Vec<RestoreItem>,
    /// Folders of the snapshot.
    #[serde(default)]
    paths: Vec<String>,
}

/// One item of a snapshot.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RestoreItem {
    kind: String,
    /// Its id in the snapshot.
    item: String,
}

/// More would not fit into one request of a person.
const MOST: usize = 10_000;

impl RestoreSelection {
    pub(super) fn resolve(self) -> Result<Select, Problem> {
        let narrowed =
            !self.kinds.is_empty() || !self.projects.is_empty() || !self.items.is_empty();
        let named = narrowed || !self.paths.is_empty();
        if self.everything {
            if named || self.missing {
                return Err(Problem::field(
                    "/select/everything",
                    "everything goes with no other selection",
                ));
            }
            return Ok(Select::Everything);
        }
        if !named && !self.missing {
            return Err(Problem::field(
                "/select",
                "nothing is selected, so nothing would be restored",
            ));
        }
        if self.items.len() + self.paths.len() > MOST
            || self.kinds.len() * self.projects.len().max(1) > MOST
        {
            return Err(Problem::field(
                "/select",
                format!("at most {MOST} items and paths: select their project or kind"),
            ));
        }
        Ok(Select::Items(self.selectors(named)))
    }

    fn selectors(self, named: bool) -> Vec<Selector> {
        let missing = self.missing;
        let what = |what| {
            if missing {
                What::Missing(Box::new(what))
            } else {
                what
            }
        };
        let mut selectors = Vec::new();
        if !self.kinds.is_empty() || !self.projects.is_empty() || !named {
            for kind in each(self.kinds) {
                for scope in each(self.projects.clone()) {
                    selectors.push(Selector {
                        kind: kind.clone(),
                        scope,
                        what: what(What::All),
                    });
                }
            }
        }
        let mut items: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for item in self.items {
            items.entry(item.kind).or_default().push(item.item);
        }
        selectors.extend(items.into_iter().map(|(kind, ids)| Selector {
            kind: Some(kind),
            scope: None,
            what: what(What::Ids(ids)),
        }));
        selectors.extend(self.paths.into_iter().map(|path| Selector {
            kind: None,
            scope: None,
            what: what(What::Under(path.trim_matches('/').to_owned())),
        }));
        selectors
    }
}

/// Each of them, or once none for all.
fn each(names: Vec<String>) -> Vec<Option<String>> {
    if names.is_empty() {
        return vec![None];
    }
    names.into_iter().map(Some).collect()
}

/// Where a plan restores to.
#[derive(Serialize, ToSchema)]
pub(super) struct RestoreTargetView {
    pub(super) connector: String,
    /// Null when the connector was removed.
    pub(super) organization: Option<String>,
    /// It is the organization that the snapshot came from.
    pub(super) same: bool,
}

/// A restore plan.
#[derive(Serialize, ToSchema)]
pub(super) struct RestorePlanView {
    id: String,
    /// `planning`, `ready`, `failed`, `applying`, `applied`, `applied_with_issues` or `canceled`.
    state: String,
    snapshot: String,
    repository: String,
    /// When the snapshot was taken; null when it was forgotten.
    #[schema(format = DateTime)]
    taken_at: Option<String>,
    /// The organization that the snapshot is of.
    source: Option<String>,
    pub(super) target: RestoreTargetView,
    /// `skip`, `replace` or `duplicate`.
    conflict: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// Null for one that a command made by itself.
    created_by: Option<String>,
    /// When all steps were there: without it the plan cannot be applied.
    #[schema(format = DateTime)]
    planned_at: Option<String>,
    plan_run: Option<String>,
    /// The run that was asked for last.
    run: Option<String>,
    /// The last run that applied it.
    apply_run: Option<String>,
    /// The plan that it takes back.
    undoes: Option<String>,
    /// It has written something that can be taken back.
    can_undo: bool,
    /// Why its last run failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl RestorePlanView {
    pub(super) fn of(
        row: PlanRow,
        target: RestoreTargetView,
        snapshot: Option<&KnownSnapshot>,
    ) -> Self {
        let plan = row.plan;
        let busy = matches!(word(&plan.state).as_str(), "planning" | "applying");
        Self {
            state: word(&plan.state),
            taken_at: snapshot.map(|snapshot| snapshot.time.to_string()),
            source: snapshot.map(|snapshot| snapshot.name.clone()),
            target,
            conflict: word(&plan.conflict),
            created_at: plan.created.to_string(),
            created_by: row.created_by,
            planned_at: plan.planned.map(|planned| planned.to_string()),
            run: row.apply_run.clone().or_else(|| row.plan_run.clone()),
            plan_run: row.plan_run,
            apply_run: row.apply_run,
            can_undo: row.begun.is_some() && plan.undoes.is_none() && !busy,
            undoes: plan.undoes.map(|undone| undone.plan),
            error: row.error,
            id: plan.id,
            snapshot: plan.snapshot,
            repository: plan.repository,
        }
    }
}

/// A restore plan with what it does in numbers.
#[derive(Serialize, ToSchema)]
pub(super) struct RestorePlanDetail {
    #[serde(flatten)]
    pub(super) plan: RestorePlanView,
    pub(super) counts: Vec<RestorePlanCounts>,
    pub(super) losses: Vec<PlanLossView>,
    /// The name to type before it is applied, since it replaces or removes what stands at the target.
    pub(super) confirm: Option<String>,
}

/// How many items of a kind a plan does what with.
#[derive(Serialize, ToSchema)]
pub(super) struct RestorePlanCounts {
    kind: String,
    create: u64,
    /// Out of the service's own recycle bin.
    undelete: u64,
    pub(super) replace: u64,
    /// Into what the service makes by itself.
    merge: u64,
    skip: u64,
    /// Cannot be written back.
    export: u64,
    /// What another restore had made.
    pub(super) remove: u64,
}

impl RestorePlanCounts {
    pub(super) fn of(kind: String) -> Self {
        Self {
            kind,
            create: 0,
            undelete: 0,
            replace: 0,
            merge: 0,
            skip: 0,
            export: 0,
            remove: 0,
        }
    }

    pub(super) fn action(&mut self, action: Action) -> &mut u64 {
        match action {
            Action::Create => &mut self.create,
            Action::Undelete => &mut self.undelete,
            Action::Replace => &mut self.replace,
            Action::Merge => &mut self.merge,
            Action::Skip => &mut self.skip,
            Action::Export => &mut self.export,
            Action::Remove => &mut self.remove,
        }
    }
}

/// What does not come back as it was.
#[derive(Serialize, ToSchema)]
pub(super) struct PlanLossView {
    kind: String,
    text: String,
    /// How many items it may matter for.
    items: u64,
}

impl PlanLossView {
    pub(super) fn all(losses: Vec<StepLosses>) -> Vec<Self> {
        let mut all: BTreeMap<(String, String), u64> = BTreeMap::new();
        for some in losses {
            for text in some.losses {
                *all.entry((some.kind.clone(), text)).or_default() += some.items;
            }
        }
        let view = |((kind, text), items)| Self { kind, text, items };
        all.into_iter().map(view).collect()
    }
}

/// The go-ahead for a plan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplyRestorePlan {
    /// The name of the target organization, as it was typed; needed when anything there is replaced or removed.
    pub(super) confirm: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn select(body: &serde_json::Value) -> Result<Select, Problem> {
        let selection: RestoreSelection = serde_json::from_value(body.clone()).unwrap();
        selection.resolve()
    }

    #[test]
    fn nothing_selected_is_refused() {
        for body in [
            json!({}),
            json!({"kinds": [], "items": []}),
            json!({"everything": false}),
        ] {
            assert!(select(&body).is_err(), "{body}");
        }
        assert!(select(&json!({"everything": true, "kinds": ["team"]})).is_err());
    }

    #[test]
    fn kinds_and_projects_narrow_each_other_and_items_are_added() {
        let Select::Items(selectors) = select(&json!({
            "kinds": ["team", "area"], "projects": ["Payments"],
            "items": [{"kind": "work-item", "item": "7"}, {"kind": "work-item", "item": "8"}],
        }))
        .unwrap() else {
            panic!("not everything");
        };
        assert_eq!(selectors.len(), 3);
        assert_eq!(
            (selectors[0].kind.as_deref(), selectors[0].scope.as_deref()),
            (Some("team"), Some("Payments"))
        );
        assert_eq!(
            selectors[2].what,
            What::Ids(vec!["7".to_owned(), "8".to_owned()])
        );
    }

    #[test]
    fn only_the_missing_of_everything_is_a_selection() {
        let Select::Items(selectors) = select(&json!({"missing": true})).unwrap() else {
            panic!("not everything");
        };
        assert_eq!(selectors.len(), 1);
        assert_eq!(selectors[0].what, What::Missing(Box::new(What::All)));
    }

    #[test]
    fn only_the_missing_is_said_of_items_and_paths_too() {
        let Select::Items(selectors) = select(&json!({
            "missing": true, "items": [{"kind": "work-item", "item": "7"}], "paths": ["git"],
        }))
        .unwrap() else {
            panic!("not everything");
        };
        let named = [
            What::Ids(vec!["7".to_owned()]),
            What::Under("git".to_owned()),
        ];
        let missing = named.map(|what| What::Missing(Box::new(what)));
        let all: Vec<What> = selectors.into_iter().map(|one| one.what).collect();
        assert_eq!(all, missing);
    }
}
