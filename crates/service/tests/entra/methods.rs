//! Identities without a person: secret, certificate, the machine, federation, a file of the platform.

use std::collections::BTreeSet;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use model::{Class, ManagedIdentity, Secret, SignIn};
use serde_json::{Value, json};
use service::Result;
use service::entra::{AccessToken, AppService, Held};

use crate::fake::Fake;
use crate::world::{CLIENT, SCOPE, TENANT, app, cloud, entra, library};

const CUSTOMER: &str = "22222222-6ef8-4bc4-8d1c-6b7c2fb1d2aa";

async fn token(fake: &Fake, sign_in: &SignIn, secret: Option<&str>) -> Result<AccessToken> {
    let store = Arc::new(Held::new(secret.map(Secret::new)));
    entra(fake).separate(sign_in, store)?.token(SCOPE).await
}

fn machine(identity: ManagedIdentity) -> SignIn {
    SignIn::ManagedIdentity {
        cloud: "lab".to_owned(),
        identity,
    }
}

#[tokio::test]
async fn a_client_secret_gets_a_token_and_is_never_shown() {
    let fake = Fake::start().await;
    let sign_in = SignIn::ClientSecret { app: app(TENANT) };
    token(&fake, &sign_in, Some("s3cr3t")).await.unwrap();
    let seen = fake.seen("/oauth2/v2.0/token").remove(0);
    assert_eq!(seen.path, format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(seen.values["scope"], SCOPE);
    let error = token(&fake, &sign_in, Some("wrong-secret"))
        .await
        .err()
        .unwrap();
    assert_eq!(
        (error.code, error.class),
        ("client-secret-refused", Class::Credential)
    );
    assert!(!format!("{error:?}").contains("wrong-secret"));
}

#[tokio::test]
async fn a_certificate_signs_what_the_endpoint_can_verify() {
    let fake = Fake::start().await;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    let sign_in = SignIn::Certificate { app: app(TENANT) };
    token(&fake, &sign_in, Some(&pem)).await.unwrap();
    let assertion = fake.seen("/oauth2/v2.0/token")[0].values["client_assertion"].clone();
    let endpoint = format!("{}/{TENANT}/oauth2/v2.0/token", fake.url);
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[&endpoint]);
    validation.validate_exp = false;
    let public = DecodingKey::from_rsa_der(key.public_key_raw());
    let read = jsonwebtoken::decode::<Value>(&assertion, &public, &validation).unwrap();
    assert_eq!(
        (&read.claims["iss"], &read.claims["sub"]),
        (&json!(CLIENT), &json!(CLIENT))
    );
    assert_eq!(
        read.claims["exp"].as_i64().unwrap() - read.claims["iat"].as_i64().unwrap(),
        600
    );
    assert!(read.header.x5t.is_some() && read.header.x5t_s256.is_some());
    assert_eq!(
        read.header.x5c_der().unwrap().unwrap(),
        [certificate.der().to_vec()]
    );
    token(&fake, &sign_in, Some(&pem)).await.unwrap();
    let second = fake.seen("/oauth2/v2.0/token")[1].values["client_assertion"].clone();
    let again = jsonwebtoken::decode::<Value>(&second, &public, &validation).unwrap();
    assert_ne!(
        again.claims["jti"], read.claims["jti"],
        "an assertion is used once"
    );
}

#[tokio::test]
async fn sre_24_the_machines_identity_needs_nobody() {
    let fake = Fake::start().await;
    token(&fake, &machine(ManagedIdentity::System), None)
        .await
        .unwrap();
    let user = ManagedIdentity::User {
        client_id: "mine".to_owned(),
    };
    token(&fake, &machine(user), None).await.unwrap();
    let seen = fake.seen("/metadata/identity/oauth2/token");
    assert_eq!(
        seen[0].values["resource"],
        "499b84ac-1321-427f-aa17-267ca6975798"
    );
    assert!(!seen[0].values.contains_key("client_id"));
    assert_eq!(seen[1].values["client_id"], "mine");
    assert_eq!(fake.tokens(), 0);
}

#[tokio::test]
async fn app_service_is_asked_where_the_platform_says() {
    let fake = Fake::start().await;
    let mut cloud = cloud(&fake);
    cloud.app_service = Some(AppService {
        endpoint: format!("{}/msi/token", fake.url).parse().unwrap(),
        header: Secret::new("app-service-proof"),
    });
    let source = library(&fake, cloud)
        .separate(&machine(ManagedIdentity::System), Arc::new(Held::new(None)))
        .unwrap();
    source.token(SCOPE).await.unwrap();
    fake.clock.advance(3299);
    source.token(SCOPE).await.unwrap();
    assert_eq!(fake.seen("/msi/token").len(), 1);
    fake.clock.advance(1);
    source.token(SCOPE).await.unwrap();
    assert_eq!(fake.seen("/msi/token").len(), 2);
}

