//! Objects by id: blobs, trees, annotated tags; and the statistics of branches.

use axum::http::header;
use serde_json::{Value, json};

use super::commits::{self, unquote};
use super::errors::{object_not_found, version_not_found};
use super::rest::{self, Opened};
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

pub(super) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let (kind, last) = (call.segments[3].to_lowercase(), call.segments[4].as_str());
    match kind.as_str() {
        "blobs" => blob(call, &opened, last).await,
        "trees" => tree(call, &opened, last).await,
        "annotatedtags" => tag(&opened, last).await,
        "stats" if last.eq_ignore_ascii_case("branches") => branches(call, &opened).await,
        _ => Err(ApiError::no_route(call)),
    }
}

async fn size(opened: &Opened, object: &str, kind: &str) -> Result<u64, ApiError> {
    let full = opened
        .bare
        .resolve(&format!("{object}^{{{kind}}}"))
        .await?
        .ok_or_else(|| object_not_found(object))?;
    let text = opened.bare.text(&["cat-file", "-s", &full]).await?;
    text.trim().parse().map_err(|_| object_not_found(object))
}

async fn blob(call: &Call, opened: &Opened, object: &str) -> Result<Reply, ApiError> {
    let size = size(opened, object, "blob").await?;
    let accept = call
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let json = call.query.get("$format").map_or_else(
        || accept.contains("application/json"),
        |format| format.eq_ignore_ascii_case("json"),
    );
    if json && !call.query.flag("download") {
        return Ok(Reply::json(
            json!({"objectId": object, "size": size, "url": format!("{}/blobs/{object}", opened.url)}),
        ));
    }
    Ok(Reply::bytes(
        "application/octet-stream",
        opened.bare.run(&["cat-file", "blob", object]).await?,
    ))
}

async fn tree(call: &Call, opened: &Opened, object: &str) -> Result<Reply, ApiError> {
    let size = size(opened, object, "tree").await?;
    let mut arguments = vec!["ls-tree", "-l"];
    if call.query.flag("recursive") {
        arguments.extend(["-r", "-t"]);
    }
    arguments.push(object);
    let text = opened.bare.text(&arguments).await?;
    let entries: Vec<Value> = text
        .lines()
        .filter_map(|line| entry(line, opened))
        .collect();
    Ok(Reply::json(json!({
        "objectId": object,
        "url": format!("{}/trees/{object}", opened.url),
        "treeEntries": entries,
        "size": size,
    })))
}

/// `GitTreeEntryRef`.
fn entry(line: &str, opened: &Opened) -> Option<Value> {
    let (head, path) = line.split_once('\t')?;
    let mut parts = head.split_whitespace();
    let (mode, kind, object, size) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let resource = if kind == "tree" { "trees" } else { "blobs" };
    Some(json!({
        "objectId": object,
        "relativePath": unquote(path),
        "mode": mode.trim_start_matches('0'),
        "gitObjectType": kind,
        "url": format!("{}/{resource}/{object}", opened.url),
        "size": size.parse::<u64>().unwrap_or(0),
    }))
}

async fn tag(opened: &Opened, object: &str) -> Result<Reply, ApiError> {
    let tag = opened
        .bare
        .resolve(&format!("{object}^{{tag}}"))
        .await?
        .ok_or_else(|| object_not_found(object))?;
    let text = opened.bare.text(&["cat-file", "tag", &tag]).await?;
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let field = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default()
    };
    let (name, rest) = field("tagger ").split_once(" <").unwrap_or_default();
    let (mail, when) = rest.split_once("> ").unwrap_or_default();
    let seconds = when
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let date = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    Ok(Reply::json(json!({
        "name": field("tag "),
        "objectId": tag,
        "taggedObject": {"objectId": field("object "), "objectType": field("type ")},
        "taggedBy": {"name": name, "email": mail, "date": date.to_string()},
        "message": message.trim_end(),
        "url": format!("{}/annotatedtags/{tag}", opened.url),
    })))
}

async fn branches(call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let base = rest::revision(
        call.query.get("baseVersionDescriptor.version"),
        call.query.get("baseVersionDescriptor.versionType"),
        opened.default_branch.as_deref(),
    );
    let Some(base) = base else {
        return Ok(Reply::list(Vec::new()));
    };
    let base_commit = opened
        .bare
        .resolve(&format!("{base}^{{commit}}"))
        .await?
        .ok_or_else(|| version_not_found(&base))?;
    let only = call.query.get("name");
    let mut values = Vec::new();
    for (reference, object) in opened.bare.tips().await? {
        let Some(name) = reference
            .strip_prefix("refs/heads/")
            .filter(|name| only.is_none_or(|only| only == *name))
        else {
            continue;
        };
        let range = format!("{base_commit}...{object}");
        let text = opened
            .bare
            .text(&["rev-list", "--left-right", "--count", &range])
            .await?;
        let mut numbers = text
            .split_whitespace()
            .map(|number| number.parse::<u32>().unwrap_or(0));
        let (behind, ahead) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        values.push(json!({
            "commit": commits::commit_of(opened, &object).await?,
            "name": name,
            "aheadCount": ahead,
            "behindCount": behind,
            "isBaseVersion": reference == base,
        }));
    }
    match only {
        Some(name) => values
            .into_iter()
            .next()
            .map(Reply::json)
            .ok_or_else(|| version_not_found(name)),
        None => Ok(Reply::list(values)),
    }
}
