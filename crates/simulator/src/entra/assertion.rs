//! How an app proves that it is itself: secret, certificate, or the token of somebody whom it trusts.

use axum::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::app::{Federation, Resource};
use super::keys::{PLATFORM, TENANTS, Token};
use super::route::Request;
use super::{App, Refused, State};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client id of a token request, from the form or from HTTP Basic, and the secret of the latter.
pub(super) fn client(request: &Request) -> Result<(String, Option<String>), Refused> {
    if let Some(client) = request.form.get("client_id") {
        return Ok((client.to_owned(), None));
    }
    basic(request)
        .map(|(client, secret)| (client, Some(secret)))
        .ok_or_else(|| Refused::missing("client_id"))
}

/// Id and secret are form-encoded inside of HTTP Basic (RFC 6749, 2.3.1).
fn basic(request: &Request) -> Option<(String, String)> {
    let value = request.header(header::AUTHORIZATION.as_str())?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    let plain = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    Some((plain(client), plain(secret)))
}

/// Checks the proof. Public clients need none, except where `must` says so.
pub(super) fn authenticate(
    state: &mut State,
    request: &Request,
    tenant: &str,
    client: Uuid,
    must: bool,
) -> Result<(), Refused> {
    let app = state
        .apps
        .iter()
        .find(|app| app.id == client)
        .ok_or_else(|| Refused::no_app(&client.to_string(), tenant))?;
    let secret = request.form.get("client_secret").map(str::to_owned);
    if let Some(secret) = secret.or_else(|| basic(request).map(|(_, secret)| secret)) {
        return by_secret(app, &secret, state.now());
    }
    if let Some(assertion) = request.form.get("client_assertion") {
        let used = by_assertion(state, app, request, tenant, assertion)?;
        return used.map_or(Ok(()), |used| once(state, used));
    }
    if must || (app.is_confidential() && !app.public_client) {
        return Err(Refused::new(
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    }
    Ok(())
}

/// Checks an assertion. One that the app signed itself is good for one use: its `jti`.
fn by_assertion(
    state: &State,
    app: &App,
    request: &Request,
    tenant: &str,
    assertion: &str,
) -> Result<Option<String>, Refused> {
    if request.form.get("client_assertion_type") != Some(JWT_BEARER) {
        return Err(Refused::missing("client_assertion_type"));
    }
    if state.settings.trusts_assertions {
        return Ok(None);
    }
    let token = Token::parse(assertion).ok_or_else(malformed)?;
    let own = token.claim("iss") == app.id.to_string();
    if !own && !app.federated.is_empty() {
        return by_federation(state, app, &token, state.now()).map(|()| None);
    }
    by_certificate(app, request, tenant, &token, state.now()).map(Some)
}

/// Notes the use of an assertion.
fn once(state: &mut State, jti: String) -> Result<(), Refused> {
    if state.assertions.contains(&jti) {
        return Err(Refused::new(
            "invalid_client",
            70_002,
            format!(
                "Error validating credentials. The client assertion with the jti '{jti}' was used before."
            ),
        ));
    }
    state.assertions.insert(jti);
    Ok(())
}

fn by_secret(app: &App, secret: &str, now: i64) -> Result<(), Refused> {
    let found = app.secrets.iter().find(|own| own.value == secret);
    match found {
        None => Err(Refused::new(
            "invalid_client",
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                app.id
            ),
        )),
        Some(own) if own.expires <= now => Err(Refused::new(
            "invalid_client",
            7_000_222,
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
                app.id
            ),
        )),
        Some(_) => Ok(()),
    }
}

fn malformed() -> Refused {
    Refused::new(
        "invalid_request",
        50_027,
        "JWT token is invalid or malformed.",
    )
}

/// Checks an assertion that the app signed itself and returns its `jti`.
fn by_certificate(
    app: &App,
    request: &Request,
    tenant: &str,
    token: &Token,
    now: i64,
) -> Result<String, Refused> {
    let client = app.id.to_string();
    if token.claim("iss") != client || token.claim("sub") != client {
        return Err(Refused::new(
            "invalid_client",
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials .",
        ));
    }
    check_signature(app, token, now)?;
    let audience = token.claim("aud");
    let expected = [
        format!("{}/{tenant}/oauth2/v2.0/token", request.base),
        format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
        format!("{}/{tenant}/v2.0", request.base),
    ];
    if !expected.iter().any(|own| own == audience) {
        return Err(Refused::new(
            "invalid_client",
            700_023,
            format!(
                "Client assertion audience claim does not match Realm issuer. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials . The audience is '{audience}'."
            ),
        ));
    }
    in_time(token, now)?;
    match token.claim("jti") {
        "" => Err(malformed()),
        jti => Ok(jti.to_owned()),
    }
}

