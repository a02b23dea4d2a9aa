//! One attempt at a snapshot: crawl, find out what is gone, merge, describe, commit.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use model::{Counts, Event, Issue, ItemRef, SourceFile};
use rand::RngExt as _;
use repository::{LockGuard, Snapshot, TreeId, Writer};

use super::checkpoint::{Checkpoint, Checkpoints, Order};
use super::crawls::{self, Crawled};
use super::gaps::{self, Judge};
use super::gone::Absence;
use super::parent::{Parent, USER, older, tags};
use super::prior::Prior;
use super::resume::{self, Left};
use super::stale::Still;
use super::{BackupContext, BackupReport, BackupRequest, describe};
use crate::coordinator::SnapshotInfo;
use crate::layout::Layouts;
use crate::merge::{Far, Merge, Merged};
use crate::rebuild::DiffRows;
use crate::rows::SpooledRows;
use crate::sink::{Collected, Collector};
use crate::spool::Spool;
use crate::stored::{Gap, SnapshotReader};
use crate::{Error, Result};

/// Reports of progress are at least so far apart.
const APART: Duration = Duration::from_secs(1);

pub(super) struct Attempt<'a> {
    pub cx: &'a BackupContext<'a>,
    pub request: &'a BackupRequest,
    pub lock: &'a LockGuard,
    pub parent: Option<&'a Parent>,
    /// The snapshot before, read around what is damaged in it.
    pub base: &'a SnapshotReader,
    /// Kinds that are read from the beginning: what the snapshot before has of them is not known whole.
    pub anew: BTreeSet<&'static str>,
}

/// What an attempt, or what it does before the commit, came to.
pub(super) enum Ended<T> {
    Whole(Box<T>),
    /// Something of the snapshot before cannot be read: these kinds have to be read from the beginning.
    Anew(BTreeSet<&'static str>),
}

/// A snapshot that only needs to be committed.
struct Made {
    writer: Writer,
    tree: TreeId,
    source: SourceFile,
    rows: Spool,
}

/// What the crawls of all kinds came to.
pub(super) struct Sent {
    pub started: Timestamp,
    pub crawled: Crawled,
    pub issues: Vec<Issue>,
    /// Bytes by kind.
    pub received: BTreeMap<String, u64>,
    /// Items that are not taken for gone: nobody mentioned them, or they are doubted together.
    pub kept: Vec<ItemRef>,
    pub still: Still,
    /// How many items complete crawls told of, by kind.
    told: BTreeMap<String, u64>,
}

impl Sent {
    /// What issues are about, and what is kept unlisted: it was carried over if the snapshot before has it.
    pub(super) fn carried(&self) -> BTreeSet<&ItemRef> {
        let issues = self.issues.iter();
        let doubted = issues.filter_map(|issue| issue.item.as_ref());
        doubted.chain(&self.kept).chain(&self.still.items).collect()
    }
}

impl Attempt<'_> {
    /// From what an earlier run has left, if it may, or from the beginning.
    pub(super) async fn run(&self, go_on: bool) -> Result<Ended<BackupReport>> {
        let work = crate::work::private(&self.request.work)
            .map_err(Error::io("cannot make a folder for temporary files"))?;
        let made = tokio::select! {
            made = self.make(work.path(), go_on) => made?,
            // Only until here: the commit looks at the lock itself, and what it has written stands, whatever becomes of the lock.
            error = self.lock.lost() => return Err(error.into()),
        };
        match made {
            Ended::Whole(made) => Ok(Ended::Whole(Box::new(self.commit(*made).await?))),
            Ended::Anew(kinds) => Ok(Ended::Anew(kinds)),
        }
    }

    /// Everything but the commit.
    async fn make(&self, work: &Path, go_on: bool) -> Result<Ended<Made>> {
        let (mut sent, changes, mut writer) = self.crawl(work, go_on).await?;
        let known = self.base.gaps();
        let verdict = self.judge(&sent).judge(&known);
        if !verdict.anew.is_empty() {
            writer.flush().await?;
            return Ok(Ended::Anew(verdict.anew));
        }
        for number in &verdict.failed {
            sent.crawled.fail(*number, self.parent);
        }
        self.phase("write");
        let merge = Merge {
            layouts: self.layouts(),
            prior: self.base,
            crawls: &sent.crawled.infos,
            left_out: &sent.crawled.left_out(),
            started: sent.started,
            empty: verdict.empty.iter().map(|gap| &*gap.folder).collect(),
            doubted: sent.still.folders(self.layouts()),
        };
        let rows = spool(work, "rows")?;
        let mut pace = self.pace("write");
        let mut merged = merge.run(changes, &mut writer, rows, &mut pace).await?;
        if let Some(anew) = self.overlooked(&sent, &known) {
            writer.flush().await?;
            return Ok(Ended::Anew(anew));
        }
        self.tell_gaps(&mut sent, &mut merged).await?;
        if self.parent.is_some_and(|parent| parent.is_doubtful) {
            let kinds = self.cx.service.kinds.iter();
            merged.recount.extend(kinds.map(|kind| kind.spec().name));
        }
        self.carry(&mut sent, &mut writer, &merged).await?;
        self.tell_lost(&mut sent, &mut writer, merged.tree).await?;
        let source = self.describe(sent, &merged, self.base).await?;
        let tree = describe::put_source(&mut writer, Some(merged.tree), &source).await?;
        Ok(Ended::Whole(Box::new(Made {
            writer,
            tree,
            source,
            rows: merged.rows,
        })))
    }

