//! Every kind of tampering with a state dump is found, and nothing else.

use serde_json::{Value, json};

use super::rules::Declared;
use super::*;

const PROJECT: &str = "11111111-1111-4111-8111-111111111111";
const TEAM: &str = "22222222-2222-4222-8222-222222222222";
const REPOSITORY: &str = "33333333-3333-4333-8333-333333333333";
const WIKI: &str = "44444444-4444-4444-8444-444444444444";
const FILE: &str = "55555555-5555-4555-8555-555555555555";
const IMAGE: &str = "66666666-6666-4666-8666-666666666666";
const NODE: &str = "77777777-7777-4777-8777-777777777777";
const PERSON: &str = "99999999-9999-4999-8999-999999999999";

fn revision(rev: u32, changed: &str, more: &Value) -> Value {
    let mut fields = json!({
        "System.TeamProject": "Shop", "System.Title": "Broken", "System.CreatedDate": "2026-01-01T00:00:01Z", "System.CreatedBy": "Ann <a@x>",
        "System.ChangedDate": changed, "System.ChangedBy": "Ann <a@x>", "System.CommentCount": 0,
    });
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"rev": rev, "fields": fields, "markdown": []})
}

/// An organization with one of everything: item 7 has a file, an image, an edited comment, links to 8 and to 9, which is in the recycle bin.
fn organization() -> Value {
    let image = format!(
        "<img src=\"http://127.0.0.1:81/contoso/{PROJECT}/_apis/wit/attachments/{IMAGE}?fileName=a.png\"> @{PERSON}"
    );
    let version = |text: &str, by: &str, date: &str| json!({"text": text, "by": by, "date": date, "isDeleted": false});
    let simple = |id: u64, second: u32| {
        let created = format!("2026-01-01T00:00:{second:02}Z");
        json!({
            "id": id, "rev": 1, "project": "Shop", "type": "Task", "title": "Broken", "createdDate": created,
            "revisions": [revision(1, &created, &json!({"System.CreatedDate": created}))], "relations": [{"rel": "System.LinkTypes.Related", "target": 7, "comment": null}], "comments": [],
        })
    };
    json!({
        "organization": {"id": "88888888-8888-4888-8888-888888888888", "name": "contoso"},
        "projects": [{"id": PROJECT, "name": "Shop", "description": "d", "visibility": "private", "process": "Agile", "defaultTeam": TEAM, "properties": {"p": 1}}],
        "teams": [{"id": TEAM, "project": "Shop", "name": "Shop Team", "description": "", "members": [{"uniqueName": "a@x"}]}],
        "areas": [{"project": "Shop", "root": {"id": 1, "identifier": NODE, "name": "Shop", "path": "\\Shop\\Area", "url": format!("/{PROJECT}/_apis/wit/Areas")}}],
        "iterations": [{"project": "Shop", "root": {"id": 2, "identifier": "", "name": "Shop", "path": "\\Shop\\Iteration", "children": [
            {"id": 3, "identifier": "", "name": "S1", "path": "\\Shop\\Iteration\\S1", "attributes": {"startDate": "2026-01-05T00:00:00Z"}},
        ]}}],
        "repositories": [{
            "id": REPOSITORY, "name": "Shop", "projectName": "Shop", "project": PROJECT, "defaultBranch": "refs/heads/main", "isDisabled": false, "isHidden": false, "isDeleted": false,
            "parent": null, "head": "ref: refs/heads/main", "refs": {"refs/heads/main": "aa", "refs/pull/1/merge": "cc"}, "objects": {"aa": null, "bb": null}, "pullObjects": {"cc": null},
            "lfs": [{"oid": "ee", "size": 3, "sha256": "ee"}], "repositoryPath": "/data/1", "lfsPath": "/data/1/lfs",
        }],
        "wikis": [{"id": WIKI, "name": "Docs", "type": "codeWiki", "project": PROJECT, "repository": REPOSITORY, "mappedPath": "/docs", "versions": ["main"], "pages": [{"path": "/A", "blob": "dd"}]}],
        "attachments": [{"id": FILE, "name": "a.txt", "length": 3, "sha256": "f11e"}, {"id": IMAGE, "name": "a.png", "length": 4, "sha256": "1a9e"}],
        "workItems": [
            {
                "id": 7, "rev": 4, "project": "Shop", "type": "Bug", "title": "Broken", "createdBy": "Ann <a@x>", "createdDate": "2026-01-01T00:00:01Z",
                "revisions": [
                    revision(1, "2026-01-01T00:00:01Z", &json!({"System.Description": image})),
                    revision(2, "2026-01-01T00:00:02Z", &json!({"System.Description": image, "System.History": "hello", "System.CommentCount": 1})),
                    revision(3, "2026-01-01T00:00:03Z", &json!({"System.Description": image, "System.CommentCount": 1, "System.ChangedBy": "Bob <b@x>"})),
                    revision(4, "2026-01-01T00:00:04Z", &json!({"System.Description": "short", "System.CommentCount": 1})),
                ],
                "relations": [
                    {"rel": "System.LinkTypes.Related", "target": 8, "comment": "see"},
                    {"rel": "System.LinkTypes.Related", "target": 9, "comment": null},
                    {"rel": "AttachedFile", "attachment": FILE, "length": 3, "sha256": "f11e", "name": "a.txt", "comment": null},
                    {"rel": "ArtifactLink", "url": format!("vstfs:///Git/Commit/{PROJECT}%2F{REPOSITORY}%2Faa"), "name": "Fixed in Commit"},
                ],
                "comments": [{
                    "id": 70, "format": "html", "isDeleted": false, "reactions": [{"by": "Bob", "type": "like"}],
                    "versions": [version("hello", "Ann <a@x>", "2026-01-01T00:00:02Z"), version("hello, you", "Bob <b@x>", "2026-01-01T00:00:03Z")],
                }],
            },
            simple(8, 8),
        ],
        "recycleBin": [simple(9, 9)],
    })
}

