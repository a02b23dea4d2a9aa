//! The crawl: streams first, then the documents of what they named. Tokens are taken before documents are read, so nothing falls between.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use futures::future::try_join;
use model::ItemRef;
use serde_json::value::RawValue;
use service::{Client, Crawl, Cursor, Error, Item, Result};

use super::attachments::{self, Fetched};
use super::document::{Discussion, Head, Link};
use super::marks::{ANEW, DELETED, Marks, REVISED, SEEN, TALKED};
use super::position::{Position, Wanted};
use super::stream::{self, Begin, DISCUSSIONS, LINKS, Page, REVISIONS as REVISION_STREAM, Reader};
use super::{RECYCLE_BIN, REVISIONS, WORK_ITEM};
use crate::api::{self, DEV, Paging, STABLE};
use crate::raw::Number;

/// What all steps of one crawl share.
pub(super) struct Run<'a> {
    pub(super) cx: &'a Crawl<'a>,
    pub(super) http: Client,
    /// Counted for comments and attachments.
    pub(super) comment_http: Client,
    pub(super) attachment_http: Client,
    pub(super) wanted: Wanted,
    /// Everything is read, whatever was read before.
    pub(super) full: bool,
    /// Everything is read although the snapshot before has work items: parts of then may no longer be true.
    pub(super) again: bool,
    pub(super) fetched: Fetched,
    /// Items that could not be read whole.
    pub(super) failed: Mutex<BTreeSet<u32>>,
}

impl<'a> Run<'a> {
    fn new(cx: &'a Crawl<'a>, wanted: Wanted, full: bool) -> Self {
        Self {
            cx,
            http: cx.http.tagged(WORK_ITEM),
            comment_http: cx.http.tagged("comment"),
            attachment_http: cx.http.tagged("attachment"),
            wanted,
            full,
            again: false,
            fetched: Fetched::default(),
            failed: Mutex::default(),
        }
    }

    /// Something of an item could not be read: it becomes an issue and is tried again next time.
    pub(super) fn failed(&self, id: u32, issue: model::Issue) {
        self.failed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(id);
        self.cx.sink.issue(issue);
    }
}

pub(super) fn item(id: u32) -> ItemRef {
    ItemRef::new(WORK_ITEM, "", &id.to_string())
}

pub(super) async fn crawl(cx: &Crawl<'_>) -> Result<Cursor> {
    let wanted = Wanted::of(cx.selection);
    if let Some(position) = cx.cursor.and_then(|cursor| Position::read(cursor, wanted)) {
        match changes(cx, position).await {
            Err(Interrupted::Expired) => tracing::info!(
                "the service no longer knows the last position in its streams: reading everything"
            ),
            Err(Interrupted::Failed(error)) => return Err(error),
            Ok(cursor) => return Ok(cursor),
        }
    }
    everything(cx, wanted).await
}

/// The first crawl: every revision, then every document.
async fn everything(cx: &Crawl<'_>, wanted: Wanted) -> Result<Cursor> {
    let mut run = Run::new(cx, wanted, true);
    run.again = !cx.prior.ids(WORK_ITEM, "").await?.is_empty();
    let mut position = Position::start(wanted);
    let mut streams = Streams::new(&run, BTreeSet::new())?;
    let mut revisions = Reader::new(&run.http, &REVISION_STREAM, Begin::Anew);
    let first = revisions.fetch().await?;
    streams.revisions(&mut revisions, first).await?;
    // Only the places in these streams are needed: all documents are read anyway, and they carry the links.
    let since = streams.newest.clone().map_or(Begin::Anew, Begin::Time);
    let mut links = Reader::new(&run.http, &LINKS, since.clone());
    let first = links.fetch().await?;
    to_end(&mut links, first, |_| Ok(())).await?;
    if wanted.comments {
        let mut discussions = Reader::new(&run.http, &DISCUSSIONS, since);
        let first = discussions.fetch().await?;
        to_end(&mut discussions, first, |_| Ok(())).await?;
        position.discussions = discussions.token();
    }
    position.revisions = revisions.token();
    position.links = links.token();
    streams.finish(position).await
}

enum Interrupted {
    Expired,
    Failed(Error),
}

