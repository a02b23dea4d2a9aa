//! Two snapshots compared item by item: what was restored, and what a backup of the result holds.
//!
//! Names, rules and differences are those of the demo's comparison; what is compared are the stored documents and parts. One pair of items is in
//! memory at a time.

mod links;
mod rules;
mod side;

use std::collections::{HashMap, HashSet};

use model::{Action, ItemRef, Step, StepState};
use service::{KindSpec, Layout, Service};

use super::evidence::{self, Compared};
use crate::commands::demo::compare::{self as shared, Rule, documents};
use crate::failure::Failure;

use rules::RULES;
pub(super) use side::Side;

/// Which item became which.
pub(super) struct Pairs {
    /// Kind → scope and id in the snapshot → id in the sandbox.
    new: HashMap<String, HashMap<(String, String), String>>,
    /// Kind and id in the snapshot of what the plan does not restore.
    skipped: HashSet<(String, String)>,
}

impl Pairs {
    /// From the steps of the plan; those that were not done are differences, those that were not to be done are left out.
    pub(super) fn of(steps: &[Step], compared: &mut Compared) -> Self {
        let mut new: HashMap<String, HashMap<(String, String), String>> = HashMap::new();
        let mut skipped = HashSet::new();
        for step in steps {
            let ItemRef { kind, scope, id } = step.item.clone();
            let failed = matches!(
                step.state,
                StepState::Failed | StepState::Planned | StepState::Intended
            );
            let is_skipped = matches!(step.action, Action::Skip | Action::Export | Action::Remove)
                || step.state == StepState::Skipped;
            match &step.new_id {
                // Also of what another item's restore brought along.
                Some(made) if !failed || is_skipped => {
                    new.entry(kind)
                        .or_default()
                        .insert((scope, id), made.clone());
                }
                _ if is_skipped => {
                    let reason = step.reason.as_deref().unwrap_or("the plan skips it");
                    compared.leave_out(
                        &[kind.as_str()],
                        "items that the plan does not restore",
                        reason,
                    );
                    skipped.insert((kind, id));
                }
                _ => {
                    let found = step.detail.clone().unwrap_or_else(|| "nothing".to_owned());
                    let item = format!("{id} {:?}", step.name);
                    compared.miss(&kind, item, "to be restored", found);
                }
            }
        }
        Self { new, skipped }
    }

    fn skips(&self, kind: &str, id: &str) -> bool {
        self.skipped.contains(&(kind.to_owned(), id.to_owned()))
    }

    /// Ids of a kind, `(scope, id)` in the snapshot and the id in the sandbox.
    fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&(String, String), &String)> {
        self.new.get(kind).into_iter().flatten()
    }

    fn find(&self, kind: &str, id: &str) -> Option<&str> {
        self.of_kind(kind)
            .find(|((_, old), _)| old == id)
            .map(|(_, new)| new.as_str())
    }
}

/// Both snapshots, and what becomes of their comparison.
pub(super) struct Comparison<'a> {
    pub service: &'static Service,
    pub pairs: &'a Pairs,
    pub expected: &'a Side,
    pub actual: &'a Side,
    /// That the restore plan declared.
    pub losses: &'a [String],
    pub compared: &'a mut Compared,
}

