//! One item: its files are read back, its documents parsed, and its kind is asked about the rest.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt as _;
use model::{Finding, ItemRef, Severity};
use repository::{Node, NodeType};
use serde::de::IgnoredAny;
use service::inspect::{Gravity, Tie};
use service::{Inspect, Inspection, Layout};

use super::Gap;
use super::reading::Reading;
use super::walk::{Gathered, Step, StoredFile, join, unreadable};
use crate::Result;
use crate::layout::{Layouts, SOURCE_FILE};
use crate::stored::SnapshotReader;

/// Larger files of lines are parsed piece by piece, and a kind that wants them reads them again.
const IN_MEMORY: u64 = 16 << 20;

/// What looking at one step of the walk came to.
#[derive(Default)]
pub(super) struct Checked {
    /// The item and its folder.
    pub item: Option<(ItemRef, String)>,
    pub files: u64,
    pub bytes: u64,
    /// Records of kinds whose items are lines of a part.
    pub lines: Vec<(&'static str, u64)>,
    pub findings: Vec<Finding>,
    pub gaps: Vec<Gap>,
    pub inspection: Inspection,
}

pub(super) struct Checker<'a> {
    reader: &'a SnapshotReader,
    layouts: Layouts,
    source: &'a str,
    work: &'a Path,
    state: RandomState,
    /// Contents that were read whole, as numbers.
    seen: Mutex<HashSet<u64>>,
}

/// A file as it was read.
enum Content {
    /// Its pieces are all there.
    Read { size: u64, records: u64 },
    /// It is not what it is to be; a code and why.
    Wrong(&'static str, String),
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        reader: &'a SnapshotReader,
        layouts: Layouts,
        source: &'a str,
        work: &'a Path,
    ) -> Self {
        Self {
            reader,
            layouts,
            source,
            work,
            state: RandomState::new(),
            seen: Mutex::default(),
        }
    }

    pub(super) async fn check(&self, step: Step) -> Result<Checked> {
        match step {
            Step::Item(gathered) => self.item(&gathered).await,
            Step::Loose { path, node } => self.loose(path, &node).await,
            Step::Broken { path, reason } => {
                let mut checked = Checked::default();
                let message = format!("the folder cannot be read: {reason}");
                checked.find("file-unreadable", Severity::Damage, None, &path, message);
                Ok(checked)
            }
        }
    }

    async fn loose(&self, path: String, node: &Node) -> Result<Checked> {
        let mut checked = Checked::default();
        if path != SOURCE_FILE {
            let message = format!("no kind of {} stores a file here", self.title());
            checked.find("file-unexpected", Severity::Note, None, &path, message);
        }
        let file = StoredFile {
            part: path,
            node: node.clone(),
        };
        let content = self.read(&file, &mut None).await?;
        checked.took(None, "", &file, content);
        Ok(checked)
    }

