//! A stored work item looked at on its own: its records are its own and without a gap, and what it refers to.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use model::ItemRef;
use serde::Deserialize;
use service::inspect::Tie;
use service::{Error, Inspect, Inspection, Result};

use super::attachments;
use super::filed::Filed;
use super::restore::check::{Leads, Relation, relations};
use super::{ATTACHMENTS, COMMENT_VERSIONS, COMMENTS, REVISIONS, WORK_ITEM};
use crate::kinds::git_repository::GIT_REPOSITORY;
use crate::kinds::node::{AREA, ITERATION};
use crate::kinds::parts;
use crate::kinds::project::PROJECT;
use crate::kinds::wiki::WIKI;
use crate::raw::{self, Members, Number};

const ATTACHMENT: &str = "attachment";
const DOCUMENT: &str = "work-item.json";

/// The members of a document that say where it belongs.
#[derive(Deserialize)]
struct Document<'a> {
    id: u32,
    rev: Option<u32>,
    #[serde(borrow)]
    fields: Place<'a>,
}

#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow, rename = "System.TeamProject")]
    project: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "System.AreaPath")]
    area: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "System.IterationPath")]
    iteration: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Record<'a> {
    id: u32,
    rev: u32,
    #[serde(borrow)]
    fields: Members<'a>,
}

#[derive(Deserialize)]
struct Comment {
    #[serde(rename = "workItemId")]
    item: Option<Number>,
}

pub(super) async fn inspect(
    cx: &Inspect<'_>,
    item: &ItemRef,
    document: &[u8],
) -> Result<Inspection> {
    let mut found = Inspection::default();
    let Some(read) = parts::inspected::<Document<'_>>(document, &mut found) else {
        return Ok(found);
    };
    found.id = Some(read.id.to_string());
    let text = String::from_utf8_lossy(document);
    links(&text, &mut found);
    files(cx, &text, DOCUMENT, &mut found);
    let history = lines(cx, item, REVISIONS, &mut found).await?;
    let history = history.unwrap_or_default();
    places(&read, &filed(&history, read.rev), &mut found);
    if !history.is_empty() {
        revisions(&history, &read, &mut found);
    }
    if let Some(lines) = lines(cx, item, COMMENTS, &mut found).await? {
        comments(&lines, &read, &mut found);
    }
    lines(cx, item, COMMENT_VERSIONS, &mut found).await?;
    sizes(cx, item, &text, &mut found).await?;
    Ok(found)
}

