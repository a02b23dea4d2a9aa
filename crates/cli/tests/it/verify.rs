//! Verification and drills: what is whole passes, and each way to be wrong is found although the repository gives back what was stored.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use model::{Clock, Secret};
use repository::{Change, Holder, Node, Op, Repository, Snapshot, SnapshotId};
use serde_json::Value;
use tokio::process::Command;

use crate::common::{PASSWORD, Ran, World};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }
}

/// The newest snapshot, to be written again with something wrong in it.
struct Forge {
    repository: Repository,
    snapshot: Snapshot,
    files: Vec<(String, Node)>,
}

impl Forge {
    async fn open(world: &World) -> Self {
        let (store, _) = repository::store_from(&world.at("default")).unwrap();
        let repository = Repository::open(store, &Secret::new(PASSWORD))
            .await
            .unwrap();
        // Forged ones have no parent.
        let (_, snapshot) = repository
            .snapshots()
            .await
            .unwrap()
            .into_iter()
            .find(|(_, snapshot)| snapshot.hostname != "forge")
            .unwrap();
        let files = repository.list(snapshot.tree).await.unwrap();
        Self {
            repository,
            snapshot,
            files,
        }
    }

    /// The first file whose path holds all of these.
    #[track_caller]
    fn path(&self, parts: &[&str]) -> String {
        let mut files = self.files.iter().filter(|(_, node)| node.is_file());
        let found = files.find(|(path, _)| parts.iter().all(|part| path.contains(part)));
        found.unwrap_or_else(|| panic!("no {parts:?}")).0.clone()
    }

    /// A file of a work item whose link says how large it is; images in texts have no links.
    async fn promised(&self) -> String {
        for (path, node) in &self.files {
            let Some((item, guid)) = path.split_once("/attachments/").filter(|_| node.is_file())
            else {
                continue;
            };
            let document = self.read(&format!("{item}/work-item.json")).await;
            let document: Value = serde_json::from_slice(&document).unwrap();
            let mut links = document["relations"].as_array().into_iter().flatten();
            if links.any(|link| link["url"].as_str().unwrap().contains(guid)) {
                return path.clone();
            }
        }
        panic!("no linked file");
    }

    async fn read(&self, path: &str) -> Vec<u8> {
        let (_, node) = self.files.iter().find(|(other, _)| other == path).unwrap();
        self.repository.read(node).await.unwrap().to_vec()
    }

    /// Writes the snapshot with these files changed, and removed where there is nothing to write.
    async fn commit(&self, changes: Vec<(String, Option<Vec<u8>>)>) -> SnapshotId {
        let holder = Holder::new("test", Arc::new(Still));
        let lock = self.repository.lock_shared(&holder).await.unwrap();
        let mut writer = self.repository.writer();
        let mut sorted = Vec::new();
        for (path, bytes) in changes {
            let path: Vec<String> = path.split('/').map(str::to_owned).collect();
            let op = match bytes {
                Some(bytes) => {
                    let content = writer.bytes(&bytes).await.unwrap();
                    Op::Put(Box::new(Node::file(
                        path.last().unwrap().clone(),
                        content,
                        Still.now(),
                    )))
                }
                None => Op::RemoveAll,
            };
            sorted.push(Change { path, op });
        }
        sorted.sort_by(|a, b| a.path.cmp(&b.path));
        let tree = writer
            .update(Some(self.snapshot.tree), sorted)
            .await
            .unwrap();
        let mut snapshot = Snapshot::new(self.snapshot.time, tree);
        snapshot.tags.clone_from(&self.snapshot.tags);
        "forge".clone_into(&mut snapshot.hostname);
        let id = writer.commit(&snapshot, &lock).await.unwrap();
        lock.release().await.unwrap();
        self.repository.close().await;
        id
    }
}

