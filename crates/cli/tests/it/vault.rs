//! A new key for the vault, also when the change of keys is cut short.

use crate::common::World;

#[tokio::test(flavor = "multi_thread")]
async fn all_secrets_come_under_a_new_key_and_the_old_one_opens_nothing() {
    let world = World::connected().await;
    let key = world.path("data/key");
    let old = std::fs::read(&key).unwrap();
    world.done("vault rotate-key").await;
    let new = std::fs::read(&key).unwrap();
    assert_ne!(old, new);
    assert!(!world.path("data/key.next").exists());
    world.backup("default").await.exits(0);

    let own = world.file("own", &format!("{}\n", "5a".repeat(32)));
    let arguments = format!("vault rotate-key --new-key-file {own}");
    world.done(&arguments).await;
    assert_eq!(std::fs::read(&key).unwrap(), [0x5a; 32]);
    world.done("connector test contoso").await;
    world.run(&arguments).await.exits(2);

    let log = world.run("audit list").await;
    let rotated = log
        .events
        .iter()
        .filter(|row| row["action"] == "vault.rotate-key");
    assert_eq!(rotated.count(), 2, "{}", log.told());

    for wrong in [&old, &new] {
        std::fs::write(&key, wrong).unwrap();
        world
            .refused("connector test contoso", 1, "vault-key-wrong")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_keys_that_was_killed_is_ended_by_the_next_command() {
    let world = World::connected().await;
    let (key, next) = (world.path("data/key"), world.path("data/key.next"));
    let old = std::fs::read(&key).unwrap();
    let works = async || {
        world.done("connector test contoso").await;
    };

    // Killed while the new key was written, and before the secrets were under it.
    for half in [vec![1, 2, 3], vec![9; 32]] {
        std::fs::write(&next, &half).unwrap();
        works().await;
        assert_eq!(std::fs::read(&key).unwrap(), old);
        assert!(!next.exists());
    }

    // Killed before the new key was in its place.
    world.done("vault rotate-key").await;
    std::fs::rename(&key, &next).unwrap();
    std::fs::write(&key, &old).unwrap();
    let new = std::fs::read(&next).unwrap();
    works().await;
    assert_eq!(std::fs::read(&key).unwrap(), new);
    assert!(!next.exists());
    works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_somebody_else_keeps_is_not_made_up() {
    let world = World::bare().await;
    let config = world.file(
        "keepward.toml",
        "[vault]\nkey_file = \"/nonexistent/folder/key\"\n",
    );
    let refused = world
        .run(&format!("vault rotate-key --config {config}"))
        .await;
    refused.exits(1);
}
