//! What waits for a second pair of eyes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Policy;

/// What would be done once another person approves. It names everything: the approver sees what the executor does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProposalKind {
    /// Forgets these snapshots, by their full ids.
    ForgetSnapshots {
        repository: String,
        snapshots: Vec<String>,
    },
    /// Replaces a policy by one that keeps less; removes it, or adds one that takes connectors from others that keep more.
    ShortenRetention {
        policy: String,
        /// What it replaces: a policy that was changed since is left alone. 0 where there is none.
        version: i64,
        /// `None` for one that is to be added.
        old: Option<Box<Policy>>,
        /// `None` for one that is to be removed.
        new: Option<Box<Policy>>,
    },
    /// Uses another repository when none is named: policies that name none keep less in the one before.
    MoveDefaultRepository {
        repository: String,
        /// Which it is until then; one that was chosen meanwhile stays.
        before: Option<String>,
    },
    /// Forgets where a repository is, which policies that name none were for.
    RemoveRepository {
        repository: String,
        /// Its own id: another one of the name stays.
        id: String,
    },
    /// Does without approvals from then on.
    SwitchOffFourEyes,
}

impl ProposalKind {
    /// As in its JSON document.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ForgetSnapshots { .. } => "forget-snapshots",
            Self::ShortenRetention { .. } => "shorten-retention",
            Self::MoveDefaultRepository { .. } => "move-default-repository",
            Self::RemoveRepository { .. } => "remove-repository",
            Self::SwitchOffFourEyes => "switch-off-four-eyes",
        }
    }

    /// What it is about, as in the audit log.
    pub fn subject(&self) -> String {
        match self {
            Self::ForgetSnapshots { repository, .. }
            | Self::MoveDefaultRepository { repository, .. }
            | Self::RemoveRepository { repository, .. } => format!("repository/{repository}"),
            Self::ShortenRetention { policy, .. } => format!("policy/{policy}"),
            Self::SwitchOffFourEyes => "setting/four-eyes".to_owned(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProposalState {
    Open,
    /// Approved, and being done.
    Executing,
    Done,
    /// Approved, and refused or interrupted when it was to be done; it is not tried again.
    Failed,
    Rejected,
    /// By who asked for it.
    Withdrawn,
    Expired,
}

/// Something that a person asked for and another one must approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub id: String,
    pub kind: ProposalKind,
    /// Of the stored `kind`; whoever approves says which they saw.
    pub hash: String,
    /// The person's id, `None` for the machine's administrator. A token stands for its owner.
    pub requester: Option<String>,
    pub requester_name: String,
    pub created: Timestamp,
    pub expires: Timestamp,
    pub state: ProposalState,
    pub decided_by: Option<String>,
    pub decided: Option<Timestamp>,
    /// What came of it, or the reason for the rejection.
    pub result: Option<String>,
}
