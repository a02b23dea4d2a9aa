//! Halves of acceptance lines that no other test holds to their words.

use std::sync::Arc;

use control::KnownIdentity;
use model::ManagedIdentity;
use serde_json::{Value, json};
use server::{Options, Server};

use crate::world::World;

fn begin() -> Value {
    json!({"service": "azure-devops", "method": "user", "cloud": "lab"})
}

fn names(list: &Value, member: &str) -> Vec<String> {
    let all = list.as_array().unwrap();
    all.iter()
        .map(|one| one[member].as_str().unwrap().to_owned())
        .collect()
}

/// What the simulated service itself answers to somebody who may do anything.
async fn ask(world: &World, path: &str) -> Value {
    let asked = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(format!("{}/contoso/_apis/{path}", world.simulator.url()))
        .basic_auth("", Some(world.simulator.pat()));
    let answer = asked.send().await.unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn sre_02_every_connector_is_listed_page_by_page() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    for name in ["cellar", "attic", "barn"] {
        world.add_pat(name, &pat).await.expect(201);
    }
    world.add_user("depot").await;
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/connectors?limit=3{after}")).await;
        let page = page.expect(200);
        found.extend(names(&page["items"], "name"));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    found.sort();
    assert_eq!(found, ["attic", "barn", "cellar", "depot"]);
}

#[tokio::test]
async fn sre_05_sre_06_sre_10_sre_11_names_are_held_to_their_patterns_when_something_is_added() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    let long = format!("a{}", "b".repeat(31));
    for name in ["abc", "a-1", "ends-with-", &long] {
        world.add_pat(name, &pat).await.expect(201);
        world
            .delete(&format!("/connectors/{name}"))
            .await
            .expect(204);
    }
    let longer = format!("{long}b");
    for name in [
        "", "ab", &longer, "1abc", "-abc", "a_bc", "a.bc", "a bc", "äbc",
    ] {
        let refused = world.add_pat(name, &pat).await;
        assert!(refused.status.is_client_error(), "{name:?}");
        assert_eq!(refused.body["code"], "connector-name", "{name:?}");
    }
    let longest = "o".repeat(51);
    for organization in [
        "-contoso", "contoso-", "con_toso", "con.toso", "con toso", &longest,
    ] {
        let body = world.pat_body("docs", organization, &pat);
        let refused = world.post("/connectors", &body).await;
        assert!(refused.status.is_client_error(), "{organization:?}");
        assert_eq!(
            refused.body["code"], "organization-name",
            "{organization:?}"
        );
    }
    assert!(world.names().await.is_empty());
}

#[tokio::test]
async fn sre_13_several_organizations_are_connected_in_turn() {
    let world = World::start().await;
    let simulator = &world.simulator;
    world.own("fabric");
    for (organization, name, status) in [
        ("contoso", "one", 201),
        ("fabric", "two", 201),
        ("fabric", "three", 409),
    ] {
        let wizard = world.signed_in(&begin(), simulator.administrator()).await;
        let path = format!("/connect/{}/add", wizard["id"].as_str().unwrap());
        let pick = json!({"connectors": [{"organization": organization, "name": name}]});
        world.post(&path, &pick).await.expect(status);
    }
    assert_eq!(world.names().await, ["one", "two"]);
    let kept = world.control.catalog.credentials().await.unwrap();
    assert_eq!(kept.len(), 2, "the refused sign-in left no token");
}

#[tokio::test]
async fn sre_14_the_two_ways_say_how_they_differ() {
    let world = World::start().await;
    let told = world.get("/connect/methods?service=azure-devops").await;
    let told = told.expect(200);
    let of = |name: &str, member: &str| {
        let all = told["methods"].as_array().unwrap();
        let method = all.iter().find(|one| one["name"] == name).unwrap();
        method[member].as_str().unwrap().to_lowercase()
    };
    assert!(of("user", "usage").contains("quick set-up"));
    assert!(of("user", "life").contains("refresh by themselves"));
    assert!(of("managed-identity", "usage").contains("unattended"));
    assert!(of("managed-identity", "life").contains("no expiry"));
}

