//! Answers that are wrong: none of them is ever stored, and each is told.

use service::git::Protocol;

use crate::backup::Backup;
use crate::history::{Bare, text};
use crate::host::{Fault, Host, Manner};

/// A repository with a stored backup, and a change that is not backed up yet.
async fn changed() -> (Host, Bare, Backup) {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    for version in 0..5 {
        bare.commit(
            "main",
            &[("a", &text(1, version)), ("dir/b", &text(2, version))],
        );
    }
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    backup.clean().await;
    host.seen();
    bare.commit("main", &[("a", &text(1, 7)), ("dir/c", &text(3, 0))]);
    (host, bare, backup)
}

/// After the fault the next run gets everything.
async fn recovers(bare: &Bare, backup: &mut Backup) {
    backup.clean().await;
    let (_folder, restored) = backup.laid_out();
    restored.fsck();
    assert_eq!(restored.picture(), bare.picture());
}

/// The answer of upload-pack with this pack.
fn answer(pack: &[u8]) -> Vec<u8> {
    let mut body = b"0008NAK\n".to_vec();
    for piece in pack.chunks(60_000) {
        body.extend_from_slice(format!("{:04x}\x01", piece.len() + 5).as_bytes());
        body.extend_from_slice(piece);
    }
    body.extend_from_slice(b"0000");
    body
}

fn pack(bare: &Bare, objects: &[&str]) -> Vec<u8> {
    bare.bytes(
        &["pack-objects", "--stdout", "--quiet"],
        objects.join("\n").as_bytes(),
    )
}

#[tokio::test]
async fn a_flipped_byte_in_a_pack_is_never_stored() {
    let (host, bare, mut backup) = changed().await;
    host.fault("pack", Fault::Flip);
    let issue = backup.kept().await;
    assert_eq!(issue.code, "git-object-missing");
    assert!(
        issue.message.contains("/project/_git/_full/repo") && issue.message.contains("checksum"),
        "{}",
        issue.message
    );
    recovers(&bare, &mut backup).await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_asked_for_once_more_and_then_told() {
    for (fault, again) in [
        (Fault::Drop(60), 1),
        (Fault::End(60), 1),
        (Fault::Drop(60), 2),
        (Fault::End(60), 2),
        (Fault::End(0), 2),
    ] {
        let (host, bare, mut backup) = changed().await;
        for _ in 0..again {
            host.fault("pack", fault.clone());
        }
        if again == 2 {
            assert_eq!(backup.kept().await.code, "answer-cut-short", "{fault:?}");
        }
        recovers(&bare, &mut backup).await;
    }
}

#[tokio::test]
async fn a_list_of_refs_that_ends_early_is_never_taken_for_deletions() {
    for percent in [30, 80, 95] {
        let (host, bare, mut backup) = changed().await;
        for fault in [Fault::End(percent), Fault::Drop(percent)] {
            host.fault("refs", fault);
            assert_eq!(backup.kept().await.code, "answer-cut-short", "{percent}");
        }
        recovers(&bare, &mut backup).await;
    }
}

#[tokio::test]
async fn a_sign_in_page_ends_the_run_and_is_never_parsed() {
    for service in ["refs", "pack"] {
        let (host, bare, mut backup) = changed().await;
        host.fault(service, Fault::Html);
        let error = backup.run().await.unwrap_err();
        assert!(
            error.is_fatal() && error.code == "credential-refused",
            "{error}"
        );
        recovers(&bare, &mut backup).await;
    }
}

#[tokio::test]
async fn another_content_type_is_never_parsed() {
    for service in ["refs", "pack"] {
        let (host, bare, mut backup) = changed().await;
        host.fault(service, Fault::Type("text/plain"));
        let issue = backup.kept().await;
        assert_eq!(issue.code, "answer-not-understood");
        assert!(issue.message.contains("text/plain"), "{}", issue.message);
        recovers(&bare, &mut backup).await;
    }
}

#[tokio::test]
async fn a_service_that_fails_leaves_the_repository_as_it_was() {
    for service in ["refs", "pack"] {
        let (host, bare, mut backup) = changed().await;
        host.fault(service, Fault::Status(503, "{}"));
        assert_eq!(backup.kept().await.code, "service-unavailable");
        recovers(&bare, &mut backup).await;
    }
}

#[tokio::test]
async fn errors_inside_the_protocol_keep_the_servers_words() {
    for body in [
        &b"0008NAK\n0017\x03disk on fire now!!"[..],
        b"001aERR disk on fire now!!",
    ] {
        let (host, bare, mut backup) = changed().await;
        host.fault("pack", Fault::Instead(body.to_vec()));
        let issue = backup.kept().await;
        assert_eq!(issue.code, "git-refused");
        assert!(
            issue.message.contains("disk on fire") && issue.message.contains("/repo"),
            "{}",
            issue.message
        );
        recovers(&bare, &mut backup).await;
    }
}

#[tokio::test]
async fn a_ref_that_moved_meanwhile_is_listed_once_more() {
    let moved =
        b"0045ERR upload-pack: not our ref 1111111111111111111111111111111111111111".to_vec();
    let body = format!(
        "{:04x}{}",
        moved.len(),
        String::from_utf8(moved[4..].to_vec()).unwrap()
    )
    .into_bytes();
    let (host, bare, mut backup) = changed().await;
    host.fault("pack", Fault::Instead(body.clone()));
    backup.clean().await;
    assert_eq!(host.seen().len(), 4);
    assert_eq!(backup.laid_out().1.picture(), bare.picture());

    bare.commit("main", &[("a", b"9")]);
    host.fault("pack", Fault::Instead(body.clone()));
    host.fault("pack", Fault::Instead(body));
    assert_eq!(backup.kept().await.code, "git-refused");
    assert_eq!(host.seen().len(), 4, "and not more than once");
}

#[tokio::test]
async fn a_thin_pack_is_replaced_by_a_whole_one() {
    let (host, bare, mut backup) = changed().await;
    host.fault("pack", Fault::Thin);
    backup.clean().await;
    let seen = host.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[1].body.contains("have ") && !seen[2].body.contains("have "));
    let (_folder, restored) = backup.laid_out();
    restored.fsck();
    assert_eq!(restored.picture(), bare.picture());
}

