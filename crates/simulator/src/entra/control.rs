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
use crate::inspect::Sent;
use crate::server::{ApiError, Reply};

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
    let sent = Sent::new(sent);
    let made = |value: Value| Ok(Reply::json(value).with_status(StatusCode::CREATED));
    match path {
        "settings" => settings(state, sent)?,
        "clock" => state.ahead += sent.number("advance")?.unwrap_or(0),
        "tenants" => return made(tenant(state, sent)?),
        "rules" => rules(state, sent)?,
        "people" => return made(person(state, sent)?),
        "revoke" => {
            let name = sent.required("person")?;
            if !state.revoke(name) {
                return Err(unknown("person", name));
            }
        }
        "apps" => return made(app(state, sent)?),
        "secrets" => return made(secret(state, sent)?),
        "certificates" => return made(certificate(state, sent)?),
        "federations" => federation(state, sent)?,
        "consents" => consent(state, sent, delete)?,
        "principals" => principal(state, sent)?,
        "devices/approve" => {
            device::approve(state, sent.required("code")?, sent.required("person")?)?;
        }
        "devices/decline" => device::decline(state, sent.required("code")?)?,
        "workload-tokens" => return made(workload(state, sent)?),
        "tokens" => return made(mint(state, sent)?),
        "machine" => machine(state, sent)?,
        _ => return Err(ApiError::no_route_path(path)),
    }
    Ok(Reply::no_content())
}

fn settings(state: &mut State, sent: Sent<'_>) -> Result<(), ApiError> {
    let settings = &mut state.settings;
    sent.set("atOnce", &mut settings.at_once)?;
    sent.set("approvesDevices", &mut settings.approves_devices)?;
    sent.set("trustsAssertions", &mut settings.trusts_assertions)?;
    sent.set("singleUseRefresh", &mut settings.single_use_refresh)?;
    if let Some(life) = sent.number("tokenLife")? {
        settings.token_life = life;
    }
    if let Some(life) = sent.number("deviceCodeLife")? {
        settings.device_code_life = life;
    }
    if let Some(seconds) = sent.number("interval")? {
        settings.interval = seconds;
    }
    if let Some(count) = sent.number("slowDown")? {
        settings.slow_down = count;
    }
    if sent.has("signedIn") {
        settings.signed_in = sent.text("signedIn")?.map(str::to_owned);
    }
    Ok(())
}

fn tenant(state: &mut State, sent: Sent<'_>) -> Result<Value, ApiError> {
    let name = sent.required("name")?;
    let short = name.to_lowercase().replace(' ', "");
    let domain = format!("{short}.onmicrosoft.com");
    if state.tenant_named(&domain).is_none() {
        let id = state.ids.guid();
        state.tenants.push(seed::found(id, name, &short));
    }
    let made = state
        .tenant_named(&domain)
        .ok_or_else(|| unknown("tenant", name))?;
    Ok(json!({"id": made.id, "domain": domain, "administrator": made.users[0].upn()}))
}

fn rules(state: &mut State, sent: Sent<'_>) -> Result<(), ApiError> {
    let name = sent.required("tenant")?;
    let rules = &mut state
        .tenant_mut(name)
        .ok_or_else(|| unknown("tenant", name))?
        .rules;
    sent.set("userConsent", &mut rules.user_consent)?;
    sent.set("blocksEveryone", &mut rules.blocks_everyone)?;
    rules.device_flow = match sent.text("deviceFlow")? {
        Some("allowed") => DeviceFlow::Allowed,
        Some("blocked") => DeviceFlow::Blocked,
        Some("interrupted") => DeviceFlow::Interrupted,
        Some(other) => return Err(unknown("device flow", other)),
        None => rules.device_flow,
    };
    Ok(())
}

/// Makes a person, or changes one that is named by `userPrincipalName`.
fn person(state: &mut State, sent: Sent<'_>) -> Result<Value, ApiError> {
    let upn = sent.required("userPrincipalName")?;
    let name = sent.tenant()?;
    let tenant = state
        .tenant_mut(name)
        .ok_or_else(|| unknown("tenant", name))?;
    if tenant.user(upn).is_none() {
        let shown = sent.text("displayName")?.unwrap_or(upn);
        let id = seed::join(tenant, shown, upn, false);
        tenant.directory.note_user(id);
    }
    let user = tenant.user_mut(upn).ok_or_else(|| unknown("person", upn))?;
    sent.set("administrator", &mut user.administrator)?;
    sent.set("blocked", &mut user.blocked)?;
    if let Some(enabled) = sent.flag("enabled")? {
        user.properties
            .insert("accountEnabled".to_owned(), json!(enabled));
    }
    Ok(json!({"id": user.id, "userPrincipalName": user.upn()}))
}

