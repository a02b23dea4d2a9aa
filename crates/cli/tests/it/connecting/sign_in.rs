//! Every way to sign in.

use serde_json::{Value, json};

use super::{cloud, configure, connectors, of, says, shown, with_code};
use crate::common::{Ran, World};

#[tokio::test(flavor = "multi_thread")]
async fn sre_14_sre_22_k_05_k_06_the_ways_to_connect_are_told() {
    let world = cloud().await;
    let told = world.done("connector methods azure-devops").await;
    let methods = of(&told, "method");
    let first: Vec<&str> = methods
        .iter()
        .filter(|method| method["first"] == true)
        .map(|method| method["title"].as_str().unwrap())
        .collect();
    assert_eq!(first, ["User account", "Managed identity"]);
    assert_eq!(methods.len(), 7);
    let identities = of(&told, "identity");
    let titles: Vec<&Value> = identities.iter().map(|one| &one["title"]).collect();
    assert_eq!(titles, ["System-assigned", "keepward-backup"]);
    for words in [
        "sign out of personal Microsoft accounts or use a private window",
        "Consent on behalf of your organization",
        "change-organization-collection-level-permissions",
    ] {
        assert!(told.told().contains(words), "{words}");
    }
    let told = world.done("connector methods microsoft-365").await;
    assert!(of(&told, "method").iter().all(|one| one["name"] != "pat"));
    assert!(
        !told.told().contains("Project Collection"),
        "{}",
        told.told()
    );
}

/// With the connector `ado-contoso`, for which an administrator signed in by a code; and what that said.
async fn signed_in() -> (World, Ran) {
    let world = cloud().await;
    let add =
        "connector add azure-devops https://dev.azure.com/contoso --device-code --name ado-contoso";
    let who = world.simulator.administrator();
    let added = with_code(&world, add, |code| approve(&world, code, who)).await;
    added.exits(0);
    (world, added)
}

fn approve(world: &World, code: &str, who: &str) {
    world.simulator.approve_device_code(code, who).unwrap();
}

/// Signs in to it once more.
const AGAIN: &str = "connector sign-in ado-contoso --device-code";

