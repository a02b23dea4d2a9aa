//! What is set together with new connectors: who of those with limited reach may use them, and how long their snapshots are kept (K-10).

use catalog::PersonChange;
use model::{Permission, ProposalKind};
use serde_json::{Value, json};

use crate::access::Caller;
use crate::api::policies::{KeepBody, PolicyBody};
use crate::{Problem, Server};

/// What the last step of the wizard was told beside the connectors.
pub(super) struct Settings {
    pub(super) people: Vec<String>,
    pub(super) retention: Option<KeepBody>,
}

impl Settings {
    /// Refuses what this caller may not set, and people who are not there, before anything is saved.
    pub(super) async fn allowed(&self, server: &Server, caller: &Caller) -> Result<(), Problem> {
        if !self.people.is_empty() && !caller.may(Permission::ManagePeople) {
            return Err(Problem::forbidden(Permission::ManagePeople));
        }
        let may_set = caller.may(Permission::ManagePolicies) && caller.connectors.is_none();
        if self.retention.is_some() && !may_set {
            return Err(Problem::forbidden(Permission::ManagePolicies));
        }
        for name in &self.people {
            server.control.catalog.person(name).await?;
        }
        if self.retention.is_some() {
            self.policy("check", server)?;
        }
        Ok(())
    }

    pub(super) async fn save(
        &self,
        server: &Server,
        caller: &Caller,
        connectors: &[String],
    ) -> Result<(), Problem> {
        for name in &self.people {
            share(server, caller, name, connectors).await?;
        }
        if self.retention.is_some() {
            for connector in connectors {
                self.keep(server, caller, connector).await?;
            }
        }
        Ok(())
    }

    fn policy(&self, connector: &str, server: &Server) -> Result<model::Policy, Problem> {
        let body =
            json!({ "name": connector, "connectors": [connector], "retention": self.retention });
        let body: PolicyBody = serde_json::from_value(body)
            .map_err(|error| Problem::refused("policy-refused", error.to_string()))?;
        body.policy(None, server.control.clock.now())
    }

    /// A policy of the connector's own, with the usual schedule.
    async fn keep(&self, server: &Server, caller: &Caller, connector: &str) -> Result<(), Problem> {
        let control = &server.control;
        let mut policy = self.policy(connector, server)?;
        let mut number = 1;
        while control.catalog.policy(&policy.name).await.is_ok() {
            number += 1;
            policy.name = format!("{connector}-{number}");
        }
        // Snapshots of the same organization may be there from before.
        if control.four_eyes().await? && control.would_shorten(None, Some(&policy)).await? {
            let kind = ProposalKind::ShortenRetention {
                policy: policy.name.clone(),
                version: 0,
                old: None,
                new: Some(Box::new(policy)),
            };
            server.propose(caller, &kind).await?;
            return Ok(());
        }
        control
            .catalog
            .add_policy(&policy, control.clock.now())
            .await?;
        let subject = format!("policy/{}", policy.name);
        let details = json!({ "policy": policy });
        server.audit(caller, "policy.add", &subject, details).await
    }
}

/// Adds connectors to those that somebody reaches; who reaches all of them does so anyway.
async fn share(
    server: &Server,
    caller: &Caller,
    name: &str,
    connectors: &[String],
) -> Result<(), Problem> {
    let catalog = &server.control.catalog;
    let person = catalog.person(name).await?;
    let Some(mut reached) = person.connectors else {
        return Ok(());
    };
    reached.extend(connectors.iter().map(|name| name.to_lowercase()));
    let details: Value = json!({ "connectors": reached });
    let change = PersonChange {
        connectors: Some(Some(reached)),
        ..PersonChange::default()
    };
    catalog.change_person(&person.id, &change).await?;
    let subject = format!("person/{}", person.name);
    server.audit(caller, "person.edit", &subject, details).await
}
