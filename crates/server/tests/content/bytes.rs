//! Bytes as answers: what a browser makes of them, and parts of them.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use server::access::Caller;

use crate::world::World;

#[track_caller]
fn is_inert(headers: &HeaderMap) {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert!(header("content-security-policy").starts_with("sandbox; default-src 'none'"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin");
    let kind = header("content-type");
    let inert = [
        "text/plain; charset=utf-8",
        "application/octet-stream",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
    ];
    assert!(inert.contains(&kind.as_str()), "{kind}");
    assert!(headers.contains_key("content-disposition"));
}

#[tokio::test]
async fn stored_files_never_run_in_the_console() {
    let world = World::new().await;
    let hostile: [(&str, &[u8], &str, &str); 6] = [
        (
            "evil.html",
            b"<script>alert(1)</script>",
            "text/plain; charset=utf-8",
            "inline",
        ),
        (
            "evil.svg",
            b"<svg onload='alert(1)'/>",
            "text/plain; charset=utf-8",
            "inline",
        ),
        (
            "evil.js",
            b"alert(1)",
            "text/plain; charset=utf-8",
            "inline",
        ),
        (
            "evil.pdf",
            b"%PDF-1.7\n\0",
            "application/octet-stream",
            "attachment",
        ),
        (
            "photo.html",
            b"\x89PNG\r\n\x1a\n<script>",
            "image/png",
            "inline",
        ),
        ("empty", b"", "text/plain; charset=utf-8", "inline"),
    ];
    let files: BTreeMap<String, Vec<u8>> = hostile
        .iter()
        .map(|(name, bytes, ..)| ((*name).to_owned(), bytes.to_vec()))
        .collect();
    let id = world.snapshot("contoso", &files, &[]).await;
    for (name, bytes, kind, how) in hostile {
        let path = format!("/snapshots/{id}/content?path={name}");
        let answer = world.get(&path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, bytes);
        is_inert(&answer.headers);
        assert_eq!(answer.header("content-type"), kind, "{name}");
        assert!(
            answer.header("content-disposition").starts_with(how),
            "{name}"
        );
        let kept = world
            .get(&format!("{path}&download=x%0d%0aSet-Cookie:a.html"))
            .await;
        is_inert(&kept.headers);
        let named = kept.header("content-disposition");
        assert!(
            named.starts_with("attachment; filename=\"x__Set-Cookie_a.html\""),
            "{named}"
        );
        assert!(!kept.headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn parts_of_a_large_file_are_given_alone() {
    let world = World::new().await;
    let large: Vec<u8> = (0..3_500_000_u32).map(|at| (at / 7 % 256) as u8).collect();
    let files = BTreeMap::from([("large".to_owned(), large.clone())]);
    let id = world.snapshot("contoso", &files, &[]).await;
    let path = format!("/snapshots/{id}/content?path=large");
    let whole = world.get(&path).await;
    assert!(whole.body == large, "the whole");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("content-length"), "3500000");
    for (range, from, to) in [
        ("bytes=0-9", 0, 10),
        ("bytes=1048570-1048590", 1_048_570, 1_048_591),
        ("bytes=3499990-", 3_499_990, 3_500_000),
        ("bytes=-2500000", 1_000_000, 3_500_000),
        ("bytes=0-99999999", 0, 3_500_000),
    ] {
        let part = world.ask(Caller::local(), &path, &[("range", range)]).await;
        assert_eq!(part.status, 206, "{range}");
        is_inert(&part.headers);
        assert!(part.body == large[from..to], "{range}");
        let told = format!("bytes {from}-{}/3500000", to - 1);
        assert_eq!(part.header("content-range"), told);
    }
    let beyond = world
        .ask(Caller::local(), &path, &[("range", "bytes=3500000-")])
        .await;
    beyond.refuses(416, "range-refused");
    let several = [("range", "bytes=0-1,5-6")];
    let several = world.ask(Caller::local(), &path, &several).await;
    assert_eq!(several.status, 200);
}