    fn title(&self) -> &'static str {
        self.layouts.service().title
    }

    async fn item(&self, gathered: &Gathered) -> Result<Checked> {
        let (item, path) = (&gathered.item, gathered.path.as_str());
        let mut checked = Checked {
            item: Some((item.clone(), gathered.path.clone())),
            ..Checked::default()
        };
        let mut cache: HashMap<&str, Bytes> = HashMap::new();
        for file in gathered.files.iter().filter(|file| is_json(&file.part)) {
            let mut bytes = None;
            let content = self.read(file, &mut bytes).await?;
            if let (Content::Read { records, .. }, Some(kind)) =
                (&content, self.lines_kind(item, &file.part))
            {
                checked.lines.push((kind, *records));
            }
            if matches!(content, Content::Read { .. })
                && let Some(bytes) = bytes
            {
                cache.insert(&file.part, bytes);
            }
            checked.took(Some(item), path, file, content);
        }
        let done = self.ask(gathered, cache, &mut checked).await?;
        for file in gathered.files.iter().filter(|file| !is_json(&file.part)) {
            if done.contains(&file.part) {
                checked.files += 1;
                checked.bytes += file.node.size;
                continue;
            }
            let content = self.read(file, &mut None).await?;
            checked.took(Some(item), path, file, content);
        }
        Ok(checked)
    }

    /// Asks the kind; returns the parts that it has read whole.
    async fn ask(
        &self,
        gathered: &Gathered,
        cache: HashMap<&str, Bytes>,
        checked: &mut Checked,
    ) -> Result<HashSet<String>> {
        let (item, path) = (&gathered.item, gathered.path.as_str());
        let Some(kind) = self.layouts.service().kind(&item.kind) else {
            return Ok(HashSet::new());
        };
        if let Some(parent) = kind.spec().parent.filter(|_| !item.scope.is_empty()) {
            checked.inspection.refer(parent, &item.scope, Tie::Need, "");
        }
        let name = self.layouts.document(&item.kind).unwrap_or_default();
        if !gathered.files.iter().any(|file| file.part == name) {
            let message = format!("{item} has no {name}");
            checked.gap("document-missing", item, path, message);
        }
        let Some(document) = cache.get(name).cloned() else {
            return Ok(HashSet::new());
        };
        let reading = Reading::new(self.reader, self.layouts, gathered, cache);
        let cx = Inspect {
            stored: &reading,
            source: self.source,
            work: self.work,
        };
        let inspection = match kind.inspect(&cx, item, &document).await {
            Ok(inspection) => inspection,
            // The files are read below, and those that cannot be are named.
            Err(error) if error.code == "repository-damaged" => {
                checked.find(
                    "file-unreadable",
                    Severity::Damage,
                    Some(item),
                    path,
                    error.to_string(),
                );
                Inspection::default()
            }
            Err(error) => return Err(error.into()),
        };
        checked.inspected(item, path, name, inspection);
        Ok(reading.into_read())
    }

    /// The kind whose items are the lines of a part.
    fn lines_kind(&self, item: &ItemRef, part: &str) -> Option<&'static str> {
        let spec = self.layouts.part_kind(&item.kind, part)?.spec();
        matches!(spec.layout, Layout::Lines { .. }).then_some(spec.name)
    }

    /// Reads a file to its end; `keep` gets the bytes of a document or of a few lines.
    async fn read(&self, file: &StoredFile, keep: &mut Option<Bytes>) -> Result<Content> {
        let node = &file.node;
        if node.node_type != NodeType::File {
            let what = node.node_type.as_str();
            return Ok(Content::Wrong(
                "file-unreadable",
                format!("it is a {what} and no file"),
            ));
        }
        let json = is_json(&file.part);
        let number = self
            .state
            .hash_one((node.content.as_deref().unwrap_or_default(), node.size));
        if !json && self.lock().contains(&number) {
            return Ok(Content::Read {
                size: node.size,
                records: 0,
            });
        }
        let content = if json && (node.size <= IN_MEMORY || ends_in(&file.part, "json")) {
            self.document(file, keep).await?
        } else {
            self.pieces(file, json).await?
        };
        Ok(match content {
            Content::Read { size, .. } if size != node.size => Content::Wrong(
                "file-unreadable",
                format!("it has {size} bytes and not {}", node.size),
            ),
            Content::Read { .. } if !json => {
                self.lock().insert(number);
                content
            }
            content => content,
        })
    }

    async fn document(&self, file: &StoredFile, keep: &mut Option<Bytes>) -> Result<Content> {
        let bytes = match self.reader.repository().read(&file.node).await {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Content::Wrong("file-unreadable", unreadable(error)?)),
        };
        let size = bytes.len() as u64;
        let parsed = if ends_in(&file.part, "json") {
            parse(&bytes).map(|()| 1)
        } else {
            let mut lines = Lines::default();
            lines.push(&bytes).and_then(|()| lines.finish())
        };
        match parsed {
            Ok(records) => {
                *keep = Some(bytes);
                Ok(Content::Read { size, records })
            }
            Err(why) => Ok(Content::Wrong("document-malformed", why)),
        }
    }

    async fn pieces(&self, file: &StoredFile, json: bool) -> Result<Content> {
        let (mut size, mut lines) = (0, Lines::default());
        let mut pieces = std::pin::pin!(self.reader.repository().stream(&file.node));
        while let Some(piece) = pieces.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => return Ok(Content::Wrong("file-unreadable", unreadable(error)?)),
            };
            size += piece.len() as u64;
            if json && let Err(why) = lines.push(&piece) {
                return Ok(Content::Wrong("document-malformed", why));
            }
        }
        match lines.finish() {
            Ok(records) => Ok(Content::Read { size, records }),
            Err(why) => Ok(Content::Wrong("document-malformed", why)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Checked {
    fn find(
        &mut self,
        code: &str,
        severity: Severity,
        item: Option<&ItemRef>,
        path: &str,
        message: String,
    ) {
        self.findings.push(Finding {
            code: code.to_owned(),
            severity,
            item: item.cloned(),
            path: path.to_owned(),
            message,
        });
    }

    fn gap(&mut self, code: &'static str, item: &ItemRef, path: &str, message: String) {
        self.gaps.push(Gap {
            code,
            about: item.clone(),
            from: item.clone(),
            path: path.to_owned(),
            message,
        });
    }

    fn took(&mut self, item: Option<&ItemRef>, folder: &str, file: &StoredFile, content: Content) {
        self.files += 1;
        match content {
            Content::Read { size, .. } => self.bytes += size,
            Content::Wrong(code, why) => {
                let path = join(folder, &file.part);
                let message = format!("{path}: {why}");
                self.find(code, Severity::Damage, item, &path, message);
            }
        }
    }

    fn inspected(&mut self, item: &ItemRef, path: &str, document: &str, found: Inspection) {
        if let Some(id) = found.id.filter(|id| !id.eq_ignore_ascii_case(&item.id)) {
            let path = join(path, document);
            let message = format!("{item}: its document is that of {id}");
            self.find(
                "document-misplaced",
                Severity::Damage,
                Some(item),
                &path,
                message,
            );
        }
        for fault in found.faults {
            let path = join(path, &fault.part);
            let message = format!("{item}: {}", fault.message);
            match fault.gravity {
                Gravity::Damage => {
                    self.find(fault.code, Severity::Damage, Some(item), &path, message);
                }
                Gravity::Note => self.find(fault.code, Severity::Note, Some(item), &path, message),
                Gravity::Gap => self.gap(fault.code, item, &path, message),
            }
        }
        self.inspection.aliases = found.aliases;
        self.inspection.references.extend(found.references);
    }
}

fn is_json(part: &str) -> bool {
    ends_in(part, "json") || ends_in(part, "ndjson")
}

fn ends_in(part: &str, ending: &str) -> bool {
    Path::new(part).extension().is_some_and(|own| own == ending)
}

fn parse(bytes: &[u8]) -> Result<(), String> {
    // Ignored texts are not looked into by the parser.
    std::str::from_utf8(bytes).map_err(|error| format!("it is not text: {error}"))?;
    serde_json::from_slice::<IgnoredAny>(bytes)
        .map(drop)
        .map_err(|error| format!("it is not a JSON document: {error}"))
}

/// Records of a file of lines, which comes in pieces.
#[derive(Default)]
struct Lines {
    begun: Vec<u8>,
    records: u64,
}

impl Lines {
    fn push(&mut self, mut piece: &[u8]) -> Result<(), String> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = piece.split_at(end);
            piece = &rest[1..];
            if self.begun.is_empty() {
                self.line(line)?;
            } else {
                self.begun.extend_from_slice(line);
                let line = std::mem::take(&mut self.begun);
                self.line(&line)?;
            }
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        self.records += 1;
        parse(line).map_err(|why| format!("line {}: {why}", self.records))
    }

    fn finish(mut self) -> Result<u64, String> {
        if !self.begun.is_empty() {
            let line = std::mem::take(&mut self.begun);
            self.line(&line)?;
        }
        Ok(self.records)
    }
}
