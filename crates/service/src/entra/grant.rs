//! One access token, asked for in the way that the sign-in says.

use jiff::Timestamp;
use model::{App, ManagedIdentity, Secret, SignIn};
use reqwest::Url;
use tokio::io::AsyncReadExt as _;

use super::cloud::Cloud;
use super::refusal::{Step, plain};
use super::store::{AppProof, CredentialStore};
use super::token::{AccessToken, Tokens};
use super::{Core, assertion, machine};
use crate::{Error, Result};

/// Bytes of the largest file that is taken for one.
const LONGEST_TOKEN: u64 = 64 << 10;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What goes into a form to the token endpoint beside the grant's own members.
pub(crate) struct Request<'a> {
    pub(crate) cloud: &'a Cloud,
    pub(crate) app: &'a App,
    pub(crate) step: Step,
}

impl Request<'_> {
    /// `secrets` of the form are kept out of errors.
    pub(crate) async fn send(
        &self,
        core: &Core,
        form: &[(&str, &str)],
        proof: &[(&'static str, Secret)],
        secrets: &[&str],
    ) -> Result<Tokens> {
        let url = self.cloud.token_endpoint(&self.app.tenant)?;
        let mut all = vec![("client_id", self.app.client_id.as_str())];
        all.extend_from_slice(form);
        all.extend(proof.iter().map(|(name, secret)| (*name, secret.expose())));
        let said = core.wire.post(&url, &all).await?;
        if said.is_success() {
            return Tokens::read(&said);
        }
        let hidden: Vec<&str> = proof
            .iter()
            .map(|(_, secret)| secret.expose())
            .chain(secrets.iter().copied())
            .filter(|secret| *secret != ASSERTION)
            .collect();
        Err(said.refusal(self.step, &hidden))
    }
}

/// The members that prove the application.
pub(crate) fn prove(
    proof: &AppProof,
    client_id: &str,
    endpoint: &Url,
    now: Timestamp,
) -> Result<Vec<(&'static str, Secret)>> {
    Ok(match proof {
        AppProof::Secret(secret) => vec![("client_secret", secret.clone())],
        AppProof::Certificate(pem) => {
            asserted(assertion::sign(pem, client_id, endpoint.as_str(), now)?)
        }
    })
}

fn asserted(assertion: Secret) -> Vec<(&'static str, Secret)> {
    vec![
        ("client_assertion_type", Secret::new(ASSERTION)),
        ("client_assertion", assertion),
    ]
}

/// A new access token for a scope that ends in `/.default`.
pub(crate) async fn obtain(
    core: &Core,
    sign_in: &SignIn,
    store: &dyn CredentialStore,
    scope: &str,
) -> Result<AccessToken> {
    let asked = core.clock.now();
    let tokens = match sign_in {
        SignIn::Pat { .. } => {
            return Err(Error::malformed(
                "a personal access token is sent as it is and never exchanged",
            ));
        }
        SignIn::User { app, .. } => refresh(core, app, store, scope).await?,
        SignIn::ClientSecret { app } => {
            let proof = AppProof::Secret(secret(store).await?);
            application(core, app, &proof, scope).await?
        }
        SignIn::Certificate { app } => {
            let proof = AppProof::Certificate(secret(store).await?);
            application(core, app, &proof, scope).await?
        }
        SignIn::ManagedIdentity { cloud, identity } => {
            let cloud = core.clouds.find(cloud)?;
            let resource = scope.strip_suffix("/.default").unwrap_or(scope);
            machine::token(core, cloud, identity, resource).await?
        }
        SignIn::FederatedIdentity { app, identity } => {
            let assertion = federated(core, app, identity).await?;
            credentials(core, app, Step::Federation, asserted(assertion), scope).await?
        }
        SignIn::WorkloadIdentity { app, token_file } => {
            let assertion = projected(token_file).await?;
            credentials(core, app, Step::Federation, asserted(assertion), scope).await?
        }
    };
    tokens.access(asked)
}

async fn secret(store: &dyn CredentialStore) -> Result<Secret> {
    store
        .load()
        .await?
        .ok_or_else(|| plain("token-not-configured"))
}

/// Exchanges the refresh token. The one that replaces it is kept before anything else is done: the old one may be worthless already.
async fn refresh(
    core: &Core,
    app: &App,
    store: &dyn CredentialStore,
    scope: &str,
) -> Result<Tokens> {
    let used = secret(store).await?;
    let tokens = match exchange(core, app, store, &used, scope).await {
        Err(error) if error.code == "token-expired" => {
            // Another process may have exchanged it meanwhile.
            let newer = secret(store).await?;
            if newer.expose() == used.expose() {
                return Err(error);
            }
            exchange(core, app, store, &newer, scope).await?
        }
        other => other?,
    };
    if let Some(replacement) = &tokens.refresh_token
        && replacement != used.expose()
    {
        store
            .replace(Secret::new(replacement.as_str()))
            .await
            .map_err(|error| {
                let mut unkept = plain("token-not-kept");
                unkept.class = model::Class::Storage;
                unkept.message = format!("{}: {}", unkept.message, error.message);
                unkept.caused_by(error)
            })?;
    }
    Ok(tokens)
}

async fn exchange(
    core: &Core,
    app: &App,
    store: &dyn CredentialStore,
    token: &Secret,
    scope: &str,
) -> Result<Tokens> {
    let cloud = core.clouds.find(&app.cloud)?;
    let proof = match store.app_proof().await? {
        Some(proof) => prove(
            &proof,
            &app.client_id,
            &cloud.token_endpoint(&app.tenant)?,
            core.clock.now(),
        )?,
        None => Vec::new(),
    };
    let scope = with_refresh(scope);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose()),
        ("scope", scope.as_str()),
    ];
    let request = Request {
        cloud,
        app,
        step: Step::Refresh,
    };
    request.send(core, &form, &proof, &[token.expose()]).await
}

