//! Requests to `/api/v1`: of a running server, or in process of the data directory's own.

mod stream;

use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};
use model::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode, Url};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use uuid::Uuid;

use crate::app::{App, read_secret};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) use stream::Stream;

/// Some requests work until they are answered, like the check of a repository.
const PATIENCE: Duration = Duration::from_hours(6);

const AUTHORITY: &str = "the server's certificate is that of an authority (CA:TRUE), which no server has: make it with `-addext basicConstraints=critical,CA:FALSE`, or sign another one with it";

/// A way to the interface. Paths are given without `/api/v1`; parts of them are escaped with [`segment`].
pub(crate) enum Api {
    Local {
        server: server::Server,
        _app: Box<App>,
    },
    Remote(Remote),
}

pub(crate) struct Remote {
    http: reqwest::Client,
    base: Url,
    token: Option<Secret>,
}

impl Api {
    /// With `--server` that server, otherwise the data directory, as its administrator.
    pub(crate) async fn open(global: &Global) -> Result<Self, Failure> {
        if let Some(url) = &global.server {
            let token = global.token_file.as_deref().map(read_secret).transpose()?;
            return Remote::new(url, token, global.ca_file.as_deref()).map(Self::Remote);
        }
        let place = global.data();
        let config = place.config()?;
        let options = server::Options {
            outbound: config.outbound.allow,
            public_url: config.server.public_url,
            ..server::Options::default()
        };
        let app = App::open(&place).await?;
        let server = server::Server::new(app.control.clone(), options);
        Ok(Self::Local {
            server,
            _app: Box::new(app),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, None::<&()>).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Value, Failure> {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn put(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Value, Failure> {
        self.send(Method::PUT, path, body).await
    }

    pub(crate) async fn patch(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Value, Failure> {
        self.send(Method::PATCH, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::DELETE, path, None::<&()>).await
    }

    /// An answer that is no single JSON document.
    pub(crate) async fn text(&self, path: &str) -> Result<String, Failure> {
        let (status, bytes) = self.ask(Method::GET, path, None).await?;
        if !status.is_success() {
            return read(status, &bytes).map(|_| String::new());
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes an answer as it comes: it may be larger than memory. `lost` says what it means when it cannot be written.
    pub(crate) async fn copy(
        &self,
        path: &str,
        to: &mut (impl AsyncWrite + Unpin),
        lost: impl Fn(&std::io::Error) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (status, mut pieces) = match self {
            Self::Local { server, .. } => {
                let answer = server.respond(Method::GET, path, None).await;
                let status = answer.status();
                let pieces = answer.into_body().into_data_stream();
                let failed = |error| Failure::from(anyhow::Error::new(error));
                (status, pieces.map_err(failed).boxed())
            }
            Self::Remote(remote) => {
                let answer = remote.request(Method::GET, path).send().await;
                let answer = answer.map_err(|error| remote.unreachable(error))?;
                let status = answer.status();
                let pieces = answer.bytes_stream();
                let pieces = pieces.map_err(|error| remote.unreachable(error));
                (status, pieces.boxed())
            }
        };
        if !status.is_success() {
            let problem: Vec<bytes::Bytes> = pieces.try_collect().await?;
            return read(status, &problem.concat()).map(drop);
        }
        while let Some(piece) = pieces.try_next().await? {
            if let Err(error) = to.write_all(&piece).await {
                return lost(&error);
            }
        }
        to.flush().await.or_else(|error| lost(&error))
    }

    /// The same to standard output.
    pub(crate) async fn copy_out(&self, path: &str, output: &Output) -> Result<(), Failure> {
        let out = std::io::stdout().as_fd().try_clone_to_owned();
        let out = out.context("cannot write to standard output")?;
        let mut out = tokio::fs::File::from_std(std::fs::File::from(out));
        let lost = |error: &std::io::Error| {
            output.is_lost(error);
            Ok(())
        };
        self.copy(path, &mut out, lost).await
    }

    /// Every entry of a list, page after page. `path` may have a query.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        self.list_most(path, usize::MAX).await
    }

    /// The entries of a list page after page, until there are more than `most`.
    pub(crate) async fn list_most(&self, path: &str, most: usize) -> Result<Vec<Value>, Failure> {
        let mut entries = Vec::new();
        let mut after = String::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let mut page = self.get(&format!("{path}{mark}limit=1000{after}")).await?;
            let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) else {
                return Err(stranger(StatusCode::OK));
            };
            entries.extend(items);
            match page.get("next").and_then(Value::as_str) {
                Some(next) if entries.len() <= most => after = format!("&after={}", segment(next)),
                _ => return Ok(entries),
            }
        }
    }

    /// What happens at `path`, as it happens; events after `last` are told again. Only a server has that.
    pub(crate) async fn follow(&self, path: &str, last: Option<&str>) -> Option<Stream> {
        let Self::Remote(remote) = self else {
            return None;
        };
        let mut request = remote
            .request(Method::GET, path)
            .header("accept", "text/event-stream")
            .timeout(PATIENCE);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.ok()?;
        answer.status().is_success().then(|| Stream::new(answer))
    }

    /// The answer's document; `null` when it has none.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Value, Failure> {
        let body = body
            .map(serde_json::to_vec)
            .transpose()
            .context("cannot write a request")?;
        let (status, bytes) = self.ask(method, path, body).await?;
        read(status, &bytes)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, bytes::Bytes), Failure> {
        match self {
            Self::Local { server, .. } => {
                let answer = server.call(method, path, body).await;
                Ok((answer.status, answer.body))
            }
            Self::Remote(remote) => remote.send(method, path, body).await,
        }
    }
}

impl Remote {
    fn new(url: &str, token: Option<Secret>, ca: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |reason: &str| {
            Failure::usage(
                format!("this is no address of a server: {reason}"),
                "give it as https://keepward.example.com",
            )
        };
        let base =
            Url::parse(url.trim_end_matches('/')).map_err(|error| wrong(&error.to_string()))?;
        let near = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match base.scheme() {
            "https" => {}
            "http" if near => {}
            _ => return Err(wrong("it does not begin with https://")),
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(control::USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(15))
            .timeout(PATIENCE);
        if let Some(path) = ca {
            let pem =
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let roots = reqwest::Certificate::from_pem_bundle(&pem)
                .with_context(|| format!("{} holds no certificates", path.display()))?;
            for root in roots {
                builder = builder.add_root_certificate(root);
            }
        }
        let http = builder.build().context("cannot make an HTTP client")?;
        Ok(Self { http, base, token })
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let address = format!("{}/api/v1{path}", self.base.as_str().trim_end_matches('/'));
        let request = self.http.request(method, address);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, bytes::Bytes), Failure> {
        let writes = method != Method::GET;
        let mut request = self.request(method, path);
        if writes {
            request = request.header("idempotency-key", Uuid::new_v4().to_string());
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        let unreachable = |error| self.unreachable(error);
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(unreachable)?;
        Ok((status, bytes))
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let cause = Failure::from(anyhow::Error::new(error.without_url()));
        let mut failure = Failure::coded(
            "server-unreachable",
            format!("{}: {}", self.base, cause.message),
        );
        // What `openssl req -x509` makes by itself.
        if cause.message.contains("CaUsedAsEndEntity") {
            failure.hint = Some(AUTHORITY.to_owned());
        }
        failure
    }
}

fn read(status: StatusCode, bytes: &[u8]) -> Result<Value, Failure> {
    let document = match bytes {
        [] => Value::Null,
        // The page of a proxy, for example. Taken for an empty answer it would say that there is nothing, and that all is well.
        _ => serde_json::from_slice(bytes).map_err(|_| stranger(status))?,
    };
    if !status.is_success() {
        return Err(refusal(status, &document));
    }
    match waits_for(status, &document) {
        Some(proposal) => Err(Failure {
            exit: Exit::WaitsForApproval,
            ..Failure::coded(
                "approval-needed",
                format!("waits for approval: proposal {proposal}"),
            )
        }),
        None => Ok(document),
    }
}

fn stranger(status: StatusCode) -> Failure {
    Failure::coded(
        "server-unreachable",
        format!("what answers there is no Keepward server: {status}"),
    )
}

/// The id of the proposal that a write was turned into.
fn waits_for(status: StatusCode, document: &Value) -> Option<&str> {
    if status != StatusCode::ACCEPTED {
        return None;
    }
    document.get("proposal").and_then(Value::as_str)
}

/// A problem document as a failure.
fn refusal(status: StatusCode, problem: &Value) -> Failure {
    let text = |key: &str| problem.get(key).and_then(Value::as_str);
    let Some(code) = text("code") else {
        return stranger(status);
    };
    let mut failure = Failure::coded(code, text("detail").unwrap_or(code));
    if let Some(hint) = text("hint") {
        failure.hint = Some(hint.to_owned());
    }
    failure.checks = problem.get("checks").cloned().unwrap_or_default();
    match (status, code) {
        (StatusCode::UNAUTHORIZED, _) => failure.exit = Exit::SignInAgain,
        (_, "request-refused" | "request-malformed") => failure.exit = Exit::Usage,
        _ => {}
    }
    failure
}

/// A member of a document as people read it; nothing where it has none.
pub(crate) fn text<'a>(document: &'a Value, member: &str) -> &'a str {
    document[member].as_str().unwrap_or_default()
}

/// What every such answer has, for instance a secret that is told once: one without it is none of a Keepward server.
pub(crate) fn needed<'a>(made: &'a Value, member: &str) -> Result<&'a str, Failure> {
    match text(made, member) {
        "" => Err(stranger(StatusCode::OK)),
        text => Ok(text),
    }
}

/// What a part of a path may hold as it is.
const PLAIN: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A name as one part of a path, or as a value in a query.
pub(crate) fn segment(name: &str) -> String {
    utf8_percent_encode(name, &PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failure(status: u16, document: &Value) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        read(status, document.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn statuses_become_exit_codes() {
        let table = [
            (401, "sign-in-needed", Exit::SignInAgain),
            (403, "role-missing", Exit::Failed),
            (404, "run-unknown", Exit::Failed),
            (409, "run-busy", Exit::Failed),
            (422, "request-refused", Exit::Usage),
            (422, "credential-refused", Exit::SignInAgain),
            (500, "server-error", Exit::Failed),
        ];
        for (status, code, exit) in table {
            let failure = failure(
                status,
                &json!({"code": code, "detail": "why", "hint": "do"}),
            );
            assert_eq!(
                (failure.exit, failure.message.as_str()),
                (exit, "why"),
                "{code}"
            );
            assert_eq!(failure.hint.as_deref(), Some("do"));
        }
    }

    #[test]
    fn a_write_that_waits_for_approval_is_no_success() {
        let failure = failure(202, &json!({"proposal": "p1"}));
        assert_eq!(failure.exit, Exit::WaitsForApproval);
        assert!(failure.message.contains("p1"));
    }

    #[test]
    fn a_run_that_was_accepted_is_a_success() {
        let accepted = read(StatusCode::ACCEPTED, br#"{"id": "r1"}"#).unwrap();
        assert_eq!(accepted["id"], "r1");
    }

    #[test]
    fn another_server_is_told_from_ours() {
        let failure = failure(404, &json!("<html>"));
        assert_eq!(failure.code.as_deref(), Some("server-unreachable"));
    }

    #[test]
    fn the_page_of_a_proxy_is_no_empty_answer() {
        let failure = read(StatusCode::OK, b"<html>sign in</html>").unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("server-unreachable"));
        assert_eq!(read(StatusCode::NO_CONTENT, b"").unwrap(), Value::Null);
    }

    #[test]
    fn a_secret_that_is_not_told_is_no_empty_secret() {
        for made in [json!({}), json!({ "secret": "" }), json!({ "secret": 7 })] {
            assert!(needed(&made, "secret").is_err(), "{made}");
        }
        assert_eq!(needed(&json!({ "secret": "s" }), "secret").unwrap(), "s");
    }

    #[test]
    fn tokens_never_cross_a_network_in_clear_text() {
        assert!(Remote::new("http://keepward.example.com", None, None).is_err());
        assert!(Remote::new("http://127.0.0.1:8443/", None, None).is_ok());
    }
}
