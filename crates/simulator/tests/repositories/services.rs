//! What clients of the git services ask beside the common things, as the REST documents have it.

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Fixture, ZERO};

/// A repository of one project with two branches of common origin and a folder.
struct Repository {
    fixture: Fixture,
    api: String,
    first: String,
    main: String,
}

fn write(path: &str, content: &str) -> Value {
    let content = json!({"content": content, "contentType": "rawtext"});
    json!({"changeType": "add", "item": {"path": path}, "newContent": content})
}

impl Repository {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let id = fixture.repository("code").await;
        let mut repository = Self {
            api: format!("/Main%20Project/_apis/git/repositories/{id}"),
            fixture,
            first: String::new(),
            main: String::new(),
        };
        let files = json!([write("/docs/a.md", "a"), write("/docs/in/b.md", "b")]);
        repository.first = repository.commit("main", ZERO, files).await;
        let more = json!([write("/c.txt", "c")]);
        repository.main = repository.commit("main", &repository.first, more).await;
        repository
    }

    async fn push(&self, branch: &str, old: &str, changes: Value) -> super::fixture::Answer {
        let body = json!({
            "refUpdates": [{"name": format!("refs/heads/{branch}"), "oldObjectId": old}],
            "commits": [{"comment": "through REST", "changes": changes}],
        });
        let path = format!("{}/pushes?api-version=7.1", self.api);
        self.fixture.call(Method::POST, &path, &body).await
    }

    async fn commit(&self, branch: &str, old: &str, changes: Value) -> String {
        let made = self.push(branch, old, changes).await.expect(201).json();
        made["refUpdates"][0]["newObjectId"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn post(&self, status: u16, path: &str, body: &Value) -> Value {
        let path = format!("{}/{path}?api-version=7.1", self.api);
        self.fixture.told(status, Method::POST, &path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.fixture.read(&format!("{}/{path}", self.api)).await
    }
}

/// Items - Get Items Batch: an array of items for each descriptor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_of_many_places_come_in_one_answer() {
    let repository = Repository::new().await;
    let body = json!({"itemDescriptors": [
        {"path": "/docs", "recursionLevel": "full", "version": "main", "versionType": "branch"},
        {"path": "/docs/a.md", "version": repository.first, "versionType": "commit"},
        {"path": "/docs", "recursionLevel": "oneLevel"},
    ]});
    let found = repository.post(200, "itemsbatch", &body).await;
    let paths: Vec<Vec<&str>> = found["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|list| {
            let items = list.as_array().unwrap().iter();
            items.map(|item| item["path"].as_str().unwrap()).collect()
        })
        .collect();
    let wanted: [&[&str]; 3] = [
        &["/docs", "/docs/a.md", "/docs/in", "/docs/in/b.md"],
        &["/docs/a.md"],
        &["/docs", "/docs/a.md", "/docs/in"],
    ];
    assert_eq!(paths, wanted);
    assert_eq!(found["value"][1][0]["commitId"], repository.first);
    let missing = json!({"itemDescriptors": [{"path": "/nowhere"}]});
    let refused = repository.post(404, "itemsbatch", &missing).await;
    assert_eq!(refused["typeKey"], "GitItemNotFoundException");
    repository.post(400, "itemsbatch", &json!({})).await;
}

/// Items - Get: `$format=zip`, or "zip" as the accepted type.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_comes_as_an_archive() {
    let repository = Repository::new().await;
    let path = format!("{}/items?scopePath=/docs&api-version=7.1", repository.api);
    let accept = [("accept", "application/zip")];
    let fixture = &repository.fixture;
    let accepted = fixture.send(Method::GET, &path, &accept, Vec::new()).await;
    let asked = fixture.get(&format!("{path}&$format=zip")).await;
    for answer in [accepted.expect(200), asked.expect(200)] {
        assert_eq!(answer.header("content-type"), Some("application/zip"));
        assert!(answer.bytes.starts_with(b"PK\x03\x04"));
        let names = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert!(names.contains("docs/in/b.md") && !names.contains("c.txt"));
    }
}