    /// Everything is read, whatever was read before: because a person wants that, or because the snapshot before may lack what its
    /// cursors would not ask for again.
    pub(super) fn is_full(&self) -> bool {
        self.request.full || self.parent.is_some_and(|parent| parent.is_doubtful)
    }

    pub(super) fn layouts(&self) -> Layouts {
        Layouts::new(self.cx.service)
    }

    fn judge<'s>(&'s self, sent: &'s Sent) -> Judge<'s> {
        Judge {
            layouts: self.layouts(),
            crawled: &sent.crawled,
            told: &sent.told,
            parent: self.parent,
            accepted: &self.request.accept_deletions,
        }
    }

    /// Kinds that need another attempt, because the merge alone came upon a gap and not all that belongs there has been told.
    fn overlooked(&self, sent: &Sent, known: &[Gap]) -> Option<BTreeSet<&'static str>> {
        let mut gaps = self.base.gaps();
        gaps.retain(|gap| known.iter().all(|known| known.folder != gap.folder));
        let verdict = self.judge(sent).judge(&gaps);
        let failed = verdict.failed.iter();
        let failed = failed.map(|number| sent.crawled.infos[usize::from(*number)].kind);
        let kinds: BTreeSet<_> = verdict.anew.into_iter().chain(failed).collect();
        (!kinds.is_empty()).then_some(kinds)
    }

    /// An issue for each gap; what was counted in it is counted again.
    async fn tell_gaps(&self, sent: &mut Sent, merged: &mut Merged) -> Result<()> {
        let (Some(parent), layouts) = (self.parent, self.layouts()) else {
            return Ok(());
        };
        let gaps = self.base.gaps();
        let folders = gaps.iter().map(|gap| gap.folder.clone());
        let older = older(self.cx.repository, self.cx.service, parent, folders).await?;
        for gap in gaps {
            let emptied = merged.emptied.contains(&gap.folder);
            if emptied {
                merged.recount.extend(layouts.counted_at(&gap.folder));
            }
            let issue = gaps::issue(layouts, &gap, emptied, older.get(&gap.folder));
            self.note(issue, &mut sent.issues);
        }
        for (path, node) in std::mem::take(&mut merged.displaced) {
            let issue = gaps::displaced(layouts, &path, node.as_str());
            self.note(issue, &mut sent.issues);
        }
        Ok(())
    }

    async fn crawl(&self, work: &Path, go_on: bool) -> Result<(Sent, Spool, Writer)> {
        let (cx, layouts) = (self.cx, self.layouts());
        let (left, changes) = self.left(work, go_on).await?;
        let started = left
            .as_ref()
            .map_or_else(|| cx.clock.now(), |left| left.checkpoint.started);
        let mut collector = self.collector(work, changes, started);
        let (begun, kept) = left.map_or_else(Default::default, |left| left.pass_on(&mut collector));
        let prior = Prior::new(self.base, layouts, kept);
        let crawled = crawls::crawl_all(self, &prior, &collector, begun, started).await?;
        let Collected {
            writer,
            spool: mut changes,
            mentioned,
            mut issues,
            doubted,
            received,
        } = collector.finish();
        issues.extend(crawled.issues.iter().cloned());
        let accepted = &self.request.accept_deletions;
        let absence = Absence::new(layouts, &prior, &crawled, &mentioned, accepted);
        let doubts = absence.find(&mut changes).await?;
        for issue in doubts.issues {
            self.note(issue, &mut issues);
        }
        let still = self.still(&crawled, &mentioned);
        let sent = Sent {
            started,
            crawled,
            issues,
            received,
            kept: [doubts.kept, doubted].concat(),
            still,
            told: by_kind(&mentioned),
        };
        Ok((sent, changes, writer))
    }

    /// What an earlier run has left, if this one may go on from it, and the spool with what that had sent.
    async fn left(&self, work: &Path, go_on: bool) -> Result<(Option<Left>, Spool)> {
        let mut changes = spool(work, "changes")?;
        let left = if go_on {
            resume::left(self.cx, &self.order(), self.parent, &mut changes).await?
        } else {
            None
        };
        Ok((left, changes))
    }

    fn collector(&self, work: &Path, changes: Spool, started: Timestamp) -> Collector<'_> {
        let cx = self.cx;
        let row = Checkpoint::new(&self.request.run, started, self.order());
        Collector::new(
            Layouts::new(cx.service),
            cx.repository.writer(),
            cx.reporter,
            work.to_owned(),
            self.parent.is_some(),
            Checkpoints::new(cx.coordinator, cx.client, cx.clock.as_ref(), row),
            changes,
        )
    }

    fn order(&self) -> Order {
        Order {
            service: self.cx.service.name.to_owned(),
            source: self.request.connector.organization.to_lowercase(),
            url: self.request.url.clone(),
            base: self.parent.map(|parent| parent.id),
            selection: self.request.selection.iter().cloned().collect(),
            full: self.is_full(),
            picks: self.request.picks.clone(),
        }
    }

    /// Tells how far a phase is, at most once a second.
    fn pace(&self, phase: &'static str) -> impl FnMut(Far) + Send {
        let mut last: Option<Instant> = None;
        move |far| {
            let soon = last.is_some_and(|last| last.elapsed() < APART);
            if soon && !far.at_end {
                return;
            }
            last = Some(Instant::now());
            let usage = self.cx.client.usage();
            self.cx.reporter.report(Event::Progress {
                phase: phase.to_owned(),
                current: None,
                items: far.items,
                expected: None,
                bytes: far.bytes,
                requests: usage.requests,
                budget_left: usage.budget_left,
            });
        }
    }

    fn phase(&self, phase: &str) {
        self.cx.reporter.report(Event::Phase {
            phase: phase.to_owned(),
        });
    }

    pub(super) fn note(&self, issue: Issue, issues: &mut Vec<Issue>) {
        self.cx.reporter.report(Event::Issue {
            issue: issue.clone(),
        });
        issues.push(issue);
    }

    async fn commit(&self, made: Made) -> Result<BackupReport> {
        let Made {
            mut writer,
            tree,
            source,
            rows,
        } = made;
        self.phase("commit");
        writer.flush().await?;
        self.cx.coordinator.permit_commit().await?;
        let parent = self.parent.map(|parent| parent.id);
        let snapshot = Snapshot {
            parent,
            paths: vec![format!("/{}/{}", source.service, source.source)],
            hostname: source.source.clone(),
            username: USER.to_owned(),
            tags: tags(&source.service, &source.source),
            ..Snapshot::new(source.finished, tree)
        };
        let id = writer.commit(&snapshot, self.lock).await?;
        let stored = writer.stored();
        // Its packs' memory is not needed together with that of the catalog.
        drop(writer);
        let info = SnapshotInfo {
            id,
            time: source.finished,
            tree,
            parent,
            source,
        };
        self.list(&info, rows).await?;
        self.cx.coordinator.checkpoint(None).await?;
        let usage = self.cx.client.usage();
        let counts = Counts {
            kinds: info.source.counts.clone(),
            requests: usage.requests,
            bytes_received: usage.bytes,
            bytes_stored: stored.stored_bytes,
            blobs_stored: stored.blobs,
            stale: info.source.stale.clone(),
        };
        Ok(BackupReport {
            snapshot: id,
            parent,
            source: info.source,
            counts,
        })
    }

    /// Lists the snapshot by what changed, or by all there is where nobody knows its parent: a kill came between that and its rows.
    async fn list(&self, info: &SnapshotInfo, rows: Spool) -> Result<()> {
        let cx = self.cx;
        let mut changed = SpooledRows(rows.sorted()?);
        match cx.coordinator.index(info, &mut changed).await {
            Err(Error::Control { code, .. })
                if code == "snapshot-unknown" && info.parent.is_some() =>
            {
                let whole = SnapshotInfo {
                    parent: None,
                    ..info.clone()
                };
                let mut all = DiffRows::new(cx.repository, cx.service, None, info.tree);
                cx.coordinator.index(&whole, &mut all).await
            }
            listed => listed,
        }
    }
}

/// How many of these items there are of each kind.
fn by_kind(items: &HashSet<ItemRef>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for item in items {
        match counts.get_mut(&item.kind) {
            Some(count) => *count += 1,
            None => drop(counts.insert(item.kind.clone(), 1)),
        }
    }
    counts
}

/// An empty spool in a folder of its own.
fn spool(work: &Path, name: &str) -> Result<Spool> {
    let folder = work.join(name);
    std::fs::create_dir(&folder).map_err(Error::io("cannot make a folder for temporary files"))?;
    Ok(Spool::new(&folder, rand::rng().random()))
}
