//! Rights that are lost and given: what cannot be seen is not taken for deleted, and what can be seen later still comes.

use std::collections::BTreeSet;

use model::ItemRef;
use serde_json::{Value, json};
use service::http::Method;
use service::{Client, Order};
use simulator::Seed;

use crate::script::Script;
use crate::support::{
    Journal, Snapshot, all_kinds, backed_up, backup, backup_ordered, client_at, codes, delete,
    edit, get, heal, owner, patch, post, restore, start,
};

const GIT: &str = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87";
const IDENTITY: &str = "5a27515b-ccd7-42c9-84f1-54c998f03866";
const CSS: &str = "83e28ad4-2d72-4ceb-97b0-c7726d5502c3";

async fn deny(http: &Client, namespace: &str, token: &str) {
    let denial = json!({ "deny": { "namespace": namespace, "token": token } });
    post(http, "/__access", &denial).await;
}

async fn allow(http: &Client) {
    post(http, "/__access", &json!({ "denials": false })).await;
}

fn document(snapshot: &Snapshot, item: &ItemRef, part: &str) -> Value {
    serde_json::from_str(&snapshot.part_text(item, part)).unwrap()
}

/// A repository that is no wiki's, and the token of its rights.
fn some_repository(snapshot: &Snapshot) -> (ItemRef, String) {
    let wikis = snapshot.of_kind("wiki");
    let of_wiki: Vec<Value> = wikis
        .iter()
        .map(|wiki| document(snapshot, wiki, "wiki.json")["repositoryId"].clone())
        .collect();
    let mut all = snapshot.of_kind("git-repository").into_iter();
    let item = all.find(|item| !of_wiki.contains(&json!(item.id))).unwrap();
    let project = document(snapshot, item, "repository.json")["project"]["id"].clone();
    let token = format!("repoV2/{}/{}", project.as_str().unwrap(), item.id);
    (item.clone(), token)
}

async fn full(http: &Client, prior: &Snapshot, accepted: &[&str]) -> Snapshot {
    let accepted: BTreeSet<String> = accepted.iter().map(|kind| (*kind).to_owned()).collect();
    let order = Order {
        full: true,
        accepted: &accepted,
        ..Order::usual(jiff::Timestamp::UNIX_EPOCH)
    };
    backup_ordered(http, prior, &all_kinds(), order).await
}

#[tokio::test]
async fn a_repository_that_one_may_no_longer_read_stays() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let (item, token) = some_repository(&first);
    deny(&http, GIT, &token).await;
    let second = backup(&http, &first, &all_kinds()).await;
    assert_eq!(second.items.get(&item), first.items.get(&item));
    assert_eq!(codes(&second.issues), ["implausible-drop git-repository"]);
    // Named in each run, until it is seen again.
    let third = backup(&http, &second, &all_kinds()).await;
    assert_eq!(codes(&third.issues), ["implausible-drop git-repository"]);
    allow(&http).await;
    let fourth = backup(&http, &third, &all_kinds()).await;
    assert_eq!(codes(&fourth.issues), Vec::<String>::new());
    simulator.stop().await;
}

#[tokio::test]
async fn a_wiki_and_a_team_that_one_may_no_longer_see_stay() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let wiki = first.of_kind("wiki")[0].clone();
    let told = document(&first, &wiki, "wiki.json");
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let token = format!("repoV2/{}/{}", text("projectId"), text("repositoryId"));
    deny(&http, GIT, &token).await;
    let team = first.of_kind("team")[0].clone();
    deny(&http, IDENTITY, &format!("{}\\{}", team.scope, team.id)).await;
    let second = backup(&http, &first, &all_kinds()).await;
    for item in [&wiki, &team] {
        assert_eq!(second.items.get(item), first.items.get(item), "{item}");
    }
    let found: BTreeSet<String> = codes(&second.issues).into_iter().collect();
    let kinds = ["git-repository", "team", "wiki"];
    assert_eq!(
        found,
        kinds
            .map(|kind| format!("implausible-drop {kind}"))
            .into_iter()
            .collect()
    );
    simulator.stop().await;
}