#[tokio::test]
async fn the_metadata_service_is_waited_for() {
    let busy = |status: u16| (status, json!({"error": "busy"}));
    for (troubles, requests) in [
        (vec![busy(404), busy(429), busy(500), busy(503)], 5),
        (vec![busy(410); 60], 61),
    ] {
        let fake = Fake::start().await;
        fake.inner().trouble.extend(troubles);
        token(&fake, &machine(ManagedIdentity::System), None)
            .await
            .unwrap();
        assert_eq!(fake.seen("/token").len(), requests);
    }
    let fake = Fake::start().await;
    fake.inner().trouble.extend(vec![busy(500); 10]);
    let error = token(&fake, &machine(ManagedIdentity::System), None)
        .await
        .err()
        .unwrap();
    assert_eq!(
        (error.code, error.class),
        ("identity-unavailable", Class::Transient)
    );
    assert_eq!(fake.seen("/token").len(), 5);
}

#[tokio::test]
async fn an_identity_that_is_not_assigned_is_not_asked_for_twice() {
    let fake = Fake::start().await;
    let user = ManagedIdentity::User {
        client_id: "unassigned".to_owned(),
    };
    let error = token(&fake, &machine(user), None).await.err().unwrap();
    assert_eq!(
        (error.code, error.class),
        ("identity-unavailable", Class::Credential)
    );
    assert_eq!(fake.seen("/token").len(), 1);
}

#[tokio::test]
async fn sre_23_an_application_in_another_tenant_trusts_the_machine() {
    let fake = Fake::start().await;
    let sign_in = SignIn::FederatedIdentity {
        app: app(CUSTOMER),
        identity: ManagedIdentity::User {
            client_id: "mine".to_owned(),
        },
    };
    token(&fake, &sign_in, None).await.unwrap();
    let machine = fake.seen("/metadata/identity/oauth2/token").remove(0);
    assert_eq!(machine.values["resource"], "api://AzureADTokenExchange");
    let exchange = fake.seen("/oauth2/v2.0/token").remove(0);
    assert!(exchange.path.starts_with(&format!("/{CUSTOMER}/")));
    assert_eq!(exchange.values["client_assertion"], "access-1");
    assert_eq!(exchange.values["scope"], SCOPE);
    let fake = Fake::start().await;
    fake.inner().trouble.extend([
        (
            200,
            json!({"access_token": "assertion-secret", "expires_in": "3600"}),
        ),
        crate::fake::refusal("invalid_client", 700_236),
    ]);
    let error = token(&fake, &sign_in, None).await.err().unwrap();
    assert_eq!(error.code, "federation-refused");
    assert!(!format!("{error:?}").contains("assertion-secret"));
}

#[tokio::test]
async fn the_platforms_token_file_is_read_each_time() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "e30.e30.first\n").unwrap();
    let sign_in = SignIn::WorkloadIdentity {
        app: app(TENANT),
        token_file: file.to_str().unwrap().to_owned(),
    };
    let source = entra(&fake)
        .separate(&sign_in, Arc::new(Held::new(None)))
        .unwrap();
    source.token(SCOPE).await.unwrap();
    std::fs::write(&file, "e30.e30.second\n").unwrap();
    fake.clock.advance(3600);
    source.token(SCOPE).await.unwrap();
    let sent: Vec<String> = fake
        .seen("/oauth2/v2.0/token")
        .iter()
        .map(|seen| seen.values["client_assertion"].clone())
        .collect();
    assert_eq!(sent, ["e30.e30.first", "e30.e30.second"]);
    std::fs::remove_file(&file).unwrap();
    fake.clock.advance(3600);
    let error = source.token(SCOPE).await.err().unwrap();
    assert_eq!(error.code, "identity-unavailable");
}

#[tokio::test]
async fn a_token_file_that_holds_something_else_is_sent_nowhere() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "key-material").unwrap();
    let refused = async |token_file: &str| {
        let sign_in = SignIn::WorkloadIdentity {
            app: app(TENANT),
            token_file: token_file.to_owned(),
        };
        let source = entra(&fake).separate(&sign_in, Arc::new(Held::new(None)));
        source.unwrap().token(SCOPE).await.err().unwrap()
    };
    let mut told = BTreeSet::new();
    // The device would fill the memory.
    for named in [
        key.to_str().unwrap(),
        "/dev/zero",
        folder.path().to_str().unwrap(),
        folder.path().join("nothing").to_str().unwrap(),
    ] {
        let error = refused(named).await;
        assert_eq!(error.code, "identity-unavailable", "{named}");
        told.insert(format!("{error:?}").replace(named, ""));
    }
    // Whoever may name a file learns nothing about which there are.
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(fake.seen("/oauth2/v2.0/token").is_empty());
}
