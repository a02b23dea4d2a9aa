//! The catalog's error: every case that a person can act on has a code.

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the catalog refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the catalog database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the catalog's address `{url}` is neither sqlite: nor postgres://")]
    Address { url: String },
    #[error("the catalog has schema {found}, this program knows up to {known}")]
    NewerSchema { found: i64, known: i64 },
    /// A stored value that this program cannot have written.
    #[error("the catalog holds a damaged value: {what}")]
    Damaged { what: String },
    /// What was given as the beginning of a page is none.
    #[error("there is no such page")]
    Cursor,
    /// Acceptance line SRE-51, word for word.
    #[error("A connector with this name already exists")]
    ConnectorExists { name: String },
    /// Acceptance line SRE-50, word for word.
    #[error("A connector for this organization already exists")]
    OrganizationExists { organization: String },
    /// What is at work on it knows its name.
    #[error("a run of connector `{name}` waits or is at work")]
    ConnectorBusy { name: String },
    /// Somebody else changed it since it was read.
    #[error("connector `{name}` was changed meanwhile")]
    ConnectorChanged { name: String },
    #[error("there is no connector `{name}`")]
    ConnectorUnknown { name: String },
    #[error("there is a credential `{name}` already")]
    CredentialExists { name: String },
    #[error("there is an app profile `{name}` already")]
    AppProfileExists { name: String },
    #[error("app profile `{name}` is of this app in this tenant already")]
    AppProfileThere { name: String },
    #[error("there is no app profile `{name}`")]
    AppProfileUnknown { name: String },
    #[error("app profile `{name}` is still signed in through by {users}")]
    AppProfileInUse { name: String, users: String },
    /// Ended, expired, or of somebody else: whoever asks cannot tell which.
    #[error("there is no such sign-in under way, or it has expired")]
    ConnectSessionUnknown,
    /// Somebody else changed it meanwhile.
    #[error("this sign-in was continued elsewhere meanwhile")]
    ConnectSessionChanged,
    #[error("there is no credential `{name}`")]
    CredentialUnknown { name: String },
    #[error("credential `{name}` is used by {users}")]
    CredentialInUse { name: String, users: String },
    /// The key-encryption key is not the one that sealed the secret, or the row was tampered with.
    #[error("credential `{name}` cannot be decrypted with this key")]
    WrongKey { name: String },
    #[error("a repository named `{name}` or at `{location}` is already known")]
    RepositoryExists { name: String, location: String },
    #[error("there is no repository `{name}`")]
    RepositoryUnknown { name: String },
    #[error("a notification channel named `{name}` already exists")]
    ChannelExists { name: String },
    #[error("there is no notification channel `{name}`")]
    ChannelUnknown { name: String },
    #[error("there is no alarm `{key}`")]
    AlarmUnknown { key: String },
    #[error("there is no run {id}")]
    RunUnknown { id: String },
    #[error("a policy named `{name}` already exists")]
    PolicyExists { name: String },
    #[error("there is no policy `{name}`")]
    PolicyUnknown { name: String },
    /// Somebody else changed it since it was read.
    #[error("policy `{name}` was changed meanwhile")]
    PolicyChanged { name: String },
    /// Somebody else changed it since it was read.
    #[error("{what} was changed meanwhile")]
    SettingsChanged { what: String },
    /// How long snapshots stay was changed since it was judged what another change of that would do.
    #[error("how long snapshots are kept was changed meanwhile")]
    RulesChanged,
    #[error("a worker named `{name}` already exists")]
    WorkerExists { name: String },
    #[error("there is no worker `{name}`")]
    WorkerUnknown { name: String },
    #[error("there is no job {id}")]
    JobUnknown { id: String },
    /// Another worker claimed the job, or the job has ended: stop writing.
    #[error("job {job} is no longer held with token {token}")]
    Superseded { job: String, token: i64 },
    /// Nobody took the job over yet, but somebody may: send a heartbeat first.
    #[error("the lease of job {job} has expired")]
    LeaseExpired { job: String },
    #[error("job {job} is to be canceled")]
    Canceled { job: String },
    #[error("there is no snapshot {id}")]
    SnapshotUnknown { id: String },
    #[error("{} snapshots begin with {prefix}: {}", candidates.len(), candidates.join(", "))]
    SnapshotAmbiguous {
        prefix: String,
        candidates: Vec<String>,
    },
    /// The same item came twice in the rows of one snapshot.
    #[error("the rows of snapshot {snapshot} hold an item twice")]
    DuplicateItem { snapshot: String },
    #[error("somebody named `{name}` already has an account")]
    PersonExists { name: String },
    #[error("nobody named `{name}` has an account")]
    PersonUnknown { name: String },
    /// Nobody could manage accounts afterwards.
    #[error("nobody else is an administrator who may sign in")]
    LastAdministrator,
    #[error("the token of the first start is wrong, was used, or somebody has an account")]
    SetupRefused,
    #[error("there is no proposal {id}")]
    ProposalUnknown { id: String },
    #[error("proposal {id} is {state}")]
    ProposalClosed { id: String, state: String },
    /// It was altered in the database, or the approver saw another one.
    #[error("proposal {id} is not the one that was shown")]
    ProposalChanged { id: String },
    #[error("there is no restore plan {id}")]
    PlanUnknown { id: String },
    #[error("restore plan {id} was never completed: plan again")]
    PlanIncomplete { id: String },
    #[error("a run is at work on restore plan {id}")]
    PlanBusy { id: String },
    #[error("restore plan {id} is not waiting to be applied")]
    PlanStarted { id: String },
    #[error("restore plan {id} is done")]
    PlanClosed { id: String },
    #[error("restore plan {plan} has no step {position}")]
    StepUnknown { plan: String, position: u64 },
}

