//! One `git cat-file` that answers question after question.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::{Bare, Revision, damaged, unknown};
use crate::git::{Oid, oid};
use crate::{Error, Result};

/// Ends with its value.
pub(super) struct Objects {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What an object is.
#[derive(Clone, Debug)]
pub(super) struct Info {
    pub(super) id: Oid,
    /// `blob`, `tree`, `commit`, `tag`.
    pub(super) kind: String,
    pub(super) size: u64,
}

impl Bare {
    pub(super) fn objects(&self) -> Result<Objects> {
        let mut command = self.git(&["cat-file", "--batch-command"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(broken)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::unsupported("the git program has no pipes"));
        };
        Ok(Objects {
            _child: child,
            input,
            output: BufReader::new(output),
        })
    }
}

impl Objects {
    /// `object` is an id, perhaps with `^{kind}`; `None` when there is no such thing.
    pub(super) async fn info(&mut self, object: &str) -> Result<Option<Info>> {
        self.ask(&format!("info {object}\n")).await
    }

    /// What a revision leads to: an object of this kind (`commit`, `tree`).
    pub(super) async fn peel(&mut self, at: Revision, kind: &str) -> Result<Oid> {
        if let Some(found) = self.info(&format!("{}^{{{kind}}}", at.id)).await? {
            return Ok(found.id);
        }
        if at.stored && self.info(&at.id.to_string()).await?.is_none() {
            return Err(damaged(format!("the object {} is not stored", at.id)));
        }
        Err(unknown(format_args!("{kind} {}", at.id)))
    }

    /// An object of at most `most` bytes, with its content.
    pub(super) async fn read(&mut self, id: Oid, most: u64) -> Result<(Info, Vec<u8>)> {
        // Asked first: what is too large is not read.
        let found = self.info(&id.to_string()).await?;
        let found = found.ok_or_else(|| damaged(format!("the object {id} is not stored")))?;
        if found.size > most {
            return Err(super::too_large("the object is too large to be shown"));
        }
        let told = self.ask(&format!("contents {id}\n")).await?;
        let told = told.filter(|told| told.size == found.size);
        let told = told.ok_or_else(|| damaged(format!("the object {id} cannot be read")))?;
        let mut content = vec![0; told.size as usize];
        self.output.read_exact(&mut content).await.map_err(ended)?;
        let mut end = [0];
        self.output.read_exact(&mut end).await.map_err(ended)?;
        Ok((told, content))
    }

    async fn ask(&mut self, question: &str) -> Result<Option<Info>> {
        self.input
            .write_all(question.as_bytes())
            .await
            .map_err(ended)?;
        self.input.flush().await.map_err(ended)?;
        let mut line = String::new();
        self.output.read_line(&mut line).await.map_err(ended)?;
        let line = line
            .strip_suffix('\n')
            .ok_or_else(|| damaged("git stopped reading"))?;
        let words: Vec<&str> = line.split(' ').collect();
        let [id, kind, size] = words.as_slice() else {
            return Ok(None);
        };
        Ok(oid(id.as_bytes())
            .zip(size.parse().ok())
            .map(|(id, size)| Info {
                id,
                kind: (*kind).to_owned(),
                size,
            }))
    }
}

/// It ends when an object makes no sense; what it says then was written for its own developers.
#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn ended(error: std::io::Error) -> Error {
    tracing::debug!(%error, "git cat-file ended");
    damaged("an object cannot be read: its pack or index is damaged")
}

fn broken(error: std::io::Error) -> Error {
    Error::unsupported(format!("the git program cannot be started: {error}"))
        .caused_by(error)
        .hinted("Install git, version 2.39 or newer, and make sure that it is in the PATH.")
}
