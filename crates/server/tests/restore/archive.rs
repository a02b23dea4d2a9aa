//! Parts of a snapshot as one download.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use server::access::Caller;
use tower::ServiceExt as _;

use crate::site::Site;

async fn download(site: &Site, path: &str) -> axum::response::Response {
    let request = Request::get(format!("/api/v1{path}"))
        .extension(Caller::local())
        .body(Body::empty())
        .unwrap();
    site.world.server.router().oneshot(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chosen_folders_come_as_a_zip() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let path = format!(
        "/snapshots/{}/archive?path=work-items&path=source.json",
        &snapshot[..8]
    );
    let answer = download(&site, &path).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let said = answer.headers()["content-disposition"].to_str().unwrap();
    assert_eq!(
        said,
        format!("attachment; filename=\"contoso-{}.zip\"", &snapshot[..8])
    );
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .unwrap();
    assert!(bytes.starts_with(b"PK\x03\x04"));
    assert!(
        memchr::memmem::find(&bytes, b"PK\x05\x06").is_some(),
        "it has its end"
    );
    assert!(memchr::memmem::find(&bytes, b"/work-item.json").is_some());
    for (path, status) in [
        ("", 400),
        ("?path=nowhere", 404),
        ("?path=work-items/../..", 404),
    ] {
        let path = format!("/snapshots/{snapshot}/archive{path}");
        assert_eq!(download(&site, &path).await.status(), status, "{path}");
    }
}

type Zip = zip::ZipArchive<Cursor<Vec<u8>>>;

async fn unzipped(site: &Site, path: &str) -> Zip {
    let answer = download(site, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
    zip::ZipArchive::new(Cursor::new(bytes.unwrap().into())).unwrap()
}

async fn items(site: &Site, snapshot: &str, query: &str) -> Vec<Value> {
    let path = format!("/snapshots/{snapshot}/items?limit=1000&{query}");
    let listed = site.world.get(&path).await.expect(200);
    listed["items"].as_array().unwrap().clone()
}

/// The folders of items at which the archive has something.
fn held(zip: &Zip, items: &[Value]) -> BTreeSet<String> {
    let paths = items.iter().map(|item| item["path"].as_str().unwrap());
    let has = |path: &&str| {
        zip.file_names()
            .any(|name| name.unwrap().starts_with(&format!("{path}/")))
    };
    paths.filter(has).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_comes_with_all_that_belongs_to_it_and_nothing_of_another() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let projects = items(&site, &snapshot, "kind=project").await;
    let [one, other, ..] = projects.as_slice() else {
        panic!("{projects:?}");
    };
    let (id, name) = (one["id"].as_str().unwrap(), one["name"].as_str().unwrap());
    let own = items(&site, &snapshot, &format!("project={id}")).await;
    let kinds: BTreeSet<&str> = own
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    for kind in ["project", "work-item", "git-repository"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    let name = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>();
    for project in [id, &name] {
        let path = format!("/snapshots/{snapshot}/archive?project={project}");
        let zip = unzipped(&site, &path).await;
        let all = own
            .iter()
            .map(|item| item["path"].as_str().unwrap().to_owned());
        assert_eq!(held(&zip, &own), all.collect());
        let foreign = format!("project={}", other["id"].as_str().unwrap());
        let foreign = items(&site, &snapshot, &foreign).await;
        assert!(!foreign.is_empty());
        assert_eq!(held(&zip, &foreign), BTreeSet::new());
    }
    let audit = site
        .world
        .get("/audit?action=snapshot.download")
        .await
        .expect(200);
    let paths = &audit["items"][0]["details"]["paths"];
    assert!(
        paths[0].as_str().unwrap().starts_with("project: "),
        "{audit}"
    );
    for (query, status) in [
        ("project=nobody", 404),
        ("project=", 400),
        ("kind=no-such", 404),
        ("whole=perhaps&path=git", 400),
        ("project=nobody&path=git", 404),
        ("whole=true&path=nowhere", 404),
    ] {
        let path = format!("/snapshots/{snapshot}/archive?{query}");
        assert_eq!(download(&site, &path).await.status(), status, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiki_comes_with_the_repository_of_its_pages() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let wikis = items(&site, &snapshot, "kind=wiki").await;
    let repositories = items(&site, &snapshot, "kind=git-repository").await;
    let wiki = wikis[0]["path"].as_str().unwrap();
    let by_path = format!("/snapshots/{snapshot}/archive?whole=true&path={wiki}");
    let mut zip = unzipped(&site, &by_path).await;
    let mut document = String::new();
    let mut file = zip.by_name(&format!("{wiki}/wiki.json")).unwrap();
    file.read_to_string(&mut document).unwrap();
    drop(file);
    let document: Value = serde_json::from_str(&document).unwrap();
    let pages = format!("git/{}", document["repositoryId"].as_str().unwrap());
    assert_eq!(held(&zip, &repositories), BTreeSet::from([pages.clone()]));
    let all = unzipped(&site, &format!("/snapshots/{snapshot}/archive?kind=wiki")).await;
    assert_eq!(held(&all, &wikis).len(), wikis.len());
    assert!(held(&all, &repositories).contains(&pages));
    let bare = unzipped(&site, &format!("/snapshots/{snapshot}/archive?path={wiki}")).await;
    assert!(held(&bare, &repositories).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiki_without_its_repository_says_so_in_the_archive() {
    let site = Site::new().await;
    let body = json!({ "connector": "contoso", "kinds": ["project", "wiki"] });
    let snapshot = site.back_up_of(&body).await;
    let mut zip = unzipped(&site, &format!("/snapshots/{snapshot}/archive?kind=wiki")).await;
    let mut said = String::new();
    let mut file = zip.by_name("left-out.txt").unwrap();
    file.read_to_string(&mut said).unwrap();
    assert!(
        said.contains("git-repository with its content is not in the snapshot"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_with_damage_in_it_never_looks_whole() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let path = format!("/snapshots/{snapshot}/archive?path=");
    // Opened while all is well.
    let answer = download(&site, &path).await;
    assert_eq!(answer.status(), 200);
    let data = site.world.folder.path().join("repository/data");
    let mut packs = Vec::new();
    for folder in std::fs::read_dir(data).unwrap() {
        for pack in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            packs.push(pack.unwrap().path());
        }
    }
    assert!(!packs.is_empty());
    for pack in packs {
        let size = std::fs::metadata(&pack).unwrap().len();
        let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a pack is damaged")]
        permissions.set_readonly(false);
        std::fs::set_permissions(&pack, permissions).unwrap();
        std::fs::write(&pack, vec![0; usize::try_from(size).unwrap()]).unwrap();
    }
    let read = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
    assert!(read.is_err(), "the connection breaks");
}
