//! Export as a ZIP that is made while it is read, piece by piece, with the names that files would get.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use repository::{BlobId, BlobType, Node, NodeType, Repository, TreeId};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::{free_name, join, resolve};
use crate::{Error, Result};

/// Small files that are read together.
const FILES: usize = 256;
const BYTES: u64 = 8 << 20;
/// From here on sizes are written with 64 bits; compression may make a file a little larger.
const LARGE: u64 = 0xF000_0000;
/// What could not be put into the archive is named in this file.
const LEFT_OUT: &str = "left-out.txt";

/// A ZIP of paths of a snapshot. It is whole only when [`Archive::next`] has answered `None`: after an error what came so far has no directory,
/// and no program takes it for an archive.
pub struct Archive {
    repository: Repository,
    zip: Option<ZipWriter<StreamWriter<Made>>>,
    made: Made,
    /// Folders and files that are still to come, the next one last.
    open: Vec<Entry>,
    small: Vec<(BlobId, Entry)>,
    small_bytes: u64,
    ready: VecDeque<(Entry, Bytes)>,
    /// The large file that is being written, and how much of it is.
    large: Option<(Entry, BoxStream<'static, repository::Result<Bytes>>, u64)>,
    left_out: Vec<String>,
    /// What is wanted of the folders that are not taken whole.
    wanted: Wanted,
}

/// Something of the snapshot with its name in the archive.
struct Entry {
    node: Node,
    path: String,
    to: String,
    /// All of it; else what is wanted of it.
    whole: bool,
}

/// What the writer has made and nobody has taken yet.
#[derive(Clone, Default)]
struct Made(Arc<Mutex<Vec<u8>>>);

impl Made {
    fn take(&self) -> Bytes {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *made).into()
    }
}

impl Write for Made {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn broken(error: impl Into<io::Error>) -> Error {
    Error::io("cannot write the archive")(error.into())
}

impl Archive {
    /// Begins an archive of these paths, each under its own name; an empty path is everything. A path that is not there is an error now.
    pub async fn open(repository: &Repository, tree: TreeId, paths: &[String]) -> Result<Self> {
        let mut this = Self::new(repository, Wanted::default());
        let mut taken = HashSet::from([LEFT_OUT.to_owned()]);
        for path in paths {
            match resolve(repository, tree, path).await? {
                None => {
                    let nodes = repository.tree(tree).await?.nodes;
                    this.entries(Within::top(true), nodes, &mut taken)?;
                }
                Some((parent, node)) => {
                    let within = Within {
                        path: &parent,
                        ..Within::top(true)
                    };
                    this.entries(within, vec![node], &mut taken)?;
                }
            }
        }
        this.open.reverse();
        Ok(this)
    }

    /// Begins an archive of these paths, however many, each at its place in the snapshot. One that is not there breaks it off. What is `left_out`
    /// is named in it.
    pub async fn in_place(
        repository: &Repository,
        tree: TreeId,
        paths: Vec<String>,
        left_out: Vec<String>,
    ) -> Result<Self> {
        let mut this = Self::new(repository, Wanted::new(paths));
        this.left_out = left_out;
        let nodes = repository.tree(tree).await?.nodes;
        let mut taken = HashSet::from([LEFT_OUT.to_owned()]);
        this.entries(Within::top(false), nodes, &mut taken)?;
        this.open.reverse();
        Ok(this)
    }

    fn new(repository: &Repository, wanted: Wanted) -> Self {
        let made = Made::default();
        Self {
            repository: repository.clone(),
            zip: Some(ZipWriter::new_stream(made.clone())),
            made,
            open: Vec::new(),
            small: Vec::new(),
            small_bytes: 0,
            ready: VecDeque::new(),
            large: None,
            left_out: Vec::new(),
            wanted,
        }
    }

