//! A kind that is a table: crawled, found, restored and verified.

use model::{Action, ItemRef};
use service::rest::{List, Paging, PartList, Write};
use service::{
    Crawled, Fidelity, Found, FoundState, Kind as _, KindSpec, Layout, Outcome, Pass, RestKind,
    Scope, StoredItem,
};

use crate::memory::Memory;
use crate::server::{Reply, Seen, Server, answer, json};

static TEAM: RestKind = RestKind {
    spec: KindSpec {
        name: "team",
        title: "Teams",
        parent: Some("project"),
        crawled: Crawled::PerParent,
        with: None,
        after: &[],
        layout: Layout::Item {
            folder: "teams",
            shard: None,
            document: "team.json",
        },
        bin: None,
        search: service::Searched::NAMES,
        read: &[],
        write: &[],
        restore: Fidelity::Full,
    },
    list: List {
        host: "dev",
        path: "/_apis/projects/{scope}/teams",
        query: &[("$expandIdentity", "true")],
        version: "7.1",
        paging: Paging::Skip { size: 100 },
    },
    id: "/id",
    name: "/name",
    modified: Some("/changed"),
    parts: &[
        PartList {
            file: "members.ndjson",
            path: "/_apis/projects/{scope}/teams/{id}/members",
            version: "7.1",
            paging: Paging::Skip { size: 2 },
        },
        PartList {
            file: "settings.json",
            path: "/{scope-name}/{id}/_apis/work/teamsettings",
            version: "7.1",
            paging: Paging::One,
        },
    ],
    write: Some(Write {
        create: "/_apis/projects/{scope}/teams",
        update: Some("/_apis/projects/{scope}/teams/{id}"),
        version: "7.1",
        drop: &["id", "identity"],
    }),
};

const ONE: &str =
    "{\"id\":\"t1\",\"name\":\"Ops\", \"unknown\": 1.50,\"changed\":\"2026-01-02T03:04:05Z\"}";
const TWO: &str = r#"{"id":"t2","name":"Größe","identity":{"x":1}}"#;

fn list(items: &[&str]) -> Reply {
    json(format!(
        "{{\"count\":{},\"value\":[{}]}}",
        items.len(),
        items.join(",")
    ))
}

fn project() -> Scope {
    Scope {
        id: "p1".to_owned(),
        name: "My Project".to_owned(),
    }
}

fn team(id: &str) -> ItemRef {
    ItemRef::new("team", "p1", id)
}

fn stored(id: &str, name: &str, action: Action) -> StoredItem {
    StoredItem {
        item: team(id),
        name: name.to_owned(),
        action,
        new_id: None,
        open_intent: false,
    }
}

/// Project `p1` became `q1`, where team `x1` is called "ops".
fn moved() -> Memory {
    let memory = Memory::default();
    memory
        .ids
        .lock()
        .unwrap()
        .insert(("project".to_owned(), "p1".to_owned()), "q1".to_owned());
    memory.store(&team("t1"), ONE);
    memory.store(&team("t2"), TWO);
    memory
}

