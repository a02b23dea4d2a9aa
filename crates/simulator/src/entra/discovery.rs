//! What clients ask before they sign in.

use serde_json::{Value, json};

use super::keys::TENANTS;
use super::route::Request;
use super::{Refused, State};
use crate::server::Reply;

/// Names that stand for any tenant.
pub(super) const ANY: [&str; 3] = ["common", "organizations", "consumers"];

/// `{tenant}/v2.0/.well-known/openid-configuration`.
pub(super) fn configuration(state: &State, base: &str, tenant: &str) -> Result<Reply, Refused> {
    let issuer = if ANY.contains(&tenant) {
        // The service really sends the placeholder: clients put the tenant of the token in.
        format!("{base}/{{tenantid}}/v2.0")
    } else {
        let found = state
            .tenant_named(tenant)
            .ok_or_else(|| Refused::no_tenant(tenant))?;
        format!("{base}/{}/v2.0", found.id)
    };
    let graph = if base.starts_with("https://login.") {
        "https://graph.microsoft.com".to_owned()
    } else {
        format!("{base}/graph.microsoft.com")
    };
    let at = |path: &str| format!("{base}/{tenant}/{path}");
    Ok(Reply::json(json!({
        "token_endpoint": at("oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic", "self_signed_tls_client_auth"],
        "jwks_uri": at("discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": format!("{graph}/oidc/userinfo"),
        "authorization_endpoint": at("oauth2/v2.0/authorize"),
        "device_authorization_endpoint": at("oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": at("oauth2/v2.0/logout"),
        "claims_supported": ["sub", "iss", "cloud_instance_name", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })))
}

/// `{tenant}/discovery/v2.0/keys`.
pub(super) fn keys(base: &str) -> Reply {
    Reply::json(json!({"keys": [TENANTS.document(&format!("{base}/{{tenantid}}/v2.0"))]}))
}

/// A cloud: the host under which clients keep its tokens, and all of its hosts, the one to talk to first.
type Cloud = (&'static str, &'static [&'static str]);

const CLOUDS: [Cloud; 3] = [
    (
        "login.windows.net",
        &[
            "login.microsoftonline.com",
            "login.windows.net",
            "login.microsoft.com",
            "sts.windows.net",
        ],
    ),
    (
        "login.partner.microsoftonline.cn",
        &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    ),
    (
        "login.microsoftonline.us",
        &["login.microsoftonline.us", "login.usgovcloudapi.net"],
    ),
];

/// `common/discovery/instance`: whether the authority that a client means is a real one.
pub(super) fn instance(request: &Request, tenant: &str) -> Result<Reply, Refused> {
    let asked = request.query.get("authorization_endpoint");
    let asked = asked.ok_or_else(|| Refused::missing("authorization_endpoint"))?;
    let host = |address: &str| {
        let (_, rest) = address.split_once("://")?;
        rest.split('/').next().map(str::to_lowercase)
    };
    let unknown = || {
        Refused::new(
            "invalid_instance",
            50_049,
            format!("Unknown or invalid instance. The authorization endpoint is '{asked}'."),
        )
    };
    let wanted = host(asked).ok_or_else(unknown)?;
    let is_real = CLOUDS
        .iter()
        .any(|(_, hosts)| hosts.contains(&wanted.as_str()));
    if !is_real && host(&request.base).as_ref() != Some(&wanted) {
        return Err(unknown());
    }
    let of = |cache: &str, hosts: &[&str]| json!({"preferred_network": hosts[0], "preferred_cache": cache, "aliases": hosts});
    let real = CLOUDS.iter().map(|(cache, hosts)| of(cache, hosts));
    let own = (!is_real).then(|| of(&wanted, &[&wanted]));
    let base = &request.base;
    Ok(Reply::json(json!({
        "tenant_discovery_endpoint": format!("{base}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": real.chain(own).collect::<Value>(),
    })))
}