#[tokio::test]
async fn sre_20_another_account_takes_over_through_the_same_app() {
    let mut world = World::start().await;
    world.add_user("contoso").await;
    // Where the installation has no app of its own, the connector's is the only one.
    world.control.reach.apps = Arc::default();
    world.server = Server::new(world.control.clone(), Options::default());
    let account = async || {
        let shown = world.get("/credentials/connector%20contoso").await;
        shown.expect(200)["account"].clone()
    };
    assert_eq!(account().await, world.simulator.administrator());
    let again = json!({"service": "azure-devops", "method": "user", "connector": "contoso"});
    let wizard = world.signed_in(&again, world.simulator.person()).await;
    let path = format!("/connect/{}/add", wizard["id"].as_str().unwrap());
    world.post(&path, &json!({})).await.expect(201);
    assert_eq!(account().await, world.simulator.person());
    let tested = world.post("/connectors/contoso/test", &json!({})).await;
    let tested = tested.expect(200);
    assert_eq!(tested["connector"]["status"]["title"], "Connected");
    // The token of before is nobody's any more.
    world
        .simulator
        .revoke_sessions(world.simulator.administrator());
    world.advance(4000);
    let tested = world.post("/connectors/contoso/test", &json!({})).await;
    let tested = tested.expect(200);
    assert_eq!(tested["connector"]["status"]["title"], "Connected");
}

#[tokio::test]
async fn sre_22_a_user_assigned_identity_is_listed_and_connects() {
    let mut world = World::start().await;
    let client_id = world.simulator.managed_identity();
    world.control.reach.identities = Arc::new([KnownIdentity {
        title: "keepward-backup".to_owned(),
        identity: ManagedIdentity::User {
            client_id: client_id.clone(),
        },
    }]);
    world.server = Server::new(world.control.clone(), Options::default());
    let listed = world.get("/connect/identities").await.expect(200);
    let expected = json!([
        {"title": "System-assigned", "assigned": "system"},
        {"title": "keepward-backup", "assigned": "user", "client_id": client_id},
    ]);
    assert_eq!(listed["items"], expected);
    let body = json!({
        "name": "unattended", "service": "azure-devops", "organization": "contoso",
        "identity": {"method": "managed-identity", "cloud": "lab",
            "managed_identity": {"assigned": "user", "client_id": client_id}},
    });
    let added = world.post("/connectors", &body).await.expect(201);
    assert_eq!(added["status"]["title"], "Connected");
}

#[tokio::test]
async fn sre_23_with_both_fields_an_app_trusts_the_machine() {
    let world = World::start().await;
    let body = json!({
        "name": "elsewhere", "service": "azure-devops", "organization": "contoso",
        "identity": {"method": "managed-identity", "cloud": "lab",
            "managed_identity": {"assigned": "user", "client_id": world.simulator.managed_identity()},
            "client_id": world.simulator.client_id(), "tenant": world.simulator.tenant()},
    });
    let added = world.post("/connectors", &body).await.expect(201);
    assert_eq!(added["method"], "federated-identity");
    let tested = world.post("/connectors/elsewhere/test", &json!({})).await;
    let tested = tested.expect(200);
    assert_eq!(tested["connector"]["status"]["title"], "Connected");
}

#[tokio::test]
async fn sre_27_sre_28_all_repositories_are_listed_and_each_is_found_by_its_name() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    let listed = world.get("/connectors/contoso/repositories").await;
    let listed = listed.expect(200);
    let there = ask(
        &world,
        "git/repositories?includeHidden=true&api-version=7.1",
    )
    .await;
    let (mut shown, mut expected) = (names(&listed["items"], "id"), names(&there["value"], "id"));
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    let mut with_commits = 0;
    for repository in listed["items"].as_array().unwrap() {
        if repository["disabled"] == true {
            continue;
        }
        let of = |member: &str| repository[member].as_str().unwrap().to_owned();
        let named = service::http::segment(&format!("{}/{}", of("project"), of("name")));
        let path = format!("/connectors/contoso/commits?repository={named}&limit=2");
        let commits = world.get(&path).await.expect(200);
        let path = format!(
            "git/repositories/{}/commits?searchCriteria.$top=2&api-version=7.1",
            of("id")
        );
        let there = ask(&world, &path).await;
        if there["value"].is_array() {
            let expected = names(&there["value"], "commitId");
            assert_eq!(names(&commits["items"], "id"), expected, "{repository}");
            with_commits += usize::from(!expected.is_empty());
        }
    }
    assert!(with_commits > 0);
    let unknown = world
        .get("/connectors/contoso/commits?repository=nowhere")
        .await
        .expect(404);
    assert!(unknown["detail"].as_str().unwrap().contains("nowhere"));
}

