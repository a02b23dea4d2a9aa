//! Restore plans: what a restore will do, before it does it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ItemRef, SourceId};

/// What to do when the target already has the item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    #[default]
    Skip,
    Replace,
    Duplicate,
}

/// Where a restore writes: through a connector, and only while it stands for the organization that the plan was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "to")]
pub enum RestoreTarget {
    /// The organization that the snapshot came from.
    Original { connector: String, source: SourceId },
    /// Another organization of the same service.
    Other { connector: String, source: SourceId },
}

impl RestoreTarget {
    pub fn connector(&self) -> &str {
        match self {
            Self::Original { connector, .. } | Self::Other { connector, .. } => connector,
        }
    }

    /// The organization that is written to.
    pub fn source(&self) -> &SourceId {
        match self {
            Self::Original { source, .. } | Self::Other { source, .. } => source,
        }
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Takes it out of the service's own recycle bin: keeps id and history.
    Undelete,
    Create,
    Replace,
    /// The target made it by itself (default team, root area): settings are merged into it.
    Merge,
    Skip,
    /// Cannot be written back; it can be exported.
    Export,
    /// Takes away what another plan made.
    Remove,
}

/// How a plan stands; whether all of its steps are there says [`RestorePlan::planned`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    Planning,
    /// It can be applied.
    Ready,
    /// Planning or applying ended with an error; the latter can be gone on with.
    Failed,
    Applying,
    Applied,
    AppliedWithIssues,
    /// As `Failed`, since somebody wanted it to end.
    Canceled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    Planned,
    /// The write was about to be sent: on resume look for it first.
    Intended,
    Done,
    /// Done and read back without a difference.
    Verified,
    /// Read back, and it differs.
    Differs,
    Failed,
    Skipped,
}

/// The head of a plan; its steps are rows of their own, paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePlan {
    pub id: String,
    pub snapshot: String,
    /// What the snapshot is of, also when that is forgotten; `None` of plans from before this was noted.
    #[serde(default)]
    pub source: Option<SourceId>,
    pub repository: String,
    pub target: RestoreTarget,
    pub conflict: Conflict,
    pub state: PlanState,
    pub created: Timestamp,
    /// When all of its steps were there; before that it cannot be applied.
    pub planned: Option<Timestamp>,
    /// What it takes back; its own snapshot is then the one that replaced items are put back from.
    pub undoes: Option<Undone>,
}

/// Somebody whom items of a plan name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanPerson {
    /// As the service writes it: `anna@contoso.com`.
    pub unique_name: String,
    pub name: String,
    /// How many items name this person.
    pub items: u64,
    /// The target knows the unique name.
    pub found: bool,
    /// Whose unique name is written instead; `None` leaves the person as stored.
    pub becomes: Option<String>,
    /// The target was asked for that name, and knows it.
    #[serde(default)]
    pub checked: bool,
}

/// The plan that another one takes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    pub plan: String,
    pub snapshot: String,
    pub repository: String,
    /// It wrote into the organization that its snapshot came from.
    pub original: bool,
}

/// What a plan wrote of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub item: ItemRef,
    /// Its id at the target.
    pub new_id: String,
    /// The plan made it there, and did not find it. Not known, and so not said, of what was written before this was noted.
    pub made: bool,
}

/// What another plan, from the same source into the same organization, made of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeBefore {
    pub item: ItemRef,
    /// The id that it got at the target.
    pub new_id: String,
    pub plan: String,
    /// That plan was carried to its end: the item is whole.
    pub finished: bool,
}

/// One item of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Order within the plan, from 0.
    pub position: u64,
    pub item: ItemRef,
    pub name: String,
    pub action: Action,
    /// Why it is skipped or exported, or in what that differs which it replaces, in words.
    pub reason: Option<String>,
    /// What will be lost, in words.
    pub losses: Vec<String>,
    pub state: StepState,
    /// The id at the target, once known.
    pub new_id: Option<String>,
    /// What went wrong or differs, once applied.
    pub detail: Option<String>,
    /// Which revision of what stands at the target the plan writes over. A later one is not written over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// The page of the restored item at the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
