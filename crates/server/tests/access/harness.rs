//! A server in this process, with a clock that is set by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use catalog::{Catalog, Kek, NewPerson, NewSession};
use control::{Control, Reach};
use jiff::Timestamp;
use model::{Clock, Role};
use serde_json::{Value, json};
use server::{Options, Server};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

pub(crate) const PASSWORD: &str = "correct horse battery";

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

pub(crate) struct World {
    pub(crate) server: Server,
    /// Made once: it comes with the whole description of the interface.
    router: axum::Router,
    clock: Arc<Hands>,
    _folder: tempfile::TempDir,
}

/// What somebody sends beside method, path and body.
#[derive(Clone, Debug, Default)]
pub(crate) struct As {
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The last part of the address, 192.0.2.N.
    pub(crate) from: u8,
}

impl As {
    pub(crate) fn nobody() -> Self {
        Self::default()
    }

    pub(crate) fn bearer(token: &str) -> Self {
        Self::default().with("authorization", format!("Bearer {token}"))
    }

    /// A page of this server in a browser with this cookie.
    pub(crate) fn cookie(cookie: &str) -> Self {
        Self::default()
            .with("cookie", cookie)
            .with("sec-fetch-site", "same-origin")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn from(self, from: u8) -> Self {
        Self { from, ..self }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// `name=value` of a cookie that was set.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all(header::SET_COOKIE).iter();
        let mut pairs = set.filter_map(|value| value.to_str().unwrap().split(';').next());
        let found = pairs.find(|pair| pair.split('=').next() == Some(name))?;
        (!found.ends_with('=')).then(|| found.to_owned())
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::at("http://127.0.0.1:8480").await
    }

    /// It may ask what is on this machine: identity providers of tests are.
    pub(crate) async fn at(public_url: &str) -> Self {
        Self::with_options(Options {
            public_url: Some(public_url.parse().unwrap()),
            outbound: vec!["127.0.0.0/8".parse().unwrap()],
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn with_options(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hands(AtomicI64::new(1_800_000_000)));
        let shared: Arc<dyn Clock> = clock.clone();
        let control = Control {
            catalog: Catalog::open("sqlite::memory:").await.unwrap(),
            kek: Arc::new(Kek::new([7; 32])),
            clock: Arc::clone(&shared),
            services: &[],
            reach: Reach::usual(shared).unwrap(),
            worker: "worker".to_owned(),
            work: folder.path().to_owned(),
        };
        let server = Server::new(control, options);
        Self {
            router: server.router(),
            server,
            clock,
            _folder: folder,
        }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.server.control.catalog
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.clock.0.load(Ordering::Relaxed)
    }

    pub(crate) async fn send(
        &self,
        who: &As,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let body = body.map(|body| body.to_string());
        self.send_text(who, method, path, body).await
    }

    pub(crate) async fn send_text(
        &self,
        who: &As,
        method: &str,
        path: &str,
        body: Option<String>,
    ) -> Answer {
        let peer = SocketAddr::from(([192, 0, 2, who.from], 40_000));
        let mut request = Request::builder()
            .method(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap())
            .uri(format!("/api/v1{path}"))
            .extension(ConnectInfo(peer));
        for (name, value) in &who.headers {
            request = request.header(*name, value);
        }
        let typed = who.headers.iter().any(|(name, _)| *name == "content-type");
        if body.is_some() && !typed {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Body::from(body.unwrap_or_default())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let kind = parts
            .headers
            .get(header::CONTENT_TYPE)
            .map(|kind| kind.to_str().unwrap().to_owned());
        // A stream of events does not end.
        let text = if kind.is_some_and(|kind| kind.contains("event-stream")) {
            String::new()
        } else {
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// An account without a password, which costs no time.
    pub(crate) async fn person(&self, name: &str, roles: &[Role]) -> String {
        let person = NewPerson {
            id: self.server.control.new_id(),
            name: name.to_owned(),
            roles: roles.iter().copied().collect(),
            connectors: None,
            password: None,
            created: self.server.control.clock.now(),
        };
        self.catalog().add_person(&person).await.unwrap();
        person.id
    }

    /// A session as sign-in makes it.
    pub(crate) async fn session(&self, person: &str) -> As {
        let now = self.server.control.clock.now();
        let id = self.server.control.new_id();
        let session = NewSession {
            hash: hex::encode(Sha256::digest(&id)),
            id: id.clone(),
            person: person.to_owned(),
            method: "password".to_owned(),
            created: now,
            expires: now + jiff::SignedDuration::from_hours(1000),
            address: None,
            agent: None,
        };
        self.catalog().add_session(&session).await.unwrap();
        As::cookie(&format!("keepward={id}"))
    }

    pub(crate) async fn with(&self, name: &str, roles: &[Role]) -> As {
        let person = self.person(name, roles).await;
        self.session(&person).await
    }

    /// The first administrator, with [`PASSWORD`].
    pub(crate) async fn set_up(&self) -> As {
        let token = self.server.offer_setup().await.unwrap().unwrap();
        let body = json!({ "token": token, "name": "root", "password": PASSWORD });
        let answer = self.send(&As::nobody(), "POST", "/setup", Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        As::cookie(&answer.cookie("keepward").unwrap())
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Answer {
        let body = json!({ "name": name, "password": password });
        self.send(&As::nobody(), "POST", "/session", Some(body))
            .await
    }

    /// The actions of the audit log, the oldest first.
    pub(crate) async fn actions(&self) -> Vec<String> {
        let rows = self.catalog().audit_after(0, 10_000).await.unwrap();
        rows.into_iter().map(|row| row.event.action).collect()
    }
}
