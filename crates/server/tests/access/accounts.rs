//! Accounts, passwords, one-time codes, the first start.

use axum::http::StatusCode;
use model::Role;
use serde_json::{Value, json};

use crate::harness::{As, PASSWORD, World};

#[tokio::test]
async fn the_first_start_makes_one_administrator() {
    let world = World::new().await;
    assert_eq!(
        world.send(&As::nobody(), "GET", "/setup", None).await.json["needed"],
        true
    );
    let old = world.server.offer_setup().await.unwrap().unwrap();
    let token = world.server.offer_setup().await.unwrap().unwrap();
    let body =
        |token: &str, name: &str| json!({ "token": token, "name": name, "password": PASSWORD });
    for wrong in [old.as_str(), "", "x"] {
        let refused = world
            .send(&As::nobody(), "POST", "/setup", Some(body(wrong, "eve")))
            .await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::FORBIDDEN, "setup-refused")
        );
    }
    let nobody = As::nobody();
    let (one, two) = tokio::join!(
        world.send(&nobody, "POST", "/setup", Some(body(&token, "anna"))),
        world.send(&nobody, "POST", "/setup", Some(body(&token, "eve"))),
    );
    let made = [&one, &two]
        .iter()
        .filter(|answer| answer.status == StatusCode::CREATED)
        .count();
    assert_eq!(made, 1, "{} {}", one.text, two.text);
    assert_eq!(world.server.offer_setup().await.unwrap(), None);
    assert_eq!(
        world.send(&As::nobody(), "GET", "/setup", None).await.json["needed"],
        false
    );
    let again = world
        .send(&As::nobody(), "POST", "/setup", Some(body(&token, "eve2")))
        .await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sign_in_does_not_tell_what_is_wrong() {
    let world = World::new().await;
    world.set_up().await;
    let right = world.sign_in("ROOT", PASSWORD).await;
    assert_eq!(right.status, StatusCode::CREATED);
    assert_eq!(right.json["permissions"].as_array().unwrap().len(), 12);
    let wrong = world.sign_in("root", "wrong horse battery").await;
    let unknown = world.sign_in("nobody", PASSWORD).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    for member in ["code", "detail", "title", "hint", "type"] {
        assert_eq!(wrong.json[member], unknown.json[member]);
    }
    let refused = world
        .actions()
        .await
        .into_iter()
        .filter(|action| action == "session.refused")
        .count();
    assert_eq!(refused, 2);
}

