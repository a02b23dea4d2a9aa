//! How fast answers may come.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes a second over all answers of a client; no limit until one is set.
#[derive(Default)]
pub(crate) struct Rate {
    limit: AtomicU64,
    /// When all that has come would have been due.
    due: Mutex<Option<Instant>>,
}

impl Rate {
    pub(crate) fn set(&self, bytes_per_second: u64) {
        self.limit.store(bytes_per_second, Relaxed);
    }

    /// Waits until what has come is due: the line is not read meanwhile, and the sender notices.
    pub(crate) async fn take(&self, bytes: usize) {
        let limit = self.limit.load(Relaxed);
        if limit == 0 {
            return;
        }
        let time = Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / limit);
        let due = {
            let now = Instant::now();
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            let next = due.map_or(now, |due| due.max(now)) + time;
            *due = Some(next);
            next
        };
        tokio::time::sleep_until(due).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_of_all_answers_share_the_rate() {
        let rate = Rate::default();
        let start = Instant::now();
        rate.take(1 << 30).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "there is no limit yet");
        rate.set(1000);
        tokio::join!(rate.take(1500), rate.take(500), rate.take(1000));
        assert_eq!(start.elapsed().as_secs(), 3);
        // What was not used while nothing came is not made up for.
        tokio::time::sleep(Duration::from_secs(10)).await;
        rate.take(2000).await;
        assert_eq!(start.elapsed().as_secs(), 15);
    }
}
