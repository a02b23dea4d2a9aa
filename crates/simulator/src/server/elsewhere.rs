//! Requests that are not for an organization: Entra ID, managed identities, Microsoft Graph, the profile service.

use axum::extract::Request;
use axum::http::header;
use percent_encoding::percent_decode_str;

use super::route::{App, BODY_LIMIT};
use super::{ApiError, Reply};
use crate::entra::keys::Token;
use crate::{entra, graph, profile};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Service {
    Entra,
    Graph,
    Profile,
}

/// What the address of such a request says.
pub(super) struct Elsewhere {
    pub service: Service,
    /// What the path comes after, as the caller sees it.
    base: String,
    /// Percent-decoded; empty ones are left out, since some clients send two slashes.
    segments: Vec<String>,
    /// Tenant, as far as the request tells.
    pub tenant: String,
}

fn service(host: &str) -> Option<Service> {
    match host {
        "login.microsoftonline.com"
        | "login.microsoft.com"
        | "login.windows.net"
        | "sts.windows.net"
        | "login.microsoftonline.us"
        | "login.chinacloudapi.cn"
        | "login.partner.microsoftonline.cn"
        | "169.254.169.254" => Some(Service::Entra),
        "graph.microsoft.com"
        | "graph.microsoft.us"
        | "dod-graph.microsoft.us"
        | "microsoftgraph.chinacloudapi.cn" => Some(Service::Graph),
        "app.vssps.visualstudio.com" => Some(Service::Profile),
        other if other.ends_with(".sharepoint.com") => Some(Service::Graph),
        _ => None,
    }
}

impl Elsewhere {
    /// Real host names, the same names as first segment on the bare port, and the paths of these services on it.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let text = |name: &str| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let host = text(header::HOST.as_str()).unwrap_or("127.0.0.1");
        let name = host
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let mut segments: Vec<String> = request
            .uri()
            .path()
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let (service, base) = if let Some(found) = service(&name) {
            let scheme = if name.starts_with("169.") {
                "http"
            } else {
                "https"
            };
            (found, format!("{scheme}://{host}"))
        } else {
            let base = format!("{}://{host}", text("x-forwarded-proto").unwrap_or("http"));
            let first = segments.first()?.clone();
            if let Some(found) = service(&first.to_ascii_lowercase()) {
                segments.remove(0);
                (found, format!("{base}/{first}"))
            } else if graph::belongs_here(&segments) {
                (Service::Graph, base)
            } else if profile::belongs_here(&segments) {
                (Service::Profile, base)
            } else if entra::belongs_here(&segments) {
                (Service::Entra, base)
            } else {
                return None;
            }
        };
        let tenant = match service {
            Service::Entra => segments.first().cloned().unwrap_or_default(),
            _ => text(header::AUTHORIZATION.as_str())
                .and_then(|value| Token::parse(value.split_once(' ')?.1))
                .map(|token| token.claim("tid").to_owned())
                .unwrap_or_default(),
        };
        Some(Self {
            service,
            base,
            segments,
            tenant,
        })
    }

    /// Kind and template for the ledger.
    pub(super) fn describe(&self) -> (&'static str, String) {
        match self.service {
            Service::Entra => (
                "entra",
                self.segments.get(1..).unwrap_or_default().join("/"),
            ),
            Service::Profile => ("other", self.segments.join("/")),
            Service::Graph => graph::Request::describe(&self.segments),
        }
    }

    pub(super) async fn answer(self, app: &App, request: Request) -> Reply {
        let (parts, body) = request.into_parts();
        let body = match axum::body::to_bytes(body, BODY_LIMIT).await {
            Ok(body) => body,
            Err(error) => return ApiError::bad_body(error).into_reply(),
        };
        let query = parts.uri.query().unwrap_or_default();
        match self.service {
            Service::Entra => {
                let request = entra::Request::new(
                    parts.method,
                    self.base,
                    self.segments,
                    query,
                    parts.headers,
                    &body,
                );
                entra::answer(&app.world, &request)
            }
            Service::Profile => profile::answer(
                &app.world,
                &parts.method,
                &self.segments,
                query,
                &parts.headers,
            )
            .unwrap_or_else(|reply| *reply),
            Service::Graph => {
                let request = graph::Request::new(
                    parts.method,
                    self.base,
                    self.segments,
                    query,
                    &parts.headers,
                    body,
                );
                graph::answer(&app.world, &request)
            }
        }
    }
}
