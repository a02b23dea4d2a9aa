//! Repositories and wikis over real HTTP, with the `git` program as a client.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::{Options, Seed, Simulator};

const ZERO: &str = "0000000000000000000000000000000000000000";

/// A simulator with one project, and a client that holds its PAT.
struct Fixture {
    simulator: Simulator,
    client: reqwest::Client,
    authorization: String,
    folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Fixture {
    async fn new() -> Self {
        let options = Options {
            listen: ([127, 0, 0, 1], 0).into(),
            data: None,
            seed: Seed::Empty,
        };
        let simulator = Simulator::start(options).await.unwrap();
        let authorization = format!("Basic {}", STANDARD.encode(format!(":{}", simulator.pat())));
        let client = reqwest::Client::builder().build().unwrap();
        let fixture = Self {
            simulator,
            client,
            authorization,
            folder: tempfile::tempdir().unwrap(),
        };
        let process = fixture
            .get("/_apis/process/processes?api-version=7.1")
            .await
            .expect(200)
            .json()["value"][0]["id"]
            .clone();
        let project = json!({
            "name": "Main Project",
            "capabilities": {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": {"templateTypeId": process}},
        });
        let operation = fixture
            .call(Method::POST, "/_apis/projects?api-version=7.1", &project)
            .await
            .expect(202)
            .json();
        let id = operation["id"].as_str().unwrap();
        for _ in 0..20 {
            if fixture
                .get(&format!("/_apis/operations/{id}?api-version=7.1"))
                .await
                .json()["status"]
                == "succeeded"
            {
                break;
            }
        }
        fixture
    }

    fn url(&self, path: &str) -> String {
        format!("{}/contoso{path}", self.simulator.url())
    }

    fn remote(&self, repository: &str) -> String {
        self.url(&format!("/Main%20Project/_git/{repository}"))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.url(path)
        };
        let mut request = self.client.request(method, url).body(body);
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", &self.authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.unwrap().to_vec(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(
            Method::GET,
            path,
            &[("accept", "application/json")],
            Vec::new(),
        )
        .await
    }

    /// One of the simulator's own addresses.
    async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.simulator.url());
        let request = self.client.request(method, url).body(body.to_string());
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        let bytes = answer.bytes().await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ];
        self.send(method, path, &headers, body.to_string().into_bytes())
            .await
    }

    async fn repository(&self, name: &str) -> String {
        let new = json!({"name": name});
        let made = self.call(
            Method::POST,
            "/Main%20Project/_apis/git/repositories?api-version=7.1",
            &new,
        );
        made.await.expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn git(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut git = Command::new("git");
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_CONFIG_PARAMETERS",
            "GIT_PREFIX",
        ] {
            git.env_remove(name);
        }
        git.current_dir(folder)
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .args([
                "-c",
                "user.name=Test",
                "-c",
                "user.email=test@example.com",
                "-c",
                "init.defaultBranch=main",
            ])
            .arg("-c")
            .arg(format!(
                "http.extraHeader=Authorization: {}",
                self.authorization
            ))
            .args(arguments);
        git.output().unwrap()
    }

    /// Standard output of a git command that must succeed.
    #[track_caller]
    fn run(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.git(folder, arguments);
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A working copy with `commits` commits on `main` and a tag.
    fn working_copy(&self, name: &str, commits: usize) -> PathBuf {
        let folder = self.path(name);
        std::fs::create_dir(&folder).unwrap();
        self.run(&folder, &["init", "-q"]);
        for number in 0..commits {
            std::fs::write(
                folder.join("file.txt"),
                format!("line {number}\n").repeat(50 + number),
            )
            .unwrap();
            self.run(&folder, &["add", "."]);
            self.run(
                &folder,
                &["commit", "-q", "-m", &format!("commit {number}")],
            );
        }
        self.run(&folder, &["tag", "-a", "v1", "-m", "first"]);
        folder
    }
}

