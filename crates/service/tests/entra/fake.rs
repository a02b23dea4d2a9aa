//! Entra ID, the metadata service and a service that takes their tokens, on loopback. Written from the vendor's documents.

mod grants;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Clock as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use crate::world::{CLIENT, HandClock, TENANT};

/// A request as it came; parameters of query and form.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) values: BTreeMap<String, String>,
}

pub(crate) struct Inner {
    pub(crate) seen: Vec<Seen>,
    /// Life of access tokens in seconds.
    pub(crate) life: i64,
    /// Answers of the sign-in and metadata services that go before the usual ones.
    pub(crate) trouble: VecDeque<(u16, Value)>,
    /// The same for the service.
    pub(crate) refusals: VecDeque<(u16, Value)>,
    /// Refresh tokens and whether they were used.
    pub(crate) refresh: HashMap<String, bool>,
    /// Access tokens and when they end.
    pub(crate) access: HashMap<String, i64>,
    /// Codes with challenge, nonce and redirect; a used one is gone.
    codes: HashMap<String, [String; 3]>,
    /// Members of identity tokens that are not as they should be.
    pub(crate) twist: Value,
    number: u64,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) clock: Arc<HandClock>,
    inner: Arc<Mutex<Inner>>,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Site {
    url: String,
    clock: Arc<HandClock>,
    inner: Arc<Mutex<Inner>>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner {
            seen: Vec::new(),
            life: 3600,
            trouble: VecDeque::new(),
            refusals: VecDeque::new(),
            refresh: HashMap::from([("refresh-0".to_owned(), false)]),
            access: HashMap::new(),
            codes: HashMap::new(),
            twist: json!({}),
            number: 0,
        }));
        let clock = HandClock::new();
        let site = Site {
            url: url.clone(),
            clock: Arc::clone(&clock),
            inner: Arc::clone(&inner),
        };
        let router = Router::new().fallback(answer).with_state(site);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            clock,
            inner,
            _tasks: tasks,
        }
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// The requests whose path ends so.
    pub(crate) fn seen(&self, end: &str) -> Vec<Seen> {
        let inner = self.inner();
        inner
            .seen
            .iter()
            .filter(|seen| seen.path.ends_with(end))
            .cloned()
            .collect()
    }

    pub(crate) fn tokens(&self) -> usize {
        self.seen("/oauth2/v2.0/token").len()
    }

    /// What the browser brings back when the person agrees: the query.
    pub(crate) fn agree(&self, address: &str) -> String {
        let url = service::http::Url::parse(address).unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        let mut inner = self.inner();
        inner.number += 1;
        let code = format!("code-{}", inner.number);
        let kept = ["code_challenge", "nonce", "redirect_uri"].map(|name| asked[name].clone());
        inner.codes.insert(code.clone(), kept);
        format!("code={code}&state={}&session_state=x", asked["state"])
    }
}

async fn answer(State(site): State<Site>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let (status, value) = site.answer(&parts.method, &parts.uri, &parts.headers, &body);
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("content-type", "application/json; charset=utf-8")
        .body(Body::from(value.to_string()))
        .unwrap()
}

impl Site {
    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> (u16, Value) {
        let mut values = BTreeMap::new();
        for part in [uri.query().unwrap_or_default().as_bytes(), body] {
            values.extend(url::form_urlencoded::parse(part).into_owned());
        }
        let path = uri.path().to_owned();
        let mut inner = self.inner.lock().unwrap();
        inner.seen.push(Seen {
            path: path.clone(),
            values: values.clone(),
        });
        if path.starts_with("/contoso/") {
            return self.service(&mut inner, headers);
        }
        if let Some(trouble) = inner.trouble.pop_front() {
            return trouble;
        }
        let end = path
            .split_once("/oauth2/v2.0/")
            .map_or(path.as_str(), |(_, end)| end);
        match (method.as_str(), end) {
            ("POST", "token") => self.token(&mut inner, &path, &values),
            ("POST", "devicecode") => Self::device(&values),
            ("GET", "/metadata/identity/oauth2/token" | "/msi/token") => {
                self.machine(&mut inner, end, &values, headers)
            }
            ("GET", _) if path.ends_with("/openid-configuration") => (
                200,
                json!({"issuer": format!("{}/{TENANT}/v2.0", self.url)}),
            ),
            _ => (404, json!({"error": "not_found"})),
        }
    }

    /// Takes tokens that live.
    fn service(&self, inner: &mut Inner, headers: &HeaderMap) -> (u16, Value) {
        if let Some(refusal) = inner.refusals.pop_front() {
            return refusal;
        }
        let sent = headers
            .get("authorization")
            .map_or("", |value| value.to_str().unwrap());
        let token = sent.strip_prefix("Bearer ").unwrap_or_default();
        match inner.access.get(token) {
            Some(end) if self.clock.now().as_second() < *end => (200, json!({"count": 0})),
            _ => (
                401,
                json!({"$id": "1", "message": "TF400813: The user '' is not authorized", "typeKey": "UnauthorizedRequestException"}),
            ),
        }
    }

    fn machine(
        &self,
        inner: &mut Inner,
        end: &str,
        values: &BTreeMap<String, String>,
        headers: &HeaderMap,
    ) -> (u16, Value) {
        let metadata = end.starts_with("/metadata");
        let proof = if metadata {
            ("metadata", "true", "2018-02-01")
        } else {
            ("x-identity-header", "app-service-proof", "2019-08-01")
        };
        let shown = headers.get(proof.0).is_some_and(|value| value == proof.1);
        if !shown || headers.contains_key("x-forwarded-for") || values["api-version"] != proof.2 {
            return (400, json!({"error": "bad_request_102"}));
        }
        if values.get("client_id").is_some_and(|id| id == "unassigned") {
            return (
                400,
                json!({"error": "invalid_request", "error_description": "Identity not found"}),
            );
        }
        let token = inner.mint(&self.clock);
        let end = (self.clock.now().as_second() + inner.life).to_string();
        if !metadata {
            return (
                200,
                json!({"access_token": token, "expires_on": end, "resource": values["resource"], "token_type": "Bearer", "client_id": "x"}),
            );
        }
        let life = inner.life.to_string();
        (
            200,
            json!({"access_token": token, "expires_in": life, "expires_on": end, "resource": values["resource"], "token_type": "Bearer"}),
        )
    }

    fn device(values: &BTreeMap<String, String>) -> (u16, Value) {
        if !values["scope"].contains("offline_access") {
            return (400, json!({"error": "invalid_scope"}));
        }
        (
            200,
            json!({"device_code": "device-1", "user_code": "ABCD-EFGH", "verification_uri": "https://microsoft.com/devicelogin", "expires_in": 900, "interval": 5, "message": "open the page"}),
        )
    }
}

impl Inner {
    fn mint(&mut self, clock: &HandClock) -> String {
        self.number += 1;
        let token = format!("access-{}", self.number);
        self.access
            .insert(token.clone(), clock.now().as_second() + self.life);
        token
    }
}

pub(crate) fn refusal(error: &str, number: u32) -> (u16, Value) {
    (
        400,
        json!({"error": error, "error_description": format!("AADSTS{number}: words.\r\nTrace ID: 1"), "error_codes": [number]}),
    )
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}
