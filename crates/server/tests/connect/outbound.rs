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
