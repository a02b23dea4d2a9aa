//! Where a server goes for others than the administrator of its machine.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::common::World;

/// Adds a connector to the simulator, which is on this machine, over a server with this configuration.
async fn added_over_a_server(config: &str) -> crate::common::Ran {
    let world = World::bare().await;
    let (token, password) = (
        world.at("token"),
        world.file("anna", "correct horse battery staple"),
    );
    world
        .done(&format!(
            "user add anna --role admin --password-file {password}"
        ))
        .await;
    world
        .done(&format!(
            "token add tests --user anna --permission manage-connectors --to {token}"
        ))
        .await;
    let config = world.file("keepward.toml", config);
    let mut server = world.start(&["serve", "--listen", "127.0.0.1:0", "--config", &config]);
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let listening: Value =
        serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let base = listening["url"].as_str().unwrap();
    let (url, pat) = (world.simulator.url(), world.at("pat"));
    let added = world.run(&format!("connector add azure-devops contoso --url {url} --pat-file {pat} --server {base} --token-file {token}")).await;
    server.kill().await.unwrap();
    added
}

#[tokio::test(flavor = "multi_thread")]
async fn ssrf_a_server_reaches_its_own_machine_when_the_configuration_allows_it_and_never_else() {
    added_over_a_server("").await.refuses(1, "address-refused");
    added_over_a_server("[outbound]\nallow = [\"127.0.0.0/8\"]\n")
        .await
        .exits(0);
}