#[tokio::test]
async fn what_was_deleted_goes_and_costs_requests_only_then() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let (item, token) = some_repository(&first);
    let project = token.split('/').nth(1).unwrap();
    delete(&http, &format!("/_apis/git/repositories/{}", item.id)).await;
    let binned = backup(&http, &first, &all_kinds()).await;
    assert_eq!(codes(&binned.issues), Vec::<String>::new());
    assert!(!binned.items.contains_key(&item), "it lies in the bin");
    // Out of the bin there is no trace of it: it may be read, and is not there.
    let path = format!("/{project}/_apis/git/recycleBin/repositories/{}", item.id);
    delete(&http, &path).await;
    let gone = backup(&http, &first, &all_kinds()).await;
    assert_eq!(codes(&gone.issues), Vec::<String>::new());
    assert!(!gone.items.contains_key(&item), "it was destroyed");
    let quiet = owner(&simulator);
    let last = backup(&quiet, &gone, &all_kinds()).await;
    let lists = 1 + last.of_kind("git-repository").len() as u64;
    assert_eq!(quiet.usage().by_kind["git-repository"].0, lists);
    simulator.stop().await;
}

#[tokio::test]
async fn what_lies_in_a_deleted_project_goes_with_it() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let teams = first.of_kind("team");
    let project = teams[0].scope.clone();
    delete(&http, &format!("/_apis/projects/{project}")).await;
    let kinds: BTreeSet<String> = ["project", "team", "git-repository", "wiki"]
        .map(str::to_owned)
        .into();
    let second = backup(&http, &first, &kinds).await;
    assert_eq!(codes(&second.issues), Vec::<String>::new());
    assert!(
        second
            .of_kind("team")
            .iter()
            .all(|team| team.scope != project)
    );
    assert!(second.of_kind("git-repository").len() < first.of_kind("git-repository").len());
    simulator.stop().await;
}

#[tokio::test]
async fn what_lies_in_a_project_goes_when_a_person_says_that_the_project_is_deleted() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let project = first.of_kind("team")[0].scope.clone();
    // Nothing tells a project that is hidden from one that was purged.
    let token = format!("$PROJECT:vstfs:///Classification/TeamProject/{project}");
    deny(&http, "52d39943-cb85-4d7f-8fa8-c6baac873819", &token).await;
    let kinds = ["project", "team", "git-repository", "wiki"];
    let kinds: BTreeSet<String> = kinds.map(str::to_owned).into();
    let kept = backup(&http, &first, &kinds).await;
    let inside = |snapshot: &Snapshot| -> Vec<ItemRef> {
        let of_project = |item: &&ItemRef| match item.kind.as_str() {
            "team" => item.scope == project,
            "git-repository" => {
                document(snapshot, item, "repository.json")["project"]["id"] == json!(project)
            }
            "wiki" => document(snapshot, item, "wiki.json")["projectId"] == json!(project),
            _ => false,
        };
        snapshot.items.keys().filter(of_project).cloned().collect()
    };
    assert_eq!(inside(&kept), inside(&first), "it may only be hidden");
    let accepted = BTreeSet::from(["project".to_owned()]);
    let order = Order {
        accepted: &accepted,
        ..Order::usual(jiff::Timestamp::UNIX_EPOCH)
    };
    let gone = backup_ordered(&http, &first, &kinds, order).await;
    assert_eq!(inside(&gone), Vec::<ItemRef>::new());
    simulator.stop().await;
}

/// The token of the root area of a project that has work items, and these.
fn some_area(snapshot: &Snapshot) -> (String, Vec<ItemRef>) {
    let items = snapshot.of_kind("work-item");
    let name = |item: &ItemRef| {
        document(snapshot, item, "work-item.json")["fields"]["System.TeamProject"].clone()
    };
    let project = name(items[0]);
    let inside = items.into_iter().filter(|item| name(item) == project);
    let areas = snapshot.of_kind("area").into_iter();
    let mut nodes = areas.map(|area| document(snapshot, area, "area.json"));
    let root = nodes
        .find(|node| {
            node["name"] == project
                && node["path"]
                    .as_str()
                    .is_some_and(|path| path.matches('\\').count() == 2)
        })
        .unwrap();
    let token = format!(
        "vstfs:///Classification/Node/{}",
        root["identifier"].as_str().unwrap()
    );
    (token, inside.cloned().collect())
}

