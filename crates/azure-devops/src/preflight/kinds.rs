//! One cheap request for each kind: whether it can be read, and what it costs if not.

use model::Class;
use service::{Check, CheckOutcome, Client, Crawled, Error, Scope};

use super::{check, failed};
use crate::kinds::KINDS;

/// Whether one kind can be read, and what it costs if not.
pub(super) async fn probe(
    http: &Client,
    kind: &dyn service::Kind,
    project: Option<&Scope>,
) -> Option<Check> {
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
    .costing(with.into_iter().chain([spec.title]))
}
