//! Back from an identity provider.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use catalog::{Identity, NewPerson, PendingSignIn, PersonChange, PersonRow};
use chrono::{DateTime, Utc};
use model::Role;
use openidconnect::core::CoreGenderClaim;
use openidconnect::{
    AuthorizationCode, IdTokenClaims, Nonce, PkceCodeVerifier, TokenResponse as _,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use super::{Claims, Provider, derived};
use crate::access::name::name_from;
use crate::access::token::{digest, same};
use crate::access::{Caller, CallerKind};
use crate::{Problem, Server};

/// What the provider sends the browser back with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Returned {
    #[param(required = false)]
    state: Option<String>,
    #[param(required = false)]
    code: Option<String>,
    #[param(required = false)]
    error: Option<String>,
    /// The issuer, as RFC 9207 has it.
    #[param(required = false)]
    iss: Option<String>,
}

/// What an identity token says, once its signature, nonce, time and issuer are proved.
type Token = IdTokenClaims<Claims, CoreGenderClaim>;

/// The claims of a proven identity that matter here.
struct Proven {
    identity: Identity,
    name: String,
    roles: BTreeSet<Role>,
    /// As an account has it; `None` where groups do not decide.
    reach: Option<Option<BTreeSet<String>>>,
}

fn refused(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
}

fn mismatch() -> Problem {
    refused(
        "sign-in-mismatch",
        "the answer does not belong to a sign-in of this browser",
    )
}

/// The sign-in that somebody left for and that this answers. A state is good once.
pub(crate) async fn take(server: &Server, returned: &Returned) -> Result<PendingSignIn, Problem> {
    let state = returned.state.as_deref().ok_or_else(mismatch)?;
    let now = server.control.clock.now();
    let state = digest(state);
    let pending = server.control.catalog.take_oidc(&state, now);
    pending.await?.ok_or_else(mismatch)
}

/// Whose sign-in it was and where to go on. A code is good once, in the browser that left, for the provider that it left to.
pub(crate) async fn arrive(
    server: &Server,
    name: &str,
    pending: PendingSignIn,
    returned: &Returned,
    browser: Option<String>,
) -> Result<(PersonRow, String), Problem> {
    let browser = browser.ok_or_else(mismatch)?;
    if pending.provider != name || !same(&digest(&browser), &pending.browser) {
        return Err(mismatch());
    }
    let provider = super::provider(server, name).await?;
    let known = |issuer: &String| {
        let mut tenants = provider.tenants.iter();
        provider.is_issuer(issuer, None)
            || tenants.any(|tenant| provider.is_issuer(issuer, Some(tenant)))
    };
    if returned.iss.as_ref().is_some_and(|issuer| !known(issuer)) {
        return Err(mismatch());
    }
    if let Some(error) = &returned.error {
        tracing::info!(error = %error.chars().take(100).collect::<String>(), provider = name, "a sign-in ended at the provider");
        return Err(refused(
            "sign-in-failed",
            "the identity provider did not let the sign-in go on",
        ));
    }
    let code = returned.code.clone().ok_or_else(mismatch)?;
    let token = exchanged(server, name, &provider, code, &browser).await?;
    let proven = Proven::of(&provider, &token)?;
    let person = person_of(server, name, proven).await?;
    if person.disabled {
        return Err(refused("sign-in-refused", "the account is disabled"));
    }
    Ok((person, pending.return_to))
}

/// Changes the code for a token, and proves that the provider made it for this sign-in.
async fn exchanged(
    server: &Server,
    name: &str,
    provider: &Provider,
    code: String,
    browser: &str,
) -> Result<Token, Problem> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, provider = name, "a sign-in was refused");
        refused(
            "sign-in-failed",
            "the identity provider's answer could not be proved",
        )
    };
    let client = provider.client(server, name, false).await?;
    let web = server
        .access
        .web
        .client(&server.egress())
        .await
        .map_err(|error| failed(&error))?;
    let exchange = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|error| failed(&error))?;
    let tokens = exchange
        .set_pkce_verifier(PkceCodeVerifier::new(derived(browser, "pkce")))
        .request_async(&web)
        .await
        .map_err(|error| failed(&error))?;
    let token = tokens
        .id_token()
        .ok_or_else(|| failed(&"no identity token"))?;
    let clock = server.control.clock.clone();
    let verifier = client
        .id_token_verifier()
        .set_time_fn(move || {
            let now = clock.now().as_second();
            // Whatever cannot be told makes every token one that has expired.
            DateTime::from_timestamp(now, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
        })
        // One for many tenants is looked at below.
        .require_issuer_match(!provider.has_many_tenants());
    let nonce = Nonce::new(derived(browser, "nonce"));
    let claims = token
        .claims(&verifier, &nonce)
        .map_err(|error| failed(&error))?;
    let all = &claims.additional_claims().all;
    if !provider.is_issuer(claims.issuer().as_str(), tenant_of(all)) {
        return Err(failed(&"the token is of another issuer"));
    }
    Ok(claims.clone())
}

