//! Lines of the acceptance file that are about the way through connecting as a whole.

use reqwest::Url;
use serde_json::{Value, json};

use crate::world::World;

fn begin() -> Value {
    json!({"service": "azure-devops", "method": "user", "cloud": "lab"})
}

fn by_code(redirect: &str) -> Value {
    let mut body = begin();
    body["flow"] = json!("code");
    body["redirect"] = json!(redirect);
    body
}

fn texts<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|one| one[member].as_str().unwrap())
        .collect()
}

/// What the page of the sign-in answers a browser.
async fn open(page: &str) -> reqwest::Response {
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    browser.get(page).send().await.unwrap()
}

/// The query with which the browser comes back, when nobody has to type or click anything.
async fn back(page: &str) -> String {
    let answer = open(page).await;
    let location = answer
        .headers()
        .get("location")
        .expect("a redirect")
        .to_str()
        .unwrap();
    Url::parse(location).unwrap().query().unwrap().to_owned()
}

fn path(wizard: &Value, step: &str) -> String {
    format!("/connect/{}/{step}", wizard["id"].as_str().unwrap())
}

#[tokio::test]
async fn sre_02_without_any_connector_the_list_is_empty_and_usable() {
    let world = World::start().await;
    let listed = world.get("/connectors").await.expect(200);
    assert_eq!(listed["items"], json!([]));
    world
        .add_pat("contoso", world.simulator.pat())
        .await
        .expect(201);
    let listed = world.get("/connectors").await.expect(200);
    assert_eq!(texts(&listed["items"], "name"), ["contoso"]);
}

#[tokio::test]
async fn sre_03_sre_04_xa_01_xa_07_xm_01_k_07_each_service_has_its_ways_and_tokens_one_of_their_own()
 {
    let world = World::start().await;
    let devops = world
        .get("/connect/methods?service=azure-devops")
        .await
        .expect(200);
    let names = texts(&devops["methods"], "name");
    assert!(
        names.contains(&"user") && names.contains(&"pat"),
        "{names:?}"
    );
    let microsoft = world
        .get("/connect/methods?service=microsoft-365")
        .await
        .expect(200);
    let names = texts(&microsoft["methods"], "name");
    assert!(
        names.contains(&"user") && !names.contains(&"pat"),
        "{names:?}"
    );
    assert!(
        world
            .get("/connect/methods?service=gopher")
            .await
            .status
            .is_client_error()
    );
}

#[tokio::test]
async fn sre_08_sre_12_a_used_name_and_organization_are_refused_in_their_words() {
    let world = World::start().await;
    world.add_user("contoso").await;
    let body = |name: &str| {
        json!({"name": name, "service": "azure-devops", "organization": "Contoso",
            "identity": {"method": "managed-identity", "cloud": "lab"}})
    };
    let words = (
        "connector-name-taken",
        "A connector with this name already exists",
    );
    world
        .post("/connectors", &body("ConToso"))
        .await
        .refused(words.0, words.1);
    let words = (
        "organization-taken",
        "A connector for this organization already exists",
    );
    world
        .post("/connectors", &body("another"))
        .await
        .refused(words.0, words.1);
    assert_eq!(world.names().await, ["contoso"]);
}

#[tokio::test]
async fn sre_13_one_sign_in_makes_a_connector_for_each_organization() {
    let world = World::start().await;
    let simulator = &world.simulator;
    world.own("fabric");
    let wizard = world.signed_in(&begin(), simulator.administrator()).await;
    let pick = json!({"connectors": [{"organization": "contoso", "name": "one"}, {"organization": "fabric", "name": "two"}]});
    let added = world.post(&path(&wizard, "add"), &pick).await.expect(201);
    assert_eq!(
        texts(&added["connectors"], "organization"),
        ["contoso", "fabric"]
    );
    assert_eq!(world.names().await, ["one", "two"]);
}

#[tokio::test]
async fn sre_16_sre_18_sre_25_sre_26_consent_review_and_success() {
    let world = World::start().await;
    let methods = world
        .get("/connect/methods?service=azure-devops")
        .await
        .expect(200);
    let permissions = methods["permissions"].to_string();
    assert!(
        permissions.contains("user_impersonation") && permissions.contains("why"),
        "{permissions}"
    );
    let wizard = world
        .signed_in(&begin(), world.simulator.administrator())
        .await;
    let pick = json!({"connectors": [{"organization": "contoso", "name": "ado-contoso"}]});
    let review = world
        .post(&path(&wizard, "review"), &pick)
        .await
        .expect(200);
    let shown = &review["items"][0];
    assert_eq!(
        (&shown["name"], &shown["organization"], &shown["type"]),
        (
            &json!("ado-contoso"),
            &json!("contoso"),
            &json!("Azure DevOps OAuth")
        )
    );
    assert!(world.names().await.is_empty());
    let added = world.post(&path(&wizard, "add"), &pick).await.expect(201);
    assert_eq!(added["message"], "Connected to Azure DevOps");
    let listed = world.get("/connectors").await.expect(200);
    assert_eq!(listed["items"][0]["status"]["title"], "Connected");
}

