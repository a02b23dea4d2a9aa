//! The check of a connector: organization, credential, rights, what each kind of data needs, clock and budget. Reads only.

mod connection;
mod kinds;
mod refusal;
mod rights;

use async_trait::async_trait;
use model::Class;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::preflight::{
    Address, ApiPermission, Check, CommitSummary, Discovery, Preflight, RepositorySummary,
};
use service::{CheckOutcome, Client, Error, Result, Scope};

use crate::api::{DEV, STABLE};
use crate::kinds::KINDS;

pub(crate) use connection::{is_somebody, tenant_of};

pub(crate) struct AzurePreflight;

/// Whom the service takes requests without a valid credential for.
const ANONYMOUS: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
/// Of the identity's budget: below it a backup starts slowed down.
const LOW: f64 = 40.0;

pub(crate) fn check(name: &str, outcome: CheckOutcome, message: impl Into<String>) -> Check {
    Check::new(name, outcome, message)
}

pub(crate) fn failed(
    name: &str,
    outcome: CheckOutcome,
    code: &'static str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Check {
    check(name, outcome, message).coded(code).hinted(hint)
}

#[async_trait]
impl Preflight for AzurePreflight {
    fn address(&self, text: &str) -> Result<Address, &'static str> {
        crate::address::parse(text)
    }

    fn people(&self) -> Option<&'static dyn service::people::People> {
        Some(&crate::people::AzurePeople)
    }

    async fn check(&self, http: &Client, organization: &str) -> Vec<Check> {
        if organization.trim().is_empty() {
            return vec![without_organization()];
        }
        let (mut checks, connected) = connection::connect(http, organization).await;
        let Some(connected) = connected else {
            return checks;
        };
        let project = match first_project(http).await {
            Ok(project) => project,
            Err(error) if error.class == Class::Permission => {
                let message = format!("No project can be seen: {}", error.message);
                let hint =
                    "Give the token the scope vso.project: everything else lies in projects.";
                checks.push(failed(
                    "project",
                    CheckOutcome::Fail,
                    "permission-missing",
                    message,
                    hint,
                ));
                return checks;
            }
            Err(error) => {
                checks.push(connection::hard(&error));
                return checks;
            }
        };
        // A Server takes a token wherever it is asked.
        if http.sign_in().is_none() && connected.hosted {
            checks.extend(global_token(http, organization).await);
        }
        if connected.hosted {
            checks.extend(rights::all(http, organization, &connected.user).await);
        }
        for kind in KINDS {
            checks.extend(kinds::probe(http, *kind, project.as_ref()).await);
        }
        checks.extend(budget(http));
        checks
    }

    async fn discover(&self, http: &Client) -> Result<Discovery> {
        crate::discovery::discover(http).await
    }

    fn permissions(&self) -> Vec<ApiPermission> {
        crate::permissions::table()
    }

    async fn repositories(&self, http: &Client) -> Result<Vec<RepositorySummary>> {
        crate::reach::repositories(http).await
    }

    async fn commits(
        &self,
        http: &Client,
        project: &str,
        repository: &str,
        most: usize,
    ) -> Result<Vec<CommitSummary>> {
        crate::reach::commits(http, project, repository, most).await
    }
}

fn without_organization() -> Check {
    const CODE: &str = "organization-not-configured";
    let words = model::code::find(CODE).map_or(CODE, |code| code.title);
    check("organization", CheckOutcome::Fail, words).coded(CODE)
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

/// A project to ask for what lies in projects.
async fn first_project(http: &Client) -> Result<Option<Scope>> {
    let answer = http
        .get(DEV, "/_apis/projects")
        .version(STABLE)
        .query("$top", 1)
        .query("stateFilter", "wellFormed")
        .send()
        .await?;
    let values: Vec<&RawValue> = answer.values()?;
    let Some(first) = values.first() else {
        return Ok(None);
    };
    let named: Named = serde_json::from_str(first.get())
        .map_err(|error| Error::malformed(format!("projects: {error}")))?;
    Ok(Some(Scope {
        id: named.id,
        name: named.name,
    }))
}

/// Only a token for all organizations is let in where no organization is named.
async fn global_token(http: &Client, organization: &str) -> Option<Check> {
    crate::discovery::profile(http).await.ok()?;
    Some(is_global(&format!("not for {organization} alone")))
}

/// What is said of a token that is for all organizations of its owner.
pub(crate) fn is_global(instead: &str) -> Check {
    let message = format!("The token is for all organizations of its owner, {instead}");
    let hint =
        "Create a token for this organization alone: global ones stop working on 2026-12-01.";
    failed(
        "credential",
        CheckOutcome::Warning,
        "pat-global",
        message,
        hint,
    )
}

/// The service says how much of its budget this identity has left, when it is short.
fn budget(http: &Client) -> Option<Check> {
    let left = http.usage().budget_left?;
    let message = format!("{left:.0} units of the identity's request budget are left");
    if left >= LOW {
        return Some(check("budget", CheckOutcome::Pass, message));
    }
    let hint = "Give the backup an identity of its own, or run it at another time.";
    Some(failed(
        "budget",
        CheckOutcome::Warning,
        "throttled",
        message,
        hint,
    ))
}
