//! What a listing no longer shows: gone, or only hidden from the identity. Nothing is asked while everything is listed.

use std::collections::BTreeSet;

use model::ItemRef;
use serde::Deserialize;
use service::http::segment;
use service::{Client, Crawl, Error, Result};

use crate::api::{self, DEV, Paging, RIGHTS_AT_ONCE, Right, STABLE};
use crate::kinds::project::{self, PROJECT};

/// Read on a repository, and on what lives in one: token `repoV2/{project}/{repository}`.
pub(crate) const GIT_READ: (&str, u32) = ("2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87", 2);
/// Read on a team: token `{project}\{team}`.
pub(crate) const TEAM_READ: (&str, u32) = ("5a27515b-ccd7-42c9-84f1-54c998f03866", 1);
/// View work items in an area: token `vstfs:///Classification/Node/{root}:…:vstfs:///Classification/Node/{area}`.
pub(crate) const ITEMS_READ: (&str, u32) = ("83e28ad4-2d72-4ceb-97b0-c7726d5502c3", 16);
/// An item that was stored and is no longer listed.
pub(crate) struct Missing {
    pub(crate) item: ItemRef,
    pub(crate) project: String,
    /// Where it would be read on its own.
    pub(crate) path: String,
    /// The right without which it is left out of lists, as a namespace and its bit, and the token that it is given on.
    pub(crate) right: (&'static str, u32),
    pub(crate) token: String,
}

/// Reports those as deleted that the service says are gone. Of the others nothing is said, so that they are kept with an issue.
pub(crate) async fn report(cx: &Crawl<'_>, missing: Vec<Missing>) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let Some((live, binned)) = sure(projects(cx.http).await)? else {
        return Ok(());
    };
    let mut open = Vec::new();
    for one in missing {
        let project = one.project.to_lowercase();
        // Of a project that is neither listed nor in the bin, a person may say that it was deleted.
        let over = !live.contains(&project) && cx.order.accepted.contains(PROJECT);
        if over || binned.contains(&project) {
            cx.sink.delete(&one.item).await?;
        } else if live.contains(&project) && is_not_found(cx.http, &one.path).await? {
            open.push(one);
        }
    }
    // What may be read and is not there is gone; the words for what may not be read are the same.
    for open in open.chunks(RIGHTS_AT_ONCE) {
        let rights: Vec<Right<'_>> = open.iter().map(|one| (one.right, &*one.token)).collect();
        let Some(allowed) = sure(api::evaluated(cx.http, &rights, false).await)? else {
            return Ok(());
        };
        for (one, allowed) in open.iter().zip(allowed) {
            if allowed {
                cx.sink.delete(&one.item).await?;
            }
        }
    }
    Ok(())
}

/// Which of the missing repositories lie in the recycle bins of their projects.
pub(crate) async fn binned(http: &Client, missing: &[Missing]) -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Binned {
        id: String,
    }
    let projects: BTreeSet<&str> = missing.iter().map(|one| one.project.as_str()).collect();
    let mut all = BTreeSet::new();
    for project in projects {
        let path = format!("/{}/_apis/git/recycleBin/repositories", segment(project));
        let Some(pages) = sure(api::pages(http, &path, STABLE, Paging::Whole, &[]).await)? else {
            continue;
        };
        for value in pages.values()? {
            let binned: Binned = serde_json::from_str(value.get())
                .map_err(|error| Error::malformed(format!("recycle bin: {error}")))?;
            all.insert(binned.id.to_lowercase());
        }
    }
    Ok(all)
}

/// A question that is not answered proves nothing.
fn sure<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_fatal() => Err(error),
        Err(error) => {
            tracing::warn!(
                host = DEV,
                "whether items are gone cannot be found out: {error}"
            );
            Ok(None)
        }
    }
}

/// The projects that the identity sees, and those in the bin; ids in lower case.
async fn projects(http: &Client) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let live = project::ids(&project::list(http).await?)?;
    Ok((live, project::binned_ids(http).await?))
}

async fn is_not_found(http: &Client, path: &str) -> Result<bool> {
    match http.get(DEV, path).version(STABLE).send().await {
        Err(error) if error.status == Some(404) => Ok(true),
        other => sure(other).map(|_| false),
    }
}
