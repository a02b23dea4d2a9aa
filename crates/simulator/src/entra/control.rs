//! `/__entra/…`: what a test or a person does in the portal, or on another device.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::app::{Federation, Resource, Secret};
use super::keys::{Certificate, PLATFORM};
use super::machine::Identity;
use super::tenant::{DeviceFlow, Principal};
use super::token::Subject;
use super::{App, Refused, State, device, seed};
use crate::server::{ApiError, Reply};

/// Reads the members of a request.
struct Sent<'a>(&'a Value);

impl Sent<'_> {
    fn text(&self, name: &str) -> Result<&str, ApiError> {
        self.0[name]
            .as_str()
            .ok_or_else(|| ApiError::bad_body(format!("the member {name} is missing")))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.0[name].as_bool()
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.0[name].as_i64()
    }

    fn list(&self, name: &str) -> Option<Vec<String>> {
        let list = self.0[name].as_array()?;
        Some(
            list.iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        )
    }
}

fn unknown(what: &str, name: &str) -> ApiError {
    ApiError::bad_request(format!("there is no {what} {name}"))
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        Self::bad_request(format!("AADSTS{}: {}", refused.code, refused.words))
    }
}

/// `path` is what follows `__entra/`.
pub(crate) fn answer(
    state: &mut State,
    method: &Method,
    path: &str,
    sent: &Value,
) -> Result<Reply, ApiError> {
    if method == Method::GET && path.is_empty() {
        return Ok(Reply::json(document(state)));
    }
    let delete = method == Method::DELETE;
    if method != Method::POST && !delete {
        return Err(ApiError::no_route_path(path));
    }
    let sent = Sent(sent);
    let made = |value: Value| Ok(Reply::json(value).with_status(StatusCode::CREATED));
    match path {
        "settings" => settings(state, &sent),
        "clock" => state.ahead += sent.number("advance").unwrap_or(0),
        "tenants" => return made(tenant(state, &sent)?),
        "rules" => rules(state, &sent)?,
        "people" => return made(person(state, &sent)?),
        "revoke" => {
            let name = sent.text("person")?;
            if !state.revoke(name) {
                return Err(unknown("person", name));
            }
        }
        "apps" => return made(app(state, &sent)?),
        "secrets" => return made(secret(state, &sent)?),
        "certificates" => return made(certificate(state, &sent)?),
        "federations" => federation(state, &sent)?,
        "consents" => consent(state, &sent, delete)?,
        "principals" => principal(state, &sent)?,
        "devices/approve" => device::approve(state, sent.text("code")?, sent.text("person")?)?,
        "devices/decline" => device::decline(state, sent.text("code")?)?,
        "workload-tokens" => return made(workload(state, &sent)?),
        "tokens" => return made(mint(state, &sent)?),
        "machine" => machine(state, &sent)?,
        _ => return Err(ApiError::no_route_path(path)),
    }
    Ok(Reply::no_content())
}

fn settings(state: &mut State, sent: &Sent<'_>) {
    let settings = &mut state.settings;
    let set = |name: &str, target: &mut bool| *target = sent.flag(name).unwrap_or(*target);
    set("atOnce", &mut settings.at_once);
    set("approvesDevices", &mut settings.approves_devices);
    set("trustsAssertions", &mut settings.trusts_assertions);
    set("singleUseRefresh", &mut settings.single_use_refresh);
    settings.token_life = sent.number("tokenLife").unwrap_or(settings.token_life);
    settings.device_code_life = sent
        .number("deviceCodeLife")
        .unwrap_or(settings.device_code_life);
    let count = |name: &str| {
        sent.number(name)
            .and_then(|number| u32::try_from(number).ok())
    };
    settings.interval = count("interval").map_or(settings.interval, u64::from);
    settings.slow_down = count("slowDown").unwrap_or(settings.slow_down);
    match &sent.0["signedIn"] {
        Value::Null if sent.0.get("signedIn").is_some() => settings.signed_in = None,
        Value::String(name) => settings.signed_in = Some(name.clone()),
        _ => {}
    }
}

