//! Kinds that are reported by change: rounds as Graph answers them, on good and bad days.

mod cursor;
mod lists;
mod removal;

use std::sync::{Arc, Mutex};

use model::{ItemRef, Picks};
use service::delta::{Gone, Relation};
use service::{Crawled, DeltaKind, Error, Fidelity, Kind as _, KindSpec, Layout, Scope};

use crate::memory::Memory;
use crate::server::{Reply, Seen, Server, json};

const SPEC: KindSpec = KindSpec {
    name: "group",
    title: "Groups",
    parent: None,
    crawled: Crawled::Once,
    with: None,
    after: &[],
    layout: Layout::Item {
        folder: "groups",
        shard: Some(256),
        document: "group.json",
    },
    bin: None,
    search: service::Searched::NAMES,
    read: &[],
    write: &[],
    restore: Fidelity::ExportOnly("a test"),
};

static GROUP: DeltaKind = DeltaKind {
    spec: SPEC,
    host: "dev",
    path: "/groups/delta",
    query: &[("$select", "displayName,members")],
    headers: &[("Prefer", "IdType=\"ImmutableId\"")],
    probe: "/groups?$top=1",
    id: "/id",
    name: &["/displayName", "/mail"],
    modified: None,
    one: "/groups/{id}?$select=displayName",
    relations: &[Relation {
        member: "members@delta",
        file: "members.ndjson",
    }],
    gone: Gone::Marked,
};

static SITE: DeltaKind = DeltaKind {
    spec: KindSpec {
        name: "site",
        ..SPEC
    },
    path: "/sites/delta",
    query: &[],
    headers: &[],
    one: "/sites/{id}?$select=id",
    relations: &[],
    gone: Gone::Asked,
    ..GROUP_TABLE
};

/// What both tables have in common.
const GROUP_TABLE: DeltaKind = DeltaKind {
    spec: SPEC,
    host: "dev",
    path: "",
    query: &[],
    headers: &[],
    probe: "",
    id: "/id",
    name: &["/displayName"],
    modified: None,
    one: "",
    relations: &[],
    gone: Gone::Marked,
};

/// A round's page; links are made absolute, since the server's port is known late.
fn page(items: &[&str], link: &str) -> Reply {
    json(format!("{{\"value\":[{}],{link}}}", items.join(",")))
}

fn next(base: &str, token: &str) -> String {
    format!("\"@odata.nextLink\":\"{base}/contoso/x/delta?$skiptoken={token}\"")
}

fn end(base: &str, token: &str) -> String {
    format!("\"@odata.deltaLink\":\"{base}/contoso/x/delta?$deltatoken={token}\"")
}

/// A server whose answers may name its own address.
async fn graph(reply: impl Fn(&str, &Seen) -> Reply + Send + Sync + 'static) -> Server {
    let address = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&address);
    let server = Server::start(move |seen| reply(&own.lock().unwrap(), seen)).await;
    address.lock().unwrap().clone_from(&server.url);
    server
}

fn has(seen: &Seen, text: &str) -> bool {
    seen.target.contains(text)
}

async fn crawl(
    kind: &DeltaKind,
    memory: &Memory,
    server: &Server,
    cursor: Option<&str>,
) -> Result<String, Error> {
    let crawled = crawl_picked(kind, memory, server, cursor, &Picks::default()).await?;
    Ok(crawled.unwrap())
}

async fn crawl_picked(
    kind: &DeltaKind,
    memory: &Memory,
    server: &Server,
    cursor: Option<&str>,
    picks: &Picks,
) -> Result<Option<String>, Error> {
    let (client, scope) = (server.client(), Scope::default());
    let mut cx = memory.crawl(&client, &scope);
    cx.cursor = cursor;
    cx.order.picks = picks;
    kind.crawl(&cx).await
}

fn group(id: &str) -> ItemRef {
    ItemRef::new("group", "", id)
}

fn document(memory: &Memory, id: &str) -> Option<String> {
    let documents = memory.documents.lock().unwrap();
    let bytes = documents.get(&group(id)).cloned();
    bytes.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn members(memory: &Memory, id: &str) -> Option<String> {
    let key = (id.to_owned(), "members.ndjson".to_owned());
    let bytes = memory.parts.lock().unwrap().get(&key).cloned();
    bytes.map(|bytes| String::from_utf8(bytes).unwrap())
}

const ONE: &str = "{ \"id\":\"g1\", \"displayName\":\"Ops\",\n\"unknown\":1.50}";

/// A memory with group g1 and its members u1 and u2, and a cursor.
fn known(server: &Server) -> (Memory, String) {
    let memory = Memory::default();
    memory.store(&group("g1"), ONE);
    let lines = b"{\"id\":\"u1\"}\n{\"id\":\"u2\"}\n".to_vec();
    let key = ("g1".to_owned(), "members.ndjson".to_owned());
    memory.parts.lock().unwrap().insert(key, lines);
    (
        memory,
        format!("{}/contoso/x/delta?$deltatoken=a", server.url),
    )
}

/// An answer to `$batch`, in an order of its own.
fn batch(responses: &[&str]) -> Reply {
    json(format!("{{\"responses\":[{}]}}", responses.join(",")))
}