impl Proven {
    /// Who a token is about and what they may do here, if they may come in.
    fn of(provider: &Provider, claims: &Token) -> Result<Self, Problem> {
        let all = &claims.additional_claims().all;
        let verified = claims.email_verified() == Some(true);
        let email = claims.email().map(|email| email.as_str());
        admitted(provider, all, email.filter(|_| verified))?;
        let asks_groups = !provider.roles.is_empty() || !provider.connectors.is_empty();
        if asks_groups && leaves_groups_out(provider, all) {
            return Err(refused(
                "sign-in-groups-left-out",
                "the token does not say in which groups you are, since they are too many",
            ));
        }
        let groups = groups(provider, claims.additional_claims());
        let roles = provider.roles_of(&groups);
        if roles.is_empty() {
            return Err(refused(
                "sign-in-no-role",
                "none of your groups has a role here",
            ));
        }
        let username = claims.preferred_username().map(|name| name.as_str());
        let subject = claims.subject().as_str();
        Ok(Self {
            identity: Identity {
                issuer: claims.issuer().as_str().to_owned(),
                subject: subject.to_owned(),
            },
            name: name_from(username.or(email).unwrap_or(subject)),
            roles,
            reach: provider.reach_of(&groups),
        })
    }
}

fn tenant_of(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("tid").and_then(Value::as_str)
}

/// Whether people of this tenant and domain may come in.
fn admitted(
    provider: &Provider,
    more: &Map<String, Value>,
    email: Option<&str>,
) -> Result<(), Problem> {
    let tenant = tenant_of(more);
    let tenants = &provider.tenants;
    if !tenants.is_empty() && !tenant.is_some_and(|tenant| tenants.contains(tenant)) {
        return Err(refused(
            "sign-in-mismatch",
            "people of this tenant do not sign in here",
        ));
    }
    let domain = email
        .and_then(|email| email.rsplit_once('@'))
        .map(|(_, domain)| domain.to_lowercase());
    let domains = &provider.domains;
    if !domains.is_empty() && !domain.is_some_and(|domain| domains.contains(&domain)) {
        return Err(refused(
            "sign-in-mismatch",
            "people of this domain do not sign in here",
        ));
    }
    Ok(())
}

/// Who is in too many groups for a token has none in it, but a place where they could be asked for. Guessing what they give is not for us.
fn leaves_groups_out(provider: &Provider, more: &Map<String, Value>) -> bool {
    let elsewhere = more
        .get("_claim_names")
        .is_some_and(|names| !names[&provider.groups_claim].is_null());
    let has = more.get("hasgroups").is_some_and(|has| *has == true);
    !more.contains_key(&provider.groups_claim) && (elsewhere || has)
}

fn groups(provider: &Provider, claims: &Claims) -> Vec<String> {
    match claims.all.get(&provider.groups_claim) {
        Some(Value::Array(groups)) => groups
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::String(group)) => vec![group.clone()],
        _ => Vec::new(),
    }
}

/// The account of an identity, made at the first sign-in, with the roles and the reach that its groups give now. Whom an administrator has
/// limited stays limited so.
async fn person_of(server: &Server, provider: &str, proven: Proven) -> Result<PersonRow, Problem> {
    let catalog = &server.control.catalog;
    let by = Caller {
        name: provider.to_owned(),
        kind: CallerKind::IdentityProvider,
        ..Caller::local()
    };
    let mut details = json!({ "roles": proven.roles, "issuer": proven.identity.issuer });
    if let Some(reach) = &proven.reach {
        details["connectors"] = json!(reach);
    }
    let Some(person) = catalog.person_of(&proven.identity).await? else {
        let name = free_name(server, &proven).await?;
        let person = NewPerson {
            id: server.control.new_id(),
            name: name.clone(),
            roles: proven.roles,
            connectors: proven.reach.clone().flatten(),
            password: None,
            created: server.control.clock.now(),
        };
        catalog.add_person_with(&person, &proven.identity).await?;
        let change = PersonChange {
            group_connectors: proven.reach,
            ..PersonChange::default()
        };
        catalog.change_person(&person.id, &change).await?;
        server
            .audit(&by, "person.add", &format!("person/{name}"), details)
            .await?;
        return Ok(catalog.person(&name).await?);
    };
    let follows = person.reach_of_groups || person.connectors.is_none();
    let reach = proven
        .reach
        .filter(|reach| follows && (*reach != person.connectors || !person.reach_of_groups));
    if person.roles != proven.roles || reach.is_some() {
        let change = PersonChange {
            roles: Some(proven.roles),
            group_connectors: reach,
            ..PersonChange::default()
        };
        catalog.change_person(&person.id, &change).await?;
        server
            .audit(
                &by,
                "person.edit",
                &format!("person/{}", person.name),
                details,
            )
            .await?;
    }
    Ok(catalog.person_by_id(&person.id).await?)
}

/// A name that somebody has may be another person's, whatever the provider says: it gets a mark.
async fn free_name(server: &Server, proven: &Proven) -> Result<String, Problem> {
    match server.control.catalog.person(&proven.name).await {
        Ok(_) => {
            let mark = digest(&format!(
                "{}\n{}",
                proven.identity.issuer, proven.identity.subject
            ));
            Ok(format!("{}-{}", proven.name, &mark[..8]))
        }
        Err(catalog::Error::PersonUnknown { .. }) => Ok(proven.name.clone()),
        Err(error) => Err(error.into()),
    }
}
