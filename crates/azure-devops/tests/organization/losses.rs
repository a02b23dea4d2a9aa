//! What is lost of an item is told from what is stored of it, and nothing is asked for that.

use model::{Action, ItemRef};
use serde_json::{Value, json};

use crate::support::{Journal, Snapshot, client_at, losses};

/// An item with its files, of which documents and lines are JSON.
fn stored(kind: &str, files: &[(&str, String)]) -> (Snapshot, ItemRef) {
    let item = ItemRef::new(kind, "", "7");
    let mut snapshot = Snapshot::default();
    let files = files.iter().cloned();
    let files = files.map(|(name, text)| (name.to_owned(), text.into()));
    snapshot.items.insert(item.clone(), files.collect());
    (snapshot, item)
}

fn lines(records: &[Value]) -> String {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    lines.join("\n")
}

/// Nothing listens there.
async fn told(
    (snapshot, item): &(Snapshot, ItemRef),
    original: bool,
    (action, new_id): (Action, Option<&str>),
) -> Vec<&'static str> {
    let http = client_at("http://127.0.0.1:9", "contoso", "token", 1);
    let mut journal = Journal::default();
    journal.ids.original = original;
    losses(&http, snapshot, &journal, (item, action, new_id)).await
}

/// A work item with two plain comments.
#[derive(Clone)]
struct WorkItem {
    document: Value,
    revisions: Vec<Value>,
    comments: Vec<Value>,
    more: Vec<(&'static str, String)>,
}

impl WorkItem {
    fn plain() -> Self {
        let fields = json!({"System.Id": 7, "System.TeamProject": "P", "System.Title": "t", "Microsoft.VSTS.Common.Priority": 2});
        let comment = |id: u32| json!({"id": id, "version": 1, "text": "said", "format": "html", "reactions": []});
        let revision = |rev: u32| {
            let mut fields = fields.clone();
            fields["System.History"] = json!("said");
            json!({"id": 7, "rev": rev, "fields": fields})
        };
        Self {
            document: json!({"id": 7, "rev": 2, "fields": fields, "relations": []}),
            revisions: vec![revision(1), revision(2)],
            comments: vec![comment(1), comment(2)],
            more: Vec::new(),
        }
    }

    fn related(rel: &str, url: &str) -> Self {
        let mut item = Self::plain();
        item.document["relations"] = json!([{"rel": rel, "url": url, "attributes": {}}]);
        item
    }

