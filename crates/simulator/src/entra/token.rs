//! The contents of tokens, and what the services read from them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::app::Resource;
use super::keys::{TENANTS, Token};
use super::{App, State, Tenant, User};

/// For whom a token is.
pub(crate) enum Subject<'a> {
    Person {
        user: &'a User,
        /// Names of delegated permissions without the resource.
        scopes: Vec<String>,
    },
    /// An app or a managed identity itself.
    Application {
        id: Uuid,
        roles: BTreeSet<String>,
        /// A managed identity.
        managed: bool,
    },
}

impl State {
    /// An access token. Clients must not read it; the services here do.
    pub(crate) fn access_token(
        &self,
        tenant: &Tenant,
        client: Uuid,
        wanted: (Resource, &str),
        subject: &Subject<'_>,
        life: i64,
    ) -> String {
        let now = self.now();
        let (resource, audience) = wanted;
        let mut claims = json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{}/", tenant.id),
            "iat": now, "nbf": now, "exp": now + life,
            "appid": client,
            "tid": tenant.id,
            "uti": unique(now, client),
            "ver": "1.0",
        });
        if resource == Resource::Exchange {
            claims["aud"] = json!(resource.id());
            claims["iss"] = json!(tenant.issuer());
            claims["azp"] = json!(client);
            claims["ver"] = json!("2.0");
        }
        match subject {
            Subject::Person { user, scopes } => {
                claims["oid"] = json!(user.id);
                claims["sub"] = json!(pairwise(user.id, client));
                claims["idtyp"] = json!("user");
                claims["name"] = json!(user.name());
                claims["upn"] = json!(user.upn());
                claims["unique_name"] = json!(user.upn());
                claims["scp"] = json!(scopes.join(" "));
            }
            Subject::Application { id, roles, managed } => {
                claims["oid"] = json!(id);
                claims["sub"] = json!(id);
                claims["idtyp"] = json!("app");
                claims["idp"] = claims["iss"].clone();
                if !roles.is_empty() {
                    claims["roles"] = json!(roles);
                }
                if *managed {
                    claims["xms_mirid"] = json!(format!(
                        "/subscriptions/8f1c6d6e-0000-4000-8000-000000000001/resourcegroups/backup/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{client}"
                    ));
                }
            }
        }
        TENANTS.sign(&claims)
    }

    pub(crate) fn id_token(
        &self,
        base: &str,
        tenant: &Tenant,
        app: &App,
        user: &User,
        nonce: Option<&str>,
    ) -> String {
        let now = self.now();
        let mut claims = json!({
            "aud": app.id,
            "iss": format!("{base}/{}/v2.0", tenant.id),
            "iat": now, "nbf": now, "exp": now + self.settings.token_life,
            "name": user.name(),
            "preferred_username": user.upn(),
            "email": user.properties.get("mail").cloned().unwrap_or_default(),
            "oid": user.id,
            "sub": pairwise(user.id, app.id),
            "tid": tenant.id,
            "uti": unique(now, user.id),
            "ver": "2.0",
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        if app.group_claims {
            claims["groups"] = json!(tenant.directory.groups_of(user.id));
        }
        TENANTS.sign(&claims)
    }

    /// Reads an access token for one of the services.
    pub(crate) fn accept(&self, text: &str, resource: Resource) -> Result<Bearer, BadToken> {
        let token = Token::parse(text).ok_or(BadToken::Malformed)?;
        if !TENANTS.verifies(&token) {
            return Err(BadToken::Signature);
        }
        if Resource::named(token.claim("aud")) != Some(resource) {
            return Err(BadToken::Audience);
        }
        let now = self.now();
        if token.number("exp").is_none_or(|expires| expires <= now) {
            return Err(BadToken::Expired);
        }
        let id = |name: &str| Uuid::parse_str(token.claim(name)).map_err(|_| BadToken::Malformed);
        let words = |value: &Value| -> BTreeSet<String> {
            match value {
                Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
                Value::Array(list) => list
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
                _ => BTreeSet::new(),
            }
        };
        Ok(Bearer {
            tenant: id("tid")?,
            subject: id("oid")?,
            client: id("appid")?,
            person: token.claim("idtyp") == "user",
            permissions: if token.claim("idtyp") == "user" {
                words(&token.claims["scp"])
            } else {
                words(&token.claims["roles"])
            },
        })
    }
}

/// Why an access token is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadToken {
    Malformed,
    Signature,
    Audience,
    Expired,
}

impl BadToken {
    /// In the words of Microsoft Graph.
    pub(crate) fn in_graph(self) -> &'static str {
        match self {
            Self::Malformed => "CompactToken parsing failed with error code: 80049217",
            Self::Signature => "Access token validation failure. Invalid signature.",
            Self::Audience => "Access token validation failure. Invalid audience.",
            Self::Expired => "Lifetime validation failed, the token is expired.",
        }
    }
}

/// What a valid access token says.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    pub tenant: Uuid,
    /// The object id of the person or of the app in the tenant.
    pub subject: Uuid,
    pub client: Uuid,
    pub person: bool,
    /// Delegated scopes of a person, roles of an app.
    pub permissions: BTreeSet<String>,
}

/// The subject by which one app knows a person.
pub(crate) fn pairwise(user: Uuid, client: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{user}{client}")))
}

/// Tokens issued within one second differ.
fn unique(now: i64, id: Uuid) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    URL_SAFE_NO_PAD.encode(&Sha256::digest(format!("{now} {id} {count}"))[..16])
}

/// `{"uid","utid"}` in base64url, as token answers carry it.
pub(crate) fn client_info(user: &User, tenant: &Tenant) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": user.id, "utid": tenant.id}).to_string())
}
