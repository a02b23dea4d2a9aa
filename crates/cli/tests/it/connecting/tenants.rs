//! Tenants of Microsoft 365, and apps of tenants.

use serde_json::{Value, json};

use super::{cloud, with_code};
use crate::common::World;

/// A tenant that is connected with what its app may do without an administrator's role.
async fn tenant() -> World {
    let world = cloud().await;
    let scopes = ["User", "Group", "Sites", "Organization"]
        .map(|what| format!("00000003-0000-0000-c000-000000000000/{what}.Read.All"));
    let app = json!({"name": "Keepward Registrator", "publicClient": true, "multiTenant": true, "scopes": scopes});
    let app = world.simulator.control("apps", &app).unwrap();
    let app = app["clientId"].as_str().unwrap();
    let add = "connector add microsoft-365 contoso.example --device-code --name tenant";
    with_code(&world, &format!("{add} --client-id {app}"), |code| {
        approve(&world, code);
    })
    .await
    .exits(0);
    world.done("connector sync tenant").await;
    world
}

fn approve(world: &World, code: &str) {
    let person = world.simulator.administrator();
    world.simulator.approve_device_code(code, person).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn xm_01_xm_02_a_tenant_is_connected_by_a_code_and_read() {
    let world = tenant().await;
    let list = async |what: &str| world.done(&format!("connector {what} tenant")).await.events;
    assert_eq!(list("groups").await.len(), 8);
    // Delegated access lists sites as a search does, without those of other people.
    let sites = list("sites").await;
    let site = |site: &Value| site["nature"] == "site";
    assert!(sites.iter().any(site), "{sites:?}");
    let users = list("users").await;
    let mut guests = users.iter().filter(|user| user["nature"] == "guest");
    assert!(guests.all(|guest| guest["licensed"] == false));
}

#[tokio::test(flavor = "multi_thread")]
async fn xm_05_xm_07_users_are_licensed_by_themselves_or_one_by_one() {
    let world = tenant().await;
    let license = async |words: &str| world.first(&format!("connector license {words}")).await;
    assert_eq!(license("show tenant").await["licensing"], "automatic");
    let manual = license("mode tenant manual").await;
    assert_eq!(
        (&manual["licensing"], &manual["protected"]),
        (&json!("manual"), &json!(0))
    );
    let person = world.simulator.person();
    let of_person = async |verb: &str| license(&format!("{verb} tenant {person}")).await;
    assert_eq!(of_person("add").await["licensed"], true);
    assert_eq!(license("show tenant").await["protected"], 1);
    assert_eq!(of_person("reset").await["licensed"], false);
    license("mode tenant automatic").await;
    assert_eq!(of_person("remove").await["licensed"], false);
    let unknown = "connector license add tenant nobody@contoso.example";
    world.run(unknown).await.exits(1);

    let edit = "connector edit tenant --sync-interval 60 --worker basement";
    world.done(edit).await;
    let settings = license("show tenant").await;
    assert_eq!(
        (&settings["sync"]["interval_minutes"], &settings["worker"]),
        (&json!(60), &json!("basement"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn av_02_av_03_an_app_profile_tells_its_permissions_and_where_to_consent() {
    let world = cloud().await;
    let tenant = world.simulator.tenant();
    let add = format!("app-profile add contoso --tenant {tenant}");
    world.done(&add).await;
    let profile = world.first("app-profile list").await;
    assert_eq!(profile["client_id"], world.simulator.client_id());
    for (service, permission) in [
        ("azure-devops", "user_impersonation"),
        ("microsoft-365", "User.Read.All"),
    ] {
        let table = format!("app-profile permissions --service {service}");
        let table = world.done(&table).await;
        let mut rows = table.events.iter();
        let row = rows.find(|row| row["permission"] == permission).unwrap();
        for member in ["api", "type", "why", "purpose"] {
            assert!(!row[member].as_str().unwrap().is_empty(), "{row}");
        }
    }
    let consent = world.first("app-profile consent contoso").await;
    let url = consent["url"].as_str().unwrap();
    assert!(url.contains("adminconsent"), "{url}");
    assert!(url.contains(&tenant), "{url}");
}

#[tokio::test(flavor = "multi_thread")]
async fn av_08_av_10_a_connector_goes_through_the_app_profile_of_its_own_tenant() {
    let world = cloud().await;
    let (tenant, client) = (world.simulator.tenant(), world.simulator.client_id());
    let first = "connector add azure-devops contoso --device-code --app-profile contoso";
    world.refused(first, 1, "app-profile-unknown").await;
    let other = "11111111-2222-3333-4444-555555555555";
    for (name, tenant) in [("contoso", tenant.as_str()), ("stranger", other)] {
        let add = format!("app-profile add {name} --tenant {tenant}");
        world.done(&add).await;
    }
    let added = with_code(&world, first, |code| approve(&world, code)).await;
    added.exits(0);
    world.done("connector remove contoso").await;

    let secret = world.file("secret", &world.simulator.client_secret());
    let mixed = format!(
        "connector add azure-devops contoso --app-profile stranger \
        --client-secret-file {secret} --client-id {client} --tenant {tenant}"
    );
    let refused = world.run(&mixed).await;
    let error = refused.event("error");
    assert_eq!(error["code"], "app-profile-tenant", "{}", refused.told());
    let remove = "app-profile remove stranger";
    world.done(remove).await;
    world.refused(remove, 1, "app-profile-unknown").await;
}
