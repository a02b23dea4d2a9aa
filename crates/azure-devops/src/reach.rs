//! What a person can see to be convinced that a connector works: repositories, and commits of one.

use std::borrow::Cow;

use model::Class;
use serde::Deserialize;
use service::http::segment;
use service::preflight::{CommitSummary, RepositorySummary};
use service::{Client, Error, Result};

use crate::api::{DEV, STABLE};
use crate::kinds::git_repository;
use crate::preflight::is_somebody;

/// Of a commit's message.
const LONGEST: usize = 200;

pub(crate) async fn repositories(http: &Client) -> Result<Vec<RepositorySummary>> {
    let pages = match git_repository::list(http).await {
        Ok(pages) => pages,
        Err(error) => return Err(lacking(http, error).await),
    };
    let mut found = Vec::new();
    for raw in pages.values()? {
        let repository = git_repository::read(raw)?;
        found.push(RepositorySummary {
            project: repository.project.name.into_owned(),
            name: repository.name.into_owned(),
            id: repository.id.into_owned(),
            disabled: repository.is_disabled,
        });
    }
    found.sort_by_key(|found| (found.project.to_lowercase(), found.name.to_lowercase()));
    Ok(found)
}

#[derive(Deserialize)]
struct Commit<'a> {
    #[serde(borrow, rename = "commitId")]
    id: Cow<'a, str>,
    #[serde(borrow)]
    author: Author<'a>,
    #[serde(borrow, default)]
    comment: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Author<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    date: Cow<'a, str>,
}

pub(crate) async fn commits(
    http: &Client,
    project: &str,
    repository: &str,
    most: usize,
) -> Result<Vec<CommitSummary>> {
    let path = format!(
        "/{}/_apis/git/repositories/{}/commits",
        segment(project),
        segment(repository)
    );
    let sent = http
        .get(DEV, &path)
        .version(STABLE)
        .query("searchCriteria.$top", most)
        .expect(&[200])
        .send()
        .await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => return Err(lacking(http, error).await),
    };
    answer
        .values()?
        .into_iter()
        .take(most)
        .map(|raw| {
            let commit: Commit<'_> = serde_json::from_str(raw.get())
                .map_err(|error| Error::malformed(format!("commits: {error}")))?;
            let line = commit.comment.lines().next().unwrap_or_default();
            Ok(CommitSummary {
                id: commit.id.into_owned(),
                author: commit.author.name.into_owned(),
                date: commit.author.date.into_owned(),
                message: line.chars().take(LONGEST).collect(),
            })
        })
        .collect()
}

/// A token without the scope gets the same 401 as a dead one: it is told by asking who it is.
async fn lacking(http: &Client, error: Error) -> Error {
    const CODE: &str = "code-read-missing";
    // About one repository or project: it is not there, disabled, or hidden.
    let about_one = error
        .fault()
        .and_then(|fault| fault.code.as_deref())
        .is_some_and(|code| matches!(code, "TF401019" | "TF401027" | "TF200016" | "VS800075"));
    let refused = match error.class {
        Class::Permission => !about_one,
        Class::Credential => is_somebody(http).await,
        _ => false,
    };
    let Some(words) = model::code::find(CODE).filter(|_| refused) else {
        return error;
    };
    let status = error.status;
    let lacking = Error::new(Class::Permission, CODE, words.title)
        .hinted(words.remedy)
        .caused_by(error);
    match status {
        Some(status) => lacking.with_status(status),
        None => lacking,
    }
}
