//! What happens, told to those who watch. The last events are kept in memory, so that a watcher who lost its connection misses none.

mod report;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Counters;

pub(crate) use stream::{Watched, sse};

/// Events that are kept: minutes of a busy server.
const KEPT: usize = 4096;

/// The place where events go; clones are the same place.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    /// Begins every id: a watcher of another life of the server is told to begin anew.
    life: String,
    counters: Arc<Counters>,
    ring: Mutex<Ring>,
    /// Runs at work, by their ids.
    told: Mutex<BTreeMap<String, report::Told>>,
    newest: watch::Sender<u64>,
    closed: CancellationToken,
}

#[derive(Default)]
struct Ring {
    events: VecDeque<Arc<Event>>,
    /// The number of the newest event; the first is 1.
    newest: u64,
}

/// One event as it is kept.
#[derive(Debug)]
pub(crate) struct Event {
    number: u64,
    /// The resource that it is about, as in the path: `runs`, `connectors`.
    pub(crate) topic: String,
    /// Its id or name there; empty where any of them may have changed.
    pub(crate) subject: String,
    /// Whoever does not reach this connector does not hear of it.
    pub(crate) connector: Option<String>,
    pub(crate) name: &'static str,
    pub(crate) data: Value,
}

impl Events {
    /// `life` is different each time the server starts.
    pub(crate) fn new(life: impl Into<String>, counters: Arc<Counters>) -> Self {
        Self(Arc::new(Inner {
            life: life.into(),
            counters,
            ring: Mutex::default(),
            told: Mutex::default(),
            newest: watch::Sender::new(0),
            closed: CancellationToken::new(),
        }))
    }

    /// Tells that `subject` of `topic` changed. `connector` is the one that a watcher must reach to hear of it.
    pub fn publish(
        &self,
        topic: &str,
        subject: &str,
        connector: Option<&str>,
        name: &'static str,
        data: &impl Serialize,
    ) {
        let data = match serde_json::to_value(data) {
            Ok(data) => data,
            Err(error) => {
                tracing::error!(%error, topic, "an event cannot be written");
                return;
            }
        };
        let mut ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.newest += 1;
        let event = Event {
            number: ring.newest,
            topic: topic.to_owned(),
            subject: subject.to_owned(),
            connector: connector.map(str::to_owned),
            name,
            data,
        };
        if ring.events.len() == KEPT {
            ring.events.pop_front();
        }
        ring.events.push_back(Arc::new(event));
        self.0.newest.send_replace(ring.newest);
    }

    /// Ends all streams: the server stops.
    pub(crate) fn close(&self) {
        self.0.closed.cancel();
    }

    /// Where a watcher stands who saw `id` last; `None` when what followed is no longer known.
    fn place(&self, id: &str) -> Option<u64> {
        let (life, number) = id.split_once('-')?;
        let number = number.parse().ok()?;
        let ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = ring
            .events
            .front()
            .map_or(ring.newest + 1, |event| event.number);
        let known = life == self.0.life && number <= ring.newest && number + 1 >= oldest;
        known.then_some(number)
    }

    fn newest(&self) -> u64 {
        *self.0.newest.borrow()
    }

    /// What came after `number`, or `None` when some of it is gone.
    fn after(&self, number: u64) -> Option<Vec<Arc<Event>>> {
        let ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = ring
            .events
            .front()
            .map_or(ring.newest + 1, |event| event.number);
        if number + 1 < oldest {
            return None;
        }
        let from = usize::try_from(number + 1 - oldest).unwrap_or(usize::MAX);
        Some(ring.events.iter().skip(from).cloned().collect())
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.0.life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(events: &Events, times: usize) {
        for _ in 0..times {
            events.publish("runs", "r", None, "progress", &());
        }
    }

    #[test]
    fn whoever_lost_the_connection_misses_nothing() {
        let events = Events::new("a", Arc::default());
        publish(&events, 3);
        assert_eq!(events.place("a-1"), Some(1));
        let numbers: Vec<u64> = events
            .after(1)
            .unwrap()
            .iter()
            .map(|event| event.number)
            .collect();
        assert_eq!(numbers, [2, 3]);
        assert!(events.after(3).unwrap().is_empty());
    }

    #[test]
    fn a_gap_is_noticed() {
        let events = Events::new("a", Arc::default());
        publish(&events, KEPT + 2);
        assert_eq!(events.place("a-1"), None);
        assert!(events.after(1).is_none());
        assert_eq!(events.after(2).unwrap().len(), KEPT);
    }

    #[test]
    fn ids_of_another_life_or_of_nobody_are_gaps() {
        let events = Events::new("a", Arc::default());
        publish(&events, 3);
        for id in ["b-1", "a-4", "a-", "a", "", "a--1"] {
            assert_eq!(events.place(id), None, "{id}");
        }
    }
}
