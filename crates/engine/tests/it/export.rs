//! Export: files as they were, and hostile names that stay inside the target folder.

mod archive;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use engine::export::{ExportOptions, ExportReport, export};
use jiff::Timestamp;
use model::{Secret, Silent};
use repository::{
    BlobType, Holder, InitOptions, Repository, Snapshot, SnapshotId, TreeId, Writer, store_from,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::harness::At;

const WRITTEN: &str = "2026-03-04T05:06:07Z";

fn written() -> Timestamp {
    WRITTEN.parse().unwrap()
}

/// An entry of a tree, under any name at all.
enum Entry {
    File(&'static str, Vec<u8>),
    /// A file whose size is wrong.
    Liar(&'static str),
    Link(&'static str, &'static str),
    Dir(&'static str, Vec<Self>),
}

fn file(name: &'static str, text: &str) -> Entry {
    Entry::File(name, text.as_bytes().to_vec())
}

struct Case {
    repository: Repository,
    snapshot: SnapshotId,
    /// `repository`, and `target` for exports; nothing else may appear in it.
    folder: TempDir,
}

impl Case {
    async fn new(entries: Vec<Entry>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = store_from(folder.path().join("repository").to_str().unwrap()).unwrap();
        let options = InitOptions {
            created: written(),
            hostname: "host".to_owned(),
            username: "user".to_owned(),
        };
        let repository = Repository::init(store, &Secret::new("password"), &options)
            .await
            .unwrap();
        let mut writer = repository.writer();
        let tree = Box::pin(write_tree(&mut writer, entries)).await;
        let lock = repository
            .lock_shared(&Holder::new("user", Arc::new(At(written()))))
            .await
            .unwrap();
        let snapshot = writer
            .commit(&Snapshot::new(written(), tree), &lock)
            .await
            .unwrap();
        lock.release().await.unwrap();
        Self {
            repository,
            snapshot,
            folder,
        }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("target")
    }

    async fn export(&self, path: &str, overwrite: bool) -> engine::Result<ExportReport> {
        let cancel = CancellationToken::new();
        let options = ExportOptions {
            overwrite,
            reporter: &Silent,
            cancel: &cancel,
        };
        export(
            &self.repository,
            self.snapshot,
            path,
            &self.target(),
            &options,
        )
        .await
    }

    /// All files below the target folder, relative to it. Nothing may be beside it.
    fn files(&self) -> BTreeSet<String> {
        let beside: BTreeSet<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            beside
                .iter()
                .all(|name| name == "repository" || name == "target" || name == "outside"),
            "{beside:?}"
        );
        let mut files = BTreeSet::new();
        collect(&self.target(), &self.target(), &mut files);
        files
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.target().join(path)).unwrap()
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            collect(root, &path, files);
        } else {
            files.insert(
                path.strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
}

/// Writes the tree below the editor, which would refuse these names.
async fn write_tree(writer: &mut Writer, entries: Vec<Entry>) -> TreeId {
    let mut nodes = Vec::new();
    for entry in entries {
        nodes.push(match entry {
            Entry::File(name, bytes) => {
                let content = writer.bytes(&bytes).await.unwrap();
                node_json(
                    name,
                    "file",
                    &format!(
                        r#""size":{},"content":{}"#,
                        content.size,
                        serde_json::to_string(&content.blobs).unwrap()
                    ),
                )
            }
            Entry::Liar(name) => {
                let content = writer.bytes(b"short").await.unwrap();
                node_json(
                    name,
                    "file",
                    &format!(
                        r#""size":500,"content":{}"#,
                        serde_json::to_string(&content.blobs).unwrap()
                    ),
                )
            }
            Entry::Link(name, to) => node_json(
                name,
                "symlink",
                &format!(r#""linktarget":"{to}","content":null"#),
            ),
            Entry::Dir(name, entries) => {
                let tree = Box::pin(write_tree(writer, entries)).await;
                node_json(
                    name,
                    "dir",
                    &format!(r#""content":null,"subtree":"{tree}""#),
                )
            }
        });
    }
    let json = format!("{{\"nodes\":[{}]}}\n", nodes.join(","));
    writer.blob(BlobType::Tree, json.as_bytes()).await.unwrap()
}

fn node_json(name: &str, kind: &str, rest: &str) -> String {
    // Names are quoted twice: as Go does, then as JSON.
    let quoted: String = name
        .chars()
        .flat_map(|char| match char {
            '"' | '\\' => vec!['\\', char],
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                format!("\\x{:02x}", u32::from(char)).chars().collect()
            }
            _ => vec![char],
        })
        .collect();
    let name = serde_json::to_string(&quoted).unwrap();
    format!(
        r#"{{"name":{name},"type":"{kind}","mode":420,"mtime":"{WRITTEN}","atime":"{WRITTEN}","ctime":"{WRITTEN}","uid":0,"gid":0,{rest}}}"#
    )
}

fn ordinary() -> Vec<Entry> {
    vec![
        Entry::Dir(
            "work-items",
            vec![Entry::Dir(
                "0000",
                vec![Entry::Dir(
                    "12",
                    vec![
                        file("comments.ndjson", "{}\n"),
                        file("work-item.json", "{\"id\":12}"),
                    ],
                )],
            )],
        ),
        file("source.json", "{}"),
    ]
}

#[tokio::test]
async fn a_whole_snapshot_becomes_the_same_files() {
    let mut entries = ordinary();
    let large: Vec<u8> = (0u32..1_500_000)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    entries.push(Entry::File("empty", Vec::new()));
    entries.push(Entry::File("large", large.clone()));
    let case = Case::new(entries).await;
    let report = case.export("", false).await.unwrap();
    assert_eq!(
        (report.files, report.folders, report.escaped, report.refused),
        (5, 3, 0, 0)
    );
    assert_eq!(report.bytes, 14 + large.len() as u64);
    assert_eq!(
        case.read("work-items/0000/12/work-item.json"),
        "{\"id\":12}"
    );
    assert_eq!(fs::read(case.target().join("large")).unwrap(), large);
    let modified = fs::metadata(case.target().join("source.json"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(
        modified,
        SystemTime::from(WRITTEN.parse::<Timestamp>().unwrap())
    );
}

#[tokio::test]
async fn one_path_keeps_its_own_name() {
    let case = Case::new(ordinary()).await;
    case.export("/work-items/0000/12/", false).await.unwrap();
    assert_eq!(
        case.files(),
        ["12/comments.ndjson", "12/work-item.json"]
            .map(str::to_owned)
            .into()
    );
    case.export("source.json", false).await.unwrap();
    assert_eq!(case.read("source.json"), "{}");
    let error = case.export("work-items/0000/13", false).await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (
            Some("export-path-unknown"),
            "the snapshot has no `work-items/0000/13`"
        )
    );
}

#[tokio::test]
async fn hostile_names_stay_inside_the_folder() {
    let long = "名".repeat(167);
    let long: &'static str = Box::leak(long.into_boxed_str());
    let case = Case::new(vec![
        Entry::Dir("..", vec![Entry::Dir("..", vec![file("evil", "1")])]),
        file("../evil", "2"),
        file("/etc/evil", "3"),
        file("", "4"),
        file(".", "5"),
        file("a\\b", "6"),
        file("bell\u{7}\n", "7"),
        file("CON.txt", "8"),
        file("50% done?", "9"),
        file(long, "10"),
        file("\u{202e}gpj.exe", "11"),
        file("end.", "12"),
    ])
    .await;
    let report = case.export("", false).await.unwrap();
    assert_eq!((report.files, report.refused), (12, 0));
    assert_eq!(report.escaped, 13);
    let files = case.files();
    assert_eq!(files.len(), 12);
    let expected = [
        "%2E%2E/%2E%2E/evil",
        "..%2Fevil",
        "%2Fetc%2Fevil",
        "%",
        "%2E",
        "a%5Cb",
        "bell%07%0A",
        "%43ON.txt",
        "50%25 done%3F",
        "%E2%80%AEgpj.exe",
        "end%2E",
    ];
    for name in expected {
        assert!(files.contains(name), "{name} in {files:?}");
    }
    assert!(
        files
            .iter()
            .all(|name| name.split('/').all(|part| part.len() <= 200))
    );
    assert_eq!(case.read("..%2Fevil"), "2");
    let renamed = report
        .renamed
        .iter()
        .find(|renamed| renamed.from == long)
        .unwrap();
    assert_eq!(case.read(&renamed.to), "10");
}

#[tokio::test]
async fn an_escaped_name_can_be_asked_for() {
    let case = Case::new(vec![Entry::Dir("a/b", vec![file("c", "text")])]).await;
    case.export("a%2Fb/c", false).await.unwrap();
    assert_eq!(case.read("c"), "text");
}

#[tokio::test]
async fn names_that_fall_together_are_numbered() {
    let case = Case::new(vec![
        file("a.txt", "1"),
        file("a.txt", "2"),
        file("A.TXT", "3"),
        Entry::Dir("d", vec![file("x", "4")]),
        Entry::Dir("d", vec![file("x", "5")]),
    ])
    .await;
    let report = case.export("", false).await.unwrap();
    assert_eq!(
        case.files(),
        ["a.txt", "a~2.txt", "A~3.TXT", "d/x", "d~2/x"]
            .map(str::to_owned)
            .into()
    );
    assert_eq!((report.files, report.escaped), (5, 3));
    assert_eq!(
        (case.read("a~2.txt"), case.read("d~2/x")),
        ("2".to_owned(), "5".to_owned())
    );
}

#[tokio::test]
async fn files_that_are_there_stay_unless_asked() {
    let case = Case::new(ordinary()).await;
    fs::create_dir_all(case.target()).unwrap();
    fs::write(case.target().join("source.json"), "mine").unwrap();
    let report = case.export("", false).await.unwrap();
    assert_eq!((report.files, report.refused), (2, 1));
    assert_eq!(report.left_out[0].path, "source.json");
    assert!(
        report.left_out[0].reason.ends_with("already exists"),
        "{:?}",
        report.left_out
    );
    assert_eq!(case.read("source.json"), "mine");
    let report = case.export("", true).await.unwrap();
    assert_eq!((report.files, report.refused), (3, 0));
    assert_eq!(case.read("source.json"), "{}");
    assert_eq!(case.files().len(), 3);
}

#[tokio::test]
#[cfg(unix)]
async fn links_in_the_folder_are_not_followed() {
    use std::os::unix::fs::symlink;
    let case = Case::new(ordinary()).await;
    let outside = case.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(case.target()).unwrap();
    fs::write(outside.join("precious"), "precious").unwrap();
    symlink(&outside, case.target().join("work-items")).unwrap();
    symlink(outside.join("precious"), case.target().join("source.json")).unwrap();
    for overwrite in [false, true] {
        let report = case.export("", overwrite).await.unwrap();
        assert!(
            report.left_out.iter().any(|left| left.path == "work-items"),
            "{report:?}"
        );
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(
            fs::read_to_string(outside.join("precious")).unwrap(),
            "precious"
        );
    }
    // Replacing takes the place of the link, not of what it points to.
    assert_eq!(case.read("source.json"), "{}");
    assert!(
        !fs::symlink_metadata(case.target().join("source.json"))
            .unwrap()
            .is_symlink()
    );
}

#[tokio::test]
async fn links_and_damage_are_reported_and_the_rest_is_written() {
    let case = Case::new(vec![
        Entry::Link("link", "/etc/passwd"),
        Entry::Liar("liar"),
        file("good", "good"),
    ])
    .await;
    let report = case.export("", false).await.unwrap();
    assert_eq!((report.files, report.refused), (1, 2));
    assert_eq!(case.files(), ["good".to_owned()].into());
    let codes: Vec<_> = report
        .left_out
        .iter()
        .map(|left| (left.path.as_str(), left.code.as_deref()))
        .collect();
    assert_eq!(
        codes,
        [
            ("link", Some("export-path-refused")),
            ("liar", Some("repository-damaged"))
        ]
    );
}
