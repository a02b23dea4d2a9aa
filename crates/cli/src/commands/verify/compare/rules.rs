//! All that the comparison of two snapshots leaves out, and why. Everything that no rule names has to be equal.
//!
//! Before the rules, what has an id gets its natural name (`side.rs`): a project its name, a node its path, a file the SHA-256 of its bytes, a
//! work item its number in the snapshot. A rule that excuses a loss holds only when the restore plan declared it.

use serde_json::Value;

use crate::commands::demo::compare::{Applies, Declared, NEW_IDS, Rule, Side};

const COMMENT_EDITS: Declared = Declared::Words(&[
    "Earlier versions of an edited comment are not written back",
    "made Markdown by an edit of the restoring identity",
]);
const REPLAYED: Declared = Declared::Words(&[
    "Earlier versions of an edited comment are not written back",
    "made Markdown by an edit of the restoring identity",
    "Links that were added and removed again are not replayed",
]);
const NODES: &[&str] = &["area", "iteration"];
const CODE: &[&str] = &["git-repository"];
const ITEMS: &[&str] = &["work-item"];

const fn rule(
    kinds: &'static [&'static str],
    what: &'static str,
    reason: &'static str,
    declared: Declared,
    apply: fn(&mut Value, Side),
) -> Rule {
    Rule {
        kinds,
        applies: Applies::Anew,
        what,
        reason,
        declared,
        apply,
    }
}