    fn stored(&self) -> (Snapshot, ItemRef) {
        let mut files = vec![
            ("work-item.json", self.document.to_string()),
            ("revisions.ndjson", lines(&self.revisions)),
            ("comments.ndjson", lines(&self.comments)),
        ];
        files.extend(self.more.clone());
        stored("work-item", &files)
    }
}

const ANEW: (Action, Option<&str>) = (Action::Create, None);
/// What every work item that is made again has.
const COMMON: [&str; 3] = [
    "A work item that is created again gets another number",
    "People whom the target does not know",
    "Links that were added and removed again",
];

#[track_caller]
fn assert_told(told: &[&str], expected: &[&str], of: &str) {
    let is = |loss: &&str| expected.iter().any(|words| loss.starts_with(words));
    assert!(
        told.len() == expected.len() && told.iter().all(is),
        "{of}: {told:#?}"
    );
}

#[tokio::test]
async fn a_work_item_with_plain_comments_loses_what_every_one_does_and_no_more() {
    for original in [true, false] {
        let told = told(&WorkItem::plain().stored(), original, ANEW).await;
        assert_told(&told, &COMMON, "plain");
    }
}

#[tokio::test]
async fn a_work_item_loses_what_its_records_have() {
    const FILE: &str = "6f2c1b7e-4d1b-4b0e-9b43-0a5f3b8f2c11";
    let with_comment = |member: &str, value: Value| {
        let mut item = WorkItem::plain();
        item.comments[1][member] = value;
        item
    };
    let with_field = |name: &str| {
        let mut item = WorkItem::plain();
        item.revisions[0]["fields"][name] = json!("x");
        item
    };
    let mut late = WorkItem::plain();
    late.comments.push(late.comments[0].clone());
    let mut gap = WorkItem::plain();
    gap.revisions.remove(0);
    gap.comments.remove(0);
    let mut lost_file = WorkItem::plain();
    lost_file.document["fields"]["System.Description"] = json!(format!(
        "<img src='https://dev.azure.com/c/_apis/wit/attachments/{FILE}'>"
    ));
    let mut file = lost_file.clone();
    let part: &'static str = Box::leak(format!("attachments/{FILE}").into_boxed_str());
    file.more.push((part, "content".to_owned()));
    let mut shared = lost_file.clone();
    let place = json!({ FILE: 3 }).to_string();
    shared.more.push(("shared-attachments.json", place));
    let new_file = "An attachment gets another id";
    let cases: Vec<(&str, WorkItem, Vec<&str>)> = vec![
        (
            "edited",
            with_comment("version", json!(2)),
            vec!["Earlier versions"],
        ),
        (
            "deleted",
            with_comment("isDeleted", json!(true)),
            vec!["Earlier versions"],
        ),
        (
            "markdown",
            with_comment("format", json!("markdown")),
            vec!["A Markdown comment"],
        ),
        (
            "reactions",
            with_comment("reactions", json!([{"type": "like"}])),
            vec!["Reactions"],
        ),
        ("late", late, vec!["Comments that belong to no revision"]),
        (
            "board",
            with_field("System.BoardColumn"),
            vec!["The place on boards"],
        ),
        (
            "column",
            with_field("WEF_1_Kanban.Column"),
            vec!["The place on boards"],
        ),
        (
            "own field",
            with_field("Custom.Color"),
            vec!["Fields that do not come"],
        ),
        ("gap", gap, vec!["Revisions that are not stored"]),
        ("file", file, vec![new_file]),
        ("shared", shared, vec![new_file]),
        (
            "lost file",
            lost_file,
            vec![new_file, "Of an attachment that is not"],
        ),
    ];
    for (name, item, expected) in cases {
        let told = told(&item.stored(), false, ANEW).await;
        assert_told(&told, &[&COMMON[..], &expected].concat(), name);
    }
    // The organization that it came from has its fields.
    let told = told(&with_field("Custom.Color").stored(), true, ANEW).await;
    assert_told(&told, &COMMON, "own field");
}

#[tokio::test]
async fn links_are_lost_where_what_they_lead_to_is_not() {
    const NOT_RESTORED: &str = "Links to builds and pull requests";
    const ABSENT: &str = "Links to work items, commits, branches and wiki pages";
    const ELSEWHERE: &str = "Links to work items of other organizations";
    let artifact = |url: &str| WorkItem::related("ArtifactLink", url);
    let cases = [
        (artifact("vstfs:///Build/Build/4"), None, Some(NOT_RESTORED)),
        (
            artifact("vstfs:///Git/PullRequestId/p%2Fr%2F4"),
            None,
            Some(NOT_RESTORED),
        ),
        (
            artifact("vstfs:///Git/Commit/p%2Fr%2Fabc"),
            None,
            Some(ABSENT),
        ),
        (
            WorkItem::related(
                "System.LinkTypes.Related",
                "https://dev.azure.com/c/_apis/wit/workItems/8",
            ),
            None,
            Some(ABSENT),
        ),
        (
            WorkItem::related(
                "System.LinkTypes.Remote.Related",
                "https://dev.azure.com/o/_apis/wit/workItems/8",
            ),
            Some(ELSEWHERE),
            Some(ELSEWHERE),
        ),
        (
            WorkItem::related("Hyperlink", "https://example.com/"),
            None,
            None,
        ),
    ];
    for (item, at_origin, in_another) in cases {
        for (original, lost) in [(true, at_origin), (false, in_another)] {
            let told = told(&item.stored(), original, ANEW).await;
            let expected: Vec<&str> = COMMON.into_iter().chain(lost).collect();
            assert_told(&told, &expected, &item.document.to_string());
        }
    }
}

#[tokio::test]
async fn a_duplicate_leaves_the_children_that_stay_with_the_item_that_is_there() {
    const BELOW: &str = "A work item has one parent";
    let (child, parent) = ("Hierarchy-Forward", "Hierarchy-Reverse");
    let duplicate = "Duplicate-Forward";
    let cases: [(&str, &[&'static str], bool); 6] = [
        (child, &["7"], true),
        (duplicate, &["7"], true),
        (child, &["7", "8"], false),
        (child, &[], false),
        (parent, &["7"], false),
        ("Related", &["7"], false),
    ];
    for (link, doubled, lost) in cases {
        let link = format!("System.LinkTypes.{link}");
        let url = "https://dev.azure.com/c/_apis/wit/workItems/8";
        let (snapshot, item) = WorkItem::related(&link, url).stored();
        let http = client_at("http://127.0.0.1:9", "contoso", "token", 1);
        let mut journal = Journal::at_origin();
        journal.ids.doubled = doubled.iter().map(|id| ("work-item", *id)).collect();
        let told = losses(&http, &snapshot, &journal, (&item, ANEW.0, ANEW.1)).await;
        let expected: Vec<&str> = COMMON.into_iter().chain(lost.then_some(BELOW)).collect();
        assert_told(&told, &expected, &format!("{link} {doubled:?}"));
    }
}

#[tokio::test]
async fn into_a_work_item_that_stands_there_neither_history_nor_comments_are_written() {
    let mut item = WorkItem::plain();
    item.comments[1]["format"] = json!("markdown");
    let over = (Action::Replace, Some("7"));
    let told = told(&item.stored(), true, over).await;
    let expected = [
        "People whom the target does not know",
        "Into a work item that stands at the target",
        "Comments are not written into a work item",
    ];
    assert_told(&told, &expected, "replaced");
}

#[tokio::test]
async fn a_team_loses_members_only_if_somebody_is_in_it() {
    let id = "A team that is created again gets another id";
    let members = "Members and administrators of a team";
    let team = json!({"id": "7", "name": "t", "projectId": "p"}).to_string();
    let nobody = json!({"count": 0, "value": []}).to_string();
    let somebody = json!({"count": 1, "value": [{"identity": {}}]}).to_string();
    for (file, expected) in [
        (Some(nobody), vec![id]),
        (Some(somebody), vec![id, members]),
        (None, vec![id, members]),
    ] {
        let mut files = vec![("team.json", team.clone())];
        files.extend(file.map(|text| ("members.json", text)));
        let told = told(&stored("team", &files), true, ANEW).await;
        assert_told(&told, &expected, "team");
    }
}

#[tokio::test]
async fn a_repository_loses_what_no_push_brings_back() {
    let mut document = json!({"id": "7", "name": "r", "project": {"id": "p", "name": "P"}});
    let sha = "1".repeat(40);
    let refs = |more: &str| format!("{sha} refs/heads/main\n{more}");
    let with = |document: &Value, refs: String| {
        let head = "ref: refs/heads/main\n".to_owned();
        let files = [
            ("repository.json", document.to_string()),
            ("packed-refs", refs),
            ("HEAD", head),
        ];
        stored("git-repository", &files)
    };
    let always = ["A repository that is created", "Branch policies"];
    let plain = told(&with(&document, refs("")), false, ANEW).await;
    assert_told(&plain, &always, "plain");
    let pulled = with(&document, refs(&format!("{sha} refs/pull/1/merge\n")));
    let pulls = "Pull requests and their refs";
    let expected = [&always[..], &[pulls]].concat();
    assert_told(
        &told(&pulled, false, ANEW).await,
        &expected,
        "pull requests",
    );
    let over = (Action::Replace, Some("7"));
    assert_told(&told(&pulled, true, over).await, &[pulls], "replaced");
    document["isFork"] = json!(true);
    let fork = told(&with(&document, refs("")), false, ANEW).await;
    let expected = [&always[..], &["That a repository is a fork"]].concat();
    assert_told(&fork, &expected, "fork");
    let unread = stored(
        "git-repository",
        &[("repository.json", document.to_string())],
    );
    let expected = [&expected[..], &["Content that could not be read"]].concat();
    assert_told(&told(&unread, false, ANEW).await, &expected, "not read");
}

#[tokio::test]
async fn a_project_needs_a_process_of_its_own_only_if_it_has_one() {
    let id = "A project that is created again gets another id";
    let settings = "Avatar, permissions";
    let process = "The process is found by its name";
    for (name, expected) in [
        ("Agile", vec![id, settings]),
        ("Agile of ours", vec![id, process, settings]),
    ] {
        let document = json!({"id": "7", "name": "P", "capabilities": {"processTemplate": {"templateName": name}}});
        let project = stored("project", &[("project.json", document.to_string())]);
        assert_told(&told(&project, true, ANEW).await, &expected, name);
    }
}
