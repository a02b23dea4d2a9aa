//! Connectors without a wizard: add, verify, edit, remove.

use axum::http::Method;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn sre_26_sre_27_sre_28_an_added_connector_lists_repositories_and_commits() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    let added = world.add_pat("contoso", &pat).await.expect(201);
    assert_eq!(added["status"]["title"], "Connected");
    let listed = world.get("/connectors").await.expect(200);
    assert_eq!(listed["items"][0]["status"]["title"], "Connected");
    let repositories = world
        .get("/connectors/contoso/repositories")
        .await
        .expect(200);
    let first = &repositories["items"][0];
    let path = format!(
        "/connectors/contoso/commits?repository={}",
        first["id"].as_str().unwrap()
    );
    let commits = world.get(&path).await.expect(200);
    assert!(
        !commits["items"].as_array().unwrap().is_empty(),
        "{commits}"
    );
}

#[tokio::test]
async fn sre_23_client_id_and_tenant_are_given_both_or_neither() {
    let world = World::start().await;
    for (client_id, tenant, missing) in [
        (json!("app"), json!(null), "/identity/tenant"),
        (json!(""), json!("contoso.com"), "/identity/client_id"),
    ] {
        let body = json!({
            "service": "azure-devops", "organization": "contoso",
            "identity": {"method": "managed-identity", "client_id": client_id, "tenant": tenant},
        });
        let refused = world.post("/connectors", &body).await.expect(422);
        assert_eq!(refused["errors"][0]["pointer"], missing, "{refused}");
    }
}

#[tokio::test]
async fn sre_38_sre_40_what_cannot_be_connected_leaves_nothing_behind() {
    let world = World::start().await;
    let good = world.simulator.pat().to_owned();
    for (organization, pat, status) in [
        ("https://github.com/contoso/api", good.as_str(), 422),
        ("http://dev.azure.com/contoso", good.as_str(), 422),
        ("con_toso", good.as_str(), 422),
        ("contoso", "wrong", 422),
        ("nowhere", good.as_str(), 422),
    ] {
        let body = world.pat_body("docs", organization, pat);
        world.post("/connectors", &body).await.expect(status);
        assert!(world.names().await.is_empty());
        let kept = world.control.catalog.credentials().await.unwrap();
        assert!(kept.is_empty(), "{organization}");
    }
}

#[tokio::test]
async fn sre_41_an_edit_changes_what_it_names_and_a_bad_one_nothing() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    let path = "/connectors/contoso";
    let before = world.get(path).await.expect(200);
    let edit = json!({"worker": "basement", "sync": {"add_new": false, "hours": [2, 14], "time_zone": "Europe/Berlin"}});
    let after = world.patch(path, &edit).await.expect(200);
    assert_eq!(after["worker"], "basement");
    assert_eq!(after["sync"]["hours"], json!([2, 14]));
    assert_eq!(after["organization"], before["organization"]);
    for bad in [
        json!({"organization": "nowhere"}),
        json!({"organization": "-"}),
        json!({"credential": "nobody"}),
        json!({"sync": {"add_new": true, "hours": [24]}}),
        json!({"sync": {"add_new": true, "hours": [1], "time_zone": "Nowhere/Land"}}),
        json!({"unknown": 1}),
    ] {
        let refused = world.patch(path, &bad).await;
        assert!(refused.status.is_client_error(), "{bad}: {}", refused.body);
    }
    let now = world.get(path).await.expect(200);
    assert_eq!(
        (&now["worker"], &now["sync"]),
        (&after["worker"], &after["sync"])
    );
    let cleared = world
        .patch(path, &json!({"worker": null}))
        .await
        .expect(200);
    assert_eq!(cleared.get("worker"), None);
}

