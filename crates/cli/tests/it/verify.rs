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

async fn forged(world: &World, changes: Vec<(String, Option<Vec<u8>>)>) -> Ran {
    let forge = Forge::open(world).await;
    let id = forge.commit(changes).await.to_string();
    world.keepward(&["verify", &id]).await
}

#[track_caller]
fn finds(ran: &Ran, code: &str, path: &str) {
    ran.exits(8);
    let found = found(ran);
    let wanted = |(severity, own, at): &(String, String, String)| {
        severity == "damage" && own == code && at.starts_with(path)
    };
    assert!(found.iter().any(wanted), "{code} {path}: {}", ran.told());
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
async fn whatever_is_wrong_in_a_snapshot_is_found_although_the_repository_is_whole() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let ran = world.keepward(&["verify", "latest"]).await;
    ran.exits(0);
    assert_eq!(ran.event("verified")["ok"], true);
    assert_eq!(found(&ran), [], "{}", ran.told());
    let forge = Forge::open(&world).await;

    let large = forge.path(&["git/", "/lfs/objects/"]);
    let mut bytes = forge.read(&large).await;
    bytes[0] ^= 1;
    let ran = forged(&world, vec![(large.clone(), Some(bytes))]).await;
    finds(&ran, "large-file-damaged", &large);
    let ran = forged(&world, vec![(large.clone(), None)]).await;
    finds(&ran, "large-file-missing", &large);

    let file = forge.path(&["work-items/", "/attachments/"]);
    let ran = forged(&world, vec![(file.clone(), None)]).await;
    finds(&ran, "reference-missing", "work-items/");
    let promised = forge.promised().await;
    let ran = forged(&world, vec![(promised.clone(), Some(b"short".to_vec()))]).await;
    finds(&ran, "part-size-differs", &promised);

    let pack = forge.path(&["/objects/pack/", ".pack"]);
    let (index, folder) = (pack.replace(".pack", ".idx"), tempfile::tempdir().unwrap());
    let bytes = forge.read(&pack).await;
    let (less, idx) = lacking(folder.path(), &bytes).await;
    let sum = hex::encode(&less[less.len() - 20..]);
    let name = |text: &str| format!("{}/pack-{sum}{text}", pack.rsplit_once('/').unwrap().0);
    let changes = vec![
        (pack.clone(), None),
        (index.clone(), None),
        (name(".pack"), Some(less)),
        (name(".idx"), Some(idx)),
    ];
    finds(
        &forged(&world, changes).await,
        "git-incomplete",
        pack.split("/objects").next().unwrap(),
    );
    let mut bad = bytes.clone();
    bad[bytes.len() / 2] ^= 1;
    let ran = forged(&world, vec![(pack.clone(), Some(bad))]).await;
    finds(&ran, "git-pack-damaged", &pack);
    finds(
        &forged(&world, vec![(index, None)]).await,
        "git-pack-damaged",
        "git/",
    );
    let refs = forge.path(&["git/", "packed-refs"]);
    let nowhere = format!("{} refs/heads/x\n", "12".repeat(20));
    let ran = forged(&world, vec![(refs.clone(), Some(nowhere.into_bytes()))]).await;
    finds(&ran, "git-incomplete", "git/");
    let ran = forged(&world, vec![(refs.clone(), Some(b"no refs".to_vec()))]).await;
    finds(&ran, "git-pack-damaged", &refs);

    let [one, other] =
        ["/1/work-item.json", "/2/work-item.json"].map(|name| forge.path(&["work-items/", name]));
    let mut cut = forge.read(&one).await;
    cut.truncate(cut.len() / 2);
    let ran = forged(&world, vec![(one.clone(), Some(cut))]).await;
    finds(&ran, "document-malformed", &one);
    let ran = forged(&world, vec![(one.clone(), Some(forge.read(&other).await))]).await;
    finds(&ran, "document-misplaced", &one);
    let revisions = one.replace("work-item.json", "revisions.ndjson");
    let others = forge
        .read(&other.replace("work-item.json", "revisions.ndjson"))
        .await;
    let ran = forged(&world, vec![(revisions.clone(), Some(others))]).await;
    finds(&ran, "document-misplaced", &revisions);
    let item = one.rsplit_once('/').unwrap().0.to_owned();
    finds(
        &forged(&world, vec![(item, None)]).await,
        "items-miscounted",
        "source.json",
    );

    let area = forge.path(&["/areas/", "area.json"]);
    let ran = forged(&world, vec![(area.clone(), None)]).await;
    ran.exits(8);
    let project = area.split("/areas/").next().unwrap();
    let ran = forged(&world, vec![(format!("{project}/project.json"), None)]).await;
    finds(&ran, "document-missing", project);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_brings_everything_back_and_its_report_cannot_be_altered() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let ran = world
        .keepward(&["verify", "latest", "--restore-drill", "--by", "auditor"])
        .await;
    ran.exits(0);
    let result = ran.event("result").clone();
    assert_eq!(result["result"], "passed", "{}", ran.told());
    let file = result["json"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(&file).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let report = &report["report"];
    assert!(report["by"].as_str().unwrap().starts_with("auditor@"));
    assert_eq!(report["snapshot"]["id"], result["snapshot"]);
    assert_eq!(report["verified"]["items"], report["compared"]["items"]);
    let page = std::fs::read_to_string(result["html"].as_str().unwrap()).unwrap();
    assert!(
        page.contains("PASSED")
            && !page.contains("http-equiv=\"refresh\"")
            && !page.contains("<script")
    );

    let listed = world.keepward(&["verify", "--list"]).await;
    assert_eq!(listed.events.len(), 1);
    assert_eq!(listed.events[0]["result"], "passed");
    let snapshots = world.keepward(&["snapshot", "list"]).await;
    assert_eq!(snapshots.events[0]["verified"]["ok"], true);

    world
        .keepward(&["verify", "--evidence", &file])
        .await
        .exits(0);
    let key = world.keepward(&["verify", "--key"]).await.event("key")["public_key"]
        .as_str()
        .unwrap()
        .to_owned();
    // Somebody else knows the key or does not.
    let stranger = world.at("stranger");
    let elsewhere = async |arguments: &[&str]| {
        let mut all = vec!["verify", "--evidence", file.as_str()];
        all.extend(arguments);
        world.keepward_in(&stranger, &all).await
    };
    elsewhere(&["--public-key", &key]).await.exits(0);
    elsewhere(&[]).await.refuses(3, "evidence-key-unknown");
    elsewhere(&["--public-key", &key.replace(&key[..1], "0")])
        .await
        .exits(3);

    for (from, to) in [
        ("\"count\": 0", "\"count\": 1"),
        ("auditor@", "director@"),
        (&key[..16], "0123456789abcdef"),
    ] {
        let altered = world.file("altered.json", &text.replacen(from, to, 1));
        world
            .keepward(&["verify", "--evidence", &altered])
            .await
            .refuses(8, "evidence-altered");
    }
    let nonsense = world.file("nonsense.json", "{\"report\":{}}");
    world
        .keepward(&["verify", "--evidence", &nonsense])
        .await
        .refuses(1, "evidence-not-understood");
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
    let ran = world
        .keepward(&["verify", "latest", "--restore-drill"])
        .await;
    ran.exits(0);
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
        .keepward(&["verify", &id, "--restore-drill", "--to", &to])
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
