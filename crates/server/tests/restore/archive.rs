//! Parts of a snapshot as one download.

use axum::body::Body;
use axum::http::Request;
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
