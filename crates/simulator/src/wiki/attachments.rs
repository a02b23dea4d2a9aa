//! Files beside the pages, in `.attachments`.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::errors::{attachment_exists, invalid};
use super::pages::commit;
use super::rest::Opened;
use super::tree::Tree;
use crate::git::Change;
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

/// Stores an attachment. The service takes the content in Base64 although it is declared as octets; other bytes are
/// taken as they are.
pub(super) async fn put(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
) -> Result<Reply, ApiError> {
    let after = call.segments.get(4).map(String::as_str);
    let name = call
        .query
        .get("name")
        .or(after)
        .unwrap_or_default()
        .to_owned();
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        return Err(invalid("The name of the attachment is not valid."));
    }
    let file = format!(".attachments/{name}");
    let tree = Tree::read(&opened.bare, &opened.branch, &opened.wiki.mapped_path).await?;
    let markdown = name
        .strip_suffix(".md")
        .is_some_and(|stem| tree.contains(&format!(".attachments/{stem}")));
    if tree.others.contains(&file) || markdown {
        return Err(attachment_exists(&name));
    }
    let content = STANDARD
        .decode(unquoted(call.body.trim_ascii()))
        .unwrap_or_else(|_| call.body.to_vec());
    let changes = vec![Change::Write {
        path: file.clone(),
        content,
    }];
    commit(
        world,
        call,
        opened,
        &format!("Added attachment {name}"),
        changes,
    )
    .await?;
    let head = opened.bare.resolve(&opened.branch).await?;
    let head = head.ok_or_else(|| invalid("The version of the wiki is not there."))?;
    let answer = json!({"name": name, "path": format!("/{file}")});
    Ok(Reply::json(answer)
        .with_status(StatusCode::CREATED)
        .header("etag", format!("\"{head}\"")))
}

/// Some clients send the Base64 text as a JSON string.
fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""))
        .unwrap_or(text)
}
