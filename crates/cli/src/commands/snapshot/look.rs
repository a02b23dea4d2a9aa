//! `keepward snapshot cat` and `git-log`: what is inside, by way of the interface, here and over a server.

use clap::Args;
use serde_json::Value;

use super::ask::{resolve, short};
use crate::client::{Api, segment, text};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};
use crate::visible::visible;

#[derive(Args)]
pub(crate) struct Cat {
    /// An id, the beginning of one, or `latest`
    snapshot: String,
    /// A file in it, as `keepward snapshot browse` shows it; with --git, a file of the history
    path: String,
    /// In this stored git repository: its folder, git/ID
    #[arg(long, value_name = "FOLDER")]
    git: Option<String>,
    /// The branch, tag or commit [default: the default branch]
    #[arg(long = "ref", value_name = "REF", requires = "git")]
    revision: Option<String>,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

#[derive(Args)]
pub(crate) struct GitLog {
    /// An id, the beginning of one, or `latest`
    snapshot: String,
    /// The folder of the stored git repository: git/ID
    folder: String,
    /// The branch, tag or commit to begin with [default: the default branch]
    #[arg(long = "ref", value_name = "REF")]
    revision: Option<String>,
    /// Only commits that changed this file or folder
    #[arg(long, value_name = "PATH")]
    file: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

pub(super) async fn cat(options: &Cat, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let id = resolve(&api, &options.snapshot, options.repository.as_deref()).await?;
    let file = segment(options.path.trim_matches('/'));
    let path = match &options.git {
        None => format!("/snapshots/{id}/content?path={file}"),
        Some(folder) => {
            let (folder, revision) = (folder.trim_matches('/'), options.revision.as_deref());
            let (folder, revision) = (segment(folder), segment(revision.unwrap_or_default()));
            format!("/snapshots/{id}/git/blob?path={folder}&ref={revision}&file={file}")
        }
    };
    api.copy_out(&path, output).await?;
    Ok(Exit::Done)
}

pub(super) async fn git_log(
    options: &GitLog,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let id = resolve(&api, &options.snapshot, options.repository.as_deref()).await?;
    let value = |text: &Option<String>| segment(text.as_deref().unwrap_or_default());
    let path = format!(
        "/snapshots/{id}/git/commits?path={}&ref={}&file={}",
        segment(options.folder.trim_matches('/')),
        value(&options.revision),
        value(&options.file),
    );
    let mut commits = api.list_most(&path, options.limit).await?;
    let more = commits.len() > options.limit;
    commits.truncate(options.limit);
    let cell = |row: &Value, key: &str| visible(text(row, key));
    let head = ["commit", "time", "author", "subject"];
    output.rows(&head, &commits, |row| {
        vec![
            short(text(row, "id")),
            moment(&text(row, "at")),
            cell(row, "author"),
            cell(row, "subject"),
        ]
    });
    if more {
        output.line(format!("the first {}; more with --limit", options.limit));
    }
    Ok(Exit::Done)
}
