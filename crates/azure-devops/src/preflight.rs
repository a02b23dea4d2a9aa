//! The check of a connector: organization, credential, what each kind of data needs, clock and budget. Reads only.

use std::borrow::Cow;

use async_trait::async_trait;
use jiff::Timestamp;
use model::Class;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::http::{Answer, Method};
use service::preflight::{Check, Preflight};
use service::{CheckOutcome, Client, Crawled, Error, Result, Scope};

use crate::api::{APP, DEV, SPS, STABLE};
use crate::kinds::KINDS;

pub(crate) struct AzurePreflight;

/// Whom the service takes requests without a valid credential for.
const ANONYMOUS: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
const CONNECTION_DATA: &str = "7.1-preview.1";
/// Of the identity's budget: below it a backup starts slowed down.
const LOW: f64 = 40.0;

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

fn check(name: &str, outcome: CheckOutcome, message: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        outcome,
        message: message.into(),
        hint: None,
        code: None,
    }
}

fn failed(
    name: &str,
    outcome: CheckOutcome,
    code: &'static str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Check {
    Check {
        hint: Some(hint.into()),
        code: Some(code),
        ..check(name, outcome, message)
    }
}

#[async_trait]
impl Preflight for AzurePreflight {
    async fn check(&self, http: &Client, organization: &str) -> Vec<Check> {
        let mut checks = Vec::new();
        let before = checks.len();
        checks.extend(connection(http, organization).await);
        if checks[before..]
            .iter()
            .any(|check| check.outcome == CheckOutcome::Fail)
        {
            return checks;
        }
        let project = match first_project(http).await {
            Ok(project) => project,
            Err(error) if error.class == Class::Permission => {
                let message = format!("no project can be seen: {}", error.message);
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
                checks.push(hard(&error));
                return checks;
            }
        };
        checks.extend(global_token(http, organization).await);
        for kind in KINDS {
            checks.extend(probe(http, *kind, project.as_ref()).await);
        }
        checks.extend(budget(http));
        checks
    }
}

/// Organization and credential.
async fn connection(http: &Client, organization: &str) -> Vec<Check> {
    let answer = http
        .get(DEV, "/_apis/connectionData")
        .version(CONNECTION_DATA)
        .query("connectOptions", 1)
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return vec![refused(http, organization, &error).await],
    };
    let connection: Connection<'_> = match answer.json() {
        Ok(connection) => connection,
        Err(error) => return vec![hard(&error)],
    };
    if connection.user.id.eq_ignore_ascii_case(ANONYMOUS) {
        let hint = "Create a personal access token of this organization with the scopes that `keepward connector test` lists, and store it.";
        return vec![failed(
            "credential",
            CheckOutcome::Fail,
            "credential-refused",
            "the service does not know whose token this is",
            hint,
        )];
    }
    let deployment = match connection.deployment.as_deref() {
        Some("onPremises") => "an Azure DevOps Server collection",
        _ => "an organization of Azure DevOps Services",
    };
    let name = connection
        .user
        .name
        .as_deref()
        .unwrap_or(&connection.user.id);
    let mut checks = vec![
        check(
            "organization",
            CheckOutcome::Pass,
            format!("{organization} is {deployment}"),
        ),
        check(
            "credential",
            CheckOutcome::Pass,
            format!("signed in as {name}"),
        ),
    ];
    checks.extend(clock(&answer));
    checks
}

/// Why there is no connection: no such organization, or no such credential.
async fn refused(http: &Client, organization: &str, error: &Error) -> Check {
    let unknown = match error.class {
        Class::Missing => true,
        Class::Credential => !is_known(http).await,
        _ => return hard(error),
    };
    if unknown {
        let hint = "Check the part after dev.azure.com/ in the browser's address bar.";
        return failed(
            "organization",
            CheckOutcome::Fail,
            "organization-unknown",
            format!("the service knows no organization {organization}"),
            hint,
        );
    }
    hard(error)
}

