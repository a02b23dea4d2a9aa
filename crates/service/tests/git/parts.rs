//! Histories that are too large for one push.

use std::fmt::Write as _;

use crate::backup::Backup;
use crate::history::{Bare, noise, text};
use crate::host::{Host, Manner};

const LIMIT: u64 = 60_000;

/// Branches that grow by increments, one of them merged, a commit of many files, tags that no branch reaches, and files that change little.
fn history(bare: &Bare) {
    for version in 0..6 {
        bare.commit("main", &[("a", &noise(version, 20_000))]);
    }
    for version in 0..4 {
        bare.commit_on(
            "refs/heads/side",
            Some(if version == 0 { "main" } else { "side" }),
            &[("side", &noise(100 + version, 25_000))],
        );
    }
    let tree = bare.id("side^{tree}");
    let merge = bare.git(&[
        "commit-tree",
        &tree,
        "-m",
        "merge",
        "-p",
        "main",
        "-p",
        "side",
    ]);
    bare.git(&["update-ref", "refs/heads/main", merge.trim()]);
    bare.git(&["update-ref", "-d", "refs/heads/side"]);
    let files: Vec<(String, Vec<u8>)> = (0..12)
        .map(|number| (format!("many/{number}"), noise(200 + number, 15_000)))
        .collect();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    bare.commit("main", &files);
    for version in 0..30 {
        bare.commit("main", &[("text", &text(7, version))]);
    }
    for number in 0..8 {
        bare.commit_on(
            &format!("refs/heads/b{number}"),
            Some("main"),
            &[("b", &noise(300 + number, 12_000))],
        );
    }
    bare.commit_on("refs/heads/lost", None, &[("t", &noise(400, 50_000))]);
    bare.commit("lost", &[("t", &noise(401, 50_000))]);
    bare.tag("v1", "lost");
    bare.tag("tree", "main^{tree}");
    bare.git(&["update-ref", "-d", "refs/heads/lost"]);
}

fn picture(bare: &Bare) -> String {
    bare.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    bare.picture()
}

async fn source(host: &Host) -> (Bare, Backup) {
    let bare = host.repository("source");
    history(&bare);
    let mut backup = Backup::of(&host.client, host.remote("source"));
    backup.clean().await;
    host.seen();
    (bare, backup)
}

/// The bytes of each push since the last look.
fn pushes(host: &Host) -> Vec<usize> {
    let seen = host.seen();
    let packs = seen
        .iter()
        .filter(|seen| seen.path.ends_with("/git-receive-pack") && seen.bytes > 4);
    packs.map(|seen| seen.bytes).collect()
}

#[tokio::test]
async fn no_push_is_larger_than_the_limit_and_nothing_is_missing_afterwards() {
    let host = Host::start(Manner::AzureDevOps).await;
    let (bare, backup) = source(&host).await;
    let target = host.repository("target");
    let losses = backup
        .restore(&host.remote("target").push_limit(LIMIT))
        .await
        .unwrap();
    assert_eq!(losses, [""; 0]);
    let pushes = pushes(&host);
    assert!(pushes.len() > 8, "{pushes:?}");
    assert!(
        pushes.iter().all(|bytes| *bytes as u64 <= LIMIT),
        "{pushes:?}"
    );
    let stored: usize = backup
        .snapshot
        .packs()
        .iter()
        .map(|name| backup.snapshot.0[*name].len())
        .sum();
    assert!(
        pushes.iter().sum::<usize>() < stored * 5 / 4,
        "{pushes:?} for {stored}"
    );
    target.fsck();
    assert_eq!(
        picture(&target),
        picture(&bare),
        "and the helper branch is gone"
    );
}

/// Lets so many pushes pass and refuses the others.
fn refuse_after(target: &Bare, pushes: usize) {
    let hook = target.path.join("hooks/pre-receive");
    let count = target.path.join("pushes");
    let script = format!(
        "#!/bin/sh\ncat >/dev/null\necho x >>{0}\ntest $(wc -l <{0}) -le {pushes}\n",
        count.display()
    );
    std::fs::write(&hook, script).unwrap();
    let status = std::process::Command::new("chmod")
        .arg("+x")
        .arg(&hook)
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn after_an_interruption_nothing_is_sent_twice() {
    let host = Host::start(Manner::AzureDevOps).await;
    let (bare, backup) = source(&host).await;
    host.repository("whole");
    let limited = |name: &str| host.remote(name).push_limit(LIMIT);
    backup.restore(&limited("whole")).await.unwrap();
    let at_once: Vec<usize> = pushes(&host);
    let total: usize = at_once.iter().sum();
    for passed in [2, 9] {
        let name = format!("target-{passed}");
        let target = host.repository(&name);
        refuse_after(&target, passed);
        backup.restore(&limited(&name)).await.unwrap_err();
        let mut sent = pushes(&host);
        // The refused one was for nothing.
        sent.pop();
        std::fs::remove_file(target.path.join("hooks/pre-receive")).unwrap();
        backup.restore(&limited(&name)).await.unwrap();
        sent.extend(pushes(&host));
        let both: usize = sent.iter().sum();
        assert!(
            both < total + total / 10,
            "{passed}: {sent:?} instead of {at_once:?}"
        );
        assert_eq!(picture(&target), picture(&bare), "{passed}");
    }
}

#[tokio::test]
async fn the_default_branch_is_the_first_and_the_helper_branch_never_becomes_it() {
    let host = Host::start(Manner::AzureDevOps).await;
    let (_, backup) = source(&host).await;
    let target = host.repository("target");
    refuse_after(&target, 1);
    backup
        .restore(&host.remote("target").push_limit(LIMIT))
        .await
        .unwrap_err();
    assert_eq!(
        target.git(&["for-each-ref", "--format=%(refname)"]).trim(),
        "refs/heads/main"
    );
}

#[tokio::test]
async fn a_helper_branch_that_cannot_be_deleted_is_told() {
    let host = Host::start(Manner::AzureDevOps).await;
    let (bare, backup) = source(&host).await;
    let target = host.repository("target");
    target.git(&["config", "receive.denyDeletes", "true"]);
    let losses = backup
        .restore(&host.remote("target").push_limit(LIMIT))
        .await
        .unwrap();
    assert_eq!(losses.len(), 1);
    assert!(losses[0].contains("keepward-restore/"), "{losses:?}");
    for name in target
        .git(&[
            "for-each-ref",
            "--format=%(refname)",
            "refs/heads/keepward-restore",
        ])
        .lines()
    {
        target.git(&["update-ref", "-d", name]);
    }
    assert_eq!(picture(&target), picture(&bare));
}

#[tokio::test]
async fn refs_that_are_too_many_for_one_push_go_over_in_parts() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("source");
    bare.commit("main", &[("a", &noise(1, 40_000))]);
    let mut branches = String::new();
    for number in 0..600 {
        writeln!(
            branches,
            "commit refs/heads/b{number:04}\ncommitter A <a@b> 1700000000 +0000\ndata 0"
        )
        .unwrap();
        writeln!(
            branches,
            "from refs/heads/main\nM 100644 inline n\ndata 4\n{number:04}"
        )
        .unwrap();
    }
    bare.feed(&["fast-import", "--quiet"], branches.as_bytes());
    let mut backup = Backup::of(&host.client, host.remote("source"));
    backup.clean().await;
    let target = host.repository("target");
    host.seen();
    backup
        .restore(&host.remote("target").push_limit(60_000))
        .await
        .unwrap();
    let pushes = pushes(&host);
    assert!(pushes.len() >= 3, "{pushes:?}");
    assert_eq!(picture(&target), picture(&bare));
}
