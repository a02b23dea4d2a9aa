//! What kinds send into: contents go to the repository at once, everything else to the spool.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use model::{Class, Event, Issue, ItemRef, Reporter};
use repository::Writer;
use service::{Item, Sink};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::time::{Duration, Instant};

use crate::change::{self, Change, Op};
use crate::layout::Layouts;
use crate::merge::newlines;
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

/// What all crawls of a run share.
pub(crate) struct Collector<'a> {
    pub layouts: Layouts,
    pub writer: tokio::sync::Mutex<Writer>,
    pub reporter: &'a dyn Reporter,
    pub work: PathBuf,
    /// There is a snapshot before: items that a complete listing does not mention have to be found.
    pub has_prior: bool,
    spool: Mutex<Spool>,
    state: Mutex<State>,
    items: AtomicU64,
    bytes: AtomicU64,
    files: AtomicU64,
}

#[derive(Default)]
struct State {
    mentioned: HashSet<ItemRef>,
    /// Names of the items of kinds that are scopes of others.
    scopes: BTreeMap<&'static str, BTreeMap<String, String>>,
    issues: Vec<Issue>,
    received: BTreeMap<String, u64>,
    expected: u64,
    last_report: Option<Instant>,
}

/// What is left when all crawls are done.
pub(crate) struct Collected {
    pub writer: Writer,
    pub spool: Spool,
    pub mentioned: HashSet<ItemRef>,
    pub issues: Vec<Issue>,
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
        spool: Spool,
    ) -> Self {
        Self {
            layouts,
            writer: tokio::sync::Mutex::new(writer),
            reporter,
            work,
            has_prior,
            spool: Mutex::new(spool),
            state: Mutex::default(),
            items: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            files: AtomicU64::new(0),
        }
    }

    /// The sink of one crawl.
    pub(crate) fn sink(&self, number: u16, info: CrawlInfo) -> CrawlSink<'_, 'a> {
        CrawlSink {
            collector: self,
            number,
            info,
        }
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
        Collected {
            writer: self.writer.into_inner(),
            spool: self
                .spool
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
            mentioned: state.mentioned,
            issues: state.issues,
            received: state.received,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn push(&self, key: &[u8], change: &Change, lines: &[u8]) -> Result<()> {
        let head = change.encode()?;
        let mut spool = self
            .spool
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        spool.push(key, &[&head, lines])
    }

    fn received(&self, kind: &str, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let mut state = self.lock();
        match state.received.get_mut(kind) {
            Some(total) => *total += bytes,
            None => {
                state.received.insert(kind.to_owned(), bytes);
            }
        }
    }

    /// At most one event a second.
    pub(crate) fn progress(&self, phase: &str, usage: &service::http::Usage) {
        let expected = {
            let mut state = self.lock();
            if state
                .last_report
                .is_some_and(|last| last.elapsed() < Duration::from_secs(1))
            {
                return;
            }
            state.last_report = Some(Instant::now());
            (state.expected > 0).then_some(state.expected)
        };
        self.reporter.report(Event::Progress {
            phase: phase.to_owned(),
            items: self.items.load(Ordering::Relaxed),
            expected,
            bytes: self.bytes.load(Ordering::Relaxed),
            requests: usage.requests,
            budget_left: usage.budget_left,
        });
    }
}

/// The sink of one crawl.
pub(crate) struct CrawlSink<'c, 'a> {
    collector: &'c Collector<'a>,
    number: u16,
    info: CrawlInfo,
}

impl CrawlSink<'_, '_> {
    fn folder(&self, item: &ItemRef) -> Result<String> {
        self.collector
            .layouts
            .path(item)
            .ok_or_else(|| Error::Request {
                code: "answer-not-understood",
                message: format!("{item} has no place in a snapshot"),
            })
    }

    fn record(&self, item: &ItemRef, part: &str, op: Op, lines: &[u8]) -> Result<()> {
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
            op,
        };
        self.collector
            .push(&change::key(&folder, part), &change, lines)
    }

    fn mention(&self, item: &ItemRef) {
        if self.info.complete && self.collector.has_prior {
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
        self.collector
            .received(self.kind_of(item, part), bytes.len() as u64);
        let counted = self.collector.layouts.part_kind(&item.kind, part).is_some();
        let lines = if counted { newlines(bytes) } else { 0 };
        self.record(
            item,
            part,
            Op::Put {
                blobs: content.blobs,
                size: content.size,
                lines,
            },
            &[],
        )
    }
}

/// Below the smallest piece of the chunker a file is one blob.
pub(crate) const SMALL: u64 = 512 << 10;

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
                    modified: item.modified,
                },
                &[],
            )
        };
        send.await.map_err(Error::into_service)?;
        self.mention(&item.item);
        self.collector.items.fetch_add(1, Ordering::Relaxed);
        self.scope(&item.item, &item.name);
        Ok(())
    }

    async fn keep(&self, item: &ItemRef) -> service::Result<()> {
        self.mention(item);
        self.scope(item, "");
        self.collector.items.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn delete(&self, item: &ItemRef) -> service::Result<()> {
        // The service spoke of it: its absence is not to be found out.
        self.mention(item);
        self.record(item, "", Op::Delete, &[])
            .map_err(Error::into_service)
    }

    async fn part(&self, item: &ItemRef, part: &str, bytes: &[u8]) -> service::Result<()> {
        self.put(item, part, bytes)
            .await
            .map_err(Error::into_service)
    }

    async fn append(&self, item: &ItemRef, part: &str, line: &[u8]) -> service::Result<()> {
        let mut bytes = Vec::with_capacity(line.len() + 1);
        // Within JSON a line break can only stand between tokens, where a space means the same.
        bytes.extend(line.iter().map(|&byte| {
            if matches!(byte, b'\n' | b'\r') {
                b' '
            } else {
                byte
            }
        }));
        bytes.push(b'\n');
        self.collector
            .received(self.kind_of(item, part), bytes.len() as u64);
        self.record(item, part, Op::Append, &bytes)
            .map_err(Error::into_service)
    }

    async fn stream(
        &self,
        item: &ItemRef,
        part: &str,
        from: &mut (dyn AsyncRead + Send + Unpin),
    ) -> service::Result<u64> {
        let broken = |error: std::io::Error| {
            service::Error::new(
                Class::Transient,
                "answer-cut-short",
                format!("{item}: {part} did not arrive whole: {error}"),
            )
        };
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
        let store = async {
            let mut file = tokio::fs::File::options()
                .create_new(true)
                .read(true)
                .write(true)
                .open(&path)
                .await?;
            file.write_all(&head).await?;
            drop(head);
            tokio::io::copy(from, &mut file).await?;
            file.rewind().await?;
            Ok(file)
        };
        let file = store.await.map_err(broken)?;
        let content = self
            .collector
            .writer
            .lock()
            .await
            .file(file)
            .await
            .map_err(|error| Error::from(error).into_service())?;
        tokio::fs::remove_file(&path).await.map_err(broken)?;
        let size = content.size;
        self.collector.received(self.kind_of(item, part), size);
        self.record(
            item,
            part,
            Op::Put {
                blobs: content.blobs,
                size,
                lines: 0,
            },
            &[],
        )
        .map_err(Error::into_service)?;
        Ok(size)
    }

    async fn remove_part(&self, item: &ItemRef, part: &str) -> service::Result<()> {
        self.record(item, part, Op::Remove, &[])
            .map_err(Error::into_service)
    }

    fn issue(&self, issue: Issue) {
        self.collector.reporter.report(Event::Issue {
            issue: issue.clone(),
        });
        if let Some(item) = &issue.item {
            self.mention(item);
        }
        self.collector.lock().issues.push(issue);
    }

    fn expect(&self, items: u64) {
        self.collector.lock().expected += items;
    }
}
