//! Makes the catalog agree with a repository, from the repository alone (design rule 5).

use std::collections::{BTreeMap, BTreeSet};

use catalog::SourceKey;
use engine::rebuild::{DiffRows, snapshots};
use model::{Event, Reporter};
use repository::Repository;
use service::Service;

use crate::coordinator::add_snapshot;
use crate::{Control, Result};

/// What a sync changed in the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Snapshots that were listed anew.
    pub added: u64,
    /// Snapshots that the repository no longer has.
    pub removed: u64,
}

/// Nobody listens.
struct Untold;

impl Reporter for Untold {
    fn report(&self, _: Event) {}
}

/// How far a sync is.
struct Told<'a> {
    reporter: &'a dyn Reporter,
    done: u64,
    all: u64,
}

impl Told<'_> {
    fn snapshots(&mut self, more: u64) {
        self.done += more;
        self.reporter.report(Event::Progress {
            phase: "index".to_owned(),
            items: self.done,
            expected: Some(self.all),
            bytes: 0,
            requests: 0,
            budget_left: None,
        });
    }
}

impl Control {
    /// Lists what the repository has and the catalog does not, and the other way round. Asks no service.
    pub async fn sync(&self, repository: &Repository) -> Result<Synced> {
        self.sync_and_tell(repository, &Untold).await
    }

    /// The same, with word of how far it is, in snapshots.
    pub(crate) async fn sync_and_tell(
        &self,
        repository: &Repository,
        reporter: &dyn Reporter,
    ) -> Result<Synced> {
        let lock = repository.lock_shared(&self.holder()).await?;
        let synced = self.sync_locked(repository, reporter).await;
        lock.release().await?;
        synced
    }

    async fn sync_locked(
        &self,
        repository: &Repository,
        reporter: &dyn Reporter,
    ) -> Result<Synced> {
        let mut sources: BTreeMap<(&'static str, String), BTreeSet<String>> = BTreeMap::new();
        for (id, snapshot) in repository.snapshots().await? {
            let tag = |name: &str| snapshot.tags.iter().find_map(|tag| tag.strip_prefix(name));
            if let (Some(service), Some(source)) = (tag("service="), tag("source="))
                && let Some(service) = self.services.iter().find(|known| known.name == service)
            {
                sources
                    .entry((service.name, source.to_owned()))
                    .or_default()
                    .insert(id.to_string());
            }
        }
        let own = repository.id().to_string();
        let mut synced = Synced::default();
        for known in self
            .catalog
            .sources()
            .await?
            .into_iter()
            .filter(|known| known.repository == own)
        {
            if let Some(service) = self
                .services
                .iter()
                .find(|service| service.name == known.service)
            {
                sources.entry((service.name, known.name)).or_default();
            }
        }
        let mut told = Told {
            reporter,
            done: 0,
            all: sources.values().map(|ids| ids.len() as u64).sum(),
        };
        for ((service, name), ids) in sources {
            let key = SourceKey {
                repository: own.clone(),
                service: service.to_owned(),
                name,
            };
            let service = self.service(service)?;
            self.sync_source(repository, service, &key, &ids, &mut synced, &mut told)
                .await?;
        }
        Ok(synced)
    }

    async fn sync_source(
        &self,
        repository: &Repository,
        service: &'static Service,
        key: &SourceKey,
        ids: &BTreeSet<String>,
        synced: &mut Synced,
        told: &mut Told<'_>,
    ) -> Result<()> {
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut newest = None;
        for snapshot in self.catalog.source_snapshots(key).await? {
            if ids.contains(&snapshot.id) {
                newest = newest.max(Some(snapshot.time));
                known.insert(snapshot.id);
            } else {
                self.catalog.forget_snapshot(&snapshot.id).await?;
                synced.removed += 1;
            }
        }
        if ids.is_subset(&known) {
            told.snapshots(ids.len() as u64);
            return Ok(());
        }
        let infos = snapshots(repository, service, &key.name).await?;
        let older =
            |id: &str, time| !known.contains(id) && newest.is_some_and(|newest| time <= newest);
        if infos
            .iter()
            .any(|info| older(&info.id.to_string(), info.time))
        {
            // Intervals grow at their end alone: what belongs in between is listed in its order.
            self.catalog.clear_index(key).await?;
            known.clear();
        }
        let mut before = None;
        for info in infos {
            if !known.contains(&info.id.to_string()) {
                let mut rows = DiffRows::new(repository, service, before, info.tree);
                add_snapshot(&self.catalog, &key.repository, &info, &mut rows).await?;
                synced.added += 1;
            }
            before = Some(info.tree);
            told.snapshots(1);
        }
        Ok(())
    }
}
