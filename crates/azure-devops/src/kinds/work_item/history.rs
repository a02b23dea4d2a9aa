//! What a work item was, revision by revision, in values that can be written again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use service::{Error, Result};

use super::filed::{Filed, PATHS};
use crate::identity;
use crate::raw::{self, Members};

/// Values to write by field. `System.History` is not among them: it belongs to one revision, the others last.
pub(super) type Fields = BTreeMap<String, Value>;

pub(super) const CHANGED_BY: &str = "System.ChangedBy";
pub(super) const CHANGED_DATE: &str = "System.ChangedDate";
pub(super) const CREATED_BY: &str = "System.CreatedBy";
pub(super) const CREATED_DATE: &str = "System.CreatedDate";
pub(super) const PROJECT: &str = "System.TeamProject";
pub(super) const TYPE: &str = "System.WorkItemType";
pub(super) const STATE: &str = "System.State";
pub(super) const REASON: &str = "System.Reason";
pub(super) const TITLE: &str = "System.Title";
pub(super) const AREA_PATH: &str = "System.AreaPath";
pub(super) const ITERATION_PATH: &str = "System.IterationPath";
const HISTORY: &str = "System.History";
pub(super) const TAGS: &str = "System.Tags";
const DELETED: &str = "System.IsDeleted";

/// Computed by the service, or written in another way than as a field that changed.
const NOT_WRITTEN: &[&str] = &[
    "System.Id",
    "System.Rev",
    "System.RevisedDate",
    "System.AreaId",
    "System.IterationId",
    "System.NodeName",
    "System.NodeType",
    "System.NodeTypeId",
    "System.Parent",
    "System.AuthorizedAs",
    "System.AuthorizedDate",
    "System.PersonId",
    "System.Watermark",
    "System.AttachedFileCount",
    "System.HyperLinkCount",
    "System.RelatedLinkCount",
    "System.ExternalLinkCount",
    "System.RemoteLinkCount",
    "System.CommentCount",
    "System.BoardColumn",
    "System.BoardColumnDone",
    "System.BoardLane",
    "System.IsDeleted",
    "System.History",
    "System.ChangedBy",
    "System.ChangedDate",
    "System.CreatedBy",
    "System.CreatedDate",
    "Microsoft.VSTS.Common.StateChangeDate",
];

pub(super) fn is_written(field: &str) -> bool {
    !NOT_WRITTEN.contains(&field)
        && !field.starts_with("System.AreaLevel")
        && !field.starts_with("System.IterationLevel")
        && !field.starts_with("System.TFS")
}

#[derive(Deserialize)]
struct Record<'a> {
    rev: u32,
    #[serde(borrow)]
    fields: Members<'a>,
    #[serde(borrow, rename = "multilineFieldsFormat")]
    formats: Option<Members<'a>>,
    #[serde(rename = "commentVersionRef")]
    comment: Option<CommentRef>,
}

/// Which comment a revision made or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct CommentRef {
    #[serde(rename = "commentId")]
    pub(super) id: u32,
    pub(super) version: u32,
    #[serde(default)]
    pub(super) text: Option<String>,
    #[serde(default, rename = "isDeleted")]
    pub(super) deleted: bool,
}

/// One revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Revision {
    pub(super) rev: u32,
    pub(super) fields: Fields,
    /// Documents do not say; the records of the stream do.
    pub(super) filed: Filed,
    pub(super) history: Option<String>,
    pub(super) comment: Option<CommentRef>,
    pub(super) changed: Option<String>,
    pub(super) changed_by: Option<String>,
    pub(super) created: Option<String>,
    pub(super) created_by: Option<String>,
    pub(super) deleted: bool,
    /// Fields whose text is Markdown.
    pub(super) markdown: Vec<String>,
}

