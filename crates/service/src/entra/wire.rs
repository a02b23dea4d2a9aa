//! Requests to the sign-in service and to the machine's identity service. Few, small, and never redirected.

use std::time::Duration;

use model::Class;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::refusal::{self, Step};
use crate::http::is_local;
use crate::{Error, Result};

const MOST: usize = 1 << 20;

pub(crate) struct Wire {
    /// Through the proxy, where the machine has one.
    out: reqwest::Client,
    /// Never through a proxy: what is on this machine or belongs to it.
    near: reqwest::Client,
}

/// An answer. Without `Debug`: it may hold tokens.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    body: Zeroizing<Vec<u8>>,
}

#[derive(Deserialize)]
pub(crate) struct Issuer {
    pub(crate) issuer: String,
}

impl Wire {
    pub(crate) fn new(user_agent: &str, timeout: Duration) -> Result<Self> {
        let builder = || {
            reqwest::Client::builder()
                .user_agent(user_agent)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .timeout(timeout)
        };
        let failed = |error: reqwest::Error| {
            Error::new(
                Class::Transient,
                "service-unavailable",
                "the HTTP client for signing in cannot be set up",
            )
            .hinted("Install the system's CA certificates (Debian: ca-certificates).")
            .caused_by(error.without_url())
        };
        Ok(Self {
            out: builder().build().map_err(failed)?,
            // Plain HTTP alone: a bare machine has no certificates to read.
            near: builder()
                .no_proxy()
                .tls_certs_only([])
                .build()
                .map_err(failed)?,
        })
    }

    pub(crate) async fn post(&self, url: &Url, form: &[(&str, &str)]) -> Result<Said> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = Request::new(Method::POST, url.clone());
        request.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        *request.body_mut() = Some(body.into());
        self.send(self.client(url), request).await
    }

    pub(crate) async fn get(&self, url: &Url) -> Result<Said> {
        let request = Request::new(Method::GET, url.clone());
        self.send(self.client(url), request).await
    }

    /// To the machine's identity service: a proxy would be asked for its own identity.
    pub(crate) async fn near(&self, url: Url, header: (&'static str, &str)) -> Result<Said> {
        let mut request = Request::new(Method::GET, url);
        let mut value = HeaderValue::from_str(header.1)
            .map_err(|_| Error::malformed("the identity header cannot be sent"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header.0, value);
        self.send(&self.near, request).await
    }

    fn client(&self, url: &Url) -> &reqwest::Client {
        if url.scheme() == "http" && is_local(url) {
            &self.near
        } else {
            &self.out
        }
    }

    async fn send(&self, client: &reqwest::Client, mut request: Request) -> Result<Said> {
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| {
            Error::new(
                Class::Transient,
                "service-unavailable",
                format!("the sign-in service at {host} cannot be reached"),
            )
            .hinted("Check the network, the proxy and the service's status page.")
            .caused_by(error.without_url())
        };
        let mut response = client.execute(request).await.map_err(failed)?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let mut body = Zeroizing::new(Vec::new());
        while let Some(bytes) = response.chunk().await.map_err(failed)? {
            if body.len() + bytes.len() > MOST {
                return Err(Error::malformed(format!(
                    "the sign-in service at {host} answered with more than 1 MiB"
                )));
            }
            body.extend_from_slice(&bytes);
        }
        Ok(Said {
            status,
            retry_after,
            body,
        })
    }
}

impl Said {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Never quotes what it could not read.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::malformed(format!(
                "the sign-in service's answer ({}) is not understood at line {}, column {}",
                self.status,
                error.line(),
                error.column()
            ))
            .with_status(self.status)
        })
    }

    /// The answer as an error; `secrets` are kept out of it.
    pub(crate) fn refusal(&self, step: Step, secrets: &[&str]) -> Error {
        refusal::error(self.status, &self.body, step, secrets)
    }

    /// The member `error` of a refusal.
    pub(crate) fn error_name(&self) -> Option<String> {
        refusal::name(&self.body)
    }
}