impl From<Error> for Interrupted {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A later crawl: three requests when nothing happened.
async fn changes(cx: &Crawl<'_>, mut position: Position) -> Result<Cursor, Interrupted> {
    let run = Run::new(cx, position.wanted, false);
    let begin = |token: &Option<String>| token.clone().map_or(Begin::Anew, Begin::Token);
    let mut revisions = Reader::new(&run.http, &REVISION_STREAM, begin(&position.revisions));
    let mut links = Reader::new(&run.http, &LINKS, begin(&position.links));
    let mut discussions = Reader::new(&run.http, &DISCUSSIONS, begin(&position.discussions));
    // All three first, so that a token that has expired is known before anything is stored.
    let known = |result: Result<_>| {
        result.map_err(|error| {
            if stream::is_expired(&error) {
                Interrupted::Expired
            } else {
                error.into()
            }
        })
    };
    let first_revisions = known(revisions.fetch().await)?;
    let first_links = known(links.fetch().await)?;
    let first_discussions = if run.wanted.comments {
        Some(known(discussions.fetch().await)?)
    } else {
        None
    };

    let mut streams = Streams::new(&run, std::mem::take(&mut position.bin))?;
    streams.revisions(&mut revisions, first_revisions).await?;
    to_end(&mut links, first_links, |record| {
        for id in read::<Link>(record)?.ends() {
            streams.marks.set(id, SEEN);
        }
        Ok(())
    })
    .await?;
    if let Some(first) = first_discussions {
        to_end(&mut discussions, first, |record| {
            streams
                .marks
                .set(read::<Discussion>(record)?.id, SEEN | TALKED);
            Ok(())
        })
        .await?;
    }
    for &id in position.again.keys() {
        streams.again(id).await?;
    }
    // A stream that said nothing new may leave its token out.
    position.revisions = revisions.token().or(position.revisions);
    position.links = links.token().or(position.links);
    position.discussions = discussions.token().or(position.discussions);
    Ok(streams.finish(position).await?)
}

/// Reads a stream of which only ids matter.
async fn to_end(
    reader: &mut Reader<'_>,
    first: service::http::Answer,
    mut each: impl FnMut(&RawValue) -> Result<()>,
) -> Result<()> {
    let mut answer = first;
    loop {
        let page: Page<'_> = answer.json()?;
        for record in &page.values {
            each(record)?;
        }
        reader.advance(&page)?;
        if reader.done {
            return Ok(());
        }
        answer = reader.fetch().await?;
    }
}

fn read<'a, T: serde::Deserialize<'a>>(record: &'a RawValue) -> Result<T> {
    serde_json::from_str(record.get()).map_err(|error| {
        Error::malformed(format!(
            "a record of a work item stream is not understood: {error}"
        ))
    })
}

/// What the streams say, on its way into the snapshot.
struct Streams<'r, 'a> {
    run: &'r Run<'a>,
    marks: Marks,
    /// Items in the recycle bin.
    bin: BTreeSet<u32>,
    /// When the last revision was made.
    newest: Option<String>,
    organization: String,
    said: Said,
}

/// What revisions say that is needed when their item is read.
#[derive(Default)]
pub(super) struct Said {
    /// Attachments that texts of revisions name, by item: older texts may name what the newest no longer does.
    pub(super) files: HashMap<u32, Vec<String>>,
    /// How many later versions of a comment the revisions tell the text of, by comment.
    pub(super) versions: HashMap<u32, u32>,
}

impl<'r, 'a> Streams<'r, 'a> {
    fn new(run: &'r Run<'a>, bin: BTreeSet<u32>) -> Result<Self> {
        Ok(Self {
            run,
            marks: Marks::default(),
            bin,
            newest: None,
            organization: run.organization()?,
            said: Said::default(),
        })
    }

    /// An item that could not be read whole: its revisions are stored, what they name may not be.
    async fn again(&mut self, id: u32) -> Result<()> {
        self.marks.set(id, SEEN | TALKED);
        if self.run.wanted.attachments
            && let Some(revisions) = self.run.cx.prior.part(&item(id), REVISIONS).await?
        {
            self.files(id, &String::from_utf8_lossy(&revisions));
        }
        Ok(())
    }

    fn files(&mut self, id: u32, text: &str) {
        if !attachments::any(text) {
            return;
        }
        let files = self.said.files.entry(id).or_default();
        attachments::scan(text, &self.organization, files);
        // Whoever names a file first keeps it: here, where the order is always the same.
        for guid in files {
            self.run.fetched.claim(guid, id);
        }
    }

    /// The next page is on its way while one is stored.
    async fn revisions(
        &mut self,
        reader: &mut Reader<'_>,
        first: service::http::Answer,
    ) -> Result<()> {
        let mut answer = first;
        loop {
            let page: Page<'_> = answer.json()?;
            reader.advance(&page)?;
            if reader.done {
                return self.page(&page).await;
            }
            let (next, ()) = try_join(reader.fetch(), self.page(&page)).await?;
            drop(page);
            answer = next;
        }
    }

