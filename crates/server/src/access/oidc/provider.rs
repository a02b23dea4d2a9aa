//! Identity providers, as an administrator sets them.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use model::Role;
use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::{AsyncHttpClient, ClientId, ClientSecret, IssuerUrl, RedirectUrl, http};
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
    /// `https://login.microsoftonline.com/TENANT/v2.0` for Entra ID; what `iss` of its tokens is, exactly. With `organizations` for the tenant, people
    /// of all `tenants` that are named come in.
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
    /// Which connectors a group reaches, by their names; `*` for all of them. Looked up at each sign-in: where any group is named here, who is
    /// in none of them reaches nothing. Whom an administrator has limited stays limited so.
    #[serde(default)]
    pub(crate) connectors: BTreeMap<String, BTreeSet<String>>,
    /// Ids of tenants (`tid`) whose people may come in; any when empty, which an issuer for many tenants does not allow.
    #[serde(default)]
    pub(crate) tenants: BTreeSet<String>,
    /// Domains of verified e-mail addresses whose people may come in; any when empty.
    #[serde(default)]
    pub(crate) domains: BTreeSet<String>,
    /// Grows with each change; sent back with one, it is refused when somebody else was faster. Absent to replace whatever is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i64>,
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
    let read = |(name, body, version): (String, String, i64)| {
        let read = |provider| Provider {
            version: Some(version),
            ..provider
        };
        let provider = serde_json::from_str(&body);
        provider
            .map(|provider| (name, read(provider)))
            .map_err(|error| {
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
        if self.many_tenants().is_some() && self.tenants.is_empty() {
            return Err(Problem::field(
                "/tenants",
                "an issuer for the people of all organizations needs the ids of the tenants that may come in",
            ));
        }
        if self.client_id.is_empty() {
            return Err(Problem::field("/client_id", "empty"));
        }
        Ok(())
    }

    /// What comes before and after the tenant in the issuer of tokens, where there are many: the document says it with a placeholder.
    fn many_tenants(&self) -> Option<(&str, &str)> {
        let each = ["/organizations/", "/common/"].into_iter();
        let mut parts = each.filter_map(|place| self.issuer.split_once(place));
        parts.next()
    }

    pub(super) fn has_many_tenants(&self) -> bool {
        self.many_tenants().is_some()
    }

    /// Whether tokens of this tenant's people say that they come from there.
    pub(super) fn is_issuer(&self, issuer: &str, tenant: Option<&str>) -> bool {
        match (self.many_tenants(), tenant) {
            (None, _) => issuer == self.issuer,
            (Some((before, after)), Some(tenant)) => {
                !tenant.is_empty() && issuer == format!("{before}/{tenant}/{after}")
            }
            (Some(_), None) => false,
        }
    }

    /// What the provider says about itself. One for many tenants names none of them. An error is told to the log alone.
    async fn metadata<C>(&self, web: &C) -> Result<CoreProviderMetadata, String>
    where
        C: for<'c> AsyncHttpClient<'c>,
    {
        fn told(error: impl std::fmt::Display) -> String {
            error.to_string()
        }
        let Some((before, after)) = self.many_tenants() else {
            let issuer = IssuerUrl::new(self.issuer.clone()).map_err(told)?;
            let found = CoreProviderMetadata::discover_async(issuer, web).await;
            return found.map_err(told);
        };
        let request = http::Request::get(format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        ));
        let request = request.body(Vec::new()).map_err(told)?;
        let answer = web.call(request).await.map_err(told)?;
        let metadata: CoreProviderMetadata = serde_json::from_slice(answer.body()).map_err(told)?;
        if metadata.issuer().as_str() != format!("{before}/{{tenantid}}/{after}") {
            return Err("the document is of another issuer".to_owned());
        }
        let keys = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), web).await;
        Ok(metadata.set_jwks(keys.map_err(told)?))
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

    /// What the groups reach together: `None` where they do not decide, else as an account has it.
    pub(crate) fn reach_of(&self, groups: &[String]) -> Option<Option<BTreeSet<String>>> {
        if self.connectors.is_empty() {
            return None;
        }
        let given = groups
            .iter()
            .filter_map(|group| self.connectors.get(group))
            .flatten();
        let reached: BTreeSet<String> = given.map(|name| name.to_lowercase()).collect();
        Some((!reached.contains("*")).then_some(reached))
    }

    /// A client, from what the provider says about itself: with `recent` what it said a moment ago is good enough. Anybody can begin to sign in,
    /// and is to make us ask nobody by that; who comes back is proved with the keys of this moment.
    pub(super) async fn client(
        &self,
        server: &Server,
        name: &str,
        recent: bool,
    ) -> Result<Oidc, Problem> {
        let away = |error: &dyn std::fmt::Display| {
            tracing::warn!(%error, provider = name, "an identity provider does not answer as it should");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "identity-provider-away",
                "the identity provider does not answer as it should; the server's log says why",
            )
        };
        let (control, said) = (&server.control, &server.access.said);
        let now = control.clock.now();
        let known = said.recent(&self.issuer, now).filter(|_| recent);
        let metadata = if let Some(metadata) = known {
            metadata
        } else {
            let web = server.access.web.client(&server.egress()).await;
            let web = web.map_err(|error| away(&error))?;
            let metadata = self.metadata(&web).await.map_err(|error| away(&error))?;
            said.keep(&self.issuer, &metadata, now);
            metadata
        };
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
