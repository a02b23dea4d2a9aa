//! Addresses that people give must not lead behind the firewall.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn ssrf_this_machine_and_metadata_services_are_no_addresses_of_connectors() {
    let world = World::start().await.allowing(&[]);
    let simulator = world.simulator.url().to_owned();
    let pat = world.simulator.pat().to_owned();
    for url in [
        simulator.as_str(),
        "http://[::1]:80",
        "http://2130706433",
        "http://localhost:9",
        "http://169.254.169.254",
        "http://[fe80::1]",
        "http://168.63.129.16",
    ] {
        let mut body = world.pat_body("docs", "contoso", &pat);
        body["url"] = json!(url);
        let refused = world.post("/connectors", &body).await;
        assert_eq!(
            refused.body["code"], "address-refused",
            "{url}: {}",
            refused.body
        );
        assert_eq!(refused.status, 422);
    }
    assert!(world.names().await.is_empty());
}

#[tokio::test]
async fn ssrf_a_list_opens_this_machine_and_never_the_metadata_service() {
    let world = World::start()
        .await
        .allowing(&["127.0.0.0/8", "169.254.0.0/16"]);
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    let edit = json!({"url": "http://169.254.169.254"});
    let refused = world.patch("/connectors/contoso", &edit).await;
    assert_eq!(refused.body["code"], "address-refused", "{}", refused.body);
    let kept = world.get("/connectors/contoso").await.expect(200);
    assert_eq!(kept["url"], world.simulator.url());
}

#[tokio::test]
async fn ssrf_a_connector_is_judged_whenever_it_is_used() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    let world = world.allowing(&[]);
    let tested = world.post("/connectors/contoso/test", &json!({})).await;
    assert_eq!(tested.body["code"], "address-refused", "{}", tested.body);
    let connector = world.control.catalog.connector("contoso").await.unwrap();
    let refused = world.control.client(&connector, None).await.unwrap_err();
    assert_eq!(refused.code(), Some("address-refused"));
    let restores = world.control.restore_client(&connector, None).await;
    assert_eq!(restores.unwrap_err().code(), Some("address-refused"));
}

/// A token of Microsoft would be as good in the hands of whoever owns the address. Azure DevOps Server takes personal access tokens alone.
#[tokio::test]
async fn a_token_of_microsoft_is_sent_to_no_address_that_somebody_gave() {
    let world = World::start().await;
    let url = world.simulator.url();
    let body = json!({
        "name": "elsewhere", "service": "azure-devops", "organization": "contoso", "url": url,
        "identity": {"method": "managed-identity", "cloud": "lab"},
    });
    let refused = world.post("/connectors", &body).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(
        refused.body["code"], "credential-method",
        "{}",
        refused.body
    );
    assert!(world.names().await.is_empty());
    world.add_user("contoso").await;
    let moved = world
        .patch("/connectors/contoso", &json!({"url": url}))
        .await;
    assert_eq!(moved.body["code"], "credential-method", "{}", moved.body);
    let kept = world.get("/connectors/contoso").await.expect(200);
    assert_eq!(kept.get("url"), None);
}

/// "Never readable again" holds against those who manage connectors, too.
#[tokio::test]
async fn a_stored_secret_follows_no_connector_to_another_host() {
    let world = World::start().await;
    let pat = world.simulator.pat().to_owned();
    world.add_pat("contoso", &pat).await.expect(201);
    let stranger = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    stranger.set_nonblocking(true).unwrap();
    let evil = format!("http://{}", stranger.local_addr().unwrap());
    let added = |name: &str, url: &str| {
        json!({"name": name, "service": "azure-devops", "organization": "contoso", "url": url,
            "credential": "connector contoso"})
    };
    let begun = json!({"service": "azure-devops", "method": "stored", "credential": "connector contoso",
        "organization": "contoso", "url": evil});
    // Nobody has used it yet: it is for the service's own hosts, whoever names another one first.
    let shelf = json!({"name": "shelf", "identity": {"method": "pat", "secret": pat}});
    world.post("/credentials", &shelf).await.expect(201);
    let mut unused = added("third", &evil);
    unused["credential"] = json!("shelf");
    for refused in [
        world.post("/connectors", &unused).await,
        world
            .patch("/connectors/contoso", &json!({"url": evil}))
            .await,
        world
            .patch("/connectors/contoso", &json!({"url": null}))
            .await,
        world.post("/connectors", &added("second", &evil)).await,
        world.post("/connect", &begun).await,
    ] {
        assert_eq!(refused.body["code"], "credential-host", "{}", refused.body);
    }
    let heard = stranger.accept().err().map(|error| error.kind());
    assert_eq!(
        heard,
        Some(std::io::ErrorKind::WouldBlock),
        "nothing was sent"
    );
    let kept = world.get("/connectors/contoso").await.expect(200);
    assert_eq!(kept["url"], world.simulator.url());
    // At its own host it serves several, and entered again it serves another.
    let url = world.simulator.url().to_owned();
    world
        .post("/connectors", &added("second", &url))
        .await
        .expect(201);
}