impl Revision {
    /// Reads a record of the revisions, or a document.
    pub(super) fn read(record: &str) -> Result<Self> {
        let record: Record<'_> = serde_json::from_str(record).map_err(|error| {
            Error::malformed(format!("a stored revision is not understood: {error}"))
        })?;
        let text = |name: &str| record.fields.text(name).filter(|text| !text.is_empty());
        let person = |name: &str| {
            written(name, record.fields.get(name)?)?
                .as_str()
                .map(str::to_owned)
        };
        let mut fields = Fields::new();
        for (name, value) in &record.fields.0 {
            if is_written(name)
                && let Some(value) = written(name, value)
            {
                fields.insert(name.to_string(), value);
            }
        }
        let formats = record.formats.unwrap_or_default();
        Ok(Self {
            rev: record.rev,
            fields,
            filed: Filed::read(&record.fields),
            history: text(HISTORY),
            comment: record.comment,
            changed: text(CHANGED_DATE),
            changed_by: person(CHANGED_BY),
            created: text(CREATED_DATE),
            created_by: person(CREATED_BY),
            deleted: record
                .fields
                .get(DELETED)
                .is_some_and(|deleted| deleted.get() == "true"),
            markdown: formats
                .0
                .iter()
                .filter(|(_, format)| format.get().eq_ignore_ascii_case("\"markdown\""))
                .map(|(field, _)| field.to_string())
                .collect(),
        })
    }

    /// When it was made; one that does not say is as old as its item, and comes as soon as can be after the one before.
    fn stated(&self) -> &str {
        let stated = self.changed.as_deref().or(self.created.as_deref());
        stated.unwrap_or_default()
    }

    /// Only the service's own count of the item's revisions tells of it.
    fn edits_a_comment(&self) -> bool {
        let edit = self.comment.as_ref().is_some_and(|one| one.version > 1);
        edit && self.history.is_none()
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// The value to write for one that was read; `None` for none.
fn written(field: &str, raw: &RawValue) -> Option<Value> {
    let value: Value = serde_json::from_str(raw.get()).ok()?;
    match value {
        Value::Null => None,
        Value::Object(_) => identity::written(raw.get()).map(Value::String),
        Value::Array(tags) if field == TAGS => {
            let name = |tag: &Value| {
                tag.as_str()
                    .or_else(|| tag.get("name")?.as_str())
                    .map(str::to_owned)
            };
            Some(Value::String(
                tags.iter().filter_map(name).collect::<Vec<_>>().join("; "),
            ))
        }
        other => Some(other),
    }
}

/// All stored revisions in their order; a revision that arrived twice counts once.
pub(super) fn read_all(records: &[u8]) -> Result<Vec<Revision>> {
    let mut by_rev = BTreeMap::new();
    for line in raw::lines(records) {
        let revision = Revision::read(line?)?;
        by_rev.insert(revision.rev, revision);
    }
    Ok(by_rev.into_values().collect())
}

/// What a revision did to a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// It had none before.
    Given(Value),
    Replaced(Value),
    Removed,
}

impl Change {
    /// The value from then on.
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Given(value) | Self::Replaced(value) => Some(value),
            Self::Removed => None,
        }
    }
}

pub(super) type Changes = BTreeMap<String, Change>;

pub(super) fn changes(before: &Fields, after: &Fields) -> Changes {
    let set = after.iter().filter_map(|(field, value)| {
        let change = match before.get(field) {
            Some(old) if old == value => return None,
            Some(_) => Change::Replaced(value.clone()),
            None => Change::Given(value.clone()),
        };
        Some((field.clone(), change))
    });
    let removed = before
        .keys()
        .filter(|field| !after.contains_key(*field))
        .map(|field| (field.clone(), Change::Removed));
    set.chain(removed).collect()
}

/// Paths that stay the same in words and name another node: the one before was renamed, and has given its name to this one.
fn moved(before: &Filed, revision: &Revision) -> Changes {
    let is_moved = |kind| match (before.node(kind), revision.filed.node(kind)) {
        (Some(before), Some(after)) => before != after,
        _ => false,
    };
    let paths = PATHS.iter().filter(|(_, kind)| is_moved(kind));
    let named = paths.filter_map(|(field, _)| {
        let path = revision.fields.get(*field)?;
        Some(((*field).to_owned(), Change::Replaced(path.clone())))
    });
    named.collect()
}

