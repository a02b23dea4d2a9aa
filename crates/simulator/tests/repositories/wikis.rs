//! Wikis and their pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::Fixture;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wiki_pages_live_in_a_hidden_repository() {
    let fixture = Fixture::new().await;
    let project = fixture
        .read("/_apis/projects/Main%20Project?api-version=7.1")
        .await["id"]
        .clone();
    let new = json!({"name": "Main Project.wiki", "projectId": project, "type": "projectWiki"});
    let wiki = fixture
        .told(
            201,
            Method::POST,
            "/Main%20Project/_apis/wiki/wikis?api-version=7.1",
            &new,
        )
        .await;
    assert_eq!(
        (wiki["id"].as_str(), wiki["type"].as_str()),
        (wiki["repositoryId"].as_str(), Some("projectWiki"))
    );
    let listed = async |query: &str| {
        fixture
            .get(&format!("/_apis/git/repositories?{query}api-version=7.1"))
            .await
            .json()["count"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(listed("includeHidden=true&").await, listed("").await + 1);

    let pages = "/Main%20Project/_apis/wiki/wikis/Main%20Project.wiki/pages";
    let put = async |path: &str, content: &str, version: Option<&str>| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(version.map(|version| ("if-match", version)));
        let body = json!({"content": content}).to_string().into_bytes();
        fixture
            .send(
                Method::PUT,
                &format!("{pages}?path={path}&api-version=7.1"),
                &headers,
                body,
            )
            .await
    };
    let home = put("Home", "welcome", None).await.expect(201);
    let version = home.header("etag").unwrap().trim_matches('"').to_owned();
    assert_eq!(home.json()["gitItemPath"], "/Home.md");
    assert_eq!(
        put("/Home", "again", None).await.expect(409).json()["typeKey"],
        "WikiPageAlreadyExistsException"
    );
    assert_eq!(
        put("/Home", "again", Some(&"0".repeat(40)))
            .await
            .expect(412)
            .json()["typeKey"],
        "WikiPageHasConflictsException"
    );
    put("/Home", "changed", Some(&version)).await.expect(200);
    put("/Absent/child", "x", None).await.expect(404);
    put("/Home/How-to%20start", "steps", None).await.expect(201);
    put("/About", "us", None).await.expect(201);

    let tree = fixture
        .read(&format!(
            "{pages}?path=/&recursionLevel=full&api-version=7.1"
        ))
        .await;
    assert_eq!(
        tree["subPages"][0]["subPages"][0]["path"],
        "/Home/How-to start"
    );
    assert_eq!(
        tree["subPages"][0]["subPages"][0]["gitItemPath"],
        "/Home/How%2Dto-start.md"
    );
    assert_eq!(tree["subPages"][1]["path"], "/About");
    let read = fixture
        .read(&format!(
            "{pages}?path=/Home&includeContent=true&api-version=7.1"
        ))
        .await;
    assert_eq!(
        (read["content"].as_str(), read["isParentPage"].as_bool()),
        (Some("changed"), Some(true))
    );
    let by_id = fixture
        .read(&format!(
            "{pages}/{}?includeContent=true&api-version=7.1",
            read["id"]
        ))
        .await;
    assert_eq!(by_id["path"], "/Home");

    let batch = "/Main%20Project/_apis/wiki/wikis/Main%20Project.wiki/pagesbatch?api-version=7.1";
    let first = fixture
        .call(Method::POST, batch, &json!({"top": 2}))
        .await
        .expect(200);
    assert_eq!(first.json()["count"], 2);
    let token = first.header("x-ms-continuationtoken").unwrap();
    let last = fixture
        .call(
            Method::POST,
            batch,
            &json!({"top": 2, "continuationToken": token}),
        )
        .await
        .expect(200);
    assert_eq!(
        (
            last.json()["count"].as_u64(),
            last.header("x-ms-continuationtoken")
        ),
        (Some(1), None)
    );

    let image = STANDARD.encode(b"\x89PNG").into_bytes();
    let attachments = "/Main%20Project/_apis/wiki/wikis/Main%20Project.wiki/attachments?name=a.png&api-version=7.1";
    let stored = fixture
        .send(
            Method::PUT,
            attachments,
            &[("content-type", "application/octet-stream")],
            image,
        )
        .await
        .expect(201)
        .json();
    assert_eq!(stored["path"], "/.attachments/a.png");

    let clone = fixture.path("wiki");
    fixture.run(
        fixture.folder.path(),
        &[
            "clone",
            "-q",
            &fixture.remote("Main%20Project.wiki"),
            clone.to_str().unwrap(),
        ],
    );
    assert_eq!(
        std::fs::read_to_string(clone.join(".order")).unwrap(),
        "Home\nAbout"
    );
    assert_eq!(
        std::fs::read(clone.join(".attachments/a.png")).unwrap(),
        b"\x89PNG"
    );
    assert_eq!(
        std::fs::read_to_string(clone.join("Home/How%2Dto-start.md")).unwrap(),
        "steps"
    );

    fixture
        .told(
            200,
            Method::DELETE,
            &format!("{pages}?path=/Home&api-version=7.1"),
            &Value::Null,
        )
        .await;
    let gone = fixture
        .get(&format!(
            "{pages}?path=/Home/How-to%20start&api-version=7.1"
        ))
        .await
        .expect(404)
        .json();
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
