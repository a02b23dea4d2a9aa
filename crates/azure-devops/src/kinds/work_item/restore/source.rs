//! What the snapshot holds of a work item that is to be written back.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use service::{Error, Result, Stored, StoredItem};

use crate::kinds::parts;
use crate::kinds::work_item::document;
use crate::kinds::work_item::filed::Filed;
use crate::kinds::work_item::history::{self, Replay, Revision};
use crate::kinds::work_item::{COMMENT_VERSIONS, COMMENTS, REVISIONS};

/// A relation of the stored document.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::kinds::work_item) struct Relation {
    pub(in crate::kinds::work_item) rel: String,
    pub(in crate::kinds::work_item) url: String,
    #[serde(default)]
    pub(in crate::kinds::work_item) attributes: Attributes,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::kinds::work_item) struct Attributes {
    pub(in crate::kinds::work_item) name: Option<String>,
    pub(in crate::kinds::work_item) comment: Option<String>,
    #[serde(rename = "isLocked")]
    pub(in crate::kinds::work_item) locked: Option<bool>,
    #[serde(rename = "resourceSize")]
    pub(in crate::kinds::work_item) size: Option<u64>,
    #[serde(rename = "authorizedDate")]
    authorized: Option<String>,
}

const CHILD: &str = "System.LinkTypes.Hierarchy-Forward";
const DUPLICATE: &str = "System.LinkTypes.Duplicate-Forward";

/// What a relation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kinds::work_item) enum Leads {
    ToFile,
    ToAddress,
    ToArtifact,
    ToItem,
    /// To a work item of another organization, or of a kind that we do not know.
    Elsewhere,
}

impl Relation {
    pub(in crate::kinds::work_item) fn leads(&self) -> Leads {
        match self.rel.as_str() {
            "AttachedFile" => Leads::ToFile,
            "Hyperlink" => Leads::ToAddress,
            "ArtifactLink" => Leads::ToArtifact,
            rel if rel.contains(".Remote.") => Leads::Elsewhere,
            _ if self.item().is_some() => Leads::ToItem,
            _ => Leads::Elsewhere,
        }
    }

    /// Whether what it leads to can have one such link: a child has one parent, and a duplicate is of one item.
    pub(in crate::kinds::work_item) fn is_of_one(&self) -> bool {
        [CHILD, DUPLICATE].contains(&self.rel.as_str())
    }

    /// Whether it is the other end of such a link.
    pub(in crate::kinds::work_item) fn answers(&self, other: &Self) -> bool {
        let stem = |one: &Self, end: &str| one.rel.strip_suffix(end).map(str::to_owned);
        let below = stem(other, "-Forward");
        below.is_some() && below == stem(self, "-Reverse")
    }

    /// Whether one of them is the same file, by name and size, or the same address.
    pub(in crate::kinds::work_item) fn is_among(&self, others: &[Self]) -> bool {
        let same = |other: &&Self| match self.leads() {
            Leads::ToFile => {
                (&other.attributes.name, other.attributes.size)
                    == (&self.attributes.name, self.attributes.size)
            }
            _ => other.rel == self.rel && other.url == self.url,
        };
        let mut alike = others.iter().filter(|other| other.leads() == self.leads());
        alike.any(|other| same(&other))
    }

    /// For people.
    pub(in crate::kinds::work_item) fn shown(&self) -> &str {
        let name = self.attributes.name.as_deref();
        name.filter(|_| self.leads() == Leads::ToFile)
            .unwrap_or(&self.url)
    }

    /// The number at the end of the address of a work item.
    pub(in crate::kinds::work_item) fn item(&self) -> Option<u32> {
        let (before, id) = self.url.rsplit_once('/')?;
        before
            .to_ascii_lowercase()
            .ends_with("/workitems")
            .then(|| id.parse().ok())?
    }
}

/// The members of a document that are read beside its fields.
#[derive(Default, Deserialize)]
struct Relations {
    relations: Option<Vec<Relation>>,
}

/// The relations of a document.
pub(in crate::kinds::work_item) fn relations(document: &str) -> Result<Vec<Relation>> {
    let relations: Relations = serde_json::from_str(document)
        .map_err(|error| Error::malformed(format!("the relations of a work item: {error}")))?;
    Ok(relations.relations.unwrap_or_default())
}

pub(in crate::kinds::work_item) struct Source {
    /// The document, as it was last.
    pub(in crate::kinds::work_item) now: Revision,
    pub(in crate::kinds::work_item) relations: Vec<Relation>,
    pub(in crate::kinds::work_item) replay: Replay,
    pub(in crate::kinds::work_item) comments: Vec<Comment>,
    /// How many the service counted; they may not have been backed up.
    pub(in crate::kinds::work_item) talked: u32,
}

