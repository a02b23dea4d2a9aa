//! Files and folders at a version.

use axum::http::header;
use serde_json::{Value, json};

use super::errors::{item_not_found, version_not_found};
use super::rest::{self, Opened};
use super::shape;
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

/// One entry of a tree, its path from the root without a slash in front; the root is the empty path.
struct Entry {
    mode: String,
    kind: String,
    object: String,
    path: String,
}

pub(super) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let descriptor = |name: &str| {
        call.query
            .get(&format!("versionDescriptor.{name}"))
            .or_else(|| call.query.get(name))
    };
    let version = descriptor("version");
    let revision = rest::revision(
        version,
        descriptor("versionType"),
        opened.default_branch.as_deref(),
    );
    let Some(revision) = revision else {
        return Err(version_not_found("refs/heads/main"));
    };
    let shown = version.unwrap_or(&revision);
    let commit = opened
        .bare
        .resolve(&format!("{revision}^{{commit}}"))
        .await?
        .ok_or_else(|| version_not_found(shown))?;
    let path = path(call);
    let scope = call.query.get("scopePath").map(str::to_owned);
    let recursion = call
        .query
        .get("recursionLevel")
        .unwrap_or("none")
        .to_lowercase();
    let wanted = path
        .as_ref()
        .or(scope.as_ref())
        .map_or("", String::as_str)
        .trim_matches('/')
        .to_owned();
    let entry = find(&opened, &commit, &wanted)
        .await?
        .ok_or_else(|| item_not_found(&format!("/{wanted}"), shown))?;
    let view = View {
        call,
        opened: &opened,
        commit: &commit,
    };
    if (path.is_some() || scope.is_some()) && recursion == "none" && entry.kind == "blob" {
        return view.one(&entry, path.is_some()).await;
    }
    let mut entries = Vec::new();
    if entry.kind == "tree" && recursion != "none" {
        entries = children(&opened, &commit, &wanted, recursion == "full").await?;
    }
    entries.insert(0, entry);
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut values = Vec::new();
    for entry in &entries {
        values.push(view.show(entry).await?);
    }
    if path.is_some() && recursion == "none" {
        return Ok(Reply::json(values.swap_remove(0)));
    }
    Ok(Reply::list(values))
}

/// The one path that the call names, as `path` or after `items`.
fn path(call: &Call) -> Option<String> {
    let after = call.segments.get(4..).filter(|rest| !rest.is_empty());
    after
        .map(|rest| rest.join("/"))
        .or_else(|| call.query.get("path").map(str::to_owned))
}

async fn find(opened: &Opened, commit: &str, path: &str) -> Result<Option<Entry>, ApiError> {
    if path.is_empty() {
        let object = opened.bare.resolve(&format!("{commit}^{{tree}}")).await?;
        return Ok(object.map(|object| Entry {
            mode: "040000".to_owned(),
            kind: "tree".to_owned(),
            object,
            path: String::new(),
        }));
    }
    let text = opened
        .bare
        .text(&[
            "--literal-pathspecs",
            "ls-tree",
            "-z",
            "--full-tree",
            commit,
            "--",
            path,
        ])
        .await?;
    Ok(text.split('\0').find_map(parse))
}

async fn children(
    opened: &Opened,
    commit: &str,
    path: &str,
    full: bool,
) -> Result<Vec<Entry>, ApiError> {
    let tree = format!("{commit}:{path}");
    let mut arguments = vec!["ls-tree", "-z"];
    if full {
        arguments.extend(["-r", "-t"]);
    }
    arguments.push(&tree);
    let text = opened.bare.text(&arguments).await?;
    let prefix = if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    };
    let below = |entry: Entry| Entry {
        path: format!("{prefix}{}", entry.path),
        ..entry
    };
    Ok(text.split('\0').filter_map(parse).map(below).collect())
}

fn parse(line: &str) -> Option<Entry> {
    let (head, path) = line.split_once('\t')?;
    let mut parts = head.split(' ');
    Some(Entry {
        mode: parts.next()?.to_owned(),
        kind: parts.next()?.to_owned(),
        object: parts.next()?.to_owned(),
        path: path.to_owned(),
    })
}

struct View<'a> {
    call: &'a Call,
    opened: &'a Opened,
    commit: &'a str,
}

impl View<'_> {
    /// A file: its bytes, or its document when the caller asks for JSON.
    async fn one(&self, entry: &Entry, by_path: bool) -> Result<Reply, ApiError> {
        let query = &self.call.query;
        let accept = self
            .call
            .headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("");
        let json = query.get("$format").map_or_else(
            || accept.contains("application/json"),
            |format| format.eq_ignore_ascii_case("json"),
        );
        let download = query.flag("download");
        if json && !download {
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
        let octets = accept.contains("octet-stream") || bytes.contains(&0);
        let reply = Reply::bytes(
            if octets {
                "application/octet-stream"
            } else {
                "text/plain"
            },
            bytes,
        );
        if !download {
            return Ok(reply);
        }
        let name = shape::encode(entry.path.rsplit('/').next().unwrap_or_default());
        Ok(reply.header(
            "content-disposition",
            format!("attachment; filename*=UTF-8''{name}"),
        ))
    }

    async fn content(&self, entry: &Entry) -> Result<Vec<u8>, ApiError> {
        Ok(self
            .opened
            .bare
            .run(&["cat-file", "blob", &entry.object])
            .await?)
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
        if self.call.query.flag("includeContentMetadata") {
            let name = entry.path.rsplit('/').next().unwrap_or_default();
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            value["contentMetadata"] = json!({"fileName": name, "extension": extension});
        }
        if self.call.query.flag("latestProcessedChange") {
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