fn tenant(state: &mut State, sent: &Sent<'_>) -> Result<Value, ApiError> {
    let name = sent.text("name")?;
    let short = name.to_lowercase().replace(' ', "");
    if state
        .tenant_named(&format!("{short}.onmicrosoft.com"))
        .is_none()
    {
        let id = state.ids.guid();
        state.tenants.push(seed::found(id, name, &short));
    }
    let made = state.tenant_named(&format!("{short}.onmicrosoft.com"));
    Ok(made.map(|tenant| json!({"id": tenant.id, "domain": tenant.domains[0], "administrator": tenant.users[0].upn()})).unwrap_or_default())
}

fn rules(state: &mut State, sent: &Sent<'_>) -> Result<(), ApiError> {
    let name = sent.text("tenant")?;
    let rules = &mut state
        .tenant_mut(name)
        .ok_or_else(|| unknown("tenant", name))?
        .rules;
    rules.user_consent = sent.flag("userConsent").unwrap_or(rules.user_consent);
    rules.blocks_everyone = sent.flag("blocksEveryone").unwrap_or(rules.blocks_everyone);
    rules.device_flow = match sent.0["deviceFlow"].as_str() {
        Some("allowed") => DeviceFlow::Allowed,
        Some("blocked") => DeviceFlow::Blocked,
        Some("interrupted") => DeviceFlow::Interrupted,
        Some(other) => return Err(unknown("device flow", other)),
        None => rules.device_flow,
    };
    Ok(())
}

/// Makes a person, or changes one that is named by `userPrincipalName`.
fn person(state: &mut State, sent: &Sent<'_>) -> Result<Value, ApiError> {
    let upn = sent.text("userPrincipalName")?;
    let name = sent.0["tenant"].as_str().unwrap_or(crate::auth::TENANT);
    let tenant = state
        .tenant_mut(name)
        .ok_or_else(|| unknown("tenant", name))?;
    if tenant.user(upn).is_none() {
        let shown = sent.0["displayName"].as_str().unwrap_or(upn);
        let id = seed::join(
            tenant,
            shown,
            upn,
            sent.flag("administrator").unwrap_or(false),
        );
        tenant.directory.note_user(id);
    }
    let user = tenant.user_mut(upn).ok_or_else(|| unknown("person", upn))?;
    user.administrator = sent.flag("administrator").unwrap_or(user.administrator);
    user.blocked = sent.flag("blocked").unwrap_or(user.blocked);
    if let Some(enabled) = sent.flag("enabled") {
        user.properties
            .insert("accountEnabled".to_owned(), json!(enabled));
    }
    Ok(json!({"id": user.id, "userPrincipalName": user.upn()}))
}

fn app(state: &mut State, sent: &Sent<'_>) -> Result<Value, ApiError> {
    let name = sent.0["tenant"].as_str().unwrap_or(crate::auth::TENANT);
    let home = state
        .tenant_named(name)
        .ok_or_else(|| unknown("tenant", name))?
        .id;
    let id = match sent.0["clientId"].as_str() {
        Some(id) => Uuid::parse_str(id).map_err(ApiError::bad_body)?,
        None => state.ids.guid(),
    };
    let principal = Principal {
        id: state.ids.guid(),
        ..Principal::default()
    };
    state.apps.retain(|app| app.id != id);
    state.apps.push(App {
        id,
        name: sent.0["name"].as_str().unwrap_or("App").to_owned(),
        home,
        multi_tenant: sent.flag("multiTenant").unwrap_or(false),
        public_client: sent.flag("publicClient").unwrap_or(false),
        secrets: Vec::new(),
        certificates: Vec::new(),
        federated: Vec::new(),
        redirects: sent.list("redirects").unwrap_or_default(),
        scopes: sent
            .list("scopes")
            .map_or_else(seed::default_scopes, |list| list.into_iter().collect()),
        roles: sent.list("roles").unwrap_or_default().into_iter().collect(),
        group_claims: sent.flag("groupClaims").unwrap_or(true),
    });
    if let Some(tenant) = state.tenants.iter_mut().find(|tenant| tenant.id == home) {
        tenant.principals.insert(id, principal);
    }
    Ok(json!({"clientId": id}))
}