fn found(ran: &Ran) -> Vec<(String, String, String)> {
    let findings = ran
        .events
        .iter()
        .filter(|event| event["event"] == "finding");
    findings
        .map(|event| {
            let text = |name: &str| {
                event["finding"][name]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            (text("severity"), text("code"), text("path"))
        })
        .collect()
}

/// A backup, of which forged copies are verified.
struct Original {
    world: World,
    forge: Forge,
}

impl Original {
    async fn new() -> Self {
        let world = World::connected().await;
        world.backup("default").await.exits(0);
        let forge = Forge::open(&world).await;
        Self { world, forge }
    }

    async fn forged(&self, changes: Vec<(String, Option<Vec<u8>>)>) -> Ran {
        let id = Forge::open(&self.world).await.commit(changes).await;
        self.world.run(&format!("verify {id}")).await
    }

    /// With these changes the finding is this one, there.
    async fn finds(&self, changes: Vec<(String, Option<Vec<u8>>)>, code: &str, path: &str) {
        let ran = self.forged(changes).await;
        ran.exits(8);
        let wanted = |(severity, own, at): &(String, String, String)| {
            severity == "damage" && own == code && at.starts_with(path)
        };
        let told = ran.told();
        assert!(found(&ran).iter().any(wanted), "{code} {path}: {told}");
    }

    async fn finds_without(&self, file: &str, code: &str, path: &str) {
        self.finds(vec![(file.to_owned(), None)], code, path).await;
    }

    /// With other bytes in the file.
    async fn finds_in(&self, file: &str, bytes: Vec<u8>, code: &str) {
        let changes = vec![(file.to_owned(), Some(bytes))];
        self.finds(changes, code, file).await;
    }
}

fn flipped(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

/// A pack without one of its blobs, and its index: both are right, and what is missing is missing.
async fn lacking(folder: &Path, pack: &[u8]) -> (Vec<u8>, Vec<u8>) {
    std::fs::write(folder.join("in.pack"), pack).unwrap();
    let git = async |arguments: &str| {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("set -e; export GIT_DIR=.; {arguments}"));
        let output = command.current_dir(folder).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git("git init -q --bare . && git unpack-objects -q < in.pack").await;
    git("git cat-file --batch-all-objects --batch-check='%(objecttype) %(objectname)' > all").await;
    git("cut -d' ' -f2 all | grep -v \"$(grep ^blob all | head -1 | cut -d' ' -f2)\" > some").await;
    git("git pack-objects -q out < some > /dev/null && mv out-*.pack out.pack && mv out-*.idx out.idx").await;
    let read = |name| std::fs::read(folder.join(name)).unwrap();
    (read("out.pack"), read("out.idx"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_snapshot_is_found_to_be_that() {
    let Original { world, .. } = Original::new().await;
    let ran = world.done("verify latest").await;
    assert_eq!(ran.event("verified")["ok"], true);
    assert_eq!(found(&ran), [], "{}", ran.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_backups_said_that_they_could_not_list_is_no_damage() {
    let world = World::connected().await;
    let rule = serde_json::json!({ "path": "/contoso/_apis/projects*", "fault": "403" });
    world.disturb(&rule).await;
    world.backup("default").await.exits(3);
    let ran = world.run("verify latest").await;
    let wrong = |(severity, ..): &&(String, String, String)| severity == "damage";
    assert_eq!(found(&ran).iter().find(wrong), None, "{}", ran.told());
    ran.exits(3);
    // What comes later is counted as new.
    world.heal().await;
    world.backup("default").await.exits(0);
    let ran = world.done("verify latest").await;
    assert_eq!(found(&ran), [], "{}", ran.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_damaged_short_or_missing_are_found() {
    let original = Original::new().await;
    let forge = &original.forge;
    let large = forge.path(&["git/", "/lfs/objects/"]);
    let bytes = flipped(forge.read(&large).await, 0);
    original.finds_in(&large, bytes, "large-file-damaged").await;
    original
        .finds_without(&large, "large-file-missing", &large)
        .await;
    let file = forge.path(&["work-items/", "/attachments/"]);
    original
        .finds_without(&file, "reference-missing", "work-items/")
        .await;
    let promised = forge.promised().await;
    let short = b"short".to_vec();
    original
        .finds_in(&promised, short, "part-size-differs")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn git_repositories_that_are_damaged_or_not_closed_are_found() {
    let original = Original::new().await;
    let forge = &original.forge;
    let pack = forge.path(&["/objects/pack/", ".pack"]);
    let repository = pack.split("/objects").next().unwrap();
    let (index, folder) = (pack.replace(".pack", ".idx"), tempfile::tempdir().unwrap());
    let bytes = forge.read(&pack).await;
    let (less, idx) = lacking(folder.path(), &bytes).await;
    let sum = hex::encode(&less[less.len() - 20..]);
    let name = |end: &str| format!("{repository}/objects/pack/pack-{sum}{end}");
    let changes = vec![
        (pack.clone(), None),
        (index.clone(), None),
        (name(".pack"), Some(less)),
        (name(".idx"), Some(idx)),
    ];
    original.finds(changes, "git-incomplete", repository).await;
    let middle = bytes.len() / 2;
    let bad = flipped(bytes, middle);
    original.finds_in(&pack, bad, "git-pack-damaged").await;
    original
        .finds_without(&index, "git-pack-damaged", "git/")
        .await;
    let refs = forge.path(&["git/", "packed-refs"]);
    let nowhere = format!("{} refs/heads/x\n", "12".repeat(20)).into_bytes();
    let changes = vec![(refs.clone(), Some(nowhere))];
    original.finds(changes, "git-incomplete", "git/").await;
    let nonsense = b"no refs".to_vec();
    original.finds_in(&refs, nonsense, "git-pack-damaged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_cut_exchanged_or_missing_are_found() {
    let original = Original::new().await;
    let forge = &original.forge;
    let [one, other] =
        ["/1/work-item.json", "/2/work-item.json"].map(|name| forge.path(&["work-items/", name]));
    let mut cut = forge.read(&one).await;
    cut.truncate(cut.len() / 2);
    original.finds_in(&one, cut, "document-malformed").await;
    let revisions = |item: &str| item.replace("work-item.json", "revisions.ndjson");
    for (file, others) in [
        (one.clone(), other.clone()),
        (revisions(&one), revisions(&other)),
    ] {
        let others = forge.read(&others).await;
        original.finds_in(&file, others, "document-misplaced").await;
    }
    let item = one.rsplit_once('/').unwrap().0;
    original
        .finds_without(item, "items-miscounted", "source.json")
        .await;
    let area = forge.path(&["/areas/", "area.json"]);
    original.forged(vec![(area.clone(), None)]).await.exits(8);
    let project = area.split("/areas/").next().unwrap();
    original
        .finds_without(
            &format!("{project}/project.json"),
            "document-missing",
            project,
        )
        .await;
}

/// Where the report of a drill is, and what else its result says.
async fn drilled(world: &World) -> (String, Value) {
    world.backup("default").await.exits(0);
    let drill = "verify latest --restore-drill --by auditor";
    let ran = world.done(drill).await;
    let result = ran.event("result").clone();
    assert_eq!(result["result"], "passed", "{}", ran.told());
    (result["json"].as_str().unwrap().to_owned(), result)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_brings_everything_back_and_reports_it() {
    let world = World::connected().await;
    let (file, result) = drilled(&world).await;
    let report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let report = &report["report"];
    assert!(report["by"].as_str().unwrap().starts_with("auditor@"));
    assert_eq!(report["snapshot"]["id"], result["snapshot"]);
    assert_eq!(report["verified"]["items"], report["compared"]["items"]);
    let page = std::fs::read_to_string(result["html"].as_str().unwrap()).unwrap();
    assert!(page.contains("PASSED"));
    for active in ["http-equiv=\"refresh\"", "<script"] {
        assert!(!page.contains(active), "{active}");
    }
    let listed = world.run("verify --list").await;
    assert_eq!(listed.events.len(), 1);
    assert_eq!(listed.events[0]["result"], "passed");
    let snapshots = world.run("snapshot list").await;
    assert_eq!(snapshots.events[0]["verified"]["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_a_drill_cannot_be_altered() {
    let world = World::connected().await;
    let (file, _) = drilled(&world).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let check = async |file: &str| world.run(&format!("verify --evidence {file}")).await;
    check(&file).await.exits(0);
    let key = world.run("verify --key").await.event("key")["public_key"].clone();
    let key = key.as_str().unwrap();
    // Somebody else knows the key or does not.
    let stranger = world.at("stranger");
    let elsewhere = async |arguments: &[&str]| {
        let all = [&["verify", "--evidence", file.as_str()], arguments].concat();
        world.keepward_in(&stranger, &all).await
    };
    elsewhere(&["--public-key", key]).await.exits(0);
    elsewhere(&[]).await.refuses(3, "evidence-key-unknown");
    let first = if key.starts_with('0') { "1" } else { "0" };
    let other = [first, &key[1..]].concat();
    elsewhere(&["--public-key", &other]).await.exits(3);
    let reports = Path::new(&stranger).join("evidence");
    std::fs::create_dir_all(&reports).unwrap();
    std::fs::copy(&file, reports.join("planted.json")).unwrap();
    let listed = world.keepward_in(&stranger, &["verify", "--list"]).await;
    assert_eq!(listed.events[0]["result"], "unknown key");

    for (from, to) in [
        ("\"count\": 0", "\"count\": 1"),
        ("auditor@", "director@"),
        (&key[..16], "0123456789abcdef"),
    ] {
        let altered = world.file("altered.json", &text.replacen(from, to, 1));
        check(&altered).await.refuses(8, "evidence-altered");
    }
    let nonsense = world.file("nonsense.json", "{\"report\":{}}");
    let refused = check(&nonsense).await;
    refused.refuses(1, "evidence-not-understood");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_passes_where_all_that_was_said_of_an_item_was_taken_back() {
    let world = World::connected().await;
    let state = world.get("/__state?organization=contoso").await;
    let mut items = state["workItems"].as_array().unwrap().iter();
    let said = |item: &Value| item["comments"].as_array().unwrap().clone();
    let item = items.find(|item| !said(item).is_empty()).unwrap();
    let project = item["project"].as_str().unwrap();
    for comment in said(item) {
        if comment["isDeleted"] != true {
            let (id, comment) = (&item["id"], &comment["id"]);
            let path = format!("/contoso/{project}/_apis/wit/workItems/{id}/comments/{comment}");
            let path = format!("{path}?api-version=7.1-preview.4");
            world.call(reqwest::Method::DELETE, &path).await;
        }
    }
    world.backup("default").await.exits(0);
    let ran = world.done("verify latest --restore-drill").await;
    assert_eq!(ran.event("result")["result"], "passed", "{}", ran.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_of_a_damaged_snapshot_fails_and_says_why() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let forge = Forge::open(&world).await;
    let pack = forge.path(&["/objects/pack/", ".pack"]);
    let mut bytes = forge.read(&pack).await;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let id = forge
        .commit(vec![(pack.clone(), Some(bytes))])
        .await
        .to_string();
    let to = world.at("audit");
    let ran = world
        .run(&format!("verify {id} --restore-drill --to {to}"))
        .await;
    ran.exits(8);
    let result = ran.event("result");
    assert_eq!(result["result"], "failed");
    let text = std::fs::read_to_string(result["json"].as_str().unwrap()).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let findings = report["report"]["verified"]["findings"].to_string();
    assert!(
        findings.contains("git-pack-damaged") && findings.contains(&pack),
        "{findings}"
    );
    assert!(report["report"]["compared"]["count"].as_u64().unwrap() > 0);
    world
        .keepward(&["verify", "--evidence", result["json"].as_str().unwrap()])
        .await
        .exits(0);
}
