//! The server as a process: it starts, holds the data directory, answers commands, and ends in order.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::common::World;

struct Serving {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Serving {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = world.start(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        let output = child.stdout.take().unwrap();
        Self {
            child,
            lines: BufReader::new(output).lines(),
        }
    }

    /// The next line of this event.
    async fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self
                .lines
                .next_line()
                .await
                .unwrap()
                .expect("the server ended");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == name {
                return event;
            }
        }
    }

    async fn terminate(&mut self) -> i32 {
        let process = self.child.id().unwrap().to_string();
        let killed = tokio::process::Command::new("kill")
            .args(["-TERM", &process])
            .stdin(Stdio::null())
            .status();
        assert!(killed.await.unwrap().success());
        self.child.wait().await.unwrap().code().unwrap()
    }
}

#[tokio::test]
async fn it_prints_where_it_listens_and_ends_in_order() {
    let world = World::bare().await;
    let mut serving = Serving::start(&world, &[]);
    let url = serving.event("listening").await["url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert!(
        serving.event("setup").await["token"]
            .as_str()
            .unwrap()
            .len()
            > 40
    );
    let answer = reqwest::get(format!("{url}/healthz")).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(serving.terminate().await, 0);
}

#[tokio::test]
async fn a_command_asks_it_and_is_told_to_when_it_does_not() {
    let world = World::bare().await;
    let token = world.at("token");
    let password = world.file("anna", "correct horse battery staple");
    let person = [
        "user",
        "add",
        "anna",
        "--role",
        "admin",
        "--password-file",
        &password,
    ];
    world.keepward(&person).await.exits(0);
    let made = [
        "token",
        "add",
        "tests",
        "--user",
        "anna",
        "--permission",
        "read-status",
        "--to",
        &token,
    ];
    world.keepward(&made).await.exits(0);
    let mut serving = Serving::start(&world, &[]);
    let url = serving.event("listening").await["url"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .keepward(&["run", "list"])
        .await
        .refuses(1, "data-directory-busy");
    world
        .keepward(&["doctor", "--server", &url, "--token-file", &token])
        .await
        .exits(0);
    world.keepward(&["doctor", "--server", &url]).await.exits(1);
    assert_eq!(serving.terminate().await, 0);
}

#[tokio::test]
async fn secrets_do_not_cross_the_network_in_clear_text() {
    let world = World::bare().await;
    let open = ["serve", "--listen", "0.0.0.0:0"];
    world.keepward(&open).await.refuses(1, "plain-http-refused");
}

#[tokio::test]
async fn doctor_finds_what_is_wrong() {
    let world = World::connected().await;
    world.keepward(&["doctor", "--offline"]).await.exits(0);
    world.keepward(&["doctor"]).await.exits(0);
    std::fs::remove_dir_all(world.path("default")).unwrap();
    let found = world.keepward(&["doctor", "--offline"]).await;
    found.exits(1);
    let repository = found
        .events
        .iter()
        .find(|event| event["check"] == "repository default")
        .unwrap();
    assert_eq!(repository["outcome"], "fail");
    assert!(repository["fix"].is_string());
}
