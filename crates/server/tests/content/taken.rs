//! Who took what along is in the audit log.

use std::collections::BTreeMap;

use catalog::{AuditFilter, Page};
use model::Role;
use serde_json::{Value, json};

use crate::world::{World, person};

/// Who did what with which details, the oldest first.
async fn rows(world: &World, action: &str) -> Vec<(String, String, Value)> {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        ..AuditFilter::default()
    };
    let catalog = &world.server.control.catalog;
    let found = catalog.audit(&filter, &Page::first(100)).await.unwrap();
    let told = |row: catalog::AuditRow| {
        let details = serde_json::from_str(&row.event.details).unwrap();
        (row.event.actor, row.event.subject, details)
    };
    found.items.into_iter().rev().map(told).collect()
}

async fn filled() -> (World, String) {
    let world = World::new().await;
    let files = ["a", "b"].map(|name| (format!("folder/{name}"), vec![b'x'; 100_000]));
    let id = world.snapshot("contoso", &BTreeMap::from(files), &[]).await;
    (world, id)
}

#[tokio::test]
async fn what_was_downloaded_is_in_the_log_with_who_took_it() {
    let (world, id) = filled().await;
    let anna = || person(Role::Admin, None);
    let archive = format!("/snapshots/{id}/archive?path=folder&path=folder/a");
    let taken = world.ask(anna(), &archive, &[]).await;
    assert_eq!(taken.status, 200);
    let file = format!("/snapshots/{id}/content?path=folder/b&download=b.txt");
    for range in ["bytes=0-9", "bytes=10-99"] {
        let part = world.ask(anna(), &file, &[("range", range)]).await;
        assert_eq!(part.status, 206);
    }
    let rows = rows(&world, "snapshot.download").await;
    let subject = format!("snapshot/{id}");
    let paths: Vec<&Value> = rows.iter().map(|(.., details)| &details["paths"]).collect();
    assert_eq!(
        paths,
        [&json!(["folder", "folder/a"]), &json!(["folder/b"])],
        "the parts of one file are one download"
    );
    for (actor, of, details) in &rows {
        assert_eq!((actor.as_str(), of), ("anna", &subject));
        assert_eq!(details["source"], "contoso");
    }
}

#[tokio::test]
async fn looking_around_in_a_snapshot_is_one_row_for_each_who_looks() {
    let (world, id) = filled().await;
    for name in ["a", "b", "a"] {
        let path = format!("/snapshots/{id}/content?path=folder/{name}");
        for caller in [person(Role::Admin, None), server::access::Caller::local()] {
            assert_eq!(world.ask(caller, &path, &[]).await.status, 200);
        }
    }
    let actors: Vec<String> = rows(&world, "snapshot.read")
        .await
        .into_iter()
        .map(|(actor, ..)| actor)
        .collect();
    assert_eq!(actors, ["anna", "local"]);
    assert!(rows(&world, "snapshot.download").await.is_empty());
}

#[tokio::test]
async fn what_was_not_given_out_is_not_said_to_be() {
    let (world, id) = filled().await;
    for path in [
        format!("/snapshots/{id}/archive?path=nothing"),
        format!("/snapshots/{id}/content?path=nothing&download="),
    ] {
        assert!(world.get(&path).await.status.is_client_error(), "{path}");
    }
    let stranger = person(Role::Admin, Some(&["fabrikam"]));
    let archive = format!("/snapshots/{id}/archive?path=folder");
    assert_eq!(world.ask(stranger, &archive, &[]).await.status, 404);
    assert!(rows(&world, "snapshot").await.is_empty());
}

#[tokio::test]
async fn who_takes_the_audit_log_along_is_in_it() {
    let (world, _) = filled().await;
    for part in ["?limit=1", "?after=1"] {
        let taken = world.get(&format!("/audit/export{part}")).await;
        assert_eq!(taken.status, 200);
    }
    assert_eq!(rows(&world, "audit.export").await.len(), 1);
}
