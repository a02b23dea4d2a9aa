//! `git http-backend` as a CGI program whose request and answer stream.

use std::ffi::OsStr;
use std::process::Stdio;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;

use super::bare::{Bare, GitError, command};
use super::present::Service;

/// The head of a CGI answer; its body follows in the reader.
pub(super) struct Answer {
    pub status: StatusCode,
    pub content_type: String,
}

/// What to ask of the backend.
struct Question<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    content_type: Option<String>,
    /// As the client sent it; git inflates by itself.
    encoding: Option<&'a str>,
}

fn start(bare: &Bare, question: &Question<'_>) -> Result<Child, GitError> {
    let root = bare.path().parent().unwrap_or(bare.path());
    let name = bare
        .path()
        .file_name()
        .unwrap_or(OsStr::new(""))
        .to_string_lossy()
        .into_owned();
    let mut backend: Command = command(bare.path());
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", format!("/{name}/{}", question.path))
        .env("QUERY_STRING", question.query)
        .env("REQUEST_METHOD", question.method)
        .env("REMOTE_USER", "client")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env_remove("CONTENT_LENGTH")
        .env_remove("HTTP_CONTENT_ENCODING")
        .env_remove("HTTP_GIT_PROTOCOL")
        .stdin(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(content_type) = &question.content_type {
        backend.env("CONTENT_TYPE", content_type);
    }
    if let Some(encoding) = question.encoding {
        backend.env("HTTP_CONTENT_ENCODING", encoding);
    }
    backend.spawn().map_err(GitError::Start)
}

fn pipes(child: &mut Child) -> Result<(ChildStdin, BufReader<ChildStdout>), GitError> {
    match (child.stdin.take(), child.stdout.take()) {
        (Some(stdin), Some(stdout)) => Ok((stdin, BufReader::new(stdout))),
        _ => Err(GitError::Failed {
            command: "http-backend".to_owned(),
            message: "no pipes".to_owned(),
        }),
    }
}

async fn head(stdout: &mut BufReader<ChildStdout>) -> Result<Answer, GitError> {
    let mut answer = Answer {
        status: StatusCode::OK,
        content_type: "text/plain".to_owned(),
    };
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).await.map_err(GitError::Start)? == 0 {
            return Err(GitError::Failed {
                command: "http-backend".to_owned(),
                message: "no answer".to_owned(),
            });
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(answer);
        }
        match line.split_once(": ") {
            Some(("Status", status)) => {
                let code = status.get(..3).and_then(|code| code.parse().ok());
                answer.status = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            }
            Some(("Content-Type", content_type)) => {
                content_type.clone_into(&mut answer.content_type);
            }
            _ => {}
        }
    }
}

async fn whole(
    bare: &Bare,
    question: Question<'_>,
    body: Body,
) -> Result<(Answer, Vec<u8>), GitError> {
    let mut child = start(bare, &question)?;
    let (stdin, mut stdout) = pipes(&mut child)?;
    let read = async {
        let answer = head(&mut stdout).await?;
        let mut bytes = Vec::new();
        stdout
            .read_to_end(&mut bytes)
            .await
            .map_err(GitError::Start)?;
        Ok((answer, bytes))
    };
    let (complete, result) = tokio::join!(feed(stdin, body.into_data_stream()), read);
    child.wait().await.map_err(GitError::Start)?;
    match complete {
        Ok(()) => result,
        // The client went away in the middle of its request: nobody reads an answer.
        Err(message) => Err(GitError::Failed {
            command: "http-backend".to_owned(),
            message,
        }),
    }
}

/// Copies the request to git. A git that closed its input early is no error: its answer says why.
async fn feed<S>(mut stdin: ChildStdin, body: S) -> Result<(), String>
where
    S: Stream<Item = Result<Bytes, axum::Error>>,
{
    let mut body = std::pin::pin!(body);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| error.to_string())?;
        if stdin.write_all(&chunk).await.is_err() {
            break;
        }
    }
    stdin.shutdown().await.ok();
    Ok(())
}

/// Git's own ref advertisement, in protocol version 0.
pub(super) async fn advertise(
    bare: &Bare,
    service: Service,
) -> Result<(Answer, Vec<u8>), GitError> {
    let query = format!("service={}", service.name());
    let question = Question {
        method: "GET",
        path: "info/refs",
        query: &query,
        content_type: None,
        encoding: None,
    };
    whole(bare, question, Body::empty()).await
}

/// Takes a push as it streams in. The report is small, so it is returned whole.
pub(super) async fn receive_pack(
    bare: &Bare,
    encoding: Option<&str>,
    body: Body,
) -> Result<(Answer, Vec<u8>), GitError> {
    whole(bare, post(Service::ReceivePack, encoding), body).await
}

fn post(service: Service, encoding: Option<&str>) -> Question<'_> {
    let content_type = Some(format!("application/x-{}-request", service.name()));
    Question {
        method: "POST",
        path: service.name(),
        query: "",
        content_type,
        encoding,
    }
}

/// Answers a fetch; the pack streams as git makes it, and git is ended if the client goes away.
pub(super) async fn upload_pack(bare: &Bare, request: Vec<u8>) -> Result<(Answer, Body), GitError> {
    let mut child = start(bare, &post(Service::UploadPack, None))?;
    let (mut stdin, mut stdout) = pipes(&mut child)?;
    let mut writer = JoinSet::new();
    writer.spawn(async move {
        // A broken pipe means that git has already answered.
        if stdin.write_all(&request).await.is_ok() {
            stdin.shutdown().await.ok();
        }
    });
    let answer = head(&mut stdout).await?;
    let chunks = futures::stream::try_unfold(
        (stdout, child, writer),
        |(mut stdout, child, writer)| async move {
            let mut chunk = vec![0; 64 << 10];
            let length = stdout.read(&mut chunk).await?;
            chunk.truncate(length);
            Ok::<_, std::io::Error>(
                (length > 0).then(|| (Bytes::from(chunk), (stdout, child, writer))),
            )
        },
    );
    Ok((
        answer,
        Body::from_stream(chunks.map_err(axum::BoxError::from)),
    ))
}