#[tokio::test]
async fn work_items_that_one_may_no_longer_read_stay_also_when_everything_is_read() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let (token, hidden) = some_area(&first);
    deny(&http, CSS, &token).await;
    let second = full(&http, &first, &[]).await;
    for item in &hidden {
        assert_eq!(second.items.get(item), first.items.get(item), "{item}");
    }
    let expected = vec!["implausible-drop work-item".to_owned(); hidden.len()];
    assert_eq!(codes(&second.issues), expected);
    let confirmed = full(&http, &second, &["work-item"]).await;
    assert!(
        hidden
            .iter()
            .all(|item| !confirmed.items.contains_key(item))
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_work_item_that_may_only_be_hidden_is_not_made_again() {
    let (simulator, http, snapshot) = backed_up(Seed::Small).await;
    let (token, inside) = some_area(&snapshot);
    let journal = Journal::at_origin();
    deny(&http, CSS, &token).await;
    let refused = restore(&http, &snapshot, &journal, &inside).await;
    assert_eq!(refused.unwrap_err().code, "permission-missing");
    allow(&http).await;
    let destroyed = format!("/_apis/wit/workitems/{}?destroy=true", inside[0].id);
    delete(&http, &destroyed).await;
    let report = restore(&http, &snapshot, &journal, &inside).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_ne!(journal.new_id(&inside[0]), inside[0].id);
    simulator.stop().await;
}

#[tokio::test]
async fn a_work_item_of_which_nothing_tells_the_area_is_not_made_again() {
    let (simulator, http, mut snapshot) = backed_up(Seed::Small).await;
    let (token, inside) = some_area(&snapshot);
    let mut told = document(&snapshot, &inside[0], "work-item.json");
    told["fields"]["System.AreaPath"] = json!("renamed since");
    let parts = snapshot.items.get_mut(&inside[0]).unwrap();
    parts.insert("work-item.json".to_owned(), told.to_string().into());
    deny(&http, CSS, &token).await;
    let refused = restore(&http, &snapshot, &Journal::at_origin(), &inside[..1]).await;
    assert_eq!(refused.unwrap_err().code, "permission-missing");
    let parts = snapshot.items.get_mut(&inside[0]).unwrap();
    parts.remove("revisions.ndjson").unwrap();
    let refused = restore(&http, &snapshot, &Journal::at_origin(), &inside[..1]).await;
    assert_eq!(refused.unwrap_err().code, "repository-damaged");
    simulator.stop().await;
}

#[tokio::test]
async fn a_project_that_can_be_seen_later_comes_with_all_its_work_items() {
    let (simulator, http, all) = backed_up(Seed::Small).await;
    let project = document(&all, all.of_kind("project")[0], "project.json")["name"].clone();
    let hide = json!({ "fault": "hide-project", "project": project });
    post(&http, "/__faults", &hide).await;
    let first = backup(&http, &Snapshot::default(), &all_kinds()).await;
    assert!(first.of_kind("work-item").len() < all.of_kind("work-item").len());
    heal(&http).await;
    let second = backup(&http, &first, &all_kinds()).await;
    assert_eq!(second.of_kind("work-item"), all.of_kind("work-item"));
    assert_eq!(second.content(), all.content());
    // It was lost for a while: what happened then is not missed either.
    post(&http, "/__faults", &hide).await;
    let third = backup(&http, &second, &all_kinds()).await;
    heal(&http).await;
    let id = &all.of_kind("work-item")[0].id;
    post(&http, "/__faults", &hide).await;
    let fourth = backup(&http, &third, &all_kinds()).await;
    heal(&http).await;
    edit(&http, id, "System.Title", "written meanwhile").await;
    post(&http, "/__faults", &hide).await;
    let passed = backup(&http, &fourth, &all_kinds()).await;
    heal(&http).await;
    let last = backup(&http, &passed, &all_kinds()).await;
    let item = ItemRef::new("work-item", "", id);
    assert!(
        last.part_text(&item, "work-item.json")
            .contains("written meanwhile")
    );
    assert!(
        last.part_text(&item, "revisions.ndjson")
            .contains("written meanwhile")
    );
    simulator.stop().await;
}

#[tokio::test]
async fn an_area_that_can_be_read_later_is_found_within_a_month() {
    let (simulator, http, all) = backed_up(Seed::Small).await;
    let (token, hidden) = some_area(&all);
    deny(&http, CSS, &token).await;
    let first = backup(&http, &Snapshot::default(), &all_kinds()).await;
    assert!(hidden.iter().all(|item| !first.items.contains_key(item)));
    allow(&http).await;
    let quiet = owner(&simulator);
    let second = backup(&quiet, &first, &all_kinds()).await;
    assert_eq!(quiet.usage().by_kind["work-item"].0, 3, "it is not due");
    let later =
        Order::usual(jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(31 * 24));
    let third = backup_ordered(&http, &second, &all_kinds(), later).await;
    assert_eq!(third.of_kind("work-item"), all.of_kind("work-item"));
    let quiet = owner(&simulator);
    backup_ordered(&quiet, &third, &all_kinds(), later).await;
    assert_eq!(quiet.usage().by_kind["work-item"].0, 3);
    simulator.stop().await;
}

#[tokio::test]
async fn a_new_project_alone_does_not_make_everything_be_read() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let processes = http
        .get("dev", "/_apis/process/processes")
        .version("7.1")
        .send()
        .await
        .unwrap();
    let processes: Value = processes.json().unwrap();
    let body = json!({
        "name": "Added",
        "capabilities": {
            "versioncontrol": { "sourceControlType": "Git" },
            "processTemplate": { "templateTypeId": processes["value"][0]["id"] },
        },
    });
    let made = http
        .call(Method::POST, "dev", "/_apis/projects")
        .version("7.1")
        .json(&body);
    made.send().await.unwrap();
    let mut before = first;
    // It may take some looks until the project is there.
    for _ in 0..5 {
        let quiet = owner(&simulator);
        let next = backup(&quiet, &before, &all_kinds()).await;
        let grew = next.of_kind("project").len() > before.of_kind("project").len();
        assert_eq!(quiet.usage().by_kind["work-item"].0, 3 + u64::from(grew));
        if grew {
            simulator.stop().await;
            return;
        }
        before = next;
    }
    panic!("the project never came");
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_named_in_every_run_until_it_can() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let fault = json!({ "path": "*/_apis/wit/attachments/*", "fault": "403" });
    post(&http, "/__faults", &fault).await;
    let mut snapshot = backup(&http, &Snapshot::default(), &all_kinds()).await;
    let expected = codes(&snapshot.issues);
    assert!(
        expected
            .iter()
            .all(|code| code == "attachment-missing attachment")
    );
    assert!(!expected.is_empty());
    for run in 2..8 {
        snapshot = backup(&http, &snapshot, &all_kinds()).await;
        assert_eq!(codes(&snapshot.issues), expected, "run {run}");
    }
    heal(&http).await;
    let whole = backup(&http, &snapshot, &all_kinds()).await;
    assert_eq!(codes(&whole.issues), Vec::<String>::new());
    let path = format!("/__inventory?organization={}", simulator.organization());
    let wanted = get(&http, &path).await["attachments"].as_u64().unwrap();
    let parts = whole.items.values().flat_map(|parts| parts.keys());
    let files = parts.filter(|part| part.starts_with("attachments/"));
    assert_eq!(files.count() as u64, wanted);
    simulator.stop().await;
}

