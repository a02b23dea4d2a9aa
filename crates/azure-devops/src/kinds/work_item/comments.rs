//! Discussions: all comments of an item, deleted ones too, and the versions of those that were edited.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use model::Class;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use service::http::segment;
use service::{Client, Error, Result};

use super::crawl::{Run, Said, item};
use super::document::Head;
use super::{COMMENT_VERSIONS, COMMENTS, WORK_ITEM};
use crate::api::{self, DEV, PREVIEW_1, PREVIEW_4, Paging};
use crate::raw;

const PAGE: u32 = 200;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    comments: Vec<&'a RawValue>,
    /// Of the whole discussion.
    #[serde(default, rename = "totalCount")]
    total: u64,
    #[serde(borrow, rename = "continuationToken")]
    token: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Comment {
    id: u32,
    #[serde(default)]
    version: u32,
}

#[derive(Deserialize)]
struct Version {
    /// Some answers call it `commentId`.
    #[serde(alias = "commentId")]
    id: u32,
    version: u32,
}

/// What the snapshot before has of a discussion. Damage is named, and what comes now takes the place of what it is in.
#[derive(Default)]
struct Before {
    /// Something of it cannot be read: all versions are asked for again.
    damaged: bool,
    /// Versions, by comment.
    comments: HashMap<u32, u32>,
    /// The newest version and the lines of all, by comment.
    versions: HashMap<u32, (u32, Vec<String>)>,
}

impl Before {
    async fn read(run: &Run<'_>, id: u32) -> Result<Self> {
        let mut before = Self::default();
        for (comment, _) in before.part::<Comment>(run, id, COMMENTS).await? {
            before.comments.insert(comment.id, comment.version);
        }
        for (version, line) in before.part::<Version>(run, id, COMMENT_VERSIONS).await? {
            let entry = before.versions.entry(version.id).or_default();
            entry.0 = entry.0.max(version.version);
            entry.1.push(line);
        }
        if before.damaged {
            before.versions.clear();
        }
        Ok(before)
    }

    /// The records of a stored part that can be read, with their lines.
    async fn part<T: DeserializeOwned>(
        &mut self,
        run: &Run<'_>,
        id: u32,
        part: &str,
    ) -> Result<Vec<(T, String)>> {
        let bytes = match run.cx.prior.part(&item(id), part).await {
            Err(error) if error.is_damage() => {
                self.damage(run, id, &error);
                return Ok(Vec::new());
            }
            bytes => bytes?.unwrap_or_default(),
        };
        let mut records = Vec::new();
        let mut wrong = None;
        for line in raw::lines(&bytes) {
            let record = line.and_then(|line| {
                let record = serde_json::from_str(line);
                let record = record.map_err(|error| Error::malformed(error.to_string()))?;
                Ok((record, line.to_owned()))
            });
            match record {
                Ok(record) => records.push(record),
                Err(error) => wrong = Some(error),
            }
        }
        if let Some(error) = wrong {
            let message =
                format!("work item {id}: a line of the stored {part} is damaged: {error}");
            let error = Error::new(Class::Malformed, "document-malformed", message);
            self.damage(run, id, &error);
        }
        Ok(records)
    }

    fn damage(&mut self, run: &Run<'_>, id: u32, error: &Error) {
        self.damaged = true;
        run.failed(id, error.to_issue(WORK_ITEM, "", Some(item(id))));
    }
}

/// All comments of a work item as lines, oldest first.
pub(super) async fn lines(http: &Client, project: &str, id: u32) -> Result<Vec<u8>> {
    let path = format!("/{}/_apis/wit/workItems/{id}/comments", segment(project));
    let mut lines = Vec::new();
    let mut count = 0;
    let mut tokens: HashSet<String> = HashSet::new();
    let mut token: Option<String> = None;
    loop {
        let mut call = http.get(DEV, &path).version(PREVIEW_4).query("$top", PAGE);
        call = call
            .query("$expand", "all")
            .query("includeDeleted", "true")
            .query("order", "asc");
        if let Some(token) = &token {
            call = call.query("continuationToken", token);
        }
        let answer = call.send().await?;
        let page: Page<'_> = answer.json()?;
        count += page.comments.len() as u64;
        for comment in &page.comments {
            raw::push_line(&mut lines, comment.get());
        }
        let next = page
            .token
            .filter(|next| !next.is_empty())
            .map(Cow::into_owned);
        match next {
            None if count < page.total => {
                let total = page.total;
                return Err(short(id, &format!("{count} of {total} comments came")));
            }
            None => return Ok(lines),
            Some(next) if !tokens.insert(next.clone()) => {
                return Err(Error::malformed(format!(
                    "work item {id}: its comments go in circles"
                )));
            }
            Some(next) => token = Some(next),
        }
    }
}

