//! What kinds send into: contents go to the repository at once, everything else to the spool.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use async_trait::async_trait;
use model::{Event, Issue, ItemRef, Reporter};
use repository::{FileContent, Writer};
use serde::{Deserialize, Serialize};
use service::{Item, Sink};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use crate::backup::checkpoint::{Checkpoints, Position};
use crate::backup::pulse::{Named, Pulse};
use crate::backup::scope_key;
use crate::change::{self, Change, Op};
use crate::layout::Layouts;
use crate::rows::newlines;
use crate::spool::Spool;
use crate::{Error, Result};

/// Streams up to this size are held in memory until they are complete, longer ones in a file.
const IN_MEMORY: u64 = 4 << 20;

/// One call of `Kind::crawl`.
#[derive(Clone, Debug)]
pub(crate) struct CrawlInfo {
    pub kind: &'static str,
    pub scope: service::Scope,
    /// It was called without a cursor: what it does not mention is gone.
    pub complete: bool,
}

impl CrawlInfo {
    /// As people are told of it.
    pub(crate) fn phase(&self) -> String {
        format!("crawl {}", scope_key(self.kind, &self.scope.name))
    }
}

/// What all crawls of a run share.
pub(crate) struct Collector<'a> {
    pub layouts: Layouts,
    pub writer: tokio::sync::Mutex<Writer>,
    pub reporter: &'a dyn Reporter,
    pub work: PathBuf,
    /// There is a snapshot before: items that a complete listing does not mention have to be found.
    pub has_prior: bool,
    /// Kinds of which a killed run has left items.
    pub kept: BTreeSet<&'static str>,
    pub checkpoints: Option<Checkpoints<'a>>,
    pub spool: Mutex<Spool>,
    pub pulse: Pulse,
    state: Mutex<State>,
    files: AtomicU64,
}

#[derive(Default)]
struct State {
    mentioned: HashSet<ItemRef>,
    /// Names of the items of kinds that are scopes of others.
    scopes: BTreeMap<&'static str, BTreeMap<String, String>>,
    issues: Vec<Noted>,
    /// So many of the issues are from a run that was killed.
    carried: usize,
    received: BTreeMap<String, u64>,
}

/// An issue of a crawl, and when in it; see [`Change::epoch`].
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Noted {
    pub crawl: u16,
    pub epoch: u32,
    pub issue: Issue,
    /// What it is about, beside the item that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemRef>,
}

impl Noted {
    /// Whether it is about an item; one that names none may be about any.
    fn is_about(&self, item: &ItemRef) -> bool {
        if self.items.is_empty() {
            self.issue.item.as_ref().is_none_or(|of| of == item)
        } else {
            self.items.contains(item)
        }
    }
}

/// What is left when all crawls are done.
pub(crate) struct Collected {
    pub writer: Writer,
    pub spool: Spool,
    pub mentioned: HashSet<ItemRef>,
    pub issues: Vec<Issue>,
    /// Items that issues are about, beside those that they name.
    pub doubted: Vec<ItemRef>,
    /// Bytes by kind.
    pub received: BTreeMap<String, u64>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(
        layouts: Layouts,
        writer: Writer,
        reporter: &'a dyn Reporter,
        work: PathBuf,
        has_prior: bool,
        checkpoints: Option<Checkpoints<'a>>,
        spool: Spool,
    ) -> Self {
        Self {
            layouts,
            writer: tokio::sync::Mutex::new(writer),
            reporter,
            work,
            has_prior,
            kept: BTreeSet::new(),
            checkpoints,
            spool: Mutex::new(spool),
            pulse: Pulse::default(),
            state: Mutex::default(),
            files: AtomicU64::new(0),
        }
    }

