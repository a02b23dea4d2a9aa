//! The crawl: streams first, then the documents of what they named. Tokens are taken before documents are read, so nothing falls between.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::{join, try_join};
use model::ItemRef;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service::{Client, Crawl, Cursor, Error, Result};
use tokio::sync::Notify;

use super::attachments::{self, Fetched};
use super::bin;
use super::document::{Discussion, Head, Link};
use super::interrupted::Interrupted;
use super::marks::{ANEW, BORN, DELETED, Marks, OUT, REVISED, SEEN, TALKED};
use super::picked::{self, Picked};
use super::position::{Position, Wanted};
use super::progress::{Known, Saved};
use super::renamed::Renamed;
use super::stream::{self, Begin, DISCUSSIONS, LINKS, Page, REVISIONS as REVISION_STREAM, Reader};
use super::sweep::Swept;
use super::unread::{self, read};
use super::vanished;
use super::{RECYCLE_BIN, REVISIONS, WORK_ITEM};
use crate::kinds::project::{self, PROJECT};

/// What all steps of one crawl share.
pub(super) struct Run<'a> {
    pub(super) cx: &'a Crawl<'a>,
    pub(super) http: Client,
    /// Counted for comments and attachments.
    pub(super) comment_http: Client,
    pub(super) attachment_http: Client,
    pub(super) wanted: Wanted,
    /// `None` when all projects are selected.
    pub(super) picked: Option<Picked<'a>>,
    /// The projects that the identity sees, in lower case; `None` when that is not known.
    pub(super) projects: Option<BTreeSet<String>>,
    /// Everything is read, whatever was read before.
    pub(super) full: bool,
    /// Everything is read although the snapshot before has work items: parts of then may no longer be true.
    pub(super) again: bool,
    pub(super) fetched: Fetched,
    /// Documents come spoiled, whichever are asked for.
    pub(super) hopeless: AtomicBool,
    /// Items that could not be read whole.
    pub(super) failed: Mutex<BTreeSet<u32>>,
    /// Items that were looked at to the end since a stream last named them.
    done: Mutex<Marks>,
    /// Another one is done.
    advanced: Notify,
}

impl<'a> Run<'a> {
    fn new(
        cx: &'a Crawl<'a>,
        wanted: Wanted,
        picked: Option<Picked<'a>>,
        projects: Option<BTreeSet<String>>,
        full: bool,
    ) -> Self {
        Self {
            cx,
            http: cx.http.tagged(WORK_ITEM),
            comment_http: cx.http.tagged("comment"),
            attachment_http: cx.http.tagged("attachment"),
            wanted,
            picked,
            projects,
            full,
            again: false,
            fetched: Fetched::default(),
            hopeless: AtomicBool::new(false),
            failed: Mutex::default(),
            done: Mutex::default(),
            advanced: Notify::new(),
        }
    }

    /// Something of an item could not be read: it becomes an issue, and the next run reads the item again, whether a stream tells of it or not.
    pub(super) fn failed(&self, id: u32, issue: model::Issue) {
        lock(&self.failed).insert(id);
        self.cx.sink.issue(issue);
    }

    /// The document in the snapshot before. One that is damaged is as good as empty, and the item is read again next time.
    pub(super) async fn before(&self, id: u32) -> Result<Option<Bytes>> {
        match self.cx.prior.document(&item(id)).await {
            Err(error) if error.is_damage() => {
                self.failed(id, error.to_issue(WORK_ITEM, "", Some(item(id))));
                Ok(Some(Bytes::new()))
            }
            document => document,
        }
    }

    /// The files of an item in the snapshot before; `None` where its folder is damaged: it is there, and what was in it comes anew.
    pub(super) async fn parts_before(&self, item: &ItemRef) -> Result<Option<Vec<String>>> {
        match self.cx.prior.parts(item).await {
            Err(error) if error.is_damage() => Ok(None),
            parts => Ok(Some(parts?.into_iter().map(|part| part.name).collect())),
        }
    }

