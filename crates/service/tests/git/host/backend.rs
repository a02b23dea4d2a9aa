//! `git http-backend` as a child of each request, and what Azure DevOps makes of its answers.

use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::io::AsyncWriteExt as _;

use super::Manner;
use crate::history::hermetic;

const CAPABILITIES: &str = " multi_ack thin-pack side-band side-band-64k no-progress multi_ack_detailed no-done shallow allow-tip-sha1-in-want filter";

pub(crate) struct Asked<'a> {
    pub(crate) root: &'a Path,
    pub(crate) repository: &'a str,
    pub(crate) service: &'a str,
    pub(crate) query: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Adds `thin-pack` to what the client asked for.
    pub(crate) fn make_thin(&mut self) {
        let text = String::from_utf8(std::mem::take(&mut self.body)).unwrap();
        let length = usize::from_str_radix(&text[..4], 16).unwrap();
        let line = format!("{} thin-pack\n", text[4..length].trim_end());
        self.body = format!("{:04x}{line}{}", line.len() + 4, &text[length..]).into_bytes();
    }
}

pub(crate) fn unpacked(headers: &HeaderMap, body: &Bytes) -> Vec<u8> {
    if headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|value| value != "gzip")
    {
        return body.to_vec();
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&body[..])
        .read_to_end(&mut plain)
        .unwrap();
    plain
}

/// TF401041: a capability list without multi-ack.
pub(crate) fn refuse(manner: Manner, asked: &Asked<'_>) -> Option<Response> {
    if manner == Manner::Plain || asked.service != "git-upload-pack" {
        return None;
    }
    let text = String::from_utf8_lossy(&asked.body);
    let first = text.lines().next().unwrap_or("");
    let message =
        "TF401041: The request to the Git server was malformed. (Clients must support multi-ack.)";
    (!first.contains(" multi_ack")).then(|| (StatusCode::BAD_REQUEST, message).into_response())
}

/// Status, content type and body.
pub(crate) async fn run(manner: Manner, asked: &Asked<'_>) -> (StatusCode, String, Vec<u8>) {
    let mut command = tokio::process::Command::from(hermetic(asked.root));
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", asked.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "tester")
        .env("REQUEST_METHOD", asked.method.as_str())
        .env(
            "PATH_INFO",
            format!("/{}.git/{}", asked.repository, asked.service),
        )
        .env("QUERY_STRING", asked.query)
        .env("CONTENT_TYPE", asked.header("content-type"))
        .env("CONTENT_LENGTH", asked.body.len().to_string());
    if manner == Manner::Plain {
        command.env("GIT_PROTOCOL", asked.header("git-protocol"));
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feed = async move {
        // It may end without reading all.
        drop(stdin.write_all(&asked.body).await);
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output.unwrap().stdout;
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = std::str::from_utf8(&output[..end]).unwrap();
    let value = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim().to_owned())
    };
    let status = value("Status:").map_or(200, |status| status[..3].parse().unwrap());
    let mut body = output[end + 4..].to_vec();
    if manner == Manner::AzureDevOps && asked.query == "service=git-upload-pack" && status == 200 {
        body = disguise(&body);
    }
    (
        StatusCode::from_u16(status).unwrap(),
        value("Content-Type:").unwrap_or_default(),
        body,
    )
}

/// Azure DevOps' own capabilities in place of git's; an empty repository shows none at all.
fn disguise(body: &[u8]) -> Vec<u8> {
    const SERVICE: &[u8] = b"001e# service=git-upload-pack\n0000";
    let refs = body.strip_prefix(SERVICE).unwrap();
    let length = usize::from_str_radix(std::str::from_utf8(&refs[..4]).unwrap(), 16).unwrap();
    let line = std::str::from_utf8(&refs[4..length]).unwrap();
    let (id_and_name, capabilities) = line.split_once('\0').unwrap();
    if id_and_name.ends_with("capabilities^{}") {
        return [SERVICE, b"0000"].concat();
    }
    let symref = capabilities
        .split_whitespace()
        .find(|name| name.starts_with("symref="))
        .map(|name| format!(" {name}"))
        .unwrap_or_default();
    let line = format!("{id_and_name}\0{CAPABILITIES}{symref}\n");
    [
        SERVICE,
        format!("{:04x}{line}", line.len() + 4).as_bytes(),
        &refs[length..],
    ]
    .concat()
}
