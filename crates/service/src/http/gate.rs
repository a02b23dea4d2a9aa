//! The adaptive budget of one identity: how many requests at once, and not before when.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::signals::Signals;

/// Simultaneous requests while the service is at ease.
const MOST: usize = 16;
/// So many answers without a complaint earn one more simultaneous request after a slow-down.
const CALM: u32 = 8;
/// A 401 that comes so soon after a complaint tells nothing about the credential.
const ECHO: Duration = Duration::from_mins(1);
/// The sliding window of the service, where the answer does not say when it ends.
const WINDOW: Duration = Duration::from_mins(5);

pub(crate) struct Gate {
    state: Mutex<State>,
    left: Notify,
    longest: Duration,
}

struct State {
    in_flight: usize,
    allowed: usize,
    calm: u32,
    not_before: Instant,
    /// Between the starts of two requests while the budget runs low.
    spacing: Duration,
    complained: Option<Instant>,
    remaining: Option<f64>,
    /// What a request costs of the budget, learned from what remains after each.
    cost: f64,
}

/// The right to have one request under way.
pub(crate) struct Permit<'a>(&'a Gate);

enum Entry {
    Open,
    Full,
    Until(Instant),
}

impl Gate {
    /// No wait is longer than `longest`, whatever the service says.
    pub(crate) fn new(longest: Duration) -> Self {
        let state = State {
            in_flight: 0,
            allowed: MOST,
            calm: 0,
            not_before: Instant::now(),
            spacing: Duration::ZERO,
            complained: None,
            remaining: None,
            cost: 0.05,
        };
        Self {
            state: Mutex::new(state),
            left: Notify::new(),
            longest,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its turn; returns how long the service made it wait.
    pub(crate) async fn enter(&self) -> (Permit<'_>, Duration) {
        let mut waited = Duration::ZERO;
        loop {
            let mut left = std::pin::pin!(self.left.notified());
            left.as_mut().enable();
            match self.try_enter() {
                Entry::Open => return (Permit(self), waited),
                Entry::Full => left.await,
                Entry::Until(instant) => {
                    let start = Instant::now();
                    tokio::time::sleep_until(instant).await;
                    waited += start.elapsed();
                }
            }
        }
    }

    fn try_enter(&self) -> Entry {
        let now = Instant::now();
        let mut state = self.lock();
        if state.not_before > now {
            return Entry::Until(state.not_before);
        }
        if state.in_flight >= state.allowed {
            return Entry::Full;
        }
        state.in_flight += 1;
        if !state.spacing.is_zero() {
            state.not_before = now + state.spacing;
        }
        if state.in_flight < state.allowed {
            // A wake-up may have gone to one that then had to wait for the clock.
            self.left.notify_one();
        }
        Entry::Open
    }

    /// Takes note of what an answer said; returns a pause that begins now, when there was none before.
    pub(crate) fn observe(&self, signals: &Signals) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.lock();
        state.learn(signals, self.longest);
        let mut pause = signals.retry_after.unwrap_or_default();
        if signals.remaining.is_some_and(|left| left <= 0.0) {
            pause = pause.max(signals.reset_in.unwrap_or_default());
        }
        if signals.throttling() {
            state.complain(now);
        } else {
            state.calm += 1;
            if state.calm >= CALM && state.allowed < MOST {
                state.allowed += 1;
                state.calm = 0;
                self.left.notify_one();
            }
        }
        state.pause(now, pause.min(self.longest))
    }

    /// The service refuses because of too many requests, and may not have said for how long.
    pub(crate) fn refused(&self, pause: Duration) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.lock();
        state.complain(now);
        state.pause(now, pause.min(self.longest))
    }

    /// The service complained a moment ago: its refusals are not facts.
    pub(crate) fn complained(&self) -> bool {
        self.lock()
            .complained
            .is_some_and(|instant| instant.elapsed() < ECHO)
    }

    pub(crate) fn remaining(&self) -> Option<f64> {
        self.lock().remaining
    }
}

