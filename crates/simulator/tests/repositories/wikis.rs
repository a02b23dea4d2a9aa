//! Wikis and their pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture};

const WIKI: &str = "/Main%20Project/_apis/wiki/wikis/Main%20Project.wiki";

/// A project wiki with the pages Home, one below it, and About.
struct Wiki {
    fixture: Fixture,
}

impl Wiki {
    async fn empty() -> Self {
        let fixture = Fixture::new().await;
        let project = fixture
            .read("/_apis/projects/Main%20Project?api-version=7.1")
            .await["id"]
            .clone();
        let new = json!({"name": "Main Project.wiki", "projectId": project, "type": "projectWiki"});
        let all = "/Main%20Project/_apis/wiki/wikis?api-version=7.1";
        let wiki = fixture.told(201, Method::POST, all, &new).await;
        assert_eq!(
            (wiki["id"].as_str(), wiki["type"].as_str()),
            (wiki["repositoryId"].as_str(), Some("projectWiki"))
        );
        Self { fixture }
    }

    async fn with_pages() -> Self {
        let wiki = Self::empty().await;
        for (path, content) in [
            ("Home", "welcome"),
            ("/Home/How-to%20start", "steps"),
            ("/About", "us"),
        ] {
            wiki.put(path, content, None).await.expect(201);
        }
        wiki
    }

    async fn put(&self, path: &str, content: &str, version: Option<&str>) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(version.map(|version| ("if-match", version)));
        let body = json!({"content": content}).to_string().into_bytes();
        let path = format!("{WIKI}/pages?path={path}&api-version=7.1");
        self.fixture.send(Method::PUT, &path, &headers, body).await
    }

    async fn page(&self, query: &str) -> Value {
        let path = format!("{WIKI}/pages{query}&api-version=7.1");
        self.fixture.read(&path).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_repository_of_a_project_wiki_is_hidden() {
    let wiki = Wiki::empty().await;
    let count = async |query: &str| {
        let path = format!("/_apis/git/repositories?{query}api-version=7.1");
        wiki.fixture.read(&path).await["count"].as_u64().unwrap()
    };
    assert_eq!(count("includeHidden=true&").await, count("").await + 1);
}

/// Pages - Create Or Update: "the `ETag` … as If-Match to update the page".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_changed_by_the_version_that_its_writer_saw() {
    let wiki = Wiki::empty().await;
    let home = wiki.put("Home", "welcome", None).await.expect(201);
    let version = home.header("etag").unwrap().trim_matches('"').to_owned();
    assert_eq!(home.json()["gitItemPath"], "/Home.md");
    let stale = "0".repeat(40);
    for (version, status, kind) in [
        (None, 409, "WikiPageAlreadyExistsException"),
        (Some(stale.as_str()), 412, "WikiPageHasConflictsException"),
    ] {
        let refused = wiki.put("/Home", "again", version).await;
        assert_eq!(refused.expect(status).json()["typeKey"], kind);
    }
    let changed = wiki.put("/Home", "changed", Some(&version)).await;
    changed.expect(200);
    let read = wiki.page("?path=/Home&includeContent=true").await;
    assert_eq!(read["content"], "changed");
    wiki.put("/Absent/child", "x", None).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_form_a_tree_and_have_numbers() {
    let wiki = Wiki::with_pages().await;
    let tree = wiki.page("?path=/&recursionLevel=full").await;
    let below = &tree["subPages"][0]["subPages"][0];
    assert_eq!(below["path"], "/Home/How-to start");
    assert_eq!(below["gitItemPath"], "/Home/How%2Dto-start.md");
    assert_eq!(tree["subPages"][1]["path"], "/About");
    let home = wiki.page("?path=/Home").await;
    assert_eq!(home["isParentPage"], true);
    let by_id = wiki
        .page(&format!("/{}?includeContent=true", home["id"]))
        .await;
    assert_eq!(
        (by_id["path"].as_str(), by_id["content"].as_str()),
        (Some("/Home"), Some("welcome"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_come_in_batches() {
    let wiki = Wiki::with_pages().await;
    let batch = format!("{WIKI}/pagesbatch?api-version=7.1");
    let ask = async |body: Value| {
        let answer = wiki.fixture.call(Method::POST, &batch, &body).await;
        answer.expect(200)
    };
    let first = ask(json!({"top": 2})).await;
    assert_eq!(first.json()["count"], 2);
    let token = first.header("x-ms-continuationtoken").unwrap();
    let last = ask(json!({"top": 2, "continuationToken": token})).await;
    assert_eq!(last.json()["count"], 1);
    assert_eq!(last.header("x-ms-continuationtoken"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clone_holds_what_the_pages_show() {
    let wiki = Wiki::with_pages().await;
    let image = STANDARD.encode(b"\x89PNG").into_bytes();
    let path = format!("{WIKI}/attachments?name=a.png&api-version=7.1");
    let headers = [("content-type", "application/octet-stream")];
    let fixture = &wiki.fixture;
    let stored = fixture.send(Method::PUT, &path, &headers, image).await;
    assert_eq!(stored.expect(201).json()["path"], "/.attachments/a.png");
    let (clone, remote) = (fixture.path("wiki"), fixture.remote("Main%20Project.wiki"));
    let arguments = ["clone", "-q", &remote, clone.to_str().unwrap()];
    fixture.run(fixture.folder.path(), &arguments);
    for (path, content) in [
        (".order", &b"Home\nAbout"[..]),
        (".attachments/a.png", &b"\x89PNG"[..]),
        ("Home/How%2Dto-start.md", &b"steps"[..]),
    ] {
        assert_eq!(std::fs::read(clone.join(path)).unwrap(), content, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_goes_with_those_below_it() {
    let wiki = Wiki::with_pages().await;
    let home = format!("{WIKI}/pages?path=/Home&api-version=7.1");
    let fixture = &wiki.fixture;
    fixture.told(200, Method::DELETE, &home, &Value::Null).await;
    let below = format!("{WIKI}/pages?path=/Home/How-to%20start&api-version=7.1");
    let gone = fixture.get(&below).await.expect(404).json();
    assert_eq!(gone["typeKey"], "WikiPageNotFoundException");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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
    fixture.run(
        &copy,
        &[
            "push",
            "-q",
            &fixture.remote("code"),
            "HEAD:refs/heads/main",
        ],
    );
    let project = fixture
        .get("/_apis/projects/Main%20Project?api-version=7.1")
        .await
        .json()["id"]
        .clone();
    let new = json!({"name": "docs", "projectId": project, "type": "codeWiki", "repositoryId": id, "mappedPath": "/docs", "version": {"version": "main"}});
    let wiki = fixture
        .told(
            201,
            Method::POST,
            "/Main%20Project/_apis/wiki/wikis?api-version=7.1",
            &new,
        )
        .await;
    let base = format!("/_apis/wiki/wikis/{}", wiki["id"].as_str().unwrap());
    let tree = fixture
        .read(&format!(
            "{base}/pages?path=/&recursionLevel=oneLevel&api-version=7.1"
        ))
        .await;
    assert_eq!(tree["subPages"].as_array().unwrap().len(), 1);
    assert_eq!(tree["subPages"][0]["gitItemPath"], "/docs/Start.md");
    fixture
        .told(
            200,
            Method::DELETE,
            &format!("{base}?api-version=7.1"),
            &Value::Null,
        )
        .await;
    assert_eq!(
        fixture
            .get("/_apis/wiki/wikis?api-version=7.1")
            .await
            .json()["count"],
        0
    );
    fixture
        .get(&format!("/_apis/git/repositories/{id}?api-version=7.1"))
        .await
        .expect(200);
}
