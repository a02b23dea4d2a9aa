//! A small service: boxes, and leaves in them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use model::{Class, ItemRef};
use service::preflight::Preflight;
use service::{
    Check, Client, Crawl, Crawled, Cursor, Error, Fidelity, Found, FoundState, Host, Item, Kind,
    KindSpec, Layout, Outcome, Pass, Permission, Restore, Result, Scope, Service, StoredItem,
    Target,
};
use tokio::sync::Notify;

/// What the service holds: kind, scope and id, to the name.
#[derive(Default)]
pub(crate) struct World {
    pub items: Mutex<BTreeMap<(String, String, String), String>>,
    /// The class of the error that reading leaves answers with.
    pub trouble: Mutex<Option<Class>>,
    /// The class of the error that everything answers with.
    pub outage: Mutex<Option<Class>>,
    /// A crawl of leaves says here that it has begun, and with `hold` waits for `release`; so does a probe, with `hold`.
    pub begun: Notify,
    pub hold: Mutex<bool>,
    pub release: Notify,
    pub probed: Mutex<Vec<(String, String)>>,
}

impl World {
    pub(crate) fn put(&self, kind: &str, scope: &str, id: &str, name: &str) {
        self.items.lock().unwrap().insert(
            (kind.to_owned(), scope.to_owned(), id.to_owned()),
            name.to_owned(),
        );
    }

    pub(crate) fn remove(&self, kind: &str, scope: &str, id: &str) {
        self.items
            .lock()
            .unwrap()
            .remove(&(kind.to_owned(), scope.to_owned(), id.to_owned()))
            .unwrap();
    }

    pub(crate) fn fail(&self, class: Option<Class>) {
        *self.trouble.lock().unwrap() = class;
    }

    async fn stop_here(&self) {
        self.begun.notify_one();
        if *self.hold.lock().unwrap() {
            self.release.notified().await;
        }
    }

    fn check(&self, kind: &str) -> Result<()> {
        if let Some(class) = *self.outage.lock().unwrap() {
            return Err(Error::new(
                class,
                "service-unavailable",
                "the service is away",
            ));
        }
        match *self.trouble.lock().unwrap() {
            Some(Class::Credential) => Err(Error::new(
                Class::Credential,
                "credential-refused",
                "the token is refused",
            )),
            Some(class) if kind == "leaf" => Err(Error::new(
                class,
                "permission-missing",
                "leaves may not be read",
            )),
            _ => Ok(()),
        }
    }
}

struct FakeKind {
    spec: KindSpec,
    world: Arc<World>,
}

struct Nothing;

#[async_trait]
impl Preflight for Nothing {
    async fn check(&self, _: &Client, organization: &str) -> Vec<Check> {
        let outcome = if organization == "nowhere" {
            service::CheckOutcome::Fail
        } else {
            service::CheckOutcome::Pass
        };
        vec![Check::new("organization", outcome, organization)]
    }
}

/// Leaked: services are tables of the program, and tests are short.
pub(crate) fn service(world: &Arc<World>) -> &'static Service {
    let kind = |name: &'static str, parent, crawled, folder, document| -> &'static dyn Kind {
        let spec = KindSpec {
            name,
            title: name,
            parent,
            crawled,
            with: None,
            after: &[],
            layout: Layout::Item {
                folder,
                shard: None,
                document,
            },
            bin: None,
            search: service::Searched::NAMES,
            read: &[Permission {
                scope: "fake.read",
                why: "Without it nothing is read.",
            }],
            write: &[],
            restore: Fidelity::Full,
        };
        Box::leak(Box::new(FakeKind {
            spec,
            world: Arc::clone(world),
        }))
    };
    let kinds = vec![
        kind(
            "leaf",
            Some("box"),
            Crawled::PerParent,
            "leaves",
            "leaf.json",
        ),
        kind("box", None, Crawled::Once, "boxes", "box.json"),
    ];
    Box::leak(Box::new(Service {
        name: "fake",
        title: "Fake",
        hosts: &[Host {
            name: "dev",
            url: "http://127.0.0.1:9/{organization}",
        }],
        kinds: Box::leak(kinds.into_boxed_slice()),
        preflight: &Nothing,
    }))
}