#[tokio::test]
async fn a_file_that_two_items_share_outlives_the_one_that_it_lay_with() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let items = first.of_kind("work-item");
    let upload = http
        .call(Method::POST, "dev", "/_apis/wit/attachments")
        .version("7.1");
    let upload = upload.query("fileName", "shared.txt");
    let made = upload
        .body("application/octet-stream", "shared by two".to_owned())
        .send()
        .await
        .unwrap();
    let made: Value = made.json().unwrap();
    let (guid, url) = (made["id"].as_str().unwrap(), made["url"].clone());
    for item in &items[..2] {
        let link =
            json!({ "rel": "AttachedFile", "url": url, "attributes": { "name": "shared.txt" } });
        let operations = json!([{ "op": "add", "path": "/relations/-", "value": link }]);
        patch(&http, &item.id, &operations).await;
    }
    let second = backup(&http, &first, &all_kinds()).await;
    let part = format!("attachments/{guid}");
    let has = |snapshot: &Snapshot, item: &ItemRef| {
        snapshot
            .items
            .get(item)
            .is_some_and(|parts| parts.contains_key(&part))
    };
    let (owner, other) = if has(&second, items[0]) {
        (items[0], items[1])
    } else {
        (items[1], items[0])
    };
    assert!(
        has(&second, owner) && !has(&second, other),
        "it lies with one of them"
    );
    let path = format!("/_apis/wit/workitems/{}?destroy=true", owner.id);
    delete(&http, &path).await;
    let third = full(&http, &second, &["work-item"]).await;
    assert!(!third.items.contains_key(owner));
    assert!(has(&third, other), "the only copy went with its owner");
    simulator.stop().await;
}

