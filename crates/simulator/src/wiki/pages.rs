//! Pages: read, create, edit, delete, move. Each write is one commit in the wiki's repository.

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::errors::{
    ancestor_not_found, invalid, page_changed, page_exists, page_id_not_found, page_not_found,
};
use super::paths;
use super::rest::Opened;
use super::tree::{Page, Tree};
use crate::git::{self, Change, Commit, encode};
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

pub(super) async fn handle(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
) -> Result<Reply, ApiError> {
    let tree = Tree::read(&opened.bare, &opened.branch, &opened.wiki.mapped_path).await?;
    let path = path(world, call, opened, &tree)?;
    match call.method {
        Method::GET => get(world, call, opened, &tree, &path).await,
        Method::PUT | Method::PATCH => put(world, call, opened, &tree, &path).await,
        Method::DELETE => delete(world, call, opened, &tree, &path).await,
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

/// The page that the call names: by `path`, by id after `pages`, or by the path after it.
fn path(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    tree: &Tree,
) -> Result<String, ApiError> {
    let after = call
        .segments
        .get(4..)
        .filter(|rest| !rest.is_empty())
        .map(|rest| rest.join("/"));
    let Some(after) = after else {
        return Ok(paths::normalize(call.query.get("path").unwrap_or("/")));
    };
    if after.parse::<u32>().is_err() {
        return Ok(paths::normalize(&after));
    }
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let named = |page: &Page| {
        organization
            .wiki
            .page_id(opened.wiki.id, &page.path)
            .to_string()
            == after
    };
    tree.all()
        .into_iter()
        .find(named)
        .map(|page| page.path)
        .ok_or_else(|| page_id_not_found(&after))
}

pub(super) fn id(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    path: &str,
) -> Result<u32, ApiError> {
    Ok(world
        .write()
        .organization_mut(&call.organization)?
        .wiki
        .page_id(opened.wiki.id, path))
}

/// `WikiPage`, with pages below it down to `depth` levels.
fn show(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    tree: &Tree,
    page: &Page,
    depth: usize,
) -> Result<Value, ApiError> {
    let below = if depth == 0 {
        Vec::new()
    } else {
        tree.children(&page.file)
    };
    let below: Vec<Value> = below
        .iter()
        .map(|child| show(world, call, opened, tree, child, depth - 1))
        .collect::<Result<_, _>>()?;
    let root = page.path == "/";
    let mut value = json!({"path": page.path, "order": page.order});
    if page.has_children {
        value["isParentPage"] = json!(true);
    }
    let mapped = opened.wiki.mapped_path.trim_end_matches('/');
    value["gitItemPath"] = json!(if root {
        "/".to_owned()
    } else {
        format!("{mapped}/{}.md", page.file)
    });
    value["subPages"] = json!(below);
    let wiki = &opened.wiki;
    let encoded = encode(&page.path);
    value["url"] = json!(format!(
        "{}/{}/_apis/wiki/wikis/{}/pages/{encoded}",
        call.base, wiki.project, wiki.id
    ));
    value["remoteUrl"] = json!(format!(
        "{}/{}/_wiki/wikis/{}?pagePath={encoded}",
        call.base, wiki.project, wiki.id
    ));
    if !root {
        value["id"] = json!(id(world, call, opened, &page.path)?);
    }
    Ok(value)
}

async fn content(opened: &Opened, page: &Page) -> Result<Vec<u8>, ApiError> {
    match &page.blob {
        Some(blob) => Ok(opened.bare.run(&["cat-file", "blob", blob]).await?),
        None => Ok(Vec::new()),
    }
}

fn etag(page: &Page) -> String {
    format!("\"{}\"", page.blob.as_deref().unwrap_or_default())
}

async fn get(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    tree: &Tree,
    path: &str,
) -> Result<Reply, ApiError> {
    let page = tree
        .page(&paths::file(path))
        .ok_or_else(|| page_not_found(path))?;
    let accept = call
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if accept.contains("text/plain") || accept.contains("octet-stream") {
        return Ok(
            Reply::bytes("text/plain", content(opened, &page).await?).header("etag", etag(&page))
        );
    }
    let depth = match call
        .query
        .get("recursionLevel")
        .map(str::to_lowercase)
        .as_deref()
    {
        Some("full" | "120") => usize::MAX,
        Some("onelevel" | "onelevelplusnestedemptyfolders" | "1" | "4") => 1,
        _ => 0,
    };
    let mut value = show(world, call, opened, tree, &page, depth)?;
    let wanted = call.query.flag("includeContent");
    let text = if wanted {
        content(opened, &page).await?
    } else {
        Vec::new()
    };
    value["content"] = json!(String::from_utf8_lossy(&text));
    Ok(Reply::json(value).header("etag", etag(&page)))
}

/// What a write knows of the page that it means.
struct Draft<'a> {
    path: &'a str,
    /// Without `.md`.
    file: String,
    text: &'a str,
    /// The page as it is, if there is one.
    known: Option<&'a String>,
}

impl Draft<'_> {
    /// A page is changed only by who knows its version, and made only where there is none.
    fn check(&self, call: &Call, tree: &Tree) -> Result<(), ApiError> {
        if self.file.is_empty() {
            return Err(invalid("The root of a wiki has no content."));
        }
        let version = call
            .header("if-match")
            .map(|version| version.trim_start_matches("W/").trim_matches('"'));
        match (self.known, version) {
            (Some(_), None) => return Err(page_exists(self.path)),
            (Some(blob), Some(version)) if blob != version => return Err(page_changed(self.path)),
            (None, Some(version)) if !version.is_empty() => return Err(page_not_found(self.path)),
            _ => {}
        }
        if tree.contains(self.place().0) {
            Ok(())
        } else {
            Err(ancestor_not_found(self.path))
        }
    }

    /// Folder and name.
    fn place(&self) -> (&str, &str) {
        self.file.rsplit_once('/').unwrap_or(("", &self.file))
    }

    /// The page, and for a new one its line among its siblings; nothing if nothing changes.
    fn changes(&self, tree: &Tree) -> Vec<Change> {
        if self
            .known
            .is_some_and(|blob| *blob == blob_id(self.text.as_bytes()))
        {
            return Vec::new();
        }
        let mut changes = vec![Change::Write {
            path: format!("{}.md", self.file),
            content: self.text.as_bytes().to_vec(),
        }];
        let (folder, name) = self.place();
        let mut order = tree.order(folder);
        if self.known.is_none() && !order.iter().any(|line| line == name) {
            order.push(name.to_owned());
            changes.push(order_file(folder, &order));
        }
        changes
    }
}

