//! Identity providers are asked where the rules for outgoing requests allow it, and get no secret that was meant for another one.

use axum::http::StatusCode;
use model::Role;
use serde_json::json;
use server::Options;

use crate::harness::{As, World};
use crate::provider::Provider;

fn entra(issuer: &str) -> serde_json::Value {
    json!({ "title": "Entra", "issuer": issuer, "client_id": "keepward", "roles": { "all": ["viewer"] } })
}

#[tokio::test]
async fn an_issuer_on_this_machine_is_not_asked() {
    let world = World::with_options(Options {
        public_url: Some("http://127.0.0.1:8480".parse().unwrap()),
        ..Options::default()
    })
    .await;
    let root = world.with("root", &[Role::Admin]).await;
    let here = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    here.set_nonblocking(true).unwrap();
    let port = here.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost"] {
        let body = entra(&format!("http://{host}:{port}"));
        let put = world
            .send(&root, "PUT", "/identity-providers/entra", Some(body))
            .await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
        let left = world
            .send(&As::nobody(), "GET", "/sign-in/entra", None)
            .await;
        let to = left.header("location");
        assert_eq!(to, "/sign-in?error=identity-provider-away", "{host}");
        let asked = here.accept().map(drop).unwrap_err();
        assert_eq!(asked.kind(), std::io::ErrorKind::WouldBlock, "{host}");
    }
}

#[tokio::test]
async fn the_secret_of_one_issuer_is_forgotten_when_another_takes_its_place() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let (one, other) = (Provider::start().await, Provider::start().await);
    let path = "/identity-providers/entra";
    let put = async |issuer: &str, title: &str| {
        let mut body = entra(issuer);
        body["title"] = json!(title);
        let put = world.send(&root, "PUT", path, Some(body)).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    };
    let kept = async || {
        let (catalog, kek) = (world.catalog(), &world.server.control.kek);
        let found = catalog.get_credential(kek, "identity-provider/entra").await;
        found.unwrap().is_some()
    };
    put(one.issuer(), "Entra").await;
    let secret = json!({ "client_secret": "for this one alone" });
    let path = format!("{path}/client-secret");
    let set = world.send(&root, "PUT", &path, Some(secret)).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{}", set.text);
    put(one.issuer(), "Another title").await;
    assert!(kept().await);
    put(other.issuer(), "Entra").await;
    assert!(!kept().await);
}

/// Anybody can begin to sign in.
#[tokio::test]
async fn beginning_to_sign_in_again_and_again_asks_the_provider_once() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let provider = Provider::start().await;
    let body = entra(provider.issuer());
    let path = "/identity-providers/entra";
    let put = world.send(&root, "PUT", path, Some(body)).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let leave = async || {
        let nobody = As::nobody();
        let left = world.send(&nobody, "GET", "/sign-in/entra", None).await;
        let to = left.header("location").to_owned();
        assert!(to.starts_with(provider.issuer()), "{to}");
    };
    for _ in 0..3 {
        leave().await;
    }
    assert_eq!(provider.asked(), 1);
    world.pass(301);
    leave().await;
    assert_eq!(provider.asked(), 2);
}
