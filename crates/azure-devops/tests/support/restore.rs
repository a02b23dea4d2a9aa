//! The two passes of a restore, with a journal and a map of ids in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use azure_devops::AZURE_DEVOPS;
use model::{Action, Conflict, ItemRef};
use service::http::Client;
use service::{Found, FoundState, Ids, Loss, Outcome, Pass, Restore, Result, StoredItem, Target};

use super::Snapshot;

/// Old id → new id.
#[derive(Default)]
pub(crate) struct Map {
    pub(crate) original: bool,
    pub(crate) known: Mutex<BTreeMap<(String, String), String>>,
    /// What stays beside what is made of it, by kind and id.
    pub(crate) doubled: BTreeSet<(&'static str, &'static str)>,
}

impl Ids for Map {
    fn get(&self, kind: &str, old: &str) -> Option<String> {
        let known = self
            .known
            .lock()
            .unwrap()
            .get(&(kind.to_owned(), old.to_owned()))
            .cloned();
        known.or_else(|| self.original.then(|| old.to_owned()))
    }

    fn is_doubled(&self, kind: &str, old: &str) -> bool {
        self.doubled.contains(&(kind, old))
    }
}

#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) notes: Mutex<BTreeMap<ItemRef, String>>,
    pub(crate) intents: Mutex<Vec<ItemRef>>,
    /// What was made, and not found.
    pub(crate) made: Mutex<BTreeSet<ItemRef>>,
    pub(crate) ids: Map,
    /// Fail when so many notes were written: as if the process had been killed.
    pub(crate) dies_after: Mutex<Option<usize>>,
    /// What becomes of what stands there.
    pub(crate) conflict: Conflict,
}

impl Journal {
    /// Of a restore into the place that the snapshot was taken of.
    pub(crate) fn at_origin() -> Self {
        let mut journal = Self::default();
        journal.ids.original = true;
        journal
    }

    fn target<'a>(&'a self, http: &'a Client, stored: &'a Snapshot, work: &'a Path) -> Target<'a> {
        Target {
            http,
            original: self.ids.original,
            stored,
            ids: &self.ids,
            work,
        }
    }

    /// The id at the target of what was restored.
    pub(crate) fn new_id(&self, item: &ItemRef) -> String {
        let key = (item.kind.clone(), item.id.clone());
        self.ids.known.lock().unwrap()[&key].clone()
    }
}

#[async_trait]
impl service::Journal for Journal {
    async fn intend(&self, item: &ItemRef) -> Result<()> {
        self.intents.lock().unwrap().push(item.clone());
        Ok(())
    }

    async fn withdraw(&self, item: &ItemRef) -> Result<()> {
        self.intents.lock().unwrap().retain(|open| open != item);
        Ok(())
    }

    async fn made(&self, item: &ItemRef, new_id: &str) -> Result<()> {
        assert!(
            self.intents.lock().unwrap().contains(item),
            "{item} was made, and nobody had noted that it was to be"
        );
        self.made.lock().unwrap().insert(item.clone());
        self.found(item, new_id).await
    }

    async fn found(&self, item: &ItemRef, new_id: &str) -> Result<()> {
        self.ids
            .known
            .lock()
            .unwrap()
            .insert((item.kind.clone(), item.id.clone()), new_id.to_owned());
        Ok(())
    }

    async fn note(&self, item: &ItemRef, progress: &str) -> Result<()> {
        if let Some(left) = self.dies_after.lock().unwrap().as_mut() {
            if *left == 0 {
                return Err(service::Error::storage("killed"));
            }
            *left -= 1;
        }
        self.notes
            .lock()
            .unwrap()
            .insert(item.clone(), progress.to_owned());
        Ok(())
    }

    async fn noted(&self, item: &ItemRef) -> Result<Option<String>> {
        Ok(self.notes.lock().unwrap().get(item).cloned())
    }
}

/// What a restore did: failures, losses, differences.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) failed: Vec<String>,
    pub(crate) losses: Vec<String>,
    pub(crate) differences: Vec<String>,
    pub(crate) done: usize,
}

/// Restores the given items, kind by kind, and reads them back.
pub(crate) async fn restore(
    http: &Client,
    snapshot: &Snapshot,
    journal: &Journal,
    items: &[ItemRef],
) -> Result<Report> {
    let work = tempfile::tempdir().unwrap();
    let cx = Restore {
        target: journal.target(http, snapshot, work.path()),
        conflict: journal.conflict,
        journal,
    };
    let mut report = Report::default();
    let mut all: Vec<Vec<StoredItem>> = Vec::new();
    for kind in AZURE_DEVOPS.kinds {
        let name = kind.spec().name;
        let mut stored: Vec<StoredItem> = items
            .iter()
            .filter(|item| item.kind == name)
            .map(|item| planned(snapshot, journal, item))
            .collect();
        if stored.is_empty() {
            continue;
        }
        let found = kind.find(&cx.target, &stored).await?;
        for (item, found) in stored.iter_mut().zip(found) {
            decide(item, found, journal.conflict);
        }
        let outcomes = kind.restore(&cx, Pass::Create, &stored).await?;
        for (item, outcome) in stored.iter_mut().zip(outcomes) {
            take(&mut report, item, outcome);
            if let Some(new_id) = &item.new_id {
                journal.ids.known.lock().unwrap().insert(
                    (item.item.kind.clone(), item.item.id.clone()),
                    new_id.clone(),
                );
            }
        }
        all.push(stored);
    }
    for stored in &mut all {
        let kind = AZURE_DEVOPS.kind(&stored[0].item.kind).unwrap();
        let outcomes = kind.restore(&cx, Pass::Connect, stored).await?;
        for (item, outcome) in stored.iter_mut().zip(outcomes) {
            take(&mut report, item, outcome);
        }
        let verified = kind.verify(&cx.target, stored).await?;
        for (item, differences) in stored.iter().zip(verified) {
            report.done += 1;
            report.differences.extend(
                differences
                    .into_iter()
                    .map(|difference| format!("{} `{}`: {difference}", item.item, item.name)),
            );
        }
    }
    Ok(report)
}