/// The same organization elsewhere, with all that cannot be the same.
fn elsewhere() -> Value {
    let mut text = organization().to_string();
    for (at, id) in [PROJECT, TEAM, REPOSITORY, WIKI, FILE, IMAGE, NODE]
        .iter()
        .enumerate()
    {
        text = text.replace(id, &format!("abcdef{at:02}-0000-4000-8000-000000000000"));
    }
    let mut state: Value =
        serde_json::from_str(&text.replace("127.0.0.1:81/contoso/", "127.0.0.1:99/other/"))
            .unwrap();
    state["organization"] = json!({"id": "88888888-8888-4888-8888-888888888889", "name": "other"});
    state["recycleBin"] = json!([]);
    state["projects"][0]["properties"] = json!({});
    state["teams"][0]["members"] = json!([]);
    let repository = &mut state["repositories"][0];
    repository["repositoryPath"] = json!("/data/2");
    repository["lfsPath"] = json!("/data/2/lfs");
    repository["refs"] = json!({"refs/heads/main": "aa"});
    repository["pullObjects"] = json!({});
    let item = &mut state["workItems"][0];
    item["id"] = json!(101);
    item["comments"][0]["id"] = json!(900);
    item["comments"][0]["reactions"] = json!([]);
    item["comments"][0]["versions"][1]["date"] = json!("2026-05-05T00:00:00Z");
    item["comments"][0]["versions"][1]["by"] = json!("Admin <admin@x>");
    // The edit is the last revision there.
    let edit = item["revisions"].as_array_mut().unwrap().remove(2);
    item["revisions"].as_array_mut().unwrap().push(edit);
    item["revisions"][2]["rev"] = json!(3);
    item["revisions"][3]["rev"] = json!(4);
    item["revisions"][3]["fields"]["System.Description"] = json!("short");
    item["revisions"][3]["fields"]["System.ChangedDate"] = json!("2026-05-05T00:00:00Z");
    item["revisions"][3]["fields"]["System.ChangedBy"] = json!("Admin <admin@x>");
    item["relations"].as_array_mut().unwrap().remove(1);
    item["relations"][0]["target"] = json!(102);
    state["workItems"][1]["id"] = json!(102);
    state["workItems"][1]["relations"][0]["target"] = json!(101);
    state
}

fn losses() -> Vec<String> {
    let words = |rule: &Rule| match rule.declared {
        Declared::Nothing => Vec::new(),
        Declared::Words(all) => all.to_vec(),
        Declared::ByKind(all) => all.iter().map(|(_, words)| *words).collect(),
    };
    RULES.iter().flat_map(words).map(str::to_owned).collect()
}

