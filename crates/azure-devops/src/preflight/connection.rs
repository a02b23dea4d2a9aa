//! Organization and credential: whether they fit together, and as whom the service sees us.

use std::borrow::Cow;

use jiff::Timestamp;
use model::Class;
use serde::Deserialize;
use service::http::{Answer, Method, segment};
use service::{Check, CheckOutcome, Client, Error, Result};

use super::{ANONYMOUS, check, failed, refusal};
use crate::api::{APP, DEV, SPS};

const CONNECTION_DATA: &str = "7.1-preview.1";
/// The tenant of organizations that belong to personal accounts.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

#[derive(Deserialize)]
struct Connection<'a> {
    #[serde(borrow, rename = "authenticatedUser")]
    user: User<'a>,
    #[serde(borrow, rename = "deploymentType")]
    deployment: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "providerDisplayName")]
    name: Option<Cow<'a, str>>,
}

/// What is known once the service has answered.
pub(super) struct Connected {
    /// The identity's id in the organization.
    pub(super) user: String,
    /// A Server knows neither access levels nor policies.
    pub(super) hosted: bool,
}

/// `None` when nothing else can be checked.
pub(super) async fn connect(http: &Client, organization: &str) -> (Vec<Check>, Option<Connected>) {
    let answer = match ask(http).await {
        Ok(answer) => answer,
        Err(error) => return (vec![refused(http, organization, &error).await], None),
    };
    let connection: Connection<'_> = match answer.json() {
        Ok(connection) => connection,
        Err(error) => return (vec![hard(&error)], None),
    };
    if connection.user.id.eq_ignore_ascii_case(ANONYMOUS) {
        return (vec![nobody(http)], None);
    }
    let hosted = connection.deployment.as_deref() != Some("onPremises");
    let found = if hosted {
        format!("The organization {organization} is on Azure DevOps Services")
    } else {
        format!("The collection {organization} is on an Azure DevOps Server")
    };
    let name = connection
        .user
        .name
        .as_deref()
        .unwrap_or(&connection.user.id);
    let mut checks = vec![
        check("organization", CheckOutcome::Pass, found),
        check(
            "credential",
            CheckOutcome::Pass,
            format!("Signed in as {name}"),
        ),
    ];
    checks.extend(clock(&answer));
    let connected = Connected {
        user: connection.user.id.into_owned(),
        hosted,
    };
    (checks, Some(connected))
}

async fn ask(http: &Client) -> Result<Answer> {
    http.get(DEV, "/_apis/connectionData")
        .version(CONNECTION_DATA)
        .query("connectOptions", 1)
        .send()
        .await
}

/// Whether the service knows whose credential this is, whatever that one may do.
pub(crate) async fn is_somebody(http: &Client) -> bool {
    let Ok(answer) = ask(http).await else {
        return false;
    };
    answer
        .json::<Connection<'_>>()
        .is_ok_and(|connection| !connection.user.id.eq_ignore_ascii_case(ANONYMOUS))
}

/// The service answered, but as it does to anyone.
fn nobody(http: &Client) -> Check {
    let message = "The service does not know whose token this is";
    if http.sign_in().is_some() {
        return check("credential", CheckOutcome::Fail, message).coded("token-expired");
    }
    let hint = "Create a personal access token of this organization with the scopes that `keepward connector test` lists, and store it.";
    failed(
        "credential",
        CheckOutcome::Fail,
        "credential-refused",
        message,
        hint,
    )
}