/// The nodes that the record of a revision names: documents name none. A record that is not understood is named by [`revisions`].
fn filed(lines: &[u8], rev: Option<u32>) -> Filed {
    let records = raw::lines(lines);
    let mut records =
        records.filter_map(|line| serde_json::from_str::<Record<'_>>(line.ok()?).ok());
    let record = records.find(|record| Some(record.rev) == rev);
    record.map_or_else(Filed::default, |record| Filed::read(&record.fields))
}

/// Renaming a project or a node, or moving a node, makes no revision of the items in it: names may be old, and ids stay what they were.
fn places(document: &Document<'_>, filed: &Filed, found: &mut Inspection) {
    let fields = &document.fields;
    // A node lies in its project.
    if filed.nodes().next().is_none()
        && let Some(name) = &fields.project
    {
        found.refer(PROJECT, name.as_ref(), Tie::Name, DOCUMENT);
    }
    for (kind, name) in [(AREA, &fields.area), (ITERATION, &fields.iteration)] {
        match (filed.node(kind), name) {
            (Some(id), _) => found.refer(kind, id, Tie::Name, REVISIONS),
            (None, Some(name)) => found.refer(kind, name.as_ref(), Tie::Name, DOCUMENT),
            (None, None) => {}
        }
    }
}

/// A file of lines whose texts may name attachments.
async fn lines(
    cx: &Inspect<'_>,
    item: &ItemRef,
    part: &str,
    found: &mut Inspection,
) -> Result<Option<Bytes>> {
    let bytes = cx.stored.part(item, part).await?;
    if let Some(bytes) = &bytes {
        files(cx, &String::from_utf8_lossy(bytes), part, found);
    }
    Ok(bytes)
}

fn files(cx: &Inspect<'_>, text: &str, part: &str, found: &mut Inspection) {
    let mut guids = Vec::new();
    attachments::scan(text, cx.source, &mut guids);
    for guid in guids {
        found.refer(ATTACHMENT, guid, Tie::Need, part);
    }
}

fn links(document: &str, found: &mut Inspection) {
    let relations = match relations(document) {
        Ok(relations) => relations,
        Err(error) => return found.damage("document-malformed", DOCUMENT, error.message),
    };
    for relation in &relations {
        match relation.leads() {
            Leads::ToItem => {
                if let Some(other) = relation.item() {
                    found.refer(WORK_ITEM, other.to_string(), Tie::Link, DOCUMENT);
                }
            }
            Leads::ToArtifact => {
                if let Some((kind, id)) = artifact(relation) {
                    found.refer(kind, id, Tie::Link, DOCUMENT);
                }
            }
            Leads::ToFile | Leads::ToAddress | Leads::Elsewhere => {}
        }
    }
}

/// The repository or wiki of `vstfs:///Git/Commit/<project>%2F<repository>%2F<commit>`.
fn artifact(relation: &Relation) -> Option<(&'static str, String)> {
    let mut segments = relation.url.strip_prefix("vstfs:///")?.splitn(3, '/');
    let kind = match (segments.next()?, segments.next()?) {
        ("Git", "Commit" | "Ref" | "PullRequestId") => GIT_REPOSITORY,
        ("Wiki", "WikiPage") => WIKI,
        _ => return None,
    };
    let rest = segments.next()?.replace("%2f", "%2F");
    let id = rest.split("%2F").nth(1)?.to_owned();
    Some((kind, id))
}

fn revisions(lines: &[u8], document: &Document<'_>, found: &mut Inspection) {
    let mut numbers = BTreeSet::new();
    for line in raw::lines(lines) {
        let read = line.and_then(|line| {
            serde_json::from_str::<Record<'_>>(line)
                .map_err(|error| Error::malformed(error.to_string()))
        });
        match read {
            Ok(revision) if revision.id == document.id => _ = numbers.insert(revision.rev),
            Ok(revision) => {
                let message = format!("a revision of work item {} lies here", revision.id);
                found.damage("document-misplaced", REVISIONS, message);
            }
            Err(error) => {
                let message = format!("a revision is not understood: {error}");
                found.damage("document-malformed", REVISIONS, message);
            }
        }
    }
    let last = document.rev.max(numbers.last().copied()).unwrap_or(0);
    numbers.remove(&0);
    // Counted, not listed: a damaged document may name any number.
    let missing = u64::from(last) - numbers.len() as u64;
    if let Some(first) = (1..=last).find(|rev| !numbers.contains(rev)) {
        let message =
            format!("{missing} of {last} revisions are not stored, the first of them is {first}");
        found.note("revision-missing", REVISIONS, message);
    }
}

fn comments(lines: &[u8], document: &Document<'_>, found: &mut Inspection) {
    // Lines that are not JSON are named by whoever reads the file as such.
    let others = raw::lines(lines)
        .filter_map(|line| serde_json::from_str::<Comment>(line.ok()?).ok()?.item)
        .filter(|owner| owner.0 != document.id);
    for Number(owner) in others {
        let message = format!("a comment of work item {owner} lies here");
        found.damage("document-misplaced", COMMENTS, message);
    }
}

/// A link to a file promises its size; a file that lies with another item is looked at there.
async fn sizes(
    cx: &Inspect<'_>,
    item: &ItemRef,
    document: &str,
    found: &mut Inspection,
) -> Result<()> {
    let Ok(promised) = attachments::sizes(document) else {
        return Ok(());
    };
    if promised.is_empty() {
        return Ok(());
    }
    let parts = cx.stored.parts(item).await?;
    let stored: HashMap<&str, u64> = parts
        .iter()
        .map(|part| (part.name.as_str(), part.size))
        .collect();
    for (guid, size) in promised {
        let part = format!("{ATTACHMENTS}/{guid}");
        if let Some(there) = stored.get(part.as_str())
            && *there != size
        {
            let message = format!("{there} bytes are stored, and the link promises {size}");
            found.damage("part-size-differs", &part, message);
        }
    }
    Ok(())
}
