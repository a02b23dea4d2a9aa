//! What a snapshot holds, in a form in which two can be compared.

use std::collections::BTreeMap;
use std::path::Path;

use tokio::process::Command;

/// Files by their path. Packs are compared by the objects in them: a server is free to pack anew for each client.
pub(crate) type Content = BTreeMap<String, Vec<u8>>;

/// `source.json` tells about the run, not about the organization.
const RUN: &str = "source.json";
/// When the packs of a repository were last tended.
const UPKEEP: &str = "/upkeep.json";

/// The files of an export.
pub(crate) async fn read(folder: &Path) -> Content {
    let mut content = Content::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if path.join("packed-refs").is_file() {
                content.insert(format!("{name}/objects"), objects(&path).await);
            }
            if path.is_dir() {
                open.push(path);
            } else if name != RUN && !name.ends_with(UPKEEP) && !name.contains("/objects/pack/") {
                content.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    content
}

/// Every object that a ref of the bare repository reaches, after git has verified all packs.
async fn objects(repository: &Path) -> Vec<u8> {
    let git = async |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(repository).args(arguments);
        let output = command.output().await.unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    git(&["fsck", "--full", "--strict", "--no-dangling"]).await;
    let listed = git(&["rev-list", "--objects", "--all"]).await;
    let mut lines: Vec<&str> = str::from_utf8(&listed).unwrap().lines().collect();
    lines.sort_unstable();
    lines.join("\n").into_bytes()
}

/// What `before` has and `after` lacks or has otherwise.
pub(crate) fn lost<'a>(before: &'a Content, after: &Content) -> Vec<&'a str> {
    let differs = before
        .iter()
        .filter(|(name, bytes)| after.get(*name) != Some(*bytes));
    differs.map(|(name, _)| name.as_str()).collect()
}