#[tokio::test(flavor = "multi_thread")]
async fn sre_12_sre_26_k_06_a_person_connects_an_organization_by_a_code_once() {
    let (world, added) = signed_in().await;
    let told = added.told();
    let hint = told.find("private window").unwrap();
    assert!(hint < told.find("\"device-code\"").unwrap(), "{told}");
    assert_eq!(added.event("connector")["organization"], "contoso");
    let connector = shown(&world, "ado-contoso").await;
    assert_eq!(
        (&connector["method"], &connector["status"]["title"]),
        (&json!("user"), &json!("Connected"))
    );
    let second = "connector add azure-devops CONTOSO --managed-identity --name second";
    says(
        &world.run(second).await,
        1,
        "organization-taken",
        "A connector for this organization already exists",
    );
    let discover = "connector discover --credential 'connector ado-contoso'";
    let discovered = world.done(discover).await;
    let contoso = |one: &Value| one["organization"] == "contoso";
    let told = discovered.told();
    assert!(discovered.events.iter().any(contoso), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_20_somebody_else_signs_in_later_and_what_does_not_work_out_leaves_the_token_that_works()
 {
    let (world, _) = signed_in().await;
    // The installation needs no app of its own for this: the connector has one.
    configure(&world, "");
    let person = world.simulator.person();
    let signed = with_code(&world, AGAIN, |code| approve(&world, code, person)).await;
    signed.exits(0);
    assert_eq!(signed.event("signed-in")["account"], person);
    let kept = world.first("credential show 'connector ado-contoso'").await;
    assert_eq!(kept["account"], person, "{kept}");
    assert_eq!(connectors(&world).await, ["ado-contoso"]);
    let declined = with_code(&world, AGAIN, |code| {
        world.simulator.decline_device_code(code).unwrap();
    })
    .await;
    declined.refuses(1, "device-code-declined");
    let tested = world.run("connector test ado-contoso").await;
    assert!(matches!(tested.code, Some(0 | 3)), "{}", tested.told());
}

/// Exit code 4 is for whoever watches commands.
#[tokio::test(flavor = "multi_thread")]
async fn sre_46_a_sign_in_that_was_ended_is_told_as_that() {
    let (world, _) = signed_in().await;
    let who = world.simulator.administrator();
    world.simulator.revoke_sessions(who);
    world.repository("default").await;
    for command in ["connector test ado-contoso", "backup ado-contoso"] {
        let refused = world.run(command).await;
        says(&refused, 4, "token-expired", "Invalid or expired token");
    }
    let status = shown(&world, "ado-contoso").await["status"].clone();
    assert_eq!(
        (&status["state"], &status["why"]),
        (&json!("sign-in-needed"), &json!("Invalid or expired token"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_17_xm_08_a_code_that_comes_to_nothing_says_why_names_other_ways_and_saves_nothing() {
    let world = cloud().await;
    let add = "connector add azure-devops contoso --device-code";
    let simulator = &world.simulator;
    let declined = with_code(&world, add, |code| {
        simulator.decline_device_code(code).unwrap();
    })
    .await;
    let expired = with_code(&world, add, |_| simulator.advance_clock(1000)).await;
    let rule = json!({"tenant": simulator.tenant(), "deviceFlow": "blocked"});
    simulator.control("rules", &rule).unwrap();
    let blocked = with_code(&world, add, |code| {
        assert!(
            simulator
                .approve_device_code(code, simulator.administrator())
                .is_err()
        );
    })
    .await;
    for (ran, code) in [
        (declined, "device-code-declined"),
        (expired, "device-code-expired"),
        (blocked, "conditional-access"),
    ] {
        ran.refuses(1, code);
        let hint = ran.event("error")["hint"].as_str().unwrap().to_owned();
        assert!(
            hint.contains("admin-consent link") && hint.contains("certificate"),
            "{hint}"
        );
    }
    assert!(connectors(&world).await.is_empty());
    let kept = world.run("credential list").await;
    assert!(kept.events.is_empty(), "{}", kept.told());
}

/// A PEM file with certificate and key that the simulated app knows.
fn certificate(world: &World) -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let made = rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let body = json!({"client": world.simulator.client_id(), "certificate": made.pem()});
    world.simulator.control("certificates", &body).unwrap();
    world.file("app.pem", &format!("{}{}", made.pem(), key.serialize_pem()))
}

/// The token file of a platform that the simulated app trusts.
fn platform(world: &World) -> String {
    let (issuer, subject) = (
        "https://kubernetes.example",
        "system:serviceaccount:backup:keepward",
    );
    let trust = json!({"client": world.simulator.client_id(), "issuer": issuer, "subject": subject,
        "audience": "api://AzureADTokenExchange"});
    world.simulator.control("federations", &trust).unwrap();
    let token = world.simulator.workload_token(issuer, subject).unwrap();
    world.file("token", &token)
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_24_every_identity_that_needs_nobody_connects() {
    let world = cloud().await;
    let (client, tenant) = (world.simulator.client_id(), world.simulator.tenant());
    let assigned = world.simulator.managed_identity();
    let secret = world.file("secret", &world.simulator.client_secret());
    let (certificate, platform) = (certificate(&world), platform(&world));
    let pat = world.at("pat");
    let app = format!("--client-id {client} --tenant {tenant}");
    let user_assigned = format!("--managed-identity {assigned}");
    let add = "connector add azure-devops contoso --name unattended";
    for (method, way) in [
        (
            "client-secret",
            format!("--client-secret-file {secret} {app}"),
        ),
        ("certificate", format!("--certificate {certificate} {app}")),
        ("managed-identity", "--managed-identity".to_owned()),
        ("managed-identity", user_assigned),
        (
            "federated-identity",
            format!("--federated {assigned} {app}"),
        ),
        (
            "workload-identity",
            format!("--workload-identity {platform} {app}"),
        ),
        ("pat", format!("--pat-file {pat}")),
    ] {
        world.done(&format!("{add} {way}")).await;
        let connector = shown(&world, "unattended").await;
        assert_eq!(
            (&connector["method"], &connector["status"]["title"]),
            (&json!(method), &json!("Connected"))
        );
        // No machine's identity is an administrator here: the check says so, and the connector works.
        let person = method == "pat";
        let tested = world.run("connector test unattended").await;
        tested.exits(if person { 0 } else { 3 });
        assert_ne!(person, tested.told().contains("administrator-missing"));
        world.done("connector remove unattended").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_23_a_client_id_and_a_tenant_go_together() {
    let world = cloud().await;
    let (client, tenant) = (world.simulator.client_id(), world.simulator.tenant());
    for half in [
        format!("--client-id {client}"),
        format!("--tenant {tenant}"),
    ] {
        let add = format!("connector add azure-devops contoso --managed-identity {half}");
        let refused = world.run(&add).await;
        refused.exits(2);
        let told = refused.told();
        assert!(told.contains("client id and tenant go together"), "{told}");
    }
    assert!(connectors(&world).await.is_empty());
}