fn at_target(seen: &Seen) -> Reply {
    match (seen.method.as_str(), seen.target.split('?').next().unwrap()) {
        ("GET", "/contoso/_apis/projects/q1/teams") => {
            list(&[r#"{"id":"x1","name":"ops","unknown":1.5,"changed":"2026-01-02T03:04:05Z"}"#])
        }
        ("POST", "/contoso/_apis/projects/q1/teams") => json(r#"{"id":"x2","name":"Größe"}"#),
        ("PATCH", "/contoso/_apis/projects/q1/teams/x1") => json("{}"),
        _ => answer(404, ""),
    }
}

#[tokio::test]
async fn a_crawl_stores_documents_byte_for_byte_and_parts_beside_them() {
    let server = Server::start(|seen| match seen.target.split('?').next().unwrap() {
        "/contoso/_apis/projects/p1/teams" => list(&[ONE, TWO]),
        "/contoso/_apis/projects/p1/teams/t1/members" if seen.target.contains("skip") => {
            list(&["3"])
        }
        "/contoso/_apis/projects/p1/teams/t1/members" => list(&["{\n\"a\":1}", "2"]),
        "/contoso/My%20Project/t2/_apis/work/teamsettings" => answer(403, "TF50309: no"),
        _ => list(&[]),
    })
    .await;
    let (memory, client) = (Memory::default(), server.client());
    assert_eq!(
        TEAM.crawl(&memory.crawl(&client, &project()))
            .await
            .unwrap(),
        None
    );
    let documents = memory.documents.lock().unwrap();
    assert_eq!(
        documents
            .iter()
            .map(|(item, bytes)| (item.clone(), &bytes[..]))
            .collect::<Vec<_>>(),
        [(team("t1"), ONE.as_bytes()), (team("t2"), TWO.as_bytes())]
    );
    let parts = memory.parts.lock().unwrap();
    let part = |id: &str, name: &str| {
        parts
            .get(&(id.to_owned(), name.to_owned()))
            .map(|bytes| String::from_utf8(bytes.clone()).unwrap())
    };
    assert_eq!(part("t1", "members.ndjson").unwrap(), "{ \"a\":1}\n2\n3\n");
    assert_eq!(
        part("t1", "settings.json").unwrap(),
        r#"{"count":0,"value":[]}"#
    );
    assert_eq!(part("t2", "settings.json"), None);
    let issues = memory.issues.lock().unwrap();
    assert_eq!(
        (
            issues.len(),
            issues[0].code.as_str(),
            issues[0].item.as_ref()
        ),
        (1, "permission-missing", Some(&team("t2")))
    );
    assert_eq!(client.usage().by_kind["team"].0, 6);
}

#[tokio::test]
async fn a_stored_document_is_described_as_the_crawl_did() {
    let (name, modified) = TEAM.describe(ONE.as_bytes()).unwrap();
    assert_eq!(
        (name.as_str(), modified.unwrap().to_string()),
        ("Ops", "2026-01-02T03:04:05Z".to_owned())
    );
    assert_eq!(TEAM.describe(br#"{"id":7}"#), Some(("7".to_owned(), None)));
    assert_eq!(TEAM.describe(b"{"), None);
}

#[tokio::test]
async fn an_item_without_an_id_is_an_error() {
    let server = Server::script([list(&[r#"{"name":"x"}"#])]).await;
    let (memory, client) = (Memory::default(), server.client());
    let error = TEAM
        .crawl(&memory.crawl(&client, &project()))
        .await
        .unwrap_err();
    assert_eq!(error.code, "answer-not-understood");
}

#[tokio::test]
async fn a_probe_is_one_request_for_one_item() {
    let server = Server::script([list(&[ONE])]).await;
    TEAM.probe(&server.client(), &project()).await.unwrap();
    let targets: Vec<_> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(
        targets,
        ["/contoso/_apis/projects/p1/teams?%24expandIdentity=true&%24top=1"]
    );
}

#[tokio::test]
async fn items_are_found_by_id_at_home_and_by_name_elsewhere() {
    let server = Server::script([list(&[ONE])]).await;
    let (memory, client) = (moved(), server.client());
    let items = [
        stored("t1", "renamed", Action::Create),
        stored("t9", "OPS", Action::Create),
        stored("t2", "Größe", Action::Create),
    ];
    let found = |id: &str| {
        Some(Found {
            id: id.to_owned(),
            state: FoundState::Present,
        })
    };
    assert_eq!(
        TEAM.find(&memory.target(&client, true), &items)
            .await
            .unwrap(),
        [found("t1"), found("t1"), None]
    );
    assert_eq!(
        TEAM.find(&memory.target(&client, false), &items)
            .await
            .unwrap(),
        [None, found("t1"), None]
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn nothing_is_found_while_the_parent_is_missing() {
    let server = Server::script([list(&[ONE])]).await;
    let (memory, client) = (Memory::default(), server.client());
    assert_eq!(
        TEAM.find(
            &memory.target(&client, false),
            &[stored("t1", "Ops", Action::Create)]
        )
        .await
        .unwrap(),
        [None]
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_restore_creates_replaces_and_journals() {
    let server = Server::start(at_target).await;
    let (memory, client) = (moved(), server.client());
    let mut replaced = stored("t1", "Ops", Action::Replace);
    replaced.new_id = Some("x1".to_owned());
    let items = [
        replaced,
        stored("t2", "Größe", Action::Create),
        stored("t1", "Ops", Action::Skip),
    ];
    let outcomes = TEAM
        .restore(&memory.restore(&client), Pass::Create, &items)
        .await
        .unwrap();
    let done = |id: &str| Outcome::Done {
        new_id: id.to_owned(),
        losses: vec![],
    };
    assert_eq!(outcomes, [done("x1"), done("x2"), Outcome::Unchanged]);
    assert_eq!(
        *memory.journal.lock().unwrap(),
        ["intend t1", "created t1 x1", "intend t2", "created t2 x2"]
    );
    let seen = server.seen();
    assert_eq!(
        seen[0].body,
        "{\"name\":\"Ops\",\"unknown\":1.50,\"changed\":\"2026-01-02T03:04:05Z\"}".as_bytes()
    );
    assert_eq!(seen[1].body, r#"{"name":"Größe"}"#.as_bytes());
    assert_eq!(
        TEAM.restore(&memory.restore(&client), Pass::Connect, &items)
            .await
            .unwrap(),
        vec![Outcome::Unchanged; 3]
    );
}

#[tokio::test]
async fn an_open_intent_is_looked_for_before_it_is_written_again() {
    let server = Server::start(at_target).await;
    let (memory, client) = (moved(), server.client());
    let mut item = stored("t1", "Ops", Action::Create);
    item.open_intent = true;
    let outcomes = TEAM
        .restore(&memory.restore(&client), Pass::Create, &[item])
        .await
        .unwrap();
    assert_eq!(
        outcomes,
        [Outcome::Done {
            new_id: "x1".to_owned(),
            losses: vec![]
        }]
    );
    assert_eq!(*memory.journal.lock().unwrap(), ["created t1 x1"]);
    assert!(server.seen().iter().all(|seen| seen.method == "GET"));
}

#[tokio::test]
async fn a_conflict_fails_its_item_alone() {
    let server = Server::start(|seen| {
        if seen.method == "POST" && seen.body.windows(3).any(|w| w == b"Ops") {
            answer(409, "")
        } else {
            at_target(seen)
        }
    })
    .await;
    let (memory, client) = (moved(), server.client());
    let items = [
        stored("t1", "Ops", Action::Create),
        stored("t2", "Größe", Action::Create),
    ];
    let outcomes = TEAM
        .restore(&memory.restore(&client), Pass::Create, &items)
        .await
        .unwrap();
    assert!(
        matches!(
            &outcomes[0],
            Outcome::Failed {
                code: "restore-conflict",
                ..
            }
        ),
        "{outcomes:?}"
    );
    assert!(matches!(&outcomes[1], Outcome::Done { .. }), "{outcomes:?}");
}

#[tokio::test]
async fn a_write_whose_fate_is_unclear_is_not_sent_twice() {
    let server = Server::start(|seen| {
        if seen.method == "POST" {
            Reply::Drop
        } else {
            at_target(seen)
        }
    })
    .await;
    let (memory, client) = (moved(), server.client());
    let outcomes = TEAM
        .restore(
            &memory.restore(&client),
            Pass::Create,
            &[stored("t2", "Größe", Action::Create)],
        )
        .await
        .unwrap();
    assert!(
        matches!(&outcomes[0], Outcome::Failed { .. }),
        "{outcomes:?}"
    );
    assert_eq!(
        server
            .seen()
            .iter()
            .filter(|seen| seen.method == "POST")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_refused_credential_ends_the_restore() {
    let server = Server::script([answer(401, "")]).await;
    let (memory, client) = (moved(), server.client());
    let error = TEAM
        .restore(
            &memory.restore(&client),
            Pass::Create,
            &[stored("t2", "Größe", Action::Create)],
        )
        .await
        .unwrap_err();
    assert_eq!(error.code, "credential-refused");
}

#[tokio::test]
async fn verifying_names_what_differs_but_for_ids() {
    let server = Server::start(at_target).await;
    let (memory, client) = (moved(), server.client());
    let mut same = stored("t1", "Ops", Action::Create);
    same.new_id = Some("x1".to_owned());
    let mut gone = stored("t2", "Größe", Action::Create);
    gone.new_id = Some("x9".to_owned());
    let differences = TEAM
        .verify(&memory.target(&client, false), &[same, gone])
        .await
        .unwrap();
    assert_eq!(
        differences,
        [
            vec!["/name: \"Ops\" in the snapshot, now \"ops\"".to_owned()],
            vec!["it is not in the service's list".to_owned()]
        ]
    );
}
