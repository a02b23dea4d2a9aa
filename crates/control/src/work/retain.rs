//! Retention by policies: after a good backup, and as a preview.

use std::borrow::Cow;
use std::collections::BTreeSet;

use catalog::{KnownSnapshot, PolicyRow, SourceKey};
use engine::retention::{Decision, ForgetRequest, Keep, Suspicion};
use jiff::Timestamp;
use model::policy::{DEFAULT, covering};
use model::{Class, Connector, Issue, Policy, Run};
use repository::Repository;
use serde_json::{Value, json};
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

/// What decides how long snapshots stay.
#[derive(Clone)]
pub(super) struct Deciders {
    pub(super) policies: Vec<Policy>,
    /// The repository that policies are for which name none.
    pub(super) default: Option<String>,
    /// Nobody has saved the policy that came with the program.
    unset: bool,
    /// Names, in lower case, of the repositories that hold snapshots which another installation made.
    adopted: BTreeSet<String>,
}

impl Deciders {
    /// With one policy less, one more, or one in the place of another.
    pub(super) fn change(&mut self, removed: Option<&str>, added: Option<&Policy>) {
        let gone = |name: &str| removed.is_some_and(|removed| removed.eq_ignore_ascii_case(name));
        self.unset &= !gone(DEFAULT);
        self.policies.retain(|one| !gone(&one.name));
        self.policies.extend(added.cloned());
    }

    /// With this repository as one that holds snapshots of another installation.
    pub(super) fn adopt(&mut self, repository: &str) {
        self.adopted.insert(repository.to_lowercase());
    }

    /// The policies that are for the snapshots of these connectors in a repository.
    pub(super) fn policies_for(&self, connectors: &[&str], repository: &str) -> Vec<&Policy> {
        let here = |policy: &&Policy| {
            let own = policy.repository.as_ref().or(self.default.as_ref());
            own.is_some_and(|name| name.eq_ignore_ascii_case(repository))
        };
        let all = connectors.iter();
        let covering = all.flat_map(|name| covering(&self.policies, name));
        covering.filter(here).collect()
    }

    /// The rules for the snapshots of these connectors in a repository: what any policy of any of them wants to keep stays. `None` where none
    /// is for them.
    pub(super) fn rules(&self, connectors: &[&str], repository: &str) -> Option<Keep> {
        let policies = self.policies_for(connectors, repository).into_iter();
        policies
            .map(|policy| self.keep_of(policy, repository))
            .reduce(|rules, keep| rules.union(&keep))
    }

    fn is_adopted(&self, repository: &str) -> bool {
        self.adopted.contains(&repository.to_lowercase())
    }

    /// How long the snapshots of another installation were to stay is known to nobody here: a policy that nobody has set removes none of them.
    fn keep_of(&self, policy: &Policy, repository: &str) -> Keep {
        if self.unset && policy.name == DEFAULT && self.is_adopted(repository) {
            return Keep::default();
        }
        policy.retention.clone()
    }
}

/// The policy that came with the program, while nobody has saved it.
fn is_unset(row: &PolicyRow) -> bool {
    row.policy.name == DEFAULT && row.updated == Timestamp::UNIX_EPOCH
}

/// What retention did after a backup.
#[derive(Debug, Default)]
pub(crate) struct Retained {
    /// The snapshots that are gone, as a run's result tells them.
    pub(super) forgotten: Vec<Value>,
    /// What stood in the way.
    pub(super) issue: Option<Issue>,
}

impl Retained {
    pub(crate) fn hindered(error: &Error) -> Self {
        Self {
            forgotten: Vec::new(),
            issue: Some(not_forgotten(error)),
        }
    }
}

/// A snapshot that is gone, by its id and, where the catalog knew it, its time.
fn forgotten(known: &[KnownSnapshot], id: &str) -> Value {
    match known.iter().find(|snapshot| snapshot.id == id) {
        Some(snapshot) => json!({ "id": id, "time": snapshot.time.to_string() }),
        None => json!({ "id": id }),
    }
}

/// What stood in the way of retention, as an issue of a run whose snapshot is good.
fn not_forgotten(error: &Error) -> Issue {
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
        hint: error.hint().map(Cow::into_owned),
    }
}

