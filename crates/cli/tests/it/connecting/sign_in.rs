//! Every way to sign in.

use serde_json::{Value, json};

use super::{cloud, configure, connectors, of, says, shown, with_code};
use crate::common::World;

#[tokio::test(flavor = "multi_thread")]
async fn sre_14_sre_22_k_05_k_06_the_ways_to_connect_are_told() {
    let world = cloud().await;
    let told = world
        .keepward(&["connector", "methods", "azure-devops"])
        .await;
    told.exits(0);
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
    let told = world
        .keepward(&["connector", "methods", "microsoft-365"])
        .await;
    told.exits(0);
    assert!(of(&told, "method").iter().all(|one| one["name"] != "pat"));
    assert!(
        !told.told().contains("Project Collection"),
        "{}",
        told.told()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_12_sre_20_sre_26_sre_46_a_person_signs_in_by_a_code_and_later_somebody_else() {
    let world = cloud().await;
    let (administrator, person) = (world.simulator.administrator(), world.simulator.person());
    let approve = |who: &'static str| {
        let simulator = &world.simulator;
        move |code: &str| simulator.approve_device_code(code, who).unwrap()
    };
    let add = [
        "connector",
        "add",
        "azure-devops",
        "https://dev.azure.com/contoso",
        "--device-code",
        "--name",
        "ado-contoso",
    ];
    let added = with_code(&world, &add, approve(administrator)).await;
    added.exits(0);
    // K-06: told before the code is.
    let hint = added.told().find("private window").unwrap();
    assert!(
        hint < added.told().find("\"device-code\"").unwrap(),
        "{}",
        added.told()
    );
    assert_eq!(added.event("connector")["organization"], "contoso");
    let connector = shown(&world, "ado-contoso").await;
    assert_eq!(
        (&connector["method"], &connector["status"]["title"]),
        (&json!("user"), &json!("Connected"))
    );

    let second = [
        "connector",
        "add",
        "azure-devops",
        "CONTOSO",
        "--managed-identity",
        "--name",
        "second",
    ];
    says(
        &world.keepward(&second).await,
        1,
        "organization-taken",
        "A connector for this organization already exists",
    );
    let discovered = world
        .keepward(&[
            "connector",
            "discover",
            "--credential",
            "connector ado-contoso",
        ])
        .await;
    discovered.exits(0);
    assert!(
        discovered
            .events
            .iter()
            .any(|one| one["organization"] == "contoso"),
        "{}",
        discovered.told()
    );

    // The installation needs no app of its own for this: the connector has one.
    configure(&world, "");
    let again = ["connector", "sign-in", "ado-contoso", "--device-code"];
    let signed = with_code(&world, &again, approve(person)).await;
    signed.exits(0);
    assert_eq!(signed.event("signed-in")["account"], person);
    let kept = world
        .keepward(&["credential", "show", "connector ado-contoso"])
        .await;
    assert_eq!(kept.events[0]["account"], person, "{}", kept.told());
    assert_eq!(connectors(&world).await, ["ado-contoso"]);

    // What does not work out leaves the token that works.
    let declined = with_code(&world, &again, |code| {
        world.simulator.decline_device_code(code).unwrap();
    })
    .await;
    declined.refuses(1, "device-code-declined");
    let tested = world.keepward(&["connector", "test", "ado-contoso"]).await;
    assert!(matches!(tested.code, Some(0 | 3)), "{}", tested.told());

    // SRE-46: exit code 4 is for whoever watches commands.
    world.simulator.revoke_sessions(person);
    world.repository("default").await;
    for command in [
        &["connector", "test", "ado-contoso"][..],
        &["backup", "ado-contoso"],
    ] {
        let refused = world.keepward(command).await;
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
    let add = [
        "connector",
        "add",
        "azure-devops",
        "contoso",
        "--device-code",
    ];
    let simulator = &world.simulator;
    let declined = with_code(&world, &add, |code| {
        simulator.decline_device_code(code).unwrap();
    })
    .await;
    let expired = with_code(&world, &add, |_| simulator.advance_clock(1000)).await;
    let rule = json!({"tenant": simulator.tenant(), "deviceFlow": "blocked"});
    simulator.control("rules", &rule).unwrap();
    let blocked = with_code(&world, &add, |code| {
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
    let kept = world.keepward(&["credential", "list"]).await;
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
async fn sre_23_sre_24_every_identity_that_needs_nobody_connects() {
    let world = cloud().await;
    let (client, tenant) = (world.simulator.client_id(), world.simulator.tenant());
    let assigned = world.simulator.managed_identity();
    let secret = world.file("secret", &world.simulator.client_secret());
    let (certificate, platform) = (certificate(&world), platform(&world));
    let app = ["--client-id", &client, "--tenant", &tenant];
    let ways: [(&str, Vec<&str>); 7] = [
        (
            "client-secret",
            [&["--client-secret-file", &secret], &app[..]].concat(),
        ),
        (
            "certificate",
            [&["--certificate", &certificate], &app[..]].concat(),
        ),
        ("managed-identity", vec!["--managed-identity"]),
        ("managed-identity", vec!["--managed-identity", &assigned]),
        (
            "federated-identity",
            [&["--federated", &assigned], &app[..]].concat(),
        ),
        (
            "workload-identity",
            [&["--workload-identity", &platform], &app[..]].concat(),
        ),
        ("pat", vec!["--pat-file", "PAT"]),
    ];
    let pat = world.at("pat");
    for (method, way) in &ways {
        let way: Vec<&str> = way
            .iter()
            .map(|word| if *word == "PAT" { pat.as_str() } else { word })
            .collect();
        let add = [
            &[
                "connector",
                "add",
                "azure-devops",
                "contoso",
                "--name",
                "unattended",
            ],
            &way[..],
        ]
        .concat();
        world.keepward(&add).await.exits(0);
        let connector = shown(&world, "unattended").await;
        assert_eq!(
            (&connector["method"], &connector["status"]["title"]),
            (&json!(method), &json!("Connected"))
        );
        // No machine's identity is an administrator here: the check says so, and the connector works.
        let person = *method == "pat";
        let tested = world.keepward(&["connector", "test", "unattended"]).await;
        tested.exits(if person { 0 } else { 3 });
        assert_ne!(person, tested.told().contains("administrator-missing"));
        world
            .keepward(&["connector", "remove", "unattended"])
            .await
            .exits(0);
    }
    // SRE-23: both or neither.
    for half in [["--client-id", &client], ["--tenant", &tenant]] {
        let add = [
            &[
                "connector",
                "add",
                "azure-devops",
                "contoso",
                "--managed-identity",
            ],
            &half[..],
        ]
        .concat();
        let refused = world.keepward(&add).await;
        refused.exits(2);
        assert!(
            refused.told().contains("client id and tenant go together"),
            "{}",
            refused.told()
        );
    }
    assert!(connectors(&world).await.is_empty());
}
