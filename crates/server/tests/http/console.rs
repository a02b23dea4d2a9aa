//! The console's page and files, or what stands in their place.

use axum::body::Body;
use axum::http::Request;

use crate::support::{Answer, World};

async fn browse(world: &World, path: &str) -> Answer {
    let request = Request::get(path).header("accept", "text/html,*/*");
    world.nobody(request.body(Body::empty()).unwrap()).await
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// The sources that a directive of the policy allows.
fn sources(policy: &str, directive: &str) -> String {
    let mut all = policy.split(';').map(str::trim);
    let found = all.find_map(|one| one.strip_prefix(directive)?.strip_prefix(' '));
    found
        .unwrap_or_else(|| panic!("no {directive}: {policy}"))
        .to_owned()
}

/// Tests run with a console and without: both are answers for people.
#[tokio::test]
async fn every_deep_link_is_a_page_with_a_policy_of_its_own_or_says_how_to_get_one() {
    let world = World::new().await;
    let mut nonces = Vec::new();
    for path in [
        "/",
        "/connectors/contoso?tab=checks",
        "/snapshots/0/item/wiki/a%2Fb",
    ] {
        let answer = browse(&world, path).await;
        let page = text(&answer);
        if answer.status == 404 {
            assert!(page.contains("built without its console"), "{page}");
            assert!(page.contains("make console"), "{page}");
            continue;
        }
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy").to_owned();
        assert_eq!(sources(&policy, "default-src"), "'none'");
        assert_eq!(sources(&policy, "script-src"), "'self'");
        assert_eq!(sources(&policy, "connect-src"), "'self'");
        assert_eq!(sources(&policy, "frame-ancestors"), "'none'");
        let styles = sources(&policy, "style-src-elem");
        assert!(!styles.contains("unsafe"), "{styles}");
        let nonce = styles
            .split('\'')
            .find_map(|one| one.strip_prefix("nonce-"));
        let nonce = nonce.unwrap().to_owned();
        assert!(page.contains(&nonce), "the page knows its nonce");
        assert!(!page.contains("{{nonce}}"));
        nonces.push(nonce);
    }
    let all = nonces.len();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), all, "no nonce is used twice");
}

#[tokio::test]
async fn what_is_no_page_is_a_problem_also_for_browsers() {
    let world = World::new().await;
    for path in [
        "/api/v1/nothing",
        "/api/nothing",
        "/assets/gone.js",
        "/assets/../../etc/passwd",
    ] {
        let answer = browse(&world, path).await;
        answer.refuses(404, "path-unknown");
    }
    let request = Request::post("/connectors")
        .header("accept", "text/html")
        .body(Body::empty())
        .unwrap();
    world.nobody(request).await.refuses(404, "path-unknown");
}
