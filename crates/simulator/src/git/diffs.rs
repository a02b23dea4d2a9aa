//! What differs between two versions.

use serde_json::json;

use super::commits::{change_document, changes_between, counts};
use super::errors::version_not_found;
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
    // Without a common commit git fails: everything differs.
    let common = bare.text(&["merge-base", &base, &target]).await.ok();
    let common = common.map(|commit| commit.trim().to_owned());
    let sides = format!("{base}...{target}");
    let apart = bare
        .text(&["rev-list", "--left-right", "--count", &sides])
        .await?;
    let (behind, ahead) = apart.trim().split_once('\t').unwrap_or_default();
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    let from_base = call
        .query
        .get("diffCommonCommit")
        .is_some_and(|value| value.eq_ignore_ascii_case("false"));
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
        "aheadCount": number(ahead),
        "behindCount": number(behind),
    })))
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
