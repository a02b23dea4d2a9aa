//! Sources whose newest snapshot has far fewer items than one before: older snapshots may then be the only ones that still have them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use model::SourceFile;
use repository::{Id, Repository, Snapshot};
use service::Service;

use crate::backup::{implausible, is_of, known_source};
use crate::{Error, Result};

/// Descriptions are read side by side: the storage may be far away.
const READS_AT_ONCE: usize = 8;

/// A snapshot of ours, and what it says about itself; `None` when that is damaged.
pub(super) struct Described {
    pub(super) id: Id,
    pub(super) snapshot: Snapshot,
    pub(super) source: Option<SourceFile>,
}

impl Described {
    /// The organization, as the tag has it.
    pub(super) fn name(&self) -> &str {
        source_tag(&self.snapshot).unwrap_or_default()
    }

    /// What is counted on its own: a source. Damaged snapshots of one name count together.
    pub(super) fn key(&self) -> String {
        let id = self.source.as_ref().map(SourceFile::id);
        id.map_or_else(|| self.name().to_owned(), |id| id.address)
    }
}

fn source_tag(snapshot: &Snapshot) -> Option<&str> {
    snapshot
        .tags
        .iter()
        .find_map(|tag| tag.strip_prefix("source="))
}

/// Every snapshot of a service that Keepward made, oldest first. A storage that fails is an error, never a snapshot that is not good.
pub(super) async fn described(
    repository: &Repository,
    service: &'static Service,
) -> Result<Vec<Described>> {
    let ours =
        |snapshot: &Snapshot| is_of(snapshot, service.name) && source_tag(snapshot).is_some();
    let snapshots = repository.snapshots().await?.into_iter();
    let read = snapshots
        .filter(|(_, snapshot)| ours(snapshot))
        .map(|(id, snapshot)| async move {
            let source = known_source(repository, service, &snapshot).await?;
            Ok(Described {
                id,
                snapshot,
                source,
            })
        });
    stream::iter(read)
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await
}

/// A kind of which most is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindDrop {
    pub kind: String,
    pub before: u64,
    pub now: u64,
    /// The snapshot that still had them, and its time.
    pub since: (Id, Timestamp),
}

/// A source whose newest snapshot is suspicious.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// What people call it.
    pub source: String,
    /// Two sources may have one name.
    pub address: String,
    pub snapshot: Id,
    pub kinds: Vec<KindDrop>,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the newest snapshot of {}, {}, has far fewer items than one before:",
            self.source,
            self.snapshot.short()
        )?;
        for (number, drop) in self.kinds.iter().enumerate() {
            let (id, time) = &drop.since;
            let comma = if number > 0 { "," } else { "" };
            let (kind, before, now) = (&drop.kind, drop.before, drop.now);
            write!(
                f,
                "{comma} {now} of kind {kind} where {} of {time:.0} had {before}",
                id.short()
            )?;
        }
        Ok(())
    }
}

/// The sources of a service whose newest snapshot is suspicious.
pub async fn suspicions(
    repository: &Repository,
    service: &'static Service,
) -> Result<Vec<Suspicion>> {
    Ok(find(&described(repository, service).await?))
}

/// Refuses when a source is suspicious that nobody vouched for; `accepted` has names or addresses of organizations, and case does not matter.
pub fn refuse(suspicions: &[Suspicion], accepted: &BTreeSet<String>) -> Result<()> {
    let open: Vec<&Suspicion> = suspicions
        .iter()
        .filter(|suspicion| {
            !accepted.iter().any(|named| {
                named.eq_ignore_ascii_case(&suspicion.source)
                    || named.eq_ignore_ascii_case(&suspicion.address)
            })
        })
        .collect();
    let Some(first) = open.first() else {
        return Ok(());
    };
    let told: Vec<String> = open.iter().map(ToString::to_string).collect();
    Err(Error::Request {
        code: "suspicious-drop",
        message: format!(
            "{}; nothing was removed. If that is right: --accept-drop {}",
            told.join("; "),
            first.source
        ),
    })
}

/// Walks each source from its oldest snapshot on. What a drop is measured against stays until the items are back or the backup's
/// `--accept-deletions` confirmed it: another backup alone does not make a drop plausible.
pub(super) fn find(described: &[Described]) -> Vec<Suspicion> {
    let mut histories: BTreeMap<String, Vec<&Described>> = BTreeMap::new();
    for one in described.iter().filter(|one| one.source.is_some()) {
        histories.entry(one.key()).or_default().push(one);
    }
    histories
        .into_values()
        .filter_map(|history| of_source(&history))
        .collect()
}

fn of_source(history: &[&Described]) -> Option<Suspicion> {
    let newest = history.last()?;
    let mut most: BTreeMap<&str, (u64, &Described)> = BTreeMap::new();
    let mut dropped: BTreeMap<&str, u64> = BTreeMap::new();
    for one in history {
        let Some(source) = &one.source else { continue };
        for (kind, counts) in &source.counts {
            let now = counts.items;
            let before = most.get(kind.as_str()).map_or(0, |(before, _)| *before);
            if implausible(before, before.saturating_sub(now)) && !source.accepted.contains(kind) {
                dropped.insert(kind, now);
            } else {
                dropped.remove(kind.as_str());
                most.insert(kind, (now, one));
            }
        }
    }
    let kinds: Vec<KindDrop> = dropped
        .into_iter()
        .filter_map(|(kind, now)| {
            let (before, had) = most.get(kind)?;
            Some(KindDrop {
                kind: kind.to_owned(),
                before: *before,
                now,
                since: (had.id, had.snapshot.time),
            })
        })
        .collect();
    (!kinds.is_empty()).then(|| Suspicion {
        source: newest.name().to_owned(),
        address: newest.key(),
        snapshot: newest.id,
        kinds,
    })
}