    /// All that belongs to an item was sent, or is an issue.
    pub(super) fn done(&self, id: u32) {
        lock(&self.done).set(id, SEEN);
        self.advanced.notify_one();
    }

    fn is_done(&self, id: u32) -> bool {
        lock(&self.done).get(id) != 0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn item(id: u32) -> ItemRef {
    ItemRef::new(WORK_ITEM, "", &id.to_string())
}

/// Its own request only where projects are not backed up beside.
async fn projects(cx: &Crawl<'_>) -> Result<Option<BTreeSet<String>>> {
    if cx.selection.contains(PROJECT) {
        return Ok(cx.order.listed.get(PROJECT).cloned());
    }
    let listed = project::list(&cx.http.tagged(PROJECT)).await?;
    project::ids(&listed).map(Some)
}

pub(super) async fn crawl(cx: &Crawl<'_>) -> Result<Cursor> {
    let wanted = Wanted::of(cx.selection);
    let picked = Picked::of(cx).await?;
    let projects = projects(cx).await?;
    if let Some(saved) = cx.sink.resumed() {
        return go_on(cx, wanted, picked, projects, saved).await;
    }
    let position = cx.cursor.and_then(|cursor| Position::read(cursor, wanted));
    let position = position.filter(|position| {
        !picked::more(picked.as_ref(), &position.left) && !position.is_back(projects.as_ref())
    });
    let mut run = Run::new(cx, wanted, picked, projects, false);
    if let Some(position) = position {
        for message in &position.unread {
            cx.sink.issue(unread::issue(message));
        }
        match changes(Streams::new(&run, Known::at(position))?).await {
            Err(Interrupted::Expired) => tracing::info!(
                "the service no longer knows the last position in its streams: reading everything"
            ),
            Err(Interrupted::Strangers) => tracing::info!(
                "there are work items that could not be read before: reading everything"
            ),
            Err(Interrupted::Failed(error)) => return Err(error),
            Ok(cursor) => return Ok(cursor),
        }
    }
    run = Run::new(cx, wanted, run.picked, run.projects, true);
    run.again = !cx.prior.ids(WORK_ITEM, "").await?.is_empty();
    let known = Known::at(Position::start(wanted));
    everything(Streams::new(&run, known)?).await
}

/// After a kill. What changed meanwhile comes with the streams, and what they name is read again.
async fn go_on<'a>(
    cx: &'a Crawl<'a>,
    wanted: Wanted,
    picked: Option<Picked<'a>>,
    projects: Option<BTreeSet<String>>,
    saved: &[u8],
) -> Result<Cursor> {
    let Some(saved) = Saved::read(saved, wanted) else {
        return Err(Error::start_again(
            "its place in work items is not understood",
        ));
    };
    let mut run = Run::new(cx, wanted, picked, projects, saved.full);
    run.again = saved.again;
    run.fetched = saved.fetched;
    run.failed = Mutex::new(saved.failed);
    run.done = Mutex::new(saved.done);
    let streams = Streams::new(&run, saved.known)?;
    let expired = || Error::start_again("the service no longer knows its place in work items");
    if saved.full && !streams.known.read {
        return match everything(streams).await {
            Err(error) if stream::is_expired(&error) => Err(expired()),
            result => result,
        };
    }
    match changes(streams).await {
        Err(Interrupted::Expired) => Err(expired()),
        Err(Interrupted::Strangers) => Err(Error::start_again(
            "there are work items that could not be read before",
        )),
        Err(Interrupted::Failed(error)) => Err(error),
        Ok(cursor) => Ok(cursor),
    }
}

/// The first crawl: every revision, then every document.
async fn everything(mut streams: Streams<'_, '_>) -> Result<Cursor> {
    let (http, wanted) = (&streams.run.http, streams.run.wanted);
    let mut revisions = Reader::new(
        http,
        &REVISION_STREAM,
        Begin::at(streams.known.position.revisions.clone()),
    );
    let first = revisions.fetch().await?;
    streams.revisions(&mut revisions, first).await?;
    vanished::told_all(streams.run, &mut streams.known).await?;
    // Only the places in these streams are needed: all documents are read anyway, and they carry the links.
    let since = streams
        .known
        .newest
        .clone()
        .map_or(Begin::Anew, Begin::Time);
    let mut links = Reader::new(http, &LINKS, since.clone());
    to_end(&mut links).await?;
    let mut discussions = Reader::new(http, &DISCUSSIONS, since);
    if wanted.comments {
        to_end(&mut discussions).await?;
    }
    let position = &mut streams.known.position;
    position.links = links.token();
    position.discussions = discussions.token();
    position.swept = Some(streams.run.cx.order.started);
    if let Some(projects) = streams.run.projects.clone() {
        position.see(projects);
    }
    streams.known.read = true;
    streams.finish().await
}

/// A later crawl: three requests when nothing happened.
async fn changes(mut streams: Streams<'_, '_>) -> Result<Cursor, Interrupted> {
    let run = streams.run;
    let begin = |token: &Option<String>| Begin::at(token.clone());
    // Before the streams, so that what is new comes with them.
    let swept = Swept::of(run, &streams.known.position).await?;
    let renamed = Renamed::of(run, &streams.known.position).await?;
    let position = &streams.known.position;
    let mut revisions = Reader::new(&run.http, &REVISION_STREAM, begin(&position.revisions));
    let mut links = Reader::new(&run.http, &LINKS, begin(&position.links));
    let mut discussions = Reader::new(&run.http, &DISCUSSIONS, begin(&position.discussions));
    // All three first, so that a token that has expired is known before anything is stored.
    let first_revisions = revisions.fetch().await.map_err(Interrupted::of_stream)?;
    let first_links = links.fetch().await.map_err(Interrupted::of_stream)?;
    let first_discussions = if run.wanted.comments {
        let first = discussions.fetch().await;
        Some(first.map_err(Interrupted::of_stream)?)
    } else {
        None
    };

    streams.revisions(&mut revisions, first_revisions).await?;
    streams.links(&mut links, first_links).await?;
    if let Some(first) = first_discussions {
        streams.discussions(&mut discussions, first).await?;
    }
    if swept.has_strangers(run, &streams.known.marks).await? {
        return Err(Interrupted::Strangers);
    }
    swept.note(run, &mut streams.known).await?;
    for id in renamed.stored(run, &streams.known.marks).await? {
        streams.touch(id, SEEN);
    }
    renamed.note(&mut streams.known.position);
    for id in streams.known.position.again.clone() {
        streams.again(id).await?;
    }
    streams.known.read = true;
    Ok(streams.finish().await?)
}

/// Reads a stream of which only the end matters.
async fn to_end(reader: &mut Reader<'_>) -> Result<()> {
    while !reader.done {
        let answer = reader.fetch().await?;
        reader.advance(&answer.json()?)?;
    }
    Ok(())
}

/// What the streams say, on its way into the snapshot.
struct Streams<'r, 'a> {
    run: &'r Run<'a>,
    known: Known,
    organization: String,
}

/// What revisions say that is needed when their item is read.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Said {
    /// Attachments that texts of revisions name, by item: older texts may name what the newest no longer does.
    pub(super) files: HashMap<u32, Vec<String>>,
    /// How many later versions of a comment the revisions tell the text of, by comment.
    pub(super) versions: HashMap<u32, u32>,
}