#[tokio::test]
async fn a_discussion_that_comes_short_does_not_replace_the_stored_one() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let all = first.of_kind("work-item").into_iter();
    let mut talked =
        all.filter(|item| first.part_text(item, "comments.ndjson").lines().count() > 0);
    let item = talked.next().unwrap();
    // What is stored has a comment that the service does not list: as if it had listed too few.
    let mut before = first.clone();
    let stored = first.part_text(item, "comments.ndjson");
    let longer = format!("{stored}{{\"id\":987654,\"version\":1,\"text\":\"only here\"}}\n");
    let parts = before.items.get_mut(item).unwrap();
    parts.insert("comments.ndjson".to_owned(), longer.clone().into());
    let second = full(&http, &before, &[]).await;
    assert_eq!(second.part_text(item, "comments.ndjson"), longer);
    assert_eq!(codes(&second.issues), ["answer-cut-short comment"]);
    simulator.stop().await;
}

#[tokio::test]
async fn a_stored_discussion_with_a_damaged_line_is_named_and_read_anew() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let all = first.of_kind("work-item").into_iter();
    let mut talked =
        all.filter(|item| first.part_text(item, "comments.ndjson").lines().count() > 0);
    let item = talked.next().unwrap();
    let whole = first.part_text(item, "comments.ndjson");
    for damage in [&b"{\"id\":1,\n"[..], &b"{\"id\":1,\"text\":\"\xff\"}\n"[..]] {
        let mut before = first.clone();
        let parts = before.items.get_mut(item).unwrap();
        let damaged = [whole.as_bytes(), damage].concat();
        parts.insert("comments.ndjson".to_owned(), damaged.into());
        let second = full(&http, &before, &[]).await;
        assert_eq!(codes(&second.issues), ["document-malformed work-item"]);
        assert_eq!(second.part_text(item, "comments.ndjson"), whole);
    }
    simulator.stop().await;
}

