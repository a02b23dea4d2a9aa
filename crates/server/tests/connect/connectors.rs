//! Connectors without a wizard: add, verify, edit, remove.

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