#[tokio::test]
async fn sre_19_a_failure_names_the_access_to_that_organization() {
    let world = World::start().await;
    let simulator = &world.simulator;
    let wizard = world.signed_in(&begin(), simulator.person()).await;
    // The membership ends while the wizard is open.
    let stranger = json!({"person": simulator.person(), "member": false});
    simulator.set_access("contoso", &stranger).unwrap();
    let pick = json!({"connectors": [{"organization": "contoso", "name": "contoso"}]});
    let refused = world.post(&path(&wizard, "add"), &pick).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    let said = refused.body.to_string();
    assert!(
        said.contains("contoso") && said.contains("member"),
        "{said}"
    );
    assert!(world.names().await.is_empty());
}

#[tokio::test]
async fn sre_34_xa_08_xa_14_a_token_goes_through_review_to_the_same_success() {
    let world = World::start().await;
    let body = json!({"name": "shelf", "url": world.simulator.url(), "identity": {"method": "pat", "user": "backup", "secret": world.simulator.pat()}});
    world.post("/credentials", &body).await.expect(201);
    let stored = json!({"service": "azure-devops", "method": "stored", "credential": "shelf", "organization": "contoso"});
    let wizard = world.post("/connect", &stored).await.expect(201);
    let pick = json!({"connectors": [{"organization": "contoso", "name": "docs", "url": world.simulator.url()}]});
    let review = world
        .post(&path(&wizard, "review"), &pick)
        .await
        .expect(200);
    assert_eq!(review["items"][0]["type"], "Azure DevOps (PAT)");
    assert!(world.names().await.is_empty());
    let added = world.post(&path(&wizard, "add"), &pick).await.expect(201);
    assert_eq!(
        texts(&added["next"], "title"),
        ["Custom policy", "Run backup"]
    );
    assert_eq!(world.names().await, ["docs"]);
}

/// SRE-53: the messages of the table can be explained, each with what to do; [`crate::messages`] provokes each.
#[test]
fn sre_53_every_message_of_the_table_has_a_remedy() {
    for code in [
        "sign-in-window-missing",
        "token-expired",
        "token-not-configured",
        "code-read-missing",
        "organization-not-configured",
        "organization-taken",
        "connector-name-taken",
        "organization-needed",
    ] {
        let found = model::code::find(code).unwrap_or_else(|| panic!("{code}"));
        assert!(!found.remedy.is_empty(), "{code}");
    }
}

#[tokio::test]
async fn xa_02_k_08_a_session_of_the_browser_signs_in_with_no_typing() {
    let world = World::start().await;
    let person = world.simulator.administrator();
    world.simulator.sign_in_at_once(person);
    let begun = world
        .post("/connect", &by_code("http://localhost:8765/return"))
        .await
        .expect(201);
    let query = back(begun["sign_in"]["url"].as_str().unwrap()).await;
    let wizard = world
        .post(&path(&begun, "return"), &json!({"query": query}))
        .await
        .expect(200);
    assert_eq!(wizard["account"], person);
}

#[tokio::test]
async fn k_09_consent_is_asked_for_once_and_later_connectors_reuse_it() {
    let world = World::start().await;
    let person = world.simulator.administrator();
    world.simulator.sign_in(person);
    let redirect = by_code("http://localhost:8765/return");
    let begun = world.post("/connect", &redirect).await.expect(201);
    let page = begun["sign_in"]["url"].as_str().unwrap();
    assert_eq!(open(page).await.status(), 200, "the page asks");
    world.simulator.sign_in_at_once(person);
    back(page).await;
    world.simulator.sign_in(person);
    let begun = world.post("/connect", &redirect).await.expect(201);
    let query = back(begun["sign_in"]["url"].as_str().unwrap()).await;
    world
        .post(&path(&begun, "return"), &json!({"query": query}))
        .await
        .expect(200);
}

