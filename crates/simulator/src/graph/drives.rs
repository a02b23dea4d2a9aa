//! The `OneDrive` of each licensed person: a folder and two files, for clients that look at one.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Context, Request};
use super::error::GraphError;
use super::list::{decode, encode};
use crate::entra::{State, Tenant, User};
use crate::server::Reply;
use crate::wit::value::parse_date;

const READ_FILES: [&str; 4] = [
    "Files.Read.All",
    "Files.ReadWrite.All",
    "Sites.Read.All",
    "Sites.ReadWrite.All",
];

fn drive_id(user: &User) -> String {
    format!("b!{}", encode(&json!(user.id)))
}

fn owner<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a User, GraphError> {
    tenant
        .users
        .iter()
        .find(|user| drive_id(user) == id)
        .ok_or_else(GraphError::item_not_found)
}

/// People without a licence have none.
fn has_drive(user: &User) -> bool {
    user.properties["assignedLicenses"]
        .as_array()
        .is_some_and(|list| !list.is_empty())
}

fn host(tenant: &Tenant) -> String {
    let short = tenant.domains[0].split('.').next().unwrap_or_default();
    format!("{short}-my.sharepoint.com")
}

/// Another host than Microsoft Graph, as with the real service: a token does not belong there.
fn storage(base: &str, tenant: &Tenant) -> String {
    let host = host(tenant);
    if base.starts_with("https://graph.microsoft") {
        return format!("https://{host}");
    }
    // `http://127.0.0.1:1234/graph.microsoft.com` without its path.
    let origin: Vec<&str> = base.split('/').take(3).collect();
    format!("{}/{host}", origin.join("/"))
}

fn drive(tenant: &Tenant, user: &User) -> Value {
    json!({
        "createdDateTime": "2024-03-01T10:05:00Z",
        "description": "",
        "id": drive_id(user),
        "lastModifiedDateTime": "2026-01-05T08:00:00Z",
        "name": "OneDrive",
        "webUrl": format!("https://{}/personal/{}/Documents", host(tenant), user.upn().replace(['@', '.'], "_")),
        "driveType": "business",
        "owner": {"user": {"displayName": user.name(), "id": user.id, "email": user.upn()}},
        "quota": {"deleted": 0, "remaining": 1_099_511_626_776_u64, "state": "normal", "total": 1_099_511_627_776_u64, "used": 1_000},
    })
}

/// Name and contents; folders have none.
const ITEMS: [(&str, Option<&str>); 3] = [
    ("Documents", None),
    ("Notes.txt", Some("Notes of the week\n")),
    ("Übersicht 概要.md", Some("# Übersicht\n\n概要\n")),
];

fn item_id(user: &User, name: &str) -> String {
    format!(
        "01{}",
        Uuid::new_v5(&user.id, name.as_bytes())
            .simple()
            .to_string()
            .to_uppercase()
    )
}

fn item(request: &Request, tenant: &Tenant, user: &User, at: usize) -> Value {
    let (name, content) = ITEMS[at];
    let id = item_id(user, name);
    let mut value = json!({
        "createdDateTime": "2026-01-05T08:00:00Z",
        "eTag": format!("\"{{{id}}},1\""),
        "id": id,
        "lastModifiedDateTime": "2026-01-05T08:00:00Z",
        "name": name,
        "webUrl": format!("https://{}/personal/{name}", host(tenant)),
        "size": content.map_or(0, str::len),
        "parentReference": {"driveType": "business", "driveId": drive_id(user), "id": item_id(user, "root"), "path": format!("/drives/{}/root:", drive_id(user))},
        "fileSystemInfo": {"createdDateTime": "2026-01-05T08:00:00Z", "lastModifiedDateTime": "2026-01-05T08:00:00Z"},
    });
    match content {
        None => value["folder"] = json!({"childCount": 0}),
        Some(content) => {
            value["file"] = json!({"mimeType": "text/plain", "hashes": {"quickXorHash": quick_xor(content.as_bytes())}});
            value["@microsoft.graph.downloadUrl"] = json!(download_url(request, tenant, user, at));
        }
    }
    value
}