impl<'r, 'a> Streams<'r, 'a> {
    fn new(run: &'r Run<'a>, known: Known) -> Result<Self> {
        Ok(Self {
            run,
            known,
            organization: run.organization()?,
        })
    }

    /// A killed run goes on from here.
    async fn save(&self) -> Result<()> {
        let run = self.run;
        let make = || Saved::write(run, &self.known, &lock(&run.done), &lock(&run.failed));
        run.cx.sink.position(&make).await
    }

    /// Something happened to the item, also if it was read before.
    fn touch(&mut self, id: u32, marks: u8) {
        self.known.marks.set(id, marks);
        let mut done = lock(&self.run.done);
        if done.get(id) != 0 {
            done.clear(id, SEEN);
        }
    }

    /// An item that could not be read whole: its revisions are stored, what they name may not be.
    async fn again(&mut self, id: u32) -> Result<()> {
        if self.known.bin.contains(&id) && self.known.marks.get(id) & DELETED == 0 {
            self.known.marks.set(id, DELETED);
            bin::document(self.run, id, None).await?;
        }
        self.known.marks.set(id, SEEN | TALKED);
        if self.run.wanted.attachments
            && let Some(revisions) = self.revisions_before(id).await?
        {
            self.files(id, &String::from_utf8_lossy(&revisions));
        }
        Ok(())
    }