/// Asks for an identity token and a refresh token too.
pub(crate) fn with_refresh(scope: &str) -> String {
    format!("{scope} offline_access openid profile")
}

async fn application(core: &Core, app: &App, proof: &AppProof, scope: &str) -> Result<Tokens> {
    let cloud = core.clouds.find(&app.cloud)?;
    let endpoint = cloud.token_endpoint(&app.tenant)?;
    let proof = prove(proof, &app.client_id, &endpoint, core.clock.now())?;
    credentials(core, app, Step::Application, proof, scope).await
}

async fn credentials(
    core: &Core,
    app: &App,
    step: Step,
    proof: Vec<(&'static str, Secret)>,
    scope: &str,
) -> Result<Tokens> {
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    let cloud = core.clouds.find(&app.cloud)?;
    let request = Request { cloud, app, step };
    request.send(core, &form, &proof, &[]).await
}

/// The machine's token as the proof of an application, which may act in another tenant.
async fn federated(core: &Core, app: &App, identity: &ManagedIdentity) -> Result<Secret> {
    let cloud = core.clouds.find(&app.cloud)?;
    let tokens = machine::token(core, cloud, identity, &cloud.exchange).await?;
    Ok(tokens.clear())
}

/// The platform replaces the file within the hour: it is read each time. Whoever names it may name any file of this machine, so that nothing but
/// a token is sent anywhere, and no file is read without an end. Which files there are is told to the log alone.
async fn projected(path: &str) -> Result<Secret> {
    match token_in(path).await {
        Ok(token) => Ok(token),
        Err(error) => {
            tracing::warn!(%error, path, "a token file is of no use");
            let mut missing = plain("identity-unavailable");
            missing.message = format!(
                "{path} is no file that holds a token; the log of the machine that it was looked for on says more"
            );
            Err(missing)
        }
    }
}

async fn token_in(path: &str) -> std::io::Result<Secret> {
    use std::io::{Error, ErrorKind};
    // Opening a pipe would wait for its other end.
    if !tokio::fs::metadata(path).await?.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is no file"));
    }
    let file = tokio::fs::File::open(path).await?;
    let mut text = String::new();
    file.take(LONGEST_TOKEN).read_to_string(&mut text).await?;
    let text = text.trim();
    if !is_token(text) {
        return Err(Error::new(ErrorKind::InvalidData, "it holds no token"));
    }
    Ok(Secret::new(text))
}

/// Three parts in base64url with dots between them (RFC 7515, section 7.1).
fn is_token(text: &str) -> bool {
    let encoded = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.split('.').count() == 3 && text.split('.').all(encoded)
}
