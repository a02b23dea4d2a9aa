//! Snapshots with something wrong in them, each wrong in one way: whatever the repository gives back faithfully is looked into.

mod small;

use engine::verify::VerifyReport;
use model::Severity::{self, Damage, Doubt, Note};
use model::policy::Pick;
use model::{Class, Issue, Picks};
use object_store::{ObjectStoreExt as _, PutPayload};

use small::{Built, Files, issue};

fn told(report: &VerifyReport) -> Vec<(Severity, &str, &str)> {
    let mut told: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            (
                finding.severity,
                finding.code.as_str(),
                finding.path.as_str(),
            )
        })
        .collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn a_whole_snapshot_is_clean_and_everything_in_it_is_counted() {
    let built = Built::new(&Files::whole()).await;
    let report = built.verify().await;
    assert_eq!(told(&report), []);
    let items: Vec<_> = report
        .items
        .iter()
        .map(|(kind, items)| (kind.as_str(), *items))
        .collect();
    assert_eq!(
        items,
        [("box", 2), ("file", 1), ("remark", 2), ("thing", 3)]
    );
    assert_eq!(
        report.files,
        Files::whole().0.len() as u64 + 1,
        "source.json too"
    );
    let bytes: usize = Files::whole().0.values().map(Vec::len).sum();
    assert!(report.bytes > bytes as u64);
}

type Change = fn(&mut Files);
/// Severity, code and path of a finding.
type Expected = (Severity, &'static str, &'static str);

/// What is changed, and what is found then.
const WAYS: &[(&str, Change, &[Expected])] = &[
    (
        "not JSON",
        |files| files.put("boxes/a/things/1/thing.json", b"{\"id\":1"),
        &[(Damage, "document-malformed", "boxes/a/things/1/thing.json")],
    ),
    (
        "two documents in one file",
        |files| files.put("boxes/a/things/2/more.json", b"{} {}"),
        &[(Damage, "document-malformed", "boxes/a/things/2/more.json")],
    ),
    (
        "bytes that are no text within a JSON string",
        |files| files.put("boxes/a/things/2/more.json", b"\"\xff\""),
        &[(Damage, "document-malformed", "boxes/a/things/2/more.json")],
    ),
    (
        "a line that is not JSON",
        |files| files.put("boxes/a/things/1/remarks.ndjson", b"{}\n{\"a\n"),
        &[
            (
                Damage,
                "document-malformed",
                "boxes/a/things/1/remarks.ndjson",
            ),
            (Damage, "items-miscounted", "source.json"),
        ],
    ),
    (
        "the document of another",
        |files| files.put("boxes/a/things/1/thing.json", b"{\"id\":7,\"file\":\"f\"}"),
        &[(Damage, "document-misplaced", "boxes/a/things/1/thing.json")],
    ),
    (
        "no document",
        |files| files.drop("boxes/a/things/1/thing.json"),
        &[(Damage, "document-missing", "boxes/a/things/1")],
    ),
    (
        "a file that a document names",
        |files| files.drop("boxes/a/things/1/files/f"),
        &[
            (Damage, "items-miscounted", "source.json"),
            (Damage, "reference-missing", "boxes/a/things/1/thing.json"),
        ],
    ),
    (
        "the box of two things",
        |files| files.drop("boxes/a/box.json"),
        &[
            (Doubt, "reference-unclear", "boxes/a/things/2/thing.json"),
            (Damage, "document-missing", "boxes/a"),
            (Damage, "items-miscounted", "source.json"),
        ],
    ),
    (
        "an item",
        |files| {
            files.drop("boxes/b/things/3/thing.json");
            files.drop("boxes/b/box.json");
        },
        &[
            (Note, "link-dangling", "boxes/a/things/1/thing.json"),
            (Doubt, "reference-unclear", "boxes/a/things/1/thing.json"),
            (Damage, "items-miscounted", "source.json"),
            (Damage, "items-miscounted", "source.json"),
        ],
    ),
    (
        "what the kind itself finds",
        |files| files.put("boxes/b/things/3/thing.json", b"{\"id\":3,\"broken\":true}"),
        &[(Damage, "part-size-differs", "boxes/b/things/3/thing.json")],
    ),
    (
        "a place by a name that nobody has",
        |files| {
            files.put(
                "boxes/b/things/3/thing.json",
                b"{\"id\":3,\"near\":\"box c\"}",
            );
        },
        &[(Doubt, "reference-unclear", "boxes/b/things/3/thing.json")],
    ),
    (
        "a link to nowhere",
        |files| files.put("boxes/b/things/3/thing.json", b"{\"id\":3,\"see\":\"9\"}"),
        &[(Note, "link-dangling", "boxes/b/things/3/thing.json")],
    ),
    (
        "a file of lines without any, which an earlier build counted as one",
        |files| {
            files.put("boxes/a/things/2/remarks.ndjson", b"");
            files.counts.insert("remark", 3);
        },
        &[(Note, "items-miscounted", "source.json")],
    ),
    (
        "another one beside it that is missing",
        |files| {
            files.put("boxes/a/things/2/remarks.ndjson", b"");
            files.counts.insert("remark", 4);
        },
        &[(Damage, "items-miscounted", "source.json")],
    ),
    (
        "a file of nobody",
        |files| files.put("strange/file", b"x"),
        &[(Note, "file-unexpected", "strange/file")],
    ),
];