/// Blobs - Get Blobs Zip.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blobs_come_in_one_archive_by_their_ids() {
    let repository = Repository::new().await;
    let items = repository
        .get("items?recursionLevel=full&api-version=7.1")
        .await;
    let items = items["value"].as_array().unwrap().iter();
    let blobs: Vec<&str> = items
        .filter(|item| item["gitObjectType"] == "blob")
        .map(|item| item["objectId"].as_str().unwrap())
        .collect();
    assert_eq!(blobs.len(), 3);
    let path = format!("{}/blobs?api-version=7.1", repository.api);
    let fixture = &repository.fixture;
    let zip = fixture.call(Method::POST, &path, &json!(blobs)).await;
    let names = zip.expect(200).text();
    assert!(blobs.iter().all(|id| names.contains(id)));
    let one = format!("{}/blobs/{}?api-version=7.1", repository.api, blobs[0]);
    let accept = [("accept", "application/zip")];
    let alone = fixture.send(Method::GET, &one, &accept, Vec::new()).await;
    let names = alone.expect(200).text();
    assert!(names.contains(blobs[0]) && !names.contains(blobs[1]));
    let gone = json!(["1".repeat(40)]);
    fixture.call(Method::POST, &path, &gone).await.expect(404);
}

/// Merge Bases - List.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_merge_base_of_two_commits_is_found() {
    let repository = Repository::new().await;
    let side = json!([write("/side.txt", "s")]);
    let branch =
        json!([{"name": "refs/heads/topic", "oldObjectId": ZERO, "newObjectId": repository.first}]);
    repository.post(200, "refs", &branch).await;
    let topic = repository.commit("topic", &repository.first, side).await;
    let bases = |other: &str| {
        format!(
            "commits/{}/mergebases?otherCommitId={other}&api-version=7.1",
            repository.main
        )
    };
    let found = repository.get(&bases(&topic)).await;
    assert_eq!(found["value"][0]["commitId"], repository.first);
    let root = repository
        .commit("alone", ZERO, json!([write("/x", "x")]))
        .await;
    assert_eq!(repository.get(&bases(&root)).await["value"], json!([]));
    let gone = format!("{}/{}", repository.api, bases(&"1".repeat(40)));
    repository.fixture.get(&gone).await.expect(404);
}

/// Annotated Tags - Create, then Get.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_is_made_once_and_with_a_name_that_git_takes() {
    let repository = Repository::new().await;
    let tag = |name: &str, object: &str| json!({"name": name, "taggedObject": {"objectId": object}, "message": "first release"});
    let made = repository
        .post(200, "annotatedtags", &tag("v1.0", &repository.first))
        .await;
    assert_eq!(made["taggedObject"]["objectId"], repository.first);
    assert_eq!(made["taggedObject"]["objectType"], "commit");
    let id = made["objectId"].as_str().unwrap();
    let read = repository
        .get(&format!("annotatedtags/{id}?api-version=7.1"))
        .await;
    assert_eq!(read, made);
    assert_eq!(read["message"], "first release");
    let refs = repository.get("refs?filter=tags&api-version=7.1").await;
    assert_eq!(refs["value"][0]["objectId"], *id);
    let again = tag("v1.0", &repository.main);
    repository.post(409, "annotatedtags", &again).await;
    let bad = tag("v 1", &repository.main);
    repository.post(400, "annotatedtags", &bad).await;
    let nothing = tag("v2", &"1".repeat(40));
    repository.post(404, "annotatedtags", &nothing).await;
}

/// Commits - Get Push Commits: "pushId", a push's own commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_shows_the_commits_that_it_brought() {
    let repository = Repository::new().await;
    let pushes = repository.get("pushes?api-version=7.1").await;
    let push = &pushes["value"][0]["pushId"];
    let commits = repository
        .get(&format!("commits?pushId={push}&api-version=7.1"))
        .await;
    let ids: Vec<&Value> = commits["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|commit| &commit["commitId"])
        .collect();
    assert_eq!(ids, [&json!(repository.main)]);
    let stale = repository
        .push("main", &"1".repeat(40), json!([write("/d", "d")]))
        .await;
    assert_eq!(
        stale.expect(409).json()["typeKey"],
        "GitReferenceStaleException"
    );
}

/// "A project name is required in order to reference a Git repository by name."
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_needs_its_project_and_an_id_does_not() {
    let repository = Repository::new().await;
    let id = repository.api.rsplit_once('/').unwrap().1;
    let path = |name: &str| format!("/_apis/git/repositories/{name}?api-version=7.1");
    repository.fixture.get(&path(id)).await.expect(200);
    let refused = repository.fixture.get(&path("code")).await.expect(400);
    let words = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(words.contains("A project name is required"), "{words}");
    let one = format!("{}?api-version=7.1", repository.api);
    for bad in ["", "a/b", "a\u{7}b"] {
        let renamed = json!({"name": bad});
        let told = repository.fixture.call(Method::PATCH, &one, &renamed).await;
        assert_eq!(told.status, 400, "{bad:?} {}", told.text());
    }
}
