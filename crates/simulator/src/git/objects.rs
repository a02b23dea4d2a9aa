//! Objects by id: blobs, trees, annotated tags; and the statistics of branches.

use std::collections::BTreeSet;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::bare::{GitError, ZERO};
use super::commits;
use super::errors::{argument, bad_ref_name, object_not_found, ref_exists, version_not_found};
use super::items::wants;
use super::rest::{self, Opened};
use super::state::record;
use super::tree::Entry;
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

pub(super) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let (kind, last) = (call.segments[3].to_lowercase(), call.segments[4].as_str());
    match kind.as_str() {
        "blobs" => blob(call, &opened, last).await,
        "trees" => tree(call, &opened, last).await,
        "annotatedtags" => Ok(Reply::json(tag(&opened, last).await?)),
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
    let said = opened.bare.text(&["cat-file", "-s", &full]).await?;
    let size = said.trim().parse();
    size.map_err(|_| ApiError::from(unreadable("cat-file", said)))
}

fn unreadable(command: &'static str, said: String) -> GitError {
    GitError::Unreadable { command, said }
}

async fn blob(call: &Call, opened: &Opened, object: &str) -> Result<Reply, ApiError> {
    let size = size(opened, object, "blob").await?;
    if wants(call, "zip", "application/zip") {
        return archive(opened, [object]).await;
    }
    if wants(call, "json", "application/json") && !call.query.flag("download") {
        return Ok(Reply::json(
            json!({"objectId": object, "size": size, "url": format!("{}/blobs/{object}", opened.url)}),
        ));
    }
    Ok(Reply::bytes(
        "application/octet-stream",
        opened.bare.run(&["cat-file", "blob", object]).await?,
    ))
}

/// `POST blobs`: the files whose ids are sent, in one archive.
pub(super) async fn blobs(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let body = call.value()?;
    let ids = body
        .as_array()
        .and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let ids = ids.ok_or_else(|| ApiError::bad_body("a list of object ids is needed"))?;
    archive(&opened, ids).await
}

/// Blobs by their ids, which are also the names in the archive: outside of a tree they have none.
async fn archive(
    opened: &Opened,
    ids: impl IntoIterator<Item = &'_ str>,
) -> Result<Reply, ApiError> {
    let bare = &opened.bare;
    let mut entries = BTreeSet::new();
    for id in ids {
        let blob = bare.resolve(&format!("{id}^{{blob}}")).await?;
        let blob = blob.ok_or_else(|| object_not_found(id))?;
        entries.insert(format!("100644 blob {blob}\t{blob}\n"));
    }
    let entries: String = entries.into_iter().collect();
    let tree = bare.run_with(&["mktree"], entries.as_bytes()).await?;
    let tree = String::from_utf8_lossy(&tree);
    let arguments = ["archive", "--format=zip", tree.trim()];
    let bytes = bare.run(&arguments).await?;
    Ok(Reply::bytes("application/zip", bytes))
}

async fn tree(call: &Call, opened: &Opened, object: &str) -> Result<Reply, ApiError> {
    let size = size(opened, object, "tree").await?;
    if wants(call, "zip", "application/zip") {
        let arguments = ["archive", "--format=zip", object];
        let bytes = opened.bare.run(&arguments).await?;
        return Ok(Reply::bytes("application/zip", bytes));
    }
    let deep = call.query.flag("recursive");
    let entries = opened.bare.entries(object, deep).await?;
    let shown: Vec<Value> = entries.iter().map(|entry| show(entry, opened)).collect();
    Ok(Reply::json(json!({
        "objectId": object,
        "url": format!("{}/trees/{object}", opened.url),
        "treeEntries": shown,
        "size": size,
    })))
}

/// `GitTreeEntryRef`. Trees and submodules count as empty.
fn show(entry: &Entry, opened: &Opened) -> Value {
    let resource = if entry.kind == "tree" {
        "trees"
    } else {
        "blobs"
    };
    json!({
        "objectId": entry.object,
        "relativePath": entry.path,
        "mode": entry.mode.trim_start_matches('0'),
        "gitObjectType": entry.kind,
        "url": format!("{}/{resource}/{}", opened.url, entry.object),
        "size": entry.size.unwrap_or(0),
    })
}

/// `GitAnnotatedTag`.
async fn tag(opened: &Opened, object: &str) -> Result<Value, ApiError> {
    let tag = opened
        .bare
        .resolve(&format!("{object}^{{tag}}"))
        .await?
        .ok_or_else(|| object_not_found(object))?;
    let text = opened.bare.text(&["cat-file", "tag", &tag]).await?;
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let mut value = json!({
        "name": field("tag "),
        "objectId": tag,
        "taggedObject": {"objectId": field("object "), "objectType": field("type ")},
        "message": message.trim_end(),
        "url": format!("{}/annotatedtags/{tag}", opened.url),
    });
    // Tags of long ago have none.
    if let Some(tagger) = field("tagger ") {
        let by = tagged_by(tagger);
        value["taggedBy"] = by.ok_or_else(|| unreadable("cat-file", tagger.to_owned()))?;
    }
    Ok(value)
}

/// `Name <mail> 1767600000 +0000`.
fn tagged_by(tagger: &str) -> Option<Value> {
    let (name, rest) = tagger.split_once(" <")?;
    let (mail, when) = rest.split_once("> ")?;
    let seconds = when.split(' ').next()?.parse().ok()?;
    let date = Timestamp::from_second(seconds).ok()?;
    Some(json!({"name": name, "email": mail, "date": date.to_string()}))
}

/// `POST annotatedtags`: a tag of an object by the caller, with its ref.
pub(super) async fn make_tag(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    if call.method != Method::POST {
        return Err(ApiError::method_not_allowed(call));
    }
    let opened = rest::open(world, call)?;
    let body = call.value()?;
    let text = |pointer: &str| {
        let found = body.pointer(pointer).and_then(Value::as_str);
        found.ok_or_else(|| argument(format!("The member {pointer} of the tag is missing.")))
    };
    let (name, of, message) = (
        text("/name")?,
        text("/taggedObject/objectId")?,
        text("/message")?,
    );
    let bare = &opened.bare;
    let reference = format!("refs/tags/{name}");
    if !bare.takes_name(&reference).await? {
        return Err(bad_ref_name(&reference));
    }
    let object = bare.resolve(&format!("{of}^{{object}}")).await?;
    let object = object.ok_or_else(|| object_not_found(of))?;
    let kind = bare.text(&["cat-file", "-t", &object]).await?;
    let (now, gate) = {
        let mut guard = world.write();
        let organization = guard.organization_mut(&call.organization)?;
        (organization.clock.tick(), organization.git.gate(opened.id)?)
    };
    let _held = gate.lock_owned().await;
    let before = bare.tips().await?;
    if before.contains_key(&reference) {
        return Err(ref_exists(&reference));
    }
    let person = &call.identity.person;
    let tag = format!(
        "object {object}\ntype {}\ntag {name}\ntagger {} <{}> {} +0000\n\n{message}\n",
        kind.trim(),
        person.display_name,
        person.unique_name,
        now.as_second(),
    );
    let made = bare.run_with(&["mktag"], tag.as_bytes()).await?;
    let made = String::from_utf8_lossy(&made).trim().to_owned();
    bare.run(&["update-ref", &reference, &made, ZERO]).await?;
    record(world, &call.organization, opened.id, &before, person).await?;
    Ok(Reply::json(self::tag(&opened, &made).await?))
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
        let (behind, ahead) = opened.bare.apart(&base_commit, &object).await?;
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
