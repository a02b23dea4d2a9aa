//! A backup engine in memory: snapshots as maps, and the two passes of a restore.

mod edits;
mod memory;
mod restore;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use azure_devops::AZURE_DEVOPS;
use model::{Issue, Picks, Secret};
use serde_json::Value;
use service::http::{Auth, Client, Method, Options, Url};
use service::{Crawl, Crawled, Order, Scope};
use simulator::{Seed, Simulator};

pub(crate) use edits::{delete, edit, heal, patch};
pub(crate) use memory::{Snapshot, Writer};
pub(crate) use restore::{
    Journal, Report, differences, found, losses, recognized, restore, revision,
};

/// A client of one organization of a simulator; `root` is the simulator itself.
pub(crate) fn client(simulator: &Simulator, organization: &str, pat: &str) -> Client {
    asking(simulator, organization, pat, 2)
}

fn asking(simulator: &Simulator, organization: &str, pat: &str, attempts: u32) -> Client {
    client_at(simulator.url(), organization, pat, attempts)
}

/// A client of what listens at an address.
pub(crate) fn client_at(address: &str, organization: &str, pat: &str, attempts: u32) -> Client {
    let url = |path: &str| Url::parse(&format!("{address}{path}")).unwrap();
    Client::new(Options {
        hosts: BTreeMap::from([
            ("dev", url(&format!("/{organization}"))),
            ("sps", url(&format!("/{organization}"))),
            ("root", url("")),
        ]),
        auth: Auth::Pat(Secret::new(pat)),
        user_agent: "keepward-test".to_owned(),
        attempts,
        max_wait: Duration::from_secs(1),
        timeout: Duration::from_mins(1),
        max_body: 64 << 20,
        observer: None,
    })
    .unwrap()
}

pub(crate) async fn start(seed: Seed) -> Simulator {
    Simulator::start(simulator::Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data: None,
        seed,
    })
    .await
    .unwrap()
}

/// The simulator's own client: its first organization with full access.
pub(crate) fn owner(simulator: &Simulator) -> Client {
    client(simulator, simulator.organization(), simulator.pat())
}

/// The same, which asks for nothing twice.
pub(crate) fn impatient(simulator: &Simulator) -> Client {
    asking(simulator, simulator.organization(), simulator.pat(), 1)
}

/// A simulator with a backup of everything that its organization holds.
pub(crate) async fn backed_up(seed: Seed) -> (Simulator, Client, Snapshot) {
    let simulator = start(seed).await;
    let http = owner(&simulator);
    let snapshot = backup(&http, &Snapshot::default(), &all_kinds()).await;
    (simulator, http, snapshot)
}

/// The organization of the demo with so many work items.
pub(crate) fn contoso(work_items: u32) -> Seed {
    Seed::Contoso {
        history: None,
        work_items,
    }
}

/// Kinds that no git is needed for.
pub(crate) fn without_code(kind: &str) -> bool {
    !["git-repository", "wiki"].contains(&kind)
}

/// Another organization, with nothing in it.
pub(crate) async fn empty(simulator: &Simulator, name: &str) -> Client {
    let pat = simulator.add_organization(name).await;
    client(simulator, name, &pat)
}

pub(crate) async fn get(http: &Client, path: &str) -> Value {
    http.get("root", path).send().await.unwrap().json().unwrap()
}

/// What `/__state` holds of an organization.
pub(crate) async fn state(http: &Client, organization: &str) -> Value {
    get(http, &format!("/__state?organization={organization}")).await
}

pub(crate) async fn post(http: &Client, path: &str, body: &Value) -> Value {
    let answer = http
        .call(Method::POST, "root", path)
        .json(body)
        .send()
        .await
        .unwrap();
    if answer.body.is_empty() {
        Value::Null
    } else {
        answer.json().unwrap()
    }
}

pub(crate) fn all_kinds() -> BTreeSet<String> {
    AZURE_DEVOPS
        .kinds
        .iter()
        .map(|kind| kind.spec().name.to_owned())
        .collect()
}

/// One run over the selected kinds, on top of the snapshot before.
pub(crate) async fn backup(
    http: &Client,
    prior: &Snapshot,
    selection: &BTreeSet<String>,
) -> Snapshot {
    backup_picked(http, prior, selection, &Picks::default()).await
}

/// The same of what a policy picks.
pub(crate) async fn backup_picked(
    http: &Client,
    prior: &Snapshot,
    selection: &BTreeSet<String>,
    picks: &Picks,
) -> Snapshot {
    let order = Order {
        picks,
        ..Order::usual(jiff::Timestamp::UNIX_EPOCH)
    };
    backup_ordered(http, prior, selection, order).await
}

/// The same with an order of its own.
pub(crate) async fn backup_ordered(
    http: &Client,
    prior: &Snapshot,
    selection: &BTreeSet<String>,
    order: Order<'_>,
) -> Snapshot {
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let work = tempfile::tempdir().unwrap();
    let next = Mutex::new(prior.clone());
    next.lock().unwrap().issues.clear();
    for kind in AZURE_DEVOPS
        .kinds
        .iter()
        .filter(|kind| kind.spec().with.is_none() && selection.contains(kind.spec().name))
    {
        let spec = kind.spec();
        let scopes: Vec<Scope> = match (spec.crawled, spec.parent) {
            (Crawled::PerParent, Some(parent)) => {
                let ids = next
                    .lock()
                    .unwrap()
                    .items
                    .keys()
                    .filter(|item| item.kind == parent)
                    .map(|item| item.id.clone())
                    .collect::<Vec<_>>();
                ids.into_iter()
                    .map(|id| Scope {
                        id,
                        name: String::new(),
                    })
                    .collect()
            }
            _ => vec![Scope::default()],
        };
        for scope in scopes {
            let key = format!("{}/{}", spec.name, scope.id);
            let cursor = next.lock().unwrap().cursors.get(&key).cloned();
            let cursor = cursor.filter(|_| !order.full);
            let writer = Writer::new(&next, cursor.is_none());
            let http = http.tagged(spec.name);
            let cx = Crawl {
                http: &http,
                scope: &scope,
                cursor: cursor.as_deref(),
                order: Order {
                    listed: &listed,
                    ..order
                },
                selection,
                sink: &writer,
                prior,
                work: work.path(),
            };
            let result = kind.crawl(&cx).await;
            let cursor =
                result.unwrap_or_else(|error| panic!("{}: {error} {:?}", spec.name, error.source));
            let mentioned = writer.finish(spec.name, &scope.id, order.accepted);
            listed.insert(spec.name.to_owned(), mentioned);
            if let Some(cursor) = cursor {
                next.lock().unwrap().cursors.insert(key, cursor);
            }
        }
    }
    let mut next = next.into_inner().unwrap();
    let doubted = next.issues.iter().filter_map(|issue| issue.item.clone());
    next.stale.extend(doubted);
    next.stale.retain(|item| next.items.contains_key(item));
    next
}

/// The issues of a run as `code kind`.
pub(crate) fn codes(issues: &[Issue]) -> Vec<String> {
    issues
        .iter()
        .map(|issue| format!("{} {}", issue.code, issue.kind))
        .collect()
}
