//! A request after routing: which organization, project, team and resource it names, and who sent it.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ApiError, Query};
use crate::auth::Identity;

/// The service that a Host header names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HostKind {
    /// Not a real name: every area is served on one base URL.
    Any,
    /// `dev.azure.com` or `{org}.visualstudio.com`.
    Dev,
    /// `vssps.`: identities, graph, profile.
    Sps,
    /// `vsaex.`: entitlements.
    Aex,
    /// Another host of the service.
    Other,
}

/// One request of the REST interface.
pub(crate) struct Call {
    pub method: Method,
    pub host: HostKind,
    pub organization: String,
    /// Id or name, percent-decoded.
    pub project: Option<String>,
    /// Id or name, between the project and `_apis`.
    pub team: Option<String>,
    /// After `_apis`, percent-decoded, as sent: compare resource names without regard to case.
    pub segments: Vec<String>,
    pub query: Query,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub identity: Identity,
    /// `scheme://authority/organization` as the caller sees it, for URLs in answers.
    pub base: String,
    /// The path as sent, from after the organization on.
    pub path: String,
    /// The `api-version` of the query or the Accept header.
    pub version: Option<ApiVersion>,
}

impl Call {
    /// Segments in lowercase, for matching on resource names.
    pub(crate) fn lower(&self) -> Vec<String> {
        self.segments
            .iter()
            .map(|segment| segment.to_lowercase())
            .collect()
    }

    /// What is only read takes no other method.
    pub(crate) fn only_read(&self) -> Result<(), ApiError> {
        if matches!(self.method, Method::GET | Method::HEAD) {
            return Ok(());
        }
        Err(ApiError::method_not_allowed(self))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let sent = self.header("content-type").unwrap_or("json");
        if !sent.to_ascii_lowercase().contains("json") {
            let taken = "application/json, application/json-patch+json";
            return Err(ApiError::content_type(self, sent, taken));
        }
        serde_json::from_slice(&self.body).map_err(|error| ApiError::unbound(error.to_string()))
    }

    /// The body as JSON; `null` if there is none.
    pub(crate) fn value(&self) -> Result<Value, ApiError> {
        if self.body.is_empty() {
            Ok(Value::Null)
        } else {
            self.json()
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A request below `/_git/{repository}`.
pub(crate) struct GitRequest {
    pub organization: String,
    /// Absent for `/{organization}/_git/{repository}`, where the project has the name of the repository.
    pub project: Option<String>,
    /// Id or name, percent-decoded; without `_full` or `_optimized`.
    pub repository: String,
    pub variant: GitVariant,
    /// After the repository, as `["info", "refs"]`.
    pub rest: Vec<String>,
    pub query: Query,
    pub identity: Identity,
    pub base: String,
    /// Headers, method and the body, which is not read yet.
    pub request: axum::extract::Request,
}

/// Which refs `_git/_optimized` and `_git/_full` ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum GitVariant {
    Plain,
    Full,
    Optimized,
}

/// As `7.1`, `7.2-preview` or `7.2-preview.3`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ApiVersion {
    pub major: u32,
    pub minor: u32,
    pub preview: bool,
    pub resource: Option<u32>,
}

impl ApiVersion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, preview) = text
            .trim()
            .split_once("-preview")
            .map_or((text.trim(), None), |(number, rest)| (number, Some(rest)));
        let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
        let resource = match preview {
            None | Some("") => None,
            Some(rest) => Some(rest.strip_prefix('.')?.parse().ok()?),
        };
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
            preview: preview.is_some(),
            resource,
        })
    }

    pub(crate) fn number(&self) -> (u32, u32) {
        (self.major, self.minor)
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match (self.preview, self.resource) {
            (true, Some(resource)) => write!(f, "-preview.{resource}"),
            (true, None) => write!(f, "-preview"),
            (false, _) => Ok(()),
        }
    }
}