fn download_url(request: &Request, tenant: &Tenant, user: &User, at: usize) -> String {
    let pass = encode(&json!({"u": user.id, "n": at}));
    format!("{}/download/{pass}", storage(&request.base, tenant))
}

/// The hash of `OneDrive` for business: each byte is turned by eleven more bits than the one before.
fn quick_xor(bytes: &[u8]) -> String {
    const BITS: usize = 160;
    let mut hash = [0_u8; BITS / 8];
    for (at, byte) in bytes.iter().enumerate() {
        let bit = at * 11 % BITS;
        let turned = u16::from(*byte) << (bit % 8);
        hash[bit / 8] ^= turned as u8;
        hash[(bit / 8 + 1) % hash.len()] ^= (turned >> 8) as u8;
    }
    for (own, length) in hash[12..]
        .iter_mut()
        .zip((bytes.len() as u64).to_le_bytes())
    {
        *own ^= length;
    }
    STANDARD.encode(hash)
}

/// `users/{id}/drive` and `users/{id}/drives`.
pub(super) fn of_person(
    context: &Context<'_>,
    request: &Request,
    id: &str,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    context.require(&READ_FILES)?;
    let tenant = &*context.tenant;
    let user = tenant.user(id).ok_or_else(|| GraphError::not_found(id))?;
    if !has_drive(user) {
        return Err(GraphError::new(
            StatusCode::NOT_FOUND,
            "ResourceNotFound",
            "User's mysite not found.",
        ));
    }
    match rest {
        ["drive"] => Ok(Reply::json(drive(tenant, user))),
        ["drives"] => Ok(Reply::json(json!({"value": [drive(tenant, user)]}))),
        ["drive", rest @ ..] => route(context, request, &drive_id(user), rest),
        _ => Err(GraphError::item_not_found()),
    }
}

/// Below `drives/{id}`.
pub(super) fn route(
    context: &Context<'_>,
    request: &Request,
    id: &str,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    context.require(&READ_FILES)?;
    let tenant = &*context.tenant;
    let folder = Folder {
        request,
        tenant,
        user: owner(tenant, id)?,
    };
    let rest = match rest {
        ["root", rest @ ..] => [&["items", "root"], rest].concat(),
        other => other.to_vec(),
    };
    match rest[..] {
        [] => Ok(Reply::json(drive(tenant, folder.user))),
        ["items", id] if folder.is_root(id) => Ok(Reply::json(folder.root())),
        ["items", id] => Ok(Reply::json(folder.item(folder.find(id)?))),
        ["items", id, "children"] => {
            let children = if folder.is_root(id) {
                folder.all()
            } else {
                folder.find(id)?;
                Vec::new()
            };
            Ok(Reply::json(json!({"value": children})))
        }
        ["items", id, call] if folder.is_root(id) && is_delta(call) => folder.changes(),
        ["items", id, "content"] => folder.content(folder.find(id)?),
        _ => Err(GraphError::item_not_found()),
    }
}

fn is_delta(call: &str) -> bool {
    let call = call.strip_prefix("microsoft.graph.").unwrap_or(call);
    call == "delta" || call.starts_with("delta(")
}

/// The one folder of a person's drive that holds something, as a request sees it.
struct Folder<'a> {
    request: &'a Request,
    tenant: &'a Tenant,
    user: &'a User,
}