    /// The sink of one crawl, which may go on from a position.
    pub(crate) fn sink(
        &self,
        number: u16,
        info: CrawlInfo,
        from: Option<Position>,
    ) -> CrawlSink<'_, 'a> {
        let epoch = from.as_ref().map_or(0, |from| from.epoch + 1);
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.begin(number, &info, from.clone());
        }
        self.pulse.begin(number, &info.phase());
        CrawlSink {
            collector: self,
            number,
            info,
            named: Named::default(),
            epoch: AtomicU32::new(epoch),
            from,
        }
    }

    /// Takes up what a killed run had noted.
    pub(crate) fn carry(
        &mut self,
        issues: Vec<Noted>,
        mentioned: HashSet<ItemRef>,
        kept: BTreeSet<&'static str>,
    ) {
        self.kept = kept;
        for noted in &issues {
            self.reporter.report(Event::Issue {
                issue: noted.issue.clone(),
            });
        }
        let mut state = self.lock();
        state.carried = issues.len();
        state.issues = issues;
        state.mentioned = mentioned;
    }

    pub(crate) fn issues(&self) -> Vec<Noted> {
        self.lock().issues.clone()
    }

    /// The items of a kind that crawls have reported so far, id → name (empty when it was kept unread).
    pub(crate) fn scopes(&self, kind: &str) -> BTreeMap<String, String> {
        self.lock().scopes.get(kind).cloned().unwrap_or_default()
    }

    pub(crate) fn finish(self) -> Collected {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let doubted = state.issues.iter().flat_map(|noted| noted.items.clone());
        Collected {
            writer: self.writer.into_inner(),
            spool: self
                .spool
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
            mentioned: state.mentioned,
            doubted: doubted.collect(),
            issues: state.issues.into_iter().map(|noted| noted.issue).collect(),
            received: state.received,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn push(&self, key: &[u8], change: &Change, line: &[u8]) -> Result<()> {
        let head = change.encode()?;
        let end: &[u8] = if line.is_empty() { b"" } else { b"\n" };
        let mut spool = self
            .spool
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        spool.push(key, &[&head, line, end])
    }

    fn received(&self, kind: &str, bytes: u64) {
        let mut state = self.lock();
        match state.received.get_mut(kind) {
            Some(total) => *total += bytes,
            None => {
                state.received.insert(kind.to_owned(), bytes);
            }
        }
    }

    /// At most one event a second.
    pub(crate) fn progress(&self, client: &service::http::Client) {
        if let Some(event) = self.pulse.report(|| client.usage()) {
            self.reporter.report(event);
        }
    }
}

/// The sink of one crawl.
pub(crate) struct CrawlSink<'c, 'a> {
    collector: &'c Collector<'a>,
    number: u16,
    info: CrawlInfo,
    named: Named,
    epoch: AtomicU32,
    from: Option<Position>,
}

impl Drop for CrawlSink<'_, '_> {
    fn drop(&mut self) {
        self.collector.pulse.end(self.number);
    }
}

impl CrawlSink<'_, '_> {
    fn reads(&self, item: &ItemRef, name: &str) {
        let who = (self.number, &self.named);
        self.collector.pulse.reads(who, item, name);
    }

    fn folder(&self, item: &ItemRef) -> Result<String> {
        let folder = self.collector.layouts.path(item);
        folder
            .filter(|folder| u16::try_from(folder.len()).is_ok())
            .ok_or_else(|| Error::Request {
                code: "answer-not-understood",
                message: format!("{} {:.100} has no place in a snapshot", item.kind, item.id),
            })
    }

    fn record(&self, item: &ItemRef, part: &str, op: Op, line: &[u8]) -> Result<()> {
        if !part
            .split('/')
            .all(|name| part.is_empty() || safe_name(name))
        {
            return Err(Error::Request {
                code: "answer-not-understood",
                message: format!("{item}: {part:?} cannot be the name of a file"),
            });
        }
        let folder = self.folder(item)?;
        let change = Change {
            crawl: self.number,
            item: folder.len() as u16,
            epoch: self.epoch.load(Ordering::Relaxed),
            op,
        };
        self.collector
            .push(&change::key(&folder, part), &change, line)
    }

    fn mention(&self, item: &ItemRef) {
        let listed_before =
            self.collector.has_prior || self.collector.kept.contains(self.info.kind);
        if self.info.complete && listed_before {
            self.collector.lock().mentioned.insert(item.clone());
        }
    }

    /// Remembers the items that are scopes of other kinds.
    fn scope(&self, item: &ItemRef, name: &str) {
        let kinds = self.collector.layouts.service().kinds;
        if let Some(parent) = kinds
            .iter()
            .find_map(|kind| kind.spec().parent.filter(|parent| *parent == item.kind))
        {
            self.collector
                .lock()
                .scopes
                .entry(parent)
                .or_default()
                .insert(item.id.clone(), name.to_owned());
        }
    }

    /// Bytes of a part count for the kind that the part belongs to.
    fn kind_of(&self, item: &ItemRef, part: &str) -> &'static str {
        let layouts = &self.collector.layouts;
        layouts.part_kind(&item.kind, part).map_or_else(
            || {
                layouts
                    .service()
                    .kind(&item.kind)
                    .map_or(self.info.kind, |kind| kind.spec().name)
            },
            |kind| kind.spec().name,
        )
    }

    async fn put(&self, item: &ItemRef, part: &str, bytes: &[u8]) -> Result<()> {
        let content = self.collector.writer.lock().await.bytes(bytes).await?;
        let counted = self.collector.layouts.part_kind(&item.kind, part).is_some();
        let lines = if counted { newlines(bytes) } else { 0 };
        let text = self.collector.layouts.text(&item.kind, part);
        let text = text.map_or_else(String::new, |text| text.of(bytes).into_string());
        self.stored(item, part, content, lines, text)
    }

    /// Notes what a file holds that is in the repository now.
    fn stored(
        &self,
        item: &ItemRef,
        part: &str,
        content: FileContent,
        lines: u64,
        text: String,
    ) -> Result<()> {
        let FileContent { blobs, size } = content;
        self.collector.received(self.kind_of(item, part), size);
        let put = Op::Put {
            blobs,
            size,
            lines,
            text,
        };
        self.record(item, part, put, &[])
    }

    /// What does not fit into memory waits in a file until all of it is there; nothing of half a stream gets into the repository.
    async fn waiting(
        &self,
        path: &Path,
        head: Vec<u8>,
        from: &mut (dyn AsyncRead + Send + Unpin),
    ) -> std::io::Result<File> {
        let mut options = File::options();
        let options = options.create_new(true).read(true).write(true);
        let mut file = options.open(path).await?;
        file.write_all(&head).await?;
        drop(head);
        tokio::io::copy(from, &mut file).await?;
        file.rewind().await?;
        Ok(file)
    }
}