/// What stands at the target for items of one kind.
pub(crate) async fn found(
    http: &Client,
    snapshot: &Snapshot,
    journal: &Journal,
    items: &[ItemRef],
) -> Vec<Option<FoundState>> {
    let work = tempfile::tempdir().unwrap();
    let target = journal.target(http, snapshot, work.path());
    let kind = AZURE_DEVOPS.kind(&items[0].kind).unwrap();
    let stored: Vec<StoredItem> = items
        .iter()
        .map(|item| planned(snapshot, journal, item))
        .collect();
    let found = kind.find(&target, &stored).await.unwrap();
    found
        .into_iter()
        .map(|found| found.map(|found| found.state))
        .collect()
}

/// Which of these items are recognized under these ids.
pub(crate) async fn recognized(
    http: &Client,
    snapshot: &Snapshot,
    journal: &Journal,
    items: &[(&ItemRef, String)],
) -> Vec<bool> {
    let work = tempfile::tempdir().unwrap();
    let target = journal.target(http, snapshot, work.path());
    let kind = AZURE_DEVOPS.kind(&items[0].0.kind).unwrap();
    let stored: Vec<StoredItem> = items
        .iter()
        .map(|(item, new_id)| StoredItem {
            new_id: Some(new_id.clone()),
            ..planned(snapshot, journal, item)
        })
        .collect();
    kind.recognize(&target, &stored).await.unwrap()
}

/// In what a restored item differs from the snapshot.
pub(crate) async fn differences(
    http: &Client,
    snapshot: &Snapshot,
    journal: &Journal,
    item: &ItemRef,
) -> Vec<String> {
    let work = tempfile::tempdir().unwrap();
    let target = journal.target(http, snapshot, work.path());
    let kind = AZURE_DEVOPS.kind(&item.kind).unwrap();
    let stored = [planned(snapshot, journal, item)];
    kind.verify(&target, &stored).await.unwrap().remove(0)
}

/// Which revision of a restored item stands at the target.
pub(crate) async fn revision(
    http: &Client,
    snapshot: &Snapshot,
    journal: &Journal,
    item: &ItemRef,
) -> Option<String> {
    let work = tempfile::tempdir().unwrap();
    let target = journal.target(http, snapshot, work.path());
    let kind = AZURE_DEVOPS.kind(&item.kind).unwrap();
    let stored = [planned(snapshot, journal, item)];
    let revisions = kind.revisions(&target, &stored).await.unwrap();
    revisions.into_iter().next().flatten()
}

/// What an item loses when it is written so, into what has this id there.
pub(crate) async fn losses(
    http: &Client,
    snapshot: &Snapshot,
    journal: &Journal,
    (item, action, new_id): (&ItemRef, Action, Option<&str>),
) -> Vec<Loss> {
    let work = tempfile::tempdir().unwrap();
    let target = journal.target(http, snapshot, work.path());
    let kind = AZURE_DEVOPS.kind(&item.kind).unwrap();
    let stored = StoredItem {
        action,
        new_id: new_id.map(str::to_owned),
        ..planned(snapshot, journal, item)
    };
    kind.losses(&target, &stored).await.unwrap().unwrap()
}

fn planned(snapshot: &Snapshot, journal: &Journal, item: &ItemRef) -> StoredItem {
    let key = (item.kind.clone(), item.id.clone());
    let new_id = journal.ids.known.lock().unwrap().get(&key).cloned();
    StoredItem {
        item: item.clone(),
        name: snapshot.names.get(item).cloned().unwrap_or_default(),
        action: Action::Create,
        open_intent: new_id.is_none() && journal.intents.lock().unwrap().contains(item),
        new_id,
    }
}

fn decide(item: &mut StoredItem, found: Option<Found>, conflict: Conflict) {
    let Some(found) = found else { return };
    if item.new_id.is_some() {
        return;
    }
    item.action = match (found.state, conflict) {
        (FoundState::Deleted, _) => Action::Undelete,
        (FoundState::Automatic, _) => Action::Merge,
        (FoundState::Present, _) if item.open_intent => Action::Create,
        (FoundState::Present, Conflict::Skip) => Action::Skip,
        (FoundState::Present, Conflict::Replace) => Action::Replace,
        (FoundState::Present, Conflict::Duplicate) => return,
    };
    item.new_id = Some(found.id);
}

fn take(report: &mut Report, item: &mut StoredItem, outcome: Outcome) {
    match outcome {
        Outcome::Done { new_id, losses } => {
            item.new_id = Some(new_id);
            report.losses.extend(
                losses
                    .into_iter()
                    .map(|loss| format!("{}: {loss}", item.item)),
            );
        }
        Outcome::Left { new_id, why } => {
            item.new_id = Some(new_id);
            report.losses.push(format!("{}: {why}", item.item));
        }
        Outcome::Unchanged => {}
        Outcome::Failed { code, message } => report
            .failed
            .push(format!("{} `{}`: {code}: {message}", item.item, item.name)),
    }
}
