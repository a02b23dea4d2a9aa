//! People whom the items of a plan name, and a snapshot with others in their places.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use model::{Event, ItemRef, PlanPerson};
use service::people::{People, Person};
use service::{PartInfo, Stored};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::OnceCell;

use super::{PlanContext, PlanStore};
use crate::Result;

/// Larger files are content of people's own, and no records of the service.
const LARGEST: u64 = 64 << 20;

/// Whom the target knows, asked for once, when the first item names somebody.
#[derive(Default)]
pub(super) struct Acquainted(OnceCell<Option<BTreeSet<String>>>);

impl Acquainted {
    /// `None` where the target does not say.
    async fn known(
        &self,
        cx: &PlanContext<'_>,
        people: &dyn People,
    ) -> Result<Option<&BTreeSet<String>>> {
        let asking = async || match people.known(cx.http).await {
            Ok(known) => Ok(Some(known)),
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => {
                // The plan is as good without; people see that nobody was found.
                let message = format!("whom the target knows cannot be told: {}", error.message);
                cx.reporter.report(Event::Note { message });
                Ok(None)
            }
        };
        Ok(self.0.get_or_try_init(asking).await?.as_ref())
    }

    /// Whether somebody of these may be unknown there.
    pub(super) async fn lacks_one(
        &self,
        cx: &PlanContext<'_>,
        people: &dyn People,
        named: &BTreeSet<Person>,
    ) -> Result<bool> {
        if named.is_empty() {
            return Ok(false);
        }
        let known = self.known(cx, people).await?;
        let mut names = named.iter().map(|one| one.unique_name.to_lowercase());
        Ok(names.any(|name| known.is_none_or(|known| !known.contains(&name))))
    }
}

/// Counts whom items name.
#[derive(Default)]
pub(super) struct Census {
    named: BTreeMap<String, (Person, u64)>,
    pub(super) acquainted: Acquainted,
}

impl Census {
    /// Counts whom one item names.
    pub(super) fn add(&mut self, named: BTreeSet<Person>) {
        for person in named {
            let key = person.unique_name.to_lowercase();
            self.named.entry(key).or_insert((person, 0)).1 += 1;
        }
    }

    /// Stores everybody, with whether the target knows them.
    pub(super) async fn store(
        self,
        cx: &PlanContext<'_>,
        plan: &str,
        store: &dyn PlanStore,
    ) -> Result<()> {
        let Some(people) = cx.service.preflight.people() else {
            return Ok(());
        };
        if self.named.is_empty() {
            return Ok(());
        }
        let known = self.acquainted.known(cx, people).await?;
        let person = |(key, (person, items)): (String, (Person, u64))| PlanPerson {
            unique_name: person.unique_name,
            name: person.name,
            items,
            found: known.is_some_and(|known| known.contains(&key)),
            becomes: None,
            checked: false,
        };
        let all: Vec<PlanPerson> = self.named.into_iter().map(person).collect();
        store.set_people(plan, &all).await
    }
}

/// Whom the records of an item name.
pub(super) async fn named_by(
    stored: &dyn Stored,
    people: &dyn People,
    item: &ItemRef,
) -> Result<BTreeSet<Person>> {
    let mut named = BTreeSet::new();
    for part in stored.parts(item).await? {
        if is_record(&part.name) && part.size <= LARGEST {
            match stored.part(item, &part.name).await {
                // It cannot be written either, and the restore says so.
                Err(error) if error.is_damage() => {}
                bytes => named.extend(bytes?.iter().flat_map(|bytes| people.named(bytes))),
            }
        }
    }
    Ok(named)
}

/// Files that the service wrote, and none that people attached.
pub(super) fn is_record(part: &str) -> bool {
    let ending = part.rsplit_once('.').map(|(_, ending)| ending);
    !part.contains('/') && matches!(ending, Some("json" | "ndjson"))
}

/// A snapshot in which others stand in the places of people; attachments and repositories are as they were.
pub(crate) struct Renamed<'a> {
    pub stored: &'a dyn Stored,
    pub people: &'static dyn People,
    /// Unique names in lower case → unique names at the target.
    pub others: BTreeMap<String, String>,
}

impl Renamed<'_> {
    fn read(&self, bytes: Bytes) -> Bytes {
        match self.people.renamed(&bytes, &self.others) {
            Some(renamed) => renamed.into(),
            None => bytes,
        }
    }
}

#[async_trait]
impl Stored for Renamed<'_> {
    async fn ids(&self, kind: &str, scope: &str) -> service::Result<Vec<String>> {
        self.stored.ids(kind, scope).await
    }

    async fn document(&self, item: &ItemRef) -> service::Result<Option<Bytes>> {
        let document = self.stored.document(item).await?;
        Ok(document.map(|document| self.read(document)))
    }

    async fn parts(&self, item: &ItemRef) -> service::Result<Vec<PartInfo>> {
        self.stored.parts(item).await
    }

    async fn part(&self, item: &ItemRef, part: &str) -> service::Result<Option<Bytes>> {
        let bytes = self.stored.part(item, part).await?;
        Ok(bytes.map(|bytes| {
            if is_record(part) {
                self.read(bytes)
            } else {
                bytes
            }
        }))
    }

    async fn copy(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> service::Result<u64> {
        if !is_record(part) {
            return self.stored.copy(item, part, to).await;
        }
        let bytes = self.part(item, part).await?.ok_or_else(|| {
            service::Error::storage(format!("{item}: the snapshot has no {part}"))
        })?;
        let written = match to.write_all(&bytes).await {
            Ok(()) => to.flush().await,
            Err(error) => Err(error),
        };
        written.map_err(|error| {
            service::Error::storage(format!("{item}: {part} cannot be written: {error}"))
        })?;
        Ok(bytes.len() as u64)
    }
}

/// The snapshot as a plan writes it: `None` when everybody stays.
pub(crate) async fn renamed<'a>(
    service: &'static service::Service,
    stored: &'a dyn Stored,
    store: &dyn PlanStore,
    plan: &str,
) -> Result<Option<Renamed<'a>>> {
    let Some(people) = service.preflight.people() else {
        return Ok(None);
    };
    let others: BTreeMap<String, String> = store.mapping(plan).await?.into_iter().collect();
    Ok((!others.is_empty()).then_some(Renamed {
        stored,
        people,
        others,
    }))
}