/// One write of the replay: what a revision changed, by whom and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Step {
    /// As it was written, or later by as little as keeps the order.
    pub(super) date: String,
    pub(super) by: String,
    pub(super) changes: Changes,
    pub(super) filed: Filed,
    pub(super) history: Option<String>,
    /// Fields whose text is Markdown from now on.
    pub(super) markdown: Vec<String>,
    /// Relations that were added with this revision, by their place in the document.
    pub(super) relations: Vec<usize>,
}

/// The writes that make a work item what it was, and what is lost on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Replay {
    pub(super) created: String,
    pub(super) created_by: String,
    pub(super) steps: Vec<Step>,
    pub(super) losses: Vec<String>,
}

/// The dates of revisions: the service refuses one that is not after the one before.
#[derive(Default)]
struct Dating {
    last: Option<Timestamp>,
    nudged: usize,
}

impl Dating {
    /// The date as stated, or later by as little as keeps the order. What is no date stays what it is.
    fn after_the_last(&mut self, stated: &str) -> String {
        let Ok(moment) = stated.parse::<Timestamp>() else {
            return stated.to_owned();
        };
        let later = |last: Timestamp| {
            let later = last.checked_add(SignedDuration::from_millis(1));
            later.unwrap_or(last)
        };
        match self.last.filter(|last| moment <= *last).map(later) {
            None => {
                self.last = Some(moment);
                stated.to_owned()
            }
            Some(later) => {
                self.last = Some(later);
                self.nudged += 1;
                format!("{later:.3}")
            }
        }
    }

    fn loss(&self) -> Option<String> {
        let nudged = self.nudged;
        (nudged > 0).then(|| format!("{nudged} revisions share a moment with the one before: they are dated up to {nudged} ms later"))
    }
}

/// Whom revisions are by that name nobody: the service refuses an empty author.
const NOBODY: &str = "Unknown";

impl Replay {
    /// `dated` are the relations of the document with the time they were added, as far as it is known.
    pub(super) fn plan(revisions: &[Revision], dated: &[(usize, Option<Timestamp>)]) -> Self {
        let mut replay = Self::default();
        let (mut before, mut formatted) = (Fields::new(), &Vec::new());
        let mut filed = <&Filed>::default();
        let (mut moments, mut dating) = (Vec::new(), Dating::default());
        for revision in revisions.iter().filter(|revision| !revision.deleted) {
            let mut changes = changes(&before, &revision.fields);
            changes.extend(moved(filed, revision));
            if changes.is_empty() && revision.edits_a_comment() && !replay.steps.is_empty() {
                continue;
            }
            let stated = revision.stated();
            moments.push(stated.parse().ok());
            let date = dating.after_the_last(stated);
            let by = replay.author(revision);
            if replay.steps.is_empty() {
                replay.created = revision.created.clone().unwrap_or_else(|| date.clone());
                replay.created_by = revision.created_by.clone().unwrap_or_else(|| by.clone());
            }
            let markdown = revision.markdown.iter();
            let markdown = markdown.filter(|field| !formatted.contains(*field));
            replay.steps.push(Step {
                date,
                by,
                changes,
                filed: revision.filed.clone(),
                history: revision.history.clone(),
                markdown: markdown.cloned().collect(),
                relations: Vec::new(),
            });
            before.clone_from(&revision.fields);
            filed = &revision.filed;
            formatted = &revision.markdown;
        }
        replay.losses.extend(dating.loss());
        replay.fold(&moments, dated);
        replay
    }

    fn author(&mut self, revision: &Revision) -> String {
        revision.changed_by.clone().unwrap_or_else(|| {
            self.losses.push(format!(
                "revision {} names no author: it is by {NOBODY}",
                revision.rev
            ));
            NOBODY.to_owned()
        })
    }

