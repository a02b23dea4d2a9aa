//! What the identity may do in an organization of the cloud: administrator, access level, first visit, policies.

use std::borrow::Cow;

use model::SignIn;
use serde::Deserialize;
use service::http::segment;
use service::{Check, CheckOutcome, Client, Error};

use super::check;
use crate::api::{AEX, DEV, PREVIEW_1, STABLE, evaluated};
use crate::kinds::KINDS;

/// Microsoft's page on changing permissions of an organization.
pub(super) const PERMISSIONS: &str = "https://learn.microsoft.com/azure/devops/organizations/security/change-organization-collection-level-permissions";
const POLICIES: &str = "https://learn.microsoft.com/azure/devops/organizations/accounts/change-application-access-policies";
const LEVELS: &str =
    "https://learn.microsoft.com/azure/devops/organizations/security/access-levels";

/// The namespace of the collection, and what its administrators alone have: managing policies.
const COLLECTION: &str = "3e65f728-f8bc-4ecd-8764-7e378b19bfa7";
const MANAGE_POLICIES: u32 = 2048;
/// Needs a scope that reading repositories needs too: a Stakeholder has neither.
const CODE: &str = "vso.code";

pub(super) async fn all(http: &Client, organization: &str, user: &str) -> Vec<Check> {
    let mut checks = vec![administrator(http, organization).await];
    checks.extend(access(http, organization, user).await);
    if let Some(SignIn::User { .. }) = http.sign_in() {
        checks.push(third_party(http, organization).await);
    }
    checks
}

/// Rights count, whatever group they came by; an owner has them by being one.
async fn administrator(http: &Client, organization: &str) -> Check {
    const NAME: &str = "administrator";
    let group = "Project Collection Administrators";
    let right = ((COLLECTION, MANAGE_POLICIES), "NAMESPACE:");
    let rights = match evaluated(http, &[right], true).await {
        Ok(rights) => rights == [true],
        Err(error) => {
            let message = format!(
                "Whether the account is in {group} of {organization} could not be read: {}",
                error.message
            );
            return check(NAME, CheckOutcome::Unknown, message)
                .coded("check-unreadable")
                .hinted(format!(
                    "Organization settings > Permissions > {group} shows it."
                ))
                .linked(PERMISSIONS);
        }
    };
    if rights {
        let message = format!("The account has the rights of {group} in {organization}");
        return check(NAME, CheckOutcome::Pass, message).linked(PERMISSIONS);
    }
    if owns(http, organization).await == Some(true) {
        let message = format!("The account owns {organization}");
        return check(NAME, CheckOutcome::Pass, message).linked(PERMISSIONS);
    }
    // What can be read is told kind by kind; which projects nobody shows us cannot be told by us.
    let message = format!(
        "The account is a member of {organization} and not in {group}: what it may not see is not in the backup, and the service does not say what that is"
    );
    check(NAME, CheckOutcome::Fail, message)
        .passable()
        .coded("administrator-missing")
        .linked(PERMISSIONS)
}

/// `None` where it cannot be read.
async fn owns(http: &Client, organization: &str) -> Option<bool> {
    let me = crate::discovery::profile(http).await.ok()?;
    let owned = crate::discovery::accounts(http, "ownerId", &me.id)
        .await
        .ok()?;
    let owner = owned
        .iter()
        .any(|account| account.name.eq_ignore_ascii_case(organization));
    Some(owner)
}

#[derive(Deserialize)]
struct Entitlement<'a> {
    #[serde(borrow, rename = "accessLevel")]
    level: Level<'a>,
    #[serde(borrow, rename = "lastAccessedDate")]
    last: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Level<'a> {
    #[serde(borrow, rename = "accountLicenseType")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "licenseDisplayName")]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
}

/// Access level and first visit. A personal access token is not asked to have a scope for this alone: where it has none, nothing is said.
async fn access(http: &Client, organization: &str, user: &str) -> Vec<Check> {
    let answer = http
        .get(AEX, &format!("/_apis/userentitlements/{}", segment(user)))
        .version(STABLE)
        .expect(&[200])
        .send()
        .await;
    let read = answer.and_then(|answer| {
        let entitlement: Entitlement<'_> = answer.json()?;
        Ok(judged(organization, &entitlement))
    });
    match read {
        Ok(checks) => checks,
        Err(_) if http.sign_in().is_none() => Vec::new(),
        Err(error) => {
            let message = format!(
                "The account's access level in {organization} could not be read: {}",
                error.message
            );
            let check = check("license", CheckOutcome::Unknown, message)
                .coded("check-unreadable")
                .hinted("Organization settings > Users shows it; Basic is needed.")
                .linked(LEVELS);
            vec![check]
        }
    }
}