#[tokio::test]
async fn av_02_av_09_a_tenant_has_its_profile_before_anything_is_connected_through_it() {
    let world = World::start().await;
    let person = world.simulator.administrator();
    let profiles = async || world.get("/app-profiles").await.expect(200)["items"].clone();
    let wizard = world.signed_in(&begin(), person).await;
    let pick = json!({"connectors": [{"organization": "contoso"}]});
    let review = world
        .post(&path(&wizard, "review"), &pick)
        .await
        .expect(200);
    let name = format!("{} azure-devops", person.rsplit_once('@').unwrap().1);
    let shown = &review["items"][0]["app_profile"];
    assert_eq!(shown, &json!({"name": name, "new": true}));
    // SRE-25: nothing is saved before the last step.
    assert_eq!(profiles().await, json!([]));
    let added = world.post(&path(&wizard, "add"), &pick).await.expect(201);
    assert_eq!(added["app_profile"], json!(name));
    let kept = profiles().await;
    assert_eq!(kept.as_array().unwrap().len(), 1, "{kept}");
    assert_eq!(
        (&kept[0]["name"], &kept[0]["tenant"], &kept[0]["own"]),
        (
            &json!(name),
            &json!(world.simulator.tenant()),
            &json!(false)
        )
    );
    let audit = world.get("/audit?limit=200").await.expect(200);
    let actions: Vec<&str> = texts(&audit["items"], "action");
    assert!(actions.contains(&"app-profile.add"), "{actions:?}");
    // What is connected through it holds it, and the next connector finds it.
    let address = format!("/app-profiles/{}", name.replace(' ', "%20"));
    let refused = world.delete(&address).await.expect(409);
    assert_eq!(refused["code"], "app-profile-in-use");
    let wizard = world.signed_in(&begin(), person).await;
    let tenant = world.simulator.tenant();
    world
        .simulator
        .add_organization_in("adventure-works", &tenant)
        .unwrap();
    let second = json!({"connectors": [{"organization": "adventure-works"}]});
    let review = world
        .post(&path(&wizard, "review"), &second)
        .await
        .expect(200);
    let shown = &review["items"][0]["app_profile"];
    assert_eq!(shown, &json!({"name": name, "new": false}));
    let added = world.post(&path(&wizard, "add"), &second).await.expect(201);
    assert_eq!(added["app_profile"], json!(null));
    world.delete("/connectors/contoso").await.expect(204);
    world
        .delete("/connectors/adventure-works")
        .await
        .expect(204);
    world.delete(&address).await.expect(204);
}

#[tokio::test]
async fn xa_03_only_what_the_account_sees_is_listed() {
    let world = World::start().await;
    let simulator = &world.simulator;
    simulator
        .add_organization_in("hidden", &simulator.tenant())
        .unwrap();
    let stranger = json!({"person": simulator.person(), "member": false});
    simulator.set_access("hidden", &stranger).unwrap();
    let wizard = world.signed_in(&begin(), simulator.person()).await;
    let found = texts(&wizard["organizations"], "organization");
    assert!(
        found.contains(&"contoso") && !found.contains(&"hidden"),
        "{found:?}"
    );
}

#[tokio::test]
async fn xa_05_xm_06_k_11_what_comes_next_is_an_operation_of_this_server() {
    let world = World::start().await;
    let added = world.add_user("contoso").await;
    let document = serde_json::to_value(server::openapi()).unwrap();
    for step in added["next"].as_array().unwrap() {
        let path = step["path"]
            .as_str()
            .unwrap()
            .strip_prefix("/api/v1")
            .unwrap();
        let path = path.split('?').next().unwrap();
        let method = step["method"].as_str().unwrap().to_lowercase();
        assert!(document["paths"][path][&method].is_object(), "{step}");
    }
}

#[tokio::test]
async fn k_05_k_06_xa_04_xa_06_what_to_know_is_said_before_the_sign_in() {
    let world = World::start().await;
    let methods = world
        .get("/connect/methods?service=azure-devops")
        .await
        .expect(200);
    let hints = methods["hints"].to_string();
    for said in [
        "sign out of personal Microsoft accounts or use a private window",
        "allow pop-ups for this site permanently",
        "open this one once",
        "Consent on behalf of your organization",
        "https://learn.microsoft.com/azure/devops/organizations/security/change-organization-collection-level-permissions",
    ] {
        assert!(hints.contains(said), "{said}");
    }
}

#[tokio::test]
async fn k_10_xa_12_a_connector_gets_its_name_and_worker_when_it_is_made() {
    let world = World::start().await;
    let wizard = world
        .signed_in(&begin(), world.simulator.administrator())
        .await;
    let pick = json!({"connectors": [{"organization": "contoso", "name": "renamed", "worker": "basement", "sync": {"add_new": false, "interval_minutes": 60}}]});
    let added = world.post(&path(&wizard, "add"), &pick).await.expect(201);
    let made = &added["connectors"][0];
    assert_eq!(
        (&made["name"], &made["worker"]),
        (&json!("renamed"), &json!("basement"))
    );
    assert_eq!(made["sync"]["interval_minutes"], 60);
}