/// git blocks its thread, so the server needs another.
macro_rules! server_test {
    ($(#[$meta:meta])* async fn $name:ident() $body:block) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() $body
    };
}

server_test! {
async fn what_is_pushed_can_be_cloned_in_both_protocols_and_sets_the_default_branch() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("round trip").await;
    let copy = fixture.working_copy("work", 5);
    let remote = fixture.remote("round%20trip");
    fixture.run(&copy, &["push", "-q", &remote, "HEAD:refs/heads/main", "HEAD~2:refs/heads/release/1.0", "v1"]);
    let shown = fixture.get(&format!("/_apis/git/repositories/{id}?api-version=7.1")).await.expect(200).json();
    assert_eq!(shown["defaultBranch"], "refs/heads/main");
    assert!(shown["size"].as_u64().unwrap() > 0);
    for version in ["0", "2"] {
        let mirror = fixture.path(&format!("mirror{version}"));
        let protocol = format!("protocol.version={version}");
        fixture.run(fixture.folder.path(), &["-c", &protocol, "clone", "-q", "--mirror", &remote, mirror.to_str().unwrap()]);
        fixture.run(&mirror, &["fsck", "--full", "--strict"]);
        let refs = fixture.run(&mirror, &["for-each-ref", "--format=%(refname)"]);
        assert_eq!(refs, "refs/heads/main\nrefs/heads/release/1.0\nrefs/tags/v1");
        assert_eq!(fixture.run(&mirror, &["symbolic-ref", "HEAD"]), "refs/heads/main");
    }
    let full = fixture.url("/Main%20Project/_git/_full/round%20trip");
    assert_eq!(fixture.run(&copy, &["ls-remote", &full, "refs/heads/*"]).lines().count(), 2);
    let pushes = fixture.get(&format!("/_apis/git/repositories/{id}/pushes?searchCriteria.includeRefUpdates=true&api-version=7.1")).await.json();
    assert_eq!(pushes["count"], 1);
    assert_eq!(pushes["value"][0]["refUpdates"].as_array().unwrap().len(), 3);
    fixture.simulator.stop().await;
}
}

server_test! {
async fn a_push_that_does_not_fit_the_post_buffer_streams_and_incremental_fetches_follow() {
    let fixture = Fixture::new().await;
    fixture.repository("big").await;
    let copy = fixture.working_copy("work", 1);
    let remote = fixture.remote("big");
    fixture.run(&copy, &["push", "-q", &remote, "HEAD:refs/heads/main"]);
    let mirror = fixture.path("mirror");
    fixture.run(fixture.folder.path(), &["clone", "-q", "--mirror", &remote, mirror.to_str().unwrap()]);
    let mut state = 1u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| { state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); (state >> 24) as u8 }).take(400_000).collect();
    std::fs::write(copy.join("noise"), noise).unwrap();
    fixture.run(&copy, &["add", "."]);
    fixture.run(&copy, &["commit", "-q", "-m", "noise"]);
    fixture.run(&copy, &["-c", "http.postBuffer=65536", "push", "-q", &remote, "HEAD:refs/heads/main"]);
    fixture.run(&mirror, &["fetch", "-q", "--prune"]);
    assert_eq!(fixture.run(&mirror, &["rev-parse", "refs/heads/main"]), fixture.run(&copy, &["rev-parse", "HEAD"]));
    let shallow = fixture.path("shallow");
    fixture.run(fixture.folder.path(), &["clone", "-q", "--depth", "1", &remote, shallow.to_str().unwrap()]);
    assert_eq!(fixture.run(&shallow, &["rev-list", "--count", "HEAD"]), "1");
    fixture.run(&copy, &["push", "-q", &remote, ":refs/heads/main"]);
    assert_eq!(fixture.run(&copy, &["ls-remote", &remote]), "");
}
}

