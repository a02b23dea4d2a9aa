//! Error answers of the git area, in the service's words.

use axum::http::StatusCode;

use super::bare::GitError;
use crate::server::ApiError;

impl From<GitError> for ApiError {
    fn from(error: GitError) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Microsoft.TeamFoundation.Git.Server.GitUnexpectedException",
            error.to_string(),
        )
    }
}

fn git(status: StatusCode, name: &str, message: String) -> ApiError {
    ApiError::new(
        status,
        &format!("Microsoft.TeamFoundation.Git.Server.{name}"),
        message,
    )
}

pub(crate) fn repository_not_found(name: &str) -> ApiError {
    git(
        StatusCode::NOT_FOUND,
        "GitRepositoryNotFoundException",
        not_found_message(name),
    )
}

pub(super) fn not_found_message(name: &str) -> String {
    format!(
        "TF401019: The Git repository with name or identifier {name} does not exist or you do not have permissions for the operation you are attempting."
    )
}

pub(super) fn name_taken(name: &str) -> ApiError {
    git(
        StatusCode::CONFLICT,
        "GitRepositoryNameAlreadyExistsException",
        format!("TF400948: A Git repository with the name {name} already exists."),
    )
}

pub(super) fn bad_name(name: &str) -> ApiError {
    git(
        StatusCode::BAD_REQUEST,
        "InvalidGitRepositoryNameException",
        format!("TF401025: '{name}' is not a valid name for a Git repository."),
    )
}

pub(super) fn argument(message: impl Into<String>) -> ApiError {
    git(
        StatusCode::BAD_REQUEST,
        "InvalidArgumentValueException",
        message.into(),
    )
}

pub(super) fn version_not_found(version: &str) -> ApiError {
    git(
        StatusCode::NOT_FOUND,
        "GitUnresolvableToCommitException",
        format!(
            "TF401175:The version descriptor <{version}> could not be resolved to a version in the repository"
        ),
    )
}

pub(super) fn item_not_found(path: &str, version: &str) -> ApiError {
    git(
        StatusCode::NOT_FOUND,
        "GitItemNotFoundException",
        format!(
            "TF401174: The item '{path}' could not be found in the repository at the version specified by '{version}'."
        ),
    )
}

pub(super) fn object_not_found(object: &str) -> ApiError {
    git(
        StatusCode::NOT_FOUND,
        "GitObjectDoesNotExistException",
        format!("TF401029: The object '{object}' does not exist in the repository."),
    )
}

pub(super) fn stale_reference(name: &str) -> ApiError {
    git(
        StatusCode::CONFLICT,
        "GitReferenceStaleException",
        format!(
            "TF401028: The reference '{name}' has already been updated by another client, so you cannot update it. Please try again."
        ),
    )
}

pub(super) fn push_not_found(id: &str) -> ApiError {
    git(
        StatusCode::NOT_FOUND,
        "GitPushNotFoundException",
        format!("TF401021: The push {id} could not be found."),
    )
}

pub(super) fn bad_ref_name(name: &str) -> ApiError {
    git(
        StatusCode::BAD_REQUEST,
        "InvalidGitRefNameException",
        format!("TF401035: '{name}' is not a valid name for a ref."),
    )
}

pub(super) fn ref_exists(name: &str) -> ApiError {
    git(
        StatusCode::CONFLICT,
        "GitReferenceAlreadyExistsException",
        format!("TF401028: The reference '{name}' already exists."),
    )
}

/// A name says nothing outside of a project.
pub(super) fn project_needed() -> ApiError {
    git(
        StatusCode::BAD_REQUEST,
        "InvalidArgumentValueException",
        "A project name is required in order to reference a Git repository by name.".to_owned(),
    )
}
