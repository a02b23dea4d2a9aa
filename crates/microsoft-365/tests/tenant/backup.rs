//! The directory of a tenant against the simulator: backed up, again, changed, with an expired cursor, with a lost permission.

use crate::support::{Tenant, of_kind};
use serde_json::{Value, json};
use service::http::Method;

const KINDS: [&str; 3] = ["user", "group", "site"];

async fn inventory(tenant: &Tenant) -> Value {
    let path = format!("/__inventory?tenant={}", tenant.simulator.tenant());
    tenant.tell(Method::GET, &path, &Value::Null).await
}

fn documents(files: &std::collections::BTreeMap<String, Vec<u8>>, kind: &str) -> usize {
    let name = format!("/{kind}.json");
    files.keys().filter(|path| path.ends_with(&name)).count()
}

#[tokio::test]
async fn a_backup_holds_the_whole_directory_at_the_floor_of_requests() {
    let tenant = Tenant::start().await;
    let first = tenant.back_up().await.unwrap();
    assert_eq!(first.codes(), Vec::<&str>::new());
    let held = inventory(&tenant).await;
    let files = tenant.files(&first).await;
    for (kind, member) in [("user", "users"), ("group", "groups"), ("site", "sites")] {
        assert_eq!(
            documents(&files, kind) as u64,
            held[member].as_u64().unwrap()
        );
        assert_eq!(first.requests(kind), 1, "{kind}");
    }
    let members: usize = files
        .iter()
        .filter(|(path, _)| path.ends_with("/members.ndjson"))
        .map(|(_, bytes)| bytes.split(|byte| *byte == b'\n').count() - 1)
        .sum();
    assert_eq!(members as u64, held["groupMembers"].as_u64().unwrap());
    let group = of_kind(&files, "groups");
    assert!(group.values().all(|text| !text.contains("@delta")));
    assert!(group.keys().any(|path| path.ends_with("/owners.ndjson")));

    let second = tenant.back_up().await.unwrap();
    assert_eq!(tenant.files(&second).await, files);
    assert_eq!((second.rows, second.codes().len()), (0, 0));
    assert_eq!(KINDS.map(|kind| second.requests(kind)), [1, 1, 1]);
}

#[tokio::test]
async fn only_what_changed_is_read_and_only_what_was_deleted_goes() {
    let tenant = Tenant::start().await;
    let before = tenant.files(&tenant.back_up().await.unwrap()).await;
    let done = tenant.act(Method::POST, "change", &json!({})).await;
    let ran = tenant.back_up().await.unwrap();
    assert_eq!(ran.codes(), Vec::<&str>::new());
    let after = tenant.files(&ran).await;
    let held = inventory(&tenant).await;
    assert_eq!(
        documents(&after, "user") as u64,
        held["users"].as_u64().unwrap()
    );
    let differing: Vec<&String> = after
        .iter()
        .filter(|(path, bytes)| before.get(*path) != Some(bytes))
        .map(|(path, _)| path)
        .collect();
    let user = done["added"]["user"].as_str().unwrap();
    let group = done["changed"]["group"].as_str().unwrap();
    assert!(differing.iter().any(|path| path.contains(user)));
    assert!(
        differing
            .iter()
            .any(|path| path.ends_with(&format!("{group}/members.ndjson")))
    );
    // The new and the promoted person, the group's list, the new site.
    assert_eq!(differing.len(), 4, "{differing:?}");
    assert_eq!(
        before
            .keys()
            .filter(|path| !after.contains_key(*path))
            .count(),
        1
    );
    // The new site is asked for, since the round does not say that it is there.
    assert_eq!(KINDS.map(|kind| ran.requests(kind)), [1, 1, 2]);
}

#[tokio::test]
async fn members_that_leave_and_groups_that_go_are_followed() {
    let tenant = Tenant::start().await;
    let before = tenant.files(&tenant.back_up().await.unwrap()).await;
    let groups = of_kind(&before, "groups");
    let id = |name: &str| {
        let wanted = format!("\"displayName\":\"{name}\"");
        let found = groups.iter().find(|(_, text)| text.contains(&wanted));
        found.unwrap().0.split('/').next().unwrap().to_owned()
    };
    let (engineering, design) = (id("Engineering"), id("Design"));
    let members = &groups[&format!("{engineering}/members.ndjson")];
    let first: Value = serde_json::from_str(members.lines().next().unwrap()).unwrap();
    let path = format!("groups/{engineering}/members");
    tenant
        .act(Method::DELETE, &path, &json!({ "member": first["id"] }))
        .await;
    tenant
        .act(Method::DELETE, &format!("groups/{design}"), &json!({}))
        .await;
    let ran = tenant.back_up().await.unwrap();
    let after = of_kind(&tenant.files(&ran).await, "groups");
    let left = &after[&format!("{engineering}/members.ndjson")];
    assert_eq!(left.lines().count() + 1, members.lines().count());
    assert!(!left.contains(first["id"].as_str().unwrap()));
    assert!(!after.keys().any(|path| path.starts_with(&design)));
}