fn app_mut<'a>(state: &'a mut State, sent: &Sent<'_>) -> Result<&'a mut App, ApiError> {
    let client = sent.text("client")?;
    state.app_mut(client).ok_or_else(|| unknown("app", client))
}

fn secret(state: &mut State, sent: &Sent<'_>) -> Result<Value, ApiError> {
    let (id, text, now) = (state.ids.guid(), state.ids.token(), state.now());
    let value = sent.0["value"]
        .as_str()
        .map_or_else(|| format!("{}~{}", &text[..8], &text[8..39]), str::to_owned);
    let expires = sent.number("life").map_or(i64::MAX, |life| now + life);
    app_mut(state, sent)?.secrets.push(Secret {
        id,
        value: value.clone(),
        expires,
    });
    Ok(json!({"secret": value, "secretId": id}))
}

fn certificate(state: &mut State, sent: &Sent<'_>) -> Result<Value, ApiError> {
    let certificate = Certificate::parse(sent.text("certificate")?)
        .ok_or_else(|| ApiError::bad_body("the certificate cannot be read"))?;
    let thumbprint = certificate.thumbprint();
    app_mut(state, sent)?.certificates.push(certificate);
    Ok(json!({"thumbprint": thumbprint}))
}

fn federation(state: &mut State, sent: &Sent<'_>) -> Result<(), ApiError> {
    let federation = Federation {
        issuer: sent.text("issuer")?.to_owned(),
        subject: sent.text("subject")?.to_owned(),
        audience: sent.0["audience"]
            .as_str()
            .unwrap_or("api://AzureADTokenExchange")
            .to_owned(),
    };
    app_mut(state, sent)?.federated.push(federation);
    Ok(())
}

/// An administrator grants an app all that it declares, or removes it from the tenant.
fn consent(state: &mut State, sent: &Sent<'_>, remove: bool) -> Result<(), ApiError> {
    let client = app_mut(state, sent)?.id;
    let name = sent.0["tenant"].as_str().unwrap_or(crate::auth::TENANT);
    let tenant = state
        .tenant_mut(name)
        .ok_or_else(|| unknown("tenant", name))?;
    if remove {
        tenant.principals.remove(&client);
    } else {
        let id = tenant.id;
        state.grant_all(id, client);
    }
    Ok(())
}

/// Sets application permissions of an app in a tenant, or disables it there.
fn principal(state: &mut State, sent: &Sent<'_>) -> Result<(), ApiError> {
    let client = Uuid::parse_str(sent.text("client")?).map_err(ApiError::bad_body)?;
    let name = sent.0["tenant"].as_str().unwrap_or(crate::auth::TENANT);
    let id = state.ids.guid();
    let tenant = state
        .tenant_mut(name)
        .ok_or_else(|| unknown("tenant", name))?;
    let principal = tenant
        .principals
        .entry(client)
        .or_insert_with(|| Principal {
            id,
            ..Principal::default()
        });
    if let Some(roles) = sent.list("roles") {
        principal.roles = roles.into_iter().collect();
    }
    principal.disabled = sent.flag("disabled").unwrap_or(principal.disabled);
    Ok(())
}

/// A token of a platform: what Kubernetes or a pipeline keeps fresh in a file.
fn workload(state: &State, sent: &Sent<'_>) -> Result<Value, ApiError> {
    let now = state.now();
    let claims = json!({
        "iss": sent.text("issuer")?,
        "sub": sent.text("subject")?,
        "aud": sent.0["audience"].as_str().unwrap_or("api://AzureADTokenExchange"),
        "iat": now, "nbf": now, "exp": now + sent.number("life").unwrap_or(3_600),
        "jti": Uuid::new_v5(&Uuid::NAMESPACE_OID, now.to_string().as_bytes()),
    });
    Ok(json!({"token": PLATFORM.sign(&claims)}))
}

