//! What a run came to: the one definition that exit codes, metrics, notifications and the console use.

use serde::{Deserialize, Serialize};

use crate::RunState;

/// How a run ended. A warning is no failure, and no success either: something in it wants to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Success,
    /// It did its work, with issues.
    Warning,
    Failure,
    /// Somebody wanted it to end.
    Canceled,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Success, Self::Warning, Self::Failure, Self::Canceled];

    /// `None` while the run has not ended.
    pub fn of(state: RunState) -> Option<Self> {
        match state {
            RunState::Queued | RunState::Running => None,
            RunState::Succeeded => Some(Self::Success),
            RunState::SucceededWithIssues => Some(Self::Warning),
            RunState::Failed => Some(Self::Failure),
            RunState::Canceled => Some(Self::Canceled),
        }
    }

    /// As metrics and notifications name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failure => "failure",
            Self::Canceled => "canceled",
        }
    }
}
