//! Mailboxes: folders, two messages, a calendar, for clients that look at one.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Context, Request};
use super::error::GraphError;
use super::list::{decode, encode};
use crate::entra::{Tenant, User};
use crate::server::Reply;

const FOLDERS: [&str; 4] = ["Inbox", "Drafts", "Sent Items", "Deleted Items"];
/// Subject and body.
const MESSAGES: [(&str, &str); 2] = [
    ("Welcome", "Hello and welcome."),
    ("Протокол 議事録", "Grüße aus Köln."),
];

fn id(user: &User, name: &str) -> String {
    format!(
        "AAMk{}",
        encode(&json!(Uuid::new_v5(&user.id, name.as_bytes())))
    )
}

/// The person whose mailbox it is, where the caller may read it and there is one.
fn owner<'c>(
    context: &'c Context<'_>,
    name: &str,
    needed: &[&str],
) -> Result<&'c User, GraphError> {
    if context.require(needed).is_err() {
        return Err(GraphError::new(
            StatusCode::FORBIDDEN,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        ));
    }
    let user = context
        .tenant
        .user(name)
        .ok_or_else(|| GraphError::not_found(name))?;
    let guest = user.properties["userType"] == "Guest";
    let licensed = user.properties["assignedLicenses"]
        .as_array()
        .is_some_and(|list| !list.is_empty());
    // Shared mailboxes need no license; their accounts are disabled.
    if guest || (!licensed && user.is_enabled()) {
        return Err(GraphError::new(
            StatusCode::NOT_FOUND,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        ));
    }
    Ok(user)
}

/// Below `users/{id}`: `mailFolders`, `messages`, `calendars`.
pub(super) fn route(
    context: &Context<'_>,
    request: &Request,
    name: &str,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    let needed: &[&str] = match rest.first() {
        Some(&"calendars" | &"events") => &["Calendars.Read", "Calendars.ReadWrite"],
        Some(&"mailboxSettings") => &["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
        _ => &["Mail.Read", "Mail.ReadWrite"],
    };
    let mailbox = Mailbox {
        request,
        user: owner(context, name, needed)?,
    };
    let (user, tenant) = (mailbox.user, &*context.tenant);
    match rest {
        ["mailFolders"] => {
            let folders = FOLDERS.iter().map(|name| folder(user, name));
            Ok(mailbox.list("mailFolders", &folders.collect::<Vec<_>>()))
        }
        ["messages"] => Ok(mailbox.list("messages", &mailbox.messages("inbox")?)),
        ["mailFolders", wanted] => {
            let folder = folder(user, mailbox.folder(wanted)?);
            Ok(Reply::json(folder))
        }
        ["mailFolders", folder, "messages"] => {
            Ok(mailbox.list("messages", &mailbox.messages(folder)?))
        }
        [
            "mailFolders",
            folder,
            "messages",
            "delta" | "delta()" | "microsoft.graph.delta()",
        ] => mailbox.changes(tenant, folder),
        ["messages", wanted] => Ok(Reply::json(message(user, place(user, wanted)?))),
        ["messages", wanted, "$value"] => Ok(mime(user, place(user, wanted)?)),
        ["calendars"] => Ok(mailbox.list("calendars", &[calendar(user)])),
        _ => Err(GraphError::no_segment(
            rest.last().copied().unwrap_or_default(),
        )),
    }
}

/// A person's mailbox as a request sees it.
struct Mailbox<'a> {
    request: &'a Request,
    user: &'a User,
}

