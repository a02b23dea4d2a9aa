//! What the requests have cost so far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::rate::Rate;

/// Totals of a client and all that were made from it by `tagged`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Every request that was sent, repetitions and redirects included.
    pub requests: u64,
    /// Bytes of bodies, after decompression.
    pub bytes: u64,
    /// (requests, bytes) by kind; requests of no kind are under the empty name.
    pub by_kind: BTreeMap<&'static str, (u64, u64)>,
    /// What the service last said is left of the identity's budget.
    pub budget_left: Option<f64>,
    /// Time that requests spent waiting because the service asked for it or failed; simultaneous waits add up.
    pub waited: Duration,
}

#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) requests: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) rate: Arc<Rate>,
}

#[derive(Default)]
pub(crate) struct Counters {
    by_kind: Mutex<BTreeMap<&'static str, Arc<Counter>>>,
    waited_micros: AtomicU64,
    pub(crate) rate: Arc<Rate>,
}

impl Counters {
    pub(crate) fn of(&self, kind: &'static str) -> Arc<Counter> {
        let mut by_kind = self.by_kind.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(Counter {
                rate: Arc::clone(&self.rate),
                ..Counter::default()
            })
        };
        Arc::clone(by_kind.entry(kind).or_insert_with(new))
    }

    pub(crate) fn waited(&self, time: Duration) {
        self.waited_micros
            .fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(crate) fn usage(&self, budget_left: Option<f64>) -> Usage {
        let by_kind = self.by_kind.lock().unwrap_or_else(PoisonError::into_inner);
        let mut usage = Usage {
            budget_left,
            waited: Duration::from_micros(self.waited_micros.load(Relaxed)),
            ..Usage::default()
        };
        for (kind, counter) in by_kind.iter() {
            let pair = (counter.requests.load(Relaxed), counter.bytes.load(Relaxed));
            usage.requests += pair.0;
            usage.bytes += pair.1;
            if pair != (0, 0) {
                usage.by_kind.insert(kind, pair);
            }
        }
        usage
    }
}
