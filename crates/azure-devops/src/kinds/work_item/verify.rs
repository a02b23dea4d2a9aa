//! Restored work items read back: fields, revisions, links and comments against the snapshot, whatever must differ aside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use service::{Error, Result, StoredItem, Target};
use tokio::sync::OnceCell;

use super::attachments::references;
use super::filed::PATHS;
use super::history::{
    self, AREA_PATH, CHANGED_DATE, CREATED_BY, CREATED_DATE, Fields, ITERATION_PATH, PROJECT,
    REASON, Revision, STATE,
};
use super::restore::Place;
use super::restore::check::{Leads, Relation, Source, relations};
use super::{batch, document};
use crate::identity;
use crate::kinds::node::paths::split_field;
use crate::kinds::parts::{Differences, short};

/// Dates may have been moved by this much to keep the order of revisions.
const MOVED: i128 = 1000;

pub(super) async fn verify(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
    let ids: Vec<u32> = items
        .iter()
        .filter_map(|item| item.new_id.as_deref()?.parse().ok())
        .collect();
    let mut documents: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
    for chunk in ids.chunks(batch::AT_ONCE) {
        let answer = batch::ask(cx.http, chunk).await?;
        for value in answer
            .values()?
            .into_iter()
            .filter(|value| value.get() != "null")
        {
            let head: document::Head<'_> = serde_json::from_str(value.get())
                .map_err(|error| Error::malformed(format!("a work item of the target: {error}")))?;
            documents.insert(head.id.to_string(), value.to_owned());
        }
    }
    let place = OnceCell::new();
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let document = item.new_id.as_deref().and_then(|id| documents.get(id));
        all.push(match document {
            Some(document) => compare(cx, &place, item, document).await?,
            None => vec![service::GONE.to_owned()],
        });
    }
    Ok(all)
}

async fn compare<'a>(
    cx: &'a Target<'a>,
    place: &OnceCell<Place<'a>>,
    item: &StoredItem,
    document: &RawValue,
) -> Result<Vec<String>> {
    let source = Source::read(cx.stored, item).await?;
    let there = Revision::read(document.get())?;
    let relations = relations(document.get())?;
    let mut differences = Differences::default();
    let wanted = at_target(cx, place, &source, &there, &mut differences).await?;
    fields(&mut differences, &wanted, &there.fields);
    creation(&mut differences, &source.now, &there);
    if item.action == model::Action::Create {
        replayed(&mut differences, &source, &there);
    }
    resources(&mut differences, &source.relations, &relations);
    // Those of an item that stood there stay as they are, and those that were not backed up do not come.
    let talks = !source.comments.is_empty() || source.talked == 0;
    if item.action == model::Action::Create && talks {
        let there = document::talked(document.get())?;
        differences.compare("comments", &source.talked, &there);
    }
    links(cx, &mut differences, item, &source, &relations).await?;
    if item.action == model::Action::Create {
        added(cx, &mut differences, &source, &relations);
    }
    Ok(differences.0)
}

/// The stored fields with the paths that the target has: a project or a node that was renamed is the same. Nothing is asked where the names are.
async fn at_target<'a>(
    cx: &'a Target<'a>,
    place: &OnceCell<Place<'a>>,
    source: &Source,
    there: &Revision,
    differences: &mut Differences,
) -> Result<Fields> {
    let mut wanted = source.now.fields.clone();
    let same = |field| source.now.text(field).to_lowercase() == there.text(field).to_lowercase();
    if [PROJECT, AREA_PATH, ITERATION_PATH].into_iter().all(same) {
        return Ok(wanted);
    }
    let place = place.get_or_try_init(|| Place::load(cx)).await?;
    let Ok(project) = place.present(source) else {
        return Ok(wanted);
    };
    differences.compare(PROJECT, project.name.as_str(), there.text(PROJECT));
    for (field, kind) in PATHS {
        let old = source.now.text(field);
        if old.is_empty() {
            continue;
        }
        let spot = place.spot(kind, &source.now.filed, old, project).await?;
        if spot.exact {
            wanted.insert(field.to_owned(), spot.path.into());
        }
    }
    Ok(wanted)
}

/// By whom the item was made, and when.
fn creation(differences: &mut Differences, stored: &Revision, there: &Revision) {
    let person = |revision: &Revision| {
        revision
            .created_by
            .as_deref()
            .and_then(|by| identity::key(&Value::from(by)))
            .unwrap_or_default()
    };
    differences.compare(CREATED_BY, &person(stored), &person(there));
    let dates = [stored, there].map(|revision| revision.created.as_deref());
    moments(differences, CREATED_DATE, dates);
}