/// A stored comment.
#[derive(Clone, Debug, Default)]
pub(in crate::kinds::work_item) struct Comment {
    pub(in crate::kinds::work_item) id: u32,
    pub(in crate::kinds::work_item) version: u32,
    pub(in crate::kinds::work_item) created: Option<Timestamp>,
    pub(in crate::kinds::work_item) deleted: bool,
    pub(in crate::kinds::work_item) markdown: bool,
    /// Somebody reacted to it.
    pub(in crate::kinds::work_item) reactions: bool,
    pub(in crate::kinds::work_item) text: String,
    /// What it was when it was made; that is what the replay writes.
    pub(in crate::kinds::work_item) first: String,
}

#[derive(Deserialize)]
struct StoredComment<'a> {
    #[serde(alias = "commentId")]
    id: u32,
    #[serde(default)]
    version: u32,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    format: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "createdDate")]
    created: Option<Cow<'a, str>>,
    #[serde(default, rename = "isDeleted")]
    deleted: bool,
    reactions: Option<Vec<IgnoredAny>>,
}

/// Comments of lines as the service gave them, with the first texts of those that were edited.
pub(in crate::kinds::work_item) fn comments(lines: &[u8], versions: &[u8]) -> Result<Vec<Comment>> {
    let misread = |error| Error::malformed(format!("a stored comment is not understood: {error}"));
    let mut first: HashMap<u32, String> = HashMap::new();
    for line in crate::raw::lines(versions) {
        let version: StoredComment<'_> = serde_json::from_str(line?).map_err(misread)?;
        if version.version == 1 {
            first.insert(version.id, version.text.unwrap_or_default().into_owned());
        }
    }
    let mut comments = Vec::new();
    for line in crate::raw::lines(lines) {
        let stored: StoredComment<'_> = serde_json::from_str(line?).map_err(misread)?;
        let text = stored.text.unwrap_or_default().into_owned();
        comments.push(Comment {
            id: stored.id,
            version: stored.version,
            created: stored.created.and_then(|date| date.parse().ok()),
            deleted: stored.deleted,
            markdown: stored
                .format
                .is_some_and(|format| format.eq_ignore_ascii_case("markdown")),
            reactions: stored.reactions.is_some_and(|all| !all.is_empty()),
            first: first.remove(&stored.id).unwrap_or_else(|| text.clone()),
            text,
        });
    }
    Ok(comments)
}

impl Source {
    pub(in crate::kinds::work_item) async fn read(
        stored: &dyn Stored,
        item: &StoredItem,
    ) -> Result<Self> {
        let document = parts::document(stored, &item.item).await?;
        let text = std::str::from_utf8(&document).map_err(|_| {
            Error::malformed(format!("{}: its stored document is not text", item.item))
        })?;
        let mut now = Revision::read(text)?;
        let relations = relations(text)?;
        let talked = document::talked(text)?;
        let part = async |name: &str| {
            stored
                .part(&item.item, name)
                .await
                .map(Option::unwrap_or_default)
        };
        let mut comments = comments(&part(COMMENTS).await?, &part(COMMENT_VERSIONS).await?)?;
        let mut revisions = history::read_all(&part(REVISIONS).await?)?;
        let mut last = revisions.iter().rev();
        if let Some(last) = last.find(|revision| revision.rev == now.rev) {
            now.filed.clone_from(&last.filed);
        }
        if revisions.is_empty() {
            revisions.push(now.clone());
        }
        with_comments(&mut revisions, &mut comments);
        if revisions
            .iter()
            .all(|revision| revision.markdown.is_empty())
        {
            for revision in &mut revisions {
                revision.markdown.clone_from(&now.markdown);
            }
        }
        let folded = relations.iter().enumerate().filter(|(_, relation)| {
            matches!(
                relation.leads(),
                Leads::ToFile | Leads::ToAddress | Leads::ToArtifact
            )
        });
        let dated: Vec<_> = folded
            .map(|(at, relation)| {
                (
                    at,
                    relation
                        .attributes
                        .authorized
                        .as_deref()
                        .and_then(|date| date.parse().ok()),
                )
            })
            .collect();
        let replay = Replay::plan(&revisions, &dated);
        Ok(Self {
            now,
            relations,
            replay,
            comments,
            talked,
        })
    }

    /// The projects that it was in, the first one first, the present one last: the nodes and the name.
    pub(in crate::kinds::work_item) fn projects(&self) -> impl Iterator<Item = (&Filed, &str)> {
        let changed = self.replay.steps.iter().filter_map(|step| {
            let name = step.changes.get(history::PROJECT)?.value()?.as_str()?;
            Some((&step.filed, name))
        });
        changed
            .chain([(&self.now.filed, self.now.text(history::PROJECT))])
            .filter(|(_, name)| !name.is_empty())
    }
}

