//! What a work item loses when it is written back, told from what is stored of it.

use std::collections::BTreeSet;

use bytes::Bytes;
use model::Action;
use serde::Deserialize;
use service::{Error, Loss, Result, StoredItem, Target};

use super::attachments::references;
use super::document::CommentRef;
use super::restore::check::{Comment, Lost, Relation, comments, lost, relations};
use super::{ATTACHMENTS, COMMENTS, REVISIONS, SHARED_ATTACHMENTS, WORK_ITEM};
use crate::kinds::parts::{
    self, COMMENTS_STAY, EDITED, LATE, MARKDOWN, NEW_FILE, NO_FILE, REACTIONS,
};
use crate::people::STRANGERS;
use crate::raw::{self, Members};

pub(super) const ALL: &[Loss] = &[
    NEW_NUMBER,
    STRANGERS,
    NOT_RESTORED,
    ABSENT,
    ELSEWHERE,
    ONE_PARENT,
    UNDONE_LINKS,
    BOARDS,
    FIELDS,
    NO_REVISIONS,
    ONE_REVISION,
];

const NEW_NUMBER: Loss = "A work item that is created again gets another number; links to it and its attachments are rewritten, mentions in texts are not.";
const NOT_RESTORED: Loss =
    "Links to builds and pull requests, and to whatever else is not restored, are left out.";
const ABSENT: Loss = "Links to work items, commits, branches and wiki pages that are neither at the target nor restored with it are left out.";
const ELSEWHERE: Loss = "Links to work items of other organizations are not written back.";
const ONE_PARENT: Loss = "A work item has one parent, and is the duplicate of one: what stays below the work item that is there is not linked to what is made beside it.";
const UNDONE_LINKS: Loss = "Links that were added and removed again are not replayed.";
const BOARDS: Loss = "The place on boards (column and lane) is not written back.";
const FIELDS: Loss =
    "Fields that do not come with the service are left out where the target does not have them.";
const NO_REVISIONS: Loss = "Revisions that are not stored, as those of the time in a project that the policy does not select, are not written back.";
const ONE_REVISION: Loss = "Into a work item that stands at the target, what differs is written as one revision by the restoring identity; the history between stays.";

/// The document, or one revision.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(default)]
    rev: u32,
    #[serde(borrow)]
    fields: Members<'a>,
    #[serde(borrow, rename = "commentVersionRef")]
    comment: Option<CommentRef<'a>>,
}

/// What the fields of all records come to.
#[derive(Default)]
struct Fields {
    boards: bool,
    own: bool,
}

impl Fields {
    fn read(&mut self, record: &Record<'_>) {
        for (name, _) in &record.fields.0 {
            let board = name.starts_with("System.Board") || name.starts_with("WEF_");
            self.boards |= board;
            self.own |= !board && !name.starts_with("System.") && !name.starts_with("Microsoft.");
        }
    }
}

/// What the revisions come to.
#[derive(Default)]
struct History {
    numbers: BTreeSet<u32>,
    /// How many of them made a comment.
    talking: usize,
}

impl History {
    fn read(&mut self, record: &Record<'_>) {
        self.numbers.insert(record.rev);
        let says = |text: String| !text.is_empty();
        let made = record.comment.as_ref().is_some_and(|one| one.version == 1);
        self.talking += usize::from(made || record.fields.text("System.History").is_some_and(says));
    }

    /// Whether revisions up to the document's lack.
    fn has_gaps(&self, last: u32) -> bool {
        (1..=last).any(|rev| !self.numbers.contains(&rev))
    }
}

/// What is read of the item.
struct Stored {
    document: Bytes,
    revisions: Bytes,
    comments: Bytes,
}

impl Stored {
    async fn read(cx: &Target<'_>, item: &StoredItem) -> Result<Self> {
        let part = async |name: &str| {
            let bytes = cx.stored.part(&item.item, name).await?;
            Ok::<_, Error>(bytes.unwrap_or_default())
        };
        Ok(Self {
            document: parts::document(cx.stored, &item.item).await?,
            revisions: part(REVISIONS).await?,
            comments: part(COMMENTS).await?,
        })
    }