impl State {
    fn learn(&mut self, signals: &Signals, longest: Duration) {
        let Some(remaining) = signals.remaining else {
            // The service only speaks of the budget while it is under pressure.
            self.spacing = Duration::ZERO;
            return;
        };
        if let Some(before) = self.remaining
            && before > remaining
        {
            // Several requests run at once, so that one difference says little.
            self.cost = (self.cost * 0.9 + (before - remaining) * 0.1).clamp(0.001, 10.0);
        }
        self.remaining = Some(remaining);
        let limit = signals.limit.unwrap_or(200.0);
        self.spacing = if remaining >= limit / 2.0 {
            Duration::ZERO
        } else {
            let affordable = (remaining / self.cost).max(1.0);
            signals
                .reset_in
                .unwrap_or(WINDOW)
                .div_f64(affordable)
                .min(longest)
        };
    }

    fn complain(&mut self, now: Instant) {
        // Those under way were sent before the complaint: they must not count as more of them.
        if self
            .complained
            .is_none_or(|before| now.duration_since(before) > Duration::from_millis(100))
        {
            self.allowed = (self.allowed / 2).max(1);
        }
        self.calm = 0;
        self.complained = Some(now);
    }

    fn pause(&mut self, now: Instant, pause: Duration) -> Option<Duration> {
        let until = now + pause;
        let known = self.not_before > now + Duration::from_millis(1);
        if until > self.not_before {
            self.not_before = until;
        }
        (!pause.is_zero() && !known).then_some(pause)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_mins(5);

    async fn timed(gate: &Gate) -> Duration {
        let start = Instant::now();
        drop(gate.enter().await);
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn everyone_waits_for_retry_after_and_no_longer_than_the_cap() {
        let gate = Gate::new(LONGEST);
        assert_eq!(timed(&gate).await, Duration::ZERO);
        let pause = gate.observe(&Signals {
            retry_after: Some(Duration::from_secs(7)),
            ..Signals::default()
        });
        assert_eq!(pause, Some(Duration::from_secs(7)));
        let (one, two) = tokio::join!(timed(&gate), timed(&gate));
        assert!(one.as_secs() == 7 && two.as_secs() == 7, "{one:?} {two:?}");
        gate.observe(&Signals {
            retry_after: Some(Duration::from_hours(1)),
            ..Signals::default()
        });
        assert_eq!(timed(&gate).await.as_secs(), 300);
    }

    #[tokio::test(start_paused = true)]
    async fn a_low_budget_is_spread_until_its_reset() {
        let gate = Gate::new(LONGEST);
        let signals = |remaining| Signals {
            limit: Some(200.0),
            remaining: Some(remaining),
            reset_in: Some(Duration::from_secs(100)),
            ..Signals::default()
        };
        gate.observe(&signals(150.0));
        assert_eq!(timed(&gate).await + timed(&gate).await, Duration::ZERO);
        gate.observe(&signals(10.0));
        let _first = timed(&gate).await;
        let spaced = timed(&gate).await;
        assert!(spaced > Duration::from_millis(400), "{spaced:?}");
        gate.observe(&signals(0.0));
        assert!(timed(&gate).await >= Duration::from_secs(99));
        assert_eq!(gate.remaining(), Some(0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_complaint_halves_what_runs_at_once_and_calm_brings_it_back() {
        let gate = Gate::new(LONGEST);
        gate.refused(Duration::from_secs(1));
        assert!(gate.complained());
        assert_eq!(gate.lock().allowed, MOST / 2);
        for _ in 0..CALM * 8 {
            gate.observe(&Signals::default());
        }
        assert_eq!(gate.lock().allowed, MOST);
        tokio::time::advance(ECHO).await;
        assert!(!gate.complained());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_allowed_run_and_all_come_through() {
        let gate = Gate::new(LONGEST);
        gate.lock().allowed = 2;
        let most = Mutex::new((0_u32, 0_u32));
        let one = async || {
            let _permit = gate.enter().await;
            {
                let mut most = most.lock().unwrap();
                most.0 += 1;
                most.1 = most.1.max(most.0);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            most.lock().unwrap().0 -= 1;
        };
        futures::future::join_all((0..20).map(|_| one())).await;
        assert_eq!(*most.lock().unwrap(), (0, 2));
    }
}
