//! Tenants of Microsoft 365: connected by a device code or an app, listed, licensed.

use serde_json::{Value, json};

use crate::world::World;

const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
const DOMAIN: &str = "contoso.onmicrosoft.com";
const BACKUP: [&str; 4] = [
    "User.Read.All",
    "Group.Read.All",
    "Sites.Read.All",
    "Organization.Read.All",
];

/// An app registration for people, as an administrator would make it.
fn registered(world: &World) -> String {
    let scopes: Vec<String> = BACKUP
        .iter()
        .map(|scope| format!("{GRAPH}/{scope}"))
        .collect();
    let body = json!({"name": "Keepward Registrator", "publicClient": true, "multiTenant": true, "scopes": scopes});
    let made = world.simulator.control("apps", &body).unwrap();
    made["clientId"].as_str().unwrap().to_owned()
}

fn begin(client_id: &str) -> Value {
    json!({"service": "microsoft-365", "method": "user", "flow": "device-code", "cloud": "lab",
        "tenant": "organizations", "client_id": client_id})
}

/// A tenant that is connected by an app with a secret.
async fn connected() -> World {
    let world = World::start().await;
    let body = json!({
        "name": "contoso-365", "service": "microsoft-365", "organization": DOMAIN,
        "identity": {
            "method": "client-secret", "cloud": "lab", "tenant": world.simulator.tenant(),
            "client_id": world.simulator.client_id(), "secret": world.simulator.client_secret(),
        },
    });
    world.post("/connectors", &body).await.expect(201);
    world
        .post("/connectors/contoso-365/sync", &json!({}))
        .await
        .expect(200);
    world
}