/// Below the smallest piece of the chunker a file is one blob.
pub(crate) const SMALL: u64 = 512 << 10;

/// What an answer's body says of itself; anything else is about our own disk.
fn broken(item: &ItemRef, part: &str, error: std::io::Error) -> service::Error {
    match error.downcast::<service::Error>() {
        Ok(error) => service::Error {
            message: format!("{item}: {part} did not arrive whole: {}", error.message),
            ..error
        },
        Err(error) => Error::io(format!("cannot store {part} of {item}"))(error).into_service(),
    }
}

fn safe_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && name.len() <= 255
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[async_trait]
impl Sink for CrawlSink<'_, '_> {
    async fn upsert(&self, item: &Item, document: &[u8]) -> service::Result<()> {
        self.reads(&item.item, &item.name);
        let send = async {
            let name = self
                .collector
                .layouts
                .document(&item.item.kind)
                .unwrap_or("document.json");
            self.put(&item.item, name, document).await?;
            self.record(
                &item.item,
                "",
                Op::Upsert {
                    name: item.name.clone(),
                    project: self.collector.layouts.project(&item.item.kind, document),
                    modified: item.modified,
                },
                &[],
            )
        };
        send.await.map_err(Error::into_service)?;
        self.mention(&item.item);
        self.collector.pulse.took(self.number);
        self.scope(&item.item, &item.name);
        Ok(())
    }

    async fn keep(&self, item: &ItemRef) -> service::Result<()> {
        self.mention(item);
        if self.collector.checkpoints.is_some() && self.info.complete {
            self.record(item, "", Op::Keep, &[])
                .map_err(Error::into_service)?;
        }
        self.scope(item, "");
        self.collector.pulse.took(self.number);
        Ok(())
    }

    async fn delete(&self, item: &ItemRef) -> service::Result<()> {
        // The service spoke of it: its absence is not to be found out.
        self.mention(item);
        self.record(item, "", Op::Delete, &[])
            .map_err(Error::into_service)
    }

    async fn part(&self, item: &ItemRef, part: &str, bytes: &[u8]) -> service::Result<()> {
        self.reads(item, "");
        self.put(item, part, bytes)
            .await
            .map_err(Error::into_service)
    }

    async fn append(&self, item: &ItemRef, part: &str, line: &[u8]) -> service::Result<()> {
        self.reads(item, "");
        // Within JSON a line break can only stand between tokens, where a space means the same.
        let line = if memchr::memchr2(b'\n', b'\r', line).is_some() {
            let spaced = |byte: &u8| match byte {
                b'\n' | b'\r' => b' ',
                byte => *byte,
            };
            Cow::Owned(line.iter().map(spaced).collect())
        } else {
            Cow::Borrowed(line)
        };
        self.collector
            .received(self.kind_of(item, part), line.len() as u64 + 1);
        self.record(item, part, Op::Append, &line)
            .map_err(Error::into_service)
    }