server_test! {
async fn readers_get_the_vendors_advertisement_and_refusals() {
    let fixture = Fixture::new().await;
    fixture.repository("plain").await;
    let remote = fixture.remote("plain");
    let refs = format!("{remote}/info/refs?service=git-upload-pack");
    let empty = fixture.send(Method::GET, &refs, &[("git-protocol", "version=2")], Vec::new()).await.expect(200);
    assert_eq!(empty.bytes, b"001e# service=git-upload-pack\n00000000");
    assert_eq!(empty.header("content-type"), Some("application/x-git-upload-pack-advertisement"));
    let copy = fixture.working_copy("work", 2);
    fixture.run(&copy, &["push", "-q", &remote, "HEAD:refs/heads/main"]);
    let shown = fixture.send(Method::GET, &refs, &[("git-protocol", "version=2")], Vec::new()).await.expect(200).text();
    let capabilities = "HEAD\0 multi_ack thin-pack side-band side-band-64k no-progress multi_ack_detailed no-done shallow \
        allow-tip-sha1-in-want filter symref=HEAD:refs/heads/main\n";
    assert!(shown.contains(capabilities), "{shown}");

    let head = fixture.run(&copy, &["rev-parse", "HEAD"]);
    let want = format!("want {head} side-band-64k ofs-delta\n");
    let body = format!("{:04x}{want}00000009done\n", want.len() + 4);
    let headers = [("content-type", "application/x-git-upload-pack-request")];
    let pack = format!("{remote}/git-upload-pack");
    let refused = fixture.send(Method::POST, &pack, &headers, body.clone().into_bytes()).await.expect(400);
    assert!(refused.text().starts_with("TF401041"), "{}", refused.text());
    let accepted = body.replace("side-band-64k ofs-delta", "multi_ack_detailed").replacen(&format!("{:04x}", want.len() + 4), &format!("{:04x}", want.len() - 1), 1);
    let answer = fixture.send(Method::POST, &pack, &headers, accepted.into_bytes()).await.expect(200);
    assert!(answer.bytes.windows(4).any(|window| window == b"PACK"));

    let anonymous = fixture.client.get(&refs).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    assert!(anonymous.headers().get_all("www-authenticate").iter().any(|value| value.to_str().unwrap().starts_with("Basic")));
    let missing = fixture.send(Method::GET, &refs.replace("plain", "absent"), &[], Vec::new()).await.expect(404);
    assert!(missing.text().starts_with("TF401019"), "{}", missing.text());
}
}

server_test! {
async fn pull_request_refs_cannot_be_pushed_and_other_refs_of_the_push_can() {
    let fixture = Fixture::new().await;
    fixture.repository("plain").await;
    let copy = fixture.working_copy("work", 1);
    let output = fixture.git(&copy, &["push", &fixture.remote("plain"), "HEAD:refs/heads/main", "HEAD:refs/pull/1/merge"]);
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("(The current action can only be performed by the system.)"), "{words}");
    assert_eq!(fixture.run(&copy, &["ls-remote", &fixture.remote("plain"), "refs/*"]).lines().count(), 1);
}
}

server_test! {
async fn limited_refs_hide_the_branches_of_others_but_not_from_the_full_address() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("limited").await;
    let copy = fixture.working_copy("work", 1);
    fixture.run(&copy, &["push", "-q", &fixture.remote("limited"), "HEAD:refs/heads/main", "HEAD:refs/heads/own", "v1"]);
    let names = |variant: &str| {
        let url = fixture.url(&format!("/Main%20Project/_git/{variant}limited"));
        let listed = fixture.run(&copy, &["ls-remote", &url, "refs/heads/*", "refs/tags/v1", "refs/pull/*"]);
        listed.lines().map(|line| line.split('\t').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = ["refs/heads/main", "refs/heads/other", "refs/heads/own", "refs/pull/1/merge", "refs/tags/v1"];
    // Made on the disk, these are nobody's.
    let state = fixture.control(Method::GET, "/__state", &Value::Null).await;
    let bare = state["repositories"].as_array().unwrap().iter().find(|repository| repository["id"] == id.as_str()).unwrap()["repositoryPath"].as_str().unwrap().to_owned();
    for name in ["refs/heads/other", "refs/pull/1/merge"] {
        fixture.run(Path::new(&bare), &["update-ref", name, "refs/heads/main"]);
    }
    let few = ["refs/heads/main", "refs/heads/own", "refs/tags/v1"];
    assert_eq!((names(""), names("_full/"), names("_optimized/")), (all.map(str::to_owned).to_vec(), all.map(str::to_owned).to_vec(), few.map(str::to_owned).to_vec()));
    fixture.control(Method::POST, "/__repositories", &json!({"repository": id, "limitedRefs": true})).await;
    assert_eq!((names(""), names("_full/")), (few.map(str::to_owned).to_vec(), all.map(str::to_owned).to_vec()));
}
}

server_test! {
async fn a_repository_in_maintenance_is_listed_and_answers_nothing_else() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("busy").await;
    let copy = fixture.working_copy("work", 1);
    fixture.run(&copy, &["push", "-q", &fixture.remote("busy"), "HEAD:refs/heads/main"]);
    let set = |busy: bool| json!({"repository": id, "isInMaintenance": busy});
    fixture.control(Method::POST, "/__repositories", &set(true)).await;
    let listed = fixture.get("/_apis/git/repositories?api-version=7.1").await.json();
    let shown = listed["value"].as_array().unwrap().iter().find(|repository| repository["id"] == id.as_str()).unwrap().clone();
    assert_eq!(shown["isInMaintenance"], true);
    let refs = fixture.get("/Main%20Project/_git/busy/info/refs?service=git-upload-pack").await.expect(404);
    assert!(refs.text().contains("TF401019"));
    fixture.control(Method::POST, "/__repositories", &set(false)).await;
    fixture.run(&copy, &["ls-remote", &fixture.remote("busy")]);
}
}