impl Comparison<'_> {
    /// Adds what differs between the items of both snapshots.
    pub(super) async fn run(&mut self) -> Result<(), Failure> {
        for kind in self.service.kinds {
            if matches!(kind.spec().layout, Layout::Item { .. }) {
                self.kind(kind.spec()).await?;
            }
        }
        Ok(())
    }

    async fn kind(&mut self, spec: &'static KindSpec) -> Result<(), Failure> {
        let rules: Vec<&'static Rule> = RULES
            .iter()
            .filter(|rule| rule.covers(spec.name, self.losses))
            .collect();
        for rule in &rules {
            self.compared.leave_out(rule.kinds, rule.what, rule.reason);
        }
        let mut known: HashSet<ItemRef> = HashSet::new();
        let mut items: Vec<_> = self.pairs.of_kind(spec.name).collect();
        items.sort_by_cached_key(|((scope, id), _)| {
            (scope.clone(), id.parse::<u64>().ok(), id.clone())
        });
        for ((scope, id), new) in items {
            let parent = spec.parent.filter(|_| !scope.is_empty());
            let new_scope = parent.and_then(|parent| self.pairs.find(parent, scope));
            let new = ItemRef::new(spec.name, new_scope.unwrap_or_default(), new);
            self.pair(spec, &ItemRef::new(spec.name, scope, id), &new, &rules)
                .await?;
            known.insert(new);
        }
        for item in self.actual.all(spec.name).await? {
            if !known.contains(&item) {
                let found = "an item that the snapshot does not have".to_owned();
                let name = self.actual.called(&item);
                self.compared.miss(spec.name, name, "nothing", found);
            }
        }
        Ok(())
    }

    /// One item and what was made of it.
    async fn pair(
        &mut self,
        spec: &'static KindSpec,
        old: &ItemRef,
        new: &ItemRef,
        rules: &[&'static Rule],
    ) -> Result<(), Failure> {
        let (mut one, mut other) = (self.expected.view(old).await?, self.actual.view(new).await?);
        if let (Some(one), Some(other)) = (&mut one, &mut other) {
            let sides = (self.expected, self.pairs);
            links::settle(sides, old, one, other, self.compared).await?;
        }
        for rule in rules {
            for (value, side) in [
                (&mut one, shared::Side::Expected),
                (&mut other, shared::Side::Actual),
            ] {
                if let Some(value) = value {
                    (rule.apply)(value, side);
                }
            }
        }
        let own = (spec.name, 1);
        for (kind, items) in self.expected.parts(old).await?.into_iter().chain([own]) {
            *self.compared.items.entry(kind.to_owned()).or_default() += items;
        }
        let name = self.expected.called(old);
        for difference in documents(spec.name, &name, one.as_ref(), other.as_ref()) {
            self.compared.add(evidence::Difference {
                kind: difference.kind.to_owned(),
                item: difference.item,
                field: difference.field,
                expected: difference.expected,
                found: difference.actual,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn item() -> (&'static str, Value) {
        let by = json!({"displayName": "A", "uniqueName": "a@example.com", "id": "1"});
        let fields = json!({"System.Id": 1, "System.Title": "t", "System.State": "New", "System.AreaPath": "P", "System.ChangedBy": by, "System.ChangedDate": "d", "Custom.X": 1});
        let item = json!({
            "document": {"id": 1, "rev": 2, "fields": fields, "relations": [{"rel": "AttachedFile", "url": "{attachment:ab}", "attributes": {"id": 4, "name": "n", "resourceSize": 3}}]},
            "parts": {"revisions.ndjson": [{"id": 1, "rev": 1, "fields": fields}], "comments.ndjson": [{"id": 9, "text": "x", "createdDate": "d", "createdBy": by, "format": "html"}]},
        });
        ("work-item", item)
    }

    fn repository() -> (&'static str, Value) {
        let repository = json!({
            "document": {"name": "r", "defaultBranch": "refs/heads/main", "size": 1},
            "parts": {"HEAD": "ref: refs/heads/main", "packed-refs": {"refs/heads/main": "aa", "refs/pull/1/merge": "bb"}, "lfs/objects/x": {"size": 1}},
        });
        ("git-repository", repository)
    }

    fn differs(kind: &'static str, one: &Value, other: &Value) -> bool {
        let losses: Vec<String> = RULES
            .iter()
            .flat_map(|rule| match rule.declared {
                shared::Declared::Nothing => Vec::new(),
                shared::Declared::Words(words) => words.to_vec(),
                shared::Declared::ByKind(kinds) => kinds.iter().map(|(_, words)| *words).collect(),
            })
            .map(str::to_owned)
            .collect();
        let mut sides = [one.clone(), other.clone()];
        for rule in RULES.iter().filter(|rule| rule.covers(kind, &losses)) {
            (rule.apply)(&mut sides[0], shared::Side::Expected);
            (rule.apply)(&mut sides[1], shared::Side::Actual);
        }
        !documents(kind, "x", Some(&sides[0]), Some(&sides[1])).is_empty()
    }

    /// Whatever the rules leave out, what people wrote is not among it.
    #[test]
    fn every_change_of_what_people_wrote_is_a_difference() {
        let revision = "/parts/revisions.ndjson/0/fields";
        let places = |(kind, value): (&'static str, Value), places: &[&str]| {
            assert!(!differs(kind, &value, &value));
            for place in places {
                let mut other = value.clone();
                *other.pointer_mut(place).unwrap() = "changed".into();
                assert!(differs(kind, &value, &other), "{kind} {place}");
            }
        };
        let own = [
            "System.Title",
            "System.State",
            "System.AreaPath",
            "Custom.X",
            "System.ChangedBy/displayName",
            "System.ChangedDate",
        ];
        let fields: Vec<String> = own
            .iter()
            .map(|name| format!("{revision}/{name}"))
            .collect();
        let mut of_items: Vec<&str> = fields.iter().map(String::as_str).collect();
        of_items.extend([
            "/document/fields/System.Title",
            "/document/relations/0/url",
            "/document/relations/0/attributes/name",
            "/document/relations/0/attributes/resourceSize",
            "/parts/comments.ndjson/0/text",
            "/parts/comments.ndjson/0/createdDate",
            "/parts/comments.ndjson/0/createdBy/displayName",
        ]);
        places(item(), &of_items);
        let of_repositories = [
            "/document/name",
            "/document/defaultBranch",
            "/parts/HEAD",
            "/parts/packed-refs/refs~1heads~1main",
            "/parts/lfs~1objects~1x/size",
        ];
        places(repository(), &of_repositories);
    }

    #[test]
    fn what_no_plan_declared_is_a_difference() {
        let (_, one) = repository();
        let rules = RULES
            .iter()
            .filter(|rule| rule.covers("git-repository", &[]));
        let mut left = one.clone();
        rules.for_each(|rule| (rule.apply)(&mut left, shared::Side::Actual));
        assert!(left["parts"]["packed-refs"]["refs/pull/1/merge"] == "bb");
    }
}