#[tokio::test]
async fn an_expired_cursor_gives_the_same_as_if_it_had_not_expired() {
    let mut tenant = Tenant::start().await;
    tenant.back_up().await.unwrap();
    tenant.act(Method::POST, "change", &json!({})).await;
    tenant.act(Method::POST, "expire", &json!({})).await;
    let ran = tenant.back_up().await.unwrap();
    assert_eq!(ran.codes(), Vec::<&str>::new());
    // One refused, one for everything.
    assert_eq!(KINDS.map(|kind| ran.requests(kind)), [2, 2, 2]);
    let chained = tenant.files(&ran).await;
    let quiet = tenant.back_up().await.unwrap();
    assert_eq!(
        (quiet.rows, KINDS.map(|kind| quiet.requests(kind))),
        (0, [1, 1, 1])
    );
    tenant.forget_backups().await;
    let whole = tenant.back_up().await.unwrap();
    assert_eq!(tenant.files(&whole).await, chained);
}

#[tokio::test]
async fn chained_backups_hold_what_one_whole_backup_holds() {
    let mut tenant = Tenant::start().await;
    tenant.back_up().await.unwrap();
    let mut last = None;
    for _ in 0..3 {
        tenant.act(Method::POST, "change", &json!({})).await;
        last = Some(tenant.back_up().await.unwrap());
    }
    let chained = tenant.files(&last.unwrap()).await;
    tenant.full = true;
    let full = tenant.back_up().await.unwrap();
    assert_eq!((full.rows, full.codes().len()), (0, 0));
    tenant.forget_backups().await;
    let whole = tenant.back_up().await.unwrap();
    assert_eq!(tenant.files(&whole).await, chained);
}

#[tokio::test]
async fn a_lost_permission_keeps_what_was_there_and_says_so() {
    let tenant = Tenant::start().await;
    let before = tenant.back_up().await.unwrap();
    let files = tenant.files(&before).await;
    let fault = json!([{"fault": "403", "path": "*groups*"}]);
    tenant.tell(Method::POST, "/__faults", &fault).await;
    let ran = tenant.back_up().await.unwrap();
    assert_eq!(ran.codes(), ["permission-missing"]);
    assert!(ran.report.source.stale.contains_key("group"));
    assert_eq!(tenant.files(&ran).await, files);
    let cursor = |ran: &crate::support::Ran| ran.report.source.cursors["group"].clone();
    assert_eq!(cursor(&ran), cursor(&before), "it goes on where it stopped");
}

#[tokio::test]
async fn a_throttled_service_is_waited_for() {
    let tenant = Tenant::start().await;
    tenant
        .act(
            Method::POST,
            "throttle",
            &json!({"count": 2, "retryAfter": 0}),
        )
        .await;
    let ran = tenant.back_up().await.unwrap();
    assert_eq!(ran.codes(), Vec::<&str>::new());
}

#[tokio::test]
async fn a_document_that_was_damaged_and_came_anew_is_named_no_longer() {
    let mut tenant = Tenant::start().await;
    let first = tenant.back_up().await.unwrap();
    let files = tenant.files(&first).await;
    let path = files.keys().find(|path| path.ends_with("/user.json"));
    let path = path.unwrap().clone();
    let user: Value = serde_json::from_slice(&files[&path]).unwrap();
    let id = user["id"].as_str().unwrap();
    tenant.damage(&first, &path).await;
    let changed = json!({ "properties": { "jobTitle": "Promoted" } });
    let change = format!("users/{id}");
    tenant.act(Method::PATCH, &change, &changed).await;

    let mended = tenant.back_up().await.unwrap();
    assert_eq!(mended.codes(), ["repository-damaged"]);
    let text = String::from_utf8(tenant.files(&mended).await[&path].clone()).unwrap();
    assert!(text.contains("Promoted"), "{text}");
    let read = tenant.back_up().await.unwrap();
    assert_eq!(read.codes(), Vec::<&str>::new());
    assert_eq!(read.report.source.stale_items, []);
    let quiet = tenant.back_up().await.unwrap();
    assert_eq!(KINDS.map(|kind| quiet.requests(kind)), [1, 1, 1]);
}
