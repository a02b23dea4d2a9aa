//! What is wrong although nobody started anything.

use serde::{Deserialize, Serialize};

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// A connector has no good backup within its objective.
    BackupOverdue,
    CredentialExpiring,
    /// Projects, repositories or users that no policy protects.
    Unprotected,
    StorageFilling,
    /// A disk that holds a repository does not answer.
    StorageSilent,
    /// Nothing in a repository was verified for too long.
    VerificationOverdue,
    /// The connector cannot sign in.
    SignInNeeded,
    /// A check or a verification found that something stored is damaged.
    DamageFound,
    /// What is to be done by itself for a repository was not done for too long.
    MaintenanceOverdue,
    /// The connector's token is for all organizations of its owner: the service stops such tokens.
    GlobalToken,
}

impl AlarmKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::BackupOverdue => "backup-overdue",
            Self::CredentialExpiring => "credential-expiring",
            Self::Unprotected => "unprotected",
            Self::StorageFilling => "storage-filling",
            Self::StorageSilent => "storage-silent",
            Self::VerificationOverdue => "verification-overdue",
            Self::SignInNeeded => "sign-in-needed",
            Self::DamageFound => "damage-found",
            Self::MaintenanceOverdue => "maintenance-overdue",
            Self::GlobalToken => "global-token",
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmLevel {
    /// There is time.
    Notice,
    /// Within days.
    Warning,
    /// Now.
    Critical,
}

/// Something that is wrong at the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    pub kind: AlarmKind,
    /// The connector, credential or repository.
    pub subject: String,
    /// The connector that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    pub level: AlarmLevel,
    pub message: String,
    /// What a person can do.
    pub hint: String,
}

impl Alarm {
    /// The same for the same trouble, whenever it is looked at.
    pub fn key(&self) -> String {
        format!("{}/{}", self.kind.name(), self.subject.to_lowercase())
    }
}