/// Why there is no connection: no such organization, no such credential, or an organization that does not let this one in.
async fn refused(http: &Client, organization: &str, error: &Error) -> Check {
    let tenant = match error.class {
        // Microsoft Entra ID speaks of the tenant, and of no organization.
        Class::Missing if ["tenant-unknown", "service-not-in-tenant"].contains(&error.code) => {
            return hard(error);
        }
        Class::Missing => Tenant::Unknown,
        Class::Credential | Class::Permission => tenant(http).await,
        _ => return hard(error),
    };
    if tenant == Tenant::Unknown {
        let hint = "Check the part after dev.azure.com/ in the browser's address bar.";
        return failed(
            "organization",
            CheckOutcome::Fail,
            "organization-unknown",
            format!("The service knows no organization {organization}"),
            hint,
        );
    }
    refusal::explained(http, organization, &tenant, error)
        .await
        .unwrap_or_else(|| hard(error))
}

/// Whom an organization belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tenant {
    Named(String),
    /// Personal accounts.
    Personal,
    /// There is no such organization.
    Unknown,
    /// Nobody can be asked.
    Unread,
}

async fn tenant(http: &Client) -> Tenant {
    // A host of its own is needed to ask: where all are one, an answer without the header says nothing.
    let apart = match (http.base(DEV), http.base(SPS)) {
        (Ok(dev), Ok(sps)) => dev.host_str() != sps.host_str(),
        _ => return Tenant::Unread,
    };
    match head(http, "").await {
        Some(Some(tenant)) if tenant == NOBODY => Tenant::Personal,
        Some(Some(tenant)) => Tenant::Named(tenant),
        Some(None) if apart => Tenant::Unknown,
        _ => Tenant::Unread,
    }
}

/// The sign-in service names the tenant of every organization that exists, to anyone.
async fn head(http: &Client, path: &str) -> Option<Option<String>> {
    let answer = http
        .call(Method::HEAD, SPS, path)
        .expect(&[200, 401, 404])
        .send()
        .await
        .ok()?;
    let header = answer.headers.get("x-vss-resourcetenant");
    Some(header.and_then(|value| Some(value.to_str().ok()?.to_ascii_lowercase())))
}

/// The tenant of an organization, and whether it belongs to personal accounts; the client's addresses are without an organization.
pub(crate) async fn tenant_of(http: &Client, organization: &str) -> (Option<String>, Option<bool>) {
    match head(http, &format!("/{}", segment(organization))).await {
        Some(Some(tenant)) if tenant == NOBODY => (None, Some(true)),
        Some(Some(tenant)) => (Some(tenant), Some(false)),
        _ => (None, None),
    }
}

/// Whether the token itself is good: it is let in where no organization is named.
pub(super) async fn is_let_in(http: &Client) -> bool {
    http.get(APP, "/_apis/profile/profiles/me")
        .version(crate::api::STABLE)
        .expect(&[200])
        .send()
        .await
        .is_ok()
}

/// An error after which nothing else can be checked.
pub(super) fn hard(error: &Error) -> Check {
    let name = if error.class == Class::Credential {
        "credential"
    } else {
        "organization"
    };
    let hint = error.hint.clone().unwrap_or_else(|| {
        model::code::find(error.code)
            .map(|code| code.remedy.to_owned())
            .unwrap_or_default()
    });
    failed(name, CheckOutcome::Fail, error.code, &*error.message, hint)
}

/// The service's clock against the time that its answer took to be made: only an impossible date can be told without a clock of our own.
fn clock(answer: &Answer) -> Option<Check> {
    let date = answer.headers.get("date")?.to_str().ok()?;
    let stated = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let plausible = Timestamp::from_second(1_700_000_000).ok()?;
    (stated < plausible).then(|| {
        check(
            "clock",
            CheckOutcome::Warning,
            format!("The service's clock says {date}: dates in the backup may be wrong"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_credential_is_told_from_a_broken_service() {
        let credential = hard(&Error::new(Class::Credential, "credential-refused", "no"));
        assert_eq!(
            (credential.name.as_str(), credential.code),
            ("credential", Some("credential-refused"))
        );
        assert!(credential.hint.is_some_and(|hint| !hint.is_empty()));
        assert_eq!(
            hard(&Error::new(Class::Transient, "service-unavailable", "no")).name,
            "organization"
        );
    }
}
