//! How far the crawls of a run are, for people who watch it.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{Event, ItemRef};
use service::http::Usage;
use tokio::time::{Duration, Instant, MissedTickBehavior};

/// Reports are at least so far apart.
const APART: Duration = Duration::from_secs(1);
/// A name is shown, not stored.
const SHOWN: usize = 120;

#[derive(Default)]
pub(crate) struct Pulse {
    state: Mutex<State>,
    /// Counts the reports: of all that a crawl reads between two of them only the first is worth its name.
    round: AtomicU32,
}

/// The round in which a crawl has named last what it reads.
pub(crate) struct Named(AtomicU32);

impl Default for Named {
    fn default() -> Self {
        Self(AtomicU32::new(u32::MAX))
    }
}

#[derive(Default)]
struct State {
    items: u64,
    /// Crawls at work, by their number.
    open: BTreeMap<u16, Open>,
    phase: String,
    current: Option<String>,
    /// Somebody has named what is read since the last report.
    is_named: bool,
    last: Option<Instant>,
}

#[derive(Default)]
struct Open {
    phase: String,
    /// What it has named last.
    current: Option<String>,
    items: u64,
    /// What its listings promised so far; `None` before the first.
    expected: Option<u64>,
}

impl Pulse {
    pub(crate) fn begin(&self, crawl: u16, phase: &str) {
        let mut state = self.lock();
        let open = Open {
            phase: phase.to_owned(),
            ..Open::default()
        };
        state.open.insert(crawl, open);
        phase.clone_into(&mut state.phase);
        (state.current, state.is_named) = (None, false);
    }

    /// What is still at work is told from then on.
    pub(crate) fn end(&self, crawl: u16) {
        let mut state = self.lock();
        let ended = state.open.remove(&crawl).map(|open| open.phase);
        let other = state.open.values().next_back();
        if let Some((phase, current)) = other.map(|open| (open.phase.clone(), open.current.clone()))
            && ended.as_ref() == Some(&state.phase)
        {
            (state.phase, state.current, state.is_named) = (phase, current, false);
        }
    }

    pub(crate) fn expect(&self, crawl: u16, items: u64) {
        if let Some(open) = self.lock().open.get_mut(&crawl) {
            *open.expected.get_or_insert_default() += items;
        }
    }

    /// An item was taken up.
    pub(crate) fn took(&self, crawl: u16) {
        let mut state = self.lock();
        state.items += 1;
        if let Some(open) = state.open.get_mut(&crawl) {
            open.items += 1;
        }
    }

    /// Something of an item came. Of all that comes only what a report will name is remembered.
    pub(crate) fn reads(&self, (crawl, named): (u16, &Named), item: &ItemRef, name: &str) {
        let round = self.round.load(Ordering::Relaxed);
        if named.0.swap(round, Ordering::Relaxed) == round {
            return;
        }
        let name = if name.is_empty() { &item.id } else { name };
        let current: Option<String> = Some(name.chars().take(SHOWN).collect());
        let mut state = self.lock();
        let Some(open) = state.open.get_mut(&crawl) else {
            return;
        };
        open.current.clone_from(&current);
        let phase = open.phase.clone();
        if !state.is_named {
            (state.phase, state.current, state.is_named) = (phase, current, true);
        }
    }

