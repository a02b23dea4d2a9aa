//! Sign in, choose, check, add.

use reqwest::Url;
use serde_json::{Value, json};

use crate::world::World;

fn begin() -> Value {
    json!({"service": "azure-devops", "method": "user", "cloud": "lab"})
}

fn id(wizard: &Value) -> &str {
    wizard["id"].as_str().unwrap()
}

/// What the browser does: opens the page and follows the redirect back, as far as its query.
pub(crate) async fn browse(address: &str) -> String {
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = browser.get(address).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    Url::parse(location).unwrap().query().unwrap().to_owned()
}

#[tokio::test]
async fn sre_14_two_ways_come_first_and_say_what_they_are_for_and_how_long_they_last() {
    let world = World::start().await;
    let methods = world
        .get("/connect/methods?service=azure-devops")
        .await
        .expect(200);
    let all = methods["methods"].as_array().unwrap();
    let first: Vec<&str> = all
        .iter()
        .filter(|method| method["first"] == true)
        .map(|method| method["title"].as_str().unwrap())
        .collect();
    assert_eq!(first, ["User account", "Managed identity"]);
    for method in all {
        for key in ["usage", "life"] {
            assert!(!method[key].as_str().unwrap().is_empty(), "{method}");
        }
    }
    // SRE-16: what consent is asked for; K-05, K-06, XA-06: what is told before.
    assert!(!methods["permissions"].as_array().unwrap().is_empty());
    let hints = methods["hints"].to_string();
    for said in [
        "private window",
        "pop-ups",
        "change-organization-collection-level-permissions",
    ] {
        assert!(hints.contains(said), "{said}");
    }
}

#[tokio::test]
async fn sre_22_the_machines_identities_are_listed() {
    let world = World::start().await;
    let listed = world.get("/connect/identities").await.expect(200);
    assert_eq!(listed["items"][0]["assigned"], "system");
}

