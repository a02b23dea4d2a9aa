//! Tenants of Microsoft 365, and apps of tenants.

use serde_json::{Value, json};

use super::{cloud, with_code};

#[tokio::test(flavor = "multi_thread")]
async fn xm_01_xm_02_xm_05_xm_07_a_tenant_is_connected_by_a_code_and_its_users_are_licensed() {
    let world = cloud().await;
    let scopes: Vec<String> = [
        "User.Read.All",
        "Group.Read.All",
        "Sites.Read.All",
        "Organization.Read.All",
    ]
    .iter()
    .map(|scope| format!("00000003-0000-0000-c000-000000000000/{scope}"))
    .collect();
    let app = json!({"name": "Keepward Registrator", "publicClient": true, "multiTenant": true, "scopes": scopes});
    let app = world.simulator.control("apps", &app).unwrap();
    let app = app["clientId"].as_str().unwrap();
    let add = [
        "connector",
        "add",
        "microsoft-365",
        "contoso.example",
        "--device-code",
        "--client-id",
        app,
        "--name",
        "tenant",
    ];
    let added = with_code(&world, &add, |code| {
        let person = world.simulator.administrator();
        world.simulator.approve_device_code(code, person).unwrap();
    })
    .await;
    added.exits(0);
    let synced = world.keepward(&["connector", "sync", "tenant"]).await;
    synced.exits(0);
    let list = |what: &'static str| {
        let world = &world;
        async move {
            let listed = world.keepward(&["connector", what, "tenant"]).await;
            listed.exits(0);
            listed.events
        }
    };
    assert_eq!(list("groups").await.len(), 8);
    // Delegated access lists sites as a search does, without those of other people.
    let sites = list("sites").await;
    assert!(
        sites.iter().any(|site| site["nature"] == "site"),
        "{sites:?}"
    );
    let guest = |user: &&Value| user["nature"] == "guest";
    let users = list("users").await;
    assert!(
        users
            .iter()
            .filter(guest)
            .all(|user| user["licensed"] == false)
    );

    let license = |words: &[&str]| {
        let all: Vec<String> = ["connector", "license"]
            .iter()
            .chain(words)
            .map(|one| (*one).to_owned())
            .collect();
        let world = &world;
        async move {
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            let ran = world.keepward(&all).await;
            ran.exits(0);
            ran.events[0].clone()
        }
    };
    assert_eq!(license(&["show", "tenant"]).await["licensing"], "automatic");
    let manual = license(&["mode", "tenant", "manual"]).await;
    assert_eq!(
        (&manual["licensing"], &manual["protected"]),
        (&json!("manual"), &json!(0))
    );
    let person = world.simulator.person();
    assert_eq!(license(&["add", "tenant", person]).await["licensed"], true);
    assert_eq!(license(&["show", "tenant"]).await["protected"], 1);
    assert_eq!(
        license(&["reset", "tenant", person]).await["licensed"],
        false
    );
    license(&["mode", "tenant", "automatic"]).await;
    assert_eq!(
        license(&["remove", "tenant", person]).await["licensed"],
        false
    );
    let edit = [
        "connector",
        "edit",
        "tenant",
        "--sync-interval",
        "60",
        "--worker",
        "basement",
    ];
    world.keepward(&edit).await.exits(0);
    let settings = license(&["show", "tenant"]).await;
    assert_eq!(
        (&settings["sync"]["interval_minutes"], &settings["worker"]),
        (&json!(60), &json!("basement"))
    );
    let unknown = [
        "connector",
        "license",
        "add",
        "tenant",
        "nobody@contoso.example",
    ];
    assert_eq!(world.keepward(&unknown).await.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn av_02_av_03_av_08_av_10_an_app_profile_comes_first_with_its_permissions_and_consent() {
    let world = cloud().await;
    let tenant = world.simulator.tenant();
    let first = [
        "connector",
        "add",
        "azure-devops",
        "contoso",
        "--device-code",
        "--app-profile",
        "contoso",
    ];
    world
        .keepward(&first)
        .await
        .refuses(1, "app-profile-unknown");
    let add = |name: &'static str, tenant: String| {
        let world = &world;
        async move {
            let add = ["app-profile", "add", name, "--tenant", &tenant];
            world.keepward(&add).await
        }
    };
    add("contoso", tenant.clone()).await.exits(0);
    let other = "11111111-2222-3333-4444-555555555555".to_owned();
    add("stranger", other).await.exits(0);
    let listed = world.keepward(&["app-profile", "list"]).await;
    assert_eq!(listed.events.len(), 2, "{}", listed.told());
    assert_eq!(listed.events[0]["client_id"], world.simulator.client_id());

    for (service, permission) in [
        ("azure-devops", "user_impersonation"),
        ("microsoft-365", "User.Read.All"),
    ] {
        let table = ["app-profile", "permissions", "--service", service];
        let table = world.keepward(&table).await;
        table.exits(0);
        let row = table
            .events
            .iter()
            .find(|row| row["permission"] == permission)
            .unwrap();
        for member in ["api", "type", "why", "purpose"] {
            assert!(!row[member].as_str().unwrap().is_empty(), "{row}");
        }
    }
    let consent = world.keepward(&["app-profile", "consent", "contoso"]).await;
    consent.exits(0);
    let url = consent.events[0]["url"].as_str().unwrap();
    assert!(
        url.contains("adminconsent") && url.contains(&tenant),
        "{url}"
    );

    let added = with_code(&world, &first, |code| {
        let person = world.simulator.administrator();
        world.simulator.approve_device_code(code, person).unwrap();
    })
    .await;
    added.exits(0);
    world
        .keepward(&["connector", "remove", "contoso"])
        .await
        .exits(0);
    let (client, secret) = (
        world.simulator.client_id(),
        world.file("secret", &world.simulator.client_secret()),
    );
    let mixed = [
        "connector",
        "add",
        "azure-devops",
        "contoso",
        "--app-profile",
        "stranger",
        "--client-secret-file",
        &secret,
        "--client-id",
        &client,
        "--tenant",
        &tenant,
    ];
    let refused = world.keepward(&mixed).await;
    assert_eq!(
        refused.event("error")["code"],
        "app-profile-tenant",
        "{}",
        refused.told()
    );
    world
        .keepward(&["app-profile", "remove", "stranger"])
        .await
        .exits(0);
    world
        .keepward(&["app-profile", "remove", "stranger"])
        .await
        .refuses(1, "app-profile-unknown");
}
