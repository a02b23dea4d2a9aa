//! Verification of one snapshot: every byte that it reaches is read back, every document parsed, every reference resolved.
//!
//! `repository check` asks whether the repository gives back what was stored. This asks whether what was stored is whole: a program with an
//! error stores nonsense faithfully. What only a kind knows (that git packs are closed, which files a document names) it is asked
//! ([`service::Kind::inspect`]); nothing is asked of the service.

mod declared;
mod item;
mod known;
mod reading;
mod report;
mod walk;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use futures::{TryStreamExt as _, stream};
use model::{Event, ItemRef, Reporter, Severity, SourceFile};
use repository::{Repository, Snapshot, SnapshotId};
use service::Service;
use tokio_util::sync::CancellationToken;

use self::declared::Declared;
use self::item::{Checked, Checker};
use self::known::{Known, Selected, Verdict};
pub use self::report::VerifyReport;
use self::walk::{Gathered, Step, Walk};
use crate::backup::read_source;
use crate::layout::{Layouts, SOURCE_FILE};
use crate::stored::SnapshotReader;
use crate::{Error, Result};

/// Items that are looked at side by side.
const AT_ONCE: usize = 4;
/// Items between two reports of progress.
const PACE: u64 = 64;

/// What a verification works with. Hold a shared lock.
pub struct VerifyContext<'a> {
    pub repository: &'a Repository,
    pub service: &'static Service,
    pub reporter: &'a dyn Reporter,
    pub cancel: &'a CancellationToken,
    /// A folder for temporary files; a private one is made in it and removed afterwards.
    pub work: &'a Path,
}

/// Verifies a snapshot. Damage is reported, not returned as an error; an error means that it could not be looked at.
pub async fn verify(cx: &VerifyContext<'_>, id: SnapshotId) -> Result<VerifyReport> {
    let snapshot = cx.repository.snapshot(id).await?;
    let work = crate::work::private(cx.work)
        .map_err(Error::io("cannot make a folder for temporary files"))?;
    cx.reporter.report(Event::Phase {
        phase: "verify".to_owned(),
    });
    let mut report = VerifyReport::new(id, snapshot.tree);
    let source = match read_source(cx.repository, cx.service, snapshot.tree).await {
        Ok(source) => Some(source),
        Err(error) if error.code() == Some("repository-damaged") => {
            let message = error.to_string();
            report.add(
                "file-unreadable",
                Severity::Damage,
                None,
                SOURCE_FILE,
                message,
            );
            None
        }
        Err(error) => return Err(error),
    };
    let mut verification = Verification {
        cx,
        reader: SnapshotReader::new(cx.repository.clone(), cx.service, Some(snapshot.tree)),
        layouts: Layouts::new(cx.service),
        name: source
            .as_ref()
            .map_or_else(|| tagged(&snapshot), |source| &source.source),
        source: source.as_ref(),
        known: Known::default(),
        gaps: Vec::new(),
        empty: BTreeMap::new(),
        report,
    };
    verification.contents(work.path()).await?;
    let mut declared = Declared::new(cx.repository, cx.service, &snapshot, source.as_ref());
    verification.settle(&mut declared).await?;
    let mut report = verification.report;
    report.finish();
    Ok(report)
}

/// Something is missing; whether that is damage depends on what backups said.
struct Gap {
    code: &'static str,
    /// What is missing.
    about: ItemRef,
    /// What lacks it.
    from: ItemRef,
    path: String,
    message: String,
}

/// An item that the walk has met.
struct Met {
    kind: &'static str,
    id: String,
    /// It has files of its own: a folder with items of other kinds alone is no stored item.
    stored: bool,
}

/// Items that nobody has taken up yet.
#[derive(Default)]
struct Seen(Mutex<Vec<Met>>);

impl Seen {
    fn add(&self, items: Vec<Met>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(items);
    }

    fn take(&self) -> Vec<Met> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen)
    }
}

struct Verification<'a> {
    cx: &'a VerifyContext<'a>,
    reader: SnapshotReader,
    layouts: Layouts,
    /// Of the organization, lower case.
    name: &'a str,
    source: Option<&'a SourceFile>,
    known: Known,
    gaps: Vec<Gap>,
    /// Files of lines without any, by the kind of the lines.
    empty: BTreeMap<&'static str, u64>,
    report: VerifyReport,
}

