//! Hearing of what all runs of this process do.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use model::{Clock, Event, Reporter, Run, Waiting};

/// Hears of runs; must return at once.
pub trait RunObserver: Send + Sync {
    /// A run at work says how far it is.
    fn progress(&self, run: &str, event: &Event);
    /// A run was queued, began, waits or ended.
    fn changed(&self, run: &Run);
}

/// Nobody listens.
pub struct Unobserved;

impl RunObserver for Unobserved {
    fn progress(&self, _run: &str, _event: &Event) {}
    fn changed(&self, _run: &Run) {}
}

/// Passes a run's events on, and remembers what it waits for.
pub(crate) struct Tap {
    run: String,
    clock: Arc<dyn Clock>,
    to: Arc<dyn RunObserver>,
    waiting: Mutex<Option<Waiting>>,
}

impl Tap {
    pub(crate) fn new(run: &str, clock: Arc<dyn Clock>, to: Arc<dyn RunObserver>) -> Self {
        Self {
            run: run.to_owned(),
            clock,
            to,
            waiting: Mutex::default(),
        }
    }

    /// What it waits for now; a wait that is over is none.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let now = self.clock.now();
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting
            .clone()
            .filter(|waiting| waiting.until.is_none_or(|until| until > now))
    }
}

fn until(now: Timestamp, seconds: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds).ok()?;
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

impl Reporter for Tap {
    fn report(&self, event: Event) {
        if let Event::Waiting { seconds, reason } = &event {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            *waiting = Some(Waiting {
                code: "throttled".to_owned(),
                message: reason.clone(),
                until: until(self.clock.now(), *seconds),
            });
        }
        self.to.progress(&self.run, &event);
    }
}
