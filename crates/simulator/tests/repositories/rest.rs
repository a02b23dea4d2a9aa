//! Repositories, refs and commits through REST.

use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, ZERO};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_in_maintenance_is_listed_and_answers_nothing_else() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("busy").await;
    let copy = fixture.working_copy("work", 1);
    fixture.run(
        &copy,
        &[
            "push",
            "-q",
            &fixture.remote("busy"),
            "HEAD:refs/heads/main",
        ],
    );
    let set = |busy: bool| json!({"repository": id, "isInMaintenance": busy});
    fixture
        .control(Method::POST, "/__repositories", &set(true))
        .await;
    let listed = fixture
        .get("/_apis/git/repositories?api-version=7.1")
        .await
        .json();
    let shown = listed["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|repository| repository["id"] == id.as_str())
        .unwrap()
        .clone();
    assert_eq!(shown["isInMaintenance"], true);
    let refs = fixture
        .get("/Main%20Project/_git/busy/info/refs?service=git-upload-pack")
        .await
        .expect(404);
    assert!(refs.text().contains("TF401019"));
    fixture
        .control(Method::POST, "/__repositories", &set(false))
        .await;
    fixture.run(&copy, &["ls-remote", &fixture.remote("busy")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_gets_another_name_and_default_branch() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("first").await;
    let all = "/Main%20Project/_apis/git/repositories?api-version=7.1";
    let taken = json!({"name": "First"});
    let taken = fixture.told(409, Method::POST, all, &taken).await;
    assert_eq!(taken["typeKey"], "GitRepositoryNameAlreadyExistsException");
    let copy = fixture.working_copy("work", 1);
    let branches = ["HEAD:refs/heads/main", "HEAD:refs/heads/other"];
    fixture.push(&copy, "first", &branches);
    let change = json!({"name": "second", "defaultBranch": "refs/heads/other"});
    let renamed = fixture.told(200, Method::PATCH, &one(&id), &change).await;
    assert_eq!(
        (renamed["name"].as_str(), renamed["defaultBranch"].as_str()),
        (Some("second"), Some("refs/heads/other"))
    );
    let remote = fixture.remote("second");
    let seen = fixture.run(&copy, &["ls-remote", "--symref", &remote, "HEAD"]);
    assert_eq!(seen.lines().next(), Some("ref: refs/heads/other\tHEAD"));
}

/// The address of a repository of the project.
fn one(id: &str) -> String {
    format!("/Main%20Project/_apis/git/repositories/{id}?api-version=7.1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_repository_is_listed_and_answers_nothing_else() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("off").await;
    let copy = fixture.working_copy("work", 1);
    fixture.push(&copy, "off", &["HEAD:refs/heads/main"]);
    let set = async |disabled: bool| {
        let body = json!({"isDisabled": disabled});
        fixture.told(200, Method::PATCH, &one(&id), &body).await
    };
    set(true).await;
    let refused = fixture.get(&one(&id)).await.expect(404);
    assert!(refused.text().contains("TF401019"));
    let remote = fixture.remote("off");
    let seen = fixture.git(&copy, &["ls-remote", &remote]);
    assert!(!seen.status.success());
    let listed = fixture
        .read("/_apis/git/repositories?api-version=7.1")
        .await;
    let mut listed = listed["value"].as_array().unwrap().iter();
    let shown = listed.find(|own| own["id"] == id.as_str()).unwrap();
    assert_eq!(shown["isDisabled"], true);
    set(false).await;
    fixture.run(&copy, &["ls-remote", &remote]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_repository_waits_in_the_recycle_bin() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("gone").await;
    let copy = fixture.working_copy("work", 1);
    fixture.push(&copy, "gone", &["HEAD:refs/heads/main"]);
    let bin = "/Main%20Project/_apis/git/recycleBin/repositories";
    let (all, own) = (
        format!("{bin}?api-version=7.1"),
        format!("{bin}/{id}?api-version=7.1"),
    );
    let delete = async |path: &str| fixture.told(204, Method::DELETE, path, &Value::Null).await;
    delete(&one(&id)).await;
    fixture.get(&one(&id)).await.expect(404);
    assert_eq!(fixture.read(&all).await["value"][0]["name"], "gone");
    let back = json!({"deleted": false});
    fixture.told(200, Method::PATCH, &own, &back).await;
    fixture.run(&copy, &["ls-remote", &fixture.remote("gone")]);
    delete(&one(&id)).await;
    delete(&own).await;
    assert_eq!(fixture.read(&all).await["count"], 0);
}

/// A repository with the branches `main` and `b` and a tag; the address of its refs and the tip of `main`.
async fn with_refs(fixture: &Fixture) -> (String, String) {
    let id = fixture.repository("refs").await;
    let copy = fixture.working_copy("work", 2);
    let refs = ["HEAD:refs/heads/main", "HEAD~1:refs/heads/b", "v1"];
    fixture.push(&copy, "refs", &refs);
    let head = fixture.run(&copy, &["rev-parse", "HEAD"]);
    (format!("/_apis/git/repositories/{id}/refs"), head)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refs_are_listed_in_pages() {
    let fixture = Fixture::new().await;
    let (refs, head) = with_refs(&fixture).await;
    let mut names = Vec::new();
    let mut path = format!("{refs}?$top=2&api-version=7.1");
    loop {
        let page = fixture.get(&path).await.expect(200);
        names.extend(
            page.json()["value"]
                .as_array()
                .unwrap()
                .iter()
                .map(|value| value["name"].as_str().unwrap().to_owned()),
        );
        let Some(token) = page.header("x-ms-continuationtoken") else {
            break;
        };
        path = format!("{refs}?$top=2&continuationToken={token}&api-version=7.1");
    }
    assert_eq!(names, ["refs/heads/b", "refs/heads/main", "refs/tags/v1"]);
    let tags = fixture
        .read(&format!(
            "{refs}?filter=tags/&peelTags=true&api-version=7.1"
        ))
        .await;
    assert_eq!(
        (&tags["count"], tags["value"][0]["peeledObjectId"].as_str()),
        (&json!(1), Some(head.as_str()))
    );
}

/// Refs - Update Refs: each update has a status of its own (`GitRefUpdateStatus`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refs_are_moved_by_their_old_value_and_locked() {
    let fixture = Fixture::new().await;
    let (refs, head) = with_refs(&fixture).await;
    let path = format!("{refs}?api-version=7.1");
    let update = async |name: &str, old: &str, new: &str| {
        let body = json!([{"name": name, "oldObjectId": old, "newObjectId": new}]);
        let told = fixture.told(200, Method::POST, &path, &body).await;
        told["value"][0]["updateStatus"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (head, missing) = (head.as_str(), "1".repeat(40));
    for (name, old, new, status) in [
        ("refs/heads/c", ZERO, head, "succeeded"),
        ("refs/heads/c", ZERO, head, "staleOldObjectId"),
        ("refs/pull/1/merge", ZERO, head, "rejectedByPlugin"),
        (
            "refs/heads/d",
            ZERO,
            missing.as_str(),
            "unresolvableToCommit",
        ),
        ("refs/heads/c", head, ZERO, "succeeded"),
    ] {
        assert_eq!(update(name, old, new).await, status, "{name}");
    }
    let branch = format!("{refs}?filter=heads/b&api-version=7.1");
    let lock = json!({"isLocked": true});
    let locked = fixture.told(200, Method::PATCH, &branch, &lock).await;
    assert_eq!(locked["isLocked"], true);
    assert!(locked["isLockedBy"]["id"].is_string());
}

/// A repository that is written through REST alone.
struct Written {
    fixture: Fixture,
    api: String,
}

impl Written {
    async fn empty() -> Self {
        let fixture = Fixture::new().await;
        let id = fixture.repository("rest").await;
        let api = format!("/Main%20Project/_apis/git/repositories/{id}");
        Self { fixture, api }
    }

    /// With a commit that made two files, and one that deleted one and edited the other; the first one's id too.
    async fn with_two_commits() -> (Self, String) {
        let written = Self::empty().await;
        let made = json!([add("/docs/Überblick.md", "hällo"), add("/a.txt", "a")]);
        let first = written.commit("main", ZERO, made).await;
        let change = json!([
            {"changeType": "delete", "item": {"path": "/a.txt"}},
            {"changeType": "edit", "item": {"path": "/docs/Überblick.md"}, "newContent": {"content": "aGkgdGhlcmU=", "contentType": "base64encoded"}},
        ]);
        written.commit("main", &first, change).await;
        (written, first)
    }

    async fn push(&self, branch: &str, old: &str, changes: Value) -> Answer {
        let body = json!({
            "refUpdates": [{"name": format!("refs/heads/{branch}"), "oldObjectId": old}],
            "commits": [{"comment": "through REST", "changes": changes}],
        });
        let path = format!("{}/pushes?api-version=7.1", self.api);
        self.fixture.call(Method::POST, &path, &body).await
    }

    async fn commit(&self, branch: &str, old: &str, changes: Value) -> String {
        let made = self.push(branch, old, changes).await.expect(201).json();
        let id = &made["refUpdates"][0]["newObjectId"];
        id.as_str().unwrap().to_owned()
    }

    async fn read(&self, path: &str) -> Value {
        let path = format!("{}/{path}&api-version=7.1", self.api);
        self.fixture.read(&path).await
    }
}

fn add(path: &str, content: &str) -> Value {
    let content = json!({"content": content, "contentType": "rawtext"});
    json!({"changeType": "add", "item": {"path": path}, "newContent": content})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_made_through_rest_are_seen_as_items() {
    let (written, first) = Written::with_two_commits().await;
    let items = written.read("items?recursionLevel=full").await;
    let items = items["value"].as_array().unwrap().iter();
    let paths: Vec<&str> = items.map(|item| item["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/", "/docs", "/docs/Überblick.md"]);
    let raw = written
        .fixture
        .send(
            Method::GET,
            &format!(
                "{}/items?path=/docs/%C3%9Cberblick.md&api-version=7.1",
                written.api
            ),
            &[("accept", "text/plain")],
            Vec::new(),
        )
        .await;
    assert_eq!(raw.expect(200).text(), "hi there");
    let old = format!(
        "items?path=/a.txt&includeContent=true&versionDescriptor.versionType=commit&versionDescriptor.version={first}"
    );
    assert_eq!(written.read(&old).await["content"], "a");
    let now = format!("{}/items?path=/a.txt&api-version=7.1", written.api);
    written.fixture.get(&now).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_made_through_rest_are_seen_as_history() {
    let (written, first) = Written::with_two_commits().await;
    let stale = written.push("main", ZERO, json!([add("/b.txt", "b")]));
    assert_eq!(
        stale.await.expect(409).json()["typeKey"],
        "GitReferenceStaleException"
    );
    let commits = written.read("commits?searchCriteria.$top=5").await;
    assert_eq!(commits["count"], 2);
    assert_eq!(
        commits["value"][0]["changeCounts"],
        json!({"Add": 0, "Edit": 1, "Delete": 1})
    );
    assert_eq!(commits["value"][1]["commitId"], first);
    let changes = written
        .read(&format!("commits/{first}/changes?top=9"))
        .await;
    assert_eq!(changes["changes"].as_array().unwrap().len(), 2);
}

/// "Find the closest common commit (the merge base) between base and target commits, and get the diff" (Git REST, Diffs - Get).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_differ_by_what_came_since_their_common_commit() {
    let (written, first) = Written::with_two_commits().await;
    // The branch leaves at the first commit: what `main` deleted and edited since is not its doing.
    let branch = json!([{"name": "refs/heads/topic", "oldObjectId": ZERO, "newObjectId": first}]);
    let refs = format!("{}/refs?api-version=7.1", written.api);
    let made = written.fixture.call(Method::POST, &refs, &branch).await;
    made.expect(200);
    let more = json!([add("/b.txt", "b")]);
    written.commit("topic", &first, more).await;
    let diff = "diffs/commits?baseVersion=main&targetVersion=topic&targetVersionType=branch";
    let seen = written.read(diff).await;
    assert_eq!(seen["commonCommit"], first);
    assert_eq!(
        (&seen["aheadCount"], &seen["behindCount"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        seen["changeCounts"],
        json!({"Add": 1, "Edit": 0, "Delete": 0})
    );
    let [change] = &seen["changes"].as_array().unwrap()[..] else {
        panic!("{seen}");
    };
    assert_eq!(change["item"]["path"], "/b.txt");
    let whole = written
        .read(&format!("{diff}&diffCommonCommit=false"))
        .await;
    assert_eq!(
        whole["changeCounts"],
        json!({"Add": 2, "Edit": 1, "Delete": 0})
    );
}