server_test! {
async fn a_repository_goes_through_its_life() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("first").await;
    let one = format!("/Main%20Project/_apis/git/repositories/{id}?api-version=7.1");
    let taken = fixture.call(Method::POST, "/Main%20Project/_apis/git/repositories?api-version=7.1", &json!({"name": "First"})).await;
    assert_eq!(taken.expect(409).json()["typeKey"], "GitRepositoryNameAlreadyExistsException");
    let copy = fixture.working_copy("work", 1);
    fixture.run(&copy, &["push", "-q", &fixture.remote("first"), "HEAD:refs/heads/main", "HEAD:refs/heads/other"]);
    let renamed = fixture.call(Method::PATCH, &one, &json!({"name": "second", "defaultBranch": "refs/heads/other"})).await.expect(200).json();
    assert_eq!((renamed["name"].as_str(), renamed["defaultBranch"].as_str()), (Some("second"), Some("refs/heads/other")));
    assert_eq!(fixture.run(&copy, &["ls-remote", "--symref", &fixture.remote("second"), "HEAD"]).lines().next(), Some("ref: refs/heads/other\tHEAD"));

    fixture.call(Method::PATCH, &one, &json!({"isDisabled": true})).await.expect(200);
    assert!(fixture.get(&one).await.expect(404).text().contains("TF401019"));
    assert!(!fixture.git(&copy, &["ls-remote", &fixture.remote("second")]).status.success());
    let listed = fixture.get("/_apis/git/repositories?api-version=7.1").await.json();
    let disabled = listed["value"].as_array().unwrap().iter().find(|repository| repository["id"] == id.as_str()).unwrap().clone();
    assert_eq!(disabled["isDisabled"], true);
    fixture.call(Method::PATCH, &one, &json!({"isDisabled": false})).await.expect(200);

    fixture.call(Method::DELETE, &one, &Value::Null).await.expect(204);
    fixture.get(&one).await.expect(404);
    let bin = "/Main%20Project/_apis/git/recycleBin/repositories";
    assert_eq!(fixture.get(&format!("{bin}?api-version=7.1")).await.json()["value"][0]["name"], "second");
    fixture.call(Method::PATCH, &format!("{bin}/{id}?api-version=7.1"), &json!({"deleted": false})).await.expect(200);
    fixture.run(&copy, &["ls-remote", &fixture.remote("second")]);
    fixture.call(Method::DELETE, &one, &Value::Null).await.expect(204);
    fixture.call(Method::DELETE, &format!("{bin}/{id}?api-version=7.1"), &Value::Null).await.expect(204);
    assert_eq!(fixture.get(&format!("{bin}?api-version=7.1")).await.json()["count"], 0);
}
}

