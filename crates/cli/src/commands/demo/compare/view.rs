//! A state dump as documents by kind and natural name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::When;
use super::names::{Names, list, repository_name};
use super::rules::{Applies, Rule, Side};

/// Everything that is compared, in the order of the table.
pub(in super::super) const KINDS: [&str; 10] = [
    "project",
    "team",
    "area",
    "iteration",
    "git-repository",
    "lfs-object",
    "wiki",
    "work-item",
    "comment",
    "attachment",
];

/// Kind → name → document.
pub(super) struct View(pub BTreeMap<&'static str, BTreeMap<String, Document>>);

pub(super) struct Document {
    /// The name of the item that it belongs to: a comment's work item, an LFS object's repository.
    owner: String,
    pub value: Value,
}

impl View {
    pub(super) fn of(state: &Value, names: &Names) -> Self {
        let mut view = Self(KINDS.iter().map(|kind| (*kind, BTreeMap::new())).collect());
        for project in list(state, "projects") {
            view.add("project", &string(project, "name"), project.clone());
        }
        for team in list(state, "teams") {
            view.add(
                "team",
                &format!("{}/{}", string(team, "project"), string(team, "name")),
                team.clone(),
            );
        }
        for (kind, trees) in [("area", "areas"), ("iteration", "iterations")] {
            for tree in list(state, trees) {
                view.nodes(kind, &tree["root"]);
            }
        }
        for repository in list(state, "repositories") {
            view.repository(repository);
        }
        for wiki in list(state, "wikis") {
            let project = names
                .guid(&string(wiki, "project"))
                .unwrap_or_default()
                .trim_start_matches("project:")
                .to_owned();
            view.add(
                "wiki",
                &format!("{project}/{}", string(wiki, "name")),
                wiki.clone(),
            );
        }
        let live: BTreeSet<u64> = list(state, "workItems")
            .iter()
            .filter_map(|item| item["id"].as_u64())
            .collect();
        for item in list(state, "workItems") {
            view.work_item(item, names, &live, "");
        }
        for item in list(state, "recycleBin") {
            view.work_item(item, names, &live, "recycle bin: ");
        }
        for documents in view.0.values_mut() {
            for document in documents.values_mut() {
                names.rename(&mut document.value);
            }
        }
        view.images();
        view
    }

    fn add(&mut self, kind: &'static str, name: &str, value: Value) {
        self.put(kind, name, name, value);
    }

    /// A second one of the same name is numbered, so that none hides another.
    fn put(&mut self, kind: &'static str, name: &str, owner: &str, value: Value) {
        let documents = self.0.entry(kind).or_default();
        let mut free = name.to_owned();
        let mut number = 1;
        while documents.contains_key(&free) {
            number += 1;
            free = format!("{name} ({number})");
        }
        documents.insert(
            free,
            Document {
                owner: owner.to_owned(),
                value,
            },
        );
    }

    fn nodes(&mut self, kind: &'static str, node: &Value) {
        let mut own = node.clone();
        if let Some(members) = own.as_object_mut() {
            members.shift_remove("children");
        }
        self.add(kind, &string(node, "path"), own);
        for child in list(node, "children") {
            self.nodes(kind, child);
        }
    }

    fn repository(&mut self, repository: &Value) {
        let name = repository_name(repository);
        let mut own = repository.clone();
        if let Some(members) = own.as_object_mut() {
            members.shift_remove("lfs");
        }
        self.add("git-repository", &name, own);
        for object in list(repository, "lfs") {
            self.put(
                "lfs-object",
                &format!("{name} {}", string(object, "oid")),
                &name,
                object.clone(),
            );
        }
    }

    fn work_item(&mut self, item: &Value, names: &Names, live: &BTreeSet<u64>, prefix: &str) {
        let id = item["id"].as_u64().unwrap_or_default();
        let key = names.item(id).unwrap_or_else(|| format!("#{id}"));
        let name = format!("{prefix}{key}");
        let mut own = item.clone();
        if let Some(revisions) = own["revisions"].as_array_mut() {
            flag(revisions, list(item, "comments"));
        }
        let mut comments: Vec<&Value> = list(item, "comments").iter().collect();
        comments.sort_by_key(|comment| {
            (
                string(&comment["versions"][0], "date"),
                comment["id"].as_u64(),
            )
        });
        for (number, comment) in (1..).zip(comments) {
            self.put(
                "comment",
                &format!("{name} comment {number}"),
                &key,
                comment.clone(),
            );
        }
        // The service states no order; files of one name are told apart by what they hold.
        let mut sorted: Vec<&Value> = list(item, "relations").iter().collect();
        sorted.sort_by_key(|relation| (string(relation, "name"), string(relation, "sha256")));
        let mut relations: Vec<Value> = sorted
            .into_iter()
            .map(|relation| self.relation(relation, names, live, &name, &key))
            .collect();
        relations.sort_by_cached_key(ToString::to_string);
        own["relations"] = relations.into();
        if let Some(members) = own.as_object_mut() {
            members.shift_remove("comments");
        }
        self.put("work-item", &name, &key, own);
    }

    /// The relation as its item has it; a file is an item of its own too.
    fn relation(
        &mut self,
        relation: &Value,
        names: &Names,
        live: &BTreeSet<u64>,
        name: &str,
        owner: &str,
    ) -> Value {
        let mut own = relation.clone();
        if let Some(target) = relation["target"].as_u64() {
            own["target"] = names
                .item(target)
                .unwrap_or_else(|| format!("#{target}"))
                .into();
            own["hidden"] = (!live.contains(&target)).into();
        }
        if !relation["attachment"].is_null() {
            let file = json!({"sha256": relation["sha256"], "length": relation["length"], "name": relation["name"]});
            self.put(
                "attachment",
                &format!("{name} file {}", string(relation, "name")),
                owner,
                file,
            );
        }
        names.rename(&mut own);
        own
    }

    /// Images in the texts of items and comments are attachments too.
    fn images(&mut self) {
        let mut found: BTreeSet<(String, String, String)> = BTreeSet::new();
        for kind in ["work-item", "comment"] {
            for (name, document) in &self.0[kind] {
                let item = name.split(" comment ").next().unwrap_or(name);
                for part in ["revisions", "versions"] {
                    attachments(&document.value[part], &mut |sha256| {
                        found.insert((item.to_owned(), document.owner.clone(), sha256.to_owned()));
                    });
                }
            }
        }
        for (item, owner, sha256) in found {
            self.put(
                "attachment",
                &format!("{item} image {sha256}"),
                &owner,
                json!({"sha256": sha256}),
            );
        }
    }

    pub(super) fn normalize(
        &mut self,
        side: Side,
        rules: &[&'static Rule],
        losses: &[String],
        when: &When,
    ) {
        for (kind, documents) in &mut self.0 {
            let rules: Vec<&Rule> = rules
                .iter()
                .copied()
                .filter(|rule| rule.covers(kind, losses))
                .collect();
            documents.retain(|_, document| {
                let anew = when.all || when.anew.contains(&document.owner);
                let undeleted = when.undeleted.contains(&document.owner);
                for rule in &rules {
                    let applies = match rule.applies {
                        Applies::Always => true,
                        Applies::Anew => anew,
                        Applies::Undeleted => undeleted,
                    };
                    if applies {
                        (rule.apply)(&mut document.value, side);
                    }
                }
                !document.value.is_null()
            });
        }
    }
}

fn string(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// Calls `each` with the hash of every attachment that a text names.
fn attachments(value: &Value, each: &mut impl FnMut(&str)) {
    const MARK: &str = "{attachment:";
    match value {
        Value::String(text) => {
            for (at, _) in text.match_indices(MARK) {
                let rest = &text[at + MARK.len()..];
                each(&rest[..rest.find('}').unwrap_or(rest.len())]);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| attachments(value, each)),
        Value::Object(members) => members.values().for_each(|value| attachments(value, each)),
        _ => {}
    }
}

/// Members that say who changed an item when, and what follows from its comments.
const STAMPS: [&str; 5] = [
    "System.ChangedBy",
    "System.ChangedDate",
    "System.CommentCount",
    "System.History",
    "System.IsDeleted",
];

/// Sorts the names of the fields that hold Markdown, which are a set, and marks the revisions that the service makes for something else than a change of the item: `edit` for a comment that is changed
/// or deleted, `undelete` for coming out of the recycle bin.
fn flag(revisions: &mut [Value], comments: &[Value]) {
    let versions = |comment: &Value| {
        list(comment, "versions")
            .iter()
            .skip(1)
            .map(|version| string(version, "date"))
            .collect::<Vec<_>>()
    };
    let edits: BTreeSet<String> = comments.iter().flat_map(versions).collect();
    count_deletions(revisions, comments);
    for formats in revisions
        .iter_mut()
        .filter_map(|revision| revision["markdown"].as_array_mut())
    {
        formats.sort_by_cached_key(ToString::to_string);
    }
    for at in (1..revisions.len()).rev() {
        let (before, now) = (&revisions[at - 1], &revisions[at]);
        let only_stamps = changed(&before["fields"], &now["fields"])
            .iter()
            .all(|field| STAMPS.contains(&field.as_str()))
            && before["markdown"] == now["markdown"];
        let silent = only_stamps && now["fields"].get("System.History").is_none();
        let edit = silent && edits.contains(&string(&now["fields"], "System.ChangedDate"));
        let undelete = silent
            && before["fields"]["System.IsDeleted"] == true
            && now["fields"]["System.IsDeleted"] != true;
        if edit {
            revisions[at]["service"] = "edit".into();
        } else if undelete {
            revisions[at]["service"] = "undelete".into();
        }
    }
}

/// Notes at each revision how many comments had been deleted by then. Dates sort as text without the `Z`, which may follow a fraction.
fn count_deletions(revisions: &mut [Value], comments: &[Value]) {
    let deletion = |comment: &Value| {
        list(comment, "versions")
            .last()
            .map(|version| moment(version, "date"))
    };
    let deletions: Vec<String> = comments
        .iter()
        .filter(|comment| comment["isDeleted"] == true)
        .filter_map(deletion)
        .collect();
    for revision in revisions {
        let date = moment(&revision["fields"], "System.ChangedDate");
        let before = deletions.iter().filter(|deletion| **deletion <= date);
        revision["deletedComments"] = before.count().into();
    }
}

fn moment(value: &Value, name: &str) -> String {
    string(value, name).trim_end_matches('Z').to_owned()
}

fn changed(before: &Value, now: &Value) -> Vec<String> {
    let empty = Map::new();
    let (before, now) = (
        before.as_object().unwrap_or(&empty),
        now.as_object().unwrap_or(&empty),
    );
    let set = now
        .iter()
        .filter(|(field, value)| before.get(*field) != Some(value))
        .map(|(field, _)| field.clone());
    set.chain(
        before
            .keys()
            .filter(|field| !now.contains_key(*field))
            .cloned(),
    )
    .collect()
}