#[tokio::test]
async fn every_way_to_be_wrong_is_found_where_it_is() {
    for (name, change, expected) in WAYS {
        let mut files = Files::whole();
        change(&mut files);
        let report = Built::new(&files).await.verify().await;
        assert_eq!(told(&report), *expected, "{name}: {:#?}", report.findings);
        let clean = expected.iter().all(|(severity, ..)| *severity == Note);
        assert_eq!(report.is_clean(), clean, "{name}");
        for finding in &report.findings {
            assert!(model::code::find(&finding.code).is_some(), "{finding:?}");
        }
    }
}

#[tokio::test]
async fn what_a_backup_said_that_it_could_not_read_is_no_damage() {
    let mut files = Files::whole();
    files.drop("boxes/a/things/1/files/f");
    files.counts.insert("file", 0);
    let lacking = [(Note, "loss-declared", "boxes/a/things/1/thing.json")];

    let mut said = files.clone();
    said.issues = vec![issue("file", "f", Class::Missing)];
    let first = Built::new(&said).await;
    assert_eq!(told(&first.verify().await), lacking);

    // Once said is enough: later runs do not ask again.
    let second = first.next(&files).await;
    assert_eq!(told(&second.verify().await), lacking);

    let mut other = files.clone();
    other.issues = vec![issue("file", "g", Class::Missing)];
    let report = Built::new(&other).await.verify().await;
    assert_eq!(told(&report)[0].1, "reference-missing");

    // When the snapshot that could tell is gone, nobody knows.
    second.forget(&first).await;
    let report = second.verify().await;
    assert_eq!(told(&report), [(Doubt, "reference-unclear", lacking[0].2)]);
}

#[tokio::test]
async fn containers_that_a_backup_said_it_could_not_list_are_no_damage() {
    let mut files = Files::whole();
    files.drop("boxes/a/box.json");
    files.drop("boxes/b/box.json");
    files.counts.insert("box", 0);
    let all = Issue {
        item: None,
        ..issue("box", "", Class::Permission)
    };
    files.issues = vec![all];
    let report = Built::new(&files).await.verify().await;
    let damaged = |finding: &&model::Finding| finding.severity == Damage;
    assert_eq!(report.findings.iter().find(damaged), None);
    assert!(!report.items.contains_key("box"), "{:?}", report.items);
}

#[tokio::test]
async fn what_was_not_selected_cannot_be_missed() {
    let mut files = Files::whole();
    files.drop("boxes/a/things/1/files/f");
    files.counts.remove("file");
    files.selection = &["box", "thing", "remark"];
    let report = Built::new(&files).await.verify().await;
    assert_eq!(
        told(&report),
        [(Note, "link-dangling", "boxes/a/things/1/thing.json")]
    );
}

/// A wiki is stored without its pages where the repository of these is none of those that the policy names.
#[tokio::test]
async fn what_was_not_picked_is_not_missed_and_what_was_is() {
    let picked = |kind: &str| {
        let include = vec!["another".to_owned()];
        let pick = Pick {
            include,
            ..Pick::default()
        };
        Picks([(kind.to_owned(), pick)].into())
    };
    let mut files = Files::whole();
    files.drop("boxes/a/things/1/files/f");
    files.counts.insert("file", 0);
    files.picks = picked("file");
    let report = Built::new(&files).await.verify().await;
    let path = "boxes/a/things/1/thing.json";
    assert_eq!(told(&report), [(Note, "link-dangling", path)]);
    files.picks = picked("thing");
    let report = Built::new(&files).await.verify().await;
    assert_eq!(told(&report), [(Damage, "reference-missing", path)]);
    files.picks = picked("file");
    files.counts.insert("file", 1);
    let report = Built::new(&files).await.verify().await;
    let lost = (Damage, "items-miscounted", "source.json");
    assert!(told(&report).contains(&lost), "{:?}", told(&report));
}

/// Every byte of every pack is looked at: whichever is flipped, a file or folder cannot be read, and the others still are.
#[tokio::test]
async fn a_flipped_byte_in_any_pack_is_found() {
    let built = Built::new(&Files::whole()).await;
    let packs = built.packs().await;
    assert!(packs.len() >= 2, "data and trees");
    for (path, bytes) in packs {
        // The header at the end of a pack is not read here: `repository check` does that.
        for at in [0, bytes.len() / 4, bytes.len() / 2] {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1;
            built
                .store
                .put(&path, PutPayload::from(flipped))
                .await
                .unwrap();
            let report = built.opened().await.verify().await;
            let unreadable = told(&report)
                .iter()
                .any(|(severity, code, _)| *severity == Damage && *code == "file-unreadable");
            assert!(unreadable, "{path} at {at}: {:#?}", report.findings);
        }
        built
            .store
            .put(&path, PutPayload::from(bytes))
            .await
            .unwrap();
    }
    assert!(built.opened().await.verify().await.is_clean());
}

#[tokio::test]
async fn a_canceled_verification_ends_without_a_verdict() {
    let built = Built::new(&Files::whole()).await;
    built.cancel.cancel();
    assert!(matches!(
        built.try_verify().await,
        Err(engine::Error::Canceled)
    ));
}
