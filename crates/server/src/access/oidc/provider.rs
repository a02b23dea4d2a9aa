//! Identity providers, as an administrator sets them.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use model::Role;
use openidconnect::core::CoreProviderMetadata;
use openidconnect::{ClientId, ClientSecret, IssuerUrl, RedirectUrl};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::Oidc;
use crate::{Problem, Server};

/// An identity provider.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// On the button of the sign-in page.
    pub(crate) title: String,
    /// `https://login.microsoftonline.com/TENANT/v2.0` for Entra ID; what `iss` of its tokens is, exactly.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    /// Beyond `openid`.
    #[serde(default = "usual_scopes")]
    pub(crate) scopes: Vec<String>,
    /// The claim that lists groups or app roles.
    #[serde(default = "usual_claim")]
    pub(crate) groups_claim: String,
    /// Which roles a group gives; looked up at each sign-in.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Vec<String>>)]
    pub(crate) roles: BTreeMap<String, BTreeSet<Role>>,
    /// What somebody is who is in none of the groups; empty to keep them out.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) default_roles: BTreeSet<Role>,
    /// Ids of tenants (`tid`) whose people may come in; any when empty.
    #[serde(default)]
    pub(crate) tenants: BTreeSet<String>,
    /// Domains of verified e-mail addresses whose people may come in; any when empty.
    #[serde(default)]
    pub(crate) domains: BTreeSet<String>,
}

fn usual_scopes() -> Vec<String> {
    vec!["profile".to_owned(), "email".to_owned()]
}

fn usual_claim() -> String {
    "groups".to_owned()
}

/// The name of a provider's client secret in the vault.
pub(crate) fn secret_name(provider: &str) -> String {
    format!("identity-provider/{provider}")
}

/// Those that are set, by name.
pub(crate) async fn providers(server: &Server) -> Result<Vec<(String, Provider)>, Problem> {
    let stored = server.control.catalog.identity_providers().await?;
    let read = |(name, body): (String, String)| {
        let provider = serde_json::from_str(&body);
        provider.map(|provider| (name, provider)).map_err(|error| {
            tracing::error!(%error, "the settings of an identity provider cannot be read");
            Problem::of(StatusCode::INTERNAL_SERVER_ERROR)
        })
    };
    stored.into_iter().map(read).collect()
}

pub(crate) async fn provider(server: &Server, name: &str) -> Result<Provider, Problem> {
    let found = providers(server)
        .await?
        .into_iter()
        .find(|(known, _)| known == name);
    found.map(|(_, provider)| provider).ok_or_else(|| {
        Problem::not_found(
            "identity-provider-unknown",
            "there is no identity provider of this name",
        )
    })
}

impl Provider {
    /// Refuses what cannot work. An issuer is reached over TLS, or on this machine.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let issuer =
            Url::parse(&self.issuer).map_err(|_| Problem::field("/issuer", "no address"))?;
        let near = matches!(issuer.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if issuer.scheme() != "https" && !(issuer.scheme() == "http" && near) {
            return Err(Problem::field("/issuer", "it does not begin with https://"));
        }
        if issuer.query().is_some() || !issuer.username().is_empty() || issuer.password().is_some()
        {
            return Err(Problem::field("/issuer", "it holds a query or a user"));
        }
        if self.client_id.is_empty() {
            return Err(Problem::field("/client_id", "empty"));
        }
        Ok(())
    }

    /// What somebody in these groups is.
    pub(crate) fn roles_of(&self, groups: &[String]) -> BTreeSet<Role> {
        let given = groups.iter().filter_map(|group| self.roles.get(group));
        let roles: BTreeSet<Role> = given.flatten().copied().collect();
        if roles.is_empty() {
            self.default_roles.clone()
        } else {
            roles
        }
    }

    /// A client, from what the provider says about itself at this moment.
    pub(super) async fn client(&self, server: &Server, name: &str) -> Result<Oidc, Problem> {
        let away = |error: &dyn std::fmt::Display| {
            tracing::warn!(%error, provider = name, "an identity provider does not answer as it should");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "identity-provider-away",
                "the identity provider does not answer as it should; the server's log says why",
            )
        };
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| away(&error))?;
        let web = server
            .access
            .web
            .client()
            .await
            .map_err(|error| away(&error))?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &web)
            .await
            .map_err(|error| away(&error))?;
        let control = &server.control;
        let secret = control
            .catalog
            .get_credential(&control.kek, &secret_name(name))
            .await?;
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let client =
            Oidc::from_provider_metadata(metadata, ClientId::new(self.client_id.clone()), secret);
        let back = RedirectUrl::new(callback(server, name)?).map_err(|error| away(&error))?;
        Ok(client.set_redirect_uri(back))
    }
}

/// Where a provider sends people back to; it is registered there.
pub(crate) fn callback(server: &Server, name: &str) -> Result<String, Problem> {
    let public = server.options.public_url.as_ref().ok_or_else(|| {
        Problem::refused(
            "public-url-missing",
            "the server does not know at which address people reach it",
        )
    })?;
    let base = public.as_str().trim_end_matches('/');
    let name = service::http::segment(name);
    Ok(format!("{base}/api/v1/sign-in/{name}/callback"))
}