impl Control {
    /// All that made snapshots: connectors, and such as were removed or stand for something else by now.
    pub(super) async fn all_makers(&self) -> Result<Vec<Connector>> {
        let mut all = self.catalog.connectors().await?;
        all.extend(self.catalog.former_connectors().await?);
        Ok(all)
    }

    /// The connectors that make or made the same snapshots as this one: its own name, and those of others for the same source. One of its
    /// organization whose address nobody can tell counts as one of them: it can only make more stay.
    pub(super) fn makers<'a>(
        &self,
        connector: &'a Connector,
        all: &'a [Connector],
    ) -> Vec<&'a str> {
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

    pub(super) async fn deciders(&self) -> Result<Deciders> {
        let rows = self.catalog.policies().await?;
        let default = self.catalog.default_repository().await?;
        Ok(Deciders {
            unset: rows.iter().any(is_unset),
            adopted: self.catalog.adopted_repositories().await?,
            policies: rows.into_iter().map(|row| row.policy).collect(),
            default: default.map(|row| row.name),
        })
    }

    /// Whether this policy, as it came with the program, leaves everything, since its repository holds snapshots of another installation.
    pub async fn removes_nothing(&self, row: &PolicyRow) -> Result<bool> {
        if !is_unset(row) {
            return Ok(false);
        }
        let deciders = self.deciders().await?;
        let repository = row.policy.repository.as_ref().or(deciders.default.as_ref());
        Ok(repository.is_some_and(|name| deciders.is_adopted(name)))
    }

    /// The connectors that a policy, saved or not, is for now.
    pub async fn covered(&self, policy: &Policy) -> Result<Vec<String>> {
        let mut deciders = self.deciders().await?;
        deciders.change(Some(&policy.name), Some(policy));
        let all = deciders.policies;
        let names = self.catalog.connectors().await?.into_iter();
        let names = names.map(|connector| connector.name).filter(|name| {
            let fitting = covering(&all, name);
            fitting.iter().any(|one| one.name == policy.name)
        });
        Ok(names.collect())
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
    ) -> Retained {
        if run.policy.is_none() {
            return Retained::default();
        }
        let forgotten = async {
            let all = self.all_makers().await?;
            let makers = self.makers(connector, &all);
            let mut deciders = self.deciders().await?;
            if deciders.unset && self.lists_less(repository).await? {
                deciders.adopt(&run.repository);
            }
            let keep = deciders.rules(&makers, &run.repository);
            let Some(keep) = keep.filter(|keep| !keep.is_empty()) else {
                return Ok(Vec::new());
            };
            let source = SourceKey {
                repository: repository.id().to_string(),
                id: source_id(service, connector)?,
            };
            let known = self.catalog.source_snapshots(&source).await?;
            let request = Self::forget_request(service, connector, keep, false)?;
            let plan = self.forget(repository, service, &request).await?;
            let ids = plan.gone().map(|id| id.to_string());
            Ok::<_, Error>(ids.map(|id| forgotten(&known, &id)).collect())
        };
        match forgotten.await {
            Ok(forgotten) => Retained {
                forgotten,
                issue: None,
            },
            Err(error) => Retained::hindered(&error),
        }
    }

    /// What the rules of a policy, saved or not, would forget now, for each connector that it is for. Changes nothing.
    pub async fn preview_retention(&self, policy: &Policy) -> Result<Vec<RetentionPreview>> {
        let mut after = self.deciders().await?;
        after.change(Some(&policy.name), Some(policy));
        let Some(name) = policy.repository.as_ref().or(after.default.as_ref()) else {
            return Ok(Vec::new());
        };
        let row = self.catalog.repository(name).await?;
        let repository = self.read_repository(&row).await?;
        let mut previews = Vec::new();
        let all = self.all_makers().await?;
        for connector in &self.catalog.connectors().await? {
            let fits = covering(&after.policies, &connector.name)
                .iter()
                .any(|one| one.name == policy.name);
            let makers = self.makers(connector, &all);
            let keep = after.rules(&makers, &row.name);
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