    async fn stream(
        &self,
        item: &ItemRef,
        part: &str,
        from: &mut (dyn AsyncRead + Send + Unpin),
    ) -> service::Result<u64> {
        let broken = |error| broken(item, part, error);
        let mut head = Vec::new();
        from.take(IN_MEMORY + 1)
            .read_to_end(&mut head)
            .await
            .map_err(broken)?;
        if head.len() as u64 <= IN_MEMORY {
            let size = head.len() as u64;
            self.put(item, part, &head)
                .await
                .map_err(Error::into_service)?;
            return Ok(size);
        }
        let number = self.collector.files.fetch_add(1, Ordering::Relaxed);
        let path = self.collector.work.join(format!("stream-{number}"));
        let file = self.waiting(&path, head, from).await.map_err(broken)?;
        let stored = self.collector.writer.lock().await.file(file).await;
        let content = stored.map_err(|error| Error::from(error).into_service())?;
        tokio::fs::remove_file(&path).await.map_err(broken)?;
        let size = content.size;
        // Nobody searches in what does not fit into memory.
        let text = String::new();
        self.stored(item, part, content, 0, text)
            .map_err(Error::into_service)?;
        Ok(size)
    }

    async fn remove_part(&self, item: &ItemRef, part: &str) -> service::Result<()> {
        self.record(item, part, Op::Remove, &[])
            .map_err(Error::into_service)
    }

    fn issue(&self, issue: Issue) {
        self.doubt(issue, &[]);
    }

    fn doubt(&self, issue: Issue, items: &[ItemRef]) {
        for item in issue.item.iter().chain(items) {
            self.mention(item);
        }
        let noted = Noted {
            crawl: self.number,
            epoch: self.epoch.load(Ordering::Relaxed),
            issue,
            items: items.to_vec(),
        };
        let mut state = self.collector.lock();
        // What was under way when a run was killed is read again, and may fail again.
        let again = |old: &Noted| old.crawl == noted.crawl && old.issue == noted.issue;
        if state.issues[..state.carried].iter().any(again) {
            return;
        }
        state.issues.push(noted.clone());
        drop(state);
        self.collector
            .reporter
            .report(Event::Issue { issue: noted.issue });
    }

    fn expect(&self, items: u64) {
        self.collector.pulse.expect(self.number, items);
    }

    async fn done(&self, item: &ItemRef) -> service::Result<()> {
        let Some(checkpoints) = &self.collector.checkpoints else {
            return Ok(());
        };
        let own = |noted: &Noted| noted.crawl == self.number && noted.is_about(item);
        // What has an issue is looked at again.
        if !self.collector.lock().issues.iter().any(own) {
            self.record(item, "", Op::Done, &[])
                .map_err(Error::into_service)?;
        }
        checkpoints
            .step(self.collector)
            .await
            .map_err(Error::into_service)
    }

    async fn position(
        &self,
        make: &(dyn Fn() -> service::Result<Vec<u8>> + Send + Sync),
    ) -> service::Result<()> {
        let Some(checkpoints) = &self.collector.checkpoints else {
            return Ok(());
        };
        if !checkpoints.is_due() {
            return Ok(());
        }
        let bytes = make()?;
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        checkpoints.reached(self.number, Position::new(epoch, bytes));
        checkpoints
            .step(self.collector)
            .await
            .map_err(Error::into_service)
    }

    fn resumed(&self) -> Option<&[u8]> {
        self.from.as_ref().map(|from| &*from.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use model::Class;

    use super::*;

    #[test]
    fn a_full_disk_is_not_an_answer_that_was_cut_short() {
        let item = ItemRef::new("thing", "", "1");
        let full = broken(&item, "file", io::ErrorKind::StorageFull.into());
        assert_eq!((full.code, full.is_fatal()), ("disk-full", true));
        let failed = broken(&item, "file", io::ErrorKind::PermissionDenied.into());
        assert_eq!((failed.code, failed.is_fatal()), ("storage-failed", true));
        let cut = service::Error::new(Class::Transient, "answer-cut-short", "it closed");
        let cut = broken(&item, "file", io::Error::other(cut));
        assert_eq!((cut.code, cut.is_fatal()), ("answer-cut-short", false));
        assert_eq!(cut.message, "thing 1: file did not arrive whole: it closed");
    }
}
