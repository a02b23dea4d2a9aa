//! Stored git repositories, decent ones and others.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::maker::Maker;
use crate::world::{World, escaped};

const HEAD: &str = "ref: refs/heads/main\n";

struct Git {
    world: World,
    snapshot: String,
}

impl Git {
    async fn new(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let world = World::new().await;
        let snapshot = world.snapshot("contoso", files, &[]).await;
        Self { world, snapshot }
    }

    async fn ask(&self, verb: &str, query: &[(&str, &str)]) -> crate::world::Answer {
        let mut path = format!("/snapshots/{}/git/{verb}?path=git/r1", self.snapshot);
        for (name, value) in query {
            path.extend(["&", *name, "=", &escaped(value)]);
        }
        self.world.get(&path).await
    }

    async fn get(&self, verb: &str, query: &[(&str, &str)]) -> Value {
        self.ask(verb, query).await.json()
    }
}

fn list<'a>(page: &'a Value, key: &str) -> Vec<&'a str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item[key].as_str().unwrap_or("")).collect()
}

#[tokio::test]
async fn branches_commits_folders_and_files_are_read() {
    let mut made = Maker::new();
    let readme = made.blob(b"# Hello\n");
    let other = made.blob(b"# Hello\nthere\n");
    let inner = made.tree(&[("100644", "blob", &readme, "ü.md".as_bytes())]);
    let first = made.tree(&[("100644", "blob", &readme, b"README.md")]);
    let second = made.tree(&[
        ("100644", "blob", &other, b"README.md"),
        ("040000", "tree", &inner, b"docs"),
        ("120000", "blob", &readme, b"link"),
        ("160000", "commit", &"1".repeat(40), b"sub"),
    ]);
    let one = made.commit(&first, &[], "first\n\nwith a body\n");
    let two = made.commit(&second, &[&one], "second");
    let tag = made.git(
        &["mktag"],
        format!(
            "object {two}\ntype commit\ntag v1\ntagger T <t@example.com> 1790000000 +0000\n\nv1\n"
        )
        .as_bytes(),
    );
    made.point("refs/heads/main", &two);
    made.point("refs/heads/old", &one);
    made.point("refs/tags/v1", &tag);
    let git = Git::new(&made.files("git/r1", HEAD)).await;

    let refs = git.get("refs", &[]).await;
    assert_eq!(refs["head"], "refs/heads/main");
    assert_eq!(
        list(&refs, "name"),
        ["refs/heads/main", "refs/heads/old", "refs/tags/v1"]
    );
    assert_eq!(refs["items"][2]["peeled"], two);
    let page = git.get("refs", &[("limit", "1")]).await;
    let next = page["next"].as_str().unwrap();
    let page = git.get("refs", &[("limit", "1"), ("after", next)]).await;
    assert_eq!(list(&page, "name"), ["refs/heads/old"]);
    let tags = git.get("refs", &[("name", "TAGS/")]).await;
    assert_eq!(list(&tags, "name"), ["refs/tags/v1"]);

    let commits = git.get("commits", &[]).await;
    assert_eq!(list(&commits, "subject"), ["second", "first"]);
    assert_eq!(commits["items"][0]["at"], "2026-09-21T14:13:20Z");
    assert_eq!(commits["items"][0]["parents"][0], one);
    let docs = git.get("commits", &[("ref", "v1"), ("file", "docs")]).await;
    assert_eq!(list(&docs, "id"), [two.as_str()]);

    let commit = git.get("commit", &[("commit", "main")]).await;
    assert_eq!(commit["message"], "second");
    let statuses: Vec<_> = commit["files"].as_array().unwrap().iter().collect();
    assert_eq!(statuses.len(), 4);
    assert_eq!(statuses[0]["path"], "README.md");
    assert_eq!(
        (&statuses[0]["added"], &statuses[0]["removed"]),
        (&1.into(), &0.into())
    );
    assert!(commit["patch"].as_str().unwrap().contains("+there"));
    let root = git.get("commit", &[("commit", &one)]).await;
    assert_eq!(root["message"], "first\n\nwith a body");
    assert_eq!(root["files"][0]["status"], "added");

    let tree = git.get("tree", &[("ref", "refs/tags/v1")]).await;
    assert_eq!(list(&tree, "type"), ["file", "folder", "link", "submodule"]);
    assert_eq!(tree["items"][0]["size"], 14);
    assert!(tree["items"][3]["size"].is_null());
    let below = git.get("tree", &[("folder", "docs")]).await;
    assert_eq!(list(&below, "name"), ["ü.md"]);
    let blob = git.ask("blob", &[("file", "docs/ü.md")]).await;
    assert_eq!(blob.body, &b"# Hello\n"[..]);
    assert_eq!(blob.header("x-content-type-options"), "nosniff");
    assert!(
        blob.header("content-security-policy")
            .starts_with("sandbox")
    );
    let older = git
        .ask("blob", &[("ref", &one), ("file", "README.md")])
        .await;
    assert_eq!(older.body, &b"# Hello\n"[..]);
    for (verb, query) in [
        ("blob", vec![("file", "docs")]),
        ("blob", vec![("file", "sub")]),
        ("blob", vec![("file", "none")]),
        ("blob", vec![("file", "docs/../README.md")]),
        ("blob", vec![("file", "/README.md")]),
        ("blob", vec![]),
        ("tree", vec![("folder", "README.md")]),
        ("tree", vec![("folder", "../..")]),
        ("tree", vec![("ref", &readme)]),
        ("commits", vec![("ref", &inner)]),
        ("commits", vec![("ref", "main~1")]),
        ("commits", vec![("after", &inner)]),
        ("commits", vec![("file", "../x")]),
        ("commit", vec![("commit", "main^")]),
    ] {
        let answer = git.ask(verb, &query).await;
        answer.refuses(404, "git-revision-unknown");
    }
}

