//! Keeps the issues that pass by on their way to the one who watches.

use std::sync::{Arc, Mutex, PoisonError};

use model::{Event, Issue, Reporter};

/// Issues of one run that are kept; more would only repeat themselves.
const KEPT: usize = 10_000;

pub(crate) struct Observed {
    inner: Arc<dyn Reporter>,
    issues: Mutex<Vec<Issue>>,
}

impl Observed {
    pub(crate) fn new(inner: Arc<dyn Reporter>) -> Self {
        Self {
            inner,
            issues: Mutex::default(),
        }
    }

    pub(crate) fn take(&self) -> Vec<Issue> {
        std::mem::take(&mut self.issues.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reporter for Observed {
    fn report(&self, event: Event) {
        if let Event::Issue { issue } = &event {
            let mut issues = self.issues.lock().unwrap_or_else(PoisonError::into_inner);
            if issues.len() < KEPT {
                issues.push(issue.clone());
            }
        }
        self.inner.report(event);
    }
}
