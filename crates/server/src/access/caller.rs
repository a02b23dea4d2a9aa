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
    /// Something about the request is in the audit log.
    pub(crate) noted: Arc<AtomicBool>,
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
            noted: Arc::default(),
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
            noted: Arc::default(),
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

    /// Refuses to give, or take away, more than the caller has itself: nobody rises by an account that they make or change.
    pub(crate) fn may_grant(
        &self,
        roles: &BTreeSet<Role>,
        connectors: Option<&BTreeSet<String>>,
    ) -> Result<(), Problem> {
        let granted = |permission: &Permission| roles.iter().any(|role| role.may(*permission));
        let mut all = Permission::ALL.into_iter().filter(granted);
        let reached = match connectors {
            Some(names) => names.iter().all(|name| self.reaches(name)),
            None => self.connectors.is_none(),
        };
        if reached && all.all(|permission| self.may(permission)) {
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

    /// Says that the request, in spite of its method, changes nothing: it leaves no trace in the audit log.
    pub fn only_reads(&self) {
        self.noted.store(true, Ordering::Relaxed);
    }

    /// Who asks, for [`control::Control::propose`].
    pub fn requester(&self) -> Requester {
        Requester {
            person: self.person.clone(),
            name: self.name.clone(),
        }
    }
}