#[tokio::test]
async fn hostile_names_are_only_shown() {
    let mut made = Maker::new();
    let planted = std::env::temp_dir().join(format!("keepward-planted-{}", std::process::id()));
    let option = format!("--output={}", planted.display());
    let blob = made.blob(b"content\n");
    let names: [&[u8]; 6] = [
        b"--upload-pack=touch pwned",
        b"..",
        b"\xff\xfe latin",
        b"line\nbreak",
        b":(exclude)*",
        option.split('/').next().unwrap().as_bytes(),
    ];
    let mut entries: Vec<_> = names
        .iter()
        .map(|name| ("100644", "blob", blob.as_str(), *name))
        .collect();
    let odd = made.tree(&[("100644", "blob", &blob, b"inside")]);
    entries.push(("040000", "tree", &odd, b"\xff folder"));
    entries.push(("100644", "blob", &blob, b".gitattributes"));
    let tree = made.tree(&entries);
    let commit = made.commit(&tree, &[], "<script>\u{1b}[31m\n");
    made.point("refs/heads/--upload-pack=touch", &commit);
    made.point(
        &format!("refs/heads/{}", option.replace("//", "/")),
        &commit,
    );
    let git = Git::new(&made.files("git/r1", "ref: refs/heads/--upload-pack=touch\n")).await;

    let refs = git.get("refs", &[]).await;
    assert_eq!(refs["head"], "refs/heads/--upload-pack=touch");
    for revision in ["--upload-pack=touch", option.as_str(), "HEAD", ""] {
        let page = git.get("commits", &[("ref", revision)]).await;
        assert_eq!(list(&page, "id"), [commit.as_str()]);
        git.get("tree", &[("ref", revision)]).await;
        git.get("commit", &[("commit", revision)]).await;
    }
    let page = git.get("tree", &[]).await;
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 8);
    let raw: Vec<_> = items
        .iter()
        .filter_map(|item| item["raw_name"].as_str())
        .collect();
    assert_eq!(
        raw,
        [hex::encode(b"\xff folder"), hex::encode(b"\xff\xfe latin")]
    );
    // What no text names is opened by its id.
    let inside = git.get("tree", &[("ref", &odd)]).await;
    assert_eq!(list(&inside, "name"), ["inside"]);
    let content = git.ask("blob", &[("ref", &blob)]).await;
    assert_eq!(content.body, &b"content\n"[..]);
    for name in ["--upload-pack=touch pwned", "line\nbreak", ":(exclude)*"] {
        let content = git.ask("blob", &[("file", name)]).await;
        assert_eq!(content.body, &b"content\n"[..], "{name}");
        let history = git.get("commits", &[("file", name)]).await;
        assert_eq!(list(&history, "id"), [commit.as_str()], "{name}");
    }
    assert!(!planted.exists(), "a stored name was an option of git");
}

