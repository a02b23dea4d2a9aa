//! Folders, files and items of snapshots.

use std::collections::BTreeMap;

use model::{Connector, Role, Secret};
use serde_json::Value;

use crate::world::{World, escaped, person};

fn files(pairs: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    let pairs = pairs.iter();
    pairs
        .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))
        .collect()
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

const ITEM: &[u8] = br#"{"id": 4711, "rev": 1, "fields": {"System.Title": "Login"}, "_links": {"html": {"href": "https://dev.azure.com/contoso/_workitems/edit/4711"}}}"#;

#[tokio::test]
async fn a_folder_is_listed_page_by_page() {
    let world = World::new().await;
    let mut all = files(&[("source.json", b"{}"), ("a b/ü/x.txt", b"x")]);
    for number in 0..250 {
        all.insert(format!("many/{number:03}"), b"same".to_vec());
    }
    let id = world.snapshot("contoso", &all, &[]).await;
    let top = world.get(&format!("/snapshots/{id}/files")).await.json();
    assert_eq!(names(&top), ["a b", "many", "source.json"]);
    assert_eq!(top["items"][0]["type"], "folder");
    assert_eq!(top["items"][2]["size"], 2);
    assert!(top["next"].is_null());
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/snapshots/{id}/files?path=many&limit=100{after}");
        let page = world.get(&path).await.json();
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(seen.len(), 250);
    assert!(seen.is_sorted());
    let path = escaped("a b/ü");
    let below = world
        .get(&format!("/snapshots/{id}/files?path={path}"))
        .await;
    assert_eq!(below.json()["items"][0]["path"], "a b/ü/x.txt");
}

#[tokio::test]
async fn paths_lead_nowhere_but_into_the_snapshot() {
    let world = World::new().await;
    let all = files(&[("a/b.txt", b"b"), ("source.json", b"{}")]);
    let id = world.snapshot("contoso", &all, &[]).await;
    for path in [
        "..",
        "../../etc/passwd",
        "a/../source.json",
        "/etc/passwd",
        "/a/b.txt",
        "a//b.txt",
        "./a/b.txt",
        "a/b.txt/",
        "a/b.txt/c",
        "a",
        "..%2f..%2fetc%2fpasswd",
        "a\0b",
        "a\\..\\b",
        "",
        "\u{fffd}",
    ] {
        let content = format!("/snapshots/{id}/content?path={}", escaped(path));
        world.get(&content).await.refuses(404, "file-unknown");
        if !["", "a"].contains(&path) {
            let listed = format!("/snapshots/{id}/files?path={}", escaped(path));
            world.get(&listed).await.refuses(404, "file-unknown");
            let git = format!("/snapshots/{id}/git/refs?path={}", escaped(path));
            world.get(&git).await.refuses(404, "file-unknown");
        }
    }
    world
        .get("/snapshots/%2e%2e%2f%2e%2e/files")
        .await
        .refuses(404, "snapshot-unknown");
    let page = format!("/snapshots/{id}/files?after=AAAA");
    world.get(&page).await.refuses(400, "request-malformed");
    let unknown = "0".repeat(64);
    for path in [
        "files",
        "content?path=a",
        "item?kind=a&item=b",
        "git/refs?path=git/a",
    ] {
        let answer = world.get(&format!("/snapshots/{unknown}/{path}")).await;
        answer.refuses(404, "snapshot-unknown");
    }
}

