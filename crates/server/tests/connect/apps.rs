//! Apps of tenants: consent by an administrator, and apps that prove themselves.

use serde_json::{Value, json};

use crate::wizard::browse;
use crate::world::World;

fn profile(world: &World, name: &str) -> Value {
    json!({
        "name": name, "service": "azure-devops", "cloud": "lab", "tenant": world.simulator.tenant(),
        "client_id": world.simulator.client_id(),
    })
}

#[tokio::test]
async fn av_08_av_10_an_administrators_consent_comes_back_once_and_of_its_own_tenant() {
    let world = World::start().await.at("http://localhost:8480");
    let body = profile(&world, "contoso");
    world.post("/app-profiles", &body).await.expect(201);
    world
        .simulator
        .sign_in_at_once(world.simulator.administrator());
    let asked = async || {
        let path = "/app-profiles/contoso/consent-link";
        let link = world.post(path, &json!({})).await.expect(200);
        browse(link["url"].as_str().unwrap()).await
    };
    let back = async |query: &str| {
        let path = format!("/connect/return?{query}");
        world.get(&path).await.status.as_u16()
    };
    let consented = async || {
        let shown = world.get("/app-profiles/contoso").await.expect(200);
        shown.get("consented").is_some()
    };

    let (own, other) = (world.simulator.tenant(), world.simulator.other_tenant());
    let substituted = asked().await.replace(&own, &other);
    assert_eq!(back(&substituted).await, 422);
    // A return is looked at once, whatever came of it.
    assert_eq!(back(&substituted.replace(&other, &own)).await, 404);
    let declined = asked()
        .await
        .replace("admin_consent=True", "error=access_denied");
    assert_eq!(back(&declined).await, 422);
    assert_eq!(back("admin_consent=True&state=forged").await, 404);
    assert!(!consented().await);

    let query = asked().await;
    assert_eq!(back(&query).await, 200);
    assert!(consented().await);
    assert_eq!(back(&query).await, 404);
}

#[tokio::test]
async fn an_app_that_is_no_public_client_proves_itself_by_its_profile() {
    let world = World::start().await;
    let web =
        json!({"name": "Web", "multiTenant": true, "redirects": ["http://localhost:8765/return"]});
    let made = world.simulator.control("apps", &web).unwrap();
    let client_id = made["clientId"].as_str().unwrap();
    let kept = world
        .simulator
        .control("secrets", &json!({"client": client_id}))
        .unwrap();
    let identity = json!({
        "method": "client-secret", "cloud": "lab", "tenant": world.simulator.tenant(), "client_id": client_id,
        "secret": kept["secret"],
    });
    let credential = json!({"name": "web", "identity": identity});
    world.post("/credentials", &credential).await.expect(201);

    // The secret of another app proves nothing.
    let mut body = profile(&world, "other");
    body["credential"] = json!("web");
    let refused = world.post("/app-profiles", &body).await;
    assert_eq!(
        refused.body["code"], "credential-method",
        "{}",
        refused.body
    );
    let mut body = profile(&world, "contoso");
    (body["client_id"], body["credential"]) = (json!(client_id), json!("web"));
    world.post("/app-profiles", &body).await.expect(201);
    let removed = world.delete("/credentials/web").await;
    assert_eq!(
        removed.body["code"], "credential-in-use",
        "{}",
        removed.body
    );

    world
        .simulator
        .sign_in_at_once(world.simulator.administrator());
    let sign_in = async |app: Value| {
        let mut begin = json!({"service": "azure-devops", "method": "user", "flow": "code", "cloud": "lab",
            "redirect": "http://localhost:8765/return"});
        begin
            .as_object_mut()
            .unwrap()
            .extend(app.as_object().unwrap().clone());
        let begun = world.post("/connect", &begin).await.expect(201);
        let query = browse(begun["sign_in"]["url"].as_str().unwrap()).await;
        let path = format!("/connect/{}/return", begun["id"].as_str().unwrap());
        world.post(&path, &json!({ "query": query })).await
    };
    let unproved = json!({"client_id": client_id, "tenant": world.simulator.tenant()});
    assert!(sign_in(unproved).await.status.is_client_error());
    let wizard = sign_in(json!({"app_profile": "contoso"})).await.expect(200);
    let path = format!("/connect/{}/add", wizard["id"].as_str().unwrap());
    let pick = json!({"connectors": [{"organization": "contoso", "name": "contoso"}]});
    world.post(&path, &pick).await.expect(201);

    // Its tokens end, and the app proves itself again to get new ones.
    world.advance(2 * 60 * 60);
    let tested = world
        .post("/connectors/contoso/test", &json!({}))
        .await
        .expect(200);
    assert_eq!(
        tested["connector"]["status"]["title"], "Connected",
        "{tested}"
    );
}
