//! Every way to sign in, as far as a backup needs it: a client that lists projects.

use model::{ManagedIdentity, SignIn};
use serde_json::json;
use service::Client;
use service::entra::{DeviceFlow, DevicePoll, Held};
use std::sync::Arc;

use crate::world::World;

async fn reads(client: &Client) {
    let answer = client
        .get("dev", "/_apis/projects")
        .version("7.1")
        .send()
        .await;
    assert!(!answer.unwrap().values().unwrap().is_empty());
}

#[tokio::test]
async fn sre_21_a_person_signs_in_once_and_the_run_outlives_the_token() {
    let world = World::start().await;
    world
        .simulator
        .control("settings", &json!({"singleUseRefresh": true}))
        .unwrap();
    world.simulator.set_token_life(600);
    let signed = world.sign_in(world.simulator.administrator()).await;
    assert_eq!(signed.account, world.simulator.administrator());
    assert_eq!(signed.app.tenant, world.simulator.tenant());
    let (source, store) = signed.source(&world.entra).unwrap();
    let client = world.with(&source, "contoso");
    for _ in 0..10 {
        reads(&client).await;
        world.simulator.advance_clock(300);
        world.clock.by(300);
    }
    assert_ne!(store.get().unwrap().expose(), signed.refresh.expose());
}

#[tokio::test]
async fn sre_46_a_person_who_was_signed_out_everywhere_must_sign_in_again() {
    let world = World::start().await;
    let person = world.simulator.administrator();
    let client = world.person(person, "contoso").await;
    reads(&client).await;
    world.simulator.revoke_sessions(person);
    world.simulator.advance_clock(4000);
    world.clock.by(4000);
    let error = client
        .get("dev", "/_apis/projects")
        .version("7.1")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.message, "Invalid or expired token");
}

#[tokio::test]
async fn a_device_code_is_entered_elsewhere() {
    let world = World::start().await;
    let app = world.app("organizations");
    let mut flow = DeviceFlow::start(&world.entra, &app, &world.scope())
        .await
        .unwrap();
    let advance = |seconds| {
        world.clock.by(seconds);
        world.simulator.advance_clock(seconds);
    };
    advance(5);
    let DevicePoll::Pending { .. } = flow.poll(&world.entra, None).await.unwrap() else {
        panic!("nobody has entered it");
    };
    let code = flow.prompt().user_code.clone();
    world
        .simulator
        .approve_device_code(&code, world.simulator.administrator())
        .unwrap();
    advance(5);
    let DevicePoll::Done(signed) = flow.poll(&world.entra, None).await.unwrap() else {
        panic!("it was entered");
    };
    let (source, _) = signed.source(&world.entra).unwrap();
    reads(&world.with(&source, "contoso")).await;
}

#[tokio::test]
async fn xm_08_a_declined_and_an_expired_device_code_are_told_apart() {
    let world = World::start().await;
    let app = world.app("organizations");
    let start = || async {
        DeviceFlow::start(&world.entra, &app, &world.scope())
            .await
            .unwrap()
    };
    let mut flow = start().await;
    world
        .simulator
        .decline_device_code(&flow.prompt().user_code)
        .unwrap();
    world.clock.by(5);
    world.simulator.advance_clock(5);
    let error = flow.poll(&world.entra, None).await.err().unwrap();
    assert_eq!(error.code, "device-code-declined");
    // The service's clock alone: its answer counts.
    let mut flow = start().await;
    world.clock.by(5);
    world.simulator.advance_clock(1000);
    let error = flow.poll(&world.entra, None).await.err().unwrap();
    assert_eq!(error.code, "device-code-expired");
}

#[tokio::test]
async fn xm_08_a_tenant_that_blocks_device_codes_says_so() {
    let world = World::start().await;
    let tenant = world.simulator.tenant();
    world
        .simulator
        .control("rules", &json!({"tenant": tenant, "deviceFlow": "blocked"}))
        .unwrap();
    let app = world.app(&tenant);
    let code = match DeviceFlow::start(&world.entra, &app, &world.scope()).await {
        Err(error) => error.code,
        Ok(mut flow) => {
            let user_code = flow.prompt().user_code.clone();
            let person = world.simulator.administrator();
            // The page tells the person; the application only hears of it when it asks.
            if let Err(error) = world.simulator.approve_device_code(&user_code, person) {
                assert!(error.to_string().contains("53003"), "{error}");
            }
            world.clock.by(5);
            world.simulator.advance_clock(5);
            match flow.poll(&world.entra, None).await {
                Err(error) => error.code,
                Ok(_) => "let in",
            }
        }
    };
    assert_eq!(code, "conditional-access");
}

