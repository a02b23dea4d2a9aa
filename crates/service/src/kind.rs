//! Kinds: a type of data that can be backed up.

use async_trait::async_trait;
use jiff::Timestamp;
use model::ItemRef;

use crate::{
    Crawl, Cursor, Error, Found, Inspect, Inspection, Outcome, Pass, Removal, Restore, Result,
    Searched, StoredItem, Target, TextOf,
};

/// A scope of a token and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    /// `vso.work`.
    pub scope: &'static str,
    /// What cannot be done without it, in words.
    pub why: &'static str,
}

/// What does not come back as it was.
pub type Loss = &'static str;

/// How faithful a restore can be; shown before anyone restores.
#[derive(Clone, Copy, Debug)]
pub enum Fidelity {
    Full,
    Partial(&'static [Loss]),
    /// Cannot be written back, with the reason; it can be exported.
    ExportOnly(&'static str),
}

/// Where the items of a kind lie in a snapshot.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    /// A folder for each item below that of its scope: `<folder>/[<shard>/]<id>/<document>`, with its parts beside the document.
    Item {
        folder: &'static str,
        /// Numeric ids are grouped by this many in folders named by `id / shard` (four digits or more), others by their last two characters.
        shard: Option<u64>,
        document: &'static str,
    },
    /// A part of the items of the kind that it comes with, one record a line.
    Lines { part: &'static str },
    /// A folder of parts of the items of the kind that it comes with, one file each.
    Files { folder: &'static str },
}

/// How often a kind is crawled in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crawled {
    /// Once for the whole source; its items may still have a scope (one list over all projects).
    Once,
    /// Once for each item of the parent kind, which is then the scope.
    PerParent,
}

/// A kind as data: from here come crawl order, permissions, preflight, documentation and the conformance test.
#[derive(Debug)]
pub struct KindSpec {
    /// Kebab-case, stored in snapshots, never changed: `work-item`.
    pub name: &'static str,
    pub title: &'static str,
    /// Containment: items carry the id of an item of this kind as their scope, and lie in its folder.
    pub parent: Option<&'static str>,
    /// How often `crawl` is called in a run.
    pub crawled: Crawled,
    /// Its items arrive with the crawl of this kind, at no request of their own listing; `crawl` is never called on it.
    pub with: Option<&'static str>,
    /// Restored after these kinds, beyond its parent.
    pub after: &'static [&'static str],
    pub layout: Layout,
    /// A part whose presence says that the item lies in the service's recycle bin.
    pub bin: Option<&'static str>,
    pub search: Searched,
    pub read: &'static [Permission],
    pub write: &'static [Permission],
    pub restore: Fidelity,
}

impl KindSpec {
    /// All losses that it declares.
    pub fn losses(&self) -> &'static [Loss] {
        match self.restore {
            Fidelity::Partial(losses) => losses,
            Fidelity::Full | Fidelity::ExportOnly(_) => &[],
        }
    }

    /// The files of an item that hold its searchable text, in the order of that text.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &'static TextOf)> {
        let document = match self.layout {
            Layout::Item { document, .. } => document,
            Layout::Lines { .. } | Layout::Files { .. } => "",
        };
        let texts = self.search.text.iter();
        texts.map(move |text| (text.part.unwrap_or(document), text))
    }

    /// What the document says of its project; see [`Searched::project`].
    pub fn project(&self, document: &[u8]) -> Option<String> {
        crate::json::text_in(document, self.search.project?)
    }

    /// The folder of an item relative to that of its scope, or `None` for kinds without folders of their own.
    pub fn path(&self, id: &str) -> Option<String> {
        let Layout::Item { folder, shard, .. } = self.layout else {
            return None;
        };
        Some(match shard {
            Some(size) => match id.parse::<u64>() {
                Ok(number) => format!("{folder}/{:04}/{id}", number / size),
                Err(_) => format!("{folder}/{}/{id}", ending(id)),
            },
            None => format!("{folder}/{id}"),
        })
    }
}

/// The last two letters or digits of an id: with GUIDs, 256 folders of one size. The beginning would not do: ids of sites begin alike.
fn ending(id: &str) -> String {
    let known = id.bytes().rev().filter(u8::is_ascii_alphanumeric).take(2);
    let mut ending: Vec<char> = known
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    ending.reverse();
    if ending.is_empty() {
        "other".to_owned()
    } else {
        ending.into_iter().collect()
    }
}

/// One type of data: a table ([`crate::DeltaKind`]), or by hand.
#[async_trait]
pub trait Kind: Send + Sync {
    fn spec(&self) -> &KindSpec;

