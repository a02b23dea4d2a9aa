//! Processes that can die, and the time that passes between them.

use std::future::Future;
use std::sync::Mutex;
use std::time::SystemTime;

use ::model::Clock;
use fault_store::{FaultStore, Plan};
use jiff::{SignedDuration, Timestamp};

/// A second passes whenever someone looks.
pub(crate) struct Ticks(Mutex<Timestamp>);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_secs(1);
        *now
    }
}

impl Ticks {
    pub(crate) fn new() -> Self {
        Self(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap()))
    }

    pub(crate) fn pass(&self, time: SignedDuration) {
        *self.0.lock().unwrap() += time;
    }

    /// Without letting time pass.
    pub(crate) fn peek(&self) -> SystemTime {
        SystemTime::from(*self.0.lock().unwrap())
    }
}

/// Runs a process to its end, or to its death in the store: what it started dies with it.
pub(crate) fn process<T>(
    store: &FaultStore,
    plan: Plan,
    work: impl Future<Output = T>,
) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    store.arm(plan);
    let done = runtime.block_on(async {
        tokio::select! {
            biased;
            () = store.crashed() => None,
            done = work => Some(done),
        }
    });
    runtime.shutdown_background();
    done
}
