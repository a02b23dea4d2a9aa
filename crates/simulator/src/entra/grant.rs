//! The token endpoint.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::app::{Resource, Wanted};
use super::authorize::Code;
use super::discovery::ANY;
use super::route::Request;
use super::token::{Subject, client_info};
use super::{App, Refused, State, Tenant, assertion, device};
use crate::server::Reply;

/// A refresh token is for one person and one app, and for every API that they consented to.
#[derive(Clone, Debug)]
pub(super) struct RefreshToken {
    pub tenant: Uuid,
    pub client: Uuid,
    pub user: Uuid,
    pub issued: i64,
    pub used: bool,
    /// The authorization code at the beginning.
    pub code: Option<String>,
}

/// For whom, and what, tokens are made.
pub(super) struct Issue<'a> {
    pub tenant: Uuid,
    pub client: Uuid,
    pub user: Uuid,
    pub scope: &'a str,
    /// The scope at the beginning of the sign-in.
    pub signed_in_with: &'a str,
    pub nonce: Option<&'a str>,
    pub code: Option<String>,
}

const NINETY_DAYS: i64 = 90 * 86_400;

pub(super) fn token(state: &mut State, request: &Request, tenant: &str) -> Result<Reply, Refused> {
    let grant = request.required("grant_type")?;
    let (client, _) = assertion::client(request)?;
    if !ANY.contains(&tenant) && state.tenant_named(tenant).is_none() {
        return Err(Refused::no_tenant(tenant));
    }
    let id = state
        .app(&client)
        .map(|app| app.id)
        .ok_or_else(|| Refused::no_app(&client, tenant))?;
    match grant {
        "client_credentials" => by_client(state, request, tenant, id),
        "authorization_code" => by_code(state, request, tenant, id),
        "refresh_token" => by_refresh(state, request, tenant, id),
        "device_code" | "urn:ietf:params:oauth:grant-type:device_code" => {
            device::redeem(state, request, tenant, id)
        }
        other => Err(Refused::new(
            "unsupported_grant_type",
            70_003,
            format!("The app requested an unsupported grant type '{other}'."),
        )),
    }
}

/// The app as it stands in a tenant.
fn principal<'a>(
    state: &'a State,
    tenant: &str,
    client: Uuid,
) -> Result<(&'a Tenant, &'a App), Refused> {
    let no_app = || Refused::no_app(&client.to_string(), tenant);
    let app = state
        .apps
        .iter()
        .find(|app| app.id == client)
        .ok_or_else(no_app)?;
    if ANY.contains(&tenant) {
        return Err(Refused::new(
            "invalid_request",
            50_059,
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        ));
    }
    let found = state
        .tenant_named(tenant)
        .ok_or_else(|| Refused::no_tenant(tenant))?;
    match found.principals.get(&client) {
        Some(own) if own.disabled => Err(Refused::new(
            "unauthorized_client",
            7_000_112,
            format!("Application '{client}'({}) is disabled.", app.name),
        )),
        Some(_) => Ok((found, app)),
        None if app.multi_tenant => Err(Refused::new(
            "unauthorized_client",
            7_000_229,
            format!(
                "The client application {client} is missing service principal in the tenant {}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
                found.id
            ),
        )),
        None => Err(no_app()),
    }
}

fn by_client(
    state: &mut State,
    request: &Request,
    tenant: &str,
    client: Uuid,
) -> Result<Reply, Refused> {
    principal(state, tenant, client)?;
    assertion::authenticate(state, request, tenant, client, true)?;
    let scope = request.required("scope")?;
    if !scope.ends_with("/.default") || scope.contains(' ') {
        return Err(Refused::new(
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    }
    let wanted =
        Wanted::parse(scope).map_err(|resource| Refused::no_resource(&resource, tenant))?;
    let (found, _) = principal(state, tenant, client)?;
    let own = &found.principals[&client];
    let roles = if wanted.resource == Resource::Graph {
        own.roles.clone()
    } else {
        BTreeSet::new()
    };
    let subject = Subject::Application {
        id: own.id,
        roles,
        managed: false,
    };
    let life = state.settings.token_life;
    let audience = wanted.audience.as_str();
    let token = state.access_token(found, client, (wanted.resource, audience), &subject, life);
    Ok(Reply::json(
        json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}),
    ))
}

