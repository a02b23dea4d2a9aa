//! Progress: bars on a terminal, plain lines elsewhere, JSON lines with `--json`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};
use model::{Event, Reporter};

use crate::output::Output;

/// While nobody knows how much there is.
const OPEN: &str = "{spinner} {elapsed_precise} {prefix} {msg}";
const COUNTED: &str = "{spinner} {elapsed_precise} {prefix} {bar:20} {msg}, {eta} left";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Renders what the engine reports.
pub(crate) struct Progress {
    output: Output,
    bar: Option<ProgressBar>,
    /// Issues are shown once each.
    shown: Mutex<BTreeSet<String>>,
}

impl Progress {
    pub(crate) fn new(output: &Output) -> Arc<Self> {
        let bar = output.is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(style(OPEN));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Arc::new(Self {
            output: output.clone(),
            bar,
            shown: Mutex::default(),
        })
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn text(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.line(line)),
            None => self.output.line(line),
        }
    }

    fn first_time(&self, key: String) -> bool {
        self.shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(key)
    }
}

impl Reporter for Progress {
    fn report(&self, event: Event) {
        self.output.event(&event);
        match event {
            Event::Phase { phase } => match &self.bar {
                Some(bar) => bar.set_prefix(phase),
                None => self.output.line(format!("  {phase}")),
            },
            Event::Progress {
                phase,
                items,
                expected,
                bytes,
                requests,
                budget_left,
                ..
            } => {
                let Some(bar) = &self.bar else { return };
                bar.set_style(style(expected.map_or(OPEN, |_| COUNTED)));
                expected.map_or_else(|| bar.unset_length(), |expected| bar.set_length(expected));
                bar.set_position(items);
                let budget =
                    budget_left.map_or_else(String::new, |left| format!(", {left:.0} TSTU left"));
                let mut parts = vec![format!("{items} items")];
                if bytes > 0 {
                    parts.push(BinaryBytes(bytes).to_string());
                }
                if requests > 0 {
                    parts.push(format!("{requests} requests"));
                }
                bar.set_prefix(phase);
                bar.set_message(format!("{}{budget}", parts.join(", ")));
            }
            Event::Waiting { seconds, reason } => {
                self.text(&format!("  waiting {seconds} s: {reason}"));
            }
            Event::Issue { issue } => {
                let line = format!("  issue {}: {}", issue.code, issue.message);
                if self.first_time(line.clone()) {
                    self.text(&line);
                    if let Some(hint) = issue.hint {
                        self.text(&format!("    hint: {hint}"));
                    }
                }
            }
            Event::Note { message } => self.text(&format!("  {message}")),
        }
    }
}