impl Mailbox<'_> {
    fn list(&self, what: &str, value: &[Value]) -> Reply {
        Reply::json(json!({"@odata.context": self.request.context(what), "value": value}))
    }

    /// A folder by its id or well-known name, as `sentitems`.
    fn folder(&self, wanted: &str) -> Result<&'static str, GraphError> {
        let fits = |name: &&&str| {
            id(self.user, name) == wanted || name.replace(' ', "").eq_ignore_ascii_case(wanted)
        };
        FOLDERS
            .iter()
            .find(fits)
            .copied()
            .ok_or_else(no_such_object)
    }

    /// All there are lie in the inbox.
    fn messages(&self, folder: &str) -> Result<Vec<Value>, GraphError> {
        let is_inbox = self.folder(folder)? == FOLDERS[0];
        let count = if is_inbox { MESSAGES.len() } else { 0 };
        Ok((0..count).map(|at| message(self.user, at)).collect())
    }

    /// The messages of a folder in a first round, and nothing later, since nobody writes any here.
    fn changes(&self, tenant: &Tenant, folder: &str) -> Result<Reply, GraphError> {
        let all = self.messages(folder)?;
        let known = self.request.query.get("$deltatoken");
        if let Some(token) = known {
            let at = decode(token).and_then(|at| at.as_u64());
            let at = at.ok_or_else(|| {
                GraphError::new(
                    StatusCode::BAD_REQUEST,
                    "ErrorInvalidUrlQuery",
                    "Badly formed token.",
                )
            })?;
            if (at as usize) < tenant.directory.oldest {
                return Err(GraphError::new(
                    StatusCode::GONE,
                    "SyncStateNotFound",
                    "The sync state generation is not found.",
                ));
            }
        }
        let link = format!(
            "{}/users/{}/mailFolders/{folder}/messages/delta?$deltatoken={}",
            self.request.root(),
            self.user.id,
            encode(&json!(tenant.directory.log.len()))
        );
        Ok(Reply::json(json!({
            "@odata.context": self.request.context("Collection(message)"),
            "@odata.deltaLink": link,
            "value": if known.is_some() { Vec::new() } else { all },
        })))
    }
}

/// A message as it was sent.
fn mime(user: &User, at: usize) -> Reply {
    let (subject, body) = MESSAGES[at];
    let text = format!(
        "From: admin@contoso.example\r\nTo: {}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n",
        user.upn()
    );
    Reply::bytes("text/plain", text)
}

fn calendar(user: &User) -> Value {
    json!({"id": id(user, "Calendar"), "name": "Calendar", "color": "auto", "isDefaultCalendar": true, "canEdit": true, "owner": {"name": user.name(), "address": user.upn()}})
}

/// Which message an id names.
fn place(user: &User, wanted: &str) -> Result<usize, GraphError> {
    let at = MESSAGES
        .iter()
        .position(|(subject, _)| id(user, subject) == wanted);
    at.ok_or_else(no_such_object)
}

fn no_such_object() -> GraphError {
    GraphError::new(
        StatusCode::NOT_FOUND,
        "ErrorItemNotFound",
        "The specified object was not found in the store.",
    )
}

fn folder(user: &User, name: &str) -> Value {
    let count = if name == FOLDERS[0] {
        MESSAGES.len()
    } else {
        0
    };
    json!({"id": id(user, name), "displayName": name, "parentFolderId": id(user, "root"), "childFolderCount": 0, "unreadItemCount": 0, "totalItemCount": count, "sizeInBytes": 1_000 * count, "isHidden": false})
}

fn message(user: &User, at: usize) -> Value {
    let (subject, body) = MESSAGES[at];
    json!({
        "id": id(user, subject),
        "createdDateTime": "2026-01-05T08:00:00Z",
        "lastModifiedDateTime": "2026-01-05T08:00:00Z",
        "receivedDateTime": "2026-01-05T08:00:00Z",
        "sentDateTime": "2026-01-05T08:00:00Z",
        "hasAttachments": false,
        "internetMessageId": format!("<{at}.{}@contoso.example>", user.id),
        "subject": subject,
        "bodyPreview": body,
        "importance": "normal",
        "parentFolderId": id(user, FOLDERS[0]),
        "isRead": true,
        "isDraft": false,
        "categories": [],
        "body": {"contentType": "text", "content": body},
        "sender": {"emailAddress": {"name": "Contoso Administrator", "address": "admin@contoso.example"}},
        "from": {"emailAddress": {"name": "Contoso Administrator", "address": "admin@contoso.example"}},
        "toRecipients": [{"emailAddress": {"name": user.name(), "address": user.upn()}}],
    })
}
