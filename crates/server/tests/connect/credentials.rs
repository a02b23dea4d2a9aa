//! The password manager: kept once, reused, rotated, never read again.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn xa_09_a_token_is_kept_once_and_reused_by_several_connectors() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    let url = world.simulator.url();
    let body = json!({"name": "nightly", "url": url, "identity": {"method": "pat", "secret": pat}});
    let mut nowhere = body.clone();
    nowhere["url"] = json!("devops.example.com");
    let refused = world.post("/credentials", &nowhere).await.expect(422);
    assert_eq!(refused["errors"][0]["pointer"], "/url");
    let kept = world.post("/credentials", &body).await.expect(201);
    // SRE-39: it is never told again.
    assert!(!kept.to_string().contains(&pat));
    for name in ["one", "two"] {
        let body = json!({
            "name": name, "service": "azure-devops", "organization": "contoso", "url": world.simulator.url(),
            "credential": "NIGHTLY",
        });
        world.post("/connectors", &body).await.expect(201);
    }
    let shown = world.get("/credentials/nightly").await.expect(200);
    assert_eq!(shown["users"], json!(["connector one", "connector two"]));
    assert!(!shown.to_string().contains(&pat));
    let refused = world.delete("/credentials/nightly").await.expect(409);
    assert_eq!(refused["code"], "credential-in-use");
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("connector one")
    );
    for name in ["one", "two"] {
        world
            .delete(&format!("/connectors/{name}"))
            .await
            .expect(204);
    }
    // A shared one stays until somebody removes it.
    world.delete("/credentials/nightly").await.expect(204);
}

#[tokio::test]
async fn a_new_secret_is_tested_before_it_replaces_the_old_one() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    let path = "/credentials/connector%20contoso";
    let rotate = format!("{path}/rotate");
    let refused = world.post(&rotate, &json!({"secret": "wrong"})).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    let tested = world
        .post(&format!("{path}/test"), &json!({}))
        .await
        .expect(200);
    assert_eq!(tested["ok"], true, "{tested}");
    let noted = world.get("/audit?action=credential.test").await.expect(200);
    let noted = &noted["items"][0];
    assert_eq!(noted["subject"], "credential/connector contoso", "{noted}");

    let scopes = ["vso.project", "vso.work", "vso.wiki", "vso.code"];
    let new = world.simulator.add_pat("contoso", &scopes).await;
    let body = json!({"secret": new, "expires": "2099-01-31T00:00:00Z"});
    world.post(&rotate, &body).await.expect(200);
    let shown = world.get(path).await.expect(200);
    assert_eq!(shown["expires"], "2099-01-31T00:00:00Z");
    assert_eq!(shown["users"], json!(["connector contoso"]));
    let control = &world.control;
    let stored = control
        .catalog
        .get_credential(&control.kek, "connector contoso")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.expose(), new);
}

#[tokio::test]
async fn secrets_of_the_program_itself_are_nobodys_to_manage() {
    let world = World::start().await;
    let control = &world.control;
    control
        .catalog
        .put_credential(
            &control.kek,
            "repository main",
            "repository-password",
            &model::Secret::new("p"),
            control.clock.now(),
            &mut rand::rng(),
        )
        .await
        .unwrap();
    let path = "/credentials/repository%20main";
    world.get(path).await.expect(404);
    world.delete(path).await.expect(404);
    let rotate = json!({"secret": "x"});
    world
        .post(&format!("{path}/rotate"), &rotate)
        .await
        .expect(404);
    let body = json!({
        "service": "azure-devops", "organization": "contoso", "url": world.simulator.url(),
        "credential": "repository main",
    });
    world.post("/connectors", &body).await.expect(422);
}
