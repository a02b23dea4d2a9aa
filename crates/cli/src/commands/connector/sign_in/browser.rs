//! The browser of this machine signs in and comes back to a port that is open for as long.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::text;
use crate::client::{Api, segment};
use crate::failure::Failure;
use crate::output::Output;

const PATIENCE: Duration = Duration::from_mins(15);
const MOST: usize = 16 << 10;

pub(super) async fn sign_in(
    api: &Api,
    mut begin: Value,
    output: &Output,
) -> Result<Value, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .context("cannot open a port for the browser to come back to")?;
    let port = listener
        .local_addr()
        .context("cannot name the port")?
        .port();
    begin["flow"] = json!("code");
    begin["redirect"] = json!(format!("http://localhost:{port}"));
    let begun = api.post("/connect", Some(&begin)).await?;
    let url = text(&begun["sign_in"], "url");
    output.event(&json!({"event": "sign-in", "url": url}));
    output.line(format!(
        "Open this address in a browser of this machine:\n\n{url}\n"
    ));
    let returned = tokio::time::timeout(PATIENCE, returned(&listener)).await;
    let query = returned.map_err(|_| {
        Failure::coded(
            "sign-in-failed",
            "nobody came back from the sign-in page within 15 minutes",
        )
    })??;
    let path = format!("/connect/{}/return", segment(text(&begun, "id")));
    api.post(&path, Some(&json!({ "query": query }))).await
}

/// The query of the first request that has one; browsers ask for icons as well.
async fn returned(listener: &TcpListener) -> Result<String, Failure> {
    loop {
        let (mut stream, _) = listener.accept().await.context("the port was closed")?;
        let asked = tokio::time::timeout(Duration::from_secs(10), query(&mut stream)).await;
        let found = match asked {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => None,
        };
        let (status, words) = match found {
            Some(_) => (
                "200 OK",
                "You can close this window and go back to the terminal.",
            ),
            None => ("404 Not Found", ""),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{words}",
            words.len()
        );
        if let Err(error) = stream.write_all(answer.as_bytes()).await {
            tracing::debug!(%error, "the browser did not wait for an answer");
        }
        if let Some(found) = found {
            return Ok(found);
        }
    }
}

async fn query(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    while head.len() < MOST && !head.windows(2).any(|two| two == b"\r\n") {
        match stream.read(&mut buffer).await? {
            0 => break,
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    let text = String::from_utf8_lossy(&head);
    let target = text.split(' ').nth(1).unwrap_or("");
    let query = target.split_once('?').map(|(_, query)| query.to_owned());
    Ok(query.filter(|query| query.contains("state=")))
}
