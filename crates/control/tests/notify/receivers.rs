//! An HTTP receiver and a mail server that keep what they get.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Answers with the statuses it was given, and then with 204.
pub(crate) struct HttpReceiver {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    _serving: JoinSet<()>,
}

impl HttpReceiver {
    pub(crate) async fn start(statuses: impl IntoIterator<Item = u16>) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let statuses: Arc<Mutex<VecDeque<u16>>> =
            Arc::new(Mutex::new(statuses.into_iter().collect()));
        let kept = Arc::clone(&received);
        let app = axum::Router::new().fallback(move |request: Request| {
            let (kept, statuses) = (Arc::clone(&kept), Arc::clone(&statuses));
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                kept.lock().unwrap().push(Received {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    headers: parts.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                });
                let status = statuses.lock().unwrap().pop_front().unwrap_or(204);
                (
                    StatusCode::from_u16(status).unwrap(),
                    [("location", "/elsewhere")],
                )
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            received,
            _serving: serving,
        }
    }

    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().unwrap())
    }
}

/// Speaks as much SMTP as one client needs; a user `keepward` with the password `hunter2`.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Some(mail) = converse(stream).await {
                    kept.lock().unwrap().push(mail);
                }
            }
        });
        Self {
            port,
            mails,
            _serving: serving,
        }
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.mails.lock().unwrap())
    }
}

async fn converse(stream: TcpStream) -> Option<String> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test\r\n").await.ok()?;
    // `\0keepward\0hunter2`
    let plain = "AUTH PLAIN AGtlZXB3YXJkAGh1bnRlcjI=";
    let (mut signed_in, mut mail) = (false, None);
    while let Some(line) = lines.next_line().await.ok()? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            "AUTH" if line == plain => {
                signed_in = true;
                "235 in"
            }
            "AUTH" => "535 no",
            "MAIL" if !signed_in => "530 sign in",
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = format!("signed in: {signed_in}\n");
                while let Some(line) = lines.next_line().await.ok()? {
                    if line == "." {
                        break;
                    }
                    text.push_str(&line);
                    text.push('\n');
                }
                mail = Some(text);
                "250 taken"
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n").await.ok()?;
                break;
            }
            _ => "250 ok",
        };
        writer
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .ok()?;
        if mail.is_some() {
            break;
        }
    }
    mail
}
