//! Files and folders at a version.

use axum::http::{Method, header};
use serde_json::{Value, json};

use super::errors::{item_not_found, version_not_found};
use super::rest::{self, Opened};
use super::shape;
use super::tree::Entry;
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

#[derive(Clone, Copy, Eq, PartialEq)]
enum Recursion {
    None,
    OneLevel,
    Full,
}

impl Recursion {
    /// Clients send the name or the number of `VersionControlRecursionType`.
    fn parse(text: Option<&str>) -> Self {
        match text.unwrap_or("none").to_lowercase().as_str() {
            "none" | "0" => Self::None,
            "full" | "120" => Self::Full,
            _ => Self::OneLevel,
        }
    }
}

/// A place that a request names, and how much below it.
struct Wanted<'a> {
    path: &'a str,
    version: Option<&'a str>,
    kind: Option<&'a str>,
    recursion: Recursion,
}

/// What stands there.
struct Found {
    commit: String,
    entry: Entry,
    /// With their paths from the root of the repository.
    below: Vec<Entry>,
}

pub(super) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let descriptor = |name: &str| {
        call.query
            .get(&format!("versionDescriptor.{name}"))
            .or_else(|| call.query.get(name))
    };
    let path = path(call);
    let named = path.as_deref().or_else(|| call.query.get("scopePath"));
    let wanted = Wanted {
        path: named.unwrap_or_default(),
        version: descriptor("version"),
        kind: descriptor("versionType"),
        recursion: Recursion::parse(call.query.get("recursionLevel")),
    };
    let found = wanted.find(&opened).await?;
    let alone = wanted.recursion == Recursion::None;
    let view = View {
        opened: &opened,
        commit: &found.commit,
        metadata: call.query.flag("includeContentMetadata"),
        latest_change: call.query.flag("latestProcessedChange"),
    };
    if wants(call, "zip", "application/zip") {
        return view.archive(&found.entry).await;
    }
    if alone && named.is_some() && found.entry.kind == "blob" {
        return view.one(call, &found.entry, path.is_some()).await;
    }
    let mut values = view.all(&found).await?;
    if alone && path.is_some() {
        return Ok(Reply::json(values.swap_remove(0)));
    }
    Ok(Reply::list(values))
}

/// `POST itemsbatch`: a list of items for each place that is asked for.
pub(super) async fn batch(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    if call.method != Method::POST {
        return Err(ApiError::method_not_allowed(call));
    }
    let opened = rest::open(world, call)?;
    let body = call.value()?;
    let places = body["itemDescriptors"]
        .as_array()
        .ok_or_else(|| ApiError::bad_body("the member itemDescriptors is missing"))?;
    let mut lists = Vec::new();
    for place in places {
        let text = |name: &str| place[name].as_str();
        let wanted = Wanted {
            path: text("path").unwrap_or_default(),
            version: text("version"),
            kind: text("versionType"),
            recursion: Recursion::parse(text("recursionLevel")),
        };
        let found = wanted.find(&opened).await?;
        let view = View {
            opened: &opened,
            commit: &found.commit,
            metadata: body["includeContentMetadata"] == json!(true),
            latest_change: body["latestProcessedChange"] == json!(true),
        };
        lists.push(view.all(&found).await?.into());
    }
    Ok(Reply::list(lists))
}

/// The one path that the call names, as `path` or after `items`.
fn path(call: &Call) -> Option<String> {
    let after = call.segments.get(4..).filter(|rest| !rest.is_empty());
    after
        .map(|rest| rest.join("/"))
        .or_else(|| call.query.get("path").map(str::to_owned))
}

/// Whether the call asks for a form of the content, by `$format` or else by what it accepts.
pub(super) fn wants(call: &Call, format: &str, media: &str) -> bool {
    let accept = call.header(header::ACCEPT.as_str()).unwrap_or_default();
    call.query.get("$format").map_or_else(
        || accept.contains(media),
        |asked| asked.eq_ignore_ascii_case(format),
    )
}

