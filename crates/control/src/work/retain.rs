//! Retention by policies: after a good backup, and as a preview.

use std::collections::BTreeSet;

use catalog::RepositoryRow;
use engine::retention::{Decision, ForgetRequest, Keep, Suspicion};
use model::policy::covering;
use model::{Class, Connector, Issue, Policy, Run};
use repository::Repository;
use service::Service;

use crate::connectors::source_id;
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

/// The rules for the snapshots of these connectors in a repository: what any policy of any of them wants to keep stays. `None` where none
/// is for them.
fn rules(
    all: &[Policy],
    connectors: &[&str],
    repository: &str,
    default: Option<&RepositoryRow>,
) -> Option<Keep> {
    let here = |policy: &&Policy| {
        let own = policy.repository.as_deref();
        own.or(default.map(|row| row.name.as_str()))
            .is_some_and(|name| name.eq_ignore_ascii_case(repository))
    };
    let covering = connectors.iter().flat_map(|name| covering(all, name));
    let keeps = covering.filter(here);
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
    /// The connectors that make the same snapshots as this one: its own name, and those of others for the same source. One of its
    /// organization whose address nobody can tell counts as one of them: it can only make more stay.
    fn makers<'a>(&self, connector: &'a Connector, all: &'a [Connector]) -> Vec<&'a str> {
        let own = self.source_of(connector).ok();
        let named = |other: &Connector| {
            let organization = &connector.organization;
            other.service == connector.service
                && other.organization.eq_ignore_ascii_case(organization)
        };
        let same = |other: &&Connector| {
            let at = own.as_ref().zip(self.source_of(other).ok());
            at.map_or_else(|| named(other), |(own, at)| *own == at)
        };
        let names = all.iter().filter(same).map(|other| other.name.as_str());
        std::iter::once(connector.name.as_str())
            .chain(names)
            .collect()
    }

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
        let connectors = self.catalog.connectors().await?;
        self.would_shorten_for(&connectors, removed, added).await
    }

    /// As [`Control::would_shorten`], for these connectors, which need not be saved.
    pub(crate) async fn would_shorten_for(
        &self,
        connectors: &[Connector],
        removed: Option<&str>,
        added: Option<&Policy>,
    ) -> Result<bool> {
        let before = self.all_policies().await?;
        let after = with(before.clone(), removed, added);
        let default = self.catalog.default_repository().await?;
        let saved = self.catalog.connectors().await?;
        for repository in self.catalog.repositories().await? {
            for connector in connectors {
                let makers = self.makers(connector, &saved);
                let rules = |all: &[Policy]| {
                    rules(all, &makers, &repository.name, default.as_ref()).unwrap_or_default()
                };
                if !rules(&after).covers(&rules(&before)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn forget_request(
        service: &Service,
        connector: &Connector,
        keep: Keep,
        dry_run: bool,
    ) -> Result<ForgetRequest> {
        Ok(ForgetRequest {
            keep,
            sources: BTreeSet::from([connector.organization.clone()]),
            source: Some(source_id(service, connector)?),
            dry_run,
            ..ForgetRequest::default()
        })
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
            let connectors = self.catalog.connectors().await?;
            let makers = self.makers(connector, &connectors);
            let keep = rules(&all, &makers, &run.repository, default.as_ref());
            let Some(keep) = keep else {
                return Ok(());
            };
            if keep.is_empty() {
                return Ok(());
            }
            let request = Self::forget_request(service, connector, keep, false)?;
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
        let connectors = self.catalog.connectors().await?;
        for connector in &connectors {
            let fits = covering(&all, &connector.name)
                .iter()
                .any(|one| one.name == policy.name);
            let makers = self.makers(connector, &connectors);
            let keep = rules(&all, &makers, &row.name, default.as_ref());
            let (true, Some(keep)) = (fits, keep) else {
                continue;
            };
            let service = self.service(&connector.service)?;
            let request = Self::forget_request(service, connector, keep, true)?;
            let plan = self.forget(&repository, service, &request).await?;
            previews.push(RetentionPreview {
                connector: connector.name.clone(),
                repository: row.name.clone(),
                decisions: plan.decisions,
                suspicions: plan.suspicions,
            });
        }
        repository.close().await;
        Ok(previews)
    }
}