    async fn page(&mut self, page: &Page<'_>) -> Result<()> {
        for record in &page.values {
            self.revision(record).await?;
        }
        Ok(())
    }

    async fn revision(&mut self, record: &RawValue) -> Result<()> {
        let head: Head<'_> = read(record)?;
        let (id, sink) = (head.id, self.run.cx.sink);
        let item = item(id);
        if self.run.full && self.run.cx.cursor.is_some() && self.marks.get(id) & ANEW == 0 {
            sink.remove_part(&item, REVISIONS).await?;
            self.marks.set(id, ANEW);
        }
        sink.append(&item, REVISIONS, record.get().as_bytes())
            .await?;
        self.marks.set(id, SEEN | REVISED);
        if head.fields.talks() || head.comment.is_some() {
            self.marks.set(id, TALKED);
        }
        if head.comment.as_ref().is_some_and(|comment| {
            comment.version > 1 && comment.text.is_some_and(|text| text.get() != "null")
        }) {
            let comment = head.comment.as_ref().map_or(0, |comment| comment.id);
            *self.said.versions.entry(comment).or_default() += 1;
        }
        if self.run.wanted.attachments {
            self.files(id, record.get());
        }
        if head.fields.is_deleted() {
            self.deleted(&head, record).await?;
        } else if self.bin.remove(&id) {
            self.marks.clear(id, DELETED);
            sink.remove_part(&item, RECYCLE_BIN).await?;
        } else if self.run.again {
            sink.remove_part(&item, RECYCLE_BIN).await?;
        }
        if let Some(changed) = head.fields.changed {
            self.newest = Some(changed.into_owned());
        }
        Ok(())
    }

    /// The revision that says so stands for the recycle bin's own entry until that is read, and for the document if there never was one.
    async fn deleted(&mut self, head: &Head<'_>, record: &RawValue) -> Result<()> {
        let (cx, item) = (self.run.cx, item(head.id));
        self.marks.set(head.id, DELETED);
        if self.bin.insert(head.id) || self.run.full {
            cx.sink
                .part(&item, RECYCLE_BIN, record.get().as_bytes())
                .await?;
        }
        if cx.prior.document(&item).await?.is_some() {
            return cx.sink.keep(&item).await;
        }
        cx.sink
            .upsert(
                &Item {
                    item,
                    name: head.fields.name(),
                    modified: head.fields.modified(),
                },
                record.get().as_bytes(),
            )
            .await
    }

    /// Recycle bin and documents; the cursor for next time.
    async fn finish(self, mut position: Position) -> Result<Cursor> {
        let Self {
            run,
            marks,
            bin,
            said,
            ..
        } = self;
        if marks.ids(DELETED, 0).next().is_some() {
            recycle_bin(run, &marks).await?;
        }
        let live: Vec<u32> = marks
            .ids(SEEN, DELETED)
            .filter(|id| !bin.contains(id))
            .collect();
        run.cx.sink.expect(live.len() as u64);
        super::batch::documents(run, &marks, &said, &live).await?;
        for id in marks.ids(SEEN, 0).filter(|id| bin.contains(id)) {
            if let Some(files) = said.files.get(&id) {
                attachments::fetch(run, id, files.clone(), &attachments::Sizes::new()).await?;
            }
        }
        let failed = std::mem::take(
            &mut *run
                .failed
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        position.again = position.retried(&failed);
        position.bin = bin;
        position.write()
    }
}

/// The recycle bin's own entries of items that were deleted; read only when one was.
async fn recycle_bin(run: &Run<'_>, marks: &Marks) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Entry {
        id: Number,
    }
    let entries = match api::pages(
        &run.http,
        "/_apis/wit/recyclebin",
        STABLE,
        Paging::Whole,
        &[],
    )
    .await
    {
        Ok(entries) => entries,
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) => {
            tracing::warn!(
                host = DEV,
                "the recycle bin of work items cannot be read: {error}"
            );
            for id in marks.ids(DELETED, 0) {
                run.cx
                    .sink
                    .issue(error.to_issue(WORK_ITEM, "", Some(item(id))));
            }
            return Ok(());
        }
    };
    for entry in entries.values()? {
        let Number(id) = read::<Entry>(entry)?.id;
        if marks.get(id) & DELETED != 0 {
            run.cx
                .sink
                .part(&item(id), RECYCLE_BIN, entry.get().as_bytes())
                .await?;
        }
    }
    Ok(())
}