impl Folder<'_> {
    fn is_root(&self, id: &str) -> bool {
        id == "root" || id == item_id(self.user, "root")
    }

    /// The place of an item.
    fn find(&self, id: &str) -> Result<usize, GraphError> {
        let at = ITEMS
            .iter()
            .position(|(name, _)| item_id(self.user, name) == id);
        at.ok_or_else(GraphError::item_not_found)
    }

    fn item(&self, at: usize) -> Value {
        item(self.request, self.tenant, self.user, at)
    }

    fn all(&self) -> Vec<Value> {
        (0..ITEMS.len()).map(|at| self.item(at)).collect()
    }

    fn root(&self) -> Value {
        json!({
            "id": item_id(self.user, "root"), "name": "root", "root": {}, "folder": {"childCount": ITEMS.len()}, "size": 0,
            "parentReference": {"driveType": "business", "driveId": drive_id(self.user)},
        })
    }

    /// The way to the bytes, which folders do not have.
    fn content(&self, at: usize) -> Result<Reply, GraphError> {
        let (_, content) = ITEMS[at];
        content.ok_or_else(GraphError::item_not_found)?;
        let url = download_url(self.request, self.tenant, self.user, at);
        Ok(Reply::status(StatusCode::FOUND).header("location", url))
    }

    /// `delta`: everything in a first round, and nothing later, since nobody changes files here.
    fn changes(&self) -> Result<Reply, GraphError> {
        let now = self.tenant.directory.log.len();
        let address = format!(
            "{}/drives/{}/root/delta",
            self.request.root(),
            drive_id(self.user)
        );
        let token = self
            .request
            .query
            .get("token")
            .or_else(|| self.request.called_with_token());
        let known = match token {
            None => false,
            // Business drives also take a time.
            Some(token) if token == "latest" || parse_date(token).is_some() => true,
            Some(token) => {
                self.check(token, &address)?;
                true
            }
        };
        let fresh = encode(&json!({"d": self.user.id, "at": now}));
        Ok(Reply::json(json!({
            "@odata.context": self.request.context("Collection(driveItem)"),
            "@odata.deltaLink": format!("{address}?token={fresh}"),
            "value": if known { Vec::new() } else { self.all() },
        })))
    }

    /// Whether a token is one of this drive and still good.
    fn check(&self, token: &str, address: &str) -> Result<(), GraphError> {
        let place = decode(token).filter(|place| place["d"] == json!(self.user.id));
        let at = place.and_then(|place| place["at"].as_u64());
        let at = at.ok_or_else(|| {
            GraphError::new(
                StatusCode::BAD_REQUEST,
                "invalidRequest",
                "The provided token is not valid.",
            )
        })?;
        if (at as usize) < self.tenant.directory.oldest {
            return Err(GraphError::new(
                StatusCode::GONE,
                "resyncChangesApplyDifferences",
                "Resync required. Replace any local items with the server's version (including deletes) if you're sure that the service was up to date with your local changes when you last sync'd. Upload any local changes that the server doesn't know about.",
            )
            .with_header("location", address));
        }
        Ok(())
    }
}

/// `download/{pass}` on the host of the files. A token does not belong here: one that comes is refused.
pub(super) fn download(state: &State, request: &Request) -> Result<Reply, GraphError> {
    if request.header("authorization").is_some() {
        return Err(GraphError::unauthorized(
            "A pre-authenticated address was sent a token.",
        ));
    }
    let pass = request
        .segments
        .get(1)
        .and_then(|pass| decode(pass))
        .ok_or_else(GraphError::item_not_found)?;
    let id = pass["u"].as_str().unwrap_or_default();
    state.person(id).ok_or_else(GraphError::item_not_found)?;
    let content = pass["n"].as_u64().and_then(|at| ITEMS.get(at as usize)?.1);
    Ok(Reply::bytes(
        "application/octet-stream",
        content.ok_or_else(GraphError::item_not_found)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::quick_xor;

    #[test]
    fn the_hash_of_nothing_is_zero_and_of_one_byte_is_that_byte_and_the_length() {
        assert_eq!(quick_xor(b""), "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        assert_eq!(quick_xor(b"a"), "YQAAAAAAAAAAAAAAAQAAAAAAAAA=");
    }
}