#[tokio::test]
async fn a_pack_that_leaves_out_an_object_is_fetched_whole_and_then_told() {
    let (host, bare, mut backup) = changed().await;
    let partial = answer(&pack(
        &bare,
        &[
            &bare.id("main"),
            &bare.id("main^{tree}"),
            &bare.id("main:a"),
        ],
    ));
    host.fault("pack", Fault::Instead(partial.clone()));
    host.fault("pack", Fault::Instead(partial.clone()));
    let issue = backup.kept().await;
    assert_eq!(issue.code, "git-object-missing");
    assert_eq!(host.seen().len(), 3);
    host.fault("pack", Fault::Instead(partial));
    recovers(&bare, &mut backup).await;
    assert_eq!(host.seen().len(), 3, "the second pack was whole");
}

#[tokio::test]
async fn a_pack_without_the_wanted_tip_is_not_enough() {
    let (host, bare, mut backup) = changed().await;
    let other = answer(&pack(&bare, &[&bare.id("main:a")]));
    let empty = answer(&pack(&bare, &[]));
    for body in [other, empty] {
        host.fault("pack", Fault::Instead(body.clone()));
        host.fault("pack", Fault::Instead(body));
        assert_eq!(backup.kept().await.code, "git-object-missing");
    }
    recovers(&bare, &mut backup).await;
}

#[tokio::test]
async fn what_is_no_pack_or_more_than_a_pack_is_refused() {
    let (host, bare, mut backup) = changed().await;
    let good = pack(&bare, &[&bare.id("main")]);
    let mut trailed = good.clone();
    trailed.extend_from_slice(b"more");
    let mut countless = good.clone();
    countless[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    for body in [
        b"PACK".to_vec(),
        b"no pack at all, but longer than a header".to_vec(),
        trailed,
        countless,
        good[..good.len() - 1].to_vec(),
    ] {
        host.fault("pack", Fault::Instead(answer(&body)));
        assert_eq!(backup.kept().await.code, "git-object-missing");
    }
    recovers(&bare, &mut backup).await;
}

#[tokio::test]
async fn hostile_names_of_refs_are_refused_by_name() {
    for name in [
        "refs/heads/a\nb",
        "refs/heads/x\x1b[2J",
        "refs/../../etc/passwd",
        "refs/heads/a b",
        "refs/heads/x.lock",
    ] {
        let (host, bare, mut backup) = changed().await;
        let line = format!("{} {name}\0 multi_ack side-band-64k\n", bare.id("main"));
        let body = format!(
            "001e# service=git-upload-pack\n0000{:04x}{line}0000",
            line.len() + 4
        );
        host.fault("refs", Fault::Instead(body.into_bytes()));
        let issue = backup.kept().await;
        assert_eq!(issue.code, "answer-not-understood");
        assert!(
            !issue.message.contains(char::is_control),
            "{:?}",
            issue.message
        );
        recovers(&bare, &mut backup).await;
    }
}

#[tokio::test]
async fn a_lost_index_or_pack_leads_to_a_whole_fetch() {
    for ending in [".idx", ".pack"] {
        let (host, bare, mut backup) = changed().await;
        let lost = backup
            .snapshot
            .0
            .keys()
            .find(|name| name.ends_with(ending))
            .unwrap()
            .clone();
        backup.snapshot.0.remove(&lost);
        backup.clean().await;
        assert!(!host.seen()[1].body.contains("have "));
        let (_folder, restored) = backup.laid_out();
        restored.fsck();
        assert_eq!(restored.picture(), bare.picture());
        assert_eq!(backup.snapshot.packs().len(), 1);
    }
}

#[tokio::test]
async fn an_unchanged_repository_with_a_lost_pack_is_fetched_again() {
    let (host, bare, mut backup) = changed().await;
    backup.clean().await;
    host.seen();
    backup
        .snapshot
        .0
        .retain(|name, _| !name.starts_with("objects/"));
    backup.clean().await;
    assert_eq!(host.seen().len(), 2);
    assert_eq!(backup.laid_out().1.picture(), bare.picture());
}

#[tokio::test]
async fn a_pack_that_both_protocols_damage_is_refused_by_both() {
    let host = Host::start(Manner::Plain).await;
    let bare = host.repository("repo");
    bare.commit("main", &[("a", &text(1, 1))]);
    let mut backup = Backup::of(&host.client, host.remote("repo").asking_for(Protocol::V2));
    // The list of refs is a request of the same service in version 2.
    host.fault("pack", Fault::End(100));
    host.fault("pack", Fault::Flip);
    assert_eq!(backup.kept().await.code, "git-object-missing");
    recovers(&bare, &mut backup).await;
}