#[tokio::test]
async fn k_10_k_11_access_and_retention_are_set_with_the_connector_and_its_backup_begins() {
    let world = World::start().await;
    world.keeps_backups().await;
    let ben = json!({"name": "ben", "password": "correct horse battery", "roles": ["operator"], "connectors": ["other"]});
    world.post("/people", &ben).await.expect(201);
    let wizard = world
        .signed_in(&begin(), world.simulator.administrator())
        .await;
    let mut add = json!({
        "connectors": [{"organization": "contoso", "name": "renamed"}], "people": ["ben"],
        "retention": {"daily": 7}, "run_backup": true,
    });
    add["people"] = json!(["nobody-of-this-name"]);
    let refused = world.post(&path(&wizard, "add"), &add).await.expect(404);
    assert_eq!(refused["code"], "person-unknown");
    assert!(
        world.get("/connectors").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    add["people"] = json!(["ben"]);
    let added = world.post(&path(&wizard, "add"), &add).await.expect(201);
    let people = world.get("/people").await.expect(200);
    let ben = people["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "ben")
        .unwrap();
    assert_eq!(ben["connectors"], json!(["other", "renamed"]));
    let policy = world.get("/policies/renamed").await.expect(200);
    let retention = &policy["policy"]["retention"];
    assert_eq!(retention["daily"], 7);
    assert_eq!(
        retention["within"]["days"], 7,
        "the next backup takes nothing away: {policy}"
    );
    assert_eq!(policy["policy"]["connectors"], json!(["renamed"]));
    let run = format!("/runs/{}", added["runs"][0].as_str().unwrap());
    assert_eq!(world.get(&run).await.expect(200)["policy"], "renamed");
}

#[tokio::test]
async fn k_11_a_backup_that_cannot_begin_is_refused_before_anything_is_saved() {
    let world = World::start().await;
    let wizard = world
        .signed_in(&begin(), world.simulator.administrator())
        .await;
    let ben = json!({"name": "ben", "password": "correct horse battery", "roles": ["operator"], "connectors": ["other"]});
    world.post("/people", &ben).await.expect(201);
    let add = json!({
        "connectors": [{"organization": "contoso", "name": "renamed"}], "people": ["ben"],
        "retention": {"daily": 7}, "run_backup": true,
    });
    let refused = world.post(&path(&wizard, "add"), &add).await.expect(422);
    assert_eq!(refused["code"], "repository-none");
    assert!(world.names().await.is_empty());
    let catalog = &world.control.catalog;
    assert!(catalog.credentials().await.unwrap().is_empty());
    assert!(catalog.policy("renamed").await.is_err());
    let ben = catalog.person("ben").await.unwrap();
    assert_eq!(ben.connectors, Some(["other".to_owned()].into()));
    // The wizard is where it was: without the backup everything is saved at once.
    let mut add = add;
    add["run_backup"] = json!(false);
    world.post(&path(&wizard, "add"), &add).await.expect(201);
    assert_eq!(world.names().await, ["renamed"]);
}

#[tokio::test]
async fn a_wizard_cannot_shorten_retention_past_four_eyes() {
    let world = World::start().await;
    let catalog = &world.control.catalog;
    world.keeps_backups().await;
    catalog.set_four_eyes(true).await.unwrap();
    let wizard = world
        .signed_in(&begin(), world.simulator.administrator())
        .await;
    let add = json!({
        "connectors": [{"organization": "contoso", "name": "renamed"}],
        "retention": {"last": 1}, "run_backup": true,
    });
    let added = world.post(&path(&wizard, "add"), &add).await.expect(201);
    assert!(catalog.policy("renamed").await.is_err(), "nobody agreed");
    let run = format!("/runs/{}", added["runs"][0].as_str().unwrap());
    assert_eq!(world.get(&run).await.expect(200)["policy"], "default");
    let waiting = world.get("/proposals?open=true").await.expect(200);
    assert_eq!(waiting["items"].as_array().unwrap().len(), 1, "{waiting}");
}

#[tokio::test]
async fn av_01_our_app_or_the_customers_own() {
    let world = World::start().await;
    world
        .simulator
        .sign_in_at_once(world.simulator.administrator());
    let client = |page: &Value| {
        let page = Url::parse(page["sign_in"]["url"].as_str().unwrap()).unwrap();
        page.query_pairs()
            .find(|(name, _)| name == "client_id")
            .unwrap()
            .1
            .into_owned()
    };
    let ours = by_code("http://localhost:8765/return");
    let begun = world.post("/connect", &ours).await.expect(201);
    assert_eq!(client(&begun), world.simulator.client_id());
    let app = json!({"name": "Customer's own", "publicClient": true});
    let app = world.simulator.control("apps", &app).unwrap();
    let mut own = ours.clone();
    own["tenant"] = json!(world.simulator.tenant());
    own["client_id"] = app["clientId"].clone();
    let begun = world.post("/connect", &own).await.expect(201);
    assert_eq!(json!(client(&begun)), app["clientId"]);
    let query = back(begun["sign_in"]["url"].as_str().unwrap()).await;
    world
        .post(&path(&begun, "return"), &json!({"query": query}))
        .await
        .expect(200);
}