#[tokio::test]
async fn sre_29_an_identity_that_may_read_code_is_the_cure() {
    let world = World::start().await;
    let scopes = ["vso.project", "vso.work", "vso.wiki"];
    let poor = world.simulator.add_pat("contoso", &scopes).await;
    world.add_pat("contoso", &poor).await.expect(201);
    let repositories = "/connectors/contoso/repositories";
    world
        .get(repositories)
        .await
        .refused("code-read-missing", "Token lacks Code.Read permission");
    let scopes = ["vso.project", "vso.work", "vso.wiki", "vso.code"];
    let rich = world.simulator.add_pat("contoso", &scopes).await;
    let rotate = "/credentials/connector%20contoso/rotate";
    world
        .post(rotate, &json!({"secret": rich}))
        .await
        .expect(200);
    let listed = world.get(repositories).await.expect(200);
    assert!(!listed["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn sre_35_sre_36_sre_37_sre_38_addresses_of_repositories_and_wikis_are_connected_and_others_refused()
 {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    for address in [
        "https://dev.azure.com/contoso/Main%20Project/_git/Main%20Project/",
        "https://contoso.visualstudio.com/Main%20Project/_git/Main%20Project",
        "https://dev.azure.com/contoso/Main%20Project/_wiki/wikis/Main%20Project.wiki",
    ] {
        let body = world.pat_body("docs", address, &pat);
        let added = world.post("/connectors", &body).await.expect(201);
        assert_eq!(added["organization"], "contoso", "{address}");
        world.delete("/connectors/docs").await.expect(204);
    }
    for address in [
        "https://dev.azure.com/contoso/Main/_git/",
        "https://dev.azure.com/contoso/Main/_wiki/wikis/",
        "https://contoso.visualstudio.com/Main/_git",
        "https://visualstudio.com/contoso/Main/_git/Main",
        "https://dev.azure.com.evil.example/contoso/Main/_git/Main",
        "http://dev.azure.com/contoso/Main/_git/Main",
    ] {
        let body = world.pat_body("docs", address, &pat);
        let refused = world.post("/connectors", &body).await;
        assert!(refused.status.is_client_error(), "{address}");
        assert_eq!(refused.body["code"], "organization-name", "{address}");
    }
    assert!(world.names().await.is_empty());
}

#[tokio::test]
async fn sre_41_organization_and_identity_are_changed_by_an_edit_and_checked_before() {
    let world = World::start().await;
    world.own("fabric");
    world.add_user("contoso").await;
    let machine =
        json!({"name": "machine", "identity": {"method": "managed-identity", "cloud": "lab"}});
    world.post("/credentials", &machine).await.expect(201);
    let path = "/connectors/contoso";

    // The machine is no member of the other organization: refused, and all stays.
    let both = json!({"organization": "fabric", "credential": "machine"});
    let refused = world.patch(path, &both).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    let stayed = world.get(path).await.expect(200);
    assert_eq!(
        (&stayed["organization"], &stayed["method"]),
        (&json!("contoso"), &json!("user"))
    );

    let moved = world
        .patch(
            path,
            &json!({"organization": "https://dev.azure.com/fabric"}),
        )
        .await
        .expect(200);
    assert_eq!(moved["organization"], "fabric");
    let back = json!({"organization": "contoso", "credential": "machine"});
    let changed = world.patch(path, &back).await.expect(200);
    assert_eq!(
        (&changed["method"], &changed["status"]["title"]),
        (&json!("managed-identity"), &json!("Connected"))
    );
    let tested = world.post(&format!("{path}/test"), &json!({})).await;
    assert_eq!(tested.expect(200)["connector"]["organization"], "contoso");

    // SRE-12 holds for edits, too.
    let body = json!({"name": "second", "service": "azure-devops", "organization": "fabric",
        "credential": "connector contoso"});
    world.post("/connectors", &body).await.expect(201);
    world
        .patch("/connectors/second", &json!({"organization": "Contoso"}))
        .await
        .refused(
            "organization-taken",
            "A connector for this organization already exists",
        );
}

/// SRE-45 to SRE-52: each message word for word, and its advice.
#[test]
fn sre_53_each_message_of_the_table_has_its_advice() {
    for (code, title, advice) in [
        (
            "sign-in-window-missing",
            None,
            &["Refresh the page", "sign in at the portal"][..],
        ),
        (
            "token-expired",
            Some("Invalid or expired token"),
            &["Refresh the page", "sign in again"],
        ),
        (
            "token-not-configured",
            Some("Azure DevOps access token not configured. Please authenticate."),
            &["Edit the connector", "sign in"],
        ),
        (
            "code-read-missing",
            Some("Token lacks Code.Read permission"),
            &["Authenticate again", "Code.Read"],
        ),
        (
            "organization-not-configured",
            Some("Organization not configured for this connector"),
            &["Delete the connector", "create it again"],
        ),
        (
            "organization-taken",
            Some("A connector for this organization already exists"),
            &["Edit the existing connector", "delete it first"],
        ),
        (
            "connector-name-taken",
            Some("A connector with this name already exists"),
            &["Choose another name"],
        ),
        (
            "organization-needed",
            Some("Enter the organization first"),
            &["Enter the organization"],
        ),
    ] {
        let found = model::code::find(code).unwrap();
        if let Some(title) = title {
            assert_eq!(found.title, title);
        }
        for words in advice {
            assert!(found.remedy.contains(words), "{code}: {}", found.remedy);
        }
    }
}

#[tokio::test]
async fn k_03_k_04_each_organization_has_its_own_result_and_one_that_fails_stops_no_other() {
    let world = World::start().await;
    let simulator = &world.simulator;
    world.own("fabric");
    let closed = json!({"thirdPartyAccess": false});
    simulator.set_access("fabric", &closed).unwrap();
    let wizard = world.signed_in(&begin(), simulator.administrator()).await;
    let path = |step: &str| format!("/connect/{}/{step}", wizard["id"].as_str().unwrap());
    let checked = world.post(&path("check"), &json!({})).await.expect(200);
    let result = |name: &str| {
        let all = checked["organizations"].as_array().unwrap();
        let mut found = all.iter().filter(|one| one["organization"] == name);
        let one = found.next().unwrap_or_else(|| panic!("{name}: {checked}"));
        assert!(found.next().is_none(), "one result each");
        one.clone()
    };
    assert_eq!(result("contoso")["ok"], true, "{checked}");
    let off = result("fabric");
    assert_eq!(off["ok"], false, "{checked}");
    let checks = off["checks"].as_array().unwrap();
    let switch = checks
        .iter()
        .find(|check| check["code"] == "oauth-policy-off")
        .unwrap_or_else(|| panic!("{off}"));
    assert_eq!(switch["outcome"], "fail");
    assert!(
        switch["hint"].as_str().unwrap().contains(
            "Organization settings > Policies > Third-party application access via OAuth"
        )
    );
    let pick = |organization: &str| json!({"connectors": [{"organization": organization}]});
    let refused = world.post(&path("add"), &pick("fabric")).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    world.post(&path("add"), &pick("contoso")).await.expect(201);
    assert_eq!(world.names().await, ["contoso"]);
}

#[tokio::test]
async fn xm_08_every_end_of_a_device_code_names_two_ways_without_one() {
    let world = World::start().await;
    let tenant = world.simulator.tenant();
    let mut said = Vec::new();
    for code in [
        "device-code-declined",
        "device-code-expired",
        "conditional-access",
    ] {
        let begun = world.post("/connect", &begin()).await.expect(201);
        let user_code = begun["sign_in"]["user_code"].as_str().unwrap();
        match code {
            "device-code-declined" => world.simulator.decline_device_code(user_code).unwrap(),
            "device-code-expired" => world.advance(1000),
            _ => {
                let rule = json!({"tenant": tenant, "deviceFlow": "blocked"});
                world.simulator.control("rules", &rule).unwrap();
                let person = world.simulator.administrator();
                let blocked = world.simulator.approve_device_code(user_code, person);
                assert!(blocked.is_err(), "the page tells the person as well");
            }
        }
        world.advance(5);
        let path = format!("/connect/{}/poll", begun["id"].as_str().unwrap());
        let ended = world.post(&path, &json!({})).await;
        assert!(ended.status.is_client_error(), "{}", ended.body);
        assert_eq!(ended.body["code"], code, "{}", ended.body);
        let hint = ended.body["hint"].as_str().unwrap();
        for way in ["admin-consent link", "certificate"] {
            assert!(hint.contains(way), "{code}: {hint}");
        }
        said.push(ended.body["detail"].as_str().unwrap().to_owned());
    }
    said.dedup();
    assert_eq!(said.len(), 3, "{said:?}");
    let mistyped = model::code::find("device-code-unknown").unwrap();
    assert!(!said.iter().any(|words| words == mistyped.title));
    assert!(mistyped.remedy.contains("certificate"));
}

#[tokio::test]
async fn av_10_the_table_has_the_permissions_with_api_type_reason_and_category() {
    let world = World::start().await;
    for (service, permission, api) in [
        ("azure-devops", "user_impersonation", "Azure DevOps"),
        ("microsoft-365", "User.Read.All", "Microsoft Graph"),
    ] {
        let path = format!("/app-permissions?service={service}");
        let table = world.get(&path).await.expect(200);
        let rows = table["items"].as_array().unwrap();
        for row in rows {
            for member in ["api", "permission", "type", "why", "purpose"] {
                assert!(!row[member].as_str().unwrap().is_empty(), "{row}");
            }
        }
        let row = rows
            .iter()
            .find(|row| row["permission"] == permission && row["type"] == "delegated")
            .unwrap_or_else(|| panic!("{permission}: {table}"));
        assert_eq!(row["api"], api);
    }
}