/// Comments that were not made by a change of the item are in its revisions only by reference, which also tells what they said at first.
fn with_comments(revisions: &mut [Revision], comments: &mut [Comment]) {
    let told = revisions
        .iter()
        .filter_map(|revision| revision.comment.as_ref());
    let stored = |id| comments.iter().any(|comment| comment.id == id);
    let deleted: HashSet<u32> = told
        .filter(|told| told.deleted && !stored(told.id))
        .map(|told| told.id)
        .collect();
    for revision in revisions.iter_mut() {
        let about = revision.comment.as_ref().map(|comment| comment.id);
        if about.is_some_and(|comment| deleted.contains(&comment)) {
            // It would be made again, and nothing stored says to delete it then.
            revision.history = None;
            continue;
        }
        let Some(reference) = revision
            .comment
            .as_ref()
            .filter(|reference| reference.version == 1)
        else {
            continue;
        };
        let comment = comments
            .iter_mut()
            .find(|comment| comment.id == reference.id);
        let told = reference
            .text
            .clone()
            .or_else(|| revision.history.clone())
            .filter(|text| !text.is_empty());
        if let (Some(comment), Some(told)) = (comment, &told) {
            comment.first.clone_from(told);
        }
        let known = || {
            comments
                .iter()
                .find(|comment| comment.id == reference.id && !comment.first.is_empty())
                .map(|comment| comment.first.clone())
        };
        if revision.history.is_none() {
            revision.history = told.or_else(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_lead_where_they_say() {
        let leads = |rel: &str, url: &str| {
            Relation {
                rel: rel.to_owned(),
                url: url.to_owned(),
                ..Relation::default()
            }
            .leads()
        };
        assert_eq!(
            leads(
                "System.LinkTypes.Hierarchy-Forward",
                "https://dev.azure.com/c/_apis/wit/workItems/974"
            ),
            Leads::ToItem
        );
        assert_eq!(
            leads(
                "System.LinkTypes.Remote.Related",
                "https://dev.azure.com/o/_apis/wit/workItems/974"
            ),
            Leads::Elsewhere
        );
        assert_eq!(leads("AttachedFile", "x"), Leads::ToFile);
        assert_eq!(
            leads("Custom.Link", "https://x/_apis/wit/other/974"),
            Leads::Elsewhere
        );
    }

    #[test]
    fn a_comment_that_only_a_reference_names_is_written_with_its_first_text() {
        let lines = br#"{"id":5,"version":2,"text":"new","format":"markdown","createdDate":"2026-01-01T00:00:00Z"}"#;
        let versions = b"{\"id\":5,\"version\":1,\"text\":\"old\"}\n{\"id\":5,\"version\":2,\"text\":\"new\"}\n";
        let mut comments = comments(lines, versions).unwrap();
        assert_eq!(
            (
                comments[0].first.as_str(),
                comments[0].text.as_str(),
                comments[0].markdown
            ),
            ("old", "new", true)
        );
        let revision = |version, text: Option<&str>| Revision {
            comment: Some(history::CommentRef {
                id: 5,
                version,
                text: text.map(str::to_owned),
                deleted: false,
            }),
            ..Revision::default()
        };
        let mut revisions = [revision(1, None), revision(2, None)];
        with_comments(&mut revisions, &mut comments);
        assert_eq!(revisions[0].history.as_deref(), Some("old"));
        assert_eq!(revisions[1].history, None);
        let mut revisions = [revision(1, Some("older"))];
        with_comments(&mut revisions, &mut comments);
        assert_eq!(
            (revisions[0].history.as_deref(), comments[0].first.as_str()),
            (Some("older"), "older")
        );
    }

    #[test]
    fn what_was_deleted_and_is_not_stored_is_not_said_again() {
        let revision = |version, history: Option<&str>, deleted| Revision {
            history: history.map(str::to_owned),
            comment: Some(history::CommentRef {
                id: 5,
                version,
                text: Some("said".to_owned()),
                deleted,
            }),
            ..Revision::default()
        };
        let all = || [revision(1, Some("said"), false), revision(2, None, true)];
        let mut revisions = all();
        with_comments(&mut revisions, &mut []);
        assert_eq!(revisions.map(|revision| revision.history), [None, None]);
        // Where it is stored, the replay makes it and it is deleted then.
        let mut stored = comments(
            br#"{"id":5,"version":2,"text":"said","isDeleted":true}"#,
            b"",
        )
        .unwrap();
        let mut revisions = all();
        with_comments(&mut revisions, &mut stored);
        let said = revisions.map(|revision| revision.history);
        assert_eq!(said, [Some("said".to_owned()), None]);
    }
}