fn judged(organization: &str, entitlement: &Entitlement<'_>) -> Vec<Check> {
    let level = &entitlement.level;
    // One that says nothing of its status proves nothing.
    let status = level.status.as_deref().unwrap_or("unknown");
    let title = level.title.as_deref().unwrap_or("unknown");
    let never = entitlement
        .last
        .as_deref()
        .is_some_and(|date| date.starts_with("0001-"));
    let mut checks = Vec::new();
    if never || status == "pending" {
        let message = format!("Organization not yet entered by this account: {organization}");
        let hint = format!(
            "Sign in with this account at https://dev.azure.com/{organization} once, then test again."
        );
        let check = check("entered", CheckOutcome::Missing, message);
        checks.push(check.coded("organization-not-entered").hinted(hint));
    }
    let lost = || {
        KINDS.iter().map(|kind| kind.spec()).filter_map(|spec| {
            let needs_code = spec.read.iter().any(|permission| permission.scope == CODE);
            needs_code.then_some(spec.title)
        })
    };
    let message = format!("The account's access level in {organization} is {title}");
    checks.push(match level.kind.as_deref() {
        Some("stakeholder") => check("license", CheckOutcome::Missing, message)
            .coded("license-too-low")
            .costing(lost())
            .linked(LEVELS),
        _ if matches!(status, "disabled" | "deleted" | "expired") => {
            let message = format!("{message}, and it is {status}");
            check("license", CheckOutcome::Missing, message)
                .coded("license-too-low")
                .costing(lost())
                .linked(LEVELS)
        }
        Some(kind) if kind != "none" && status != "unknown" => {
            check("license", CheckOutcome::Pass, message)
        }
        // Given by a subscription, which the service does not always name.
        _ if status == "active" => check("license", CheckOutcome::Pass, message),
        _ => check("license", CheckOutcome::Unknown, message)
            .coded("check-unreadable")
            .linked(LEVELS),
    });
    checks
}

#[derive(Deserialize)]
struct Policy {
    #[serde(rename = "effectiveValue")]
    effective: Option<bool>,
    value: Option<bool>,
}

/// The policy is named for what it forbids; the page shows the opposite.
async fn third_party(http: &Client, organization: &str) -> Check {
    const NAME: &str = "third-party-access";
    let answer = http
        .get(
            DEV,
            "/_apis/OrganizationPolicy/Policies/Policy.DisallowOAuthAuthentication",
        )
        .version(PREVIEW_1)
        .expect(&[200])
        .send()
        .await;
    let forbidden = answer.and_then(|answer| {
        let policy: Policy = answer.json()?;
        policy
            .effective
            .or(policy.value)
            .ok_or_else(|| Error::malformed("the policy has no value"))
    });
    let switch = "Third-party application access via OAuth";
    let (outcome, message) = match &forbidden {
        Ok(false) => (
            CheckOutcome::Pass,
            format!("{switch} is on in {organization}"),
        ),
        Ok(true) => (
            CheckOutcome::Fail,
            format!("{switch} is off in {organization}"),
        ),
        Err(error) => (
            CheckOutcome::Unknown,
            format!(
                "Whether {switch} is on in {organization} could not be read: {}",
                error.message
            ),
        ),
    };
    let check = check(NAME, outcome, message).linked(POLICIES);
    match forbidden {
        Ok(false) => check,
        Ok(true) => check.coded("oauth-policy-off"),
        Err(_) => check.coded("check-unreadable").hinted(format!(
            "Look at Organization settings > Policies > {switch}: it must be on."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_level_without_a_status_proves_nothing() {
        let license = |level: &str| {
            let entitlement = format!(r#"{{"accessLevel":{level}}}"#);
            let entitlement: Entitlement<'_> = serde_json::from_str(&entitlement).unwrap();
            let checks = judged("contoso", &entitlement);
            checks
                .iter()
                .find(|check| check.name == "license")
                .unwrap()
                .outcome
        };
        for (level, expected) in [
            (
                r#"{"accountLicenseType":"express","status":"active"}"#,
                CheckOutcome::Pass,
            ),
            (
                r#"{"accountLicenseType":"none","status":"active"}"#,
                CheckOutcome::Pass,
            ),
            (
                r#"{"accountLicenseType":"express","status":"disabled"}"#,
                CheckOutcome::Missing,
            ),
            (
                r#"{"accountLicenseType":"stakeholder"}"#,
                CheckOutcome::Missing,
            ),
            (r#"{"accountLicenseType":"express"}"#, CheckOutcome::Unknown),
            ("{}", CheckOutcome::Unknown),
        ] {
            assert_eq!(license(level), expected, "{level}");
        }
    }
}