impl Error {
    /// The stable code that `keepward explain` knows, or `None` where only the message helps.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Database(error) if is_full(error) => Some("disk-full"),
            Self::Database(error) if is_damaged(error) => Some("catalog-damaged"),
            Self::Database(_)
            | Self::JobUnknown { .. }
            | Self::LeaseExpired { .. }
            | Self::Canceled { .. }
            | Self::DuplicateItem { .. }
            | Self::StepUnknown { .. } => None,
            Self::Address { .. } => Some("catalog-address"),
            Self::NewerSchema { .. } => Some("catalog-newer"),
            Self::Damaged { .. } => Some("catalog-damaged"),
            Self::Cursor => Some("page-cursor"),
            Self::ConnectorBusy { .. } => Some("run-busy"),
            Self::ConnectorChanged { .. } => Some("connector-changed"),
            Self::ConnectorExists { .. } => Some("connector-name-taken"),
            Self::OrganizationExists { .. } => Some("organization-taken"),
            Self::CredentialExists { .. } => Some("credential-exists"),
            Self::AppProfileExists { .. } | Self::AppProfileThere { .. } => {
                Some("app-profile-exists")
            }
            Self::AppProfileUnknown { .. } => Some("app-profile-unknown"),
            Self::AppProfileInUse { .. } => Some("app-profile-in-use"),
            Self::ConnectSessionUnknown => Some("connect-session-unknown"),
            Self::ConnectSessionChanged => Some("connect-session-changed"),
            Self::ConnectorUnknown { .. } => Some("connector-unknown"),
            Self::CredentialUnknown { .. } => Some("credential-unknown"),
            Self::CredentialInUse { .. } => Some("credential-in-use"),
            Self::WrongKey { .. } => Some("vault-key-wrong"),
            Self::RepositoryExists { .. } => Some("repository-exists"),
            Self::RepositoryUnknown { .. } => Some("repository-not-found"),
            Self::ChannelExists { .. } => Some("channel-exists"),
            Self::ChannelUnknown { .. } => Some("channel-unknown"),
            Self::AlarmUnknown { .. } => Some("alarm-unknown"),
            Self::RunUnknown { .. } => Some("run-unknown"),
            Self::PolicyExists { .. } => Some("policy-exists"),
            Self::PolicyUnknown { .. } => Some("policy-unknown"),
            Self::PolicyChanged { .. } => Some("policy-changed"),
            Self::SettingsChanged { .. } => Some("settings-changed"),
            Self::RulesChanged => Some("rules-changed"),
            Self::WorkerExists { .. } => Some("worker-exists"),
            Self::WorkerUnknown { .. } => Some("worker-unknown"),
            Self::Superseded { .. } => Some("job-superseded"),
            Self::SnapshotUnknown { .. } => Some("snapshot-unknown"),
            Self::SnapshotAmbiguous { .. } => Some("snapshot-ambiguous"),
            Self::PlanUnknown { .. } => Some("plan-unknown"),
            Self::PlanIncomplete { .. } => Some("plan-incomplete"),
            Self::PlanBusy { .. } => Some("plan-busy"),
            Self::PlanStarted { .. } => Some("plan-started"),
            Self::PlanClosed { .. } => Some("plan-closed"),
            Self::PersonExists { .. } => Some("person-exists"),
            Self::PersonUnknown { .. } => Some("person-unknown"),
            Self::LastAdministrator => Some("last-administrator"),
            Self::SetupRefused => Some("setup-refused"),
            Self::ProposalUnknown { .. } => Some("proposal-unknown"),
            Self::ProposalClosed { .. } => Some("proposal-closed"),
            Self::ProposalChanged { .. } => Some("proposal-changed"),
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    pub(crate) fn is_unique(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// PostgreSQL's `query_canceled`: the statement was given only so long.
    pub(crate) fn is_canceled(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some("57014"))
    }

