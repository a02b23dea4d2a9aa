//! The messages of the troubleshooting table, word for word, each by its cause (SRE-53).

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn sre_45_a_sign_in_window_that_does_not_appear_is_explained_before() {
    let world = World::start().await;
    let methods = world
        .get("/connect/methods?service=azure-devops")
        .await
        .expect(200);
    let hints = methods["hints"].to_string();
    assert!(
        hints.contains("allow pop-ups") && hints.contains("refresh the page and sign in again")
    );
    let code = model::code::find("sign-in-window-missing").unwrap();
    assert!(
        code.remedy.contains("Refresh the page") && code.remedy.contains("sign in at the portal")
    );
}

#[tokio::test]
async fn sre_46_a_revoked_session_is_an_invalid_or_expired_token() {
    let world = World::start().await;
    world.add_user("contoso").await;
    let person = world.simulator.administrator();
    world.simulator.revoke_sessions(person);
    world.advance(4000);
    let tested = world.post("/connectors/contoso/test", &json!({})).await;
    let said = tested.body.to_string();
    assert!(said.contains("Invalid or expired token"), "{said}");
    let shown = world.get("/connectors/contoso").await.expect(200);
    assert_eq!(shown["status"]["state"], "sign-in-needed", "{shown}");
    assert_eq!(shown["status"]["why"], "Invalid or expired token");
}

#[tokio::test]
async fn sre_47_a_connector_without_a_token_says_so() {
    let world = World::start().await;
    world.add_user("contoso").await;
    let control = &world.control;
    let name = "connector contoso";
    let (_, version) = control
        .catalog
        .versioned_secret(&control.kek, name)
        .await
        .unwrap();
    let (none, now) = (model::Secret::new(""), control.clock.now());
    control
        .catalog
        .replace_secret(&control.kek, name, version, &none, now, &mut rand::rng())
        .await
        .unwrap();
    world
        .post("/connectors/contoso/test", &json!({}))
        .await
        .refused(
            "token-not-configured",
            "Azure DevOps access token not configured. Please authenticate.",
        );
}

#[tokio::test]
async fn sre_29_sre_40_sre_48_a_token_that_lacks_code_read_says_so_and_saves_nothing() {
    let world = World::start().await;
    let scopes = ["vso.project", "vso.work", "vso.wiki"];
    let pat = world.simulator.add_pat("contoso", &scopes).await;
    let repository = "https://dev.azure.com/contoso/Fiber/_git/Fiber";
    let body = world.pat_body("docs", repository, &pat);
    let refused = world
        .post("/connectors", &body)
        .await
        .refused("code-read-missing", "Token lacks Code.Read permission");
    let checks = refused["checks"].as_array().unwrap();
    assert!(
        checks
            .iter()
            .any(|check| check["name"] == "git-repository" && check["outcome"] == "missing"),
        "{refused}"
    );
    world.expect_empty().await;
    // For the organization as a whole it is enough to go on, and the data that it costs is named.
    let partial = world.add_pat("partial", &pat).await.expect(201);
    let missing = partial["missing"].as_array().unwrap();
    let repositories = azure_devops::AZURE_DEVOPS.kind("git-repository").unwrap();
    assert!(
        missing.contains(&json!(repositories.spec().title)),
        "{partial}"
    );
    world
        .get("/connectors/partial/repositories")
        .await
        .refused("code-read-missing", "Token lacks Code.Read permission");
}

#[tokio::test]
async fn sre_49_a_connector_without_an_organization_says_so() {
    let world = World::start().await;
    world.add_user("contoso").await;
    let mut connector = world.control.catalog.connector("contoso").await.unwrap();
    connector.organization.clear();
    world
        .control
        .catalog
        .replace_connector(&connector)
        .await
        .unwrap();
    let refused = world
        .post("/connectors/contoso/test", &json!({}))
        .await
        .refused(
            "organization-not-configured",
            "Organization not configured for this connector",
        );
    assert!(
        refused["hint"]
            .as_str()
            .unwrap()
            .contains("Delete the connector")
    );
    // Editing it is a cure as well.
    let edited = json!({"organization": "contoso"});
    world
        .patch("/connectors/contoso", &edited)
        .await
        .expect(200);
}

#[tokio::test]
async fn sre_50_an_organization_that_is_signed_in_to_twice_is_refused() {
    let world = World::start().await;
    world.add_user("first").await;
    let body = json!({
        "name": "second", "service": "azure-devops", "organization": "CONTOSO",
        "identity": {"method": "managed-identity", "cloud": "lab"},
    });
    world.post("/connectors", &body).await.refused(
        "organization-taken",
        "A connector for this organization already exists",
    );
    // A token is no clash.
    let pat = world.simulator.pat().to_owned();
    world.add_pat("documentation", &pat).await.expect(201);
}

#[tokio::test]
async fn sre_51_a_name_that_is_used_is_refused_without_regard_to_case() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    world.add_pat("CONTOSO", &pat).await.refused(
        "connector-name-taken",
        "A connector with this name already exists",
    );
}

#[tokio::test]
async fn sre_15_sre_52_without_an_organization_nobody_can_sign_in() {
    let world = World::start().await;
    let begin =
        json!({"service": "azure-devops", "method": "user", "cloud": "lab", "organization": ""});
    world
        .post("/connect", &begin)
        .await
        .refused("organization-needed", "Enter the organization first");
}