#[tokio::test]
async fn history_is_read_page_by_page() {
    let mut made = Maker::new();
    let tree = made.tree(&[]);
    let mut ids: Vec<String> = Vec::new();
    for number in 0..25 {
        let parents: Vec<String> = ids.last().cloned().into_iter().collect();
        let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
        ids.push(made.commit(&tree, &parents, &format!("commit {number}")));
    }
    made.point("refs/heads/main", ids.last().unwrap());
    let git = Git::new(&made.files("git/r1", HEAD)).await;
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "10")];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let page = git.get("commits", &query).await;
        seen.extend(list(&page, "id").into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    ids.reverse();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn large_files_come_whole_and_in_parts_also_in_the_place_of_their_pointers() {
    let mut made = Maker::new();
    let large: Vec<u8> = (0..3_000_000_u32)
        .flat_map(u32::to_le_bytes)
        .take(5_000_000)
        .collect();
    let blob = made.blob(&large);
    let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    let pointer = |oid: &str| {
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12\n")
    };
    let stored = made.blob(pointer(oid).as_bytes());
    let gone = made.blob(pointer(&oid.replace('4', "5")).as_bytes());
    let tree = made.tree(&[
        ("100644", "blob", &gone, b"gone.bin"),
        ("100644", "blob", &blob, b"large.bin"),
        ("100644", "blob", &stored, b"stored.bin"),
    ]);
    let commit = made.commit(&tree, &[], "large files");
    made.point("refs/heads/main", &commit);
    let mut files = made.files("git/r1", HEAD);
    let place = format!("git/r1/lfs/objects/4d/7a/{oid}");
    files.insert(place, b"large\0content".to_vec());
    let git = Git::new(&files).await;
    let whole = git.ask("blob", &[("file", "large.bin")]).await;
    assert!(whole.body == large, "the whole file");
    let path = format!(
        "/snapshots/{}/git/blob?path=git/r1&file=large.bin",
        git.snapshot
    );
    let caller = server::access::Caller::local();
    let part = git
        .world
        .ask(caller, &path, &[("range", "bytes=2000000-2000009")])
        .await;
    assert_eq!(part.status, 206);
    assert!(part.body == large[2_000_000..2_000_010], "a part");
    let stored = git.ask("blob", &[("file", "stored.bin")]).await;
    assert_eq!(stored.body, &b"large\0content"[..]);
    // What the backup lacks is told by its pointer, which says what is missing.
    let gone = git.ask("blob", &[("file", "gone.bin")]).await;
    assert!(gone.body.starts_with(b"version https://git-lfs"));
}

#[tokio::test]
async fn a_folder_of_many_files_is_read_page_by_page() {
    let mut made = Maker::new();
    let blob = made.blob(b"same");
    let names: Vec<String> = (0..1000).map(|number| format!("{number:06}")).collect();
    let entries: Vec<_> = names
        .iter()
        .map(|name| ("100644", "blob", blob.as_str(), name.as_bytes()))
        .collect();
    let tree = made.tree(&entries);
    let commit = made.commit(&tree, &[], "many");
    made.point("refs/heads/main", &commit);
    let git = Git::new(&made.files("git/r1", HEAD)).await;
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "200")];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let page = git.get("tree", &query).await;
        assert!(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .all(|item| item["size"] == 4)
        );
        seen.extend(list(&page, "name").into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, names);
}