fn app(state: &mut State, sent: Sent<'_>) -> Result<Value, ApiError> {
    let name = sent.tenant()?;
    let home = state
        .tenant_named(name)
        .ok_or_else(|| unknown("tenant", name))?
        .id;
    let id = match sent.text("clientId")? {
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
        name: sent.text("name")?.unwrap_or("App").to_owned(),
        home,
        multi_tenant: sent.flag("multiTenant")?.unwrap_or(false),
        public_client: sent.flag("publicClient")?.unwrap_or(false),
        secrets: Vec::new(),
        certificates: Vec::new(),
        federated: Vec::new(),
        redirects: sent.list("redirects")?.unwrap_or_default(),
        scopes: sent
            .list("scopes")?
            .map_or_else(seed::default_scopes, |list| list.into_iter().collect()),
        roles: sent.list("roles")?.into_iter().flatten().collect(),
        group_claims: sent.flag("groupClaims")?.unwrap_or(true),
    });
    if let Some(tenant) = state.tenants.iter_mut().find(|tenant| tenant.id == home) {
        tenant.principals.insert(id, principal);
    }
    Ok(json!({"clientId": id}))
}

fn app_mut<'a>(state: &'a mut State, sent: Sent<'_>) -> Result<&'a mut App, ApiError> {
    let client = sent.required("client")?;
    state.app_mut(client).ok_or_else(|| unknown("app", client))
}

fn secret(state: &mut State, sent: Sent<'_>) -> Result<Value, ApiError> {
    let (id, text, now) = (state.ids.guid(), state.ids.token(), state.now());
    let value = sent
        .text("value")?
        .map_or_else(|| format!("{}~{}", &text[..8], &text[8..39]), str::to_owned);
    let expires = sent
        .number("life")?
        .map_or(i64::MAX, |life: i64| now + life);
    app_mut(state, sent)?.secrets.push(Secret {
        id,
        value: value.clone(),
        expires,
    });
    Ok(json!({"secret": value, "secretId": id}))
}

fn certificate(state: &mut State, sent: Sent<'_>) -> Result<Value, ApiError> {
    let certificate = Certificate::parse(sent.required("certificate")?)
        .ok_or_else(|| ApiError::bad_body("the certificate cannot be read"))?;
    let thumbprint = certificate.thumbprint();
    app_mut(state, sent)?.certificates.push(certificate);
    Ok(json!({"thumbprint": thumbprint}))
}

fn federation(state: &mut State, sent: Sent<'_>) -> Result<(), ApiError> {
    let federation = Federation {
        issuer: sent.required("issuer")?.to_owned(),
        subject: sent.required("subject")?.to_owned(),
        audience: sent
            .text("audience")?
            .unwrap_or("api://AzureADTokenExchange")
            .to_owned(),
    };
    app_mut(state, sent)?.federated.push(federation);
    Ok(())
}

/// An administrator grants an app all that it declares, or removes it from the tenant.
fn consent(state: &mut State, sent: Sent<'_>, remove: bool) -> Result<(), ApiError> {
    let client = app_mut(state, sent)?.id;
    let name = sent.tenant()?;
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
fn principal(state: &mut State, sent: Sent<'_>) -> Result<(), ApiError> {
    let client = Uuid::parse_str(sent.required("client")?).map_err(ApiError::bad_body)?;
    let name = sent.tenant()?;
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
    if let Some(roles) = sent.list("roles")? {
        principal.roles = roles.into_iter().collect();
    }
    sent.set("disabled", &mut principal.disabled)
}

/// A token of a platform: what Kubernetes or a pipeline keeps fresh in a file.
fn workload(state: &State, sent: Sent<'_>) -> Result<Value, ApiError> {
    let now = state.now();
    let life: i64 = sent.number("life")?.unwrap_or(3_600);
    let claims = json!({
        "iss": sent.required("issuer")?,
        "sub": sent.required("subject")?,
        "aud": sent.text("audience")?.unwrap_or("api://AzureADTokenExchange"),
        "iat": now, "nbf": now, "exp": now + life,
        "jti": Uuid::new_v5(&Uuid::NAMESPACE_OID, now.to_string().as_bytes()),
    });
    Ok(json!({"token": PLATFORM.sign(&claims)}))
}

/// An access token without a sign-in: of a person with scopes, or of an app with its roles.
fn mint(state: &State, sent: Sent<'_>) -> Result<Value, ApiError> {
    let resource = sent.text("resource")?.unwrap_or(Resource::AzureDevOps.id());
    let kind = Resource::named(resource).ok_or_else(|| unknown("resource", resource))?;
    let life = sent.number("life")?.unwrap_or(state.settings.token_life);
    let client = sent.text("client")?.map(Uuid::parse_str);
    let client = client.transpose().map_err(ApiError::bad_body)?;
    let name = sent.tenant()?;
    if let Some(person) = sent.text("person")? {
        let (tenant, user) = state
            .person(person)
            .ok_or_else(|| unknown("person", person))?;
        let scopes = sent
            .list("scopes")?
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
        .list("roles")?
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
fn machine(state: &mut State, sent: Sent<'_>) -> Result<(), ApiError> {
    if let Some(assigned) = sent.text("assign")? {
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
    match sent.flag("system")? {
        Some(false) => state.machine.system = None,
        Some(true) if state.machine.system.is_none() => {
            return Err(ApiError::bad_body("the system identity does not come back"));
        }
        _ => {}
    }
    if sent.has("failure") {
        let status = sent.number("failure")?.map(StatusCode::from_u16);
        state.machine.failure = status.transpose().map_err(ApiError::bad_body)?;
    }
    if let Some(count) = sent.number("throttled")? {
        state.machine.throttled = count;
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