    /// What is to be reported now; nothing within a second of the last time.
    pub(crate) fn report(&self, usage: impl FnOnce() -> Usage) -> Option<Event> {
        let mut state = self.lock();
        if state.last.is_some_and(|last| last.elapsed() < APART) {
            return None;
        }
        state.last = Some(Instant::now());
        state.is_named = false;
        self.round.fetch_add(1, Ordering::Relaxed);
        let usage = usage();
        Some(Event::Progress {
            phase: state.phase.clone(),
            current: state.current.clone(),
            items: state.items,
            expected: state.expected(),
            bytes: usage.bytes,
            requests: usage.requests,
            budget_left: usage.budget_left,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Nobody knows how much there is while one of the crawls does not: its listing has not been answered, or it has taken up all of it and
    /// still reads what belongs to that.
    fn expected(&self) -> Option<u64> {
        let left: Option<u64> = self
            .open
            .values()
            .map(|open| Some(open.expected?.saturating_sub(open.items)).filter(|left| *left > 0))
            .sum();
        left.filter(|_| !self.open.is_empty())
            .map(|left| self.items + left)
    }
}

/// Does the work, and calls `beat` every second until it is done.
pub(crate) async fn beating<T>(work: impl Future<Output = T>, beat: impl Fn()) -> T {
    let mut work = pin!(work);
    let mut ticks = tokio::time::interval_at(Instant::now() + APART, APART);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => beat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pulse: &Pulse) -> (String, Option<String>, u64, Option<u64>) {
        match pulse.report(Usage::default) {
            Some(Event::Progress {
                phase,
                current,
                items,
                expected,
                ..
            }) => (phase, current, items, expected),
            other => panic!("{other:?}"),
        }
    }

    fn item(id: &str) -> ItemRef {
        ItemRef::new("thing", "", id)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_known_only_when_every_crawl_at_work_knows_it() {
        let pulse = Pulse::default();
        pulse.begin(0, "crawl project");
        pulse.expect(0, 3);
        pulse.took(0);
        assert_eq!(told(&pulse).3, Some(3));
        pulse.begin(1, "crawl work-item");
        tokio::time::advance(APART).await;
        assert_eq!(told(&pulse).3, None);
        pulse.end(0);
        pulse.expect(1, 10);
        pulse.took(1);
        tokio::time::advance(APART).await;
        // What the first crawl did not send is not waited for.
        assert_eq!((told(&pulse).2, told_after(&pulse).await.3), (2, Some(11)));
        pulse.end(1);
        assert_eq!(told_after(&pulse).await.3, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crawl_that_took_up_all_that_it_listed_and_is_still_at_work_is_not_told_as_done() {
        let pulse = Pulse::default();
        pulse.begin(0, "crawl repository");
        pulse.expect(0, 2);
        pulse.took(0);
        assert_eq!(told(&pulse).3, Some(2));
        pulse.took(0);
        assert_eq!(told_after(&pulse).await.3, None);
        // Nor is the whole known while another one can be counted.
        pulse.begin(1, "crawl team");
        pulse.expect(1, 10);
        assert_eq!(told_after(&pulse).await.3, None);
        pulse.end(0);
        assert_eq!(told_after(&pulse).await.3, Some(12));
    }

    async fn told_after(pulse: &Pulse) -> (String, Option<String>, u64, Option<u64>) {
        tokio::time::advance(APART).await;
        told(pulse)
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_names_what_came_first_since_the_one_before() {
        let pulse = Pulse::default();
        let named = [(); 3].map(|()| Named::default());
        pulse.begin(1, "crawl other");
        pulse.begin(0, "crawl thing");
        pulse.reads((0, &named[0]), &item("1"), "One");
        pulse.reads((0, &named[0]), &item("2"), "Two");
        assert_eq!(told(&pulse).1.as_deref(), Some("One"));
        assert!(pulse.report(Usage::default).is_none());
        pulse.reads((1, &named[1]), &item("3"), "");
        let (phase, current, ..) = told_after(&pulse).await;
        assert_eq!((&*phase, current.as_deref()), ("crawl other", Some("3")));
        // What began since is named in its place.
        pulse.reads((0, &named[0]), &item("4"), "Four");
        pulse.begin(2, "crawl more");
        pulse.reads((2, &named[2]), &item("5"), "Five");
        assert_eq!(told_after(&pulse).await.1.as_deref(), Some("Five"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_still_at_work_is_told_when_what_was_told_has_ended() {
        let pulse = Pulse::default();
        let named = [(); 2].map(|()| Named::default());
        pulse.begin(0, "crawl long");
        pulse.begin(1, "crawl short");
        pulse.reads((1, &named[1]), &item("1"), "One");
        // It has begun meanwhile, and says nothing for a long time.
        pulse.reads((0, &named[0]), &item("2"), "Two");
        assert_eq!(told(&pulse).0, "crawl short");
        pulse.end(1);
        let (phase, current, ..) = told_after(&pulse).await;
        assert_eq!((&*phase, current.as_deref()), ("crawl long", Some("Two")));
    }

    #[tokio::test(start_paused = true)]
    async fn long_work_is_told_of_while_it_goes_on() {
        let beats = std::cell::Cell::new(0);
        let work = tokio::time::sleep(Duration::from_millis(3500));
        beating(work, || beats.set(beats.get() + 1)).await;
        assert_eq!(beats.get(), 3);
    }
}