/// Deleted between the list and the read: the service says so in the words for a hidden one.
#[tokio::test]
async fn a_project_that_is_deleted_during_a_backup_is_gone_and_a_hidden_one_stays() {
    let script = Script::start().await;
    let ids = [
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
        "00000000-0000-4000-8000-000000000003",
    ];
    let project = |id: &str, revision: u64, state: &str| json!({ "id": id, "name": id, "state": state, "revision": revision });
    let say = |path: &str, projects: &[Value]| {
        let path = format!("/contoso/_apis/projects{path}");
        script.say(&path, 200, json!({ "value": projects }));
    };
    say(
        "",
        &[
            project(ids[0], 1, "wellFormed"),
            project(ids[1], 1, "wellFormed"),
        ],
    );
    say("?statefilter=deleted", &[]);
    for id in ids {
        script.say(
            &format!("/contoso/_apis/projects/{id}"),
            200,
            project(id, 1, "wellFormed"),
        );
    }
    let http = client_at(&script.url, "contoso", "token", 1);
    let selection = BTreeSet::from(["project".to_owned()]);
    let first = backup(&http, &Snapshot::default(), &selection).await;
    assert_eq!(first.items.len(), 2);

    // All three are listed anew, and none of them is given any more; two of them lie in the bin by now.
    say("", &ids.map(|id| project(id, 2, "wellFormed")));
    say(
        "?statefilter=deleted",
        &[project(ids[0], 2, "deleted"), project(ids[2], 2, "deleted")],
    );
    for id in ids {
        let message = format!(
            "VS800075: The project with id 'vstfs:///Classification/TeamProject/{id}' does not exist, or you do not have permission to access it."
        );
        script.say(
            &format!("/contoso/_apis/projects/{id}"),
            404,
            json!({ "message": message }),
        );
    }
    let second = backup(&http, &first, &selection).await;
    let left: Vec<&ItemRef> = second.items.keys().collect();
    let hidden = ItemRef::new("project", "", ids[1]);
    assert_eq!(left, [&hidden]);
    assert_eq!(second.items[&hidden], first.items[&hidden]);
    assert_eq!(codes(&second.issues), ["permission-missing project"]);
    assert_eq!(second.issues[0].item.as_ref(), Some(&hidden));
}

/// One document that cannot be read any more must not end the backup of all repositories.
#[tokio::test]
async fn a_damaged_document_of_what_is_no_longer_listed_costs_nothing_else() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let (item, _) = some_repository(&first);
    delete(&http, &format!("/_apis/git/repositories/{}", item.id)).await;
    let wiki = first.of_kind("wiki")[0].clone();
    let mut damaged = first.clone();
    damaged.damaged.extend([item.clone(), wiki.clone()]);
    let second = backup(&http, &damaged, &all_kinds()).await;
    assert!(second.items.contains_key(&item), "what it was is not known");
    assert!(codes(&second.issues).contains(&"implausible-drop git-repository".to_owned()));
    let others = |snapshot: &Snapshot| snapshot.of_kind("git-repository").len();
    assert_eq!(others(&second), others(&first));
    simulator.stop().await;
}

#[tokio::test]
async fn a_wiki_whose_repository_is_not_shown_is_told_to_have_no_pages() {
    let script = Script::start().await;
    let (project, repository) = ("p-1", "r-1");
    let list = |path: &str, values: &[Value]| {
        script.say(&format!("/contoso{path}"), 200, json!({ "value": values }));
    };
    let wiki = json!({
        "id": "w-1", "name": "Handbook", "type": "codeWiki", "projectId": project, "repositoryId": repository,
    });
    list("/_apis/wiki/wikis", &[wiki]);
    list("/_apis/git/repositories", &[]);
    let http = client_at(&script.url, "contoso", "token", 1);
    let kinds = ["wiki", "git-repository"].map(str::to_owned).into();
    let first = backup(&http, &Snapshot::default(), &kinds).await;
    let [issue] = &first.issues[..] else {
        panic!("{:?}", first.issues);
    };
    assert_eq!(issue.code, "permission-missing");
    assert_eq!(issue.item, Some(ItemRef::new("wiki", "", "w-1")));
    for word in ["Handbook", repository, project] {
        assert!(issue.message.contains(word), "{}", issue.message);
    }
    // In each run, until the repository is shown or not to be backed up.
    let second = backup(&http, &first, &kinds).await;
    assert_eq!(second.issues.len(), 1, "{:?}", second.issues);
    let alone = BTreeSet::from(["wiki".to_owned()]);
    let third = backup(&http, &second, &alone).await;
    assert_eq!(codes(&third.issues), Vec::<String>::new());
}