fn anew(actual: &Value, losses: &[String]) -> Outcome {
    let expected = expected::elsewhere(&organization());
    Comparison {
        expected: &expected,
        actual,
        marks: Marks {
            all: true,
            ..Marks::default()
        },
        losses,
    }
    .run()
}

fn strict(expected: &Value, actual: &Value, marks: Marks) -> Vec<Difference> {
    Comparison {
        expected,
        actual,
        marks,
        losses: &losses(),
    }
    .run()
    .differences
}

/// Kind and field of each difference.
fn places(differences: &[Difference]) -> Vec<String> {
    let mut places: Vec<String> = differences
        .iter()
        .map(|difference| {
            format!("{} {}", difference.kind, difference.field)
                .trim_end()
                .to_owned()
        })
        .collect();
    // A list of another length is told entry by entry.
    places.dedup();
    places
}

#[test]
fn the_same_organization_elsewhere_is_equal() {
    let outcome = anew(&elsewhere(), &losses());
    assert_eq!(outcome.differences, []);
    for kind in KINDS {
        assert!(outcome.items[kind] > 0, "{kind}");
    }
    assert_eq!(
        (
            outcome.items["work-item"],
            outcome.items["comment"],
            outcome.items["attachment"],
            outcome.items["iteration"]
        ),
        (2, 1, 2, 2)
    );
}

#[test]
fn what_the_plan_does_not_declare_is_a_difference() {
    let outcome = anew(&elsewhere(), &[]);
    let found = places(&outcome.differences);
    for place in [
        "team members",
        "git-repository refs/refs/pull/1/merge",
        "comment reactions",
        "project properties/p",
    ] {
        assert!(
            found.iter().any(|found| found == place),
            "{place} in {found:?}"
        );
    }
    let declared: Vec<String> = losses()
        .into_iter()
        .filter(|loss| !loss.contains("Members"))
        .collect();
    assert_eq!(
        places(&anew(&elsewhere(), &declared).differences),
        ["team members"]
    );
}