server_test! {
async fn refs_are_listed_in_pages_and_moved_by_their_old_value() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("refs").await;
    let copy = fixture.working_copy("work", 2);
    fixture.run(&copy, &["push", "-q", &fixture.remote("refs"), "HEAD:refs/heads/main", "HEAD~1:refs/heads/b", "v1"]);
    let head = fixture.run(&copy, &["rev-parse", "HEAD"]);
    let refs = format!("/_apis/git/repositories/{id}/refs");
    let mut names = Vec::new();
    let mut path = format!("{refs}?$top=2&api-version=7.1");
    loop {
        let page = fixture.get(&path).await.expect(200);
        names.extend(page.json()["value"].as_array().unwrap().iter().map(|value| value["name"].as_str().unwrap().to_owned()));
        let Some(token) = page.header("x-ms-continuationtoken") else { break };
        path = format!("{refs}?$top=2&continuationToken={token}&api-version=7.1");
    }
    assert_eq!(names, ["refs/heads/b", "refs/heads/main", "refs/tags/v1"]);
    let tags = fixture.get(&format!("{refs}?filter=tags/&peelTags=true&api-version=7.1")).await.json();
    assert_eq!((&tags["count"], tags["value"][0]["peeledObjectId"].as_str()), (&json!(1), Some(head.as_str())));

    let update = |name: &str, old: &str, new: &str| json!([{"name": name, "oldObjectId": old, "newObjectId": new}]);
    let path = format!("{refs}?api-version=7.1");
    let status = |answer: Answer| answer.expect(200).json()["value"][0]["updateStatus"].as_str().unwrap().to_owned();
    assert_eq!(status(fixture.call(Method::POST, &path, &update("refs/heads/c", ZERO, &head)).await), "succeeded");
    assert_eq!(status(fixture.call(Method::POST, &path, &update("refs/heads/c", ZERO, &head)).await), "staleOldObjectId");
    assert_eq!(status(fixture.call(Method::POST, &path, &update("refs/pull/1/merge", ZERO, &head)).await), "rejectedByPlugin");
    assert_eq!(status(fixture.call(Method::POST, &path, &update("refs/heads/d", ZERO, &"1".repeat(40))).await), "unresolvableToCommit");
    assert_eq!(status(fixture.call(Method::POST, &path, &update("refs/heads/c", &head, ZERO)).await), "succeeded");
    let locked = fixture.call(Method::PATCH, &format!("{refs}?filter=heads/b&api-version=7.1"), &json!({"isLocked": true})).await.expect(200).json();
    assert_eq!(locked["isLocked"], true);
    assert!(locked["isLockedBy"]["id"].is_string());
}
}

server_test! {
async fn commits_made_through_rest_are_seen_as_items_and_history() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("rest").await;
    let api = format!("/Main%20Project/_apis/git/repositories/{id}");
    let push = |old: &str, changes: Value| json!({
        "refUpdates": [{"name": "refs/heads/main", "oldObjectId": old}],
        "commits": [{"comment": "through REST", "changes": changes}],
    });
    let add = |path: &str, content: &str| json!({"changeType": "add", "item": {"path": path}, "newContent": {"content": content, "contentType": "rawtext"}});
    let made = fixture.call(Method::POST, &format!("{api}/pushes?api-version=7.1"), &push(ZERO, json!([add("/docs/Überblick.md", "hällo"), add("/a.txt", "a")]))).await.expect(201).json();
    let first = made["refUpdates"][0]["newObjectId"].as_str().unwrap();
    let stale = fixture.call(Method::POST, &format!("{api}/pushes?api-version=7.1"), &push(ZERO, json!([add("/b.txt", "b")]))).await;
    assert_eq!(stale.expect(409).json()["typeKey"], "GitReferenceStaleException");
    let change = json!([{"changeType": "delete", "item": {"path": "/a.txt"}}, {"changeType": "edit", "item": {"path": "/docs/Überblick.md"}, "newContent": {"content": "aGkgdGhlcmU=", "contentType": "base64encoded"}}]);
    fixture.call(Method::POST, &format!("{api}/pushes?api-version=7.1"), &push(first, change)).await.expect(201);

    let items = fixture.get(&format!("{api}/items?recursionLevel=full&api-version=7.1")).await.expect(200).json();
    let paths: Vec<&str> = items["value"].as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/", "/docs", "/docs/Überblick.md"]);
    let raw = fixture.send(Method::GET, &format!("{api}/items?path=/docs/%C3%9Cberblick.md&api-version=7.1"), &[("accept", "text/plain")], Vec::new()).await;
    assert_eq!(raw.expect(200).text(), "hi there");
    let old = fixture.get(&format!("{api}/items?path=/a.txt&includeContent=true&versionDescriptor.versionType=commit&versionDescriptor.version={first}&api-version=7.1")).await;
    assert_eq!(old.expect(200).json()["content"], "a");
    fixture.get(&format!("{api}/items?path=/a.txt&api-version=7.1")).await.expect(404);

    let commits = fixture.get(&format!("{api}/commits?searchCriteria.$top=5&api-version=7.1")).await.expect(200).json();
    assert_eq!(commits["count"], 2);
    assert_eq!(commits["value"][0]["changeCounts"], json!({"Add": 0, "Edit": 1, "Delete": 1}));
    assert_eq!(commits["value"][1]["commitId"], first);
    let changes = fixture.get(&format!("{api}/commits/{first}/changes?api-version=7.1")).await.expect(200).json();
    assert_eq!(changes["changes"].as_array().unwrap().len(), 2);
}
}