/// How many revisions there are, and when the last was made. What was mended in the discussion makes up to two more each.
fn replayed(differences: &mut Differences, source: &Source, there: &Revision) {
    let mended = source
        .comments
        .iter()
        .filter(|comment| comment.version > 1 || comment.deleted || comment.markdown)
        .count();
    let (steps, rev) = (source.replay.steps.len(), there.rev as usize);
    if !(steps..=steps + 2 * mended).contains(&rev) {
        differences.compare("revisions", &steps, &rev);
    }
    if mended == 0 {
        let last = source.replay.steps.last().map(|step| step.date.as_str());
        moments(differences, CHANGED_DATE, [last, there.changed.as_deref()]);
    }
}

fn moments(differences: &mut Differences, what: &str, [stored, there]: [Option<&str>; 2]) {
    if !same_moment(stored, there) {
        let shown = |text: Option<&str>| match text {
            // A text without letters is shown as nothing too.
            Some("") => "an empty text".to_owned(),
            text => short(text.unwrap_or_default()),
        };
        let message = format!("{what}: {} instead of {}", shown(there), shown(stored));
        differences.0.push(message);
    }
}

/// Attached files and addresses: as many, and the same.
fn resources(differences: &mut Differences, stored: &[Relation], there: &[Relation]) {
    for (what, leads) in [
        ("attached files", Leads::ToFile),
        ("addresses", Leads::ToAddress),
    ] {
        let of_kind = |relation: &&Relation| relation.leads() == leads;
        let count = |relations: &[Relation]| relations.iter().filter(of_kind).count();
        let (wanted, found) = (count(stored), count(there));
        differences.compare(what, &wanted, &found);
        let mut lost = stored
            .iter()
            .filter(of_kind)
            .filter(|relation| !relation.is_among(there));
        if let Some(relation) = lost.next().filter(|_| wanted == found) {
            let message = format!("{what}: {} is another one there", relation.shown());
            differences.0.push(message);
        }
    }
}

/// Every link whose other end is at the target must be there, unless that is below another item by now, as one of a duplicate is: it can be
/// below one.
async fn links(
    cx: &Target<'_>,
    differences: &mut Differences,
    item: &StoredItem,
    source: &Source,
    there: &[Relation],
) -> Result<()> {
    let links = source.relations.iter();
    for relation in links.filter(|relation| relation.leads() == Leads::ToItem) {
        let Some(new) = relation
            .item()
            .and_then(|old| cx.ids.get(super::WORK_ITEM, &old.to_string()))
        else {
            continue;
        };
        let found = there.iter().any(|other| {
            other.rel == relation.rel && other.item().is_some_and(|id| id.to_string() == new)
        });
        let made = item.action == model::Action::Create;
        if found || (made && is_below_another(cx, relation, &new).await?) {
            continue;
        }
        differences.0.push(format!(
            "the link {} to work item {new} is missing",
            relation.rel
        ));
    }
    Ok(())
}

/// Whether what the link leads to has such a link with another item.
async fn is_below_another(cx: &Target<'_>, link: &Relation, new: &str) -> Result<bool> {
    let Some(id) = new.parse().ok().filter(|_| link.is_of_one()) else {
        return Ok(false);
    };
    let answer = batch::ask(cx.http, &[id]).await?;
    let documents = answer.values()?;
    let Some(document) = documents.into_iter().find(|one| one.get() != "null") else {
        return Ok(false);
    };
    let own = relations(document.get())?;
    Ok(own.iter().any(|one| one.answers(link)))
}

/// Links that somebody has added to an item that was made: they make no revision of it.
fn added(cx: &Target<'_>, differences: &mut Differences, source: &Source, there: &[Relation]) {
    let of = |relation: &Relation| relation.leads() == Leads::ToItem;
    for relation in there.iter().filter(|relation| of(relation)) {
        let Some(other) = relation.item().map(|other| other.to_string()) else {
            continue;
        };
        let stored = source.relations.iter().any(|stored| {
            let old = stored.item().map(|old| old.to_string());
            let new = old.and_then(|old| cx.ids.get(super::WORK_ITEM, &old));
            of(stored) && stored.rel == relation.rel && new.as_deref() == Some(other.as_str())
        });
        if !stored {
            differences.0.push(format!(
                "the link {} to work item {other} is not in the snapshot",
                relation.rel
            ));
        }
    }
}