/// An access token without a sign-in: of a person with scopes, or of an app with its roles.
fn mint(state: &State, sent: &Sent<'_>) -> Result<Value, ApiError> {
    let resource = sent.0["resource"]
        .as_str()
        .unwrap_or(Resource::AzureDevOps.id());
    let kind = Resource::named(resource).ok_or_else(|| unknown("resource", resource))?;
    let life = sent.number("life").unwrap_or(state.settings.token_life);
    let client = sent.0["client"]
        .as_str()
        .and_then(|id| Uuid::parse_str(id).ok());
    let name = sent.0["tenant"].as_str().unwrap_or(crate::auth::TENANT);
    if let Some(person) = sent.0["person"].as_str() {
        let (tenant, user) = state
            .person(person)
            .ok_or_else(|| unknown("person", person))?;
        let scopes = sent
            .list("scopes")
            .unwrap_or_else(|| vec!["user_impersonation".to_owned()]);
        let subject = Subject::Person { user, scopes };
        let token = state.access_token(
            tenant,
            client.unwrap_or(seed::APP),
            (kind, resource),
            &subject,
            life,
        );
        return Ok(json!({"token": token}));
    }
    let client = client.ok_or_else(|| ApiError::bad_body("person or client is missing"))?;
    let tenant = state
        .tenant_named(name)
        .ok_or_else(|| unknown("tenant", name))?;
    let own = tenant
        .principals
        .get(&client)
        .ok_or_else(|| unknown("app", name))?;
    let roles = sent
        .list("roles")
        .map_or_else(|| own.roles.clone(), |list| list.into_iter().collect());
    let subject = Subject::Application {
        id: own.id,
        roles,
        managed: false,
    };
    let token = state.access_token(tenant, client, (kind, resource), &subject, life);
    Ok(json!({"token": token}))
}

/// Gives the machine identities, or takes its endpoint away.
fn machine(state: &mut State, sent: &Sent<'_>) -> Result<(), ApiError> {
    if let Some(assigned) = sent.0["assign"].as_str() {
        let client = Uuid::parse_str(assigned).map_err(ApiError::bad_body)?;
        let home = state.tenants[0].id;
        let id = state.tenants[0]
            .principals
            .entry(client)
            .or_insert_with(|| Principal {
                id: Uuid::new_v5(&home, client.as_bytes()),
                ..Principal::default()
            });
        let identity = Identity {
            name: format!("identity-{client}"),
            tenant: home,
            client,
            principal: id.id,
        };
        state.machine.assigned.push(identity);
    }
    match sent.flag("system") {
        Some(false) => state.machine.system = None,
        Some(true) if state.machine.system.is_none() => {
            return Err(ApiError::bad_body("the system identity does not come back"));
        }
        _ => {}
    }
    if let Some(failure) = sent.0.get("failure") {
        state.machine.failure = failure
            .as_u64()
            .and_then(|status| u16::try_from(status).ok());
    }
    if let Some(count) = sent.number("throttled") {
        state.machine.throttled = u32::try_from(count).unwrap_or_default();
    }
    Ok(())
}

fn document(state: &State) -> Value {
    let tenants = state.tenants.iter().map(|tenant| {
        json!({
            "id": tenant.id,
            "name": tenant.name,
            "domains": tenant.domains,
            "people": tenant.users.iter().map(super::User::upn).collect::<Vec<_>>(),
            "enterpriseApplications": tenant.principals.keys().collect::<Vec<_>>(),
        })
    });
    let apps = state.apps.iter().map(|app| {
        json!({
            "clientId": app.id,
            "name": app.name,
            "home": app.home,
            "multiTenant": app.multi_tenant,
            "secrets": app.secrets.iter().map(|secret| json!({"id": secret.id, "value": secret.value})).collect::<Vec<_>>(),
            "certificates": app.certificates.iter().map(Certificate::thumbprint).collect::<Vec<_>>(),
        })
    });
    let identity = |own: &Identity| json!({"name": own.name, "clientId": own.client, "principalId": own.principal, "resourceId": own.resource_id()});
    json!({
        "tenants": tenants.collect::<Vec<_>>(),
        "apps": apps.collect::<Vec<_>>(),
        "machine": {
            "system": state.machine.system.as_ref().map(identity),
            "assigned": state.machine.assigned.iter().map(identity).collect::<Vec<_>>(),
        },
    })
}
