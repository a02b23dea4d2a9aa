//! The kinds of the small service: projects, their teams, things outside of projects, and records that cannot be written.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use model::{Action, ItemRef};
use serde::Deserialize;
use service::inspect::Tie;
use service::{
    Client, Crawl, Crawled, Cursor, Error, Fidelity, Found, FoundState, GONE, Inspect, Inspection,
    Kind, KindSpec, Layout, Loss, Outcome, Pass, Removal, Restore, Result, Service, StoredItem,
    Target,
};

use super::world::{Teams, Thing, World};
use crate::stand_in::NoPreflight;

/// How many revisions a thing has.
pub(crate) const REVISIONS: u32 = 3;

#[derive(Deserialize)]
struct Document {
    name: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    links: Vec<String>,
    #[serde(default)]
    teams: Vec<String>,
    /// Nobody knows how old it is.
    #[serde(default)]
    ageless: bool,
}

enum Shape {
    Project,
    Team,
    Thing,
    Record,
}

struct FakeKind {
    spec: KindSpec,
    shape: Shape,
    world: Arc<World>,
}

fn spec(
    name: &'static str,
    parent: Option<&'static str>,
    after: &'static [&'static str],
    restore: Fidelity,
) -> KindSpec {
    KindSpec {
        name,
        title: name,
        parent,
        crawled: Crawled::Once,
        with: None,
        after,
        layout: Layout::Item {
            folder: Box::leak(format!("{name}s").into_boxed_str()),
            shard: None,
            document: "document.json",
        },
        bin: (name == "thing").then_some("deleted.json"),
        search: service::Searched {
            project: (name == "thing").then_some("/team-project"),
            ..service::Searched::NAMES
        },
        read: &[],
        write: &[],
        restore,
    }
}

/// The service over one world. Leaked: services are tables of the program, and tests are short.
pub(crate) fn service(world: &Arc<World>) -> &'static Service {
    let kind = |spec, shape| -> &'static dyn Kind {
        Box::leak(Box::new(FakeKind {
            spec,
            shape,
            world: Arc::clone(world),
        }))
    };
    let part = KindSpec {
        with: Some("thing"),
        layout: Layout::Lines {
            part: "comments.ndjson",
        },
        ..spec(
            "comment",
            None,
            &[],
            Fidelity::Partial(&["reactions to it", "its age"]),
        )
    };
    // In an order that is not that of a restore.
    let kinds = vec![
        kind(
            spec(
                "thing",
                None,
                &["project", "team"],
                Fidelity::Partial(&["its age"]),
            ),
            Shape::Thing,
        ),
        kind(part, Shape::Thing),
        kind(
            spec("team", Some("project"), &[], Fidelity::Full),
            Shape::Team,
        ),
        kind(
            spec(
                "record",
                Some("project"),
                &[],
                Fidelity::ExportOnly("the service has no call for it"),
            ),
            Shape::Record,
        ),
        kind(spec("project", None, &[], Fidelity::Full), Shape::Project),
    ];
    Box::leak(Box::new(Service {
        name: "fake",
        title: "Fake",
        hosts: &[],
        kinds: Box::leak(kinds.into_boxed_slice()),
        preflight: &NoPreflight,
    }))
}

impl FakeKind {
    async fn document(&self, target: &Target<'_>, item: &ItemRef) -> Result<Document> {
        let bytes = target
            .stored
            .document(item)
            .await?
            .ok_or_else(|| Error::malformed(format!("no {item}")))?;
        serde_json::from_slice(&bytes).map_err(|error| Error::malformed(error.to_string()))
    }

    fn scope(target: &Target<'_>, item: &ItemRef) -> Result<String> {
        if item.scope.is_empty() {
            return Ok(String::new());
        }
        target
            .ids
            .get("project", &item.scope)
            .ok_or_else(|| Error::malformed(format!("{item}: its project is not known")))
    }