impl Verification<'_> {
    /// Reads everything once, in the order of the tree.
    async fn contents(&mut self, work: &Path) -> Result<()> {
        let (cx, layouts) = (self.cx, self.layouts);
        let reader = SnapshotReader::new(cx.repository.clone(), cx.service, self.reader.tree_id());
        let checker = Checker::new(&reader, layouts, self.name, work);
        let expected = self
            .source
            .map(|source| source.counts.values().map(|counts| counts.items).sum());
        // The walk notes what there is as it goes; items are looked at behind it.
        let seen = Seen::default();
        let walk = Walk::new(cx.repository, layouts, self.reader.tree_id());
        let steps = stream::try_unfold(walk, |mut walk| async {
            Ok::<_, Error>(walk.next().await?.map(|step| (step, walk)))
        });
        let mut checked = std::pin::pin!(
            steps
                .map_ok(|step| {
                    if let Step::Item(gathered) = &step {
                        seen.add(contained(layouts, gathered));
                    }
                    checker.check(step)
                })
                .try_buffered(AT_ONCE)
        );
        let mut done: u64 = 0;
        loop {
            let outcome = tokio::select! {
                biased;
                () = cx.cancel.cancelled() => return Err(Error::Canceled),
                outcome = checked.try_next() => outcome?,
            };
            for met in seen.take() {
                if met.stored {
                    *self.report.items.entry(met.kind.to_owned()).or_default() += 1;
                }
                self.known.add(met.kind, &met.id);
            }
            let Some(outcome) = outcome else { break };
            self.take(outcome);
            done += 1;
            if done.is_multiple_of(PACE) {
                cx.reporter.report(progress(&self.report, done, expected));
            }
        }
        cx.reporter.report(progress(&self.report, done, expected));
        Ok(())
    }

    fn take(&mut self, checked: Checked) {
        self.report.files += checked.files;
        self.report.bytes += checked.bytes;
        for (kind, lines) in checked.lines {
            *self.report.items.entry(kind.to_owned()).or_default() += lines;
            *self.empty.entry(kind).or_default() += u64::from(lines == 0);
        }
        for finding in checked.findings {
            self.report.push(finding);
        }
        self.gaps.extend(checked.gaps);
        let Some((item, path)) = checked.item else {
            return;
        };
        let service = self.layouts.service();
        let Some(spec) = service.kind(&item.kind).map(service::Kind::spec) else {
            return;
        };
        for alias in checked.inspection.aliases {
            self.known.add(spec.name, &alias);
        }
        for reference in checked.inspection.references {
            self.known.refer(&item, &path, reference);
        }
    }

    /// Decides about what is missing, now that everything is known.
    async fn settle(&mut self, declared: &mut Declared<'_>) -> Result<()> {
        self.counts();
        for pending in self.known.unresolved() {
            match pending.verdict(self.selected(pending.kind)) {
                Verdict::Told(code, severity, message) => {
                    self.report
                        .add(code, severity, Some(pending.from), &pending.path, message);
                }
                Verdict::Gap(gap) => self.gaps.push(gap),
            }
        }
        for gap in std::mem::take(&mut self.gaps) {
            let Gap {
                code,
                about,
                from,
                path,
                message,
            } = gap;
            let (code, severity, message) = match declared.says(&about, &from).await? {
                Some(issue) => (
                    "loss-declared",
                    Severity::Note,
                    format!("{message} (as a backup said: {issue})"),
                ),
                None if declared.is_whole() => (code, Severity::Damage, message),
                None => (
                    "reference-unclear",
                    Severity::Doubt,
                    format!(
                        "{message}; snapshots that could say why are not in this repository any more"
                    ),
                ),
            };
            self.report.add(code, severity, Some(from), &path, message);
        }
        Ok(())
    }

    fn selected(&self, kind: &str) -> Selected {
        let Some(source) = self.source else {
            return Selected::All;
        };
        if !source.selection.iter().any(|selected| selected == kind) {
            return Selected::None;
        }
        match source.picks.0.get(kind) {
            Some(pick) if !pick.is_all() => Selected::Some,
            _ => Selected::All,
        }
    }

    /// The snapshot says how many items of each kind it holds.
    fn counts(&mut self) {
        let Some(source) = self.source else { return };
        for (kind, counts) in &source.counts {
            let found = self.report.items.get(kind).copied().unwrap_or(0);
            if found != counts.items {
                let message = format!(
                    "the snapshot says that it holds {} items of kind {kind}, and {found} are there",
                    counts.items
                );
                let empty = self.empty.get(kind.as_str()).copied().unwrap_or(0);
                // An earlier build counted such a file as one item.
                let is_known = (found..=found + empty).contains(&counts.items);
                self.report.add(
                    "items-miscounted",
                    if is_known {
                        Severity::Note
                    } else {
                        Severity::Damage
                    },
                    None,
                    SOURCE_FILE,
                    message,
                );
            }
        }
    }
}

/// The source's name as the snapshot's tags have it.
fn tagged(snapshot: &Snapshot) -> &str {
    let mut tags = snapshot.tags.iter();
    tags.find_map(|tag| tag.strip_prefix("source="))
        .unwrap_or_default()
}

/// The item and those of its parts that are items of their own kind, by kind and id. Lines are counted when they are read.
fn contained(layouts: Layouts, gathered: &Gathered) -> Vec<Met> {
    let item = &gathered.item;
    let own = layouts.service().kind(&item.kind).map(|kind| Met {
        kind: kind.spec().name,
        id: item.id.clone(),
        stored: !gathered.files.is_empty(),
    });
    let files = gathered.files.iter().filter_map(|file| {
        let spec = layouts.part_kind(&item.kind, &file.part)?.spec();
        match spec.layout {
            service::Layout::Files { folder } => Some(Met {
                kind: spec.name,
                id: file.part[folder.len() + 1..].to_owned(),
                stored: true,
            }),
            _ => None,
        }
    });
    own.into_iter().chain(files).collect()
}

fn progress(report: &VerifyReport, items: u64, expected: Option<u64>) -> Event {
    Event::Progress {
        phase: "verify".to_owned(),
        current: None,
        items: report.items.values().sum::<u64>().max(items),
        expected,
        bytes: report.bytes,
        requests: 0,
        budget_left: None,
    }
}