async fn list(world: &World, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let more = if path.contains('?') { '&' } else { '?' };
        let page = format!("{path}{more}limit=9{after}");
        let page = world.get(&page).await.expect(200);
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

/// The same tenant behind its other domain, and behind its id.
#[tokio::test]
async fn a_tenant_is_connected_once_whatever_domain_names_it() {
    let world = connected().await;
    let known = world.get("/connectors/contoso-365").await.expect(200);
    let tenant = world.simulator.tenant();
    let address = known["address"].as_str().unwrap();
    assert!(address.ends_with(&tenant), "{address}");
    for (organization, named) in [
        ("contoso.example", tenant.as_str()),
        ("contoso.example", DOMAIN),
        (tenant.as_str(), "contoso.example"),
    ] {
        let body = json!({
            "name": "again", "service": "microsoft-365", "organization": organization,
            "identity": {
                "method": "client-secret", "cloud": "lab", "tenant": named,
                "client_id": world.simulator.client_id(), "secret": world.simulator.client_secret(),
            },
        });
        let refused = world.post("/connectors", &body).await;
        assert_eq!(
            refused.body["code"], "organization-taken",
            "{}",
            refused.body
        );
    }
    // Removed, and connected by its other domain: it goes on where it was.
    world.delete("/connectors/contoso-365").await.expect(204);
    let body = json!({
        "name": "again", "service": "microsoft-365", "organization": "contoso.example",
        "identity": {
            "method": "client-secret", "cloud": "lab", "tenant": "contoso.example",
            "client_id": world.simulator.client_id(), "secret": world.simulator.client_secret(),
        },
    });
    let added = world.post("/connectors", &body).await.expect(201);
    assert_eq!(added["address"], address);
}

#[tokio::test]
async fn xm_02_xm_03_xm_04_xm_05_xm_06_a_device_code_connects_the_tenant() {
    let world = World::start().await;
    let client_id = registered(&world);
    // XM-02: the code and the address to enter it at.
    let begun = world.post("/connect", &begin(&client_id)).await.expect(201);
    assert!(begun["sign_in"]["user_code"].as_str().unwrap().len() >= 8);
    assert!(
        begun["sign_in"]["verification_uri"]
            .as_str()
            .unwrap()
            .starts_with("http")
    );
    // XM-03 to XM-05: the person enters it elsewhere; nobody refreshes anything here.
    let wizard = world
        .signed_in(&begin(&client_id), world.simulator.administrator())
        .await;
    let found = &wizard["organizations"][0];
    assert_eq!(found["id"], world.simulator.tenant(), "{wizard}");
    // Known by its default domain.
    let domain = &found["organization"];
    assert_eq!(domain, "contoso.example");
    let path = format!("/connect/{}/add", wizard["id"].as_str().unwrap());
    let body = json!({"connectors": [{"organization": domain, "name": "contoso-365"}]});
    let added = world.post(&path, &body).await.expect(201);
    // XM-06.
    let next = added["next"].to_string();
    assert!(
        next.contains("Custom policy") && next.contains("Run backup"),
        "{next}"
    );
    let tested = world
        .post("/connectors/contoso-365/test", &json!({}))
        .await
        .expect(200);
    assert_eq!(tested["missing"], 0, "{tested}");
}

#[tokio::test]
async fn after_sign_in_users_groups_and_sites_of_the_tenant_are_listed() {
    let world = connected().await;
    let users = list(&world, "/connectors/contoso-365/users").await;
    let of = |nature: &str| users.iter().filter(|user| user["nature"] == nature).count();
    assert!(
        of("member") > 20 && of("guest") == 2 && of("shared-mailbox") == 3,
        "{users:?}"
    );
    for user in &users {
        let expected = !matches!(user["nature"].as_str(), Some("guest" | "account"));
        assert_eq!(user["licensed"], expected, "{user}");
    }
    assert_eq!(
        list(&world, "/connectors/contoso-365/groups").await.len(),
        8
    );
    let sites = list(&world, "/connectors/contoso-365/sites").await;
    assert!(sites.iter().any(|site| site["nature"] == "personal-site"));
    let found = list(&world, "/connectors/contoso-365/users?search=ad%C3%A8").await;
    assert!(found.is_empty());
    let found = list(&world, "/connectors/contoso-365/users?search=ADELE").await;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn xm_07_licenses_sync_and_worker_of_a_tenant_are_set() {
    let world = connected().await;
    let path = "/connectors/contoso-365/tenant-settings";
    let before = world.get(path).await.expect(200);
    assert_eq!(before["licensing"], "automatic");
    let scope = before["licensing_scope"].as_str().unwrap();
    assert!(scope.contains("entries of all users, licensed or not"));
    let users = before["users"].as_u64().unwrap();
    assert!(before["protected"].as_u64().unwrap() < users);

    let body = json!({"licensing": "manual", "sync": {"add_new": false, "interval_minutes": 60}, "worker": "basement"});
    let after = world.put(path, &body).await.expect(200);
    assert_eq!(
        (&after["protected"], &after["worker"]),
        (&json!(0), &json!("basement"))
    );
    assert_eq!(after["sync"]["interval_minutes"], 60);
    let kept = world.put(path, &json!({})).await.expect(200);
    assert_eq!(kept["licensing"], "manual", "what is absent stays");
    world
        .put(
            path,
            &json!({"sync": {"add_new": true, "interval_minutes": 1}}),
        )
        .await
        .expect(422);

    let found = list(&world, "/connectors/contoso-365/users?search=adele").await;
    let user = format!(
        "/connectors/contoso-365/users/{}",
        found[0]["id"].as_str().unwrap()
    );
    let chosen = world
        .patch(&user, &json!({"licensed": true}))
        .await
        .expect(200);
    assert_eq!(
        (&chosen["licensed"], &chosen["decided"]),
        (&json!(true), &json!(true))
    );
    let reset = world
        .patch(&user, &json!({"licensed": null}))
        .await
        .expect(200);
    assert_eq!(
        (&reset["licensed"], &reset["decided"]),
        (&json!(false), &json!(false))
    );
    let unknown = "/connectors/contoso-365/users/nobody";
    world
        .patch(unknown, &json!({"licensed": true}))
        .await
        .expect(404);
}

#[tokio::test]
async fn xm_08_a_declined_and_an_expired_code_are_told_apart_and_another_way_is_named() {
    let world = World::start().await;
    let client_id = registered(&world);
    for (code, declines) in [
        ("device-code-declined", true),
        ("device-code-expired", false),
    ] {
        let begun = world.post("/connect", &begin(&client_id)).await.expect(201);
        let user_code = begun["sign_in"]["user_code"].as_str().unwrap();
        if declines {
            world.simulator.decline_device_code(user_code).unwrap();
            world.advance(5);
        } else {
            world.advance(1000);
        }
        let path = format!("/connect/{}/poll", begun["id"].as_str().unwrap());
        let answer = world.post(&path, &json!({})).await;
        let said = answer.body.to_string();
        assert!(said.contains(code), "{code}: {} {said}", answer.status);
    }
}

#[tokio::test]
async fn an_organization_of_azure_devops_has_no_users_to_list() {
    let world = World::start().await;
    world
        .add_pat("ado-contoso", world.simulator.pat())
        .await
        .expect(201);
    for path in ["users", "groups", "sites", "tenant-settings"] {
        let answer = world.get(&format!("/connectors/ado-contoso/{path}")).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert_eq!(answer.body["code"], "directory-missing");
    }
    world.get("/connectors/nobody/users").await.expect(404);
}
