//! The client of one identity: pool, credential, budget and counters, shared by all its clones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;
use model::{Clock, Event, Reporter, Secret, SignIn};
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};

use super::address::{is_local, same_origin, shown, without_user};
use super::call::Call;
use super::credential::{Auth, Authorization, Credential};
use super::gate::Gate;
use super::redact::Redactor;
use super::skew::Skew;
use super::usage::{Counter, Counters, Usage};
use crate::egress::{Egress, Purpose};
use crate::{Error, Result};
use model::Class;

/// What a client needs to know.
#[derive(Clone)]
pub struct Options {
    /// Base address by the name that kinds use, with the organization, without a slash at its end.
    pub hosts: BTreeMap<&'static str, Url>,
    pub auth: Auth,
    pub user_agent: String,
    /// How often a request is sent at most; 5 is usual.
    pub attempts: u32,
    /// No single wait is longer, whatever the service asks for; 5 minutes is usual.
    pub max_wait: Duration,
    /// Without a byte of the answer; 100 s is usual.
    pub timeout: Duration,
    /// Of an answer that is kept in memory, in bytes; 256 MiB is usual.
    pub max_body: u64,
    /// Hears of waits.
    pub observer: Option<Arc<dyn Reporter>>,
}

/// Sends requests to the hosts of one service as one identity; clones share pool, budget and counters.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    pub(crate) counter: Arc<Counter>,
}

pub(crate) struct Inner {
    pub(crate) pool: reqwest::Client,
    hosts: BTreeMap<&'static str, Url>,
    pub(crate) credential: Credential,
    pub(crate) session: HeaderValue,
    pub(crate) gate: Gate,
    pub(crate) counters: Counters,
    pub(crate) skew: Skew,
    pub(crate) redactor: Redactor,
    rules: Egress,
    pub(crate) attempts: u32,
    pub(crate) max_wait: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_body: u64,
    observer: Option<Arc<dyn Reporter>>,
    /// The service has answered a request with this credential as asked.
    pub(crate) accepted: AtomicBool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts: BTreeMap<_, _> = self
            .inner
            .hosts
            .iter()
            .map(|(name, url)| (*name, shown(url)))
            .collect();
        f.debug_struct("Client")
            .field("hosts", &hosts)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub fn new(options: Options) -> Result<Self> {
        Self::build(options, None)
    }

    /// For hosts that a person named: no connection is made to where the rules do not allow it, and no proxy is used. Other clients keep out of
    /// metadata services and link-local addresses alone.
    pub fn guarded(options: Options, rules: &Egress) -> Result<Self> {
        Self::build(options, Some(rules))
    }

    fn build(options: Options, rules: Option<&Egress>) -> Result<Self> {
        let redactor = Redactor::default();
        let credential = Credential::new(options.auth.clone(), &redactor)?;
        let pool = pool(&options, rules)?;
        let counters = Counters::default();
        let counter = counters.of("");
        let inner = Inner {
            pool,
            hosts: options
                .hosts
                .into_iter()
                .map(|(name, url)| (name, without_user(url)))
                .collect(),
            credential,
            session: session(),
            gate: Gate::new(options.max_wait),
            counters,
            skew: Skew::default(),
            redactor,
            rules: rules.cloned().unwrap_or_else(Egress::lenient),
            attempts: options.attempts.max(1),
            max_wait: options.max_wait,
            timeout: options.timeout,
            max_body: options.max_body,
            observer: options.observer,
            accepted: AtomicBool::new(false),
        };
        Ok(Self {
            inner: Arc::new(inner),
            counter,
        })
    }

