//! Who may do what: roles and the permissions that operations name.

use serde::{Deserialize, Serialize};

/// What an operation needs. An operation names one; a role has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Sees connectors, policies, runs, issues, repositories and snapshots by their names and counts, never content.
    ReadStatus,
    /// Reads, searches, exports and downloads what was backed up.
    ReadContent,
    /// Starts, cancels and retries backups; acknowledges issues.
    RunBackups,
    /// Adds, signs in, edits and removes connectors, app profiles and credentials.
    ManageConnectors,
    /// Makes and changes policies and notifications.
    ManagePolicies,
    /// Makes and applies restore plans.
    Restore,
    /// Adds, checks, prunes and removes repositories; forgets snapshots.
    ManageRepositories,
    /// Approves what another person asked for (four eyes).
    Approve,
    /// Accounts, roles, sign-in by OIDC, sessions and tokens of others.
    ManagePeople,
    /// Reads the audit log.
    ReadAudit,
    /// Settings, workers, the vault's key.
    ManageServer,
    /// Its own account, sessions and tokens: everyone who is signed in.
    Own,
}

impl Permission {
    pub const ALL: [Self; 12] = [
        Self::ReadStatus,
        Self::ReadContent,
        Self::RunBackups,
        Self::ManageConnectors,
        Self::ManagePolicies,
        Self::Restore,
        Self::ManageRepositories,
        Self::Approve,
        Self::ManagePeople,
        Self::ReadAudit,
        Self::ManageServer,
        Self::Own,
    ];
}

/// What a person or a token is; each adds permissions, none takes any away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Viewer,
    /// The Standard User of acceptance line SRE-01.
    Operator,
    Restorer,
    /// The Administrator of acceptance line SRE-01.
    Admin,
    Auditor,
}

impl Role {
    pub const ALL: [Self; 5] = [
        Self::Viewer,
        Self::Operator,
        Self::Restorer,
        Self::Admin,
        Self::Auditor,
    ];

    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Viewer => matches!(permission, P::ReadStatus | P::Own),
            Self::Operator => matches!(
                permission,
                P::ReadStatus | P::RunBackups | P::ManageConnectors | P::ManagePolicies | P::Own
            ),
            Self::Restorer => matches!(
                permission,
                P::ReadStatus | P::ReadContent | P::Restore | P::Own
            ),
            Self::Admin => true,
            Self::Auditor => matches!(permission, P::ReadStatus | P::ReadAudit | P::Own),
        }
    }
}