    /// The next piece, or `None` when the archive is whole.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let made = self.made.take();
            if !made.is_empty() {
                return Ok(Some(made));
            }
            if self.zip.is_none() {
                return Ok(None);
            }
            self.advance().await?;
        }
    }

    async fn advance(&mut self) -> Result<()> {
        if self.large.is_some() {
            return self.more().await;
        }
        if let Some((entry, bytes)) = self.ready.pop_front() {
            self.begin(&entry)?;
            self.write(&bytes)?;
            return entry.complete(bytes.len() as u64);
        }
        let full = self.small.len() >= FILES || self.small_bytes >= BYTES;
        match self.open.pop() {
            Some(entry) if !full => self.take_up(entry).await,
            entry => {
                self.open.extend(entry);
                if self.small.is_empty() {
                    return self.finish();
                }
                self.read_small().await
            }
        }
    }

    async fn take_up(&mut self, entry: Entry) -> Result<()> {
        if entry.node.node_type == NodeType::Dir {
            let tree = entry.node.subtree.ok_or_else(|| Error::Request {
                code: "repository-damaged",
                message: format!("the folder {} has no content", entry.path),
            })?;
            let nodes = self.repository.tree(tree).await?.nodes;
            if nodes.is_empty() {
                let options = options(&entry.node).large_file(false);
                return self.zip()?.add_directory(entry.to, options).map_err(broken);
            }
            let below = self.open.len();
            let within = Within {
                path: &entry.path,
                to: &entry.to,
                whole: entry.whole,
            };
            self.entries(within, nodes, &mut HashSet::new())?;
            self.open[below..].reverse();
            return Ok(());
        }
        if let Some([blob]) = entry.node.content.as_deref() {
            self.small_bytes = self.small_bytes.saturating_add(entry.node.size);
            self.small.push((*blob, entry));
            return Ok(());
        }
        self.begin(&entry)?;
        let pieces = self.repository.stream(&entry.node).boxed();
        self.large = Some((entry, pieces, 0));
        Ok(())
    }

    /// Names what is in a folder; what is neither file nor folder is left out.
    fn entries(
        &mut self,
        within: Within<'_>,
        nodes: Vec<Node>,
        taken: &mut HashSet<String>,
    ) -> Result<()> {
        let mut missing = if within.whole {
            BTreeMap::new()
        } else {
            self.wanted.of(within.path)
        };
        for node in nodes {
            let is_all = within.whole || missing.get(&node.name) == Some(&true);
            // Nothing lies in a file.
            let has_some = node.node_type == NodeType::Dir && missing.contains_key(&node.name);
            if !is_all && !has_some {
                continue;
            }
            missing.remove(&node.name);
            let from = join(within.path, &node.name);
            if !matches!(node.node_type, NodeType::Dir | NodeType::File) {
                let line = format!("{}: a {}", from.escape_debug(), node.node_type.as_str());
                self.left_out.push(line);
                continue;
            }
            let to = join(within.to, &free_name(&node.name, taken));
            self.open.push(Entry {
                node,
                path: from,
                to,
                whole: is_all,
            });
        }
        match missing.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Error::Request {
                code: "repository-damaged",
                message: format!("the snapshot has no `{}`", join(within.path, &name)),
            }),
        }
    }

    async fn read_small(&mut self) -> Result<()> {
        self.small_bytes = 0;
        let wanted = std::mem::take(&mut self.small);
        let read = self
            .repository
            .blobs(BlobType::Data, wanted, |entry: Entry, bytes| {
                bytes.map(|bytes| (entry, Bytes::copy_from_slice(bytes)))
            });
        for one in read.await? {
            self.ready.push_back(one?);
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<()> {
        let Some((entry, mut pieces, written)) = self.large.take() else {
            return Ok(());
        };
        match pieces.try_next().await? {
            Some(piece) => {
                self.write(&piece)?;
                self.large = Some((entry, pieces, written + piece.len() as u64));
                Ok(())
            }
            None => entry.complete(written),
        }
    }

    fn zip(&mut self) -> Result<&mut ZipWriter<StreamWriter<Made>>> {
        let ended = || broken(io::Error::other("the archive has ended"));
        self.zip.as_mut().ok_or_else(ended)
    }

    fn begin(&mut self, entry: &Entry) -> Result<()> {
        let options = options(&entry.node);
        self.zip()?
            .start_file(entry.to.as_str(), options)
            .map_err(broken)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.zip()?.write_all(bytes).map_err(broken)
    }

    fn finish(&mut self) -> Result<()> {
        if !self.left_out.is_empty() {
            let text = self.left_out.join("\n");
            let options = SimpleFileOptions::default();
            self.zip()?.start_file(LEFT_OUT, options).map_err(broken)?;
            self.write(text.as_bytes())?;
        }
        if let Some(zip) = self.zip.take() {
            zip.finish().map_err(broken)?;
        }
        Ok(())
    }
}

/// The folder whose entries are named: its path, its name in the archive, and whether it is taken whole.
#[derive(Clone, Copy)]
struct Within<'a> {
    path: &'a str,
    to: &'a str,
    whole: bool,
}

impl Within<'_> {
    fn top(whole: bool) -> Self {
        Self {
            path: "",
            to: "",
            whole,
        }
    }
}

/// Paths in their order, so that those below a folder stand together.
#[derive(Default)]
struct Wanted(Vec<String>);

impl Wanted {
    fn new(mut paths: Vec<String>) -> Self {
        paths.sort_unstable();
        Self(paths)
    }

    /// The names that are wanted of a folder, and whether all of each is.
    fn of(&self, folder: &str) -> BTreeMap<String, bool> {
        let above = join(folder, "");
        let first = self.0.partition_point(|path| *path < above);
        let below = self.0[first..].iter();
        let mut names = BTreeMap::new();
        for path in below.map_while(|path| path.strip_prefix(&above)) {
            let (name, rest) = path.split_once('/').unwrap_or((path, ""));
            *names.entry(name.to_owned()).or_insert(false) |= rest.is_empty();
        }
        names
    }
}

impl Entry {
    fn complete(&self, written: u64) -> Result<()> {
        if written == self.node.size {
            return Ok(());
        }
        Err(Error::Request {
            code: "repository-damaged",
            message: format!(
                "{} should have {} bytes and has {written}",
                self.path, self.node.size
            ),
        })
    }
}

fn options(node: &Node) -> SimpleFileOptions {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(0o644)
        .large_file(node.size >= LARGE);
    match moment(node.mtime) {
        Some(time) => options.last_modified_time(time),
        None => options,
    }
}

/// In UTC; `None` before 1980, which archives do not know.
fn moment(time: Timestamp) -> Option<zip::DateTime> {
    let at = time.to_zoned(TimeZone::UTC);
    let part = |value: i8| u8::try_from(value).ok();
    zip::DateTime::from_date_and_time(
        u16::try_from(at.year()).ok()?,
        part(at.month())?,
        part(at.day())?,
        part(at.hour())?,
        part(at.minute())?,
        part(at.second())?,
    )
    .ok()
}