#[tokio::test]
async fn what_git_cannot_read_is_damage_of_the_backup() {
    type Harm<'a> = &'a dyn Fn(&mut BTreeMap<String, Vec<u8>>);

    let mut made = Maker::new();
    let blob = made.blob(&b"content\n".repeat(500));
    let tree = made.tree(&[("100644", "blob", &blob, b"a")]);
    let commit = made.commit(&tree, &[], "one");
    made.point("refs/heads/main", &commit);
    let whole = made.files("git/r1", HEAD);
    let ending = |end: &str| whole.keys().find(|name| name.ends_with(end)).unwrap();
    let (pack, idx) = (ending(".pack"), ending(".idx"));
    let harms: [(&str, Harm<'_>); 6] = [
        ("a pack that was cut", &|files| {
            files.get_mut(pack).unwrap().truncate(40);
        }),
        ("a pack of zeros", &|files| {
            files
                .get_mut(pack)
                .unwrap()
                .iter_mut()
                .skip(12)
                .for_each(|byte| *byte = 0);
        }),
        ("an index of zeros", &|files| {
            files
                .get_mut(idx)
                .unwrap()
                .iter_mut()
                .skip(8)
                .for_each(|byte| *byte = 0xff);
        }),
        ("no pack", &|files| {
            files.remove(pack);
        }),
        ("no index", &|files| {
            files.remove(idx);
        }),
        ("refs that are none", &|files| {
            files.insert(
                "git/r1/packed-refs".to_owned(),
                b"\0\xff nonsense\n".to_vec(),
            );
        }),
    ];
    for (what, harm) in harms {
        let mut files = whole.clone();
        harm(&mut files);
        let git = Git::new(&files).await;
        for (verb, query) in [
            ("commits", vec![]),
            ("commit", vec![("commit", "main")]),
            ("tree", vec![]),
            ("blob", vec![("file", "a")]),
        ] {
            let answer = git.ask(verb, &query).await;
            let text = String::from_utf8_lossy(&answer.body);
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            let code = problem["code"].as_str().unwrap_or("");
            assert!(
                code == "git-pack-damaged" && answer.status == 422,
                "{what}: {verb}: {} {text}",
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn an_empty_repository_and_what_is_none_are_told_apart() {
    let made = Maker::new();
    let mut files = made.files("git/r1", HEAD);
    files.insert("other/file".to_owned(), b"x".to_vec());
    let git = Git::new(&files).await;
    let refs = git.get("refs", &[]).await;
    assert_eq!(refs["items"].as_array().unwrap().len(), 0);
    assert!(refs["head"].is_null());
    for verb in ["commits", "tree"] {
        git.ask(verb, &[])
            .await
            .refuses(404, "git-revision-unknown");
    }
    let path = format!("/snapshots/{}/git/refs?path=other", git.snapshot);
    git.world.get(&path).await.refuses(404, "file-unknown");
}

#[tokio::test]
async fn a_repository_that_did_not_change_is_laid_out_once_and_nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut made = Maker::new();
    let tree = made.tree(&[]);
    let commit = made.commit(&tree, &[], "one");
    made.point("refs/heads/main", &commit);
    let mut files = made.files("git/r1", HEAD);
    let git = Git::new(&files).await;
    git.get("commits", &[]).await;
    files.insert("source.json".to_owned(), b"{}".to_vec());
    let later = git.world.snapshot("contoso", &files, &[]).await;
    let path = format!("/snapshots/{later}/git/commits?path=git/r1");
    git.world.get(&path).await.json();
    let laid = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let browse: Vec<_> = laid(git.world.folder.path())
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("keepward-browse-"))
        .collect();
    assert_eq!(browse.len(), 1);
    let mode = std::fs::metadata(&browse[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let repositories = laid(&browse[0]).into_iter().filter(|path| path.is_dir());
    let repositories: Vec<_> = repositories.collect();
    assert_eq!(repositories.len(), 1, "{repositories:?}");
    let folder = browse[0].clone();
    let World {
        server,
        folder: _kept,
        ..
    } = git.world;
    drop(server);
    assert!(!folder.exists(), "it goes with the server");
}
