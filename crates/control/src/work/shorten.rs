//! Whether a change would let snapshots be forgotten that stay today. It is asked before each change of what decides that: policies, and which
//! repository is the default one. A connector that goes keeps its policies for what it made ([`catalog::Catalog::former_connectors`]).

use catalog::Page;
use model::{Connector, Policy};

use super::retain::Deciders;
use crate::{Control, Result};

/// How a change would be for snapshots that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shortening {
    /// The connectors and the repositories of those that could be forgotten.
    pub less: Vec<(String, String)>,
    /// A policy that keeps them asks for another person's approval itself, or everything does that keeps less.
    pub waits: bool,
}

fn of_policies(removed: Option<&str>, added: Option<&Policy>) -> impl FnOnce(&mut Deciders) {
    move |after| after.change(removed, added)
}

impl Control {
    /// The same for a change of what decides that: whatever is judged by it from now on is written by it only where nobody changed any of that since.
    pub async fn judging(&self) -> Result<Self> {
        Ok(Self {
            catalog: self.catalog.judging().await?,
            ..self.clone()
        })
    }

    /// Whether snapshots that stay today could be forgotten once the policy `removed` is gone and `added` is there.
    pub async fn would_shorten(
        &self,
        removed: Option<&str>,
        added: Option<&Policy>,
    ) -> Result<bool> {
        let change = of_policies(removed, added);
        Ok(!self.shortening(&[], change).await?.less.is_empty())
    }

    /// Whether another person has to approve that, since everything does that keeps less, or a policy that it would weaken.
    pub async fn policy_waits(
        &self,
        removed: Option<&str>,
        added: Option<&Policy>,
    ) -> Result<bool> {
        self.policy_waits_for(&[], removed, added).await
    }

    /// As [`Control::policy_waits`], also for these connectors, which are not saved yet.
    pub(crate) async fn policy_waits_for(
        &self,
        unsaved: &[Connector],
        removed: Option<&str>,
        added: Option<&Policy>,
    ) -> Result<bool> {
        let change = of_policies(removed, added);
        Ok(self.shortening(unsaved, change).await?.waits)
    }

    /// What would be kept less once this is the repository which is used when none is named.
    pub async fn default_shortens(&self, repository: &str) -> Result<Shortening> {
        self.shortening(&[], |after| after.default = Some(repository.to_owned()))
            .await
    }

    /// Of what would be kept less, what there is: nothing is lost in a repository without a snapshot.
    pub async fn existing(&self, less: &[(String, String)]) -> Result<Vec<(String, String)>> {
        let (mut existing, page) = (Vec::new(), Page::first(1));
        for pair in less {
            let row = self.catalog.repository(&pair.1).await?;
            let first = self.catalog.snapshots(Some(&row.id), &page).await?;
            if !first.items.is_empty() {
                existing.push(pair.clone());
            }
        }
        Ok(existing)
    }

    /// Whether another person has to approve that this repository is forgotten. The policies that name none are for another one then, and if it
    /// is taken up again, none of them is for what lies in it.
    pub async fn removal_waits(&self, repository: &str) -> Result<bool> {
        let rows = self.catalog.repositories().await?.into_iter();
        let others = rows.map(|row| row.name);
        let mut others = others.filter(|name| !name.eq_ignore_ascii_case(repository));
        let only = others.next().filter(|_| others.next().is_none());
        let change = |after: &mut Deciders| {
            let stays = after.default.take();
            let stays = stays.filter(|name| !name.eq_ignore_ascii_case(repository));
            after.default = stays.or(only);
        };
        Ok(self.shortening(&[], change).await?.waits)
    }

    /// Whether policies would be for the snapshots of a repository from the moment on in which it is taken up under this name, and everything that
    /// keeps less waits for another person.
    pub async fn adoption_waits(&self, repository: &str) -> Result<bool> {
        if !self.four_eyes().await? {
            return Ok(false);
        }
        let mut after = self.deciders().await?;
        let there = self.catalog.repositories().await?;
        if there.is_empty() {
            after.default = Some(repository.to_owned());
        }
        let is_there = |id: &String| there.iter().any(|row| row.id == *id);
        let sources = self.catalog.sources().await?;
        if sources.iter().all(|one| is_there(&one.key.repository)) {
            // It is none that was forgotten here: what lies in it another installation made.
            after.adopt(repository);
        }
        let makers = self.all_makers().await?;
        let ruled = makers.iter().any(|maker| {
            let rules = after.rules(&self.makers(maker, &makers), repository);
            rules.is_some_and(|keep| !keep.is_empty())
        });
        Ok(ruled)
    }

    async fn shortening(
        &self,
        unsaved: &[Connector],
        change: impl FnOnce(&mut Deciders),
    ) -> Result<Shortening> {
        let before = self.deciders().await?;
        let mut after = before.clone();
        change(&mut after);
        let saved = self.all_makers().await?;
        let mut found = Shortening::default();
        for repository in self.catalog.repositories().await? {
            for maker in saved.iter().chain(unsaved) {
                let makers = self.makers(maker, &saved);
                let name = &repository.name;
                let (kept, keeps) = (before.rules(&makers, name), after.rules(&makers, name));
                if keeps.unwrap_or_default().covers(&kept.unwrap_or_default()) {
                    continue;
                }
                found.less.push((maker.name.clone(), name.clone()));
                let weakened = before.policies_for(&makers, name);
                found.waits |= weakened.iter().any(|policy| policy.four_eyes);
            }
        }
        found.waits |= !found.less.is_empty() && self.four_eyes().await?;
        Ok(found)
    }
}
