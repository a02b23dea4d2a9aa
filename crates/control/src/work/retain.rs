//! Retention by policies: after a good backup, and as a preview.

use std::collections::BTreeSet;

use catalog::RepositoryRow;
use engine::retention::{Decision, ForgetRequest, Keep, Suspicion};
use model::policy::covering;
use model::{Class, Connector, Issue, Policy, Run};
use repository::Repository;
use service::Service;

use crate::{Control, Error, Result};

/// What a policy's rules would do to the snapshots of one connector.
#[derive(Debug)]
pub struct RetentionPreview {
    pub connector: String,
    pub repository: String,
    pub decisions: Vec<Decision>,
    /// While there are any, nothing is forgotten.
    pub suspicions: Vec<Suspicion>,
}

/// The policies with one less, one more, or one in the place of another.
fn with(mut all: Vec<Policy>, removed: Option<&str>, added: Option<&Policy>) -> Vec<Policy> {
    if let Some(removed) = removed {
        all.retain(|one| !one.name.eq_ignore_ascii_case(removed));
    }
    all.extend(added.cloned());
    all
}

/// The rules for a connector's snapshots in a repository: what any of its policies wants to keep stays. `None` where none is for it.
fn rules(
    all: &[Policy],
    connector: &str,
    repository: &str,
    default: Option<&RepositoryRow>,
) -> Option<Keep> {
    let here = |policy: &&Policy| {
        let own = policy.repository.as_deref();
        own.or(default.map(|row| row.name.as_str()))
            .is_some_and(|name| name.eq_ignore_ascii_case(repository))
    };
    let keeps = covering(all, connector).into_iter().filter(here);
    keeps
        .map(|policy| policy.retention.clone())
        .reduce(|rules, keep| rules.union(&keep))
}

/// What stood in the way of retention, as an issue of a run whose snapshot is good.
pub(crate) fn not_forgotten(error: &Error) -> Issue {
    let code = error.code().unwrap_or("repository-damaged").to_owned();
    let class = if code == "suspicious-drop" {
        Class::Implausible
    } else {
        Class::Storage
    };
    Issue {
        code,
        class,
        kind: String::new(),
        scope: String::new(),
        item: None,
        message: format!("no older snapshot was forgotten: {error}"),
        hint: error.hint().map(str::to_owned),
    }
}

impl Control {
    async fn all_policies(&self) -> Result<Vec<Policy>> {
        let rows = self.catalog.policies().await?;
        Ok(rows.into_iter().map(|row| row.policy).collect())
    }

    /// The connectors that a policy, saved or not, is for now.
    pub async fn covered(&self, policy: &Policy) -> Result<Vec<String>> {
        let all = with(self.all_policies().await?, Some(&policy.name), Some(policy));
        let names = self.catalog.connectors().await?.into_iter();
        let names = names.map(|connector| connector.name).filter(|name| {
            let fitting = covering(&all, name);
            fitting.iter().any(|one| one.name == policy.name)
        });
        Ok(names.collect())
    }

    /// Whether snapshots of some connector that stay today could be forgotten once the policy `removed` is gone and `added` is there.
    pub async fn would_shorten(
        &self,
        removed: Option<&str>,
        added: Option<&Policy>,
    ) -> Result<bool> {
        let before = self.all_policies().await?;
        let after = with(before.clone(), removed, added);
        let default = self.catalog.default_repository().await?;
        let connectors = self.catalog.connectors().await?;
        for repository in self.catalog.repositories().await? {
            for connector in &connectors {
                let rules = |all: &[Policy]| {
                    rules(all, &connector.name, &repository.name, default.as_ref())
                        .unwrap_or_default()
                };
                if !rules(&after).covers(&rules(&before)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn forget_request(connector: &Connector, keep: Keep, dry_run: bool) -> ForgetRequest {
        ForgetRequest {
            keep,
            sources: BTreeSet::from([connector.organization.clone()]),
            dry_run,
            ..ForgetRequest::default()
        }
    }

    /// Forgets what no rule keeps any more. What stands in the way becomes an issue of the run: its snapshot is good nevertheless.
    pub(crate) async fn forget_after(
        &self,
        run: &Run,
        connector: &Connector,
        repository: &Repository,
        service: &'static Service,
    ) -> Option<Issue> {
        run.policy.as_ref()?;
        let forgotten = async {
            let all = self.all_policies().await?;
            let default = self.catalog.default_repository().await?;
            let keep = rules(&all, &connector.name, &run.repository, default.as_ref());
            let Some(keep) = keep else {
                return Ok(());
            };
            if keep.is_empty() {
                return Ok(());
            }
            let request = Self::forget_request(connector, keep, false);
            self.forget(repository, service, &request).await?;
            Ok::<(), Error>(())
        };
        forgotten.await.err().as_ref().map(not_forgotten)
    }

    /// What the rules of a policy, saved or not, would forget now, for each connector that it is for. Changes nothing.
    pub async fn preview_retention(&self, policy: &Policy) -> Result<Vec<RetentionPreview>> {
        let all = with(self.all_policies().await?, Some(&policy.name), Some(policy));
        let default = self.catalog.default_repository().await?;
        let row = match &policy.repository {
            Some(name) => self.catalog.repository(name).await?,
            None => match &default {
                Some(row) => row.clone(),
                None => return Ok(Vec::new()),
            },
        };
        let repository = self.read_repository(&row).await?;
        let mut previews = Vec::new();
        for connector in self.catalog.connectors().await? {
            let fits = covering(&all, &connector.name)
                .iter()
                .any(|one| one.name == policy.name);
            let keep = rules(&all, &connector.name, &row.name, default.as_ref());
            let (true, Some(keep)) = (fits, keep) else {
                continue;
            };
            let request = Self::forget_request(&connector, keep, true);
            let service = self.service(&connector.service)?;
            let plan = self.forget(&repository, service, &request).await?;
            previews.push(RetentionPreview {
                connector: connector.name,
                repository: row.name.clone(),
                decisions: plan.decisions,
                suspicions: plan.suspicions,
            });
        }
        repository.close().await;
        Ok(previews)
    }
}
