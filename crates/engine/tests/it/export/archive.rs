//! Export as a ZIP.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};

use engine::export::Archive;

use super::{Case, Entry, file, ordinary};

impl Case {
    /// The pieces of an archive up to its end, or to the error that breaks it off.
    async fn archive(&self, paths: &[&str]) -> (Vec<u8>, engine::Result<()>) {
        let tree = self.repository.snapshot(self.snapshot).await.unwrap().tree;
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let archive = Archive::open(&self.repository, tree, &paths).await.unwrap();
        Box::pin(pieces(archive)).await
    }

    async fn in_place(&self, paths: &[&str]) -> engine::Result<Vec<u8>> {
        let tree = self.repository.snapshot(self.snapshot).await.unwrap().tree;
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let archive = Archive::in_place(&self.repository, tree, paths, Vec::new()).await?;
        let (bytes, ended) = Box::pin(pieces(archive)).await;
        ended.map(|()| bytes)
    }

    async fn unzipped(&self, paths: &[&str]) -> BTreeMap<String, String> {
        let (bytes, ended) = self.archive(paths).await;
        ended.unwrap();
        unzip(bytes)
    }
}

async fn pieces(mut archive: Archive) -> (Vec<u8>, engine::Result<()>) {
    let mut bytes = Vec::new();
    loop {
        match archive.next().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => return (bytes, Ok(())),
            Err(error) => return (bytes, Err(error)),
        }
    }
}

fn unzip(bytes: Vec<u8>) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = BTreeMap::new();
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).unwrap();
        let name = entry.name().unwrap().into_owned();
        assert!(entry.enclosed_name().is_some(), "{name}");
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        files.insert(name, content);
    }
    files
}

#[tokio::test]
async fn an_archive_holds_what_an_export_writes() {
    let case = Case::new(ordinary()).await;
    case.export("", false).await.unwrap();
    let archived = case.unzipped(&[""]).await;
    let names: BTreeSet<String> = archived.keys().cloned().collect();
    assert_eq!(names, case.files());
    for (name, content) in &archived {
        assert_eq!(*content, case.read(name), "{name}");
    }
}

#[tokio::test]
async fn hostile_names_stay_inside_the_archive() {
    let case = Case::new(vec![
        Entry::Dir("..", vec![Entry::Dir("..", vec![file("evil", "1")])]),
        file("../evil", "2"),
        file("/etc/evil", "3"),
        file("a\\b", "4"),
        file("CON.txt", "5"),
    ])
    .await;
    let files: Vec<String> = case.unzipped(&[""]).await.into_keys().collect();
    assert_eq!(
        files,
        [
            "%2E%2E/%2E%2E/evil",
            "%2Fetc%2Fevil",
            "%43ON.txt",
            "..%2Fevil",
            "a%5Cb"
        ]
    );
}

#[tokio::test]
async fn chosen_paths_keep_their_own_names_and_none_hides_another() {
    let case = Case::new(vec![
        Entry::Dir("a", vec![Entry::Dir("teams", vec![file("x", "1")])]),
        Entry::Dir("b", vec![Entry::Dir("teams", vec![file("x", "2")])]),
        file("c", "3"),
        Entry::Dir("empty", Vec::new()),
    ])
    .await;
    let files = case.unzipped(&["a/teams", "b/teams", "c", "empty"]).await;
    let expected = [
        ("c", "3"),
        ("empty/", ""),
        ("teams/x", "1"),
        ("teams~2/x", "2"),
    ];
    let expected = expected.map(|(name, content)| (name.to_owned(), content.to_owned()));
    assert_eq!(files, BTreeMap::from(expected));
    let tree = case.repository.snapshot(case.snapshot).await.unwrap().tree;
    let missing = Archive::open(&case.repository, tree, &["d".to_owned()]).await;
    assert_eq!(missing.err().unwrap().code(), Some("export-path-unknown"));
}

#[tokio::test]
async fn what_is_selected_stays_at_its_place_and_nothing_else_comes_along() {
    let case = Case::new(vec![
        Entry::Dir(
            "a",
            vec![
                Entry::Dir("teams", vec![file("x", "1")]),
                Entry::Dir("teams2", vec![file("x", "2")]),
                file("document", "3"),
            ],
        ),
        Entry::Dir("b", vec![file("X", "4"), file("x", "5")]),
        Entry::Dir("c", vec![file("x", "6")]),
    ])
    .await;
    let bytes = case.in_place(&["b", "a/teams", "b/x", "a/document"]).await;
    let files = unzip(bytes.unwrap());
    let expected = [
        ("a/document", "3"),
        ("a/teams/x", "1"),
        ("b/X", "4"),
        ("b/x~2", "5"),
    ];
    let expected = expected.map(|(name, content)| (name.to_owned(), content.to_owned()));
    assert_eq!(files, BTreeMap::from(expected));
}

#[tokio::test]
async fn what_should_be_there_and_is_not_breaks_the_archive_off() {
    let case = Case::new(vec![Entry::Dir("a", vec![file("x", "1")]), file("b", "2")]).await;
    for paths in [
        &["a/x", "d"][..],
        &["a/x", "a/y"],
        &["a/x/z"],
        &["a", "b/z"],
    ] {
        let ended = case.in_place(paths).await;
        let error = ended.unwrap_err();
        assert_eq!(error.code(), Some("repository-damaged"), "{paths:?}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_named_in_the_archive() {
    let case = Case::new(vec![
        Entry::Link("link", "/etc/passwd"),
        file("good", "good"),
    ])
    .await;
    let files = case.unzipped(&[""]).await;
    assert_eq!(files["left-out.txt"], "link: a symlink");
    assert_eq!(files["good"], "good");
}

#[tokio::test]
async fn an_archive_with_damage_in_it_is_broken_off_and_no_archive() {
    let case = Case::new(vec![file("good", "good"), Entry::Liar("liar")]).await;
    let (bytes, ended) = case.archive(&[""]).await;
    assert_eq!(ended.unwrap_err().code(), Some("repository-damaged"));
    assert!(!bytes.is_empty(), "what came before was sent");
    assert!(zip::ZipArchive::new(Cursor::new(bytes)).is_err());
}
