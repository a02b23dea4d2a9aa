//! All that the comparison leaves out, and why. Everything that no rule names has to be equal.
//!
//! Ids and GUIDs that mean something inside the organization are replaced by natural names before (`names.rs`): a project by its name,
//! a repository by project and name, a node by its path, an attachment by the SHA-256 of its bytes, a work item by project, date and
//! title of its first revision, an address of the organization by one without host and organization.

use serde_json::Value;

use super::Marks;

/// To which items a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Applies {
    Always,
    /// To items that were created again: in another organization, or after they were destroyed.
    Anew,
    /// To work items that came out of the recycle bin.
    Undeleted,
}

pub(in super::super) struct Rule {
    pub kinds: &'static [&'static str],
    pub applies: Applies,
    /// What is not compared.
    pub what: &'static str,
    pub reason: &'static str,
    /// Words of the loss that the restore plan must have declared; without them the rule does not hold.
    pub declared: Option<&'static str>,
    /// Takes it out; a document that becomes null is not compared at all.
    pub apply: fn(&mut Value),
}

impl Rule {
    pub(super) fn holds(&self, marks: &Marks, losses: &[String]) -> bool {
        let happened = match self.applies {
            Applies::Always => true,
            Applies::Anew => marks.all || !marks.items.is_empty() || !marks.repositories.is_empty(),
            Applies::Undeleted => !marks.undeleted.is_empty(),
        };
        happened
            && self
                .declared
                .is_none_or(|words| losses.iter().any(|loss| loss.contains(words)))
    }
}

const EVERYTHING: &[&str] = &[
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
const NODES: &[&str] = &["area", "iteration"];

pub(in super::super) static RULES: &[Rule] = &[
    Rule {
        kinds: EVERYTHING,
        applies: Applies::Anew,
        what: "id and identifier",
        reason: "the service gives its own to what is created",
        declared: None,
        apply: |value| drop_members(value, &["id", "identifier"]),
    },
    Rule {
        kinds: NODES,
        applies: Applies::Anew,
        what: "the nodes' address",
        reason: "it names the organization; path and name are compared",
        declared: None,
        apply: |value| drop_members(value, &["url", "_links"]),
    },
    Rule {
        kinds: &["project"],
        applies: Applies::Anew,
        what: "properties of the project",
        reason: "the service writes them when it makes a project; process, name, description and visibility are compared",
        declared: Some("Avatar, permissions, and which services are switched on"),
        apply: |value| drop_members(value, &["properties"]),
    },
    Rule {
        kinds: &["team"],
        applies: Applies::Anew,
        what: "members of teams",
        reason: "they are access rights: the plan declares that they are not written back",
        declared: Some("Members and administrators of a team are not written back"),
        apply: |value| drop_members(value, &["members"]),
    },
    Rule {
        kinds: &["git-repository"],
        applies: Applies::Always,
        what: "the folder on the simulator's disk",
        reason: "it is a place, not content; its objects and refs are compared",
        declared: None,
        apply: |value| drop_members(value, &["repositoryPath", "lfsPath"]),
    },
    Rule {
        kinds: &["git-repository"],
        applies: Applies::Anew,
        what: "refs/pull/* and objects that only they reach",
        reason: "the service makes them for pull requests and refuses them in a push",
        declared: Some("refs/pull"),
        apply: without_pulls,
    },
    Rule {
        kinds: &["git-repository"],
        applies: Applies::Anew,
        what: "that a repository is a fork",
        reason: "the plan declares that it is not written back",
        declared: Some("is a fork of another"),
        apply: |value| drop_members(value, &["parent"]),
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Anew,
        what: "revisions that the service made for an edited or deleted comment",
        reason: "the newest text is written back as an edit of the restore's date; all other revisions are compared one by one",
        declared: Some("Earlier versions of an edited comment are not written back"),
        apply: |value| keep_revisions(value, |revision| revision["service"] != "edit"),
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Anew,
        what: "revisions of the time in the recycle bin",
        reason: "an item that is created again was not deleted",
        declared: None,
        apply: |value| {
            keep_revisions(value, |revision| {
                revision["fields"]["System.IsDeleted"] != true
            });
        },
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Anew,
        what: "System.CommentCount of each revision",
        reason: "the service counts when it saves, so a comment that was deleted later counts longer; the comments themselves are compared",
        declared: None,
        apply: |value| {
            each_revision(value, |revision| {
                drop_members(&mut revision["fields"], &["System.CommentCount"]);
            });
        },
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Anew,
        what: "links to items in the recycle bin",
        reason: "the service does not show them, so no client can read them",
        declared: None,
        apply: without_hidden,
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Undeleted,
        what: "the revision that coming out of the recycle bin makes",
        reason: "the service adds it, by the identity that restores",
        declared: None,
        apply: without_undeletion,
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Always,
        what: "numbers of revisions",
        reason: "the revisions are compared in their order, so their count and numbers follow",
        declared: None,
        apply: |value| {
            drop_members(value, &["rev"]);
            each_revision(value, |revision| {
                drop_members(revision, &["rev", "service"]);
            });
        },
    },
    Rule {
        kinds: &["comment"],
        applies: Applies::Anew,
        what: "versions of a comment between its first date and author and its newest text",
        reason: "the plan declares that they are not written back",
        declared: Some("Earlier versions of an edited comment are not written back"),
        apply: first_and_last,
    },
    Rule {
        kinds: &["comment"],
        applies: Applies::Anew,
        what: "reactions",
        reason: "a reaction can only be by whoever is signed in: the plan declares that they are not written back",
        declared: Some("Reactions"),
        apply: |value| drop_members(value, &["reactions"]),
    },
];

fn drop_members(value: &mut Value, names: &[&str]) {
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
}

fn keep_revisions(item: &mut Value, keep: impl Fn(&Value) -> bool) {
    if let Some(revisions) = item["revisions"].as_array_mut() {
        revisions.retain(keep);
    }
}

fn each_revision(item: &mut Value, change: impl Fn(&mut Value)) {
    if let Some(revisions) = item["revisions"].as_array_mut() {
        revisions.iter_mut().for_each(change);
    }
}

fn without_pulls(repository: &mut Value) {
    drop_members(repository, &["pullObjects"]);
    if let Some(refs) = repository["refs"].as_object_mut() {
        refs.retain(|name, _| !name.starts_with("refs/pull/"));
    }
}

fn without_hidden(item: &mut Value) {
    if let Some(relations) = item["relations"].as_array_mut() {
        relations.retain(|relation| relation["hidden"] != true);
    }
}

/// Only the last revision can be it: what the item is now came out of the recycle bin with it.
fn without_undeletion(item: &mut Value) {
    if let Some(revisions) = item["revisions"].as_array_mut()
        && revisions
            .last()
            .is_some_and(|last| last["service"] == "undelete")
    {
        revisions.pop();
    }
}

/// `{"by", "date"}` of the first version and the text of the newest. Of a deleted comment the service tells no text.
fn first_and_last(comment: &mut Value) {
    let deleted = comment["isDeleted"] == true;
    let Some(versions) = comment["versions"].as_array() else {
        return;
    };
    let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
        return;
    };
    let text = if deleted {
        Value::Null
    } else {
        last["text"].clone()
    };
    let short = serde_json::json!({"by": first["by"], "date": first["date"], "text": text});
    comment["versions"] = short;
}