    /// The same client; its requests count for this kind.
    #[must_use]
    pub fn tagged(&self, kind: &'static str) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            counter: self.inner.counters.of(kind),
        }
    }

    /// `path` begins with `/`, is percent-encoded by the caller (see [`super::segment`]) and is appended to the host's base.
    pub fn get(&self, host: &'static str, path: &str) -> Call<'_> {
        self.call(Method::GET, host, path)
    }

    /// Like [`Client::get`], with any method. Only GET, HEAD and OPTIONS are repeated after an unclear failure unless [`Call::safe`] says more.
    pub fn call(&self, method: Method, host: &'static str, path: &str) -> Call<'_> {
        let url = self.base(host).and_then(|base| {
            let address = format!("{}{path}", base.as_str().trim_end_matches('/'));
            Url::parse(&address).map_err(|error| {
                Error::malformed(format!("{host}{path} is not an address: {error}"))
            })
        });
        let shown = path.split_once('?').map_or(path, |(path, _)| path);
        let label = format!("{method} {host}{shown}");
        Call::new(self, method, url, label)
    }

    /// The base address of a host.
    pub fn base(&self, host: &'static str) -> Result<&Url> {
        self.inner.hosts.get(host).ok_or_else(|| {
            Error::malformed(format!(
                "the connector has no address for the host `{host}`"
            ))
        })
    }

    /// A GET of any address. The credential goes along only when scheme, host and port are those of a configured host.
    pub fn url(&self, absolute: &Url) -> Call<'_> {
        let url = match absolute.scheme() {
            "http" | "https" => Ok(without_user(absolute.clone())),
            other => Err(Error::malformed(format!(
                "addresses with `{other}:` are not followed"
            ))),
        };
        Call::new(self, Method::GET, url, format!("GET {}", shown(absolute)))
    }

    pub fn usage(&self) -> Usage {
        self.inner.counters.usage(self.inner.gate.remaining())
    }

    /// All answers together come no faster from now on, for this client and its clones.
    pub fn limit(&self, bytes_per_second: u64) {
        self.inner.counters.rate.set(bytes_per_second);
    }

    /// From now on the dates of answers are compared with this clock, for this client and its clones.
    pub fn compare_clocks(&self, clock: &Arc<dyn Clock>) {
        self.inner.skew.watch(clock);
    }

    /// How far that clock is ahead of the service's by the last dated answer, or behind if less than zero. `None` up to 10 minutes, and where no
    /// answer was dated.
    pub fn clock_ahead(&self) -> Option<SignedDuration> {
        self.inner.skew.found()
    }

    /// How the client signs in, when it is not with a token that stays the same.
    pub fn sign_in(&self) -> Option<&SignIn> {
        match &self.inner.credential {
            Credential::Fixed(_) | Credential::Lent(_) => None,
            Credential::Bearer(bearer) => Some(bearer.source().sign_in()),
        }
    }

    /// Environment for the git binary that sends the credential to the configured hosts and nowhere else. Ask anew for each process: a token
    /// in it lives for some minutes at least, and no longer than an hour.
    pub async fn git_environment(&self) -> Result<Vec<(String, Secret)>> {
        let authorization = self.inner.authorization().await?;
        let mut origins: Vec<String> = self
            .inner
            .hosts
            .values()
            .map(|url| url.origin().ascii_serialization())
            .collect();
        origins.sort();
        origins.dedup();
        let mut environment = vec![(
            "GIT_CONFIG_COUNT".to_owned(),
            Secret::new(origins.len().to_string()),
        )];
        for (position, origin) in origins.iter().enumerate() {
            environment.push((
                format!("GIT_CONFIG_KEY_{position}"),
                Secret::new(format!("http.{origin}/.extraHeader")),
            ));
            environment.push((
                format!("GIT_CONFIG_VALUE_{position}"),
                authorization.line.clone(),
            ));
        }
        Ok(environment)
    }
}

impl Inner {
    pub(crate) async fn authorization(&self) -> Result<Authorization> {
        self.credential.authorization(&self.redactor).await
    }

    /// Whether the credential may go there.
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        self.hosts.values().any(|base| same_origin(base, url))
    }

    /// Numbers are not looked up: they are judged before each request.
    pub(crate) fn permits(&self, url: &Url) -> Result<()> {
        self.rules.judge_literal(url, Purpose::Connector)
    }

    pub(crate) fn announce(&self, pause: Duration, reason: &str) {
        tracing::info!(seconds = pause.as_secs_f64(), reason, "waiting");
        if let Some(observer) = &self.observer {
            observer.report(Event::Waiting {
                seconds: (pause + Duration::from_nanos(999_999_999)).as_secs(),
                reason: reason.to_owned(),
            });
        }
    }

    pub(crate) fn was_accepted(&self) -> bool {
        self.accepted.load(Relaxed)
    }
}

impl Counter {
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn received(&self, bytes: &Bytes) {
        self.bytes.fetch_add(bytes.len() as u64, Relaxed);
    }
}

fn pool(options: &Options, rules: Option<&Egress>) -> Result<reqwest::Client> {
    let local = options.hosts.values().all(is_local);
    let builder = reqwest::Client::builder();
    let builder = if local { builder.no_proxy() } else { builder };
    let builder = match rules {
        Some(rules) => rules.resolving(builder.no_proxy(), Purpose::Connector),
        None => Egress::lenient().resolving(builder, Purpose::Connector),
    };
    let builder = builder
        .user_agent(&options.user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .read_timeout(options.timeout)
        .connect_timeout(options.timeout.min(Duration::from_secs(30)))
        // Shorter than servers keep a connection: a write on one that is just being closed is an unclear failure.
        .pool_idle_timeout(Duration::from_secs(20))
        .tcp_nodelay(true);
    let encrypted = options.hosts.values().any(|url| url.scheme() == "https");
    // Plain hosts need no certificates: a bare machine has none, and reading hundreds costs more than a quiet run.
    let builder = if encrypted {
        builder
    } else {
        builder.tls_certs_only([])
    };
    builder.build().map_err(|error| {
        Error::new(
            Class::Transient,
            "service-unavailable",
            "the HTTP client cannot be set up",
        )
        .hinted("Install the system's CA certificates (Debian: ca-certificates).")
        .caused_by(error.without_url())
    })
}

/// A random UUID (version 4) that lets the service's support find our requests.
fn session() -> HeaderValue {
    let random: u128 = rand::random();
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let text = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-");
    HeaderValue::from_str(&text)
        .unwrap_or_else(|_| HeaderValue::from_static("00000000-0000-4000-8000-000000000000"))
}