fn by_code(
    state: &mut State,
    request: &Request,
    tenant: &str,
    client: Uuid,
) -> Result<Reply, Refused> {
    let text = request.required("code")?.to_owned();
    assertion::authenticate(state, request, tenant, client, false)?;
    let code = once(state, &text)?;
    meant_for(state, request, tenant, client, &code)?;
    check_verifier(&code, request.form.get("code_verifier"))?;
    let scope = request.form.get("scope").unwrap_or(&code.scope);
    let issue = Issue {
        tenant: code.tenant,
        client,
        user: code.user,
        scope,
        signed_in_with: &code.scope,
        nonce: code.nonce.as_deref(),
        code: Some(text),
    };
    issue.reply(state, request)
}

/// A code, which is good for one use.
fn once(state: &mut State, text: &str) -> Result<Code, Refused> {
    let malformed = || {
        Refused::new(
            "invalid_grant",
            9_002_313,
            "Invalid request. Request is malformed or invalid.",
        )
    };
    let code = state.codes.get_mut(text).ok_or_else(malformed)?;
    if code.used {
        // A second use means that somebody else has the code: what came of it ends.
        state
            .refresh_tokens
            .retain(|_, token| token.code.as_deref() != Some(text));
        return Err(Refused::new(
            "invalid_grant",
            54_005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        ));
    }
    code.used = true;
    Ok(code.clone())
}

/// Whether a code is still good, and for this app, tenant and address.
fn meant_for(
    state: &State,
    request: &Request,
    tenant: &str,
    client: Uuid,
    code: &Code,
) -> Result<(), Refused> {
    let refused =
        |number: u32, words: &'static str| Err(Refused::new("invalid_grant", number, words));
    if code.client != client {
        return refused(
            700_005,
            "Provided Authorization Code is intended to use against other tenant or application, thus rejected.",
        );
    }
    if code.expires <= state.now() {
        return refused(
            70_008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        );
    }
    if state
        .tenant_named(tenant)
        .is_some_and(|found| found.id != code.tenant)
    {
        return refused(
            700_005,
            "Provided Authorization Code is intended to use against other tenant, thus rejected.",
        );
    }
    let redirect = request.required("redirect_uri")?;
    if redirect != code.redirect {
        return Err(Refused::new(
            "invalid_client",
            500_112,
            format!(
                "The reply address '{redirect}' does not match the reply address '{}' provided when requesting Authorization code.",
                code.redirect
            ),
        ));
    }
    Ok(())
}

fn check_verifier(code: &Code, verifier: Option<&str>) -> Result<(), Refused> {
    let Some((challenge, hashed)) = &code.challenge else {
        return Ok(());
    };
    let Some(verifier) = verifier else {
        return Err(Refused::missing("code_verifier"));
    };
    let shown = if *hashed {
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
    } else {
        verifier.to_owned()
    };
    if shown == *challenge {
        return Ok(());
    }
    Err(Refused::new(
        "invalid_grant",
        501_481,
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ))
}

fn by_refresh(
    state: &mut State,
    request: &Request,
    tenant: &str,
    client: Uuid,
) -> Result<Reply, Refused> {
    let text = request.required("refresh_token")?.to_owned();
    assertion::authenticate(state, request, tenant, client, false)?;
    let token = state
        .refresh_tokens
        .get(&text)
        .ok_or_else(bad_grant)?
        .clone();
    let name = token.is_good(state, tenant, client)?;
    super::authorize::admit(state, &token.tenant.to_string(), client, &name)?;
    let scope = request.form.get("scope").unwrap_or("openid").to_owned();
    let issue = Issue {
        tenant: token.tenant,
        client,
        user: token.user,
        scope: &scope,
        signed_in_with: "offline_access",
        nonce: None,
        code: token.code,
    };
    let reply = issue.reply(state, request)?;
    if let Some(token) = state.refresh_tokens.get_mut(&text) {
        token.used = true;
    }
    Ok(reply)
}

fn bad_grant() -> Refused {
    Refused::new(
        "invalid_grant",
        70_000,
        "Provided grant is invalid or malformed.",
    )
    .with_suberror("bad_token")
}