/// The sign-in service names the tenant of every organization that exists, to anyone. A host of its own is needed to ask.
async fn is_known(http: &Client) -> bool {
    let (Ok(dev), Ok(sps)) = (http.base(DEV), http.base(SPS)) else {
        return true;
    };
    if dev.host_str() == sps.host_str() {
        return true;
    }
    let answer = http
        .call(Method::HEAD, SPS, "")
        .expect(&[200, 401, 404])
        .send()
        .await;
    answer.is_ok_and(|answer| answer.headers.contains_key("x-vss-resourcetenant"))
}

/// An error after which nothing else can be checked.
fn hard(error: &Error) -> Check {
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
    let real = http
        .base(APP)
        .ok()?
        .host_str()?
        .eq_ignore_ascii_case("app.vssps.visualstudio.com");
    if !real {
        return None;
    }
    http.get(APP, "/_apis/profile/profiles/me")
        .version(STABLE)
        .expect(&[200])
        .send()
        .await
        .ok()?;
    let message =
        format!("the token is for all organizations of its owner, not for {organization} alone");
    let hint =
        "Create a token for this organization alone: global ones stop working on 2026-12-01.";
    Some(failed(
        "credential",
        CheckOutcome::Warning,
        "pat-global",
        message,
        hint,
    ))
}

/// Whether one kind can be read, and what it costs if not.
async fn probe(http: &Client, kind: &dyn service::Kind, project: Option<&Scope>) -> Option<Check> {
    let spec = kind.spec();
    let in_project = spec.crawled == Crawled::PerParent;
    let scope = match (in_project, project) {
        (true, None) => {
            return Some(check(
                spec.name,
                CheckOutcome::Pass,
                format!("{}: there is no project yet", spec.title),
            ));
        }
        (true, Some(project)) => project.clone(),
        (false, _) => Scope::default(),
    };
    if spec.with.is_some() {
        // It is read by the requests of the kind that it comes with.
        return None;
    }
    let error = match kind.probe(http, &scope).await {
        Ok(()) => {
            return Some(check(
                spec.name,
                CheckOutcome::Pass,
                format!("{} can be read", spec.title),
            ));
        }
        Err(error) => error,
    };
    Some(unreadable(spec, &error))
}

/// What it costs that a kind cannot be read, and what to do.
fn unreadable(spec: &service::KindSpec, error: &Error) -> Check {
    let scopes: Vec<&str> = spec
        .read
        .iter()
        .map(|permission| permission.scope)
        .collect();
    let costs: Vec<&str> = spec.read.iter().map(|permission| permission.why).collect();
    let with: Vec<&str> = KINDS
        .iter()
        .filter(|other| other.spec().with == Some(spec.name))
        .map(|other| other.spec().title)
        .collect();
    let lost = if with.is_empty() {
        spec.title.to_owned()
    } else {
        format!("{}, {}", spec.title, with.join(", "))
    };
    let (code, hint) = match error.class {
        Class::Permission | Class::Credential | Class::Missing => (
            "permission-missing",
            format!(
                "Give the token the scope {}. {}",
                scopes.join(" and "),
                costs.join(" ")
            ),
        ),
        _ => (
            error.code,
            error
                .hint
                .clone()
                .unwrap_or_else(|| "Try again later.".to_owned()),
        ),
    };
    failed(
        spec.name,
        CheckOutcome::Missing,
        code,
        format!("{lost} cannot be backed up: {}", error.message),
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

/// The service's clock against the time that its answer took to be made: only an impossible date can be told without a clock of our own.
fn clock(answer: &Answer) -> Option<Check> {
    let date = answer.headers.get("date")?.to_str().ok()?;
    let stated = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let plausible = Timestamp::from_second(1_700_000_000).ok()?;
    (stated < plausible).then(|| {
        check(
            "clock",
            CheckOutcome::Warning,
            format!("the service's clock says {date}: dates in the backup may be wrong"),
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