server_test! {
async fn lfs_objects_are_uploaded_verified_and_downloaded_by_the_links_of_the_batch() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("large").await;
    let content = b"some large object".repeat(1000);
    let oid = hex::encode(Sha256::digest(&content));
    let missing = hex::encode(Sha256::digest(b"missing"));
    let batch = format!("{}/info/lfs/objects/batch", fixture.remote("large"));
    let object = |oid: &str, size: usize| json!({"oid": oid, "size": size});
    let ask = |operation: &str| json!({"operation": operation, "transfers": ["basic"], "objects": [object(&oid, content.len()), object(&missing, 7)], "hash_algo": "sha256"});
    let none = fixture.call(Method::POST, &batch, &ask("download")).await.expect(200).json();
    assert_eq!(none["objects"][0]["error"]["code"], 404);

    let upload = fixture.call(Method::POST, &batch, &ask("upload")).await.expect(200).json();
    let actions = &upload["objects"][0]["actions"];
    let token = actions["upload"]["header"]["Authorization"].as_str().unwrap();
    let headers = [("authorization", token)];
    let wrong = actions["upload"]["href"].as_str().unwrap();
    fixture.send(Method::PUT, wrong, &headers, b"other bytes".to_vec()).await.expect(400);
    fixture.send(Method::PUT, wrong, &headers, content.clone()).await.expect(200);
    let verify = actions["verify"]["href"].as_str().unwrap();
    fixture.send(Method::POST, verify, &headers, object(&oid, content.len()).to_string().into_bytes()).await.expect(200);
    fixture.send(Method::POST, verify, &headers, object(&oid, 3).to_string().into_bytes()).await.expect(404);

    let download = fixture.call(Method::POST, &batch, &ask("download")).await.expect(200).json();
    assert_eq!(download["objects"][1]["error"]["code"], 404);
    let action = &download["objects"][0]["actions"]["download"];
    let token = action["header"]["Authorization"].as_str().unwrap();
    assert_ne!(token, fixture.authorization);
    let bytes = fixture.send(Method::GET, action["href"].as_str().unwrap(), &[("authorization", token)], Vec::new()).await.expect(200);
    assert_eq!(bytes.bytes, content);
    let again = fixture.call(Method::POST, &batch, &ask("upload")).await.json();
    assert!(again["objects"][0]["actions"].is_null());

    let copy = fixture.working_copy("work", 1);
    fixture.run(&copy, &["push", "-q", &fixture.remote("large"), "HEAD:refs/heads/main"]);
    let fork = json!({"name": "fork", "parentRepository": {"id": id}});
    let fork = fixture.call(Method::POST, "/Main%20Project/_apis/git/repositories?api-version=7.1", &fork).await.expect(201).json();
    assert_eq!((fork["isFork"].as_bool(), fork["parentRepository"]["id"].as_str()), (Some(true), Some(id.as_str())));
    assert_eq!(fork["defaultBranch"], "refs/heads/main");
    let batch = format!("{}/info/lfs/objects/batch", fixture.remote("fork"));
    let copied = fixture.call(Method::POST, &batch, &ask("download")).await.expect(200).json();
    assert!(copied["objects"][0]["actions"]["download"].is_object());
}
}

