//! Makes the catalog agree with a repository, from the repository alone (design rule 5).

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Catalog, SourceKey};
use engine::rebuild::{self, DiffRows};
use model::{Event, Reporter, Silent, SourceId};
use repository::{Repository, Snapshot, SnapshotId};
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
            current: None,
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
    pub async fn sync_and_tell(
        &self,
        repository: &Repository,
        reporter: &dyn Reporter,
    ) -> Result<Synced> {
        let lock = repository.lock_to_read(&self.holder(), reporter).await?;
        let synced = self.sync_locked(repository, reporter).await;
        lock.release().await?;
        let synced = synced?;
        // Runs tell only of what they put there themselves: of one that was taken up nothing else tells how large it is.
        self.measure(repository).await?;
        Ok(synced)
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
        let known = known(&self.catalog, repository).await?;
        let mut all = Vec::new();
        for service in self.services {
            let sources = rebuild::sources(repository, service, &known).await?;
            all.extend(sources.into_iter().map(|source| (*service, source)));
        }
        let mut told = Told {
            reporter,
            done: 0,
            all: all.iter().map(|(_, (_, found))| found.len() as u64).sum(),
        };
        for (service, (id, found)) in all {
            let source = Source {
                catalog: &self.catalog,
                repository,
                service,
                key: SourceKey {
                    repository: repository.id().to_string(),
                    id,
                },
            };
            let mut heard = |more| told.snapshots(more);
            synced.added += source.list(found, &mut heard).await?;
        }
        if synced.added > 0 {
            // What somebody forgot while it was listed: it was not in the catalog yet to be taken out of it.
            synced.removed += self.drop_forgotten(repository).await?;
        }
        Ok(synced)
    }

    /// Whether the repository has snapshots that a sync would list and the catalog does not (yet). Those of other programs, and what cannot be
    /// read, it never will.
    pub(crate) async fn lists_less(&self, repository: &Repository) -> Result<bool> {
        let known = known(&self.catalog, repository).await?;
        let here = repository.snapshot_ids().await?;
        if here.iter().all(|id| known.contains_key(id)) {
            return Ok(false);
        }
        for service in self.services {
            let sources = rebuild::sources(repository, service, &known).await?;
            let mut found = sources.values().flatten();
            if found.any(|(id, _)| !known.contains_key(id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes out of the catalog what the repository no longer has; answers how many. The catalog is asked first: whatever is committed and
    /// listed meanwhile is in the repository when that is asked.
    pub(crate) async fn drop_forgotten(&self, repository: &Repository) -> Result<u64> {
        let known = known(&self.catalog, repository).await?;
        let here = repository.snapshot_ids().await?.into_iter();
        let here: BTreeSet<SnapshotId> = here.collect();
        let mut dropped = 0;
        for id in known.keys().filter(|id| !here.contains(*id)) {
            match self.catalog.forget_snapshot(&id.to_string()).await {
                Ok(()) => dropped += 1,
                // Somebody else was faster.
                Err(catalog::Error::SnapshotUnknown { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(dropped)
    }
}

/// The snapshots in a repository that the catalog lists, with what they are of.
async fn known(
    catalog: &Catalog,
    repository: &Repository,
) -> Result<BTreeMap<SnapshotId, SourceId>> {
    let own = repository.id().to_string();
    let mut known = BTreeMap::new();
    for source in catalog.sources().await? {
        if source.key.repository != own {
            continue;
        }
        for snapshot in catalog.source_snapshots(&source.key).await? {
            let damaged = |_| catalog::Error::Damaged {
                what: format!("the id of snapshot {}", snapshot.id),
            };
            let id = snapshot.id.parse().map_err(damaged)?;
            known.insert(id, source.key.id.clone());
        }
    }
    Ok(known)
}

/// Lists the snapshots of one source that the catalog lacks.
pub(crate) async fn list_missing(
    catalog: &Catalog,
    repository: &Repository,
    service: &'static Service,
    source: &SourceId,
) -> Result<()> {
    let key = SourceKey {
        repository: repository.id().to_string(),
        id: source.clone(),
    };
    let source = Source {
        catalog,
        repository,
        service,
        key,
    };
    let found = source.found().await?;
    source.list(found, &mut |_| {}).await.map(drop)
}

/// A source in a repository, and where it is listed.
struct Source<'a> {
    catalog: &'a Catalog,
    repository: &'a Repository,
    service: &'static Service,
    key: SourceKey,
}

impl Source<'_> {
    /// What the repository has of it, oldest first.
    async fn found(&self) -> Result<Vec<(SnapshotId, Snapshot)>> {
        let known = known(self.catalog, self.repository).await?;
        let mut all = rebuild::sources(self.repository, self.service, &known).await?;
        Ok(all.remove(&self.key.id).unwrap_or_default())
    }

    /// Lists what the catalog lacks of these, in their order; answers how many. `heard` is told of each that was looked at.
    async fn list(
        &self,
        mut found: Vec<(SnapshotId, Snapshot)>,
        heard: &mut (dyn FnMut(u64) + Send),
    ) -> Result<u64> {
        let mut listed = BTreeSet::new();
        let mut newest = None;
        for snapshot in self.catalog.source_snapshots(&self.key).await? {
            newest = newest.max(Some(snapshot.time));
            listed.insert(snapshot.id);
        }
        let is_listed =
            |listed: &BTreeSet<String>, id: SnapshotId| listed.contains(&id.to_string());
        let between = |(id, snapshot): &(SnapshotId, Snapshot)| {
            !is_listed(&listed, *id) && newest.is_some_and(|newest| snapshot.time <= newest)
        };
        if found.iter().any(between) {
            // Intervals grow at their end alone: what belongs in between is listed in its order.
            self.catalog.clear_index(&self.key).await?;
            listed.clear();
            // With what was committed and listed until then, which is gone from the catalog too.
            found = self.found().await?;
        }
        let (mut added, mut before) = (0, None);
        for one in &found {
            let (id, tree) = (one.0, one.1.tree);
            if !is_listed(&listed, id) {
                // What it lacks of a damaged one is not its difference to that: nobody can tell all that was there.
                let before = before.filter(|_| !one.1.is_repaired());
                let parent = before.map(|(id, _)| id);
                let Some(info) = rebuild::info(self.repository, self.service, one, parent).await?
                else {
                    continue;
                };
                let before = before.map(|(_, tree)| tree);
                let mut rows = DiffRows::new(self.repository, self.service, before, tree);
                add_snapshot(self.catalog, &self.key.repository, &info, &mut rows).await?;
                added += 1;
            }
            before = Some((id, tree));
            heard(1);
        }
        Ok(added)
    }
}
