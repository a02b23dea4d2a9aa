//! What somebody may do who reaches some connectors alone.

use reqwest::Method;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn who_reaches_some_connectors_adds_no_others() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    let mut body = world.pat_body("contoso", "contoso", &pat);
    let add = (Method::POST, "/connectors");
    let refused = world
        .call_as(&["docs"], add.clone(), &body)
        .await
        .expect(403);
    assert_eq!(refused["code"], "role-missing");
    body["name"] = json!(null);
    world
        .call_as(&["docs"], add.clone(), &body)
        .await
        .expect(403);
    assert!(world.names().await.is_empty());
    body["name"] = json!("Docs");
    world.call_as(&["docs"], add, &body).await.expect(201);
    assert_eq!(world.names().await, ["Docs"]);
}

#[tokio::test]
async fn a_wizard_picks_and_lists_no_more_than_its_owner_reaches() {
    let world = World::start().await;
    let begin = json!({"service": "azure-devops", "method": "user", "cloud": "lab"});
    let begun = world
        .call_as(&["docs"], (Method::POST, "/connect"), &begin)
        .await
        .expect(201);
    let id = begun["id"].as_str().unwrap();
    let code = begun["sign_in"]["user_code"].as_str().unwrap();
    let person = world.simulator.administrator();
    world.simulator.approve_device_code(code, person).unwrap();
    world.advance(5);
    let step = async |reached: &str, step: &str, body| {
        let path = format!("/connect/{id}/{step}");
        world
            .call_as(&[reached], (Method::POST, &path), &body)
            .await
    };
    let polled = step("docs", "poll", json!({})).await.expect(200);
    assert_eq!(polled["organizations"], json!([]), "{polled}");
    let checked = step("docs", "check", json!({})).await.expect(200);
    assert_eq!(checked["organizations"], json!([]), "{checked}");
    let unnamed = json!({"connectors": [{"organization": "contoso"}]});
    for last in ["review", "add"] {
        step("docs", last, unnamed.clone()).await.expect(403);
    }
    let reached = step("contoso", "poll", json!({})).await.expect(200);
    assert_eq!(reached["organizations"][0]["organization"], "contoso");
    let named = json!({"connectors": [{"organization": "contoso", "name": "docs"}]});
    step("docs", "add", named).await.expect(201);
    assert_eq!(world.names().await, ["docs"]);
}

/// The address of the wizard is that of all that is picked in it.
#[tokio::test]
async fn a_wizard_opens_no_organization_of_others_by_its_own_address() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    let begin = json!({
        "service": "azure-devops", "method": "pat", "organization": "contoso", "url": world.simulator.url(),
        "identity": {"method": "pat", "secret": pat},
    });
    let begun = world
        .call_as(&["docs"], (Method::POST, "/connect"), &begin)
        .await
        .expect(201);
    let picked = json!({"connectors": [{"organization": "contoso", "name": "docs"}]});
    for step in ["review", "add"] {
        let path = format!("/connect/{}/{step}", begun["id"].as_str().unwrap());
        let refused = world
            .call_as(&["docs"], (Method::POST, &path), &picked)
            .await
            .expect(403);
        assert_eq!(refused["code"], "role-missing", "{step}");
    }
    assert_eq!(world.names().await, ["contoso"]);
}

#[tokio::test]
async fn credentials_of_other_connectors_are_not_there() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("docs", &pat).await.expect(201);
    world.add_user("contoso").await;
    let others = "connector%20contoso";
    let stored = "connector contoso";
    let asked = [
        (Method::GET, format!("/credentials/{others}"), json!({})),
        (
            Method::POST,
            format!("/credentials/{others}/rotate"),
            json!({"secret": "mine"}),
        ),
        (
            Method::POST,
            format!("/credentials/{others}/test"),
            json!({}),
        ),
        (Method::DELETE, format!("/credentials/{others}"), json!({})),
        (
            Method::PATCH,
            "/connectors/docs".to_owned(),
            json!({"credential": stored}),
        ),
        (
            Method::PATCH,
            "/connectors/docs".to_owned(),
            json!({"restore_credential": stored}),
        ),
        (
            Method::POST,
            "/connectors/discover".to_owned(),
            json!({"service": "azure-devops", "credential": stored}),
        ),
        (
            Method::POST,
            "/connect".to_owned(),
            json!({"service": "azure-devops", "method": "stored", "credential": stored}),
        ),
        (
            Method::POST,
            "/connectors".to_owned(),
            json!({"name": "docs", "service": "azure-devops", "organization": "contoso", "credential": stored,
                "url": world.simulator.url(), "replace": true}),
        ),
    ];
    for (method, path, body) in asked {
        let refused = world.call_as(&["docs"], (method, &path), &body).await;
        assert_eq!(
            refused.body["code"], "credential-unknown",
            "{path}: {}",
            refused.body
        );
    }
    let list = (Method::GET, "/credentials");
    let listed = world.call_as(&["docs"], list, &json!({})).await.expect(200);
    let names: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["connector docs"]);
    let discover = json!({"service": "azure-devops", "credential": stored});
    let discover_path = (Method::POST, "/connectors/discover");
    let found = world
        .call_as(&["contoso"], discover_path, &discover)
        .await
        .expect(200);
    assert_eq!(found["organizations"][0]["organization"], "contoso");
}