    async fn create(&self, cx: &Restore<'_>, item: &StoredItem) -> Result<String> {
        let target = &cx.target;
        let document = self.document(target, &item.item).await?;
        if item.action == Action::Undelete {
            let id = item.new_id.clone().unwrap();
            cx.journal.intend(&item.item).await?;
            self.world.change(&id, |thing| thing.deleted = false)?;
            cx.journal.made(&item.item, &id).await?;
            return Ok(id);
        }
        let mistaken = matches!(self.shape, Shape::Team) && self.world.teams() == Teams::Mistaken;
        let there = if mistaken {
            self.look(target, item)?
        } else {
            None
        };
        let id = if let Some(id) = &item.new_id {
            id.clone()
        } else if let Some(there) = there {
            cx.journal.made(&item.item, &there.id).await?;
            there.id
        } else {
            let thing = Thing {
                kind: self.spec.name.to_owned(),
                scope: Self::scope(target, &item.item)?,
                name: document.name.clone(),
                marker: Some(item.item.id.clone()),
                ..Thing::default()
            };
            cx.journal.intend(&item.item).await?;
            let made = self.world.create(thing);
            if made.as_ref().is_err_and(Error::did_nothing) && !item.open_intent {
                cx.journal.withdraw(&item.item).await?;
            }
            let id = made?;
            cx.journal.made(&item.item, &id).await?;
            id
        };
        if matches!(self.shape, Shape::Thing) && matches!(item.action, Action::Create) {
            let first = cx
                .journal
                .noted(&item.item)
                .await?
                .map_or(0, |note| note.parse::<u32>().unwrap());
            for revision in first + 1..=REVISIONS {
                // A revision that was written and not noted is not written twice.
                if self
                    .world
                    .read(&id)?
                    .is_some_and(|thing| thing.revisions < revision)
                {
                    self.world.change(&id, |thing| thing.revisions += 1)?;
                }
                cx.journal.note(&item.item, &revision.to_string()).await?;
            }
        }
        self.world
            .change(&id, |thing| thing.body.clone_from(&document.body))?;
        Ok(id)
    }

    async fn connect(&self, cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
        let document = self.document(&cx.target, &item.item).await?;
        let id = item.new_id.clone().unwrap();
        self.world.change(&id, |thing| thing.connected += 1)?;
        let mut losses = Vec::new();
        for old in &document.links {
            match cx.target.ids.get("thing", old) {
                Some(other) => self
                    .world
                    .change(&id, |thing| thing.links.extend([other]))?,
                None => losses.push(format!("the link to {old}")),
            }
        }
        Ok(if document.links.is_empty() {
            Outcome::Unchanged
        } else {
            Outcome::Done { new_id: id, losses }
        })
    }

    fn look(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<Found>> {
        let old = &item.item;
        let scope = Self::scope(cx, old)?;
        let kind = self.spec.name;
        let found = match self.shape {
            Shape::Thing if item.open_intent => {
                // An undeleted one keeps its id; a new one carries the marker.
                self.world.search(|id, thing| {
                    thing.kind == kind
                        && !cx.ids.is_of_another(kind, id)
                        && (thing.marker.as_ref() == Some(&old.id)
                            || (item.action == Action::Undelete && id == old.id))
                })?
            }
            Shape::Thing => {
                let known = item.new_id.clone().or_else(|| cx.ids.get(kind, &old.id));
                self.world
                    .search(|id, thing| thing.kind == kind && known.as_deref() == Some(id))?
            }
            Shape::Project | Shape::Team | Shape::Record => self.world.search(|_, thing| {
                thing.kind == kind && thing.scope == scope && thing.name == item.name
            })?,
        };
        Ok(found.map(|(id, thing)| {
            let state = match &thing {
                Thing { deleted: true, .. } => FoundState::Deleted,
                Thing {
                    automatic: true, ..
                } => FoundState::Automatic,
                _ => FoundState::Present,
            };
            Found { id, state }
        }))
    }
}

#[async_trait]
impl Kind for FakeKind {
    fn spec(&self) -> &KindSpec {
        &self.spec
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        Some((
            serde_json::from_slice::<Document>(document).ok()?.name,
            None,
        ))
    }