    /// What is damaged names nothing.
    async fn revisions_before(&self, id: u32) -> Result<Option<Bytes>> {
        let run = self.run;
        match run.cx.prior.part(&item(id), REVISIONS).await {
            Err(error) if error.is_damage() => {
                run.failed(id, error.to_issue(WORK_ITEM, "", Some(item(id))));
                Ok(None)
            }
            revisions => revisions,
        }
    }

    fn files(&mut self, id: u32, text: &str) {
        if !attachments::any(text) {
            return;
        }
        let files = self.known.said.files.entry(id).or_default();
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
            let next = if reader.done {
                self.page(&page).await?;
                None
            } else {
                Some(try_join(reader.fetch(), self.page(&page)).await?.0)
            };
            // A stream that said nothing new may leave its token out.
            let position = &mut self.known.position;
            position.revisions = reader.token().or(position.revisions.take());
            self.save().await?;
            drop(page);
            let Some(next) = next else { return Ok(()) };
            answer = next;
        }
    }

    async fn links(&mut self, reader: &mut Reader<'_>, first: service::http::Answer) -> Result<()> {
        let mut answer = first;
        loop {
            let page: Page<'_> = answer.json()?;
            for record in &page.values {
                match read::<Link>(record) {
                    Ok(link) => link.ends().for_each(|id| self.touch(id, SEEN)),
                    Err(error) => self.unread(record, error)?,
                }
            }
            reader.advance(&page)?;
            let position = &mut self.known.position;
            position.links = reader.token().or(position.links.take());
            self.save().await?;
            if reader.done {
                return Ok(());
            }
            answer = reader.fetch().await?;
        }
    }

    async fn discussions(
        &mut self,
        reader: &mut Reader<'_>,
        first: service::http::Answer,
    ) -> Result<()> {
        let mut answer = first;
        loop {
            let page: Page<'_> = answer.json()?;
            for record in &page.values {
                match read::<Discussion>(record) {
                    Ok(Discussion { id }) => self.touch(id, SEEN | TALKED),
                    Err(error) => self.unread(record, error)?,
                }
            }
            reader.advance(&page)?;
            let position = &mut self.known.position;
            position.discussions = reader.token().or(position.discussions.take());
            self.save().await?;
            if reader.done {
                return Ok(());
            }
            answer = reader.fetch().await?;
        }
    }

    async fn page(&mut self, page: &Page<'_>) -> Result<()> {
        for record in &page.values {
            self.revision(record).await?;
        }
        Ok(())
    }

    /// Something is told that is not understood.
    fn unread(&mut self, record: &RawValue, error: Error) -> Result<()> {
        if let Some(id) = unread::note(self.run, &mut self.known, record, error)? {
            self.touch(id, SEEN);
        }
        Ok(())
    }

    /// A revision as it came, also one that is not understood.
    async fn line(&mut self, id: u32, record: &RawValue) -> Result<()> {
        let (cx, item) = (self.run.cx, item(id));
        if self.run.full && cx.cursor.is_some() && self.known.marks.get(id) & ANEW == 0 {
            cx.sink.remove_part(&item, REVISIONS).await?;
            self.known.marks.set(id, ANEW);
        }
        cx.sink
            .append(&item, REVISIONS, record.get().as_bytes())
            .await?;
        self.touch(id, SEEN | REVISED);
        Ok(())
    }

    async fn revision(&mut self, record: &RawValue) -> Result<()> {
        let head: Head<'_> = match read(record) {
            Ok(head) => head,
            Err(error) => {
                self.unread(record, error)?;
                // Whose project is not known is not stored unless all are.
                return match unread::named(record).filter(|_| self.run.picked.is_none()) {
                    Some(id) => self.line(id, record).await,
                    None => Ok(()),
                };
            }
        };
        let (id, sink) = (head.id, self.run.cx.sink);
        let item = item(id);
        if let Some(changed) = &head.fields.changed {
            self.known.newest = Some(changed.to_string());
        }
        if !self.run.takes(&head) {
            self.known.marks.set(id, OUT);
            return Ok(());
        }
        self.known.marks.clear(id, OUT);
        self.line(id, record).await?;
        if head.rev == 1 {
            self.known.marks.set(id, BORN);
        }
        if head.fields.talks() || head.comment.is_some() {
            self.known.marks.set(id, TALKED);
        }
        if head.comment.as_ref().is_some_and(|comment| {
            comment.version > 1 && comment.text.is_some_and(|text| text.get() != "null")
        }) {
            let comment = head.comment.as_ref().map_or(0, |comment| comment.id);
            *self.known.said.versions.entry(comment).or_default() += 1;
        }
        if self.run.wanted.attachments {
            self.files(id, record.get());
        }
        if head.fields.is_deleted() {
            self.deleted(&head, record).await?;
        } else if self.known.bin.remove(&id) {
            self.known.marks.clear(id, DELETED);
            sink.remove_part(&item, RECYCLE_BIN).await?;
        } else if self.run.again {
            sink.remove_part(&item, RECYCLE_BIN).await?;
        }
        Ok(())
    }

    /// The revision that says so stands for the recycle bin's own entry until that is read.
    async fn deleted(&mut self, head: &Head<'_>, record: &RawValue) -> Result<()> {
        let (cx, item) = (self.run.cx, item(head.id));
        self.known.marks.set(head.id, DELETED);
        if self.known.bin.insert(head.id) || self.run.full {
            cx.sink
                .part(&item, RECYCLE_BIN, record.get().as_bytes())
                .await?;
        }
        bin::document(self.run, head.id, Some(record)).await
    }

    /// Recycle bin and documents; the cursor for next time.
    async fn finish(self) -> Result<Cursor> {
        let (run, known) = (self.run, &self.known);
        bin::entries(run, &known.marks).await?;
        let live: Vec<u32> = known
            .marks
            .ids(SEEN, DELETED | OUT)
            .filter(|id| !known.bin.contains(id) && !run.is_done(*id))
            .collect();
        run.cx.sink.expect(live.len() as u64);
        run.fetched.disown(|id| known.marks.get(id) & OUT != 0);
        self.documents(&live).await?;
        let (marks, bin) = (&known.marks, &known.bin);
        for id in marks.ids(SEEN, 0).filter(|id| bin.contains(id)) {
            if let Some(files) = known.said.files.get(&id) {
                attachments::fetch(run, id, files.clone(), &attachments::Sizes::new()).await?;
            }
        }
        run.leave_all(marks).await?;
        let failed = std::mem::take(&mut *lock(&run.failed));
        let mut position = self.known.position;
        position.left = run.left_out();
        position.again = failed;
        position.bin = self.known.bin;
        position.write()
    }

    /// Reads documents, and says on the way how far that has come.
    async fn documents(&self, ids: &[u32]) -> Result<()> {
        let (run, over) = (self.run, AtomicBool::new(false));
        let work = async {
            let worked =
                super::batch::documents(run, &self.known.marks, &self.known.said, ids).await;
            over.store(true, Ordering::Relaxed);
            run.advanced.notify_one();
            worked
        };
        let save = async {
            loop {
                run.advanced.notified().await;
                if over.load(Ordering::Relaxed) {
                    return Ok(());
                }
                self.save().await?;
            }
        };
        // Both to their ends: what is being saved must not be dropped halfway.
        let (worked, saved) = join(work, save).await;
        worked.and(saved)
    }
}
