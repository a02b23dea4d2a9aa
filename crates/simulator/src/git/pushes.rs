//! Pushes: the log, and commits made through REST.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::bare::ZERO;
use super::commits::commit_of;
use super::errors::{
    argument, item_not_found, push_not_found, repository_not_found, stale_reference,
};
use super::history::{Change, Commit, Stream};
use super::rest::{self, Opened};
use super::shape;
use super::state::{Push, record};
use crate::server::{ApiError, Call, Reply};
use crate::wit::value::parse_date;
use crate::world::{Person, SharedWorld};

pub(super) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    match (&call.method, call.segments.len()) {
        (&Method::GET, 4) => list(world, call, &opened),
        (&Method::GET, 5) => read(world, call, &opened).await,
        (&Method::POST, 4) => create(world, call, &opened).await,
        _ => Err(ApiError::no_route(call)),
    }
}

/// `GitPush`.
fn show(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    push: &Push,
    updates: bool,
) -> Result<Value, ApiError> {
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let repository = organization
        .git
        .get(opened.id)
        .ok_or_else(|| repository_not_found(&opened.url))?;
    let mut value = json!({
        "repository": shape::repository(organization, repository, &call.base),
        "pushedBy": push.by.reference(&call.base),
        "pushId": push.id,
        "date": shape::date(push.date),
        "url": format!("{}/pushes/{}", opened.url, push.id),
    });
    if updates {
        let updates: Vec<Value> = push
            .updates
            .iter()
            .map(|update| {
                json!({"repositoryId": opened.id, "name": update.name, "oldObjectId": update.old, "newObjectId": update.new})
            })
            .collect();
        value["refUpdates"] = json!(updates);
    }
    Ok(value)
}

/// Pushes of the repository, the newest first.
fn log(world: &SharedWorld, call: &Call, opened: &Opened) -> Result<Vec<Push>, ApiError> {
    let guard = world.read();
    let repository = guard.organization(&call.organization)?.git.get(opened.id);
    Ok(repository
        .map(|repository| repository.pushes.iter().rev().cloned().collect())
        .unwrap_or_default())
}

fn list(world: &SharedWorld, call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let name = call.query.get("searchCriteria.refName");
    let updates = call.query.flag("searchCriteria.includeRefUpdates");
    let (skip, top) = (
        call.query.number("$skip")?.unwrap_or(0),
        call.query.number("$top")?.unwrap_or(100),
    );
    let pushes = log(world, call, opened)?;
    let touches = |push: &&Push| {
        name.is_none_or(|name| push.updates.iter().any(|update| update.name == name))
    };
    let shown = pushes.iter().filter(touches).skip(skip).take(top);
    Ok(Reply::list(
        shown
            .map(|push| show(world, call, opened, push, updates))
            .collect::<Result<_, _>>()?,
    ))
}

async fn read(world: &SharedWorld, call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let id = &call.segments[4];
    let pushes = log(world, call, opened)?;
    let push = pushes
        .iter()
        .find(|push| push.id.to_string() == *id)
        .ok_or_else(|| push_not_found(id))?;
    let mut value = show(world, call, opened, push, true)?;
    value["commits"] = json!(tips(opened, push).await?);
    Ok(Reply::json(value))
}

/// The new tips that still exist as commits.
async fn tips(opened: &Opened, push: &Push) -> Result<Vec<Value>, ApiError> {
    let mut values = Vec::new();
    for update in push.updates.iter().filter(|update| update.new != ZERO) {
        if let Some(commit) = opened
            .bare
            .resolve(&format!("{}^{{commit}}", update.new))
            .await?
        {
            values.extend(commit_of(opened, &commit).await?);
        }
    }
    Ok(values)
}

/// What `git log` walks to list the commits of a push: the tips that it brought, without those that were there before.
pub(super) async fn range(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    id: usize,
) -> Result<Vec<String>, ApiError> {
    let mut before = BTreeMap::new();
    let mut found = None;
    for push in log(world, call, opened)?.into_iter().rev() {
        if push.id as usize == id {
            found = Some(push);
            break;
        }
        before.extend(push.updates.into_iter().map(|own| (own.name, own.new)));
    }
    let push = found.ok_or_else(|| push_not_found(&id.to_string()))?;
    let brought = push.updates.iter().map(|update| ("", &update.new));
    let known = before.values().map(|tip| ("^", tip));
    let mut range = Vec::new();
    for (mark, tip) in brought.chain(known).filter(|(_, tip)| *tip != ZERO) {
        // Tags of trees have no commits.
        if let Some(commit) = opened.bare.resolve(&format!("{tip}^{{commit}}")).await? {
            range.push(format!("{mark}{commit}"));
        }
    }
    Ok(range)
}

/// What the body of a push asks for: one branch, where it stood, and the commits on top.
struct Asked<'a> {
    reference: &'a str,
    old: &'a str,
    commits: &'a [Value],
}