#[tokio::test]
async fn an_item_names_its_files_and_its_page() {
    let world = World::new().await;
    let all = files(&[
        ("work-items/0018/4711/work-item.json", ITEM),
        ("work-items/0018/4711/attachments/a1", b"\x89PNG\r\n\x1a\n"),
        ("work-items/0018/4711/comments.ndjson", b"{}\n"),
        ("work-items/0018/4712/work-item.json", b"not JSON"),
    ]);
    let items = [
        ("work-item", "4711", "work-items/0018/4711"),
        ("work-item", "4712", "work-items/0018/4712"),
    ];
    let id = world.snapshot("contoso", &all, &items).await;
    let item = world
        .get(&format!("/snapshots/{id}/item?kind=work-item&item=4711"))
        .await
        .json();
    assert_eq!(item["name"], "Login");
    assert_eq!(
        item["url"],
        "https://dev.azure.com/contoso/_workitems/edit/4711"
    );
    let parts = item["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[0]["name"], "work-item.json");
    let document = parts[0]["path"].as_str().unwrap();
    let content = format!("/snapshots/{id}/content?path={}", escaped(document));
    assert_eq!(world.get(&content).await.body, ITEM);
    let broken = world
        .get(&format!("/snapshots/{id}/item?kind=work-item&item=4712"))
        .await
        .json();
    assert_eq!(
        (&broken["name"], &broken["url"]),
        (&"4712".into(), &Value::Null)
    );
    for (kind, item) in [
        ("work-item", "1"),
        ("nothing", "4711"),
        ("", ""),
        ("work-item", "../../../source.json"),
    ] {
        let path = format!("/snapshots/{id}/item?kind={kind}&item={}", escaped(item));
        world.get(&path).await.refuses(404, "file-unknown");
    }
}

#[tokio::test]
async fn an_item_that_lost_its_document_is_told_as_damaged() {
    let world = World::new().await;
    let all = files(&[("work-items/0018/4711/attachments/a1", b"\x89PNG")]);
    let items = [("work-item", "4711", "work-items/0018/4711")];
    let id = world.snapshot("contoso", &all, &items).await;
    let item = format!("/snapshots/{id}/item?kind=work-item&item=4711");
    world.get(&item).await.refuses(422, "document-missing");
    // What is left of it can still be had.
    let rest = format!("/snapshots/{id}/content?path=work-items/0018/4711/attachments/a1");
    assert_eq!(world.get(&rest).await.body, &b"\x89PNG"[..]);
}

#[tokio::test]
async fn status_is_not_content_and_other_connectors_are_out_of_reach() {
    let world = World::new().await;
    let all = files(&[("source.json", b"{}")]);
    let id = world.snapshot("contoso", &all, &[]).await;
    let catalog = &world.server.control.catalog;
    for name in ["contoso", "fabrikam"] {
        let control = &world.server.control;
        let (secret, now) = (Secret::new("token"), control.clock.now());
        catalog
            .put_credential(&control.kek, name, "pat", &secret, now, &mut rand::rng())
            .await
            .unwrap();
        let connector = Connector {
            name: name.to_owned(),
            service: "azure-devops".to_owned(),
            organization: name.to_owned(),
            method: "pat".to_owned(),
            credential: name.to_owned(),
            ..Connector::default()
        };
        catalog.add_connector(&connector).await.unwrap();
    }
    for path in [
        "files",
        "content?path=source.json",
        "item?kind=a&item=b",
        "git/refs?path=git/a",
        "git/commits?path=git/a",
        "git/commit?path=git/a&commit=main",
        "git/tree?path=git/a",
        "git/blob?path=git/a&file=b",
    ] {
        let path = format!("/snapshots/{id}/{path}");
        for role in [Role::Viewer, Role::Operator, Role::Auditor] {
            let answer = world.ask(person(role, None), &path, &[]).await;
            answer.refuses(403, "role-missing");
        }
        let elsewhere = person(Role::Restorer, Some(&["fabrikam"]));
        let answer = world.ask(elsewhere, &path, &[]).await;
        answer.refuses(404, "snapshot-unknown");
        let here = person(Role::Restorer, Some(&["contoso"]));
        let answer = world.ask(here, &path, &[]).await;
        assert!(
            answer.status.is_success() || answer.status == 404,
            "{path}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn damage_is_told_with_its_code_and_never_as_an_error_of_ours() {
    let world = World::new().await;
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let large: Vec<u8> = (0..3_000_000).map(|_| random()).collect();
    let all = files(&[("a/large", large.as_slice()), ("source.json", b"{}")]);
    let id = world.snapshot("contoso", &all, &[]).await;
    // Every byte of the largest pack, which holds data, is turned over; trees lie in another.
    let pack = &world.packs()[0];
    let bytes: Vec<u8> = std::fs::read(pack)
        .unwrap()
        .iter()
        .map(|byte| !byte)
        .collect();
    std::fs::write(pack, bytes).unwrap();
    let content = format!("/snapshots/{id}/content?path=a/large");
    world.get(&content).await.refuses(422, "repository-damaged");
    for pack in world.packs() {
        std::fs::remove_file(pack).unwrap();
    }
    world.get(&content).await.refuses(422, "repository-damaged");
    let listed = world.get(&format!("/snapshots/{id}/files?path=a")).await;
    // What was read just now may still be in memory.
    assert!(!listed.status.is_server_error(), "{}", listed.status);
}

#[tokio::test]
async fn a_snapshot_that_another_program_forgot_and_pruned_is_unknown_and_not_damaged() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for content in [b"one", b"two"] {
        let all = files(&[("folder/a", content)]);
        ids.push(world.snapshot("contoso", &all, &[]).await);
    }
    world.forget(&ids[0]).await;
    for what in ["files", "content?path=folder/a", "archive?path=folder"] {
        let gone = world.get(&format!("/snapshots/{}/{what}", ids[0])).await;
        gone.refuses(404, "snapshot-unknown");
        let there = world.get(&format!("/snapshots/{}/{what}", ids[1])).await;
        assert_eq!(there.status, 200, "{what}");
    }
    // Its file alone is lost: what it holds is there.
    let file = world
        .folder
        .path()
        .join("repository/snapshots")
        .join(&ids[1]);
    std::fs::remove_file(file).unwrap();
    let there = world.get(&format!("/snapshots/{}/files", ids[1])).await;
    assert_eq!(there.status, 200);
}

#[tokio::test]
async fn a_repository_that_is_gone_or_was_replaced_is_told() {
    let world = World::new().await;
    let all = files(&[("source.json", b"{}")]);
    let id = world.snapshot("contoso", &all, &[]).await;
    let path = format!("/snapshots/{id}/files");
    world.get(&path).await.json();
    let catalog = &world.server.control.catalog;
    let mut row = catalog.repository("main").await.unwrap();
    row.location = world.folder.path().join("elsewhere").display().to_string();
    catalog.move_repository(&row).await.unwrap();
    world.get(&path).await.refuses(404, "repository-gone");
    row.version += 1;
    row.location = world.folder.path().join("repository").display().to_string();
    catalog.move_repository(&row).await.unwrap();
    world.get(&path).await.json();
    catalog.remove_repository("main").await.unwrap();
    world.get(&path).await.refuses(404, "repository-unknown");
}
