//! A tenant of Microsoft 365 on the command line.

use crate::common::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_an_app_signs_in_to_is_named_once() {
    let world = World::bare().await;
    std::fs::create_dir(world.path("data")).unwrap();
    let url = world.simulator.url();
    world.file(
        "data/keepward.toml",
        &format!(
            "[clouds.public]\nauthority = {:?}\ngraph = {:?}\nimds = {url:?}\nhosts = {{ graph = \"{url}/v1.0\" }}\n",
            world.simulator.authority(),
            world.simulator.graph(),
        ),
    );
    let secret = world.file("secret", &world.simulator.client_secret());
    let client = world.simulator.client_id();
    world.done(&format!("connector add microsoft-365 contoso.onmicrosoft.com --client-secret-file {secret} --client-id {client}")).await;
    let of_another = format!(
        "connector add microsoft-365 fabrikam.onmicrosoft.com --client-secret-file {secret} --client-id {client} --tenant contoso.onmicrosoft.com"
    );
    let refused = world.run(&of_another).await;
    assert_ne!(
        refused.code,
        Some(0),
        "a token of another tenant: {}",
        refused.told()
    );
}
