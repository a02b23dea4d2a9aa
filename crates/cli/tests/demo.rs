//! `keepward demo` and `keepward live` as users run them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use simulator::{Options, Seed, Simulator};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Runs the program with `typed` on its standard input.
async fn keepward(arguments: &[&str], typed: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keepward"));
    command
        .args(arguments)
        .env_remove("KEEPWARD_DATA_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // A program that reads nothing may have ended already.
    input.write_all(typed.as_bytes()).await.ok();
    drop(input);
    child.wait_with_output().await.unwrap()
}

fn events(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn told(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

const KINDS: [&str; 9] = [
    "project",
    "team",
    "area",
    "iteration",
    "git-repository",
    "wiki",
    "work-item",
    "comment",
    "attachment",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_gets_everything_back_and_ends_with_one_line_of_figures() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let output = keepward(
        &[
            "demo",
            "--json",
            "--work-items",
            "60",
            "--dir",
            kept.to_str().unwrap(),
        ],
        "",
    )
    .await;
    let events = events(&output);
    let wrong = events
        .iter()
        .filter(|event| event["event"] == "difference" || event["event"] == "trouble");
    let first: Vec<&Value> = wrong.take(5).collect();
    assert!(
        output.status.success(),
        "{first:#?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let result = events.last().unwrap();
    assert_eq!(
        (&result["event"], &result["ok"]),
        (&Value::from("result"), &Value::from(true))
    );
    let kinds = result["kinds"].as_array().unwrap();
    for name in KINDS {
        let kind = kinds.iter().find(|kind| kind["kind"] == name).unwrap();
        assert!(kind["items"].as_u64().unwrap() > 0, "{kind}");
        assert_eq!(kind["differences"], 0, "{kind}");
        assert!(
            kind["bytes"].is_u64() && kind["requests"].is_u64() && kind["floor"].is_u64(),
            "{kind}"
        );
    }
    assert_eq!(result["quiet"]["requests"], result["quiet"]["floor"]);
    assert!(
        result["full"]["requests"].as_u64().unwrap()
            > result["quiet"]["requests"].as_u64().unwrap()
    );
    assert!(
        result["incremental"]["floor"].as_u64().unwrap()
            > result["quiet"]["floor"].as_u64().unwrap()
    );
    assert!(result["restore"]["requests"].as_u64().unwrap() > 0);
    reads_with_restic(&kept).await;
}

/// Anyone can open what was kept.
async fn reads_with_restic(kept: &Path) {
    let mut restic = Command::new("restic");
    restic
        .arg("-r")
        .arg(kept.join("repository"))
        .arg("--password-file")
        .arg(kept.join("repository-password"));
    let output = restic
        .args(["--no-cache", "ls", "latest"])
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .any(|line| line == "/source.json")
    );
}

async fn small(folder: &Path) -> (Simulator, String) {
    let options = Options {
        listen: ([127, 0, 0, 1], 0).into(),
        data: None,
        seed: Seed::Small,
    };
    let simulator = Simulator::start(options).await.unwrap();
    let pat = folder.join("pat");
    std::fs::write(&pat, simulator.pat()).unwrap();
    (simulator, pat.to_str().unwrap().to_owned())
}

async fn requests(simulator: &Simulator) -> u64 {
    let client = reqwest::Client::builder().build().unwrap();
    let answer = client
        .get(format!(
            "{}/__ledger?organization=contoso&summary=true",
            simulator.url()
        ))
        .send()
        .await
        .unwrap();
    let ledger: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    ledger["summary"]["requests"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_scenario_holds_on_the_simulator() {
    let folder = tempfile::tempdir().unwrap();
    let (simulator, pat) = small(folder.path()).await;
    let output = keepward(
        &[
            "live",
            "contoso",
            "--url",
            simulator.url(),
            "--pat-file",
            &pat,
            "--json",
        ],
        "contoso\n",
    )
    .await;
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(events(&output).last().unwrap()["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_scenario_does_nothing_without_the_typed_name() {
    let folder = tempfile::tempdir().unwrap();
    let (simulator, pat) = small(folder.path()).await;
    for typed in ["", "Contoso\n", "yes\n"] {
        let output = keepward(
            &[
                "live",
                "contoso",
                "--url",
                simulator.url(),
                "--pat-file",
                &pat,
            ],
            typed,
        )
        .await;
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    }
    assert_eq!(requests(&simulator).await, 0);
}
