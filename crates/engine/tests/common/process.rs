//! Processes that can die, and the time that passes between them.

use std::future::Future;
use std::time::SystemTime;

use fault_store::{FaultStore, Plan};
use jiff::SignedDuration;

use crate::stand_in::Ticks;

impl Ticks {
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
