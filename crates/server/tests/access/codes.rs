//! One-time codes and recovery codes.

use axum::http::StatusCode;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::harness::{Answer, As, PASSWORD, World};

/// An administrator with an authenticator app.
struct App {
    world: World,
    root: As,
    totp: Totp,
}

impl App {
    /// The app has the secret, and its first code was not given yet.
    async fn new() -> Self {
        let world = World::new().await;
        let root = world.set_up().await;
        let body = Some(json!({ "password": PASSWORD }));
        let enrolled = world.send(&root, "POST", "/me/second-factor", body).await;
        assert_eq!(enrolled.status, StatusCode::CREATED, "{}", enrolled.text);
        let url = enrolled.json["otpauth_url"].as_str().unwrap();
        assert!(url.starts_with("otpauth://totp/Keepward:root?secret="));
        let rows = enrolled.json["qr"].as_array().unwrap();
        let squares = |row: &Value| row.as_str().unwrap().len();
        assert!(rows.iter().all(|row| squares(row) == rows.len()));
        let secret = enrolled.json["secret"].as_str().unwrap();
        let totp = Builder::new()
            .with_secret(Secret::try_from_base32(secret).unwrap())
            .build()
            .unwrap();
        Self { world, root, totp }
    }

    /// Codes are on; the recovery codes.
    async fn on() -> (Self, Vec<String>) {
        let app = Self::new().await;
        let confirmed = app.confirm(&app.code()).await;
        assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
        let recovery = serde_json::from_value(confirmed.json["recovery_codes"].clone());
        (app, recovery.unwrap())
    }

    fn code(&self) -> String {
        let seconds = u64::try_from(self.world.seconds()).unwrap();
        self.totp.generate(seconds).to_string()
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.world.send(&self.root, "POST", path, Some(body)).await
    }

    async fn confirm(&self, code: &str) -> Answer {
        self.post("/me/second-factor/confirm", json!({ "code": code }))
            .await
    }

    async fn sign_in_from(&self, from: u8, code: &str) -> StatusCode {
        let body = json!({ "name": "root", "password": PASSWORD, "code": code });
        self.world
            .send(&As::nobody().from(from), "POST", "/session", Some(body))
            .await
            .status
    }

    async fn sign_in(&self, code: &str) -> StatusCode {
        self.sign_in_from(0, code).await
    }
}

#[tokio::test]
async fn codes_are_asked_for_once_the_first_was_given_and_until_they_are_turned_off() {
    let app = App::new().await;
    let without = async || app.world.sign_in("root", PASSWORD).await;
    assert_eq!(without().await.status, StatusCode::CREATED);
    let wrong = app.confirm("000000").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(without().await.status, StatusCode::CREATED);
    let confirmed = app.confirm(&app.code()).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    let refused = without().await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::UNAUTHORIZED, "second-factor-needed")
    );
    // Who does not know the password does not learn that there is a second factor.
    let guessed = app.world.sign_in("root", "wrong horse battery").await;
    assert_eq!(guessed.code(), "sign-in-refused");
    let off = async |password: &str| {
        let body = json!({ "password": password });
        app.post("/me/second-factor/disable", body).await.status
    };
    let wrong = off("wrong horse battery").await;
    assert_eq!(wrong, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(off(PASSWORD).await, StatusCode::NO_CONTENT);
    assert_eq!(without().await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_secret_is_given_to_who_knows_the_password_and_no_second_one_beside_it() {
    let world = World::new().await;
    let root = world.set_up().await;
    let body = Some(json!({ "password": "wrong horse battery" }));
    let wrong = world.send(&root, "POST", "/me/second-factor", body).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let (app, _) = App::on().await;
    let body = json!({ "password": PASSWORD });
    let again = app.post("/me/second-factor", body).await;
    assert_eq!(again.code(), "second-factor-exists", "{}", again.text);
}

#[tokio::test]
async fn a_one_time_code_opens_once() {
    let (app, recovery) = App::on().await;
    let confirmed = app.sign_in(&app.code()).await;
    assert_eq!(confirmed, StatusCode::UNAUTHORIZED, "it turned them on");
    app.world.pass(30);
    let now = app.code();
    assert_eq!(app.sign_in(&now).await, StatusCode::CREATED);
    assert_eq!(app.sign_in(&now).await, StatusCode::UNAUTHORIZED);
    // Clocks differ by a step, and what lies before the last one is used up.
    app.world.pass(30);
    let earlier = app.code();
    app.world.pass(30);
    assert_eq!(app.sign_in(&app.code()).await, StatusCode::CREATED);
    assert_eq!(app.sign_in(&earlier).await, StatusCode::UNAUTHORIZED);
    let shouted = recovery[0].to_uppercase();
    assert_eq!(app.sign_in(&shouted).await, StatusCode::CREATED);
    assert_eq!(app.sign_in(&recovery[0]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(app.sign_in(&recovery[1]).await, StatusCode::CREATED);
}

#[tokio::test]
async fn a_one_time_code_that_is_sent_twice_at_once_opens_once() {
    let (app, recovery) = App::on().await;
    app.world.pass(30);
    for code in [app.code(), recovery[0].clone()] {
        let (one, other) = tokio::join!(app.sign_in(&code), app.sign_in(&code));
        let opened = [one, other].map(|status| status == StatusCode::CREATED);
        assert!(opened[0] != opened[1], "{one} {other}");
    }
}

/// Who sends codes knows the password: there are few codes, so they are counted from wherever they come.
#[tokio::test]
async fn one_time_codes_are_not_guessed_from_many_places() {
    let (app, recovery) = App::on().await;
    for from in 0..10 {
        let guessed = app.sign_in_from(from, "000000").await;
        assert_eq!(guessed, StatusCode::UNAUTHORIZED);
    }
    let counted = app.sign_in_from(20, &recovery[0]).await;
    assert_eq!(counted, StatusCode::TOO_MANY_REQUESTS);
    app.world.pass(900);
    let later = app.sign_in_from(20, &recovery[0]).await;
    assert_eq!(later, StatusCode::CREATED);
}
