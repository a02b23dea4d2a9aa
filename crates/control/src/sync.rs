//! Makes the catalog agree with a repository, from the repository alone (design rule 5).

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Catalog, SourceKey};
use engine::coordinator::SnapshotInfo;
use engine::rebuild::{DiffRows, snapshots};
use model::{Event, Reporter, Silent};
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
        self.sync_and_tell(repository, &Silent).await
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
        let mut synced = Synced {
            added: 0,
            removed: self.drop_forgotten(repository).await?,
        };
        let mut sources: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
        for (_, snapshot) in repository.snapshots().await? {
            let tag = |name: &str| snapshot.tags.iter().find_map(|tag| tag.strip_prefix(name));
            if let (Some(service), Some(source)) = (tag("service="), tag("source="))
                && let Some(service) = self.services.iter().find(|known| known.name == service)
            {
                *sources
                    .entry((service.name, source.to_owned()))
                    .or_default() += 1;
            }
        }
        let mut told = Told {
            reporter,
            done: 0,
            all: sources.values().sum(),
        };
        for (service, name) in sources.into_keys() {
            let service = self.service(service)?;
            let mut heard = |more| told.snapshots(more);
            synced.added +=
                list_source(&self.catalog, repository, service, &name, &mut heard).await?;
        }
        if synced.added > 0 {
            // What somebody forgot while it was listed: it was not in the catalog yet to be taken out of it.
            synced.removed += self.drop_forgotten(repository).await?;
        }
        Ok(synced)
    }

    /// Takes out of the catalog what the repository no longer has; answers how many. The catalog is asked first: whatever is committed and
    /// listed meanwhile is in the repository when that is asked.
    pub(crate) async fn drop_forgotten(&self, repository: &Repository) -> Result<u64> {
        let own = repository.id().to_string();
        let mut known = Vec::new();
        for source in self.catalog.sources().await? {
            if source.repository == own {
                let snapshots = self.catalog.source_snapshots(&source).await?;
                known.extend(snapshots.into_iter().map(|snapshot| snapshot.id));
            }
        }
        let here = repository.snapshot_ids().await?.into_iter();
        let here: BTreeSet<String> = here.map(|id| id.to_string()).collect();
        let mut dropped = 0;
        for id in known.iter().filter(|id| !here.contains(*id)) {
            match self.catalog.forget_snapshot(id).await {
                Ok(()) => dropped += 1,
                // Somebody else was faster.
                Err(catalog::Error::SnapshotUnknown { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(dropped)
    }
}

/// Lists the snapshots of one source that the catalog lacks, in their order; answers how many. `heard` is told of each that was looked at.
pub(crate) async fn list_source(
    catalog: &Catalog,
    repository: &Repository,
    service: &'static Service,
    source: &str,
    heard: &mut (dyn FnMut(u64) + Send),
) -> Result<u64> {
    let key = SourceKey {
        repository: repository.id().to_string(),
        service: service.name.to_owned(),
        name: source.to_lowercase(),
    };
    let mut known = BTreeSet::new();
    let mut newest = None;
    for snapshot in catalog.source_snapshots(&key).await? {
        newest = newest.max(Some(snapshot.time));
        known.insert(snapshot.id);
    }
    let mut infos = snapshots(repository, service, source).await?;
    let between = |info: &SnapshotInfo| {
        !known.contains(&info.id.to_string()) && newest.is_some_and(|newest| info.time <= newest)
    };
    if infos.iter().any(between) {
        // Intervals grow at their end alone: what belongs in between is listed in its order.
        catalog.clear_index(&key).await?;
        known.clear();
        // With what was committed and listed until then, which is gone from the catalog too.
        infos = snapshots(repository, service, source).await?;
    }
    let (mut added, mut before) = (0, None);
    for info in infos {
        if !known.contains(&info.id.to_string()) {
            let mut rows = DiffRows::new(repository, service, before, info.tree);
            add_snapshot(catalog, &key.repository, &info, &mut rows).await?;
            added += 1;
        }
        before = Some(info.tree);
        heard(1);
    }
    Ok(added)
}
