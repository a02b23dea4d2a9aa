//! The server as a value, and its router.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use control::Control;
use control::browse::Library;
use ipnet::IpNet;
use model::Secret;
use service::egress::Egress;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use url::Url;

use crate::access::Caller;
use crate::access::{self, Access};
use crate::events::Events;
use crate::looks::Looks;
use crate::metrics::Counters;
use crate::taken::Taken;
use crate::{Problem, api, console, edge, health, idempotency, metrics};

/// What the administrator sets.
#[derive(Clone)]
pub struct Options {
    /// Where people reach the server, for links and sign-in.
    pub public_url: Option<Url>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Bytes of a request's body; a route may set another limit for itself.
    pub body_limit: usize,
    /// A question that takes longer is answered with 408; streams and changes go on.
    pub request_timeout: Duration,
    /// A handshake, and the head of a request, may take no longer.
    pub head_timeout: Duration,
    /// A body may pause no longer.
    pub body_timeout: Duration,
    /// Opens `/metrics`; without one it answers to loopback alone.
    pub metrics_token: Option<Secret>,
    /// Folders that repositories may lie in which are added over the interface.
    pub repository_roots: Vec<PathBuf>,
    /// Private networks that requests may go to.
    pub outbound: Vec<IpNet>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            trusted_proxies: Vec::new(),
            body_limit: 1 << 20,
            request_timeout: Duration::from_mins(2),
            head_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(15),
            metrics_token: None,
            repository_roots: Vec::new(),
            outbound: Vec::new(),
        }
    }
}

/// What all handlers share; clones are handles on the same.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

/// The parts of a [`Server`].
pub struct Inner {
    pub control: Control,
    pub options: Options,
    pub events: Events,
    /// What was backed up, for those who look into it.
    pub library: Library,
    pub(crate) counters: Arc<Counters>,
    pub(crate) access: Access,
    pub(crate) taken: Taken,
    pub(crate) looks: Looks,
    /// Changes that have begun; they outlive the connections that asked for them.
    pub(crate) writes: TaskTracker,
}

impl Deref for Server {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Server {
    pub fn new(control: Control, options: Options) -> Self {
        let life = format!("{:x}", control.clock.now().as_microsecond());
        let counters = Arc::<Counters>::default();
        Self(Arc::new(Inner {
            library: Library::new(control.clone()),
            control,
            options,
            events: Events::new(life, Arc::clone(&counters)),
            counters,
            access: Access::default(),
            taken: Taken::default(),
            looks: Looks::default(),
            writes: TaskTracker::new(),
        }))
    }

    /// Where requests may go that somebody's settings ask for.
    pub(crate) fn egress(&self) -> Egress {
        Egress::new(self.options.outbound.clone())
    }

    pub fn router(&self) -> Router {
        let (api, _) = api::router().split_for_parts();
        let api = api.fallback(async || Problem::no_such_path());
        let router = Router::new()
            .nest("/api/v1", api)
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .route("/metrics", get(metrics::metrics))
            .fallback(console::open)
            .layer(from_fn_with_state(self.clone(), idempotency::once))
            .layer(from_fn_with_state(self.clone(), access::authenticate))
            .layer(DefaultBodyLimit::max(self.options.body_limit))
            .layer(RequestBodyTimeoutLayer::new(self.options.body_timeout))
            .layer(CatchPanicLayer::custom(edge::panicked))
            .layer(from_fn_with_state(self.clone(), edge::guard));
        router.with_state(self.clone())
    }

    /// A request of the local administrator, in process; `path` is that under `/api/v1`.
    pub async fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        let response = self.respond(method, path, body).await;
        let status = response.status();
        match axum::body::to_bytes(response.into_body(), usize::MAX).await {
            Ok(body) => Answer { status, body },
            Err(_) => Answer {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                body: Bytes::new(),
            },
        }
    }

    /// The same, for an answer that is too large for memory.
    pub async fn respond(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .extension(Caller::local());
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        match request.body(Body::from(body.unwrap_or_default())) {
            Ok(request) => match self.router().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(_) => Problem::no_such_path().into_response(),
        }
    }
}

/// The answer to [`Server::call`].
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}
