//! The server as a process, all that it says, and a browser in front of it.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::task::JoinSet;

use crate::common::World;

pub(super) struct Served {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
    reading: JoinSet<()>,
    http: reqwest::Client,
    pub(super) url: String,
    /// Of the session; sent when there is one.
    pub(super) cookie: Option<String>,
}

/// An answer as it came, headers first.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) cookie: Option<String>,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(super) fn expect(&self, status: u16) -> &Value {
        let said = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status, status, "{said}");
        &self.body
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap().to_owned()
    }
}

async fn drain(mut from: impl AsyncRead + Unpin, into: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer).await.unwrap() {
            0 => return,
            count => into.lock().unwrap().extend_from_slice(&buffer[..count]),
        }
    }
}

impl Served {
    /// Starts it and waits until it listens. Returns the token for the first administrator, too.
    pub(super) async fn start(world: &World) -> (Self, String) {
        let mut child = world.start(&["serve", "--listen", "127.0.0.1:0", "--log", "trace"]);
        let (said, first) = (
            Arc::<Mutex<Vec<u8>>>::default(),
            Arc::<Mutex<Vec<u8>>>::default(),
        );
        let mut reading = JoinSet::new();
        reading.spawn(drain(child.stderr.take().unwrap(), Arc::clone(&said)));
        reading.spawn(drain(child.stdout.take().unwrap(), Arc::clone(&first)));
        let mut lines: Vec<Value> = Vec::new();
        while lines.len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(
                child.try_wait().unwrap().is_none(),
                "{}",
                String::from_utf8_lossy(&said.lock().unwrap())
            );
            let text = String::from_utf8(first.lock().unwrap().clone()).unwrap();
            let whole = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            lines = whole.collect();
        }
        let of = |event: &str, member: &str| {
            let line = lines.iter().find(|line| line["event"] == event).unwrap();
            line[member].as_str().unwrap().to_owned()
        };
        let served = Self {
            url: of("listening", "url"),
            child,
            said,
            reading,
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            cookie: None,
        };
        (served, of("setup", "token"))
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("sec-fetch-site", "same-origin");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let mut answer = request.send().await.unwrap();
        let cookie = answer
            .headers()
            .get("set-cookie")
            .map(|set| set.to_str().unwrap());
        let cookie = cookie.map(|set| set.split(';').next().unwrap().to_owned());
        let status = answer.status().as_u16();
        let mut bytes = format!("{:?}\n", answer.headers()).into_bytes();
        let head = bytes.len();
        let kind = answer.headers().get("content-type");
        let streams = kind.is_some_and(|kind| kind == "text/event-stream");
        // A stream of events does not end; what it has to say from before comes at once.
        let patience = Duration::from_millis(if streams { 200 } else { 30_000 });
        while let Ok(chunk) = tokio::time::timeout(patience, answer.chunk()).await {
            match chunk.unwrap() {
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => break,
            }
        }
        let body = serde_json::from_slice(&bytes[head..]).unwrap_or_default();
        Answer {
            status,
            body,
            cookie,
            bytes,
        }
    }

    /// Ends it in order; what it has logged.
    pub(super) async fn end(mut self) -> Vec<u8> {
        let process = self.child.id().unwrap().to_string();
        let killed = tokio::process::Command::new("kill")
            .args(["-TERM", &process])
            .stdin(Stdio::null())
            .status();
        assert!(killed.await.unwrap().success());
        assert!(self.child.wait().await.unwrap().success());
        while let Some(read) = self.reading.join_next().await {
            read.unwrap();
        }
        let said = self.said.lock().unwrap();
        said.clone()
    }
}