pub(super) static RULES: &[Rule] = &[
    rule(
        &["project", "git-repository"],
        "revision and date of the last change of a project",
        "they are those of the restore",
        Declared::ByKind(&[
            (
                "project",
                "A project that is created again gets another id and the date of the restore",
            ),
            (
                "git-repository",
                "A repository that is created again gets another id",
            ),
        ]),
        |value, _| {
            for project in ["document", "document/project"] {
                drop_all(value, project, &["revision", "lastUpdateTime"]);
            }
        },
    ),
    rule(
        &["team"],
        "members of teams",
        "they are access rights: the plan declares that they are not written back",
        Declared::Words(&["Members and administrators of a team are not written back"]),
        |value, _| drop_all(value, "parts", &["members.json"]),
    ),
    rule(
        &["team"],
        "the descriptor and the scope of a team's identity",
        "they are other forms of the ids of team, project and organization",
        Declared::ByKind(NEW_IDS),
        |value, _| {
            drop_all(
                value,
                "document/identity",
                &["descriptor", "subjectDescriptor"],
            );
            drop_all(
                value,
                "document/identity/properties",
                &["ScopeId", "SecuringHostId"],
            );
        },
    ),
    rule(
        NODES,
        "the number of a node",
        "the service gives its own to what is created; path and name are compared",
        Declared::ByKind(NEW_IDS),
        |value, _| drop_all(value, "document", &["id"]),
    ),
    rule(
        CODE,
        "the size of a repository",
        "the service measures its own packs; refs are compared, and every object is proved to be there",
        Declared::Nothing,
        |value, _| drop_all(value, "document", &["size"]),
    ),
    rule(
        CODE,
        "when the stored packs were looked after",
        "it is a note of the backup",
        Declared::Nothing,
        |value, _| drop_all(value, "parts", &["upkeep.json"]),
    ),
    rule(
        CODE,
        "refs/pull/*",
        "the service makes them for pull requests and refuses them in a push",
        Declared::Words(&["refs/pull"]),
        |value, _| {
            let refs = value.pointer_mut("/parts/packed-refs");
            if let Some(refs) = refs.and_then(Value::as_object_mut) {
                refs.retain(|name, _| !name.starts_with("refs/pull/"));
            }
        },
    ),
    rule(
        CODE,
        "that a repository is a fork",
        "the plan declares that it is not written back",
        Declared::Words(&["is a fork of another"]),
        |value, _| drop_all(value, "document", &["isFork", "parentRepository"]),
    ),
    rule(
        ITEMS,
        "numbers that the service gives: of items, nodes, links, revisions and comments",
        "what they number is compared: revisions and comments in their order, nodes by their paths, links by their ends",
        Declared::ByKind(NEW_IDS),
        |value, _| {
            drop_all(
                value,
                "document",
                &["id", "rev", "url", "commentVersionRef"],
            );
            drop_all(value, "document/relations/*/attributes", &["id"]);
            drop_all(
                value,
                "parts/revisions.ndjson/*",
                &["id", "rev", "url", "commentVersionRef"],
            );
            drop_all(
                value,
                "parts/comments.ndjson/*",
                &["id", "url", "workItemId"],
            );
            for fields in ["document/fields", REVISED] {
                drop_all(
                    value,
                    fields,
                    &[
                        "System.Id",
                        "System.Rev",
                        "System.AreaId",
                        "System.IterationId",
                        "System.Watermark",
                    ],
                );
            }
            drop_all(
                value,
                "parts/revisions.ndjson/*/fields/System.Tags/*",
                &["id", "lastUpdated", "url"],
            );
        },
    ),
    rule(
        ITEMS,
        "who and when wrote a revision on behalf of its author",
        "it is the restoring identity; author and date of each revision are compared",
        Declared::Nothing,
        |value, _| {
            for fields in ["document/fields", REVISED] {
                drop_all(
                    value,
                    fields,
                    &[
                        "System.AuthorizedAs",
                        "System.AuthorizedDate",
                        "System.PersonId",
                    ],
                );
            }
        },
    ),
    rule(
        ITEMS,
        "what is known of a person beyond name and address",
        "ids and pictures are those of the directory; people whom it does not know stay as text, which the plan tells of the items that name them",
        Declared::Nothing,
        |value, _| people(value),
    ),
    rule(
        ITEMS,
        "when a file was uploaded",
        "it is uploaded again; its bytes, name and size are compared",
        Declared::Words(&["An attachment gets another id"]),
        |value, _| {
            drop_all(
                value,
                "document/relations/*/attributes",
                &["resourceCreatedDate", "resourceModifiedDate"],
            );
        },
    ),
    rule(
        ITEMS,
        "which of several items a shared file lies with",
        "it is the first that names it; every text and link that names the file is compared with the SHA-256 of its bytes",
        Declared::Nothing,
        |value, _| drop_all(value, "parts", &["shared-attachments.json"]),
    ),
    rule(
        ITEMS,
        "how many links and files an item had at each revision",
        "they are written once, as they were last; those and their number are compared",
        Declared::Words(&["Links that were added and removed again are not replayed"]),
        |value, _| drop_all(value, REVISED, LINK_COUNTS),
    ),
    rule(
        ITEMS,
        "revisions that change nothing but a comment, links or files, and versions of a comment between its first date and author and its newest text",
        "comments, links and files are compared as they were last; the newest text of a comment is written back as an edit with the restore's date, as the plan declares",
        REPLAYED,
        |value, _| comment_edits(value),
    ),
    rule(
        ITEMS,
        "the text of a deleted comment",
        "it is written with its first text and deleted again: nobody can see it",
        COMMENT_EDITS,
        |value, _| {
            each(value, "parts/comments.ndjson/*", &mut |comment| {
                if comment["isDeleted"] == true {
                    drop_all(comment, "", &["text", "renderedText"]);
                }
            });
        },
    ),
    rule(
        ITEMS,
        "the number of the parent",
        "it follows from the links, which are compared",
        Declared::Nothing,
        |value, _| {
            for fields in ["document/fields", REVISED] {
                drop_all(value, fields, &["System.Parent"]);
            }
        },
    ),
    rule(
        ITEMS,
        "discussions of which every comment is deleted",
        "the service does not count them, so a first backup does not ask for them; they were read back after the restore",
        Declared::Nothing,
        |value, _| {
            let comments = value
                .pointer("/parts/comments.ndjson")
                .and_then(Value::as_array);
            if comments.is_some_and(|all| all.iter().all(|comment| comment["isDeleted"] == true)) {
                drop_all(value, "parts", &["comments.ndjson"]);
            }
        },
    ),
    rule(
        ITEMS,
        "reactions to comments",
        "a reaction can only be by whoever is signed in: the plan declares that they are not written back",
        Declared::Words(&["Reactions"]),
        |value, _| drop_all(value, "parts/comments.ndjson/*", &["reactions"]),
    ),
    rule(
        ITEMS,
        "links to builds and pull requests",
        "what they lead to is not restored: the plan declares that they are left out",
        Declared::Words(&["Links to builds and pull requests"]),
        |value, _| {
            keep(value, "/document/relations", |link| {
                let url = link["url"].as_str().unwrap_or_default();
                ![
                    "vstfs:///Build/",
                    "vstfs:///Git/PullRequestId/",
                    "vstfs:///ReleaseManagement/",
                    "vstfs:///TestManagement/",
                ]
                .iter()
                .any(|left_out| url.starts_with(left_out))
            });
        },
    ),
    rule(
        ITEMS,
        "the place on boards",
        "the plan declares that column and lane are not written back",
        Declared::Words(&["The place on boards"]),
        |value, _| {
            for fields in ["document/fields", REVISED] {
                each(value, fields, &mut |fields| {
                    if let Some(fields) = fields.as_object_mut() {
                        fields.retain(|name, _| {
                            !name.starts_with("System.Board") && !name.starts_with("WEF_")
                        });
                    }
                });
            }
        },
    ),
];