    pub(crate) fn is_foreign_key(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_foreign_key_violation())
    }
}

/// `SQLITE_FULL` (13), no room for the memory that its readers share (`SQLITE_IOERR_SHMSIZE`, 4874), and PostgreSQL's `disk_full` (53100).
fn is_full(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if matches!(error.code().as_deref(), Some("13" | "4874" | "53100")))
}

/// `SQLITE_CORRUPT` (11) and `SQLITE_NOTADB` (26) with whatever details lie above their lowest byte, and PostgreSQL's `data_corrupted` and
/// `index_corrupted`.
fn is_damaged(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return false;
    };
    let Some(code) = error.code() else {
        return false;
    };
    if error
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_none()
    {
        return matches!(&*code, "XX001" | "XX002");
    }
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 11 | 26))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_can_be_explained() {
        let text = String::new;
        let errors = [
            Error::Address { url: text() },
            Error::NewerSchema { found: 2, known: 1 },
            Error::Damaged { what: text() },
            Error::ConnectorBusy { name: text() },
            Error::ConnectorChanged { name: text() },
            Error::ConnectorExists { name: text() },
            Error::OrganizationExists {
                organization: text(),
            },
            Error::CredentialExists { name: text() },
            Error::AppProfileExists { name: text() },
            Error::AppProfileThere { name: text() },
            Error::AppProfileUnknown { name: text() },
            Error::AppProfileInUse {
                name: text(),
                users: text(),
            },
            Error::ConnectSessionUnknown,
            Error::ConnectSessionChanged,
            Error::ConnectorUnknown { name: text() },
            Error::CredentialUnknown { name: text() },
            Error::CredentialInUse {
                name: text(),
                users: text(),
            },
            Error::WrongKey { name: text() },
            Error::RepositoryExists {
                name: text(),
                location: text(),
            },
            Error::RepositoryUnknown { name: text() },
            Error::ChannelExists { name: text() },
            Error::ChannelUnknown { name: text() },
            Error::AlarmUnknown { key: text() },
            Error::RunUnknown { id: text() },
            Error::PolicyExists { name: text() },
            Error::PolicyUnknown { name: text() },
            Error::PolicyChanged { name: text() },
            Error::SettingsChanged { what: text() },
            Error::RulesChanged,
            Error::WorkerExists { name: text() },
            Error::WorkerUnknown { name: text() },
            Error::Superseded {
                job: text(),
                token: 1,
            },
            Error::SnapshotUnknown { id: text() },
            Error::SnapshotAmbiguous {
                prefix: text(),
                candidates: Vec::new(),
            },
            Error::PlanUnknown { id: text() },
            Error::PlanIncomplete { id: text() },
            Error::PlanBusy { id: text() },
            Error::PlanStarted { id: text() },
            Error::PlanClosed { id: text() },
            Error::PersonExists { name: text() },
            Error::PersonUnknown { name: text() },
            Error::LastAdministrator,
            Error::SetupRefused,
            Error::ProposalUnknown { id: text() },
            Error::ProposalClosed {
                id: text(),
                state: text(),
            },
            Error::ProposalChanged { id: text() },
        ];
        for error in errors {
            let code = error.code().unwrap();
            assert!(model::code::find(code).is_some(), "{code}");
        }
    }
}