async fn put(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    tree: &Tree,
    path: &str,
) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let file = paths::file(path);
    let draft = Draft {
        path,
        known: tree.blob(&file),
        file,
        text: body["content"]
            .as_str()
            .ok_or_else(|| invalid("The content of a page is required."))?,
    };
    draft.check(call, tree)?;
    let (status, done) = match draft.known {
        None => (StatusCode::CREATED, "Added"),
        Some(_) => (StatusCode::OK, "Updated"),
    };
    let changes = draft.changes(tree);
    if !changes.is_empty() {
        let message = format!("{done} {}", path.trim_start_matches('/'));
        commit(world, call, opened, &message, changes).await?;
    }
    let tree = Tree::read(&opened.bare, &opened.branch, &opened.wiki.mapped_path).await?;
    let page = tree.page(&draft.file).ok_or_else(|| page_not_found(path))?;
    let mut value = show(world, call, opened, &tree, &page, 0)?;
    value["content"] = json!(draft.text);
    Ok(Reply::json(value)
        .with_status(status)
        .header("etag", etag(&page)))
}

fn blob_id(content: &[u8]) -> String {
    use sha1::Digest as _;
    let mut hash = sha1::Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    hex::encode(hash.finalize())
}

fn order_file(folder: &str, lines: &[String]) -> Change {
    let path = if folder.is_empty() {
        ".order".to_owned()
    } else {
        format!("{folder}/.order")
    };
    if lines.is_empty() {
        return Change::Delete { path };
    }
    Change::Write {
        path,
        content: lines.join("\n").into_bytes(),
    }
}

