//! Whether and when a request is repeated.

use std::time::Duration;

use crate::Error;

const FIRST: Duration = Duration::from_millis(500);

/// What a failure says about repeating the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It would fare no better.
    Never,
    /// It was not done, and the trouble may last long: one more try.
    Once,
    /// It was certainly not done: any request may be sent again.
    Always,
    /// It may have been done: only a request that changes nothing may be sent again.
    IfSafe,
}

impl Repeat {
    /// `attempt` counts from 1.
    pub(crate) fn allows(self, attempt: u32, attempts: u32, safe: bool) -> bool {
        attempt < attempts
            && match self {
                Self::Never => false,
                Self::Once => attempt < 2,
                Self::Always => true,
                Self::IfSafe => safe,
            }
    }
}

/// A failed attempt.
pub(crate) struct Trouble {
    pub(crate) error: Error,
    pub(crate) repeat: Repeat,
}

impl Trouble {
    pub(crate) fn new(repeat: Repeat, error: Error) -> Self {
        Self { error, repeat }
    }
}

/// Full jitter: anything up to a limit that doubles with each attempt.
pub(crate) fn pause(attempt: u32, longest: Duration) -> Duration {
    let limit = FIRST.saturating_mul(1 << attempt.min(16)).min(longest);
    limit.mul_f64(rand::random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unclear_failure_repeats_only_what_is_safe() {
        assert!(Repeat::IfSafe.allows(1, 5, true));
        assert!(!Repeat::IfSafe.allows(1, 5, false));
        assert!(Repeat::Always.allows(4, 5, false));
        assert!(!Repeat::Always.allows(5, 5, true));
        assert!(Repeat::Once.allows(1, 5, false) && !Repeat::Once.allows(2, 5, true));
        assert!(!Repeat::Never.allows(1, 5, true));
    }

    #[test]
    fn pauses_stay_under_the_cap() {
        for attempt in 1..100 {
            assert!(pause(attempt, Duration::from_secs(3)) <= Duration::from_secs(3));
        }
    }
}
