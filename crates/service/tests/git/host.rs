//! A host of git repositories on loopback: `git http-backend` behind HTTP, shown as Azure DevOps shows its own or plainly.

mod backend;
mod lfs;

pub(crate) use lfs::{Objects, pointer};

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use futures::StreamExt as _;
use model::Secret;
use service::Client;
use service::git::Remote;
use service::http::{Auth, Options, Url};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::history::Bare;

pub(crate) const PAT: &str = "g1tsecretg1tsecret";

/// How the host presents itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Version 0 whatever is asked for, Azure DevOps' capabilities, TF401041, a bare flush for an empty repository.
    AzureDevOps,
    /// As git itself.
    Plain,
}

/// What goes wrong with one answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A sign-in page.
    Html,
    /// A good status with a type that is not git's.
    Type(&'static str),
    Status(u16, &'static str),
    /// The connection closes after this share (in percent) of the body.
    Drop(usize),
    /// The body ends, in good order for HTTP, after this share (in percent).
    End(usize),
    /// One byte in the middle is another.
    Flip,
    /// The body instead of the real one.
    Instead(Vec<u8>),
    /// The server sends a thin pack although nobody asked for one.
    Thin,
}

/// A request as it came, its body unpacked.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// As they came.
    pub(crate) bytes: usize,
}

pub(crate) struct Inner {
    folder: tempfile::TempDir,
    manner: Manner,
    seen: Mutex<Vec<Seen>>,
    /// For `info/refs` and for packs.
    faults: Mutex<BTreeMap<&'static str, VecDeque<Fault>>>,
    pub(crate) lfs: Mutex<Objects>,
}

impl Inner {
    fn next_fault(&self, service: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        faults.get_mut(service).and_then(VecDeque::pop_front)
    }
}

/// Stops when dropped.
pub(crate) struct Host {
    pub(crate) inner: Arc<Inner>,
    pub(crate) origin: String,
    pub(crate) client: Client,
    _task: JoinSet<()>,
}

impl Host {
    pub(crate) async fn start(manner: Manner) -> Self {
        let inner = Arc::new(Inner {
            folder: tempfile::tempdir().unwrap(),
            manner,
            seen: Mutex::default(),
            faults: Mutex::default(),
            lfs: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&inner));
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = client(&origin);
        Self {
            inner,
            origin,
            client,
            _task: task,
        }
    }

    pub(crate) fn repository(&self, name: &str) -> Bare {
        Bare::init(self.inner.folder.path().join(format!("{name}.git")))
    }

    pub(crate) fn remote(&self, name: &str) -> Remote {
        Remote::new(&self.client, "dev", &format!("/project/_git/_full/{name}"))
    }

    /// The next answer of `info/refs` (`refs`), of `git-upload-pack` (`pack`) or of LFS (`batch`).
    pub(crate) fn fault(&self, service: &'static str, fault: Fault) {
        self.inner
            .faults
            .lock()
            .unwrap()
            .entry(service)
            .or_default()
            .push_back(fault);
    }

    /// The requests since the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.inner.seen.lock().unwrap())
    }
}

fn client(origin: &str) -> Client {
    Client::new(Options {
        hosts: BTreeMap::from([("dev", Url::parse(&format!("{origin}/org")).unwrap())]),
        auth: Auth::Pat(Secret::new(PAT)),
        user_agent: "test".to_owned(),
        attempts: 1,
        max_wait: Duration::from_millis(1),
        timeout: Duration::from_secs(20),
        max_body: 64 << 20,
        observer: None,
    })
    .unwrap()
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or("").to_owned();
    let unpacked = backend::unpacked(&parts.headers, &body);
    inner.seen.lock().unwrap().push(Seen {
        method: parts.method.clone(),
        path: path.clone(),
        headers: parts.headers.clone(),
        body: String::from_utf8_lossy(&unpacked).into_owned(),
        bytes: body.len(),
    });
    if !path.starts_with("/foreign/") && !is_signed_in(&parts.headers) {
        return (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Basic")],
            "",
        )
            .into_response();
    }
    if path.ends_with("/objects/batch")
        && let Some(fault) = inner.next_fault("batch")
    {
        return spoil((StatusCode::OK, String::new(), Vec::new()), Some(fault));
    }
    if let Some(response) = lfs::answer(&inner, &parts.method, &path, &parts.headers, &body) {
        return response;
    }
    let Some((repository, service)) = path
        .strip_prefix("/org/project/_git/")
        .and_then(|rest| rest.trim_start_matches("_full/").split_once('/'))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !inner
        .folder
        .path()
        .join(format!("{repository}.git"))
        .exists()
    {
        return (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/json")], r#"{"message":"TF401019: The Git repository does not exist","typeKey":"GitRepositoryNotFoundException"}"#).into_response();
    }
    let faulty = match service {
        "info/refs" if query == "service=git-upload-pack" => "refs",
        "git-upload-pack" => "pack",
        _ => "",
    };
    let fault = inner.next_fault(faulty);
    let mut asked = backend::Asked {
        root: inner.folder.path(),
        repository,
        service,
        query: &query,
        method: &parts.method,
        headers: &parts.headers,
        body: unpacked,
    };
    if let Some(refusal) = backend::refuse(inner.manner, &asked) {
        return refusal;
    }
    if matches!(fault, Some(Fault::Thin)) {
        asked.make_thin();
    }
    let answer = backend::run(inner.manner, &asked).await;
    spoil(answer, fault)
}

fn is_signed_in(headers: &HeaderMap) -> bool {
    let expected = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(format!(":{PAT}"))
    );
    headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == &expected)
}

fn spoil(
    (status, content_type, mut body): (StatusCode, String, Vec<u8>),
    fault: Option<Fault>,
) -> Response {
    let respond = |status: StatusCode, content_type: &str, body: Body| {
        (
            status,
            [(header::CONTENT_TYPE, content_type.to_owned())],
            body,
        )
            .into_response()
    };
    match fault {
        None | Some(Fault::Thin) => respond(status, &content_type, body.into()),
        Some(Fault::Html) => respond(
            StatusCode::OK,
            "text/html; charset=utf-8",
            "<!DOCTYPE html><html>Sign in</html>".into(),
        ),
        Some(Fault::Type(other)) => respond(status, other, body.into()),
        Some(Fault::Status(status, message)) => respond(
            StatusCode::from_u16(status).unwrap(),
            "application/json",
            message.into(),
        ),
        Some(Fault::Instead(other)) => respond(status, &content_type, other.into()),
        Some(Fault::End(percent)) => {
            body.truncate(body.len() * percent / 100);
            respond(status, &content_type, body.into())
        }
        Some(Fault::Flip) => {
            let middle = body.len() / 2;
            body[middle] ^= 0x55;
            respond(status, &content_type, body.into())
        }
        Some(Fault::Drop(percent)) => {
            body.truncate(body.len() * percent / 100);
            let piece = futures::stream::iter([Ok(Bytes::from(body))]);
            // The pause lets what came before go out.
            let end = futures::stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
            });
            respond(status, &content_type, Body::from_stream(piece.chain(end)))
        }
    }
}