/// Commits changes whose paths are relative to the mapped folder, as the caller.
pub(super) async fn commit(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    message: &str,
    changes: Vec<Change>,
) -> Result<(), ApiError> {
    let mapped = opened.wiki.mapped_path.trim_matches('/');
    let prefix = if mapped.is_empty() {
        String::new()
    } else {
        format!("{mapped}/")
    };
    let changes = changes
        .into_iter()
        .map(|change| change.below(&prefix))
        .collect();
    let date = world
        .write()
        .organization_mut(&call.organization)?
        .clock
        .tick();
    let person = &call.identity.person;
    let commit = Commit {
        reference: opened.branch.clone(),
        from: None,
        merge: Vec::new(),
        author: (person.display_name.clone(), person.unique_name.clone()),
        date,
        message: call.query.get("comment").unwrap_or(message).to_owned(),
        changes,
    };
    git::write(
        world,
        &call.organization,
        opened.wiki.repository,
        &[commit],
        None,
        person,
    )
    .await
    .map(drop)
}

async fn delete(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    tree: &Tree,
    path: &str,
) -> Result<Reply, ApiError> {
    let file = paths::file(path);
    let page = tree
        .page(&file)
        .filter(|page| page.path != "/")
        .ok_or_else(|| page_not_found(path))?;
    let mut value = show(world, call, opened, tree, &page, 0)?;
    let mut changes: Vec<Change> = tree
        .subtree(&file)
        .into_iter()
        .map(|path| Change::Delete { path })
        .collect();
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", &file));
    let mut order = tree.order(folder);
    if order.iter().any(|line| line == name) {
        order.retain(|line| line != name);
        changes.push(order_file(folder, &order));
    }
    commit(
        world,
        call,
        opened,
        &format!("Deleted {}", path.trim_start_matches('/')),
        changes,
    )
    .await?;
    value["content"] = json!("");
    if let Some(members) = value.as_object_mut() {
        members.shift_remove("id");
    }
    Ok(Reply::json(value).header("etag", "\"\""))
}

/// `pagemoves`: renames a page with all below it, or puts it at another place among its siblings.
pub(super) async fn relocate(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let path = paths::normalize(body["path"].as_str().unwrap_or_default());
    let target = body["newPath"]
        .as_str()
        .map_or_else(|| path.clone(), paths::normalize);
    let (from, to) = (paths::file(&path), paths::file(&target));
    let tree = Tree::read(&opened.bare, &opened.branch, &opened.wiki.mapped_path).await?;
    if from.is_empty() || tree.page(&from).is_none() {
        return Err(page_not_found(&path));
    }
    if from != to && tree.contains(&to) {
        return Err(page_exists(&target));
    }
    if !tree.contains(to.rsplit_once('/').map_or("", |(folder, _)| folder)) {
        return Err(ancestor_not_found(&target));
    }
    let place = body["newOrder"].as_u64().map(|place| place as usize);
    let changes = moves(&tree, &from, &to, place);
    let titles = (path.trim_start_matches('/'), target.trim_start_matches('/'));
    let message = format!("Moved {} to {}", titles.0, titles.1);
    commit(world, call, opened, &message, changes).await?;
    let tree = Tree::read(&opened.bare, &opened.branch, &opened.wiki.mapped_path).await?;
    let page = tree.page(&to).ok_or_else(|| page_not_found(&target))?;
    let shown = show(world, call, opened, &tree, &page, 0)?;
    let answer = json!({"path": path, "newPath": target, "newOrder": page.order, "page": shown});
    Ok(Reply::json(answer)
        .with_status(StatusCode::CREATED)
        .header("etag", etag(&page)))
}

/// The changes that bring a page with all below it to another file, at a place among its new siblings.
fn moves(tree: &Tree, from: &str, to: &str, place: Option<usize>) -> Vec<Change> {
    let (old_folder, old_name) = from.rsplit_once('/').unwrap_or(("", from));
    let (new_folder, new_name) = to.rsplit_once('/').unwrap_or(("", to));
    let mut changes = Vec::new();
    if from != to {
        let moved = tree.subtree(from).into_iter();
        changes.extend(moved.map(|file| Change::Rename {
            to: format!("{to}{}", &file[from.len()..]),
            from: file,
        }));
    }
    let mut order = tree.order(old_folder);
    order.retain(|line| line != old_name);
    if old_folder != new_folder {
        changes.push(order_file(old_folder, &order));
        order = tree.order(new_folder);
    }
    let place = place.map_or(order.len(), |place| place.min(order.len()));
    order.insert(place, new_name.to_owned());
    changes.push(order_file(new_folder, &order));
    changes
}