    async fn crawl(&self, _: &Crawl<'_>) -> Result<Option<Cursor>> {
        Ok(None)
    }

    async fn probe(&self, _: &Client, _: &service::Scope) -> Result<()> {
        Ok(())
    }

    async fn list(&self, _: &Client) -> Result<Option<Vec<(String, String)>>> {
        let all = self.world.of_kind(self.spec.name).into_iter();
        Ok(Some(all.map(|(id, thing)| (id, thing.name)).collect()))
    }

    async fn inspect(&self, _: &Inspect<'_>, _: &ItemRef, document: &[u8]) -> Result<Inspection> {
        let mut found = Inspection::default();
        let document: Document = serde_json::from_slice(document).unwrap();
        for team in document.teams {
            found.refer("team", team, Tie::Name, "");
        }
        Ok(found)
    }

    async fn find(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        let mut found = Vec::new();
        self.world.answers()?;
        for item in items {
            found.push(self.look(cx, item)?);
        }
        Ok(found)
    }

    async fn recognize(&self, _: &Target<'_>, items: &[StoredItem]) -> Result<Vec<bool>> {
        self.world.answers()?;
        let mut known = Vec::new();
        for item in items {
            let id = item.new_id.as_deref().unwrap();
            self.world.shows(id)?;
            let there = self.world.read(id)?;
            let ours =
                |thing: &Thing| !thing.deleted && thing.marker.as_ref() == Some(&item.item.id);
            known.push(matches!(self.shape, Shape::Thing) && there.as_ref().is_some_and(ours));
        }
        Ok(known)
    }

    async fn restore(
        &self,
        cx: &Restore<'_>,
        pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for item in items {
            outcomes.push(match pass {
                Pass::Create => Outcome::Done {
                    new_id: self.create(cx, item).await?,
                    losses: Vec::new(),
                },
                Pass::Connect => self.connect(cx, item).await?,
            });
        }
        Ok(outcomes)
    }

    async fn losses(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<Vec<Loss>>> {
        let ageless = self.document(cx, &item.item).await?.ageless;
        Ok(ageless.then(|| vec!["reactions to it"]))
    }

    async fn verify(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        let mut differences = Vec::new();
        for item in items {
            let document = self.document(cx, &item.item).await?;
            let thing = self.world.read(item.new_id.as_deref().unwrap())?;
            let mut of_item = Vec::new();
            match thing {
                None | Some(Thing { deleted: true, .. }) => of_item.push(GONE.to_owned()),
                Some(thing) if thing.body != document.body => of_item.push(format!(
                    "body: `{}` instead of `{}`",
                    thing.body, document.body
                )),
                Some(_) => {}
            }
            differences.push(of_item);
        }
        Ok(differences)
    }

    async fn revisions(&self, _: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<String>>> {
        let mut revisions = Vec::new();
        for item in items {
            let there = self.world.read(item.new_id.as_deref().unwrap())?;
            let there = there.filter(|_| matches!(self.shape, Shape::Thing));
            revisions.push(there.map(|thing| thing.revisions.to_string()));
        }
        Ok(revisions)
    }

    fn only_one(&self) -> Option<&'static str> {
        let one = matches!(self.shape, Shape::Team) && self.world.teams() == Teams::One;
        one.then_some("there can be one of this name")
    }

    fn removal(&self) -> Removal {
        match self.shape {
            Shape::Thing => Removal::Bin,
            Shape::Team => Removal::Forever,
            Shape::Project | Shape::Record => Removal::Never("it may hold what others need"),
        }
    }

    async fn remove(&self, _: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for item in items {
            let id = item.new_id.clone().unwrap();
            match self.shape {
                Shape::Thing => self.world.change(&id, |thing| thing.deleted = true)?,
                _ => self.world.erase(&id)?,
            }
            outcomes.push(Outcome::Done {
                new_id: id,
                losses: Vec::new(),
            });
        }
        Ok(outcomes)
    }
}