impl RefreshToken {
    /// Whether the app may still use it at the tenant; the name of the person.
    fn is_good(&self, state: &State, tenant: &str, client: Uuid) -> Result<String, Refused> {
        if self.client != client || (self.used && state.settings.single_use_refresh) {
            return Err(bad_grant());
        }
        if state
            .tenant_named(tenant)
            .is_some_and(|found| found.id != self.tenant)
        {
            return Err(Refused::new(
                "invalid_grant",
                700_005,
                "Provided refresh token is intended to use against other tenant, thus rejected.",
            ));
        }
        let user = state
            .tenant(self.tenant)
            .and_then(|tenant| tenant.user_by_id(self.user))
            .ok_or_else(bad_grant)?;
        if self.issued < user.sessions_from {
            return Err(Refused::new(
                "invalid_grant",
                50_173,
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
            )
            .with_suberror("bad_token"));
        }
        if self.issued + NINETY_DAYS <= state.now() {
            return Err(Refused::new(
                "invalid_grant",
                700_082,
                "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00.",
            )
            .with_suberror("bad_token"));
        }
        Ok(user.upn().to_owned())
    }
}

impl Issue<'_> {
    /// The answer with the tokens that the request asks for.
    pub(super) fn reply(self, state: &mut State, request: &Request) -> Result<Reply, Refused> {
        let refresh = format!("1.A{}", state.ids.token());
        let (mut answer, wanted) = self.access(state, request)?;
        if self.is_asked(&wanted, "offline_access") {
            answer["refresh_token"] = json!(refresh);
            let token = RefreshToken {
                tenant: self.tenant,
                client: self.client,
                user: self.user,
                issued: state.now(),
                used: false,
                code: self.code,
            };
            state.refresh_tokens.insert(refresh, token);
        }
        Ok(Reply::json(answer))
    }

    /// The answer with all but the refresh token, and what was asked for.
    fn access(&self, state: &State, request: &Request) -> Result<(Value, Wanted), Refused> {
        let life = state.settings.token_life;
        let tenant = state.tenant(self.tenant).ok_or_else(bad_grant)?;
        let app = state.apps.iter().find(|app| app.id == self.client);
        let app = app.ok_or_else(bad_grant)?;
        let user = tenant.user_by_id(self.user).ok_or_else(bad_grant)?;
        let wanted = Wanted::parse(self.scope)
            .map_err(|resource| Refused::no_resource(&resource, &tenant.name))?;
        let (scopes, listed) = self.scopes(tenant, app, &wanted)?;
        let subject = Subject::Person { user, scopes };
        let resource = (wanted.resource, wanted.audience.as_str());
        let token = state.access_token(tenant, self.client, resource, &subject, life);
        let mut answer = json!({
            "token_type": "Bearer",
            "scope": listed.join(" "),
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": token,
        });
        if self.is_asked(&wanted, "openid") {
            let token = state.id_token(&request.base, tenant, app, user, self.nonce);
            answer["id_token"] = json!(token);
        }
        if request.form.get("client_info") == Some("1") {
            answer["client_info"] = Value::String(client_info(user, tenant));
        }
        Ok((answer, wanted))
    }

    /// What the sign-in asked for holds, though the request for tokens may name less.
    fn is_asked(&self, wanted: &Wanted, name: &str) -> bool {
        wanted.openid.contains(name)
            || self
                .signed_in_with
                .split_whitespace()
                .any(|own| own == name)
    }
}

impl Issue<'_> {
    /// The delegated permissions of the token, and as the answer lists them.
    fn scopes(
        &self,
        tenant: &Tenant,
        app: &App,
        wanted: &Wanted,
    ) -> Result<(Vec<String>, Vec<String>), Refused> {
        let granted = tenant.granted(self.client, self.user);
        if !wanted.delegated(app).is_subset(&granted) {
            return Err(Refused::needs_consent(app.id, &app.name));
        }
        // A token carries all that was granted for its resource, not only what this request names.
        let front = format!("{}/", wanted.resource.id());
        let mut scopes: Vec<String> = granted
            .iter()
            .filter_map(|scope| scope.strip_prefix(&front).map(str::to_owned))
            .collect();
        if scopes.is_empty() {
            scopes = wanted.openid.iter().cloned().collect();
        }
        let listed = if wanted.resource == Resource::Graph {
            scopes.iter().chain(&wanted.openid).cloned().collect()
        } else {
            let named = |scope: &String| format!("{}/{scope}", wanted.audience);
            scopes.iter().map(named).collect()
        };
        Ok((scopes, listed))
    }
}

impl Tenant {
    /// What was consented to for an app and a person, by whoever.
    pub(super) fn granted(&self, client: Uuid, user: Uuid) -> BTreeSet<String> {
        let Some(principal) = self.principals.get(&client) else {
            return BTreeSet::new();
        };
        let own = principal.by_person.get(&user).into_iter().flatten();
        principal.for_all.iter().chain(own).cloned().collect()
    }
}
