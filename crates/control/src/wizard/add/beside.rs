//! What is saved together with new connectors: policies of their own, who reaches them, and their first backups (K-10).

use std::collections::BTreeSet;

use catalog::{Connecting, QueuedRun};
use model::{Connector, Policy, Reason};

use super::WizardWishes;
use crate::work::BackupWish;
use crate::{Control, Result};

/// As it would be saved.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) policies: Vec<Policy>,
    pub(super) unapproved: Vec<Policy>,
    pub(super) people: Vec<(String, BTreeSet<String>)>,
    /// The same people by their ids, with the connectors that are new to them.
    reach: Vec<(String, BTreeSet<String>)>,
    pub(super) runs: Vec<QueuedRun>,
}

impl Beside {
    pub(super) fn saving<'a>(&'a self, connectors: &'a [Connector]) -> Connecting<'a> {
        Connecting {
            connectors,
            policies: &self.policies,
            reach: &self.reach,
            runs: &self.runs,
            ..Connecting::default()
        }
    }
}

impl Control {
    /// Refuses whatever could not be saved, or could not be begun.
    pub(super) async fn beside(
        &self,
        connectors: &[Connector],
        wishes: &WizardWishes,
    ) -> Result<Beside> {
        let mut beside = Beside::default();
        for connector in connectors {
            let own = match &wishes.policy {
                Some(like) => Some(self.own_policy(connector, like, &beside).await?),
                None => None,
            };
            // Snapshots of the same organization may be there from before.
            let waits = self
                .policy_waits_for(std::slice::from_ref(connector), None, own.as_ref())
                .await?;
            if wishes.backup {
                let policy = match &own {
                    Some(own) if !waits => own.clone(),
                    _ => self.policy_for(connector, None).await?,
                };
                let wish = BackupWish {
                    connector: connector.name.clone(),
                    reason: Reason::Request,
                    ..BackupWish::default()
                };
                let run = self.prepare_with(&wish, connector, &policy).await?;
                beside.runs.push(run);
            }
            if waits {
                beside.unapproved.extend(own);
            } else {
                beside.policies.extend(own);
            }
        }
        for name in &wishes.people {
            let person = self.catalog.person(name).await?;
            // Who reaches all connectors reaches these anyway.
            if let Some(mut reached) = person.connectors {
                let more = connectors.iter().map(|one| one.name.to_lowercase());
                let more: BTreeSet<String> = more.collect();
                reached.extend(more.iter().cloned());
                beside.reach.push((person.id, more));
                beside.people.push((person.name, reached));
            }
        }
        Ok(beside)
    }

    /// The policy of a connector's own, by its name or the next that is free.
    async fn own_policy(
        &self,
        connector: &Connector,
        like: &Policy,
        beside: &Beside,
    ) -> Result<Policy> {
        let mut policy = Policy {
            name: connector.name.clone(),
            connectors: vec![connector.name.clone()],
            ..like.clone()
        };
        let mut number = 1;
        let taken = |name: &str| {
            let mut made = beside.policies.iter().chain(&beside.unapproved);
            made.any(|one| one.name.eq_ignore_ascii_case(name))
        };
        while taken(&policy.name) || self.catalog.policy(&policy.name).await.is_ok() {
            number += 1;
            policy.name = format!("{}-{number}", connector.name);
        }
        Ok(policy)
    }
}