    /// The attachments that it refers to, in lower case.
    fn files(&self) -> BTreeSet<String> {
        let all = [&self.document, &self.revisions, &self.comments];
        let texts = all.map(|bytes| String::from_utf8_lossy(bytes));
        let guids = texts.iter().flat_map(|text| references(text));
        guids.map(|one| one.guid.to_ascii_lowercase()).collect()
    }
}

pub(super) async fn losses(cx: &Target<'_>, item: &StoredItem) -> Result<Vec<Loss>> {
    let stored = Stored::read(cx, item).await?;
    let document: Record<'_> = parts::read(&item.item, &stored.document)?;
    let (mut fields, mut history) = (Fields::default(), History::default());
    fields.read(&document);
    for line in raw::lines(&stored.revisions) {
        let record: Record<'_> = parts::read(&item.item, line?.as_bytes())?;
        fields.read(&record);
        history.read(&record);
    }
    let text = std::str::from_utf8(&stored.document)
        .map_err(|error| Error::malformed(format!("{}: {error}", item.item)))?;
    let relations = relations(text)?;
    let links: Vec<Lost> = relations.iter().filter_map(|one| lost(one, cx)).collect();
    let files = stored.files();
    // Into what stands at the target no history is written.
    let anew = item.action == Action::Create;
    let mut losses = parts::had([
        (NEW_NUMBER, parts::gets_another_id(item)),
        (STRANGERS, true),
        (NOT_RESTORED, links.contains(&Lost::NotRestored)),
        (ABSENT, links.contains(&Lost::Absent)),
        (ELSEWHERE, links.contains(&Lost::Elsewhere)),
        (ONE_PARENT, stays_below(cx, item, &relations)),
        // Nothing stored tells.
        (UNDONE_LINKS, anew),
        (BOARDS, fields.boards),
        (FIELDS, fields.own && !cx.original),
        (NO_REVISIONS, anew && history.has_gaps(document.rev)),
        (ONE_REVISION, !anew),
        (NEW_FILE, !files.is_empty()),
        (NO_FILE, lacks(cx, item, &files).await?),
    ]);
    losses.extend(of_comments(
        &comments(&stored.comments, b"")?,
        &history,
        anew,
    ));
    Ok(losses)
}

/// Whether it is made beside itself, and something stays below the one that is there.
fn stays_below(cx: &Target<'_>, item: &StoredItem, relations: &[Relation]) -> bool {
    let stays = |id: u32| {
        let id = id.to_string();
        cx.ids.get(WORK_ITEM, &id).is_some() && !cx.ids.is_doubled(WORK_ITEM, &id)
    };
    let mut below = relations.iter().filter(|one| one.is_of_one());
    item.action == Action::Create
        && cx.ids.is_doubled(WORK_ITEM, &item.item.id)
        && below.any(|one| one.item().is_some_and(stays))
}

/// Whether one of the files is stored neither with the item nor with another one.
async fn lacks(cx: &Target<'_>, item: &StoredItem, files: &BTreeSet<String>) -> Result<bool> {
    if files.is_empty() {
        return Ok(false);
    }
    let parts = cx.stored.parts(&item.item).await?;
    let names = parts.iter().map(|part| part.name.as_str());
    let own: BTreeSet<&str> = names
        .filter_map(|name| name.strip_prefix(ATTACHMENTS)?.strip_prefix('/'))
        .collect();
    let shared = cx.stored.part(&item.item, SHARED_ATTACHMENTS).await?;
    let shared: std::collections::BTreeMap<String, u32> = match &shared {
        Some(shared) => parts::read(&item.item, shared)?,
        None => std::collections::BTreeMap::new(),
    };
    let mut files = files.iter();
    Ok(files.any(|file| !own.contains(file.as_str()) && !shared.contains_key(file)))
}

fn of_comments(comments: &[Comment], history: &History, anew: bool) -> Vec<Loss> {
    let any = |has: fn(&Comment) -> bool| anew && comments.iter().any(has);
    let said = comments
        .iter()
        .filter(|one| !one.deleted && !one.text.is_empty());
    parts::had([
        (EDITED, any(|one| one.version > 1 || one.deleted)),
        (MARKDOWN, any(|one| one.markdown)),
        (REACTIONS, any(|one| one.reactions)),
        (LATE, anew && said.count() > history.talking),
        (COMMENTS_STAY, !anew && !comments.is_empty()),
    ])
}
