//! Mailboxes: folders, two messages, a calendar, for clients that look at one.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Context, Request};
use super::error::GraphError;
use super::list::encode;
use crate::entra::User;
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
    let user = owner(context, name, needed)?;
    let messages = || -> Vec<Value> { (0..MESSAGES.len()).map(|at| message(user, at)).collect() };
    let list = |what: &str, value: Vec<Value>| {
        Ok(Reply::json(
            json!({"@odata.context": request.context(what), "value": value}),
        ))
    };
    let inbox = id(user, FOLDERS[0]);
    let is_inbox = |folder: &str| folder == inbox || folder.eq_ignore_ascii_case("inbox");
    match rest {
        ["mailFolders"] => list(
            "mailFolders",
            FOLDERS.iter().map(|name| folder(user, name)).collect(),
        ),
        ["messages"] => list("messages", messages()),
        ["mailFolders", folder, "messages"] => list(
            "messages",
            if is_inbox(folder) {
                messages()
            } else {
                Vec::new()
            },
        ),
        [
            "mailFolders",
            folder,
            "messages",
            "delta" | "delta()" | "microsoft.graph.delta()",
        ] => {
            let known = request.query.get("$deltatoken").is_some();
            let link = format!(
                "{}/users/{}/mailFolders/{folder}/messages/delta?$deltatoken={}",
                request.root(),
                user.id,
                encode(&json!(MESSAGES.len()))
            );
            let value = if known || !is_inbox(folder) {
                Vec::new()
            } else {
                messages()
            };
            Ok(Reply::json(
                json!({"@odata.context": request.context("Collection(message)"), "@odata.deltaLink": link, "value": value}),
            ))
        }
        ["messages", wanted] => Ok(Reply::json(message(user, place(user, wanted)?))),
        ["messages", wanted, "$value"] => {
            let (subject, body) = MESSAGES[place(user, wanted)?];
            let text = format!(
                "From: admin@contoso.example\r\nTo: {}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n",
                user.upn()
            );
            Ok(Reply::bytes("text/plain", text))
        }
        ["calendars"] => list(
            "calendars",
            vec![
                json!({"id": id(user, "Calendar"), "name": "Calendar", "color": "auto", "isDefaultCalendar": true, "canEdit": true, "owner": {"name": user.name(), "address": user.upn()}}),
            ],
        ),
        _ => Err(GraphError::no_segment(
            rest.last().copied().unwrap_or_default(),
        )),
    }
}

/// Which message an id names.
fn place(user: &User, wanted: &str) -> Result<usize, GraphError> {
    let at = MESSAGES
        .iter()
        .position(|(subject, _)| id(user, subject) == wanted);
    at.ok_or_else(|| {
        GraphError::new(
            StatusCode::NOT_FOUND,
            "ErrorItemNotFound",
            "The specified object was not found in the store.",
        )
    })
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