impl<'a> Asked<'a> {
    fn of(body: &'a Value) -> Result<Self, ApiError> {
        let list = |name: &str| body[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let [update] = list("refUpdates") else {
            return Err(argument("A push must update exactly one ref."));
        };
        let reference = update["name"].as_str().unwrap_or_default();
        if !reference.starts_with("refs/heads/") {
            return Err(argument(format!(
                "'{reference}' is not the name of a branch."
            )));
        }
        let commits = list("commits");
        if commits.is_empty() {
            return Err(argument("A push must contain at least one commit."));
        }
        Ok(Self {
            reference,
            old: update["oldObjectId"].as_str().unwrap_or(ZERO),
            commits,
        })
    }
}

async fn create(world: &SharedWorld, call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let asked = Asked::of(&body)?;
    let base = format!("{}^{{commit}}", asked.old);
    if asked.old != ZERO && opened.bare.resolve(&base).await?.is_none() {
        return Err(stale_reference(asked.reference));
    }
    let now = world
        .write()
        .organization_mut(&call.organization)?
        .clock
        .tick();
    let person = &call.identity.person;
    let mut made = Vec::new();
    for (index, sent) in asked.commits.iter().enumerate() {
        let (author, date) = signature(sent, person, now)?;
        made.push(Commit {
            reference: asked.reference.to_owned(),
            from: (index == 0 && asked.old != ZERO).then(|| asked.old.to_owned()),
            merge: Vec::new(),
            author,
            date,
            message: sent["comment"].as_str().unwrap_or_default().to_owned(),
            changes: changes(opened, sent, asked.old).await?,
        });
    }
    let expected = Some(asked.old);
    let push = write(
        world,
        &call.organization,
        opened.id,
        &made,
        expected,
        person,
    )
    .await?;
    let mut value = show(world, call, opened, &push, true)?;
    value["commits"] = json!(tips(opened, &push).await?);
    Ok(Reply::json(value).with_status(StatusCode::CREATED))
}

/// Name, mail and date of a commit; what it does not say is the caller's, and now.
fn signature(
    commit: &Value,
    person: &Person,
    now: Timestamp,
) -> Result<((String, String), Timestamp), ApiError> {
    let sent = &commit["author"];
    let text = |name: &str, own: &str| sent[name].as_str().unwrap_or(own).to_owned();
    let author = (
        text("name", &person.display_name),
        text("email", &person.unique_name),
    );
    let date = match sent["date"].as_str() {
        None => now,
        Some(text) => {
            parse_date(text).ok_or_else(|| argument(format!("'{text}' is not a date.")))?
        }
    };
    Ok((author, date))
}

/// The bytes of a `newContent`.
fn content(change: &Value) -> Result<Vec<u8>, ApiError> {
    let text = change["newContent"]["content"].as_str().unwrap_or_default();
    let base64 = change["newContent"]["contentType"]
        .as_str()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("base64Encoded"));
    if base64 {
        STANDARD.decode(text).map_err(ApiError::bad_body)
    } else {
        Ok(text.as_bytes().to_vec())
    }
}

async fn changes(opened: &Opened, commit: &Value, old: &str) -> Result<Vec<Change>, ApiError> {
    let sent = commit["changes"].as_array();
    let mut changes = Vec::new();
    for change in sent.map(Vec::as_slice).unwrap_or_default() {
        let path = change["item"]["path"]
            .as_str()
            .or_else(|| change["item"].as_str());
        let path = file(path.unwrap_or_default())?;
        let kind = change["changeType"]
            .as_str()
            .unwrap_or_default()
            .to_lowercase();
        let exists = old != ZERO && opened.bare.entry(old, &path).await?.is_some();
        match kind.as_str() {
            "add" if exists => {
                return Err(argument(format!(
                    "TF401035: The path '/{path}' already exists in the repository at the base of the push."
                )));
            }
            "edit" | "delete" if !exists => return Err(item_not_found(&format!("/{path}"), old)),
            "add" | "edit" => changes.push(Change::Write {
                path,
                content: content(change)?,
            }),
            "delete" => changes.push(Change::Delete { path }),
            "rename" => {
                changes.push(Change::Rename {
                    from: file(change["sourceServerItem"].as_str().unwrap_or_default())?,
                    to: path.clone(),
                });
                if !change["newContent"].is_null() {
                    changes.push(Change::Write {
                        path,
                        content: content(change)?,
                    });
                }
            }
            _ => {
                return Err(argument(format!(
                    "The change type '{kind}' is not supported."
                )));
            }
        }
    }
    Ok(changes)
}

/// A path that git can keep, without a slash in front.
fn file(path: &str) -> Result<String, ApiError> {
    let path = path.trim_start_matches('/');
    let bad = |part: &str| {
        matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git") || part.contains('\0')
    };
    if path.split('/').any(bad) {
        return Err(argument(format!("'{path}' is not the path of a file.")));
    }
    Ok(path.to_owned())
}

/// Adds commits to a branch as one push. `expected` is the tip that the branch must have; none takes any.
pub(crate) async fn write(
    world: &SharedWorld,
    organization: &str,
    repository: Uuid,
    commits: &[Commit],
    expected: Option<&str>,
    person: &Arc<Person>,
) -> Result<Push, ApiError> {
    let missing = || repository_not_found(&repository.to_string());
    let (bare, gate) = {
        let guard = world.read();
        let git = &guard.organization(organization)?.git;
        let found = git.get(repository).ok_or_else(missing)?;
        (found.bare.clone(), git.gate(repository)?)
    };
    let _held = gate.lock_owned().await;
    let before: BTreeMap<String, String> = bare.tips().await?;
    let mut stream = Stream::default();
    for (index, commit) in commits.iter().enumerate() {
        let tip = before.get(&commit.reference).map(String::as_str);
        if index == 0 && expected.is_some_and(|expected| expected != tip.unwrap_or(ZERO)) {
            return Err(stale_reference(&commit.reference));
        }
        let first = commits[..index]
            .iter()
            .all(|earlier| earlier.reference != commit.reference);
        stream.commit(commit, tip.filter(|_| first));
    }
    bare.fast_import(&stream.finish()).await?;
    let push = record(world, organization, repository, &before, person).await?;
    push.ok_or_else(|| argument("The push changes nothing."))
}
