//! Reports of long work, at most one a second.

use std::time::{Duration, Instant};

use model::{Event, Reporter};

const APART: Duration = Duration::from_secs(1);

/// One phase of some work.
pub(crate) struct Progress<'a> {
    reporter: &'a dyn Reporter,
    phase: &'static str,
    expected: Option<u64>,
    items: u64,
    bytes: u64,
    last: Instant,
}

impl<'a> Progress<'a> {
    /// Says that the phase begins; `expected` items when that is known.
    pub(crate) fn begin(
        reporter: &'a dyn Reporter,
        phase: &'static str,
        expected: Option<u64>,
    ) -> Self {
        reporter.report(Event::Phase {
            phase: phase.to_owned(),
        });
        Self {
            reporter,
            phase,
            expected,
            items: 0,
            bytes: 0,
            last: Instant::now(),
        }
    }

    pub(crate) fn add(&mut self, items: u64, bytes: u64) {
        self.items += items;
        self.bytes += bytes;
        if self.last.elapsed() >= APART {
            self.last = Instant::now();
            self.reporter.report(Event::Progress {
                phase: self.phase.to_owned(),
                current: None,
                items: self.items,
                expected: self.expected,
                bytes: self.bytes,
                requests: 0,
                budget_left: None,
            });
        }
    }
}
