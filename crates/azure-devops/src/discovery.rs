//! Which organizations an identity reaches.

use futures::stream::{self, StreamExt as _};
use model::{Class, SignIn};
use serde::Deserialize;
use service::preflight::{Discovery, Reached};
use service::{Check, CheckOutcome, Client, Error, Result};

use crate::api::{APP, STABLE};
use crate::preflight::{check, is_global, tenant_of};

/// So many organizations are asked for their tenants at once.
const AT_ONCE: usize = 8;

#[derive(Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: String,
    #[serde(rename = "displayName")]
    name: Option<String>,
    #[serde(rename = "emailAddress")]
    mail: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Account {
    #[serde(rename = "accountId")]
    id: String,
    #[serde(rename = "accountName")]
    pub(crate) name: String,
}

pub(crate) async fn profile(http: &Client) -> Result<Profile> {
    let answer = http
        .get(APP, "/_apis/profile/profiles/me")
        .version(STABLE)
        .expect(&[200])
        .send()
        .await?;
    answer.json()
}

/// `role` is `memberId` or `ownerId`: the service refuses a question without either.
pub(crate) async fn accounts(http: &Client, role: &str, id: &str) -> Result<Vec<Account>> {
    let answer = http
        .get(APP, "/_apis/accounts")
        .version(STABLE)
        .query(role, id)
        .expect(&[200])
        .send()
        .await?;
    answer
        .values()?
        .into_iter()
        .map(|raw| {
            serde_json::from_str(raw.get())
                .map_err(|error| Error::malformed(format!("accounts: {error}")))
        })
        .collect()
}

/// The client's addresses are without an organization. Three requests, and one more for each organization.
pub(crate) async fn discover(http: &Client) -> Result<Discovery> {
    let pat = http.sign_in().is_none();
    let me = match profile(http).await {
        Ok(me) => me,
        Err(error) if pat && matches!(error.class, Class::Credential | Class::Permission) => {
            return Ok(Discovery {
                checks: vec![of_one()],
                ..Discovery::default()
            });
        }
        Err(error) => return Err(error),
    };
    let (members, owned) = futures::try_join!(
        accounts(http, "memberId", &me.id),
        accounts(http, "ownerId", &me.id)
    )?;
    let mut found: Vec<Reached> = Vec::new();
    let both = owned
        .into_iter()
        .map(|account| (account, true))
        .chain(members.into_iter().map(|account| (account, false)));
    for (account, owner) in both {
        if !found.iter().any(|other| other.id == account.id) {
            found.push(Reached {
                organization: account.name,
                id: account.id,
                owner,
                tenant: None,
                personal: None,
            });
        }
    }
    found.sort_by_key(|reached| reached.organization.to_lowercase());
    let organizations: Vec<Reached> = stream::iter(found)
        .map(|reached| async move {
            let (tenant, personal) = tenant_of(http, &reached.organization).await;
            Reached {
                tenant,
                personal,
                ..reached
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut checks = Vec::new();
    if pat {
        checks.push(is_global("not for one alone"));
    }
    if organizations.is_empty() {
        checks.push(none_found(http.sign_in()));
    }
    Ok(Discovery {
        account: me.mail.filter(|mail| !mail.is_empty()).or(me.name),
        organizations,
        checks,
    })
}

/// A token of one organization is let in nowhere else: that is as it should be.
fn of_one() -> Check {
    check(
        "organization",
        CheckOutcome::Unknown,
        "A personal access token of one organization does not tell which",
    )
    .coded("organization-needed")
}

/// The service shows applications no organization, whatever they were added to.
fn none_found(sign_in: Option<&SignIn>) -> Check {
    if matches!(sign_in, None | Some(SignIn::User { .. })) {
        return check(
            "organization",
            CheckOutcome::Fail,
            "The account reaches no organization",
        )
        .coded("organization-none");
    }
    check(
        "organization",
        CheckOutcome::Unknown,
        "The service does not tell applications which organizations they are in",
    )
    .coded("organization-needed")
}