server_test! {
async fn tokens_without_the_scope_cannot_read_or_write_code() {
    let fixture = Fixture::new().await;
    fixture.repository("plain").await;
    let reader = fixture.simulator.add_pat("contoso", &["vso.code"]).await;
    let worker = fixture.simulator.add_pat("contoso", &["vso.work"]).await;
    let basic = |pat: &str| format!("Basic {}", STANDARD.encode(format!(":{pat}")));
    let refs = |service: &str| format!("{}/info/refs?service={service}", fixture.remote("plain"));
    let ask = async |pat: &str, path: String| fixture.send(Method::GET, &path, &[("authorization", &basic(pat))], Vec::new()).await.status;
    assert_eq!(ask(&reader, refs("git-upload-pack")).await, 200);
    assert_eq!(ask(&reader, refs("git-receive-pack")).await, 403);
    assert_eq!(ask(&worker, refs("git-upload-pack")).await, 403);
    assert_eq!(ask(&worker, fixture.url("/_apis/git/repositories?api-version=7.1")).await, 401);
}
}

server_test! {
async fn wiki_pages_live_in_a_hidden_repository() {
    let fixture = Fixture::new().await;
    let project = fixture.get("/_apis/projects/Main%20Project?api-version=7.1").await.expect(200).json()["id"].clone();
    let new = json!({"name": "Main Project.wiki", "projectId": project, "type": "projectWiki"});
    let wiki = fixture.call(Method::POST, "/Main%20Project/_apis/wiki/wikis?api-version=7.1", &new).await.expect(201).json();
    assert_eq!((wiki["id"].as_str(), wiki["type"].as_str()), (wiki["repositoryId"].as_str(), Some("projectWiki")));
    let listed = async |query: &str| fixture.get(&format!("/_apis/git/repositories?{query}api-version=7.1")).await.json()["count"].as_u64().unwrap();
    assert_eq!(listed("includeHidden=true&").await, listed("").await + 1);

    let pages = "/Main%20Project/_apis/wiki/wikis/Main%20Project.wiki/pages";
    let put = async |path: &str, content: &str, version: Option<&str>| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(version.map(|version| ("if-match", version)));
        let body = json!({"content": content}).to_string().into_bytes();
        fixture.send(Method::PUT, &format!("{pages}?path={path}&api-version=7.1"), &headers, body).await
    };
    let home = put("Home", "welcome", None).await.expect(201);
    let version = home.header("etag").unwrap().trim_matches('"').to_owned();
    assert_eq!(home.json()["gitItemPath"], "/Home.md");
    assert_eq!(put("/Home", "again", None).await.expect(409).json()["typeKey"], "WikiPageAlreadyExistsException");
    assert_eq!(put("/Home", "again", Some(&"0".repeat(40))).await.expect(412).json()["typeKey"], "WikiPageHasConflictsException");
    put("/Home", "changed", Some(&version)).await.expect(200);
    put("/Absent/child", "x", None).await.expect(404);
    put("/Home/How-to%20start", "steps", None).await.expect(201);
    put("/About", "us", None).await.expect(201);

    let tree = fixture.get(&format!("{pages}?path=/&recursionLevel=full&api-version=7.1")).await.expect(200).json();
    assert_eq!(tree["subPages"][0]["subPages"][0]["path"], "/Home/How-to start");
    assert_eq!(tree["subPages"][0]["subPages"][0]["gitItemPath"], "/Home/How%2Dto-start.md");
    assert_eq!(tree["subPages"][1]["path"], "/About");
    let read = fixture.get(&format!("{pages}?path=/Home&includeContent=true&api-version=7.1")).await.expect(200).json();
    assert_eq!((read["content"].as_str(), read["isParentPage"].as_bool()), (Some("changed"), Some(true)));
    let by_id = fixture.get(&format!("{pages}/{}?includeContent=true&api-version=7.1", read["id"])).await.expect(200).json();
    assert_eq!(by_id["path"], "/Home");

    let batch = "/Main%20Project/_apis/wiki/wikis/Main%20Project.wiki/pagesbatch?api-version=7.1";
    let first = fixture.call(Method::POST, batch, &json!({"top": 2})).await.expect(200);
    assert_eq!(first.json()["count"], 2);
    let token = first.header("x-ms-continuationtoken").unwrap();
    let last = fixture.call(Method::POST, batch, &json!({"top": 2, "continuationToken": token})).await.expect(200);
    assert_eq!((last.json()["count"].as_u64(), last.header("x-ms-continuationtoken")), (Some(1), None));

    let image = STANDARD.encode(b"\x89PNG").into_bytes();
    let attachments = "/Main%20Project/_apis/wiki/wikis/Main%20Project.wiki/attachments?name=a.png&api-version=7.1";
    let stored = fixture.send(Method::PUT, attachments, &[("content-type", "application/octet-stream")], image).await.expect(201).json();
    assert_eq!(stored["path"], "/.attachments/a.png");

    let clone = fixture.path("wiki");
    fixture.run(fixture.folder.path(), &["clone", "-q", &fixture.remote("Main%20Project.wiki"), clone.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(clone.join(".order")).unwrap(), "Home\nAbout");
    assert_eq!(std::fs::read(clone.join(".attachments/a.png")).unwrap(), b"\x89PNG");
    assert_eq!(std::fs::read_to_string(clone.join("Home/How%2Dto-start.md")).unwrap(), "steps");

    fixture.call(Method::DELETE, &format!("{pages}?path=/Home&api-version=7.1"), &Value::Null).await.expect(200);
    let gone = fixture.get(&format!("{pages}?path=/Home/How-to%20start&api-version=7.1")).await.expect(404).json();
    assert_eq!(gone["typeKey"], "WikiPageNotFoundException");
}
}

