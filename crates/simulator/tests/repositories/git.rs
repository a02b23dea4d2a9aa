//! Fetching and pushing with the `git` program and LFS.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::fixture::{Answer, Fixture};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pushed_can_be_cloned_in_both_protocols_and_sets_the_default_branch() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("round trip").await;
    let copy = fixture.working_copy("work", 5);
    let remote = fixture.remote("round%20trip");
    fixture.run(
        &copy,
        &[
            "push",
            "-q",
            &remote,
            "HEAD:refs/heads/main",
            "HEAD~2:refs/heads/release/1.0",
            "v1",
        ],
    );
    let shown = fixture
        .read(&format!("/_apis/git/repositories/{id}?api-version=7.1"))
        .await;
    assert_eq!(shown["defaultBranch"], "refs/heads/main");
    assert!(shown["size"].as_u64().unwrap() > 0);
    for version in ["0", "2"] {
        let mirror = fixture.path(&format!("mirror{version}"));
        let protocol = format!("protocol.version={version}");
        fixture.run(
            fixture.folder.path(),
            &[
                "-c",
                &protocol,
                "clone",
                "-q",
                "--mirror",
                &remote,
                mirror.to_str().unwrap(),
            ],
        );
        fixture.run(&mirror, &["fsck", "--full", "--strict"]);
        let refs = fixture.run(&mirror, &["for-each-ref", "--format=%(refname)"]);
        assert_eq!(
            refs,
            "refs/heads/main\nrefs/heads/release/1.0\nrefs/tags/v1"
        );
        assert_eq!(
            fixture.run(&mirror, &["symbolic-ref", "HEAD"]),
            "refs/heads/main"
        );
    }
    let full = fixture.url("/Main%20Project/_git/_full/round%20trip");
    assert_eq!(
        fixture
            .run(&copy, &["ls-remote", &full, "refs/heads/*"])
            .lines()
            .count(),
        2
    );
    let pushes = fixture.get(&format!("/_apis/git/repositories/{id}/pushes?searchCriteria.includeRefUpdates=true&api-version=7.1")).await.json();
    assert_eq!(pushes["count"], 1);
    assert_eq!(
        pushes["value"][0]["refUpdates"].as_array().unwrap().len(),
        3
    );
    fixture.simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_does_not_fit_the_post_buffer_streams_and_incremental_fetches_follow() {
    let fixture = Fixture::new().await;
    fixture.repository("big").await;
    let copy = fixture.working_copy("work", 1);
    let remote = fixture.remote("big");
    fixture.run(&copy, &["push", "-q", &remote, "HEAD:refs/heads/main"]);
    let mirror = fixture.path("mirror");
    fixture.run(
        fixture.folder.path(),
        &["clone", "-q", "--mirror", &remote, mirror.to_str().unwrap()],
    );
    let mut state = 1u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(400_000)
    .collect();
    std::fs::write(copy.join("noise"), noise).unwrap();
    fixture.run(&copy, &["add", "."]);
    fixture.run(&copy, &["commit", "-q", "-m", "noise"]);
    fixture.run(
        &copy,
        &[
            "-c",
            "http.postBuffer=65536",
            "push",
            "-q",
            &remote,
            "HEAD:refs/heads/main",
        ],
    );
    fixture.run(&mirror, &["fetch", "-q", "--prune"]);
    assert_eq!(
        fixture.run(&mirror, &["rev-parse", "refs/heads/main"]),
        fixture.run(&copy, &["rev-parse", "HEAD"])
    );
    let shallow = fixture.path("shallow");
    fixture.run(
        fixture.folder.path(),
        &[
            "clone",
            "-q",
            "--depth",
            "1",
            &remote,
            shallow.to_str().unwrap(),
        ],
    );
    assert_eq!(fixture.run(&shallow, &["rev-list", "--count", "HEAD"]), "1");
    fixture.run(&copy, &["push", "-q", &remote, ":refs/heads/main"]);
    assert_eq!(fixture.run(&copy, &["ls-remote", &remote]), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_get_the_vendors_advertisement_and_refusals() {
    let fixture = Fixture::new().await;
    fixture.repository("plain").await;
    let remote = fixture.remote("plain");
    let refs = format!("{remote}/info/refs?service=git-upload-pack");
    let empty = fixture
        .send(
            Method::GET,
            &refs,
            &[("git-protocol", "version=2")],
            Vec::new(),
        )
        .await
        .expect(200);
    assert_eq!(empty.bytes, b"001e# service=git-upload-pack\n00000000");
    assert_eq!(
        empty.header("content-type"),
        Some("application/x-git-upload-pack-advertisement")
    );
    let copy = fixture.working_copy("work", 2);
    fixture.run(&copy, &["push", "-q", &remote, "HEAD:refs/heads/main"]);
    let shown = fixture
        .send(
            Method::GET,
            &refs,
            &[("git-protocol", "version=2")],
            Vec::new(),
        )
        .await
        .expect(200)
        .text();
    let capabilities = "HEAD\0 multi_ack thin-pack side-band side-band-64k no-progress multi_ack_detailed no-done shallow \
        allow-tip-sha1-in-want filter symref=HEAD:refs/heads/main\n";
    assert!(shown.contains(capabilities), "{shown}");

    let head = fixture.run(&copy, &["rev-parse", "HEAD"]);
    let want = format!("want {head} side-band-64k ofs-delta\n");
    let body = format!("{:04x}{want}00000009done\n", want.len() + 4);
    let headers = [("content-type", "application/x-git-upload-pack-request")];
    let pack = format!("{remote}/git-upload-pack");
    let refused = fixture
        .send(Method::POST, &pack, &headers, body.clone().into_bytes())
        .await
        .expect(400);
    assert!(refused.text().starts_with("TF401041"), "{}", refused.text());
    let accepted = body
        .replace("side-band-64k ofs-delta", "multi_ack_detailed")
        .replacen(
            &format!("{:04x}", want.len() + 4),
            &format!("{:04x}", want.len() - 1),
            1,
        );
    let answer = fixture
        .send(Method::POST, &pack, &headers, accepted.into_bytes())
        .await
        .expect(200);
    assert!(answer.bytes.windows(4).any(|window| window == b"PACK"));

    let anonymous = fixture.client.get(&refs).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    assert!(
        anonymous
            .headers()
            .get_all("www-authenticate")
            .iter()
            .any(|value| value.to_str().unwrap().starts_with("Basic"))
    );
    let missing = fixture
        .send(
            Method::GET,
            &refs.replace("plain", "absent"),
            &[],
            Vec::new(),
        )
        .await
        .expect(404);
    assert!(missing.text().starts_with("TF401019"), "{}", missing.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pull_request_refs_cannot_be_pushed_and_other_refs_of_the_push_can() {
    let fixture = Fixture::new().await;
    fixture.repository("plain").await;
    let copy = fixture.working_copy("work", 1);
    let output = fixture.git(
        &copy,
        &[
            "push",
            &fixture.remote("plain"),
            "HEAD:refs/heads/main",
            "HEAD:refs/pull/1/merge",
        ],
    );
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        words.contains("(The current action can only be performed by the system.)"),
        "{words}"
    );
    assert_eq!(
        fixture
            .run(&copy, &["ls-remote", &fixture.remote("plain"), "refs/*"])
            .lines()
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limited_refs_hide_the_branches_of_others_but_not_from_the_full_address() {
    let fixture = Fixture::new().await;
    let id = fixture.repository("limited").await;
    let copy = fixture.working_copy("work", 1);
    fixture.run(
        &copy,
        &[
            "push",
            "-q",
            &fixture.remote("limited"),
            "HEAD:refs/heads/main",
            "HEAD:refs/heads/own",
            "v1",
        ],
    );
    let names = |variant: &str| {
        let url = fixture.url(&format!("/Main%20Project/_git/{variant}limited"));
        let listed = fixture.run(
            &copy,
            &[
                "ls-remote",
                &url,
                "refs/heads/*",
                "refs/tags/v1",
                "refs/pull/*",
            ],
        );
        listed
            .lines()
            .map(|line| line.split('\t').nth(1).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = [
        "refs/heads/main",
        "refs/heads/other",
        "refs/heads/own",
        "refs/pull/1/merge",
        "refs/tags/v1",
    ];
    // Made on the disk, these are nobody's.
    let state = fixture.control(Method::GET, "/__state", &Value::Null).await;
    let bare = state["repositories"]
        .as_array()
        .unwrap()
        .iter()
        .find(|repository| repository["id"] == id.as_str())
        .unwrap()["repositoryPath"]
        .as_str()
        .unwrap()
        .to_owned();
    for name in ["refs/heads/other", "refs/pull/1/merge"] {
        fixture.run(Path::new(&bare), &["update-ref", name, "refs/heads/main"]);
    }
    let few = ["refs/heads/main", "refs/heads/own", "refs/tags/v1"];
    assert_eq!(
        (names(""), names("_full/"), names("_optimized/")),
        (
            all.map(str::to_owned).to_vec(),
            all.map(str::to_owned).to_vec(),
            few.map(str::to_owned).to_vec()
        )
    );
    fixture
        .control(
            Method::POST,
            "/__repositories",
            &json!({"repository": id, "limitedRefs": true}),
        )
        .await;
    assert_eq!(
        (names(""), names("_full/")),
        (
            few.map(str::to_owned).to_vec(),
            all.map(str::to_owned).to_vec()
        )
    );
}

/// A repository and two LFS objects, of which only one is ever uploaded.
struct Lfs {
    fixture: Fixture,
    repository: String,
    content: Vec<u8>,
}

impl Lfs {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let repository = fixture.repository("large").await;
        let content = b"some large object".repeat(1000);
        Self {
            fixture,
            repository,
            content,
        }
    }

    /// `Pointer` of the uploaded object, with a size that may be a lie.
    fn object(&self, size: usize) -> Value {
        json!({"oid": hex::encode(Sha256::digest(&self.content)), "size": size})
    }

    /// What the batch says of both objects.
    async fn batch(&self, repository: &str, operation: &str) -> Value {
        let missing = json!({"oid": hex::encode(Sha256::digest(b"missing")), "size": 7});
        let body = json!({"operation": operation, "transfers": ["basic"], "objects": [self.object(self.content.len()), missing], "hash_algo": "sha256"});
        let path = format!("{}/info/lfs/objects/batch", self.fixture.remote(repository));
        let told = self.fixture.told(200, Method::POST, &path, &body).await;
        told["objects"].clone()
    }

    /// Follows a link of the batch with the headers that it names.
    async fn follow(&self, method: Method, action: &Value, body: Vec<u8>) -> Answer {
        let token = action["header"]["Authorization"].as_str().unwrap();
        assert_ne!(token, self.fixture.authorization);
        let url = action["href"].as_str().unwrap();
        let headers = [("authorization", token)];
        self.fixture.send(method, url, &headers, body).await
    }

    async fn upload(&self) {
        let actions = self.batch("large", "upload").await[0]["actions"].clone();
        let body = self.content.clone();
        let put = self.follow(Method::PUT, &actions["upload"], body).await;
        put.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lfs_objects_are_uploaded_verified_and_downloaded_by_the_links_of_the_batch() {
    let lfs = Lfs::new().await;
    let none = lfs.batch("large", "download").await;
    assert_eq!(none[0]["error"]["code"], 404);

    let actions = lfs.batch("large", "upload").await[0]["actions"].clone();
    let wrong = b"other bytes".to_vec();
    let refused = lfs.follow(Method::PUT, &actions["upload"], wrong).await;
    refused.expect(400);
    lfs.upload().await;
    for (size, status) in [(lfs.content.len(), 200), (3, 404)] {
        let body = lfs.object(size).to_string().into_bytes();
        let verified = lfs.follow(Method::POST, &actions["verify"], body).await;
        verified.expect(status);
    }

    let download = lfs.batch("large", "download").await;
    assert_eq!(download[1]["error"]["code"], 404);
    let action = &download[0]["actions"]["download"];
    let bytes = lfs.follow(Method::GET, action, Vec::new()).await;
    assert_eq!(bytes.expect(200).bytes, lfs.content);
    let again = lfs.batch("large", "upload").await;
    assert!(again[0]["actions"].is_null());
}

/// "409 - The specified hash algorithm disagrees with the server's acceptable options"; "422 - Validation error" (git-lfs, batch API).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_cannot_be_served_is_refused_as_a_whole() {
    let lfs = Lfs::new().await;
    let path = format!("{}/info/lfs/objects/batch", lfs.fixture.remote("large"));
    for (member, value, status) in [
        ("hash_algo", json!("sha512"), 409),
        ("transfers", json!(["lfs-standalone-file"]), 422),
        ("operation", json!("verify"), 422),
    ] {
        let mut body = json!({"operation": "download", "objects": [lfs.object(1)]});
        body[member] = value;
        let told = lfs.fixture.told(status, Method::POST, &path, &body).await;
        assert!(told["message"].is_string(), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_has_the_lfs_objects_of_its_parent() {
    let lfs = Lfs::new().await;
    lfs.upload().await;
    let (fixture, id) = (&lfs.fixture, lfs.repository.as_str());
    let copy = fixture.working_copy("work", 1);
    fixture.push(&copy, "large", &["HEAD:refs/heads/main"]);
    let all = "/Main%20Project/_apis/git/repositories?api-version=7.1";
    let new = json!({"name": "fork", "parentRepository": {"id": id}});
    let fork = fixture.told(201, Method::POST, all, &new).await;
    assert_eq!(
        (
            fork["isFork"].as_bool(),
            fork["parentRepository"]["id"].as_str()
        ),
        (Some(true), Some(id))
    );
    assert_eq!(fork["defaultBranch"], "refs/heads/main");
    let copied = lfs.batch("fork", "download").await;
    assert!(copied[0]["actions"]["download"].is_object());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_without_the_scope_cannot_read_or_write_code() {
    let fixture = Fixture::new().await;
    fixture.repository("plain").await;
    let reader = fixture.simulator.add_pat("contoso", &["vso.code"]).await;
    let worker = fixture.simulator.add_pat("contoso", &["vso.work"]).await;
    let basic = |pat: &str| format!("Basic {}", STANDARD.encode(format!(":{pat}")));
    let refs = |service: &str| format!("{}/info/refs?service={service}", fixture.remote("plain"));
    let ask = async |pat: &str, path: String| {
        fixture
            .send(
                Method::GET,
                &path,
                &[("authorization", &basic(pat))],
                Vec::new(),
            )
            .await
            .status
    };
    assert_eq!(ask(&reader, refs("git-upload-pack")).await, 200);
    assert_eq!(ask(&reader, refs("git-receive-pack")).await, 403);
    assert_eq!(ask(&worker, refs("git-upload-pack")).await, 403);
    assert_eq!(
        ask(
            &worker,
            fixture.url("/_apis/git/repositories?api-version=7.1")
        )
        .await,
        401
    );
}
