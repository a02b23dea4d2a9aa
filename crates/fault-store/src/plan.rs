//! What goes wrong.

use std::fmt;

/// What goes wrong from [`crate::FaultStore::arm`] on; operations are counted from 0. The default is a store without faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Decides wherever there is a choice.
    pub seed: u64,
    /// Operations of a thousand that fail. A write that fails may have had its effect.
    pub errors: u32,
    /// This operation and all later ones fail, without effect.
    pub down_from: Option<u64>,
    /// So many puts and deletes pass, and all later ones fail, without effect.
    pub writes: Option<u64>,
    /// The process dies in this operation: it and all later ones never return.
    pub crash_at: Option<u64>,
    /// Bytes that can still be written; removing frees none.
    pub room: Option<u64>,
    /// A put that fails, or in which the process dies, may leave the first part of the file under its name.
    pub torn: bool,
    /// Most operations for which a new object is neither listed nor found.
    pub late: u64,
    /// Most times that an operation lets others go first.
    pub delay: u32,
    /// Deletes of a thousand that are answered as if someone else had been first.
    pub twice: u32,
    /// Puts that were acknowledged since the plan began may be gone or torn after a crash.
    pub forgetful: bool,
    /// Puts of a thousand, of what lies in a folder `data`, that are acknowledged and leave nothing.
    pub swallow: u32,
}

/// One fault that came true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Of the operation, since the plan began.
    pub number: u64,
    /// As `put data/3f/3f…`.
    pub operation: String,
    pub fault: &'static str,
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.number, self.operation, self.fault)
    }
}

/// What happens to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Fail(Effect),
    Die(Effect),
    /// A delete that is done and answered with "not found".
    Twice,
    /// A put for which there is no room.
    Full(Effect),
    /// A put that is acknowledged and leaves nothing.
    Swallow,
}

/// What an operation that does not end well left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Whole,
    Torn,
}

impl Verdict {
    pub(crate) fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Pass => return None,
            Self::Fail(Effect::None) => "failed",
            Self::Fail(Effect::Whole) => "failed after it was done",
            Self::Fail(Effect::Torn) => "failed half way",
            Self::Die(Effect::None) => "died before",
            Self::Die(Effect::Whole) => "died after",
            Self::Die(Effect::Torn) => "died half way",
            Self::Twice => "done, and told that it was not there",
            Self::Full(Effect::Torn) => "full half way",
            Self::Full(_) => "full",
            Self::Swallow => "acknowledged and not done",
        })
    }

    pub(crate) fn effect(self) -> Effect {
        match self {
            Self::Pass | Self::Twice => Effect::Whole,
            Self::Swallow => Effect::None,
            Self::Fail(effect) | Self::Die(effect) | Self::Full(effect) => effect,
        }
    }
}