impl FakeKind {
    async fn write(&self, cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
        cx.journal.intend(&item.item).await?;
        let document = cx.target.stored.document(&item.item).await?.unwrap();
        let scope = if item.item.scope.is_empty() {
            String::new()
        } else {
            cx.target.ids.get("box", &item.item.scope).unwrap()
        };
        let id = item.new_id.clone().unwrap_or_else(|| item.item.id.clone());
        self.world.put(
            self.spec.name,
            &scope,
            &id,
            &self.describe(&document).unwrap().0,
        );
        cx.journal.made(&item.item, &id).await?;
        Ok(Outcome::Done {
            new_id: id,
            losses: Vec::new(),
        })
    }
}

#[async_trait]
impl Kind for FakeKind {
    fn spec(&self) -> &KindSpec {
        &self.spec
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        Some((String::from_utf8(document.to_vec()).ok()?, None))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        self.world.check(self.spec.name)?;
        if self.spec.name == "leaf" {
            self.world.stop_here().await;
        }
        let items = self.world.items.lock().unwrap().clone();
        for id in cx.prior.ids(self.spec.name, &cx.scope.id).await? {
            let item = ItemRef::new(self.spec.name, &cx.scope.id, &id);
            let document = cx.prior.document(&item).await?.unwrap();
            let (name, _) = self.describe(&document).unwrap();
            if !cx.order.picks.takes(self.spec.name, &id, &[&name]) {
                cx.sink.keep(&item).await?;
            }
        }
        for ((kind, scope, id), name) in items {
            if kind == self.spec.name && scope == cx.scope.id {
                if !cx.order.picks.takes(&kind, &id, &[&name]) {
                    continue;
                }
                let item = Item {
                    item: ItemRef::new(&kind, &scope, &id),
                    name: name.clone(),
                    modified: None,
                };
                cx.sink.upsert(&item, name.as_bytes()).await?;
            }
        }
        Ok(None)
    }

    fn is_listed(&self) -> bool {
        self.spec.name == "box"
    }

    async fn list(&self, _: &Client) -> Result<Option<Vec<(String, String)>>> {
        if !self.is_listed() {
            return Ok(None);
        }
        self.world.check("box")?;
        let items = self.world.items.lock().unwrap().clone().into_iter();
        let boxes = items.filter(|((kind, ..), _)| kind == "box");
        Ok(Some(boxes.map(|((_, _, id), name)| (id, name)).collect()))
    }

    async fn probe(&self, _: &Client, scope: &Scope) -> Result<()> {
        let held = *self.world.hold.lock().unwrap();
        if held {
            self.world.stop_here().await;
        }
        self.world
            .probed
            .lock()
            .unwrap()
            .push((self.spec.name.to_owned(), scope.name.clone()));
        self.world.check(self.spec.name)
    }

    async fn find(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        let there = self.world.items.lock().unwrap().clone();
        let found = items.iter().map(|item| {
            let scope = if item.item.scope.is_empty() {
                Some(String::new())
            } else {
                cx.ids.get("box", &item.item.scope)
            };
            let key = (self.spec.name.to_owned(), scope?, item.item.id.clone());
            there.contains_key(&key).then(|| Found {
                id: item.item.id.clone(),
                state: FoundState::Present,
            })
        });
        Ok(found.collect())
    }

    async fn restore(
        &self,
        cx: &Restore<'_>,
        pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        if pass == Pass::Connect {
            return Ok(vec![Outcome::Unchanged; items.len()]);
        }
        self.world.check(self.spec.name)?;
        let mut outcomes = Vec::new();
        for item in items {
            outcomes.push(self.write(cx, item).await?);
        }
        Ok(outcomes)
    }

    async fn verify(&self, _: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        Ok(vec![Vec::new(); items.len()])
    }
}
