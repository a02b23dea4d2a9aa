//! The HTTP client with tokens that expire, are revoked, and come back in refusals.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Class, SignIn};
use serde_json::json;
use service::Client;
use service::entra::CredentialStore;
use service::http::{Auth, Method, Options, Url};

use crate::fake::{Fake, refusal};
use crate::world::{SCOPE, Store, entra, user};

fn client(fake: &Fake, store: &Arc<Store>) -> Client {
    let store: Arc<dyn CredentialStore> = Arc::<Store>::clone(store);
    let source = entra(fake).source("ada", &user(), store).unwrap();
    Client::new(Options {
        hosts: BTreeMap::from([("dev", Url::parse(&format!("{}/contoso", fake.url)).unwrap())]),
        auth: Auth::Bearer(source.bearer(SCOPE)),
        user_agent: "Keepward/0".to_owned(),
        attempts: 4,
        max_wait: Duration::from_millis(5),
        timeout: Duration::from_secs(5),
        max_body: 1 << 20,
        observer: None,
    })
    .unwrap()
}

async fn started() -> (Fake, Arc<Store>, Client) {
    let (fake, store) = (Fake::start().await, Store::holding("refresh-0"));
    let client = client(&fake, &store);
    (fake, store, client)
}

#[tokio::test]
async fn sre_21_a_run_longer_than_the_life_of_a_token_finishes() {
    let (fake, store, client) = started().await;
    fake.inner().life = 20;
    for _ in 0..200 {
        client.get("dev", "/x").send().await.unwrap();
        fake.clock.advance(1);
    }
    assert_eq!(fake.seen("/contoso/x").len(), 200, "none is refused");
    assert_eq!(fake.tokens(), 20, "each token is used for half of its life");
    assert_eq!(store.get(), "refresh-20");
    assert!(matches!(client.sign_in(), Some(SignIn::User { .. })));
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once_and_the_request_repeated() {
    let (fake, _, client) = started().await;
    client.get("dev", "/x").send().await.unwrap();
    fake.inner().access.clear();
    client
        .call(Method::POST, "dev", "/x")
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!((fake.tokens(), fake.seen("/contoso/x").len()), (2, 3));
}

#[tokio::test]
async fn a_service_that_refuses_every_token_is_asked_twice() {
    let (fake, _, client) = started().await;
    let anonymous = (
        401,
        json!({"message": "TF400813: The user '' is not authorized"}),
    );
    fake.inner().refusals.extend(vec![anonymous; 10]);
    let error = client.get("dev", "/x").send().await.unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.class),
        ("Invalid or expired token", Class::Credential)
    );
    assert_eq!((fake.tokens(), fake.seen("/contoso/x").len()), (2, 2));
}

/// A person may read most and not all: each refusal must not cost a token.
#[tokio::test]
async fn many_requests_that_are_not_allowed_cost_one_token() {
    let (fake, _, client) = started().await;
    client.get("dev", "/x").send().await.unwrap();
    for _ in 0..50 {
        let named = (
            401,
            json!({"message": "TF400813: The user 'ada' is not authorized"}),
        );
        fake.inner().refusals.extend(vec![named; 2]);
        let error = client.get("dev", "/x").send().await.unwrap_err();
        assert_eq!(error.class, Class::Permission);
        fake.inner().refusals.clear();
    }
    assert_eq!(fake.tokens(), 2);
}

#[tokio::test]
async fn a_401_under_throttling_costs_no_token() {
    let (fake, _, client) = started().await;
    client.get("dev", "/x").send().await.unwrap();
    fake.inner().refusals.extend([
        (429, json!({"message": "TF400733: too much"})),
        (
            401,
            json!({"message": "TF400813: The user '' is not authorized"}),
        ),
    ]);
    client.get("dev", "/x").send().await.unwrap();
    assert_eq!((fake.tokens(), fake.seen("/contoso/x").len()), (1, 4));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_to_the_service() {
    let (fake, _, client) = started().await;
    fake.inner()
        .trouble
        .push_back(refusal("invalid_grant", 700_082));
    let error = client.get("dev", "/x").send().await.unwrap_err();
    assert_eq!(error.message, "Invalid or expired token");
    assert_eq!(fake.seen("/contoso/x").len(), 0);
}

#[tokio::test]
async fn a_sign_in_service_that_fails_once_fails_no_request() {
    let (fake, _, client) = started().await;
    fake.inner().trouble.push_back((503, json!({})));
    client.get("dev", "/x").send().await.unwrap();
    assert_eq!((fake.tokens(), fake.seen("/contoso/x").len()), (2, 1));
}

#[tokio::test]
async fn a_token_that_comes_back_in_a_refusal_is_hidden() {
    let (fake, _, client) = started().await;
    for number in 1..4 {
        client.get("dev", "/x").send().await.unwrap();
        let echo = (
            409,
            json!({"message": format!("TF1: you sent access-{number}")}),
        );
        fake.inner().refusals.push_back(echo);
        let error = client.get("dev", "/x").send().await.unwrap_err();
        assert!(error.message.contains("you sent [redacted]"), "{error}");
        assert!(!format!("{error:?} {client:?}").contains("access-"));
        fake.clock.advance(3600);
    }
}

#[tokio::test]
async fn git_gets_the_token_of_the_hour() {
    let (fake, _, client) = started().await;
    let header = async || {
        let environment = client.git_environment().await.unwrap();
        let (_, value) = environment.last().unwrap();
        value.expose().to_owned()
    };
    assert_eq!(header().await, "Authorization: Bearer access-1");
    assert_eq!(header().await, "Authorization: Bearer access-1");
    fake.clock.advance(3600);
    assert_eq!(header().await, "Authorization: Bearer access-2");
}
