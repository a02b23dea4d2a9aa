//! What the seeds hold, and what the second act of the demonstration does to them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use simulator::{Options, Seed, Simulator};

async fn start(seed: Seed) -> Simulator {
    Simulator::start(Options {
        listen: ([127, 0, 0, 1], 0).into(),
        data: None,
        seed,
    })
    .await
    .unwrap()
}

async fn get(simulator: &Simulator, path: &str) -> Value {
    let client = reqwest::Client::builder().build().unwrap();
    let response = client
        .get(format!("{}{path}", simulator.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200, "{path}");
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

async fn post(simulator: &Simulator, path: &str, body: &Value) -> Value {
    let client = reqwest::Client::builder().build().unwrap();
    let response = client
        .post(format!("{}{path}", simulator.url()))
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let (status, bytes) = (response.status(), response.bytes().await.unwrap());
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    serde_json::from_slice(&bytes).unwrap()
}

fn git(repository: &Value, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.env_remove("GIT_DIR")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    git.arg("--git-dir")
        .arg(repository["repositoryPath"].as_str().unwrap())
        .args(arguments);
    let output = git.output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn named<'a>(state: &'a Value, name: &str) -> &'a Value {
    state["repositories"]
        .as_array()
        .unwrap()
        .iter()
        .find(|repository| repository["name"] == name)
        .unwrap()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

#[tokio::test]
async fn the_organization_of_the_demo_has_what_a_backup_meets() {
    let simulator = start(Seed::Contoso {
        history: None,
        work_items: 500,
    })
    .await;
    let inventory = get(&simulator, "/__inventory?organization=contoso").await;
    assert!(number(&inventory, "projects") >= 3, "{inventory}");
    assert_eq!(number(&inventory, "workItems"), 500);
    assert!(number(&inventory, "revisions") >= 1_500, "{inventory}");
    assert!(
        (190..260).contains(&number(&inventory, "commentedItems")),
        "{inventory}"
    );
    assert!(number(&inventory, "attachments") >= 200, "{inventory}");
    assert_eq!(number(&inventory, "lfsObjects"), 3);
    assert_eq!(number(&inventory, "wikis"), 3);
    simulator.stop().await;
}

/// The repositories of the demo without most of its work items.
async fn demo() -> (Simulator, Value) {
    let simulator = start(Seed::Contoso {
        history: None,
        work_items: 20,
    })
    .await;
    let state = get(&simulator, "/__state?organization=contoso").await;
    (simulator, state)
}

#[tokio::test]
async fn the_repositories_of_the_demo_hold_what_git_can_hold() {
    let (simulator, state) = demo().await;
    for repository in state["repositories"].as_array().unwrap() {
        git(repository, &["fsck", "--full", "--strict"]);
    }
    let services = named(&state, "Services");
    let refs: BTreeSet<&str> = services["refs"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert!(
        refs.contains("refs/pull/1/merge") && refs.contains("refs/heads/feature/検索"),
        "{refs:?}"
    );
    assert!(!refs.contains("refs/heads/experiment/old"), "{refs:?}");
    assert_eq!(
        git(services, &["cat-file", "-t", "refs/tags/release/current"]),
        "tag"
    );
    assert!(
        git(services, &["cat-file", "tag", "refs/tags/release/current"]).contains("\ntype tag\n")
    );
    assert_eq!(
        git(services, &["cat-file", "-t", "refs/tags/sources^{}"]),
        "tree"
    );
    assert!(
        named(&state, "Nothing Yet")["refs"]
            .as_object()
            .unwrap()
            .is_empty()
    );
    assert_eq!(named(&state, "Services.fork")["parent"], services["id"]);
    for object in named(&state, "Design Assets")["lfs"].as_array().unwrap() {
        let path = Path::new(named(&state, "Design Assets")["lfsPath"].as_str().unwrap())
            .join(object["oid"].as_str().unwrap());
        assert_eq!(
            std::fs::metadata(path).unwrap().len(),
            object["size"].as_u64().unwrap()
        );
    }
    simulator.stop().await;
}

#[tokio::test]
async fn refs_of_pull_requests_are_hidden_as_the_service_hides_them() {
    let (simulator, _) = demo().await;
    let services_refs = async |variant: &str, service: &str| {
        let url = format!(
            "{}/contoso/Adventure%20Works/_git/{variant}Services/info/refs?service={service}",
            simulator.url()
        );
        let client = reqwest::Client::builder().build().unwrap();
        let answer = client
            .get(url)
            .basic_auth("", Some(simulator.pat()))
            .send()
            .await
            .unwrap();
        String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned()
    };
    assert!(
        services_refs("", "git-upload-pack")
            .await
            .contains(" refs/pull/1/merge\n")
    );
    assert!(
        services_refs("_full/", "git-upload-pack")
            .await
            .contains(" refs/pull/1/merge\n")
    );
    assert!(
        !services_refs("_optimized/", "git-upload-pack")
            .await
            .contains("refs/pull/")
    );
    assert!(
        !services_refs("", "git-receive-pack")
            .await
            .contains("refs/pull/")
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_seed_repeats() {
    let strip = |simulator: &Simulator, state: &Value| {
        let text = state.to_string().replace(simulator.url(), "");
        let mut value: Value = serde_json::from_str(&text).unwrap();
        for repository in value["repositories"].as_array_mut().unwrap() {
            repository["repositoryPath"] = Value::Null;
            repository["lfsPath"] = Value::Null;
        }
        value
    };
    let (one, two) = (start(Seed::Small).await, start(Seed::Small).await);
    let (first, second) = (
        get(&one, "/__state?organization=contoso").await,
        get(&two, "/__state?organization=contoso").await,
    );
    assert_eq!(strip(&one, &first), strip(&two, &second));
}

#[tokio::test]
async fn the_history_of_a_given_repository_is_taken_with_branches_and_tags() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        git.current_dir(folder.path())
            .args([
                "-c",
                "user.name=T",
                "-c",
                "user.email=t@example.com",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(arguments);
        assert!(git.output().unwrap().status.success(), "{arguments:?}");
    };
    run(&["init", "-q"]);
    run(&["commit", "-q", "--allow-empty", "-m", "only"]);
    run(&["branch", "side"]);
    run(&["tag", "-a", "v1", "-m", "one"]);
    let simulator = start(Seed::Contoso {
        history: Some(folder.path().to_owned()),
        work_items: 3,
    })
    .await;
    let state = get(&simulator, "/__state?organization=contoso").await;
    let product = named(&state, "Product");
    let refs: Vec<&str> = product["refs"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(refs, ["refs/heads/main", "refs/heads/side", "refs/tags/v1"]);
    assert_eq!(product["defaultBranch"], "refs/heads/main");
}

#[tokio::test]
async fn the_second_act_touches_every_kind() {
    for seed in [
        Seed::Small,
        Seed::Contoso {
            history: None,
            work_items: 120,
        },
    ] {
        let small = matches!(seed, Seed::Small);
        let simulator = start(seed).await;
        let before = get(&simulator, "/__state?organization=contoso").await;
        let summary = post(
            &simulator,
            "/__demo/change",
            &json!({"organization": "contoso"}),
        )
        .await;
        let after = get(&simulator, "/__state?organization=contoso").await;
        for kind in [
            "edited",
            "commented",
            "commentsChanged",
            "attached",
            "linked",
            "created",
            "deleted",
            "destroyed",
        ] {
            assert!(
                !summary["workItems"][kind].as_array().unwrap().is_empty(),
                "{kind}: {summary}"
            );
        }
        for id in summary["workItems"]["destroyed"].as_array().unwrap() {
            let found = |state: &Value| {
                state["workItems"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|item| item["id"] == *id)
            };
            assert!(found(&before) && !found(&after), "{id}");
        }
        let added = summary["repositories"]["added"]["id"].as_str().unwrap();
        assert!(
            after["repositories"]
                .as_array()
                .unwrap()
                .iter()
                .any(|repository| repository["id"] == added)
        );
        assert!(
            summary["repositories"]["wikiPage"]["wiki"].is_string(),
            "{summary}"
        );
        assert_ne!(before["wikis"], after["wikis"]);
        assert_eq!(
            before["teams"].as_array().unwrap().len() + 1,
            after["teams"].as_array().unwrap().len()
        );
        if !small {
            for act in ["forcePushed", "branchDeleted", "destroyed"] {
                assert!(
                    summary["repositories"][act]["id"].is_string(),
                    "{act}: {summary}"
                );
            }
        }
        for repository in after["repositories"].as_array().unwrap() {
            git(repository, &["fsck", "--full", "--strict"]);
        }
    }
}

#[tokio::test]
async fn bulk_items_have_the_size_asked_for_and_one_revision_until_they_are_changed() {
    let simulator = start(Seed::Bulk {
        work_items: 300,
        bytes: 2_000,
        repositories: 3,
    })
    .await;
    let client = reqwest::Client::builder().build().unwrap();
    let url = format!(
        "{}/contoso/_apis/wit/workitemsbatch?api-version=7.1",
        simulator.url()
    );
    let ids: Vec<u32> = (1..=200).collect();
    let page = client
        .post(url)
        .basic_auth("", Some(simulator.pat()))
        .header("content-type", "application/json")
        .body(serde_json::json!({"ids": ids, "$expand": "relations"}).to_string())
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let page: Value = serde_json::from_slice(&page).unwrap();
    let sizes: Vec<usize> = page["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| document.to_string().len())
        .collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((1_900..2_100).contains(&mean), "{mean}");
    let inventory = get(&simulator, "/__inventory?organization=contoso").await;
    assert_eq!(
        (
            number(&inventory, "workItems"),
            number(&inventory, "revisions")
        ),
        (300, 300)
    );
    // The project's own, and the three.
    assert_eq!(number(&inventory, "repositories"), 4, "{inventory}");
    let changed = post(
        &simulator,
        "/__bulk/change",
        &json!({"organization": "contoso", "count": 30}),
    )
    .await;
    assert_eq!(changed["changed"].as_array().unwrap().len(), 30);
    let inventory = get(&simulator, "/__inventory?organization=contoso").await;
    assert_eq!(
        (
            number(&inventory, "workItems"),
            number(&inventory, "revisions")
        ),
        (300, 330)
    );
}
