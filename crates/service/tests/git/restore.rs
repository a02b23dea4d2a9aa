//! Repositories given back by push, and read back.

use crate::backup::Backup;
use crate::history::{Bare, text};
use crate::host::{Host, Manner};

async fn source(host: &Host) -> (Bare, Backup) {
    let bare = host.repository("source");
    for version in 0..12 {
        bare.commit(
            "main",
            &[("a", &text(1, version)), ("b", &text(2, version))],
        );
    }
    bare.commit_on(
        "refs/heads/topic/ünï",
        Some("refs/heads/main"),
        &[("c", b"topic")],
    );
    bare.commit_on("refs/notes/commits", None, &[("n", b"note")]);
    let tag = bare.tag("v1", "main");
    bare.tag("v1-again", &tag);
    bare.git(&["update-ref", "refs/pull/3/merge", "main~1"]);
    let mut backup = Backup::of(&host.client, host.remote("source"));
    backup.clean().await;
    (bare, backup)
}

/// Refs that a push can bring back, with all that they reach.
fn pushed(bare: &Bare) -> String {
    let refs = bare.git(&[
        "for-each-ref",
        "--format=%(objectname) %(refname)",
        "refs/heads",
        "refs/tags",
        "refs/notes",
    ]);
    let mut objects: Vec<String> = bare
        .git(&[
            "rev-list",
            "--objects",
            "--branches",
            "--tags",
            "--glob=refs/notes/*",
        ])
        .lines()
        .map(|line| line[..40].to_owned())
        .collect();
    objects.sort();
    refs + &objects.join("\n")
}

#[tokio::test]
async fn branches_tags_and_notes_come_back_and_pull_requests_are_named_as_lost() {
    let host = Host::start(Manner::AzureDevOps).await;
    let (bare, backup) = source(&host).await;
    let target = host.repository("target");
    host.seen();
    let losses = backup.restore(&host.remote("target")).await.unwrap();
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert!(losses[0].contains("refs/pull"), "{losses:?}");
    target.fsck();
    assert_eq!(pushed(&target), pushed(&bare));
    assert_eq!(
        backup.verify(&host.remote("target")).await.unwrap(),
        [""; 0]
    );
    assert!(
        host.seen().iter().all(|seen| !seen.path.contains("source")),
        "nothing is read from the source"
    );
}

#[tokio::test]
async fn a_restore_may_be_repeated_and_overwrites_what_moved() {
    let host = Host::start(Manner::AzureDevOps).await;
    let (bare, backup) = source(&host).await;
    let target = host.repository("target");
    backup.restore(&host.remote("target")).await.unwrap();
    target.commit_on("refs/heads/main", None, &[("other", b"history")]);
    target.git(&["update-ref", "-d", "refs/tags/v1"]);
    let differences = backup.verify(&host.remote("target")).await.unwrap();
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(
        differences[0].starts_with("refs/heads/main is at")
            && differences[1] == "refs/tags/v1 is missing"
    );
    backup.restore(&host.remote("target")).await.unwrap();
    assert_eq!(pushed(&target), pushed(&bare));
}

#[tokio::test]
async fn an_empty_repository_needs_no_push() {
    let host = Host::start(Manner::AzureDevOps).await;
    host.repository("source");
    let target = host.repository("target");
    let mut backup = Backup::of(&host.client, host.remote("source"));
    backup.clean().await;
    host.seen();
    assert_eq!(
        backup.restore(&host.remote("target")).await.unwrap(),
        [""; 0]
    );
    assert!(host.seen().is_empty());
    assert_eq!(
        backup.verify(&host.remote("target")).await.unwrap(),
        [""; 0]
    );
    assert_eq!(target.git(&["for-each-ref"]), "");
}

#[tokio::test]
async fn a_repository_that_was_never_read_is_a_loss_and_no_failure() {
    let host = Host::start(Manner::AzureDevOps).await;
    let backup = Backup::of(&host.client, host.remote("gone"));
    assert_eq!(
        backup.restore(&host.remote("target")).await.unwrap().len(),
        1
    );
    assert!(host.seen().is_empty());
}

#[tokio::test]
async fn a_refused_push_names_the_repository_and_why_and_not_the_secret() {
    let host = Host::start(Manner::AzureDevOps).await;
    let (_, backup) = source(&host).await;
    let target = host.repository("target");
    target.git(&["config", "receive.denyCreates", "true"]);
    std::fs::write(
        target.path.join("hooks/pre-receive"),
        "#!/bin/sh\necho 'TF402455: Pushes to this branch are not permitted' >&2\nexit 1\n",
    )
    .unwrap();
    std::process::Command::new("chmod")
        .arg("+x")
        .arg(target.path.join("hooks/pre-receive"))
        .status()
        .unwrap();
    let error = backup.restore(&host.remote("target")).await.unwrap_err();
    assert!(
        error.message.contains("/project/_git/_full/target") && error.message.contains("TF402455"),
        "{}",
        error.message
    );
    let missing = backup.restore(&host.remote("gone")).await.unwrap_err();
    for error in [error, missing] {
        assert!(
            !format!("{error:?}").contains("Z1t")
                && !format!("{error:?}").contains(crate::host::PAT),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_stored_configuration_is_never_used() {
    let host = Host::start(Manner::AzureDevOps).await;
    let (_, mut backup) = source(&host).await;
    let marker = tempfile::tempdir().unwrap();
    let config = format!(
        "[core]\n\tbare = true\n\tsshCommand = touch {0}/x\n\tfsmonitor = touch {0}/x\n[url \"ext::touch {0}/x\"]\n\tinsteadOf = http\n",
        marker.path().display()
    );
    backup
        .snapshot
        .0
        .insert("config".to_owned(), config.into_bytes());
    backup.snapshot.0.insert(
        "hooks/pre-push".to_owned(),
        format!("#!/bin/sh\ntouch {}/x\n", marker.path().display()).into_bytes(),
    );
    host.repository("target");
    backup.restore(&host.remote("target")).await.unwrap();
    assert_eq!(std::fs::read_dir(marker.path()).unwrap().count(), 0);
}
