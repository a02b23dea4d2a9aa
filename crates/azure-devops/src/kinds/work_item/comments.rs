//! Discussions: all comments of an item, deleted ones too, and the versions of those that were edited.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use model::Class;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::http::segment;
use service::{Client, Error, Result};

use super::crawl::{Run, Said, item};
use super::document::Head;
use super::{COMMENT_VERSIONS, COMMENTS};
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
        let comment: Comment = serde_json::from_str(line).map_err(|error| {
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
    let before = run
        .cx
        .prior
        .part(&item, COMMENTS)
        .await?
        .unwrap_or_default();
    for line in raw::lines(&before) {
        let stored = serde_json::from_str::<Comment>(line).ok();
        if let Some(gone) = stored.filter(|comment| !listed.contains(&comment.id)) {
            let what = format!("comment {} no longer came", gone.id);
            return Err(short(head.id, &what));
        }
    }
    untold(run, said, &item, &mut edited).await?;
    if !edited.is_empty() {
        let versions = versions(run, project, head.id, &edited).await?;
        texts.push_str(&String::from_utf8_lossy(&versions));
        run.cx.sink.part(&item, COMMENT_VERSIONS, &versions).await?;
    }
    if !comments.is_empty() || run.cx.prior.document(&item).await?.is_some() {
        run.cx.sink.part(&item, COMMENTS, &comments).await?;
    }
    Ok(texts)
}

/// Leaves those comments of which neither the revisions of this run nor the stored ones tell all versions.
async fn untold(
    run: &Run<'_>,
    said: &Said,
    item: &model::ItemRef,
    edited: &mut Vec<Comment>,
) -> Result<()> {
    if edited.is_empty() || run.full {
        return Ok(());
    }
    let before = run.cx.prior.part(item, COMMENTS).await?.unwrap_or_default();
    let versions = run
        .cx
        .prior
        .part(item, COMMENT_VERSIONS)
        .await?
        .unwrap_or_default();
    let read = |line: &str| {
        serde_json::from_str::<Comment>(line)
            .ok()
            .map(|comment| (comment.id, comment.version))
    };
    let asked: Vec<u32> = raw::lines(&versions)
        .filter_map(|line| Some(serde_json::from_str::<Version>(line).ok()?.id))
        .collect();
    let known: HashMap<u32, u32> = raw::lines(&before).filter_map(read).collect();
    // What was not told before was asked for, and is asked for again, so that one file has all of it.
    edited.retain(|comment| {
        let told = said.versions.get(&comment.id).copied().unwrap_or(0);
        let stored = known.get(&comment.id).copied().unwrap_or(1);
        asked.contains(&comment.id) || stored + told < comment.version
    });
    Ok(())
}

/// The versions of edited comments; what is stored already and was not edited since is taken from there.
async fn versions(run: &Run<'_>, project: &str, id: u32, edited: &[Comment]) -> Result<Vec<u8>> {
    let before = run
        .cx
        .prior
        .part(&item(id), COMMENT_VERSIONS)
        .await?
        .unwrap_or_default();
    let mut known: HashMap<u32, (u32, Vec<&str>)> = HashMap::new();
    for line in raw::lines(&before) {
        if let Ok(version) = serde_json::from_str::<Version>(line) {
            let entry = known.entry(version.id).or_default();
            entry.0 = entry.0.max(version.version);
            entry.1.push(line);
        }
    }
    let mut lines = Vec::new();
    for comment in edited {
        if let Some((_, stored)) = known
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
