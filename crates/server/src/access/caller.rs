//! Who calls.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use catalog::{PersonRow, Requester};
use model::{Permission, Role};

use super::ClientLine;
use crate::Problem;

/// How a caller proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// The command line in the process that holds the data directory.
    Local,
    Person,
    /// A program with a token of a person.
    Token,
    Worker,
    /// What an identity provider says about somebody who signs in.
    IdentityProvider,
}

impl CallerKind {
    /// As in the audit log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local-administrator",
            Self::Person => "person",
            Self::Token => "token",
            Self::Worker => "worker",
            Self::IdentityProvider => "identity-provider",
        }
    }
}

/// What a request leaves beside its answer.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Something about it is in the audit log.
    pub(super) noted: AtomicBool,
    /// It changes nothing.
    pub(super) only_read: AtomicBool,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// As in the audit log: `anna`, or `anna/nightly` for her token of that name.
    pub name: String,
    pub kind: CallerKind,
    pub roles: BTreeSet<Role>,
    /// In lower case; `None` is all.
    pub connectors: Option<BTreeSet<String>>,
    /// The id of the person, also behind a token.
    pub person: Option<String>,
    /// The id of the session or token.
    pub proof: Option<String>,
    /// A token has at most these; `None` for whatever the roles allow.
    pub scopes: Option<BTreeSet<Permission>>,
    /// Where it calls from, and the id of the request, for the audit log.
    pub address: Option<String>,
    pub request: Option<String>,
    pub(crate) trace: Arc<Trace>,
}

impl Caller {
    /// The administrator who can read the data directory anyway.
    pub fn local() -> Self {
        Self {
            name: "local".to_owned(),
            kind: CallerKind::Local,
            roles: BTreeSet::from([Role::Admin]),
            connectors: None,
            person: None,
            proof: None,
            scopes: None,
            address: None,
            request: None,
            trace: Arc::default(),
        }
    }

    /// The same, calling from there.
    pub(super) fn from(self, client: &ClientLine) -> Self {
        Self {
            address: client.text(),
            request: client.request.clone(),
            ..self
        }
    }

    pub(super) fn person(person: PersonRow, session: String) -> Self {
        Self {
            name: person.name,
            kind: CallerKind::Person,
            roles: person.roles,
            connectors: person.connectors,
            person: Some(person.id),
            proof: Some(session),
            scopes: None,
            address: None,
            request: None,
            trace: Arc::default(),
        }
    }

    pub fn may(&self, permission: Permission) -> bool {
        // What a token may not do it may still ask who it is.
        let scoped = self
            .scopes
            .as_ref()
            .is_none_or(|scopes| permission == Permission::Own || scopes.contains(&permission));
        scoped && self.roles.iter().any(|role| role.may(permission))
    }

    /// Everything that it may.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        let all = Permission::ALL.into_iter();
        all.filter(|permission| self.may(*permission)).collect()
    }

    /// Names are compared without regard to case, as the catalog does.
    pub fn reaches(&self, connector: &str) -> bool {
        self.connectors
            .as_ref()
            .is_none_or(|names| names.contains(&connector.to_lowercase()))
    }

    /// Refuses who reaches some connectors alone to decide about what is for all of them.
    pub(super) fn reaches_all(&self) -> Result<(), Problem> {
        if self.connectors.is_none() {
            return Ok(());
        }
        Err(Problem::new(
            axum::http::StatusCode::FORBIDDEN,
            "reach-missing",
            "this is about all connectors, and this account or token reaches some of them alone",
        ))
    }

    /// Those of these names that it may know of.
    pub(crate) fn reached(&self, names: BTreeSet<String>) -> BTreeSet<String> {
        names
            .into_iter()
            .filter(|name| self.reaches(name))
            .collect()
    }

    /// Whether it may all of this, and reaches all of these connectors; `None` is all there are.
    pub(crate) fn has(
        &self,
        permissions: &BTreeSet<Permission>,
        connectors: Option<&BTreeSet<String>>,
    ) -> bool {
        let reached = match connectors {
            Some(names) => names.iter().all(|name| self.reaches(name)),
            None => self.connectors.is_none(),
        };
        reached && permissions.iter().all(|one| self.may(*one))
    }

    /// Who it is, for good: names come back with other people and with other tokens, ids do not.
    pub(crate) fn identity(&self) -> String {
        let id = match self.kind {
            CallerKind::Token => self.proof.as_deref(),
            _ => self.person.as_deref(),
        };
        format!("{}/{}", self.kind.word(), id.unwrap_or(&self.name))
    }

    /// Refuses to give, or take away, more than the caller has itself: nobody rises by an account that they make or change.
    pub(crate) fn may_grant(
        &self,
        roles: &BTreeSet<Role>,
        connectors: Option<&BTreeSet<String>>,
    ) -> Result<(), Problem> {
        let granted = |permission: &Permission| roles.iter().any(|role| role.may(*permission));
        let all = Permission::ALL.into_iter().filter(granted).collect();
        if self.has(&all, connectors) {
            return Ok(());
        }
        Err(Problem::new(
            axum::http::StatusCode::FORBIDDEN,
            "role-missing",
            "this account or token cannot decide about more roles and connectors than it has itself",
        ))
    }

    /// The person itself, in a session of its own: what a stolen token must not be able to do.
    pub(crate) fn in_person(&self) -> Result<&str, Problem> {
        match (self.kind, &self.person) {
            (CallerKind::Person, Some(person)) => Ok(person),
            _ => Err(Problem::new(
                axum::http::StatusCode::FORBIDDEN,
                "person-needed",
                "only a person who is signed in can do this, for their own account",
            )),
        }
    }

    /// Says that the request, in spite of its method, changes nothing: it leaves nothing in the audit log, and nobody hears of it.
    pub fn only_reads(&self) {
        self.trace.only_read.store(true, Ordering::Relaxed);
    }

    /// Who asks, for [`control::Control::propose`].
    pub fn requester(&self) -> Requester {
        Requester {
            person: self.person.clone(),
            name: self.name.clone(),
        }
    }
}