#[tokio::test]
async fn sre_42_sre_43_several_are_removed_at_once_and_each_that_stays_is_named() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    for name in ["one", "two", "three"] {
        world.add_pat(name, &pat).await.expect(201);
    }
    let body = json!({"names": ["one", "missing", "TWO"]});
    let removed = world.post("/connectors/remove", &body).await.expect(200);
    let outcome: Vec<bool> = removed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["removed"].as_bool().unwrap())
        .collect();
    assert_eq!(outcome, [true, false, true]);
    assert_eq!(removed["items"][1]["problem"]["code"], "connector-unknown");
    assert_eq!(world.names().await, ["three"]);
    world.delete("/connectors/three").await.expect(204);
    // With them went the tokens that were theirs alone.
    assert!(
        world
            .control
            .catalog
            .credentials()
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn av_02_av_03_av_09_a_profile_comes_first_and_is_of_the_own_tenant() {
    let world = World::start().await;
    let begin = json!({"service": "azure-devops", "method": "user", "app_profile": "contoso"});
    let refused = world.post("/connect", &begin).await;
    assert_eq!(refused.body["code"], "app-profile-unknown");
    let tenant = world.simulator.tenant();
    let profile = |name: &str, tenant: &str| {
        json!({
            "name": name, "service": "azure-devops", "cloud": "lab", "tenant": tenant,
            "client_id": world.simulator.client_id(),
        })
    };
    let other = "11111111-2222-3333-4444-555555555555";
    for (name, tenant) in [("contoso", tenant.as_str()), ("stranger", other)] {
        let body = profile(name, tenant);
        world.post("/app-profiles", &body).await.expect(201);
    }
    // AV-09: they are listed.
    let listed = world.get("/app-profiles").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    world
        .signed_in(&begin, world.simulator.administrator())
        .await;
    let body = json!({
        "service": "azure-devops", "organization": "contoso", "app_profile": "stranger",
        "identity": {"method": "client-secret", "cloud": "lab", "tenant": tenant,
            "client_id": world.simulator.client_id(), "secret": "s"},
    });
    let refused = world.post("/connectors", &body).await;
    assert_eq!(
        refused.body["code"], "app-profile-tenant",
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn a_connector_gets_another_name_and_keeps_what_is_for_it() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    world.add_pat("second", &pat).await.expect(201);
    let own = json!({"name": "own", "connectors": ["contoso"], "retention": {"yearly": 10}});
    world.post("/policies", &own).await.expect(201);
    let rename = async |name: &str| {
        let body = json!({ "name": name });
        world.patch("/connectors/contoso", &body).await
    };
    let taken = rename("Second").await.expect(409);
    assert_eq!(taken["code"], "connector-name-taken");
    assert_eq!(rename("a b").await.expect(422)["code"], "connector-name");
    // A pattern that would take it away from its policy does so for nobody unasked.
    let prod = json!({"name": "prod", "connectors": ["prod-*"], "retention": {"last": 1}});
    world.post("/policies", &prod).await.expect(201);
    let refused = rename("prod-contoso").await.expect(422);
    assert_eq!(refused["code"], "connector-name-patterns", "{refused}");
    assert!(refused["detail"].as_str().unwrap().ends_with("policy prod"));

    let renamed = rename("contoso-main").await.expect(200);
    assert_eq!(renamed["name"], "contoso-main");
    assert_eq!(renamed["credential"], "connector contoso-main");
    world.get("/connectors/contoso").await.expect(404);
    let policy = world.get("/policies/own").await.expect(200);
    assert_eq!(policy["policy"]["connectors"], json!(["contoso-main"]));
    // It still signs in, and its old name is free for another.
    let test = "/connectors/contoso-main/test";
    let tested = world.post(test, &json!({})).await.expect(200);
    assert_eq!(tested["ok"], true);
    world.add_pat("contoso", &pat).await.expect(201);
    let audit = world.get("/audit?limit=200").await.expect(200);
    let entries = audit["items"].as_array().unwrap().iter();
    let edits: Vec<&serde_json::Value> = entries
        .filter(|entry| entry["action"] == "connector.edit")
        .collect();
    assert_eq!(edits.len(), 1, "{audit}");
    assert_eq!(edits[0]["subject"], "connector/contoso-main");
    assert_eq!(edits[0]["details"]["before"], "contoso");
}

#[tokio::test]
async fn connectors_are_found_by_a_part_of_their_name_or_organization() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    for name in ["first", "second"] {
        world.add_pat(name, &pat).await.expect(201);
    }
    let found = async |q: &str| {
        let listed = world.get(&format!("/connectors?q={q}")).await.expect(200);
        let items = listed["items"].as_array().unwrap().iter();
        items
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("SEC").await, ["second"]);
    assert_eq!(found("contos").await, ["first", "second"]);
    assert_eq!(found("%25").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_own_credential_goes_with_the_connector_also_after_an_edit_put_it_aside() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    let url = world.simulator.url();
    let kept = json!({"name": "kept", "url": url, "identity": {"method": "pat", "secret": pat}});
    world.post("/credentials", &kept).await.expect(201);
    let edited = json!({"credential": "kept"});
    world
        .patch("/connectors/contoso", &edited)
        .await
        .expect(200);
    world.delete("/connectors/contoso").await.expect(204);
    // The next one of its name has its own again; the shared credential is still there.
    world.add_pat("contoso", &pat).await.expect(201);
    world.get("/credentials/kept").await.expect(200);
}

/// Backups are found by the address of their organization: whoever could choose it would read those of others.
#[tokio::test]
async fn a_limited_account_lets_no_connector_stand_for_what_others_reach() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    world.add_pat("own", &pat).await.expect(201);
    let own = (Method::PATCH, "/connectors/own");
    for change in [
        json!({ "organization": "fabrikam" }),
        json!({ "url": "https://devops.example" }),
        json!({ "url": null }),
    ] {
        let refused = world.call_as(&["own"], own.clone(), &change).await;
        let refused = refused.expect(403);
        assert_eq!(refused["code"], "role-missing", "{change}");
    }
    let new = world.pat_body("mine", "https://dev.azure.com/CONTOSO", &pat);
    let add = (Method::POST, "/connectors");
    world.call_as(&["mine"], add, &new).await.expect(403);
    // What it reaches it may change.
    let worker = json!({ "organization": "contoso", "worker": "dmz" });
    world.call_as(&["own"], own, &worker).await.expect(200);
}
