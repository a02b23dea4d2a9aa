//! All that the comparison leaves out, and why. Everything that no rule names has to be equal.
//!
//! Ids and GUIDs that mean something inside the organization are replaced by natural names before (`names.rs`): a project by its name,
//! a repository by project and name, a node by its path, an attachment by the SHA-256 of its bytes, a work item by project, date and
//! title of its first revision, an address of the organization by one without host and organization.

use serde_json::Value;

use super::Marks;

/// To which items a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Applies {
    Always,
    /// To items that were created again: in another organization, or after they were destroyed.
    Anew,
    /// To work items that came out of the recycle bin.
    Undeleted,
}

/// Which of the two states a document is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Side {
    Expected,
    Actual,
}

/// The words of the losses that a restore plan must have declared; without them the rule does not hold.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) enum Declared {
    /// Nothing is lost.
    Nothing,
    /// One of them: what the rule leaves out comes of each.
    Words(&'static [&'static str]),
    /// For each kind its own: the rule holds only for those that were declared.
    ByKind(&'static [(&'static str, &'static str)]),
}

pub(in crate::commands) struct Rule {
    pub kinds: &'static [&'static str],
    pub applies: Applies,
    /// What is not compared.
    pub what: &'static str,
    pub reason: &'static str,
    pub declared: Declared,
    /// Takes it out; a document that becomes null is not compared at all.
    pub apply: fn(&mut Value, Side),
}

impl Rule {
    pub(super) fn holds(&self, marks: &Marks, losses: &[String]) -> bool {
        let happened = match self.applies {
            Applies::Always => true,
            Applies::Anew => marks.all || !marks.items.is_empty() || !marks.repositories.is_empty(),
            Applies::Undeleted => !marks.undeleted.is_empty(),
        };
        happened && self.kinds.iter().any(|kind| self.covers(kind, losses))
    }

    /// Whether it applies to a kind, by what the plans declared.
    pub(in crate::commands) fn covers(&self, kind: &str, losses: &[String]) -> bool {
        let said = |words: &str| losses.iter().any(|loss| loss.contains(words));
        self.kinds.contains(&kind)
            && match self.declared {
                Declared::Nothing => true,
                Declared::Words(all) => all.iter().any(|words| said(words)),
                Declared::ByKind(all) => all
                    .iter()
                    .any(|(known, words)| *known == kind && said(words)),
            }
    }
}

/// A comment has no address of its own, so that its number is no loss that a plan has to tell.
pub(in crate::commands) const NEW_IDS: &[(&str, &str)] = &[
    ("project", "A project that is created again gets another id"),
    ("team", "A team that is created again gets another id"),
    ("area", "An area that is created again gets another id"),
    (
        "iteration",
        "An iteration that is created again gets another id",
    ),
    (
        "git-repository",
        "A repository that is created again gets another id",
    ),
    ("wiki", "A wiki that is created again gets another id"),
    (
        "work-item",
        "A work item that is created again gets another number",
    ),
    (
        "comment",
        "A work item that is created again gets another number",
    ),
];
const COMMENT_EDITS: &[&str] = &[
    "Earlier versions of an edited comment are not written back",
    "made Markdown by an edit of the restoring identity",
];
const NODES: &[&str] = &["area", "iteration"];

