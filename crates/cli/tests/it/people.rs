//! Accounts, tokens, the audit log and four eyes at the command line of the machine itself.

use crate::common::World;

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_made_changed_and_removed() {
    let world = World::bare().await;
    let password = world.file("anna", "a planted password 1\n");
    let add = |name: &'static str, role: &'static str| {
        let arguments = [
            "user",
            "add",
            name,
            "--role",
            role,
            "--password-file",
            &password,
        ]
        .map(str::to_owned);
        let world = &world;
        async move {
            world
                .keepward(&arguments.each_ref().map(String::as_str))
                .await
        }
    };
    add("anna", "admin").await.exits(0);
    add("ANNA", "viewer").await.refuses(1, "person-exists");
    add("ben", "viewer").await.exits(0);
    world
        .refused("user disable anna", 1, "last-administrator")
        .await;
    world
        .done("user edit ben --role admin --connector Contoso")
        .await;
    world.done("user disable anna").await;
    let listed = world.done("user list").await;
    assert_eq!(listed.events.len(), 2);
    assert_eq!(
        (
            &listed.events[0]["disabled"],
            &listed.events[1]["connectors"][0]
        ),
        (&true.into(), &"contoso".into())
    );
    world.done("user remove anna").await;
    world.refused("user remove anna", 1, "person-unknown").await;
    let audit = world.done("audit list --action person").await;
    assert_eq!(audit.events.len(), 5);
    assert!(!audit.told().contains("planted"), "{}", audit.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_into_a_file_of_its_own() {
    let world = World::bare().await;
    let password = world.file("anna", "a planted password 1");
    world
        .done(&format!(
            "user add anna --role admin --password-file {password}"
        ))
        .await;
    let file = world.at("token");
    let add = format!("token add nightly --user anna --permission read-status --to {file}");
    let made = world.done(&add).await;
    let secret = std::fs::read_to_string(&file).unwrap();
    assert!(secret.starts_with("kw_"));
    assert!(!made.told().contains(secret.trim()), "{}", made.told());
    world.run(&add).await.exits(1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), secret);
    let listed = world.run("token list").await;
    assert_eq!(listed.events.len(), 1);
    let id = listed.events[0]["id"].as_str().unwrap();
    world.done(&format!("token revoke {id}")).await;
    world
        .refused(&format!("token revoke {id}"), 1, "token-unknown")
        .await;
    world.done("session list").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_is_verified_and_exported() {
    let world = World::bare().await;
    let password = world.file("anna", "a planted password 1");
    for name in ["anna", "ben"] {
        world
            .keepward(&[
                "user",
                "add",
                name,
                "--role",
                "admin",
                "--password-file",
                &password,
            ])
            .await
            .exits(0);
    }
    let verdict = world.done("audit verify").await;
    let hash = verdict.event("result")["hash"].as_str().unwrap().to_owned();
    world.done("proposal four-eyes on").await;
    world
        .keepward(&["audit", "verify", "--noted", &format!("2:{hash}")])
        .await
        .exits(0);
    world
        .keepward(&["audit", "verify", "--noted", &format!("1:{hash}")])
        .await
        .exits(8);
    let file = world.at("audit.jsonl");
    world.done(&format!("audit export {file}")).await;
    let lines = std::fs::read_to_string(&file).unwrap();
    let actions: Vec<String> = lines
        .lines()
        .map(|line| {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            entry["action"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(actions.len(), 4);
    assert_eq!(actions[3], "audit.export", "it tells of itself too");
    let printed = world.done("audit export -").await;
    let printed: Vec<_> = printed.events.iter().map(ToString::to_string).collect();
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(printed[..lines.len()], lines);
    assert!(!std::path::Path::new("-").exists());
    world.done("proposal list").await;
    world
        .refused("proposal approve x --hash y", 1, "proposal-unknown")
        .await;
}