fn fields(differences: &mut Differences, wanted: &Fields, there: &Fields) {
    let names: std::collections::BTreeSet<&String> = wanted.keys().chain(there.keys()).collect();
    for name in names {
        let (one, other) = (
            normal(name, wanted.get(name)),
            normal(name, there.get(name)),
        );
        if one != other && !name.starts_with("WEF_") {
            differences.compare(name, &one, &other);
        }
    }
}

/// A value in the form in which equal ones are equal: names of projects, ids of attachments and ways to write a person aside.
fn normal(field: &str, value: Option<&Value>) -> String {
    let Some(value) = value else {
        return String::new();
    };
    match (field, value) {
        (PROJECT, _) => String::new(),
        (AREA_PATH | ITERATION_PATH, Value::String(path)) => {
            split_field(path).1.join("\\").to_lowercase()
        }
        (STATE | REASON, Value::String(text)) => text.clone(),
        (history::TAGS, Value::String(tags)) => {
            let mut tags: Vec<String> = tags
                .split(';')
                .map(|tag| tag.trim().to_lowercase())
                .collect();
            tags.sort_unstable();
            tags.join("; ")
        }
        (_, Value::String(text)) => match text.parse::<Timestamp>() {
            Ok(moment) => moment.to_string(),
            Err(_) if is_person(text) => identity::key(value).unwrap_or_default(),
            Err(_) => without_ids(text),
        },
        (_, Value::Number(number)) => number.as_f64().unwrap_or_default().to_string(),
        (_, value) if identity::is_identity(value) => identity::key(value).unwrap_or_default(),
        (_, value) => value.to_string(),
    }
}

/// `Name <address>`: one address, at the end.
fn is_person(text: &str) -> bool {
    let address = text
        .strip_suffix('>')
        .and_then(|rest| rest.split_once('<'))
        .map(|(_, address)| address);
    !text.starts_with('<')
        && address.is_some_and(|address| {
            address.contains(['@', '\\']) && !address.contains(['<', '>', ' '])
        })
}

fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    for reference in references(text) {
        out.push_str(&text[at..reference.start.max(at)]);
        out.push_str("attachment");
        at = reference.end;
    }
    out.push_str(&text[at..]);
    out
}

pub(super) fn same_moment(one: Option<&str>, other: Option<&str>) -> bool {
    let read = |text: Option<&str>| text.and_then(|text| text.parse::<Timestamp>().ok());
    match (read(one), read(other)) {
        (Some(one), Some(other)) => one.duration_since(other).abs().as_millis() < MOVED,
        // What is no time is the same as it was written.
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_compared_and_what_is_none_as_text() {
        let same = |one, other| same_moment(Some(one), Some(other));
        assert!(same(
            "2026-01-01T00:00:00Z",
            "2026-01-01T01:00:00.000+01:00"
        ));
        assert!(!same("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"));
        assert!(same("never", "never") && same_moment(None, None));
        assert!(!same("never", "once") && !same_moment(Some("never"), None));
    }

    #[test]
    fn a_missing_date_beside_an_empty_one_is_named() {
        let mut differences = Differences::default();
        moments(&mut differences, "date", [None, Some("")]);
        moments(&mut differences, "date", [Some("once"), None]);
        moments(&mut differences, "date", [None, None]);
        assert_eq!(
            differences.0,
            [
                "date: an empty text instead of nothing",
                "date: nothing instead of \"once\""
            ]
        );
    }

    #[test]
    fn what_must_differ_does_not_count() {
        let pairs = [
            (AREA_PATH, json!("Old\\A"), json!("New\\a")),
            (PROJECT, json!("Old"), json!("New")),
            (
                "Custom.Date",
                json!("2026-01-01T00:00:00Z"),
                json!("2026-01-01T00:00:00.000Z"),
            ),
            ("System.AssignedTo", json!("A <a@x>"), json!("a <A@x>")),
            ("Custom.Number", json!(1), json!(1.0)),
            (
                "System.Description",
                json!(
                    "<img src=\"https://one/_apis/wit/attachments/0a1b2c3d-0000-4000-8000-000000000001?fileName=x\">"
                ),
                json!(
                    "<img src=\"https://two/p/_apis/wit/attachments/0a1b2c3d-0000-4000-8000-000000000002?fileName=x\">"
                ),
            ),
        ];
        for (field, one, other) in pairs {
            assert_eq!(
                normal(field, Some(&one)),
                normal(field, Some(&other)),
                "{field}"
            );
        }
        assert_ne!(
            normal(AREA_PATH, Some(&json!("P\\A"))),
            normal(AREA_PATH, Some(&json!("P\\B")))
        );
        assert_ne!(
            normal("Custom.Text", Some(&json!("a"))),
            normal("Custom.Text", None)
        );
    }
}