const LINK_COUNTS: &[&str] = &[
    "System.AttachedFileCount",
    "System.RelatedLinkCount",
    "System.ExternalLinkCount",
    "System.HyperLinkCount",
    "System.RemoteLinkCount",
];
const REVISED: &str = "parts/revisions.ndjson/*/fields";

/// Calls `change` with each value at a path, in which `*` is every entry of a list.
fn each(value: &mut Value, path: &str, change: &mut dyn FnMut(&mut Value)) {
    let Some((first, rest)) = path
        .split_once('/')
        .or((!path.is_empty()).then_some((path, "")))
    else {
        return change(value);
    };
    if first == "*" {
        for entry in value.as_array_mut().into_iter().flatten() {
            each(entry, rest, change);
        }
    } else if let Some(member) = value.get_mut(first) {
        each(member, rest, change);
    }
}

fn drop_all(value: &mut Value, path: &str, names: &[&str]) {
    each(value, path, &mut |value| {
        if let Some(members) = value.as_object_mut() {
            members.retain(|name, _| !names.contains(&name.as_str()));
        }
    });
}

fn keep(value: &mut Value, list: &str, keep: impl Fn(&Value) -> bool) {
    let entries = value.pointer_mut(list).and_then(Value::as_array_mut);
    if let Some(entries) = entries {
        entries.retain(keep);
    }
}

/// `Name <address>` in place of every identity.
fn people(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            if let (Some(name), Some(address)) = (text("displayName"), text("uniqueName")) {
                *value = format!("{name} <{address}>").into();
            } else {
                members.values_mut().for_each(people);
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(people),
        _ => {}
    }
}

/// What is left: revisions that change the item, and of each comment its author, first date, newest text and whether it is deleted.
fn comment_edits(value: &mut Value) {
    let revisions = value.pointer_mut("/parts/revisions.ndjson");
    if let Some(revisions) = revisions.and_then(Value::as_array_mut) {
        let mut before = Value::Null;
        revisions.retain(|revision| {
            let now = without_stamps(&revision["fields"]);
            let silent = now == before && revision["fields"].get("System.History").is_none();
            before = now;
            !silent
        });
        for revision in revisions {
            drop_all(
                revision,
                "fields",
                &["System.CommentCount", "System.RevisedDate"],
            );
        }
    }
    drop_all(
        value,
        "document/fields",
        &[
            "System.ChangedBy",
            "System.ChangedDate",
            "System.RevisedDate",
            "System.History",
        ],
    );
    drop_all(value, "parts", &["comment-versions.ndjson"]);
    drop_all(
        value,
        "parts/comments.ndjson/*",
        &["version", "modifiedBy", "modifiedDate"],
    );
}

/// The fields of a revision that people change.
fn without_stamps(fields: &Value) -> Value {
    let mut fields = fields.clone();
    drop_all(
        &mut fields,
        "",
        &[
            "System.ChangedBy",
            "System.ChangedDate",
            "System.CommentCount",
            "System.History",
            "System.RevisedDate",
        ],
    );
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_lists() {
        let mut value = json!({"a": [{"b": {"x": 1, "y": 2}}, {"c": 3}], "x": 4});
        drop_all(&mut value, "a/*/b", &["x"]);
        assert_eq!(value, json!({"a": [{"b": {"y": 2}}, {"c": 3}], "x": 4}));
        drop_all(&mut value, "", &["x"]);
        assert_eq!(value, json!({"a": [{"b": {"y": 2}}, {"c": 3}]}));
    }

    #[test]
    fn a_revision_that_changes_something_is_never_left_out() {
        let revision = |title: &str, count: u32, history: Option<&str>| {
            let mut fields = json!({"System.Title": title, "System.CommentCount": count, "System.ChangedDate": count});
            if let Some(history) = history {
                fields["System.History"] = history.into();
            }
            json!({ "fields": fields })
        };
        let revisions = [
            revision("a", 0, None),
            revision("a", 1, Some("said")),
            revision("a", 1, None),
            revision("b", 1, None),
        ];
        let mut value = json!({"document": {}, "parts": {"revisions.ndjson": revisions}});
        comment_edits(&mut value);
        let left: Vec<&str> = value["parts"]["revisions.ndjson"]
            .as_array()
            .unwrap()
            .iter()
            .map(|revision| revision["fields"]["System.Title"].as_str().unwrap())
            .collect();
        assert_eq!(left, ["a", "a", "b"]);
    }

    #[test]
    fn people_are_their_names() {
        let mut value = json!({"by": {"displayName": "A", "uniqueName": "a@b", "id": 1}, "list": [{"displayName": "B"}]});
        people(&mut value);
        assert_eq!(
            value,
            json!({"by": "A <a@b>", "list": [{"displayName": "B"}]})
        );
    }
}
