//! Sessions in browsers: cookies, forgery, fixation.

use axum::http::StatusCode;
use model::Role;
use serde_json::json;

use crate::harness::{As, PASSWORD, World};

#[tokio::test]
async fn the_cookie_is_bound_to_host_and_tls() {
    let world = World::at("https://backup.example").await;
    let token = world.server.offer_setup().await.unwrap().unwrap();
    let body = json!({ "token": token, "name": "root", "password": PASSWORD });
    let answer = world
        .send(&As::nobody(), "POST", "/setup", Some(body))
        .await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-keepward="), "{cookie}");
    for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    // Another name, which a neighbor without TLS could plant, is not looked at.
    let value = cookie.split(['=', ';']).nth(1).unwrap();
    let planted = As::cookie(&format!("keepward={value}"));
    assert_eq!(
        world.send(&planted, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    let right = As::cookie(&format!("__Host-keepward={value}"));
    assert_eq!(
        world.send(&right, "GET", "/me", None).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn other_sites_cannot_act_with_the_cookie() {
    let world = World::new().await;
    let root = world.set_up().await;
    let cookie = root.headers[0].1.clone();
    let body = json!({ "name": "eve", "password": "a planted one 99", "roles": ["admin"] });
    let forged = |name: &'static str, value: &str| {
        As::nobody()
            .with("cookie", cookie.clone())
            .with(name, value)
    };
    for who in [
        forged("sec-fetch-site", "cross-site"),
        forged("sec-fetch-site", "same-site"),
        forged("sec-fetch-site", "none"),
        forged("origin", "https://evil.example"),
        forged("origin", "null"),
        forged("referer", "http://127.0.0.1:8480/"),
    ] {
        let refused = world
            .send(&who, "POST", "/people", Some(body.clone()))
            .await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::FORBIDDEN, "request-forged"),
            "{who:?}"
        );
        assert_eq!(
            world.send(&who, "DELETE", "/session", None).await.code(),
            "request-forged"
        );
    }
    // A form needs no permission of the browser to be sent, but it cannot be JSON.
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let form = root.clone().with("content-type", kind);
        let refused = world
            .send(&form, "POST", "/people", Some(body.clone()))
            .await;
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    assert!(world.catalog().person("eve").await.is_err());
    let own = forged("origin", "http://127.0.0.1:8480");
    assert_eq!(
        world.send(&own, "POST", "/people", Some(body)).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn other_sites_cannot_sign_somebody_in() {
    let world = World::new().await;
    world.set_up().await;
    let body = json!({ "name": "root", "password": PASSWORD });
    let forged = As::nobody().with("sec-fetch-site", "cross-site");
    let refused = world.send(&forged, "POST", "/session", Some(body)).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::FORBIDDEN, "request-forged")
    );
    assert_eq!(refused.cookie("keepward"), None);
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_taken_over() {
    let world = World::new().await;
    world.set_up().await;
    let attacker = world.with("eve", &[Role::Viewer]).await;
    let planted = attacker.headers[0].1.clone();
    let body = json!({ "name": "root", "password": PASSWORD });
    let signed = world
        .send(
            &As::cookie(&planted),
            "POST",
            "/session",
            Some(body.clone()),
        )
        .await;
    let fresh = signed.cookie("keepward").unwrap();
    assert_ne!(fresh, planted);
    // The planted one is over, and was never root's.
    assert_eq!(
        world.send(&attacker, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    let invented = As::cookie("keepward=chosen-by-the-attacker");
    let signed = world.send(&invented, "POST", "/session", Some(body)).await;
    assert_eq!(signed.status, StatusCode::CREATED);
    assert_eq!(
        world.send(&invented, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_session_ends_when_it_rests_and_in_the_end() {
    let world = World::new().await;
    let root = world.set_up().await;
    let works = async || world.send(&root, "GET", "/me", None).await.status == StatusCode::OK;
    for _ in 0..20 {
        world.pass(7 * 3600);
        assert!(works().await);
    }
    world.pass(8 * 3600);
    assert!(!works().await);
    let signed = world.sign_in("root", PASSWORD).await;
    let again = As::cookie(&signed.cookie("keepward").unwrap());
    for hours in (0..168).step_by(7) {
        let status = world.send(&again, "GET", "/me", None).await.status;
        assert_eq!(status, StatusCode::OK, "after {hours} hours");
        world.pass(7 * 3600);
    }
    assert_eq!(
        world.send(&again, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_and_only_that() {
    let world = World::new().await;
    let root = world.set_up().await;
    let other = world.sign_in("root", PASSWORD).await;
    let other = As::cookie(&other.cookie("keepward").unwrap());
    let out = world.send(&root, "DELETE", "/session", None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(
        world.send(&root, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        world.send(&other, "GET", "/me", None).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn sessions_are_seen_and_ended_by_their_person_and_by_administrators() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let (ben, carl) = (
        world.with("ben", &[Role::Viewer]).await,
        world.with("carl", &[Role::Viewer]).await,
    );
    let own = world.send(&ben, "GET", "/sessions", None).await;
    let sessions = own.json["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(
        (&sessions[0]["person"], &sessions[0]["current"]),
        (&json!("ben"), &json!(true))
    );
    let path = format!("/sessions/{}", sessions[0]["id"].as_str().unwrap());
    assert_eq!(
        world
            .send(&ben, "GET", "/sessions?all=true", None)
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world.send(&carl, "DELETE", &path, None).await.status,
        StatusCode::NOT_FOUND
    );
    let all = world.send(&root, "GET", "/sessions?all=true", None).await;
    assert_eq!(all.json["items"].as_array().unwrap().len(), 3);
    assert_eq!(
        world.send(&root, "DELETE", &path, None).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        world.send(&ben, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
}
