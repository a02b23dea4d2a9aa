//! Answers that are dear to find: found once for all who ask, beyond the time of a request, and believed for a while.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::Problem;

/// More answers than this are not held beside each other.
const MOST: usize = 500;

/// How long askers are patient, and how long they believe what was found.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    pub wait: Duration,
    pub fresh: Duration,
}

/// Answers by what was asked.
pub(crate) struct Kept<T> {
    known: Mutex<BTreeMap<String, Entry<T>>>,
    at_once: Arc<Semaphore>,
    /// Nobody waits for them when the server ends.
    tasks: TaskTracker,
}

struct Entry<T> {
    /// The last good answer.
    found: Arc<Mutex<Option<(Instant, T)>>>,
    looking: Shared<BoxFuture<'static, Result<T, Problem>>>,
}

impl<T: Clone + Send + Sync + 'static> Kept<T> {
    /// At most so many are looked for at the same time; others wait for their turn.
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            known: Mutex::default(),
            at_once: Arc::new(Semaphore::new(at_once)),
            tasks: TaskTracker::new(),
        }
    }

    /// What was found not long ago, or what `look` finds: whoever asks meanwhile waits for the same. When that takes too long it goes on, and
    /// the answer is the one before, or `None`.
    pub(crate) async fn get<F>(
        &self,
        key: String,
        patience: Patience,
        look: F,
    ) -> Result<Option<T>, Problem>
    where
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let (looking, found) = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let before = known.get(&key);
            let found = before.map_or_else(Arc::default, |entry| Arc::clone(&entry.found));
            if let Some((at, answer)) = &*held(&found)
                && at.elapsed() < patience.fresh
            {
                return Ok(Some(answer.clone()));
            }
            let at_work = before.filter(|entry| entry.looking.peek().is_none());
            let looking = match at_work {
                Some(entry) => entry.looking.clone(),
                None => self.begin(look, Arc::clone(&found)),
            };
            if known.len() >= MOST {
                known.retain(|_, entry| entry.looking.peek().is_none());
            }
            let entry = Entry {
                found: Arc::clone(&found),
                looking: looking.clone(),
            };
            known.insert(key, entry);
            (looking, found)
        };
        match tokio::time::timeout(patience.wait, looking).await {
            Ok(answer) => answer.map(Some),
            Err(_) => Ok(held(&found).as_ref().map(|(_, answer)| answer.clone())),
        }
    }

    fn begin<F>(
        &self,
        look: F,
        found: Arc<Mutex<Option<(Instant, T)>>>,
    ) -> Shared<BoxFuture<'static, Result<T, Problem>>>
    where
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let at_once = Arc::clone(&self.at_once);
        let task = self.tasks.spawn(async move {
            let _turn = at_once.acquire().await;
            let answer = look.await?;
            *held(&found) = Some((Instant::now(), answer.clone()));
            Ok(answer)
        });
        let ended = async move {
            task.await.unwrap_or_else(|error| {
                tracing::error!(%error, "what was looked for is not found");
                Err(Problem::of(StatusCode::INTERNAL_SERVER_ERROR))
            })
        };
        ended.boxed().shared()
    }
}

fn held<T>(found: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    const NEVER_OLD: Patience = Patience {
        wait: Duration::from_mins(10),
        fresh: Duration::from_hours(1),
    };

    struct Asked {
        kept: Kept<u32>,
        times: Arc<AtomicU32>,
        go: Arc<Notify>,
    }

    impl Asked {
        fn new() -> Self {
            Self {
                kept: Kept::new(1),
                times: Arc::default(),
                go: Arc::default(),
            }
        }

        /// Finds how often it was looked for, once it is let go.
        async fn ask(&self, key: &str, patience: Patience) -> Result<Option<u32>, Problem> {
            let (times, go) = (Arc::clone(&self.times), Arc::clone(&self.go));
            let look = async move {
                let time = times.fetch_add(1, Ordering::SeqCst) + 1;
                go.notified().await;
                if time == 3 {
                    return Err(Problem::no_such_path());
                }
                Ok(time)
            };
            self.kept.get(key.to_owned(), patience, look).await
        }
    }

    #[tokio::test]
    async fn all_who_ask_at_once_and_soon_after_are_answered_by_one_look() {
        let asked = Asked::new();
        asked.go.notify_one();
        let (one, other) = tokio::join!(asked.ask("a", NEVER_OLD), asked.ask("a", NEVER_OLD));
        assert_eq!((one.unwrap(), other.unwrap()), (Some(1), Some(1)));
        assert_eq!(asked.ask("a", NEVER_OLD).await.unwrap(), Some(1));
        asked.go.notify_one();
        assert_eq!(asked.ask("b", NEVER_OLD).await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn what_takes_too_long_goes_on_and_the_answer_before_stands_meanwhile() {
        let asked = Asked::new();
        let hasty = Patience {
            wait: Duration::ZERO,
            fresh: Duration::ZERO,
        };
        let patient = Patience {
            fresh: Duration::ZERO,
            ..NEVER_OLD
        };
        assert_eq!(asked.ask("a", hasty).await.unwrap(), None);
        asked.go.notify_one();
        assert_eq!(
            asked.ask("a", patient).await.unwrap(),
            Some(1),
            "the look that was begun"
        );
        assert_eq!(
            asked.ask("a", hasty).await.unwrap(),
            Some(1),
            "while it looks anew"
        );
        asked.go.notify_one();
        assert_eq!(asked.ask("a", patient).await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn a_failure_is_told_and_not_kept() {
        let asked = Asked::new();
        asked.times.store(2, Ordering::SeqCst);
        asked.go.notify_one();
        assert!(asked.ask("a", NEVER_OLD).await.is_err());
        asked.go.notify_one();
        assert_eq!(asked.ask("a", NEVER_OLD).await.unwrap(), Some(4));
    }
}