/// Whether one of the app's certificates made the assertion.
fn check_signature(app: &App, token: &Token, now: i64) -> Result<(), Refused> {
    let refused = |words: String| Refused::new("invalid_client", 700_027, words);
    let named = |name: &str| token.header[name].as_str();
    let certificate = app
        .certificates
        .iter()
        .find(|own| own.is_named_by(token))
        .ok_or_else(|| {
            let named = named("x5t#S256").or_else(|| named("x5t")).unwrap_or_default();
            refused(format!("The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '{named}']"))
        })?;
    if !certificate.verifies(token) {
        return Err(refused(
            "Client assertion failed signature validation.".to_owned(),
        ));
    }
    if certificate.expires <= now {
        return Err(refused(format!(
            "The certificate with thumbprint '{}' used to sign the client assertion is expired.",
            certificate.thumbprint()
        )));
    }
    Ok(())
}

fn in_time(token: &Token, now: i64) -> Result<(), Refused> {
    // The service lets clocks differ by five minutes.
    const SKEW: i64 = 300;
    let expires = token.number("exp").ok_or_else(malformed)?;
    let begins = token
        .number("nbf")
        .or_else(|| token.number("iat"))
        .unwrap_or(now);
    if expires + SKEW <= now || begins > now + SKEW {
        return Err(Refused::new(
            "invalid_client",
            700_024,
            format!(
                "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {begins}, expiry time of assertion {expires}. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials ."
            ),
        ));
    }
    Ok(())
}

/// Checks a token of a managed identity or a platform against the app's federated credentials.
fn by_federation(state: &State, app: &App, token: &Token, now: i64) -> Result<(), Refused> {
    let issuer = token.claim("iss");
    let from_tenant = state
        .tenants
        .iter()
        .find(|tenant| tenant.issuer() == issuer);
    if from_tenant.is_some_and(|tenant| tenant.id != app.home) {
        return Err(Refused::new(
            "invalid_client",
            700_236,
            format!(
                "Entra ID tokens issued by issuer '{issuer}' may not be used for federated identity credential flows for applications or managed identities registered in this tenant."
            ),
        ));
    }
    is_trusted(app, token)?;
    let key = if from_tenant.is_some() {
        &*TENANTS
    } else {
        &*PLATFORM
    };
    if !key.verifies(token) {
        return Err(Refused::new(
            "invalid_client",
            5_002_711,
            "Invalid JWT token. The signature of the presented assertion could not be verified with the keys of its issuer.",
        ));
    }
    in_time(token, now)
}

/// Whether a federated credential of the app has the issuer, the subject and the audience of a token.
fn is_trusted(app: &App, token: &Token) -> Result<(), Refused> {
    let (issuer, subject) = (token.claim("iss"), token.claim("sub"));
    // Entra ID names the exchange by its id where credentials name it by its address.
    let audience = match token.claims["aud"].as_str() {
        Some(id) if id == Resource::Exchange.id() => "api://AzureADTokenExchange",
        Some(other) => other,
        None => token.claims["aud"][0].as_str().unwrap_or_default(),
    };
    let refuse = |code, what: &str, value: &str| {
        let words = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
        );
        Err(Refused::new("invalid_client", code, words))
    };
    let plain = |issuer: &str| issuer.trim_end_matches('/').to_owned();
    let mut trusted: Vec<&Federation> = app.federated.iter().collect();
    trusted.retain(|own| plain(&own.issuer) == plain(issuer));
    if trusted.is_empty() {
        return refuse(700_211, "issuer", issuer);
    }
    trusted.retain(|own| own.subject == subject);
    if trusted.is_empty() {
        return refuse(700_213, "subject", subject);
    }
    trusted.retain(|own| own.audience == audience);
    if trusted.is_empty() {
        return refuse(700_212, "audience", audience);
    }
    Ok(())
}