#[tokio::test]
async fn an_application_signs_in_with_its_secret() {
    let world = World::start().await;
    let sign_in = SignIn::ClientSecret {
        app: world.app(&world.simulator.tenant()),
    };
    let secret = world.simulator.client_secret();
    reads(&world.with(&world.source(&sign_in, Some(&secret)), "contoso")).await;
    let wrong = world
        .source(&sign_in, Some("not-it"))
        .token(&world.scope())
        .await;
    assert_eq!(wrong.err().unwrap().code, "client-secret-refused");
    let elsewhere = SignIn::ClientSecret {
        app: world.app("nowhere.example"),
    };
    let unknown = world
        .source(&elsewhere, Some(&secret))
        .token(&world.scope())
        .await;
    assert_eq!(unknown.err().unwrap().code, "tenant-unknown");
}

#[tokio::test]
async fn an_application_signs_in_with_its_certificate() {
    let world = World::start().await;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
    let sign_in = SignIn::Certificate {
        app: world.app(&world.simulator.tenant()),
    };
    let before = world
        .source(&sign_in, Some(&pem))
        .token(&world.scope())
        .await;
    assert_eq!(before.err().unwrap().code, "certificate-refused");
    let body = json!({"client": world.simulator.client_id(), "certificate": certificate.pem()});
    world.simulator.control("certificates", &body).unwrap();
    reads(&world.with(&world.source(&sign_in, Some(&pem)), "contoso")).await;
}

#[tokio::test]
async fn sre_24_the_machines_identities_read_without_anybody() {
    let world = World::start().await;
    let assigned = ManagedIdentity::User {
        client_id: world.simulator.managed_identity(),
    };
    for identity in [ManagedIdentity::System, assigned] {
        let sign_in = SignIn::ManagedIdentity {
            cloud: "lab".to_owned(),
            identity,
        };
        reads(&world.with(&world.source(&sign_in, None), "contoso")).await;
        let source = world
            .on_app_service()
            .separate(&sign_in, Arc::new(Held::new(None)))
            .unwrap();
        reads(&world.with(&source, "contoso")).await;
    }
}

#[tokio::test]
async fn sre_23_an_application_that_trusts_the_machine_reads() {
    let world = World::start().await;
    let identity = ManagedIdentity::User {
        client_id: world.simulator.managed_identity(),
    };
    let tenant = world.simulator.tenant();
    let sign_in = SignIn::FederatedIdentity {
        app: world.app(&tenant),
        identity,
    };
    reads(&world.with(&world.source(&sign_in, None), "contoso")).await;
}

#[tokio::test]
async fn an_application_that_trusts_the_platform_reads() {
    let world = World::start().await;
    let (issuer, subject) = (
        "https://kubernetes.example",
        "system:serviceaccount:backup:keepward",
    );
    let client = world.simulator.client_id();
    let federation = json!({"client": client, "issuer": issuer, "subject": subject, "audience": "api://AzureADTokenExchange"});
    world.simulator.control("federations", &federation).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(
        &file,
        world.simulator.workload_token(issuer, subject).unwrap(),
    )
    .unwrap();
    let sign_in = SignIn::WorkloadIdentity {
        app: world.app(&world.simulator.tenant()),
        token_file: file.to_str().unwrap().to_owned(),
    };
    reads(&world.with(&world.source(&sign_in, None), "contoso")).await;
    std::fs::write(
        &file,
        world
            .simulator
            .workload_token(issuer, "somebody-else")
            .unwrap(),
    )
    .unwrap();
    let error = world
        .source(&sign_in, None)
        .token(&world.scope())
        .await
        .err()
        .unwrap();
    assert_eq!(error.code, "federation-refused");
}
