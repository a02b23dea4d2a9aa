//! What is set together with new connectors: who of those with limited reach may use them, and how long their snapshots are kept (K-10).

use control::{WizardAdded, WizardWishes};
use model::{Permission, Policy, ProposalKind};
use serde_json::json;

use super::dto::AddWizard;
use crate::access::Caller;
use crate::api::app_profiles;
use crate::api::policies::PolicyBody;
use crate::{Problem, Server};

/// What the last step of the wizard was told beside the connectors, if this caller may want it.
pub(super) fn wishes(
    server: &Server,
    caller: &Caller,
    request: &AddWizard,
    again: bool,
) -> Result<WizardWishes, Problem> {
    let refuse = |permission| Err(Problem::forbidden(permission));
    if again && (request.run_backup || request.retention.is_some() || !request.people.is_empty()) {
        return Err(Problem::field(
            "/connectors",
            "a connector that signs in again keeps its settings: `people`, `retention` and `run_backup` are for new ones",
        ));
    }
    if request.run_backup && !caller.may(Permission::RunBackups) {
        return refuse(Permission::RunBackups);
    }
    if !request.people.is_empty() && !caller.may(Permission::ManagePeople) {
        return refuse(Permission::ManagePeople);
    }
    let may_set = caller.may(Permission::ManagePolicies) && caller.connectors.is_none();
    if request.retention.is_some() && !may_set {
        return refuse(Permission::ManagePolicies);
    }
    let policy = request.retention.as_ref().map(|retention| {
        let mut body = json!({ "name": "own", "retention": retention });
        let within = &mut body["retention"]["within"];
        if within.is_null() {
            *within = json!(Policy::standard().retention.within);
        }
        let body: PolicyBody = serde_json::from_value(body)
            .map_err(|error| Problem::refused("policy-refused", error.to_string()))?;
        body.policy(None, server.control.clock.now())
    });
    Ok(WizardWishes {
        credential: request.credential_name.clone(),
        people: request.people.clone(),
        policy: policy.transpose()?,
        backup: request.run_backup,
    })
}

/// Writes down what was saved with the connectors, and proposes what waits for somebody else.
pub(super) async fn note(
    server: &Server,
    caller: &Caller,
    added: &WizardAdded,
) -> Result<(), Problem> {
    if let Some(profile) = &added.profile {
        app_profiles::note_added(server, caller, profile).await?;
    }
    for (name, connectors) in &added.people {
        let details = json!({ "connectors": connectors });
        let subject = format!("person/{name}");
        server
            .audit(caller, "person.edit", &subject, details)
            .await?;
    }
    for policy in &added.policies {
        let details = json!({ "policy": policy });
        let subject = format!("policy/{}", policy.name);
        server
            .audit(caller, "policy.add", &subject, details)
            .await?;
    }
    for policy in &added.unapproved {
        let kind = ProposalKind::ShortenRetention {
            policy: policy.name.clone(),
            version: 0,
            old: None,
            new: Some(Box::new(policy.clone())),
        };
        server.propose(caller, &kind).await?;
    }
    Ok(())
}
