//! Error answers of the wiki area, in the service's words.

use axum::http::StatusCode;

use crate::server::ApiError;

fn wiki(status: StatusCode, name: &str, message: String) -> ApiError {
    ApiError::new(
        status,
        &format!("Microsoft.TeamFoundation.Wiki.Server.{name}"),
        message,
    )
}

pub(super) fn wiki_not_found(name: &str) -> ApiError {
    let message = format!(
        "Wiki not found ‘{name}’. Verify that the wiki id or name is correct, and that you have permission to it."
    );
    wiki(StatusCode::NOT_FOUND, "WikiNotFoundException", message)
}

pub(super) fn page_not_found(path: &str) -> ApiError {
    let message = format!(
        "Wiki page ‘{path}’ could not be found. Ensure that the path of the page is correct and the page exists."
    );
    wiki(StatusCode::NOT_FOUND, "WikiPageNotFoundException", message)
}

pub(super) fn page_id_not_found(id: &str) -> ApiError {
    wiki(
        StatusCode::NOT_FOUND,
        "WikiPageIdNotFoundException",
        format!("Wiki page id ‘{id}’ could not be found."),
    )
}

pub(super) fn ancestor_not_found(path: &str) -> ApiError {
    let message = format!(
        "The ancestor page of ‘{path}’ could not be found. Ensure that all the ancestor pages exist."
    );
    wiki(
        StatusCode::NOT_FOUND,
        "WikiAncestorPageNotFoundException",
        message,
    )
}

pub(super) fn page_exists(path: &str) -> ApiError {
    let message = format!(
        "The page ‘{path}’ specified in the add operation already exists in the wiki. Please specify a new page path."
    );
    wiki(
        StatusCode::CONFLICT,
        "WikiPageAlreadyExistsException",
        message,
    )
}

pub(super) fn page_changed(path: &str) -> ApiError {
    let message = format!(
        "The page ‘{path}’ has been changed since it was read. Reload the page, and apply your changes again."
    );
    wiki(
        StatusCode::PRECONDITION_FAILED,
        "WikiPageHasConflictsException",
        message,
    )
}

pub(super) fn wiki_exists(message: &str) -> ApiError {
    wiki(
        StatusCode::CONFLICT,
        "WikiAlreadyExistsException",
        message.to_owned(),
    )
}

pub(super) fn attachment_exists(name: &str) -> ApiError {
    wiki(
        StatusCode::CONFLICT,
        "WikiAttachmentAlreadyExistsException",
        format!("The attachment ‘{name}’ already exists."),
    )
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    wiki(
        StatusCode::BAD_REQUEST,
        "InvalidArgumentValueException",
        message.into(),
    )
}
