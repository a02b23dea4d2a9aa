//! The machine's own identity: the metadata service of virtual machines, or the endpoint that App Service gives to its processes.

use std::time::Duration;

use model::{Class, ManagedIdentity};
use reqwest::Url;

use super::Core;
use super::cloud::Cloud;
use super::refusal::plain;
use super::token::Tokens;
use super::wire::Said;
use crate::{Error, Result};

/// How often it is asked while it is busy or being updated.
const ATTEMPTS: u32 = 5;
/// An update of the metadata service takes up to 70 seconds, at pauses of one second.
const UPDATE: u32 = 70;

/// A token for a resource. Only the platform's own addresses are asked, and never through a proxy.
pub(crate) async fn token(
    core: &Core,
    cloud: &Cloud,
    identity: &ManagedIdentity,
    resource: &str,
) -> Result<Tokens> {
    let mut attempt = 1;
    loop {
        let said = ask(core, cloud, identity, resource).await?;
        if said.is_success() {
            return Tokens::read(&said);
        }
        let pause = match said.status {
            410 if attempt <= UPDATE => core.pause,
            404 | 429 | 500..=599 if attempt < ATTEMPTS => core.pause * (1 << (attempt - 1)),
            _ => return Err(refused(&said)),
        };
        let longest = core.pause * UPDATE;
        tokio::time::sleep(
            said.retry_after
                .unwrap_or(Duration::ZERO)
                .clamp(pause, longest),
        )
        .await;
        attempt += 1;
    }
}

async fn ask(
    core: &Core,
    cloud: &Cloud,
    identity: &ManagedIdentity,
    resource: &str,
) -> Result<Said> {
    let (mut url, version, header) = match &cloud.app_service {
        Some(app) => (
            app.endpoint.clone(),
            "2019-08-01",
            ("x-identity-header", app.header.expose()),
        ),
        None => (metadata(cloud)?, "2018-02-01", ("metadata", "true")),
    };
    url.query_pairs_mut()
        .append_pair("api-version", version)
        .append_pair("resource", resource);
    if let ManagedIdentity::User { client_id } = identity {
        url.query_pairs_mut().append_pair("client_id", client_id);
    }
    core.wire.near(url, header).await.map_err(|error| {
        let unavailable = plain("identity-unavailable");
        match error.class {
            Class::Transient => unavailable.caused_by(error),
            _ => error,
        }
    })
}

fn metadata(cloud: &Cloud) -> Result<Url> {
    let base = cloud.imds.as_str().trim_end_matches('/');
    Url::parse(&format!("{base}/metadata/identity/oauth2/token"))
        .map_err(|error| Error::malformed(format!("cloud {}: {error}", cloud.name)))
}

/// Other refusals of the 400 range say that the identity is not assigned.
fn refused(said: &Said) -> Error {
    let mut error = plain("identity-unavailable").with_status(said.status);
    if matches!(said.status, 404 | 410 | 429 | 500..=599) {
        error.class = Class::Transient;
    }
    let name = said.error_name().unwrap_or_default();
    let hint = error.hint.clone().unwrap_or_default();
    error.hinted(format!("{hint} (It answered {} {name})", said.status).replace(" )", ")"))
}
