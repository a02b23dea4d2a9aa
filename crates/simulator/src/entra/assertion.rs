//! How an app proves that it is itself: secret, certificate, or the token of somebody whom it trusts.

use axum::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::app::Resource;
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
    let now = state.now();
    let Some(app) = state.apps.iter().find(|app| app.id == client) else {
        return Err(Refused::no_app(&client.to_string(), tenant));
    };
    let secret = request
        .form
        .get("client_secret")
        .map(str::to_owned)
        .or_else(|| basic(request).map(|(_, secret)| secret));
    if let Some(secret) = secret {
        return by_secret(app, &secret, now);
    }
    if let Some(assertion) = request.form.get("client_assertion") {
        if request.form.get("client_assertion_type") != Some(JWT_BEARER) {
            return Err(Refused::missing("client_assertion_type"));
        }
        if state.settings.trusts_assertions {
            return Ok(());
        }
        let token = Token::parse(assertion).ok_or_else(malformed)?;
        let own = token.claim("iss") == client.to_string();
        if !own && !app.federated.is_empty() {
            return by_federation(state, app, &token, now);
        }
        let used = by_certificate(app, request, tenant, &token, now)?;
        if !state.assertions.insert(used.clone()) {
            return Err(Refused::new(
                "invalid_client",
                70_002,
                format!(
                    "Error validating credentials. The client assertion with the jti '{used}' was used before."
                ),
            ));
        }
        return Ok(());
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
    let certificate = app
        .certificates
        .iter()
        .find(|own| own.is_named_by(token))
        .ok_or_else(|| {
            let named = token.header["x5t#S256"].as_str().or(token.header["x5t"].as_str()).unwrap_or_default();
            Refused::new(
                "invalid_client",
                700_027,
                format!("The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '{named}']"),
            )
        })?;
    if !certificate.verifies(token) {
        return Err(Refused::new(
            "invalid_client",
            700_027,
            "Client assertion failed signature validation.",
        ));
    }
    if certificate.expires <= now {
        return Err(Refused::new(
            "invalid_client",
            700_027,
            format!(
                "The certificate with thumbprint '{}' used to sign the client assertion is expired.",
                certificate.thumbprint()
            ),
        ));
    }
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
    let (issuer, subject) = (token.claim("iss"), token.claim("sub"));
    // Entra ID names the exchange by its id where credentials name it by its address.
    let audience = match token.claims["aud"].as_str() {
        Some(id) if id == Resource::Exchange.id() => "api://AzureADTokenExchange",
        Some(other) => other,
        None => token.claims["aud"][0].as_str().unwrap_or_default(),
    };
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
    let refuse = |code, what: &str, value: &str| {
        Refused::new(
            "invalid_client",
            code,
            format!(
                "No matching federated identity record found for presented assertion {what} '{value}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
            ),
        )
    };
    let by_issuer = || {
        app.federated
            .iter()
            .filter(|own| own.issuer.trim_end_matches('/') == issuer.trim_end_matches('/'))
    };
    if by_issuer().next().is_none() {
        return Err(refuse(700_211, "issuer", issuer));
    }
    if !by_issuer().any(|own| own.subject == subject) {
        return Err(refuse(700_213, "subject", subject));
    }
    if !by_issuer().any(|own| own.subject == subject && own.audience == audience) {
        return Err(refuse(700_212, "audience", audience));
    }
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