impl Wanted<'_> {
    async fn find(&self, opened: &Opened) -> Result<Found, ApiError> {
        let bare = &opened.bare;
        let default = opened.default_branch.as_deref();
        let revision = rest::revision(self.version, self.kind, default)
            .ok_or_else(|| version_not_found("refs/heads/main"))?;
        let shown = self.version.unwrap_or(&revision);
        let commit = bare
            .resolve(&format!("{revision}^{{commit}}"))
            .await?
            .ok_or_else(|| version_not_found(shown))?;
        let path = self.path.trim_matches('/');
        let missing = || item_not_found(&format!("/{path}"), shown);
        let entry = if path.is_empty() {
            let tree = bare.resolve(&format!("{commit}^{{tree}}")).await?;
            Entry::root(tree.ok_or_else(missing)?)
        } else {
            bare.entry(&commit, path).await?.ok_or_else(missing)?
        };
        let mut below = Vec::new();
        if entry.kind == "tree" && self.recursion != Recursion::None {
            let deep = self.recursion == Recursion::Full;
            below = bare.entries(&format!("{commit}:{path}"), deep).await?;
        }
        for entry in &mut below {
            if !path.is_empty() {
                entry.path = format!("{path}/{}", entry.path);
            }
        }
        below.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Found {
            commit,
            entry,
            below,
        })
    }
}

/// How items are shown.
struct View<'a> {
    opened: &'a Opened,
    commit: &'a str,
    metadata: bool,
    latest_change: bool,
}

impl View<'_> {
    /// The item itself, then what is below it.
    async fn all(&self, found: &Found) -> Result<Vec<Value>, ApiError> {
        let mut values = vec![self.show(&found.entry).await?];
        for entry in &found.below {
            values.push(self.show(entry).await?);
        }
        Ok(values)
    }

    /// A file: its bytes, or its document when the caller asks for JSON.
    async fn one(&self, call: &Call, entry: &Entry, by_path: bool) -> Result<Reply, ApiError> {
        let query = &call.query;
        let download = query.flag("download");
        if wants(call, "json", "application/json") && !download {
            let mut value = self.show(entry).await?;
            if query.flag("includeContent") {
                let bytes = self.content(entry).await?;
                value["content"] = json!(String::from_utf8_lossy(&bytes));
            }
            return Ok(if by_path {
                Reply::json(value)
            } else {
                Reply::list(vec![value])
            });
        }
        let bytes = self.content(entry).await?;
        let octets = wants(call, "octetStream", "octet-stream") || bytes.contains(&0);
        let kind = if octets {
            "application/octet-stream"
        } else {
            "text/plain"
        };
        let reply = Reply::bytes(kind, bytes);
        if !download {
            return Ok(reply);
        }
        let name = shape::encode(entry.name());
        Ok(reply.header(
            "content-disposition",
            format!("attachment; filename*=UTF-8''{name}"),
        ))
    }

    async fn content(&self, entry: &Entry) -> Result<Vec<u8>, ApiError> {
        let arguments = ["cat-file", "blob", &entry.object];
        Ok(self.opened.bare.run(&arguments).await?)
    }

    /// A file or a folder with everything in it.
    async fn archive(&self, entry: &Entry) -> Result<Reply, ApiError> {
        let mut arguments = vec![
            "--literal-pathspecs",
            "archive",
            "--format=zip",
            self.commit,
        ];
        if !entry.path.is_empty() {
            arguments.extend(["--", &entry.path]);
        }
        let bytes = self.opened.bare.run(&arguments).await?;
        Ok(Reply::bytes("application/zip", bytes))
    }

    /// `GitItem`.
    async fn show(&self, entry: &Entry) -> Result<Value, ApiError> {
        let mut value = json!({
            "objectId": entry.object,
            "gitObjectType": entry.kind,
            "commitId": self.commit,
            "path": format!("/{}", entry.path),
        });
        if entry.kind == "tree" {
            value["isFolder"] = json!(true);
        }
        if entry.mode == "120000" {
            value["isSymLink"] = json!(true);
        }
        if self.metadata {
            let name = entry.name();
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            value["contentMetadata"] = json!({"fileName": name, "extension": extension});
        }
        if self.latest_change {
            value["latestProcessedChange"] =
                json!(super::commits::commit_of(self.opened, self.commit).await?);
        }
        let path = if entry.path.is_empty() {
            String::new()
        } else {
            format!("/{}", shape::encode(&entry.path))
        };
        value["url"] = json!(format!(
            "{}/items{path}?versionType=Commit&version={}",
            self.opened.url, self.commit
        ));
        Ok(value)
    }
}