/// What came is not all of a discussion: what is stored stays.
fn short(id: u32, what: &str) -> Error {
    let message = format!("work item {id}: {what}");
    Error::new(Class::Transient, "answer-cut-short", message)
}

/// Stores the discussion of an item; returns all texts, in which attachments may be named.
pub(super) async fn read(run: &Run<'_>, said: &Said, head: &Head<'_>) -> Result<String> {
    let project = head
        .fields
        .project
        .as_deref()
        .ok_or_else(|| Error::malformed(format!("work item {} has no project", head.id)))?;
    let item = item(head.id);
    let comments = lines(&run.comment_http, project, head.id).await?;
    let mut texts = String::from_utf8_lossy(&comments).into_owned();
    let mut edited = Vec::new();
    let mut listed = HashSet::new();
    for line in raw::lines(&comments) {
        let comment: Comment = serde_json::from_str(line?).map_err(|error| {
            Error::malformed(format!(
                "work item {}: a comment is not understood: {error}",
                head.id
            ))
        })?;
        listed.insert(comment.id);
        // Versions whose text the revisions tell are stored with them.
        if comment.version > 1 && said.versions.get(&comment.id) != Some(&(comment.version - 1)) {
            edited.push(comment);
        }
    }
    // Deleted ones are listed too: none ever vanishes.
    if head.fields.comments.unwrap_or(0) > 0 && listed.is_empty() {
        return Err(short(head.id, "it has comments, and none came"));
    }
    let before = Before::read(run, head.id).await?;
    if let Some(gone) = before.comments.keys().find(|id| !listed.contains(id)) {
        return Err(short(head.id, &format!("comment {gone} no longer came")));
    }
    if !run.full && !before.damaged {
        untold(said, &before, &mut edited);
    }
    if !edited.is_empty() {
        let versions = versions(run, project, head.id, &before, &edited).await?;
        texts.push_str(&String::from_utf8_lossy(&versions));
        run.cx.sink.part(&item, COMMENT_VERSIONS, &versions).await?;
    }
    if comments.is_empty() {
        run.cx.sink.remove_part(&item, COMMENTS).await?;
    } else {
        run.cx.sink.part(&item, COMMENTS, &comments).await?;
    }
    Ok(texts)
}

/// Leaves those comments of which neither the revisions of this run nor the stored ones tell all versions.
fn untold(said: &Said, before: &Before, edited: &mut Vec<Comment>) {
    // What was not told before was asked for, and is asked for again, so that one file has all of it.
    edited.retain(|comment| {
        let told = said.versions.get(&comment.id).copied().unwrap_or(0);
        let stored = before.comments.get(&comment.id).copied().unwrap_or(1);
        before.versions.contains_key(&comment.id) || stored + told < comment.version
    });
}

/// The versions of edited comments; what is stored already and was not edited since is taken from there.
async fn versions(
    run: &Run<'_>,
    project: &str,
    id: u32,
    before: &Before,
    edited: &[Comment],
) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for comment in edited {
        if let Some((_, stored)) = before
            .versions
            .get(&comment.id)
            .filter(|(newest, _)| *newest == comment.version)
        {
            for line in stored {
                raw::push_line(&mut lines, line);
            }
            continue;
        }
        let path = format!(
            "/{}/_apis/wit/workItems/{id}/comments/{}/versions",
            segment(project),
            comment.id
        );
        let pages = api::pages(&run.comment_http, &path, PREVIEW_1, Paging::Whole, &[]).await?;
        for version in pages.values()? {
            raw::push_line(&mut lines, version.get());
        }
    }
    Ok(lines)
}