/// Where a difference is to be found, and what is changed for it: a value put at a pointer, or what is there removed.
#[rustfmt::skip]
const TAMPERINGS: &[(&str, &[(&str, &str)])] = &[
    ("project description", &[("projects/0/description", r#""x""#)]),
    ("team description", &[("teams/0/description", r#""x""#)]),
    ("area", &[("areas/0", "")]),
    ("iteration attributes/startDate", &[("iterations/0/root/children/0/attributes/startDate", r#""2026-01-06T00:00:00Z""#)]),
    ("git-repository refs/refs/heads/main", &[("repositories/0/refs/refs~1heads~1main", r#""bb""#)]),
    ("git-repository refs/refs/pull/1/merge", &[("repositories/0/refs/refs~1pull~11~1merge", r#""cc""#)]),
    ("git-repository head", &[("repositories/0/head", r#""ref: refs/heads/dev""#)]),
    ("git-repository objects/bb", &[("repositories/0/objects/bb", "")]),
    ("git-repository parent", &[("repositories/0/parent", r#""11111111-1111-4111-8111-111111111111""#)]),
    ("lfs-object sha256", &[("repositories/0/lfs/0/sha256", r#""e0""#)]),
    ("lfs-object", &[("repositories/0/lfs/0", "")]),
    ("wiki pages/1/blob", &[("wikis/0/pages/0/blob", r#""d0""#)]),
    ("work-item revisions/2/fields/System.ChangedBy", &[("workItems/0/revisions/1/fields/System.ChangedBy", r#""Bob <b@x>""#)]),
    ("work-item revisions/3/fields/System.ChangedDate", &[("workItems/0/revisions/2/fields/System.ChangedDate", r#""2026-01-01T00:00:05Z""#)]),
    ("work-item revisions/3/fields/System.Description", &[
        ("workItems/0/revisions/2/fields/System.Description", r#""y""#),
        ("workItems/0/revisions/3/fields/System.Description", r#""y""#),
    ]),
    ("work-item revisions/3/fields/System.CommentCount", &[
        ("workItems/0/revisions/2/fields/System.CommentCount", "2"),
        ("workItems/0/revisions/3/fields/System.CommentCount", "2"),
    ]),
    ("work-item revisions/3/markdown", &[
        ("workItems/0/revisions/2/markdown", r#"["System.Description"]"#),
        ("workItems/0/revisions/3/markdown", r#"["System.Description"]"#),
    ]),
    ("work-item revisions", &[("workItems/0/revisions/1", "")]),
    ("work-item type", &[("workItems/0/type", r#""Task""#)]),
    ("work-item relations", &[("workItems/0/relations/0", "")]),
    ("work-item relations/1/url", &[("workItems/0/relations/2/url", r#""vstfs:///Git/Commit/x""#)]),
    ("work-item relations/3/comment", &[("workItems/0/relations/0/comment", r#""look""#)]),
    ("work-item relations/1/target", &[("workItems/1/relations/0/target", "102")]),
    ("work-item", &[("workItems/1", "")]),
    ("comment versions/text", &[("workItems/0/comments/0/versions/1/text", r#""hello""#)]),
    ("comment versions/by", &[("workItems/0/comments/0/versions/0/by", r#""Bob <b@x>""#)]),
    ("comment versions/date", &[("workItems/0/comments/0/versions/0/date", r#""2026-01-01T00:00:00Z""#)]),
    ("comment versions/count", &[
        ("workItems/0/comments/0/versions/2", r#"{"text": "hello, you", "by": "Admin <admin@x>", "date": "2026-05-05T00:00:00Z", "isDeleted": false}"#),
    ]),
    ("comment reactions", &[("workItems/0/comments/0/reactions", r#"[{"by": "Admin", "type": "like"}]"#)]),
    ("comment format", &[("workItems/0/comments/0/format", r#""markdown""#)]),
    ("comment", &[("workItems/0/comments/0", "")]),
    ("attachment sha256", &[("attachments/0/sha256", r#""f000""#), ("workItems/0/relations/1/sha256", r#""f000""#)]),
    ("attachment", &[("attachments/1/sha256", r#""1000""#)]),
];

fn tamper(state: &mut Value, pointer: &str, value: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    let value = (!value.is_empty()).then(|| serde_json::from_str(value).unwrap());
    match (state.pointer_mut(&format!("/{parent}")).unwrap(), value) {
        (Value::Object(members), Some(value)) => drop(members.insert(key, value)),
        (Value::Object(members), None) => drop(members.shift_remove(&key).unwrap()),
        (Value::Array(items), Some(value)) => items.insert(key.parse().unwrap(), value),
        (Value::Array(items), None) => drop(items.remove(key.parse().unwrap())),
        (other, _) => panic!("{other} has no {key}"),
    }
}

#[track_caller]
fn is_found(place: &str, state: &Value) {
    let found = places(&anew(state, &losses()).differences);
    let there = found.iter().any(|found| found == place);
    assert!(there, "{place} in {found:?}");
}

#[test]
fn every_tampering_is_found() {
    for (place, changes) in TAMPERINGS {
        let mut state = elsewhere();
        for (pointer, value) in *changes {
            tamper(&mut state, pointer, value);
        }
        is_found(place, &state);
    }
}

#[test]
fn another_name_of_an_image_in_a_text_is_found() {
    let mut state = elsewhere();
    let field = &mut state["workItems"][0]["revisions"][0]["fields"]["System.Description"];
    *field = json!(field.as_str().unwrap().replace("a.png", "b.png"));
    is_found("work-item revisions/1/fields/System.Description", &state);
}

#[test]
fn what_was_in_the_recycle_bin_is_not_to_be_there_elsewhere() {
    let mut state = elsewhere();
    state["recycleBin"] = organization()["recycleBin"].clone();
    is_found("work-item", &state);
}

#[test]
fn in_the_same_place_even_ids_and_members_have_to_be_the_same() {
    assert_eq!(
        strict(&organization(), &organization(), Marks::default()),
        []
    );
    let mut state = organization();
    state["workItems"][0]["id"] = json!(101);
    state["workItems"][1]["relations"][0]["target"] = json!(101);
    state["recycleBin"][0]["relations"][0]["target"] = json!(101);
    state["teams"][0]["members"] = json!([]);
    state["workItems"][0]["comments"][0]["reactions"] = json!([]);
    let found = places(&strict(&organization(), &state, Marks::default()));
    assert_eq!(found, ["comment reactions", "team members", "work-item id"]);
}

/// The organization after item 7 went into the recycle bin, item 8 was destroyed, and the repository too.
fn damaged() -> Value {
    let mut state = organization();
    let items = state["workItems"].as_array_mut().unwrap();
    items.pop();
    let mut binned = items.pop().unwrap();
    binned["relations"].as_array_mut().unwrap().remove(0);
    let mut last = binned["revisions"][3].clone();
    last["rev"] = json!(5);
    binned["rev"] = json!(5);
    last["fields"]["System.IsDeleted"] = json!(true);
    last["fields"]["System.ChangedDate"] = json!("2026-02-01T00:00:00Z");
    binned["revisions"].as_array_mut().unwrap().push(last);
    binned["deletedBy"] = json!("Ann <a@x>");
    state["recycleBin"].as_array_mut().unwrap().push(binned);
    state["repositories"] = json!([]);
    state
}

/// What a right restore makes of that.
fn repaired() -> Value {
    let mut state = damaged();
    let mut seven = state["recycleBin"].as_array_mut().unwrap().pop().unwrap();
    seven.as_object_mut().unwrap().shift_remove("deletedBy");
    let mut undeletion = seven["revisions"][4].clone();
    undeletion["fields"]
        .as_object_mut()
        .unwrap()
        .shift_remove("System.IsDeleted");
    undeletion["fields"]["System.ChangedDate"] = json!("2026-03-01T00:00:00Z");
    undeletion["rev"] = json!(6);
    seven["rev"] = json!(6);
    seven["revisions"].as_array_mut().unwrap().push(undeletion);
    seven["relations"]
        .as_array_mut()
        .unwrap()
        .push(json!({"rel": "System.LinkTypes.Related", "target": 20, "comment": "see"}));
    let mut eight = organization()["workItems"][1].clone();
    eight["id"] = json!(20);
    state["workItems"] = json!([seven, eight]);
    state["repositories"] = serde_json::from_str(
        &organization()["repositories"]
            .to_string()
            .replace(REPOSITORY, "cccccccc-3333-4333-8333-333333333333"),
    )
    .unwrap();
    state["repositories"][0]["refs"] = json!({"refs/heads/main": "aa"});
    state["repositories"][0]["pullObjects"] = json!({});
    let artifact = &mut state["workItems"][0]["relations"][2]["url"];
    *artifact = json!(
        artifact
            .as_str()
            .unwrap()
            .replace(REPOSITORY, "cccccccc-3333-4333-8333-333333333333")
    );
    state["wikis"][0]["repository"] = json!("cccccccc-3333-4333-8333-333333333333");
    state
}

#[test]
fn a_repaired_organization_is_the_changed_one_with_what_was_lost() {
    let (expected, marks) = expected::repaired(&organization(), &damaged());
    assert_eq!(marks.items.iter().copied().collect::<Vec<_>>(), [8]);
    assert_eq!(marks.undeleted.iter().copied().collect::<Vec<_>>(), [7]);
    assert_eq!(marks.repositories.len(), 1);
    assert_eq!(strict(&expected, &repaired(), marks), []);
}

#[test]
fn a_repair_that_lost_or_touched_something_is_found() {
    type Tamper = fn(&mut Value);
    let cases: &[(&str, Tamper)] = &[
        ("work-item", |state| {
            drop(state["workItems"].as_array_mut().unwrap().pop());
        }),
        ("work-item relations", |state| {
            drop(
                state["workItems"][0]["relations"]
                    .as_array_mut()
                    .unwrap()
                    .pop(),
            );
        }),
        ("work-item revisions", |state| {
            drop(
                state["workItems"][0]["revisions"]
                    .as_array_mut()
                    .unwrap()
                    .remove(1),
            );
        }),
        ("work-item revisions/1/fields/System.ChangedBy", |state| {
            state["workItems"][1]["revisions"][0]["fields"]["System.ChangedBy"] =
                json!("Admin <admin@x>");
        }),
        ("work-item", |state| state["recycleBin"] = json!([])),
        ("git-repository", |state| state["repositories"] = json!([])),
        ("team members", |state| {
            state["teams"][0]["members"] = json!([]);
        }),
    ];
    for (place, tamper) in cases {
        let (expected, marks) = expected::repaired(&organization(), &damaged());
        let mut state = repaired();
        tamper(&mut state);
        let found = places(&strict(&expected, &state, marks));
        assert!(
            found.iter().any(|found| found == place),
            "{place} in {found:?}"
        );
    }
}
