//! Where a request comes from, as logs, limits and sessions use it.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};

use crate::{ClientAddress, RequestId};

/// Address and program of whoever sends a request; in process there is no address.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientLine {
    pub(crate) address: Option<IpAddr>,
    pub(crate) agent: Option<String>,
    /// The id of the request.
    pub(crate) request: Option<String>,
}

/// Enough to tell one browser from another.
const AGENT: usize = 200;

impl ClientLine {
    fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let agent = headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        Self {
            address: extensions
                .get::<ClientAddress>()
                .map(|client| client.address),
            request: extensions.get::<RequestId>().map(|id| id.0.clone()),
            agent: agent.map(|agent| agent.chars().take(AGENT).collect()),
        }
    }

    pub(crate) fn of_request(request: &Request) -> Self {
        Self::of(request.headers(), request.extensions())
    }

    pub(crate) fn text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// What attempts are counted under: one who has an IPv6 network has all its addresses.
    pub(crate) fn network(&self) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Some(IpAddr::V4(address)) => address.to_string(),
            None => "local".to_owned(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for ClientLine {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers, &parts.extensions))
    }
}
