//! The few members that are read of documents, beside their bytes.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::{Error, Result};

/// A work item or one revision of it.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    pub(super) id: u32,
    #[serde(default)]
    pub(super) rev: u32,
    #[serde(borrow)]
    pub(super) fields: Fields<'a>,
    #[serde(borrow, rename = "commentVersionRef")]
    pub(super) comment: Option<CommentRef<'a>>,
}

/// The comment that a revision made or changed, and its text then, if this server tells it.
#[derive(Deserialize)]
pub(super) struct CommentRef<'a> {
    #[serde(rename = "commentId")]
    pub(super) id: u32,
    pub(super) version: u32,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Fields<'a> {
    #[serde(borrow, rename = "System.Title")]
    title: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "System.TeamProject")]
    pub(super) project: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "System.ChangedDate")]
    pub(super) changed: Option<Cow<'a, str>>,
    #[serde(rename = "System.CommentCount")]
    pub(super) comments: Option<u32>,
    #[serde(rename = "System.IsDeleted")]
    deleted: Option<bool>,
    #[serde(borrow, rename = "System.History")]
    history: Option<&'a RawValue>,
}

impl Fields<'_> {
    pub(super) fn name(&self) -> String {
        self.title.as_deref().unwrap_or_default().to_owned()
    }

    pub(super) fn modified(&self) -> Option<Timestamp> {
        self.changed.as_deref()?.parse().ok()
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.deleted == Some(true)
    }

    /// The revision carries a comment.
    pub(super) fn talks(&self) -> bool {
        self.history
            .is_some_and(|text| !matches!(text.get(), "null" | "\"\""))
    }
}

/// How many comments the service counts on an item, by its document.
pub(super) fn talked(document: &str) -> Result<u32> {
    let head: Head<'_> = serde_json::from_str(document)
        .map_err(|error| Error::malformed(format!("a work item is not understood: {error}")))?;
    Ok(head.fields.comments.unwrap_or(0))
}

/// One link as the stream of links reports it: its ends are members of the record or of its attributes.
#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(flatten)]
    ends: Ends,
    attributes: Option<Ends>,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct Ends {
    #[serde(rename = "sourceId")]
    source: Option<u32>,
    #[serde(rename = "targetId")]
    target: Option<u32>,
}

impl Link {
    /// The work items at both ends; the far end of a link to another organization is not one of ours.
    pub(super) fn ends(&self) -> impl Iterator<Item = u32> {
        let inner = self.attributes.unwrap_or_default();
        [
            self.ends.source.or(inner.source),
            self.ends.target.or(inner.target),
        ]
        .into_iter()
        .flatten()
    }
}

/// A record of the stream of discussions.
#[derive(Deserialize)]
pub(super) struct Discussion {
    pub(super) id: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_link_are_read_wherever_they_are() {
        for record in [
            r#"{"rel":"System.LinkTypes.Hierarchy","sourceId":5,"targetId":6,"isActive":true}"#,
            r#"{"rel":"System.LinkTypes.Hierarchy","attributes":{"sourceId":5,"targetId":6,"changedBy":{"id":"x"}}}"#,
        ] {
            let link: Link = serde_json::from_str(record).unwrap();
            assert_eq!(link.ends().collect::<Vec<_>>(), [5, 6]);
        }
    }

    #[test]
    fn an_empty_history_is_no_comment() {
        let talks = |history: &str| {
            let text = format!(
                r#"{{"id":1,"rev":2,"fields":{{"System.History":{history},"System.Title":"t"}}}}"#
            );
            serde_json::from_str::<Head<'_>>(&text)
                .unwrap()
                .fields
                .talks()
        };
        assert!(talks("\"x\""));
        assert!(!talks("\"\""));
        assert!(!talks("null"));
    }
}
