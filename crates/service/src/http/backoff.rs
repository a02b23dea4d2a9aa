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

/// Who waits before the request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The service said until when; the gate knows.
    Told,
    /// All requests: the service is asked too much and did not say until when.
    Everyone,
    /// This request alone.
    Alone,
}

/// A failed attempt.
pub(crate) struct Trouble {
    pub(crate) error: Error,
    pub(crate) repeat: Repeat,
    pub(crate) pause: Pause,
    /// The service may not know the token any more, and is not just overworked.
    pub(crate) unauthorized: bool,
}

impl Trouble {
    pub(crate) fn new(repeat: Repeat, error: Error) -> Self {
        Self {
            error,
            repeat,
            pause: Pause::Alone,
            unauthorized: false,
        }
    }
}

/// Full jitter: anything up to a limit that doubles with each attempt.
pub(crate) fn pause(attempt: u32, longest: Duration) -> Duration {
    limit(FIRST, attempt, longest).mul_f64(rand::random_range(0.0..=1.0))
}

/// After throttling, where coming back at once would only make it worse.
pub(crate) fn slow(attempt: u32, longest: Duration) -> Duration {
    limit(FIRST * 4, attempt, longest).mul_f64(rand::random_range(0.5..=1.0))
}

fn limit(first: Duration, attempt: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << attempt.min(16)).min(longest)
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
            let slow = slow(attempt, Duration::from_secs(3));
            assert!(slow >= Duration::from_millis(1500) && slow <= Duration::from_secs(3));
        }
    }
}