    /// Gives each relation to the revision that added it: the first that is not older. What has no date comes with the last.
    fn fold(&mut self, moments: &[Option<Timestamp>], dated: &[(usize, Option<Timestamp>)]) {
        let Some(last) = self.steps.len().checked_sub(1) else {
            return;
        };
        for (relation, added) in dated {
            let at = added.and_then(|added| {
                moments
                    .iter()
                    .position(|moment| moment.is_some_and(|moment| moment >= added))
            });
            self.steps[at.unwrap_or(last)].relations.push(*relation);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fields() -> impl Strategy<Value = Fields> {
        let name =
            prop_oneof!["a", "b", "c", "d"].prop_map(|name: String| format!("Custom.{name}"));
        let value = prop_oneof![
            Just(json!(1)),
            Just(json!(2.5)),
            Just(json!("x")),
            Just(json!(true)),
            "\\PC{0,4}".prop_map(Value::from)
        ];
        proptest::collection::btree_map(name, value, 0..4)
    }

    fn apply(before: &mut Fields, changes: &Changes) {
        for (field, change) in changes {
            match change.value() {
                Some(value) => before.insert(field.clone(), value.clone()),
                None => before.remove(field),
            };
        }
    }

    proptest! {
        #[test]
        fn replaying_the_changes_gives_the_revisions_again(states in proptest::collection::vec(fields(), 1..8), gaps in proptest::collection::vec(-3i64..5, 8)) {
            let mut at = 1_700_000_000_000;
            let revisions: Vec<Revision> = states.iter().zip(&gaps).enumerate().map(|(rev, (fields, gap))| {
                at += gap;
                let changed = Timestamp::from_millisecond(at).unwrap().to_string();
                Revision { rev: rev as u32 + 1, fields: fields.clone(), changed: Some(changed), changed_by: Some("a".to_owned()), ..Revision::default() }
            }).collect();
            let replay = Replay::plan(&revisions, &[]);
            prop_assert_eq!(replay.steps.len(), revisions.len());
            let mut state = Fields::new();
            for (step, revision) in replay.steps.iter().zip(&revisions) {
                apply(&mut state, &step.changes);
                prop_assert_eq!(&state, &revision.fields);
            }
            let dates: Vec<Timestamp> = replay.steps.iter().map(|step| step.date.parse().unwrap()).collect();
            prop_assert!(dates.windows(2).all(|pair| pair[0] < pair[1]), "dates rise: {:?}", dates);
            let nudged = replay.steps.iter().zip(&revisions).any(|(step, revision)| Some(&step.date) != revision.changed.as_ref());
            prop_assert_eq!(nudged, !replay.losses.is_empty());
        }

        #[test]
        fn every_relation_is_added_once_and_never_before_its_time(times in proptest::collection::vec(0i64..50, 1..6), added in proptest::collection::vec(proptest::option::of(0i64..60), 0..10)) {
            let mut times = times;
            times.sort_unstable();
            times.dedup();
            let moment = |millis: i64| Timestamp::from_millisecond(millis).unwrap();
            let revisions: Vec<Revision> = times.iter().enumerate().map(|(rev, at)| Revision {
                rev: rev as u32 + 1, changed: Some(moment(*at).to_string()), changed_by: Some("a".to_owned()), ..Revision::default()
            }).collect();
            let dated: Vec<_> = added.iter().enumerate().map(|(index, at)| (index, at.map(moment))).collect();
            let replay = Replay::plan(&revisions, &dated);
            let mut all: Vec<usize> = replay.steps.iter().flat_map(|step| step.relations.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..added.len()).collect::<Vec<_>>());
            for (at, step) in replay.steps.iter().enumerate() {
                for relation in &step.relations {
                    let in_time = added[*relation].is_some_and(|date| times[at] >= date);
                    prop_assert!(in_time || at + 1 == times.len());
                }
            }
        }
    }

    #[test]
    fn a_record_becomes_what_can_be_written() {
        let revision = Revision::read(
            r#"{"id":7,"rev":3,"fields":{"System.Id":7,"System.Rev":3,"System.Title":"T","System.AssignedTo":{"displayName":"A","uniqueName":"a@x"},
                "System.Tags":[{"id":"1","name":"red"},{"name":"blue"}],"System.History":"hi","System.ChangedBy":{"displayName":"B","uniqueName":"b@x"},
                "System.ChangedDate":"2026-03-31T18:36:26.23Z","System.Description":null,"System.IsDeleted":true,"System.BoardColumn":"New"},
                "multilineFieldsFormat":{"System.Description":"Markdown","Custom.Text":"html"},"commentVersionRef":{"commentId":5,"version":1,"url":"u"}}"#,
        )
        .unwrap();
        assert_eq!(
            revision.fields,
            Fields::from([
                ("System.Title".to_owned(), json!("T")),
                ("System.AssignedTo".to_owned(), json!("A <a@x>")),
                ("System.Tags".to_owned(), json!("red; blue")),
            ])
        );
        assert_eq!(revision.history.as_deref(), Some("hi"));
        assert_eq!(revision.changed_by.as_deref(), Some("B <b@x>"));
        assert_eq!(revision.markdown, ["System.Description"]);
        assert_eq!(
            revision.comment,
            Some(CommentRef {
                id: 5,
                version: 1,
                ..CommentRef::default()
            })
        );
        assert!(revision.deleted);
    }

    #[test]
    fn revisions_that_only_edit_a_comment_or_delete_the_item_are_not_replayed() {
        let at = |second: u32| Some(format!("2026-01-01T00:00:{second:02}Z"));
        let revision = |rev: u32| Revision {
            rev,
            changed: at(rev),
            changed_by: Some("a".to_owned()),
            ..Revision::default()
        };
        let edited = Revision {
            comment: Some(CommentRef {
                id: 5,
                version: 2,
                ..CommentRef::default()
            }),
            ..revision(2)
        };
        let deleted = Revision {
            deleted: true,
            ..revision(3)
        };
        let replay = Replay::plan(&[revision(1), edited, deleted, revision(4)], &[]);
        assert_eq!(
            replay
                .steps
                .iter()
                .map(|step| step.date.clone())
                .collect::<Vec<_>>(),
            [at(1).unwrap(), at(4).unwrap()]
        );
    }

    #[test]
    fn a_revision_without_a_date_comes_right_after_the_one_before() {
        let created = Some("2026-01-01T00:00:00Z".to_owned());
        let revision = |rev: u32, changed: Option<&str>| Revision {
            rev,
            changed: changed.map(str::to_owned),
            created: created.clone(),
            changed_by: Some("a".to_owned()),
            ..Revision::default()
        };
        let later = "2026-01-02T00:00:00Z";
        let revisions = [
            revision(1, None),
            revision(2, Some(later)),
            revision(3, None),
        ];
        let replay = Replay::plan(&revisions, &[]);
        let dates: Vec<&str> = replay.steps.iter().map(|step| &*step.date).collect();
        let after = "2026-01-02T00:00:00.001Z";
        assert_eq!(dates, ["2026-01-01T00:00:00Z", later, after]);
    }

    #[test]
    fn a_field_becomes_markdown_once() {
        let revision = |rev: u32, markdown: &[&str]| Revision {
            rev,
            changed: Some(format!("2026-01-01T00:00:{rev:02}Z")),
            changed_by: Some("a".to_owned()),
            markdown: markdown.iter().map(ToString::to_string).collect(),
            ..Revision::default()
        };
        let replay = Replay::plan(
            &[
                revision(1, &["b"]),
                revision(2, &["b", "a"]),
                revision(3, &["b", "a"]),
            ],
            &[],
        );
        assert_eq!(
            replay
                .steps
                .iter()
                .map(|step| step.markdown.clone())
                .collect::<Vec<_>>(),
            [vec!["b"], vec!["a"], vec![]]
        );
    }

    #[test]
    fn a_revision_that_arrived_twice_counts_once() {
        let records = b"{\"rev\":2,\"fields\":{\"Custom.a\":1}}\n{\"rev\":1,\"fields\":{}}\n{\"rev\":2,\"fields\":{\"Custom.a\":2}}\n";
        let revisions = read_all(records).unwrap();
        assert_eq!(
            revisions
                .iter()
                .map(|revision| revision.rev)
                .collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(revisions[1].fields["Custom.a"], json!(2));
    }
}