#[tokio::test]
async fn k_03_k_11_an_account_is_connected_and_nothing_is_saved_before_the_last_step() {
    let world = World::start().await;
    let wizard = world
        .signed_in(&begin(), world.simulator.administrator())
        .await;
    assert_eq!(wizard["account"], world.simulator.administrator());
    let found: Vec<&str> = wizard["organizations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["organization"].as_str().unwrap())
        .collect();
    assert!(found.contains(&"contoso"), "{wizard}");

    // K-03: every organization is checked, one result each.
    let path = format!("/connect/{}/check", id(&wizard));
    let checked = world.post(&path, &json!({})).await.expect(200);
    assert_eq!(
        checked["organizations"].as_array().unwrap().len(),
        found.len()
    );

    // SRE-25: the last look, before anything is there.
    let pick = json!({"connectors": [{"organization": "contoso", "name": "ado-contoso"}]});
    let path = format!("/connect/{}/review", id(&wizard));
    let review = world.post(&path, &pick).await.expect(200);
    assert_eq!(
        review["items"],
        json!([{
            "name": "ado-contoso", "organization": "contoso", "type": "Azure DevOps OAuth",
            "app_profile": {"name": "contoso.example azure-devops", "new": true},
        }])
    );
    world.expect_empty().await;

    let path = format!("/connect/{}/add", id(&wizard));
    let added = world.post(&path, &pick).await.expect(201);
    assert_eq!(added["message"], "Connected to Azure DevOps");
    assert_eq!(added["connectors"][0]["status"]["title"], "Connected");
    // XA-05: what is next.
    let next: Vec<&str> = added["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["title"].as_str().unwrap())
        .collect();
    assert_eq!(next, ["Custom policy", "Run backup"]);
    // The wizard is over.
    world
        .get(&format!("/connect/{}", id(&wizard)))
        .await
        .expect(404);

    // SRE-26, and it works.
    let tested = world
        .post("/connectors/ado-contoso/test", &json!({}))
        .await
        .expect(200);
    assert_eq!(tested["connector"]["status"]["state"], "connected");
}

#[tokio::test]
async fn sre_17_a_canceled_wizard_leaves_nothing() {
    let world = World::start().await;
    let wizard = world
        .signed_in(&begin(), world.simulator.administrator())
        .await;
    let path = format!("/connect/{}", id(&wizard));
    world.delete(&path).await.expect(204);
    world.get(&path).await.expect(404);
    let body = json!({"connectors": [{"organization": "contoso"}]});
    world.post(&format!("{path}/add"), &body).await.expect(404);
    world.expect_empty().await;
}

#[tokio::test]
async fn a_wizard_is_forgotten_after_half_an_hour() {
    let world = World::start().await;
    let wizard = world
        .signed_in(&begin(), world.simulator.administrator())
        .await;
    world.advance(1800);
    let path = format!("/connect/{}", id(&wizard));
    let gone = world.get(&path).await;
    assert_eq!(gone.body["code"], "connect-session-unknown");
}

#[tokio::test]
async fn k_08_a_browser_comes_back_once_and_only_to_its_own_wizard() {
    let world = World::start().await;
    let person = world.simulator.administrator();
    world.simulator.sign_in_at_once(person);
    let mut code = begin();
    code["flow"] = json!("code");
    code["redirect"] = json!("http://localhost:8765/return");
    let begun = world.post("/connect", &code).await.expect(201);
    let other = world.post("/connect", &code).await.expect(201);
    let query = browse(begun["sign_in"]["url"].as_str().unwrap()).await;
    let give = |wizard: &Value| format!("/connect/{}/return", id(wizard));
    let body = json!({ "query": query });

    // A return that another wizard asked for, or nobody.
    let refused = world.post(&give(&other), &body).await;
    assert_eq!(refused.body["code"], "sign-in-mismatch", "{}", refused.body);
    let forged = json!({"query": "code=x&state=forged"});
    let refused = world.post(&give(&begun), &forged).await;
    assert_eq!(refused.body["code"], "sign-in-mismatch", "{}", refused.body);

    let back = world.post(&give(&begun), &body).await.expect(200);
    assert_eq!(
        (&back["step"], &back["account"]),
        (&json!("choose"), &json!(person))
    );
    // A code is spent once.
    let replayed = world.post(&give(&begun), &body).await;
    assert_eq!(replayed.body["code"], "connect-step", "{}", replayed.body);
}

#[tokio::test]
async fn a_sign_in_comes_back_to_this_machine_or_this_server_and_nowhere_else() {
    let world = World::start().await;
    for redirect in [
        "https://evil.example/return",
        "http://evil.example",
        "http://localhost.evil.example:80/",
        "http://localhost@evil.example/",
        "https://localhost:8765/",
        "http://localhost:8765/?next=https://evil.example",
        "javascript:alert(1)",
    ] {
        let mut code = begin();
        code["flow"] = json!("code");
        code["redirect"] = json!(redirect);
        world.post("/connect", &code).await.expect(422);
    }
}

#[tokio::test]
async fn sre_20_a_different_account_takes_the_place_of_the_old_token() {
    let world = World::start().await;
    world.add_user("contoso").await;
    let catalog = &world.control.catalog;
    let kek = &world.control.kek;
    let name = "connector contoso";
    let (before, version) = catalog.versioned_secret(kek, name).await.unwrap();
    let again = json!({"service": "azure-devops", "method": "user", "cloud": "lab", "connector": "contoso"});
    let wizard = world
        .signed_in(&again, world.simulator.administrator())
        .await;
    let path = format!("/connect/{}/add", id(&wizard));
    let added = world.post(&path, &json!({})).await.expect(201);
    assert_eq!(added["connectors"][0]["name"], "contoso");
    let (after, newer) = catalog.versioned_secret(kek, name).await.unwrap();
    assert!(newer > version);
    assert_ne!(before.expose(), after.expose());
    assert_eq!(world.names().await, ["contoso"]);
}

#[tokio::test]
async fn token_substitution_between_tenants_connects_nothing_and_replaces_nothing() {
    const STRANGER: &str = "admin@fabrikam.example";
    let world = World::start().await;
    let pick = json!({"connectors": [{"organization": "contoso", "name": "substituted"}]});
    let wizard = world.signed_in(&begin(), STRANGER).await;
    let path = format!("/connect/{}/add", id(&wizard));
    let answer = world.post(&path, &pick).await;
    assert!(answer.status.is_client_error(), "{}", answer.body);
    assert!(world.names().await.is_empty());

    world.add_user("contoso").await;
    let (catalog, kek) = (&world.control.catalog, &world.control.kek);
    let name = "connector contoso";
    let before = catalog.versioned_secret(kek, name).await.unwrap();
    // The tenant of the connector's app would not let them in at all.
    let again = json!({"service": "azure-devops", "method": "user", "connector": "contoso", "tenant": "organizations"});
    let wizard = world.signed_in(&again, STRANGER).await;
    let path = format!("/connect/{}/add", id(&wizard));
    let answer = world.post(&path, &json!({})).await;
    assert!(answer.status.is_client_error(), "{}", answer.body);
    let after = catalog.versioned_secret(kek, name).await.unwrap();
    assert_eq!((before.0.expose(), before.1), (after.0.expose(), after.1));
    let tested = world.post("/connectors/contoso/test", &json!({})).await;
    assert_eq!(
        tested.expect(200)["connector"]["status"]["state"],
        "connected"
    );
}

#[tokio::test]
async fn sre_24_the_machines_identity_connects_without_anybody() {
    let world = World::start().await;
    let body = json!({
        "name": "unattended", "service": "azure-devops", "organization": "contoso",
        "identity": {"method": "managed-identity", "cloud": "lab", "managed_identity": {"assigned": "system"}},
    });
    let added = world.post("/connectors", &body).await.expect(201);
    assert_eq!(added["method"], "managed-identity");
    world.advance(100_000);
    let tested = world
        .post("/connectors/unattended/test", &json!({}))
        .await
        .expect(200);
    assert_eq!(tested["connector"]["status"]["state"], "connected");
}

#[tokio::test]
async fn sre_19_the_window_that_waits_is_told_why_the_other_one_failed() {
    let world = World::start().await;
    let mut code = begin();
    code["flow"] = json!("code");
    code["redirect"] = json!("http://localhost:8765/return");
    let begun = world.post("/connect", &code).await.expect(201);
    let page = Url::parse(begun["sign_in"]["url"].as_str().unwrap()).unwrap();
    let state = page.query_pairs().find(|(name, _)| name == "state");
    let query = format!(
        "error=access_denied&error_description=AADSTS65004%3A+User+declined&state={}",
        state.unwrap().1
    );
    let path = format!("/connect/{}", id(&begun));
    let refused = world
        .post(&format!("{path}/return"), &json!({ "query": query }))
        .await;
    assert!(refused.status.is_client_error(), "{}", refused.body);

    let waiting = world.get(&path).await.expect(200);
    assert_eq!(waiting["step"], "failed", "{waiting}");
    assert_eq!(waiting["failure"]["code"], refused.body["code"]);
    assert_eq!(waiting["failure"]["message"], refused.body["detail"]);
    assert!(waiting["failure"]["hint"].is_string());
    // It leads nowhere else.
    let pick = json!({"connectors": [{"organization": "contoso"}]});
    let add = world.post(&format!("{path}/add"), &pick).await;
    assert_eq!(add.body["code"], "connect-step", "{}", add.body);
    assert!(world.names().await.is_empty());
}

/// The sign-in ends in a window of its own: the one that waits for it is told what is to be said about the account.
#[tokio::test]
async fn av_07_the_window_that_waits_is_told_that_the_account_reaches_no_organization() {
    let world = World::start().await;
    let person = world.simulator.administrator();
    let stranger = json!({"person": person, "member": false, "owner": false});
    world.simulator.set_access("contoso", &stranger).unwrap();
    world.simulator.sign_in_at_once(person);
    let mut code = begin();
    code["flow"] = json!("code");
    code["redirect"] = json!("http://localhost:8765/return");
    let begun = world.post("/connect", &code).await.expect(201);
    let query = browse(begun["sign_in"]["url"].as_str().unwrap()).await;
    let path = format!("/connect/{}", id(&begun));
    let back = world
        .post(&format!("{path}/return"), &json!({ "query": query }))
        .await
        .expect(200);
    assert_eq!(back["checks"][0]["code"], "organization-none", "{back}");
    let waiting = world.get(&path).await.expect(200);
    assert_eq!(waiting["checks"], back["checks"]);
    assert_eq!(waiting["step"], back["step"]);
}

fn token(world: &World, pat: &str) -> Value {
    json!({
        "service": "azure-devops", "method": "pat", "organization": "contoso", "url": world.simulator.url(),
        "identity": {"method": "pat", "secret": pat},
    })
}

#[tokio::test]
async fn sre_34_sre_40_the_wizard_too_refuses_an_address_whose_code_cannot_be_read() {
    let world = World::start().await;
    let scopes = ["vso.project", "vso.work", "vso.wiki"];
    let pat = world.simulator.add_pat("contoso", &scopes).await;
    let wizard = world
        .post("/connect", &token(&world, &pat))
        .await
        .expect(201);
    let repository = "https://dev.azure.com/contoso/Fiber/_git/Fiber";
    let pick = json!({"connectors": [{"organization": repository, "name": "docs"}]});
    let path = format!("/connect/{}/add", id(&wizard));
    world
        .post(&path, &pick)
        .await
        .refused("code-read-missing", "Token lacks Code.Read permission");
    world.expect_empty().await;
}

#[tokio::test]
async fn a_server_of_ones_own_is_asked_at_its_address_from_the_first_step_to_the_last() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    let wizard = world
        .post("/connect", &token(&world, &pat))
        .await
        .expect(201);
    assert_eq!(
        (&wizard["step"], &wizard["method"]),
        (&json!("choose"), &json!("pat"))
    );
    let path = format!("/connect/{}", id(&wizard));
    let checked = world
        .post(&format!("{path}/check"), &json!({}))
        .await
        .expect(200);
    assert_eq!(checked["organizations"][0]["ok"], true, "{checked}");
    let pick = json!({"connectors": [{"organization": "contoso", "name": "server"}]});
    let added = world.post(&format!("{path}/add"), &pick).await.expect(201);
    assert_eq!(added["connectors"][0]["url"], world.simulator.url());
}

#[tokio::test]
async fn tokens_go_to_where_the_configuration_has_the_public_cloud() {
    let world = World::start().await.in_public();
    let body = json!({
        "service": "azure-devops", "organization": "https://dev.azure.com/contoso",
        "identity": {"method": "pat", "secret": world.simulator.pat()},
    });
    let added = world.post("/connectors", &body).await.expect(201);
    assert_eq!(
        (&added["organization"], &added["url"]),
        (&json!("contoso"), &Value::Null)
    );
}

#[tokio::test]
async fn sre_20_somebody_who_wants_a_different_account_is_asked_which() {
    let world = World::start().await;
    for (choose, asked) in [(false, false), (true, true)] {
        let mut code = begin();
        code["flow"] = json!("code");
        code["redirect"] = json!("http://localhost:8765/return");
        code["choose_account"] = json!(choose);
        let begun = world.post("/connect", &code).await.expect(201);
        let page = begun["sign_in"]["url"].as_str().unwrap();
        assert_eq!(page.contains("prompt=select_account"), asked, "{page}");
    }
}
