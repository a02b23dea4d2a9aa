//! This machine's clock beside the service's, which dates its answers (`Date`, RFC 9110, 6.6.1).

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use model::Clock;

/// What the way of an answer, rounding and sloppy clocks explain.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(10);

/// Compares the clocks with each answer; the last one counts.
#[derive(Default)]
pub(crate) struct Skew {
    clock: OnceLock<Arc<dyn Clock>>,
    ahead: Mutex<Option<SignedDuration>>,
}

impl Skew {
    pub(crate) fn watch(&self, clock: &Arc<dyn Clock>) {
        self.clock.get_or_init(|| Arc::clone(clock));
    }

    /// An answer came that the service dated so.
    pub(crate) fn note(&self, date: Timestamp) {
        if let Some(clock) = self.clock.get() {
            let ahead = clock.now().duration_since(date);
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
    }

    /// How far the clock is ahead, or behind if less than zero; `None` where that is no more than usual.
    pub(crate) fn found(&self) -> Option<SignedDuration> {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.filter(|ahead| ahead.abs() > TOLERANCE)
    }
}