#[tokio::test]
async fn an_oversized_password_is_refused_before_it_is_hashed() {
    let world = World::new().await;
    let root = world.set_up().await;
    let large = "a1b2c3".repeat(100_000);
    let signed = world.sign_in("root", &large).await;
    assert_eq!(signed.status, StatusCode::UNPROCESSABLE_ENTITY);
    let body = json!({ "name": "ben", "password": large, "roles": ["viewer"] });
    assert_eq!(
        world
            .send(&root, "POST", "/people", Some(body))
            .await
            .status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let larger = world.sign_in("root", &"a".repeat(2 << 20)).await;
    assert_eq!(larger.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn guessing_is_slowed_down_by_name_and_by_address() {
    let world = World::new().await;
    world.set_up().await;
    let body = |name: &str| Some(json!({ "name": name, "password": "wrong horse battery" }));
    let mut last = StatusCode::OK;
    for _ in 0..11 {
        last = world
            .send(&As::nobody().from(1), "POST", "/session", body("root"))
            .await
            .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let right = Some(json!({ "name": "root", "password": PASSWORD }));
    let locked = world
        .send(&As::nobody().from(1), "POST", "/session", right.clone())
        .await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: i64 = locked.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");
    world.pass(seconds);
    let signed = world
        .send(&As::nobody().from(1), "POST", "/session", right)
        .await;
    assert_eq!(signed.status, StatusCode::CREATED, "{}", signed.text);
    for attempt in 0..61 {
        let name = format!("name{attempt}");
        last = world
            .send(&As::nobody().from(7), "POST", "/session", body(&name))
            .await
            .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let elsewhere = world
        .send(&As::nobody().from(8), "POST", "/session", body("other"))
        .await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
}

/// Anybody can send wrong passwords for a name that they know: that keeps the person out nowhere else, however often it is done.
#[tokio::test]
async fn nobody_is_shut_out_by_the_wrong_passwords_of_others() {
    let world = World::new().await;
    world.set_up().await;
    let wrong = Some(json!({ "name": "root", "password": "wrong horse battery" }));
    let right = Some(json!({ "name": "root", "password": PASSWORD }));
    for _ in 0..11 {
        world
            .send(&As::nobody().from(1), "POST", "/session", wrong.clone())
            .await;
    }
    let signed = world
        .send(&As::nobody().from(2), "POST", "/session", right.clone())
        .await;
    assert_eq!(signed.status, StatusCode::CREATED, "{}", signed.text);
    // Guessed from many networks: each attempt takes its time, and the right one is let in all the same.
    let now = world.server.control.clock.now();
    for _ in 0..200 {
        let key = [("all:root".to_owned(), 1)];
        let until = now + jiff::SignedDuration::from_mins(15);
        world
            .catalog()
            .count_attempt(&key, now, until)
            .await
            .unwrap();
    }
    let begun = std::time::Instant::now();
    let signed = world
        .send(&As::nobody().from(3), "POST", "/session", right)
        .await;
    assert_eq!(signed.status, StatusCode::CREATED, "{}", signed.text);
    assert!(begun.elapsed() >= std::time::Duration::from_millis(500));
}

#[tokio::test]
async fn the_last_administrator_stays_and_a_disabled_account_is_out() {
    let world = World::new().await;
    let root = world.set_up().await;
    for (method, body) in [
        ("PATCH", Some(json!({ "roles": ["viewer"] }))),
        ("PATCH", Some(json!({ "disabled": true }))),
        ("DELETE", None),
    ] {
        let refused = world.send(&root, method, "/people/root", body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::CONFLICT, "last-administrator")
        );
    }
    let body = json!({ "name": "ben", "password": "another horse 17", "roles": ["operator"], "connectors": ["Contoso"] });
    let added = world.send(&root, "POST", "/people", Some(body)).await;
    assert_eq!(
        (added.status, added.header("location")),
        (StatusCode::CREATED, "/api/v1/people/ben"),
        "{}",
        added.text
    );
    assert_eq!(added.json["connectors"], json!(["contoso"]));
    let signed = world.sign_in("ben", "another horse 17").await;
    let ben = As::cookie(&signed.cookie("keepward").unwrap());
    assert_eq!(
        world.send(&ben, "GET", "/me", None).await.status,
        StatusCode::OK
    );
    let all = world
        .send(
            &root,
            "PATCH",
            "/people/ben",
            Some(json!({ "connectors": null })),
        )
        .await;
    assert_eq!(
        (all.status, all.json.get("connectors")),
        (StatusCode::OK, None)
    );
    let disabled = world
        .send(
            &root,
            "PATCH",
            "/people/ben",
            Some(json!({ "disabled": true })),
        )
        .await;
    assert_eq!(disabled.status, StatusCode::OK);
    assert_eq!(
        world.send(&ben, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        world.sign_in("ben", "another horse 17").await.code(),
        "sign-in-refused"
    );
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let world = World::new().await;
    let root = world.set_up().await;
    let elsewhere = world.sign_in("root", PASSWORD).await;
    let elsewhere = As::cookie(&elsewhere.cookie("keepward").unwrap());
    let change = async |current: &str, new: &str| {
        let body = json!({ "current": current, "new": new });
        world
            .send(&root, "PUT", "/me/password", Some(body))
            .await
            .status
    };
    assert_eq!(
        change("wrong horse battery", "a better one 42").await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        change(PASSWORD, "short").await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        change(PASSWORD, "a better one 42").await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        world.send(&elsewhere, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        world.send(&root, "GET", "/me", None).await.status,
        StatusCode::OK
    );
    assert_eq!(
        world.sign_in("root", PASSWORD).await.status,
        StatusCode::UNAUTHORIZED
    );
    let reset = json!({ "password": "set by somebody 9" });
    let ben = world.with("ben", &[Role::Viewer]).await;
    assert_eq!(
        world
            .send(&root, "PUT", "/people/ben/password", Some(reset))
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        world.send(&ben, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        world.sign_in("ben", "set by somebody 9").await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn secrets_are_in_no_answer_of_lists_and_not_in_the_log() {
    let world = World::new().await;
    let root = world.set_up().await;
    let made = world
        .send(
            &root,
            "POST",
            "/tokens",
            Some(json!({ "name": "t", "permissions": ["own"] })),
        )
        .await;
    let token = made.json["secret"].as_str().unwrap();
    let enrolled = world
        .send(
            &root,
            "POST",
            "/me/second-factor",
            Some(json!({ "password": PASSWORD })),
        )
        .await;
    let secret = enrolled.json["secret"].as_str().unwrap();
    let cookie = root.headers[0].1.trim_start_matches("keepward=");
    for path in [
        "/tokens",
        "/sessions",
        "/people",
        "/people/root",
        "/me",
        "/audit",
        "/audit/export",
    ] {
        let answer = world.send(&root, "GET", path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        for planted in [PASSWORD, token, secret, cookie, "argon2"] {
            assert!(!answer.text.contains(planted), "{path} tells {planted}");
        }
    }
}

/// Who may manage people within limits gets nothing by it that they do not have.
#[tokio::test]
async fn nobody_rises_by_an_account_that_they_make_or_change() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    world.person("ben", &[Role::Viewer]).await;
    let anna = world.with("anna", &[Role::Admin]).await;
    let limits = json!({ "connectors": ["contoso"] });
    let limited = world
        .send(&root, "PATCH", "/people/anna", Some(limits))
        .await;
    assert_eq!(limited.status, StatusCode::OK, "{}", limited.text);
    let scoped = json!({ "name": "people", "permissions": ["manage-people"] });
    let scoped = world.send(&root, "POST", "/tokens", Some(scoped)).await;
    let scoped = As::bearer(scoped.json["secret"].as_str().unwrap());
    let made = |roles: &[&str], connectors: Value| json!({ "name": "eve", "password": PASSWORD, "roles": roles, "connectors": connectors });
    let reset = json!({ "password": "another horse battery", "second_factor_off": true });
    let provider = json!({ "title": "x", "issuer": "https://login.example", "client_id": "x", "default_roles": ["admin"] });
    let every = json!(null);
    for (who, method, path, body) in [
        (
            &anna,
            "PATCH",
            "/people/anna",
            Some(json!({ "connectors": every })),
        ),
        (
            &anna,
            "PATCH",
            "/people/ben",
            Some(json!({ "roles": ["admin"] })),
        ),
        (
            &anna,
            "POST",
            "/people",
            Some(made(&["viewer"], json!(["contoso", "fabrikam"]))),
        ),
        (
            &anna,
            "POST",
            "/people",
            Some(made(&["viewer"], every.clone())),
        ),
        (&anna, "PUT", "/people/root/password", Some(reset.clone())),
        (&anna, "DELETE", "/people/root", None),
        (
            &scoped,
            "POST",
            "/people",
            Some(made(&["viewer"], every.clone())),
        ),
        (
            &scoped,
            "PATCH",
            "/people/ben",
            Some(json!({ "roles": ["admin"] })),
        ),
        (&scoped, "PUT", "/people/anna/password", Some(reset)),
        (
            &scoped,
            "PUT",
            "/identity-providers/mine",
            Some(provider.clone()),
        ),
    ] {
        let refused = world.send(who, method, path, body).await;
        assert_eq!(
            refused.status,
            StatusCode::FORBIDDEN,
            "{method} {path}: {}",
            refused.text
        );
        assert_eq!(refused.code(), "role-missing", "{method} {path}");
    }
    // What is for all connectors takes a reach for all, whoever would get what by it.
    let refused = world
        .send(&anna, "PUT", "/identity-providers/mine", Some(provider))
        .await;
    assert_eq!(refused.code(), "reach-missing", "{}", refused.text);
    let within = made(&["operator"], json!(["Contoso"]));
    let added = world.send(&anna, "POST", "/people", Some(within)).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
}
