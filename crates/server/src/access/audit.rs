//! Entries of the audit log.

use std::sync::atomic::Ordering;

use catalog::NewAudit;
use serde_json::Value;

use super::{Caller, ClientLine};
use crate::{Problem, Server};

/// How something that is in the log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Somebody was not let in, or a second person said no.
    Refused,
    Failed,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl Server {
    /// Notes what a caller did: `connector.add`, `connector/contoso`. Details never hold secrets.
    pub async fn audit(
        &self,
        caller: &Caller,
        action: &str,
        subject: &str,
        details: Value,
    ) -> Result<(), Problem> {
        self.audit_as(caller, action, subject, details, Outcome::Done)
            .await
    }

    /// As [`Server::audit`], for what did not simply succeed.
    pub async fn audit_as(
        &self,
        caller: &Caller,
        action: &str,
        subject: &str,
        details: Value,
        outcome: Outcome,
    ) -> Result<(), Problem> {
        caller.trace.noted.store(true, Ordering::Relaxed);
        self.note(NewAudit {
            time: self.control.clock.now(),
            kind: caller.kind.word().to_owned(),
            actor: caller.name.clone(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            outcome: outcome.word().to_owned(),
            details: details.to_string(),
            address: caller.address.clone(),
            request: caller.request.clone(),
        })
        .await
    }

    /// Notes who did not get in; the name is what they said.
    pub(crate) async fn audit_nobody(
        &self,
        name: &str,
        client: &ClientLine,
        action: &str,
        details: Value,
    ) -> Result<(), Problem> {
        self.note(NewAudit {
            time: self.control.clock.now(),
            kind: "nobody".to_owned(),
            actor: name.chars().take(128).collect(),
            action: action.to_owned(),
            subject: "session".to_owned(),
            outcome: Outcome::Refused.word().to_owned(),
            details: details.to_string(),
            address: client.text(),
            request: client.request.clone(),
        })
        .await
    }

    async fn note(&self, event: NewAudit) -> Result<(), Problem> {
        self.control.catalog.append_audit(&event).await?;
        Ok(())
    }
}