pub(in crate::commands) static RULES: &[Rule] = &[
    Rule {
        kinds: &[
            "project",
            "team",
            "area",
            "iteration",
            "git-repository",
            "wiki",
            "work-item",
            "comment",
        ],
        applies: Applies::Anew,
        what: "id and identifier",
        reason: "the service gives its own to what is created, as the plan declares",
        declared: Declared::ByKind(NEW_IDS),
        apply: |value, _| drop_members(value, &["id", "identifier"]),
    },
    Rule {
        kinds: NODES,
        applies: Applies::Anew,
        what: "the nodes' address",
        reason: "it names the organization; path and name are compared",
        declared: Declared::Nothing,
        apply: |value, _| drop_members(value, &["url", "_links"]),
    },
    Rule {
        kinds: &["project"],
        applies: Applies::Anew,
        what: "properties of the project",
        reason: "the service writes them when it makes a project; process, name, description and visibility are compared",
        declared: Declared::Words(&["Avatar, permissions, and which services are switched on"]),
        apply: |value, _| drop_members(value, &["properties"]),
    },
    Rule {
        kinds: &["team"],
        applies: Applies::Anew,
        what: "members of teams",
        reason: "they are access rights: the plan declares that they are not written back",
        declared: Declared::Words(&["Members and administrators of a team are not written back"]),
        apply: |value, _| drop_members(value, &["members"]),
    },
    Rule {
        kinds: &["git-repository"],
        applies: Applies::Always,
        what: "the folder on the simulator's disk",
        reason: "it is a place, not content; its objects and refs are compared",
        declared: Declared::Nothing,
        apply: |value, _| drop_members(value, &["repositoryPath", "lfsPath"]),
    },
    Rule {
        kinds: &["git-repository"],
        applies: Applies::Anew,
        what: "refs/pull/* and objects that only they reach",
        reason: "the service makes them for pull requests and refuses them in a push",
        declared: Declared::Words(&["refs/pull"]),
        apply: without_pulls,
    },
    Rule {
        kinds: &["git-repository"],
        applies: Applies::Anew,
        what: "that a repository is a fork",
        reason: "the plan declares that it is not written back",
        declared: Declared::Words(&["is a fork of another"]),
        apply: |value, side| {
            if side == Side::Expected {
                value["parent"] = Value::Null;
            }
        },
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Anew,
        what: "revisions that are nothing but the edit or deletion of a comment",
        reason: "the newest text is written back as an edit of the restore's date, as the plan declares; all other revisions are compared one by one",
        declared: Declared::Words(COMMENT_EDITS),
        apply: |value, _| keep_revisions(value, |revision| revision["service"] != "edit"),
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Anew,
        what: "when a deleted comment left System.CommentCount",
        reason: "comments are deleted after all revisions are written, so deleted ones are counted on both sides",
        declared: Declared::Nothing,
        apply: |value, _| each_revision(value, count_deleted),
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Anew,
        what: "links to items in the recycle bin",
        reason: "the service does not show them, so no client can read them",
        declared: Declared::Nothing,
        apply: without_hidden,
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Undeleted,
        what: "the revision that coming out of the recycle bin makes",
        reason: "the service adds it, by the identity that restores",
        declared: Declared::Nothing,
        apply: without_undeletion,
    },
    Rule {
        kinds: &["work-item"],
        applies: Applies::Anew,
        what: "numbers of revisions",
        reason: "they follow from the revisions that no rule names, which are compared in their order",
        declared: Declared::Nothing,
        apply: |value, _| {
            drop_members(value, &["rev"]);
            each_revision(value, |revision| drop_members(revision, &["rev"]));
        },
    },
    Rule {
        kinds: &["comment"],
        applies: Applies::Anew,
        what: "versions of a comment between its first date and author and its newest text",
        reason: "the plan declares that they are not written back; that a restore makes one edit and one deletion at most is compared",
        declared: Declared::Words(COMMENT_EDITS),
        apply: first_and_last,
    },
    Rule {
        kinds: &["comment"],
        applies: Applies::Anew,
        what: "reactions",
        reason: "a reaction can only be by whoever is signed in: the plan declares that they are not written back",
        declared: Declared::Words(&["Reactions"]),
        apply: |value, side| {
            if side == Side::Expected {
                value["reactions"] = Value::Array(Vec::new());
            }
        },
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

fn without_pulls(repository: &mut Value, side: Side) {
    if side == Side::Actual {
        return;
    }
    repository["pullObjects"] = serde_json::json!({});
    if let Some(refs) = repository["refs"].as_object_mut() {
        refs.retain(|name, _| !name.starts_with("refs/pull/"));
    }
}

fn without_hidden(item: &mut Value, side: Side) {
    if let Some(relations) = item["relations"].as_array_mut()
        && side == Side::Expected
    {
        relations.retain(|relation| relation["hidden"] != true);
    }
}

/// Counts the comments that were deleted before the revision too.
fn count_deleted(revision: &mut Value) {
    let deleted = revision["deletedComments"].as_u64().unwrap_or(0);
    drop_members(revision, &["deletedComments"]);
    let count = &mut revision["fields"]["System.CommentCount"];
    *count = (count.as_u64().unwrap_or(0) + deleted).into();
}

/// Only the last revision can be it: what the item is now came out of the recycle bin with it.
fn without_undeletion(item: &mut Value, side: Side) {
    let Some(revisions) = item["revisions"].as_array_mut() else {
        return;
    };
    let last = revisions.last();
    if side == Side::Actual && last.is_some_and(|last| last["service"] == "undelete") {
        revisions.pop();
        let rev = revisions.last().map(|last| last["rev"].clone());
        item["rev"] = rev.unwrap_or_default();
    }
}

/// `{"by", "date"}` of the first version, the text of the newest, and how many versions a restore makes of it: the first one, an edit where
/// the newest text or the format is another, and the deletion. Of a deleted comment the service tells no text.
fn first_and_last(comment: &mut Value, side: Side) {
    let deleted = comment["isDeleted"] == true;
    let Some(versions) = comment["versions"].as_array() else {
        return;
    };
    let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
        return;
    };
    let edit = comment["format"] == "markdown" || (!deleted && first["text"] != last["text"]);
    let count = match side {
        Side::Expected => 1 + usize::from(edit) + usize::from(deleted),
        Side::Actual => versions.len(),
    };
    let text = if deleted {
        Value::Null
    } else {
        last["text"].clone()
    };
    let short =
        serde_json::json!({"by": first["by"], "date": first["date"], "text": text, "count": count});
    comment["versions"] = short;
}
