//! The line from a worker to its server: one request for each thing that is said, sent again while the server is away.

use std::time::Duration;

use model::Secret;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{Error, Result};

/// Sendings of what must arrive, and the first pause between two; each is twice the one before.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// A way to say something to the server.
#[derive(Clone)]
pub struct Line {
    http: reqwest::Client,
    base: Url,
    token: Secret,
}

/// What the server's problem documents say.
#[derive(serde::Deserialize)]
struct Told {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

impl Line {
    /// `url` is the server's; only HTTPS, but for this machine itself.
    pub fn new(http: reqwest::Client, url: &str, token: Secret) -> Result<Self> {
        let refused = |reason: &str| Error::Request {
            code: "server-address",
            message: format!("this is no address of a server of Keepward: {reason}"),
        };
        let base = Url::parse(&format!("{}/", url.trim_end_matches('/')))
            .map_err(|error| refused(&error.to_string()))?;
        let near = match base.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match base.scheme() {
            "https" => {}
            "http" if near => {}
            _ => {
                return Err(refused(
                    "secrets cross the line, so it has to begin with https://",
                ));
            }
        }
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return Err(refused("it holds more than the server's place"));
        }
        Ok(Self { http, base, token })
    }

    fn request(&self, path: &str) -> Result<RequestBuilder> {
        let url = self.base.join(path).map_err(|error| Error::Request {
            code: "server-address",
            message: error.to_string(),
        })?;
        let request = self.http.request(Method::POST, url);
        Ok(request.bearer_auth(self.token.expose()))
    }

    /// Says it once: `None` for an answer without content, and a network that fails is `server-unreachable`.
    pub(super) async fn once<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Option<T>> {
        let away = |error: reqwest::Error| Error::Request {
            code: "server-unreachable",
            message: format!("the server did not answer: {}", error.without_url()),
        };
        let body = serde_json::to_vec(body).map_err(|error| Error::Request {
            code: "server-error",
            message: error.to_string(),
        })?;
        let request = self.request(path)?;
        let request = request
            .header("content-type", "application/json")
            .body(body);
        let response = request.send().await.map_err(away)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(away)?;
        if status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        if status.is_success() {
            let read = serde_json::from_slice(&bytes);
            return read.map(Some).map_err(|error| Error::Request {
                code: "server-error",
                message: format!("the server's answer is not understood: {error}"),
            });
        }
        let told = serde_json::from_slice(&bytes).unwrap_or(Told {
            code: String::new(),
            detail: String::new(),
        });
        let code = match model::code::find(&told.code) {
            Some(known) => known.name,
            None if status == StatusCode::UNAUTHORIZED => "worker-refused",
            None => "server-unreachable",
        };
        // Whatever stands before the server, or a server that is in trouble: another moment may be better.
        let code = match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => "server-unreachable",
            _ => code,
        };
        let message = if told.detail.is_empty() {
            format!("the server answers {status}")
        } else {
            told.detail
        };
        Err(Error::Request { code, message })
    }

    /// Says it until it arrives, within half a minute or so. Everything that a worker says may be said twice.
    pub(super) async fn say<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Option<T>> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.once(path, body).await {
                Err(error) if error.code() == Some("server-unreachable") => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                result => return result,
            }
        }
        self.once(path, body).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_cross_no_line_in_clear_text() {
        #[expect(clippy::disallowed_methods, reason = "nothing is sent")]
        let http = reqwest::Client::new();
        let line = |url: &str| Line::new(http.clone(), url, Secret::new("token")).map(drop);
        for url in [
            "http://keepward.example.com",
            "http://10.0.0.1:8480",
            "http://localhost.example.com",
            "ftp://127.0.0.1",
            "https://me:secret@example.com",
            "https://example.com/?x=y",
            "keepward",
        ] {
            let refused = line(url).unwrap_err();
            assert_eq!(refused.code(), Some("server-address"), "{url}");
            assert!(!refused.to_string().contains(url), "{refused}");
        }
        for url in [
            "https://keepward.example.com",
            "https://example.com/keepward/",
            "http://127.0.0.1:8480",
            "http://[::1]:8480",
            "http://localhost",
        ] {
            line(url).unwrap();
        }
    }
}
