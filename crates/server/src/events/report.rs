//! Runs report here. Progress comes in bursts, and people need it once a second.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use control::RunObserver;
use model::{Event, Run};

use super::Events;

const PAUSE: Duration = Duration::from_secs(1);

struct Report(Events);

/// What was told of a run at work.
#[derive(Default)]
pub(super) struct Told {
    connector: String,
    /// When progress was told last.
    progress: Option<Instant>,
    /// How far it is, for whoever comes to look in the middle.
    far: Option<Event>,
    /// A listing that fails in a hundred projects says the same a hundred times.
    issues: BTreeSet<String>,
}

impl Events {
    /// For the queue and its workers.
    pub fn observer(&self) -> Arc<dyn RunObserver> {
        Arc::new(Report(self.clone()))
    }

    /// How far a run at work is, as the last event `progress` told it with the phase that it is in by now.
    pub(crate) fn how_far(&self, run: &str) -> Option<Event> {
        self.told().get(run)?.far.clone()
    }

    fn told(&self) -> MutexGuard<'_, BTreeMap<String, Told>> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunObserver for Report {
    fn progress(&self, run: &str, event: &Event) {
        let mut told = self.0.told();
        let told = told.entry(run.to_owned()).or_default();
        let name = match event {
            Event::Progress { .. } => {
                told.far = Some(event.clone());
                let now = Instant::now();
                if told
                    .progress
                    .is_some_and(|last| now.duration_since(last) < PAUSE)
                {
                    return;
                }
                told.progress = Some(now);
                "progress"
            }
            Event::Issue { issue } if !told.issues.insert(issue.message.clone()) => return,
            Event::Issue { .. } => "issue",
            Event::Phase { phase: now } => {
                if let Some(Event::Progress { phase, .. }) = &mut told.far {
                    now.clone_into(phase);
                }
                "phase"
            }
            Event::Waiting { seconds, .. } => {
                self.0.0.counters.throttled(&told.connector, *seconds);
                "waiting"
            }
            Event::Note { .. } => "note",
        };
        self.0
            .publish("runs", run, Some(&told.connector), name, event);
    }

    fn changed(&self, run: &Run) {
        let mut told = self.0.told();
        if run.finished.is_some() {
            told.remove(&run.id);
        } else {
            let told = told.entry(run.id.clone()).or_default();
            run.connector.clone_into(&mut told.connector);
            // It begins, or waits to begin again.
            told.far = None;
        }
        drop(told);
        let data = serde_json::json!({"id": run.id, "state": run.state, "snapshot": run.snapshot});
        self.0
            .publish("runs", &run.id, Some(&run.connector), "changed", &data);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn progress(items: u64) -> Event {
        Event::Progress {
            phase: "crawl".to_owned(),
            current: None,
            items,
            expected: None,
            bytes: 0,
            requests: 0,
            budget_left: None,
        }
    }

    #[test]
    fn progress_is_told_once_a_second_and_phases_always() {
        let events = Events::new("a", Arc::default());
        let observer = events.observer();
        for items in 0..100 {
            observer.progress("r1", &progress(items));
        }
        let phase = "write".to_owned();
        observer.progress("r1", &Event::Phase { phase });
        let names: Vec<&str> = events
            .after(0)
            .unwrap()
            .iter()
            .map(|event| event.name)
            .collect();
        assert_eq!(names, ["progress", "phase"]);
        // Who comes to look hears the newest of all, told or not.
        let far = events.how_far("r1");
        assert!(
            matches!(&far, Some(Event::Progress { phase, items: 99, .. }) if phase == "write"),
            "{far:?}"
        );
    }

    #[test]
    fn a_run_that_waits_to_begin_again_is_nowhere() {
        let events = Events::new("a", Arc::default());
        let observer = events.observer();
        observer.progress("r1", &progress(7));
        let run = serde_json::from_value(json!({
            "id": "r1", "kind": "backup", "connector": "contoso", "repository": "main", "state": "queued",
            "created": "2026-01-01T00:00:00Z", "counts": model::Counts::default(), "reason": "schedule",
        }));
        observer.changed(&run.unwrap());
        assert!(events.how_far("r1").is_none());
    }
}
