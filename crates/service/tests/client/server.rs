//! A server on loopback that says exactly what a test tells it to, byte for byte.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Secret;
use service::Client;
use service::http::{Auth, Options, Url};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) const PAT: &str = "p4tsecretp4tsecretp4t";

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Announces the whole body, sends a part of it and closes.
    Truncated(&'static str),
    /// Without any length: the end of the connection is the end of the body.
    Unframed(&'static str),
    /// Begins the body and then says nothing more.
    Slow,
    /// Closes without an answer.
    Drop,
}

pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply::Answer {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

pub(crate) fn json(body: impl Into<Vec<u8>>) -> Reply {
    answer(200, body).with(
        "Content-Type",
        "application/json; charset=utf-8; api-version=7.1",
    )
}

pub(crate) fn html(status: u16) -> Reply {
    answer(status, "<!DOCTYPE html><html><title>Sign In</title></html>")
        .with("Content-Type", "text/html; charset=utf-8")
}

impl Reply {
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer {
                status,
                mut headers,
                body,
            } => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answer {
                    status,
                    headers,
                    body,
                }
            }
            other => other,
        }
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, reply) = (Arc::clone(&seen), Arc::new(reply));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, reply) = (Arc::clone(&log), Arc::clone(&reply));
                connections.spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Some(request) = read(&mut stream).await {
                        log.lock().unwrap().push(request.clone());
                        if !write(&mut stream, reply(&request)).await {
                            return;
                        }
                    }
                });
            }
        });
        Self {
            url,
            seen,
            _tasks: tasks,
        }
    }

    /// Gives these answers in this order, and the last one for ever.
    pub(crate) async fn script(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = Mutex::new(replies.into_iter().collect::<VecDeque<_>>());
        Self::start(move |_| {
            let mut replies = replies.lock().unwrap();
            if replies.len() > 1 {
                replies.pop_front().unwrap()
            } else {
                replies[0].clone()
            }
        })
        .await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            hosts: BTreeMap::from([("dev", Url::parse(&format!("{}/contoso", self.url)).unwrap())]),
            auth: Auth::Pat(Secret::new(PAT)),
            user_agent: "Keepward/0".to_owned(),
            attempts: 4,
            max_wait: Duration::from_millis(20),
            timeout: Duration::from_millis(300),
            max_body: 1 << 20,
            observer: None,
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.options()).unwrap()
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen {
        method,
        target,
        headers,
        body,
    })
}

/// Returns whether the connection stays open.
async fn write(stream: &mut BufReader<TcpStream>, reply: Reply) -> bool {
    let (head, body, stays) = match reply {
        Reply::Answer {
            status,
            headers,
            body,
        } => {
            let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                write!(head, "{name}: {value}\r\n").unwrap();
            }
            (head, body, true)
        }
        Reply::Truncated(body) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            );
            (head, body.as_bytes()[..body.len() / 2].to_vec(), false)
        }
        Reply::Unframed(body) => (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n".to_owned(),
            body.into(),
            false,
        ),
        Reply::Slow => (
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n".to_owned(),
            b"begin".to_vec(),
            true,
        ),
        Reply::Drop => return false,
    };
    let mut bytes = format!("{head}\r\n").into_bytes();
    bytes.extend_from_slice(&body);
    stream.write_all(&bytes).await.is_ok() && stream.flush().await.is_ok() && stays
}