    /// What a person would search for and when it changed, read from a stored document: equal to what the crawl sent beside it.
    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)>;

    /// The kind that holds the content of its items, and the member of the document (a JSON pointer) that names which: the repository of a wiki's pages.
    fn content(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Sends what changed in `cx.scope` since `cx.cursor`; without a cursor, everything there is.
    ///
    /// `Ok` after a call without a cursor states that the listing was complete: what it did not mention is gone.
    /// A kind that returns a cursor reports deletions itself in later calls; one that returns `None` lists everything each time.
    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>>;

    /// Whether its listing leaves out, without a word, what the identity may not read: that an item is missing proves nothing then. It is kept
    /// with an issue, unless the crawl itself found that it is gone ([`crate::Sink::delete`]) or a person confirms it.
    fn is_filtered(&self) -> bool {
        false
    }

    /// The cheapest request that proves that this kind can be read (preflight).
    async fn probe(&self, http: &crate::Client, scope: &crate::Scope) -> Result<()>;

    /// Whether a person may choose among its items, so that [`Kind::list`] knows them.
    fn is_listed(&self) -> bool {
        false
    }

    /// All items with their ids and the names that a person calls them by (`Payments/web`), without their content: for choosing among them,
    /// and for noticing new ones. `None` for kinds whose items nobody chooses.
    async fn list(&self, _http: &crate::Client) -> Result<Option<Vec<(String, String)>>> {
        Ok(None)
    }

    /// Reads only: what stands at the target for these items, in their order (for conflicts, resuming and verifying).
    async fn find(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>>;

    /// Reads only: which of these items stand at the target under `StoredItem::new_id`, as an earlier restore made them. For kinds whose items have no
    /// name that [`Kind::find`] could go by. A number that stands for something else by now, as in an organization that was made anew, is not
    /// theirs.
    async fn recognize(&self, _cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<bool>> {
        Ok(vec![false; items.len()])
    }

    /// Which of the losses that the kind declares, and the kinds whose items are parts of its items, this item has when it is written as
    /// `StoredItem::action` and `StoredItem::new_id` say. Reads the snapshot alone, and of that the item; sends nothing. `None` where the kind
    /// does not tell: then the item may have all of them.
    async fn losses(&self, _cx: &Target<'_>, _item: &StoredItem) -> Result<Option<Vec<Loss>>> {
        Ok(None)
    }

    /// Why there cannot be a second item beside the one that [`Kind::find`] finds: a restore that duplicates leaves that one as it is. `None` where
    /// another can be made.
    fn only_one(&self) -> Option<&'static str> {
        None
    }

    /// `Pass::Create` makes the items; `Pass::Connect` writes references once all new ids are known. One outcome an item, in their order.
    async fn restore(
        &self,
        cx: &Restore<'_>,
        pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>>;

    /// Reads restored items back: the differences of each from the snapshot in words, none for an equal one. `StoredItem::new_id` is set.
    async fn verify(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>>;

    /// Which revision of each item stands at the target: it changes with whatever a restore could write over. `None` for kinds that have no
    /// such thing: they are written over as they stand. `StoredItem::new_id` is set.
    async fn revisions(
        &self,
        _cx: &Target<'_>,
        items: &[StoredItem],
    ) -> Result<Vec<Option<String>>> {
        Ok(vec![None; items.len()])
    }

    /// What becomes of an item that a restore made when that is taken back.
    fn removal(&self) -> Removal {
        Removal::Never("the service has no call to remove it")
    }

    /// Takes restored items away again, as [`Kind::removal`] says. `StoredItem::new_id` is set, and the caller has seen that nobody changed them.
    async fn remove(&self, _cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
        let refused = |item: &StoredItem| Outcome::Failed {
            code: "restore-failed",
            message: format!("{}: it cannot be removed", item.item),
        };
        Ok(items.iter().map(refused).collect())
    }

    /// The page on which people see a restored item, where it has one. Sends nothing.
    async fn page(&self, _cx: &Target<'_>, _item: &StoredItem) -> Result<Option<String>> {
        Ok(None)
    }

    /// Looks at a stored item: whether its parts agree with each other, and what it refers to. Reads the snapshot alone; that `document` is JSON
    /// is known. An error is about the store, never about the item.
    async fn inspect(
        &self,
        _cx: &Inspect<'_>,
        _item: &ItemRef,
        _document: &[u8],
    ) -> Result<Inspection> {
        Ok(Inspection::default())
    }
}

/// The error of kinds that cannot be restored on their own.
pub fn not_restorable(kind: &KindSpec, item: &ItemRef) -> Error {
    Error::unsupported(format!(
        "{item}: {} cannot be restored on their own",
        kind.title.to_lowercase()
    ))
}
