//! What differs between two versions.

use serde_json::json;

use super::commits::{change_document, changes_between, counts};
use super::errors::{argument, object_not_found, version_not_found};
use super::rest::{self, Opened};
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

const PAGE: usize = 100;

/// `GET diffs/commits`: from the common commit of both versions to the target, or with `diffCommonCommit=false` from the base.
pub(super) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let base = side(&opened, call, "base").await?;
    let target = side(&opened, call, "target").await?;
    let bare = &opened.bare;
    let common = bare.merge_base(&base, &target).await?;
    let (behind, ahead) = bare.apart(&base, &target).await?;
    let from_base = call
        .query
        .get("diffCommonCommit")
        .is_some_and(|value| value.eq_ignore_ascii_case("false"));
    // Without a common commit everything differs.
    let from = common.as_ref().filter(|_| !from_base).unwrap_or(&base);
    let all = changes_between(bare, from, &target).await?;
    let skip = call.query.number("$skip")?.unwrap_or(0);
    let top = call.query.number("$top")?.unwrap_or(PAGE);
    let mut shown = Vec::new();
    for (letter, path) in all.iter().skip(skip).take(top) {
        shown.push(change_document(&opened, (from, &target), *letter, path).await?);
    }
    Ok(Reply::json(json!({
        "allChangesIncluded": skip + shown.len() >= all.len(),
        "changeCounts": counts(&all),
        "changes": shown,
        "commonCommit": common,
        "baseCommit": base,
        "targetCommit": target,
        "aheadCount": ahead,
        "behindCount": behind,
    })))
}

/// `GET commits/{id}/mergebases?otherCommitId=`.
pub(super) async fn merge_bases(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let other = call.query.get("otherCommitId");
    let other = other.ok_or_else(|| argument("The parameter otherCommitId is required."))?;
    let mut sides = Vec::new();
    for id in [call.segments[4].as_str(), other] {
        let commit = opened.bare.resolve(&format!("{id}^{{commit}}")).await?;
        sides.push(commit.ok_or_else(|| object_not_found(id))?);
    }
    let found = opened.bare.merge_base(&sides[0], &sides[1]).await?;
    let show = |commit: String| json!({"commitId": commit, "url": format!("{}/commits/{commit}", opened.url)});
    Ok(Reply::list(found.into_iter().map(show).collect()))
}

/// The commit of `baseVersion` or `targetVersion`; the default branch where none is named.
async fn side(opened: &Opened, call: &Call, name: &str) -> Result<String, ApiError> {
    let version = call.query.get(&format!("{name}Version"));
    let kind = call.query.get(&format!("{name}VersionType"));
    let shown = version.unwrap_or("refs/heads/main");
    let revision = rest::revision(version, kind, opened.default_branch.as_deref())
        .ok_or_else(|| version_not_found(shown))?;
    let commit = format!("{revision}^{{commit}}");
    let found = opened.bare.resolve(&commit).await?;
    found.ok_or_else(|| version_not_found(shown))
}