server_test! {
async fn a_code_wiki_shows_the_pages_of_its_folder() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("code").await;
    let copy = fixture.path("work");
    std::fs::create_dir_all(copy.join("docs")).unwrap();
    std::fs::write(copy.join("docs/Start.md"), "start").unwrap();
    std::fs::write(copy.join("README.md"), "outside").unwrap();
    fixture.run(&copy, &["init", "-q"]);
    fixture.run(&copy, &["add", "."]);
    fixture.run(&copy, &["commit", "-q", "-m", "docs"]);
    fixture.run(&copy, &["push", "-q", &fixture.remote("code"), "HEAD:refs/heads/main"]);
    let project = fixture.get("/_apis/projects/Main%20Project?api-version=7.1").await.json()["id"].clone();
    let new = json!({"name": "docs", "projectId": project, "type": "codeWiki", "repositoryId": id, "mappedPath": "/docs", "version": {"version": "main"}});
    let wiki = fixture.call(Method::POST, "/Main%20Project/_apis/wiki/wikis?api-version=7.1", &new).await.expect(201).json();
    let base = format!("/_apis/wiki/wikis/{}", wiki["id"].as_str().unwrap());
    let tree = fixture.get(&format!("{base}/pages?path=/&recursionLevel=oneLevel&api-version=7.1")).await.expect(200).json();
    assert_eq!(tree["subPages"].as_array().unwrap().len(), 1);
    assert_eq!(tree["subPages"][0]["gitItemPath"], "/docs/Start.md");
    fixture.call(Method::DELETE, &format!("{base}?api-version=7.1"), &Value::Null).await.expect(200);
    assert_eq!(fixture.get("/_apis/wiki/wikis?api-version=7.1").await.json()["count"], 0);
    fixture.get(&format!("/_apis/git/repositories/{id}?api-version=7.1")).await.expect(200);
}
}
