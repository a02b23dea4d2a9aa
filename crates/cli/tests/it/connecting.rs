//! Connecting, checking, editing and removing on the command line: the lines of the acceptance file that hold there.

mod exist;
mod sign_in;
mod tenants;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::common::{Ran, World, words};

/// A folder whose one cloud is the simulator, with an app of its own and a user-assigned identity.
async fn cloud() -> World {
    let world = World::bare().await;
    let (app, identity) = (
        world.simulator.client_id(),
        world.simulator.managed_identity(),
    );
    configure(
        &world,
        &format!(
            "[[apps]]\nservice = \"azure-devops\"\nclient_id = \"{app}\"\n\
            [[apps]]\nservice = \"microsoft-365\"\nclient_id = \"{app}\"\n\
            [[identities]]\ntitle = \"keepward-backup\"\nclient_id = \"{identity}\"\n"
        ),
    );
    let settings = json!({"interval": 1});
    world.simulator.control("settings", &settings).unwrap();
    world
}

fn configure(world: &World, more: &str) {
    let url = world.simulator.url();
    std::fs::create_dir_all(world.path("data")).unwrap();
    let text = format!(
        "[server]\npublic_url = \"http://localhost:8480\"\n\
        [clouds.public]\nauthority = \"{url}\"\ngraph = \"{url}\"\nimds = \"{url}\"\n\
        hosts = {{ dev = \"{url}/{{organization}}\", sps = \"{url}/{{organization}}\", \
        aex = \"{url}/{{organization}}\", app = \"{url}\", graph = \"{url}/v1.0\" }}\n{more}"
    );
    world.file("data/keepward.toml", &text);
}

/// A command that shows a device code, and what somebody does with that code.
async fn with_code(world: &World, line: &str, act: impl FnOnce(&str)) -> Ran {
    let arguments = words(line);
    let mut child = world.start(&arguments);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut said, mut act) = (String::new(), Some(act));
    while let Some(line) = lines.next_line().await.unwrap() {
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["event"] == "device-code"
            && let Some(act) = act.take()
        {
            assert_eq!(
                event["verification_uri"].as_str().unwrap().get(..4),
                Some("http")
            );
            act(event["user_code"].as_str().unwrap());
        }
        said.push_str(&line);
        said.push('\n');
    }
    let mut output = child.wait_with_output().await.unwrap();
    output.stdout = said.into_bytes();
    assert!(act.is_none(), "no code was shown: {output:?}");
    Ran::new(&arguments, &output, &[world.simulator.pat()])
}

fn of<'a>(ran: &'a Ran, event: &str) -> Vec<&'a Value> {
    let all = ran.events.iter().filter(|one| one["event"] == event);
    all.collect()
}

async fn connectors(world: &World) -> Vec<String> {
    let listed = world.done("connector list").await;
    let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
    listed.events.iter().map(name).collect()
}

async fn shown(world: &World, name: &str) -> Value {
    world.first(&format!("connector show {name}")).await
}

#[track_caller]
fn says(ran: &Ran, exit: i32, code: &str, words: &str) {
    ran.refuses(exit, code);
    assert_eq!(ran.event("error")["message"], words, "{}", ran.told());
}
