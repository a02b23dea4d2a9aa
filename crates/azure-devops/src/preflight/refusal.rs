//! Why an organization does not let in an identity whose token is good.

use model::SignIn;
use service::{Check, CheckOutcome, Client, Error};

use super::check;
use super::connection::{Tenant, is_let_in};
use super::rights::PERMISSIONS;

/// `None` where the refusal is about the credential alone.
pub(super) async fn explained(
    http: &Client,
    organization: &str,
    tenant: &Tenant,
    error: &Error,
) -> Option<Check> {
    let said = error.fault()?;
    let code = said.code.as_deref().unwrap_or_default();
    let person = matches!(http.sign_in(), None | Some(SignIn::User { .. }));
    let fail = |name: &str, code: &'static str, message: String| {
        check(name, CheckOutcome::Fail, message).coded(code)
    };
    match code {
        "VS403463" => {
            let message = format!("A conditional access policy keeps us out of {organization}");
            return Some(fail("conditional-access", "conditional-access", message));
        }
        // A person is told so until the first visit, an application until it is added.
        "TF401444" if person => {
            let message = format!("Organization not yet entered by this account: {organization}");
            let hint = format!(
                "Sign in with this account at https://dev.azure.com/{organization} once, then test again."
            );
            return Some(fail("entered", "organization-not-entered", message).hinted(hint));
        }
        "TF401444" => return Some(stranger(organization)),
        _ => {}
    }
    let names_somebody = code == "TF400813" && !names_nobody(said.message.as_deref());
    if names_somebody {
        return Some(stranger(organization));
    }
    let sign_in = http.sign_in()?;
    if *tenant == Tenant::Personal {
        let message =
            format!("The organization {organization} belongs to personal Microsoft accounts");
        return Some(fail("organization", "account-personal", message));
    }
    if let (Tenant::Named(theirs), Some(ours)) = (tenant, tenant_of(sign_in))
        && !theirs.eq_ignore_ascii_case(ours)
    {
        let message = format!(
            "The organization {organization} belongs to the tenant {theirs}, and the sign-in was in {ours}"
        );
        let hint = format!("Sign in with an account of the tenant {theirs}.");
        return Some(fail("organization", "sign-in-mismatch", message).hinted(hint));
    }
    // The token is good elsewhere, and is anonymous here: that is how the switch works.
    let switched_off =
        matches!(sign_in, SignIn::User { .. }) && code == "TF400813" && is_let_in(http).await;
    switched_off.then(|| {
        let message = format!(
            "The organization {organization} lets no application in: third-party application access via OAuth is off"
        );
        fail("third-party-access", "oauth-policy-off", message)
    })
}

fn stranger(organization: &str) -> Check {
    let message = format!("The account is not a member of {organization}");
    check("membership", CheckOutcome::Fail, message)
        .coded("member-missing")
        .linked(PERMISSIONS)
}

fn names_nobody(message: Option<&str>) -> bool {
    let message = message.unwrap_or_default();
    message.contains("''") || message.contains(super::ANONYMOUS)
}

fn tenant_of(sign_in: &SignIn) -> Option<&str> {
    match sign_in {
        SignIn::User { app, .. }
        | SignIn::ClientSecret { app }
        | SignIn::Certificate { app }
        | SignIn::FederatedIdentity { app, .. }
        | SignIn::WorkloadIdentity { app, .. } => Some(&app.tenant),
        SignIn::Pat { .. } | SignIn::ManagedIdentity { .. } => None,
    }
    // A domain is no id: it cannot be compared.
    .filter(|tenant| tenant.len() == 36 && !tenant.contains('.'))
    .map(String::as_str)
}
