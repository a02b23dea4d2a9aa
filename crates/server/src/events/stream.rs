//! Events as a stream of server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response, sse};
use futures::{Stream, stream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Event, Events};
use crate::Server;
use crate::access::{self, Caller};

const LAST: HeaderName = HeaderName::from_static("last-event-id");
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream outlives what the caller may by no longer than this.
const LOOK: Duration = Duration::from_secs(30);

/// What a watcher wants to hear.
pub(crate) struct Watched {
    pub(crate) caller: Caller,
    /// Empty is all.
    pub(crate) topics: Vec<String>,
    /// `None` is all.
    pub(crate) subject: Option<String>,
}

impl Watched {
    fn wants(&self, event: &Event) -> bool {
        let topic = self.topics.is_empty() || self.topics.contains(&event.topic);
        let subject = self
            .subject
            .as_ref()
            .is_none_or(|subject| *subject == event.subject);
        let reached = event
            .connector
            .as_ref()
            .is_none_or(|connector| self.caller.reaches(connector));
        topic && subject && reached
    }
}

struct Watcher {
    server: Server,
    /// What the caller presented.
    headers: HeaderMap,
    /// When to look next whether the caller may still watch.
    look: Instant,
    events: Events,
    watched: Watched,
    changes: watch::Receiver<u64>,
    /// The newest event that was looked at.
    seen: u64,
    waiting: VecDeque<Arc<Event>>,
    /// Something was missed, or may have been.
    reset: bool,
}

/// A stream from what the watcher saw last, by the header `Last-Event-ID`. Where that is not known any more, and at the
/// beginning, the event `reset` says that what is shown has to be read again.
pub(crate) fn sse(server: &Server, watched: Watched, headers: &HeaderMap) -> Response {
    let events = &server.events;
    let changes = events.0.newest.subscribe();
    let last = headers.get(LAST).and_then(|id| id.to_str().ok());
    let place = last.and_then(|id| events.place(id));
    let watcher = Watcher {
        seen: place.unwrap_or_else(|| events.newest()),
        reset: place.is_none(),
        server: server.clone(),
        headers: headers.clone(),
        look: Instant::now() + LOOK,
        events: events.clone(),
        watched,
        changes,
        waiting: VecDeque::new(),
    };
    // An event, since browsers tell nobody of comments: without one they take a connection that died without a word for a quiet one.
    let beat = sse::Event::default().event("beat").data("{}");
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).event(beat);
    let mut response = Sse::new(watcher.stream())
        .keep_alive(heartbeat)
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies would keep events back until a buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

impl Watcher {
    fn stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, async |mut watcher| {
            let event = watcher.next().await?;
            Some((Ok(event), watcher))
        })
    }

    /// `None` when the server stops, or the caller may not watch any more.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if self.look <= Instant::now() {
                self.look_again().await?;
            }
            if std::mem::take(&mut self.reset) {
                let event = sse::Event::default().event("reset").data("{}");
                return Some(event.id(self.events.id(self.seen)));
            }
            while let Some(event) = self.waiting.pop_front() {
                self.seen = event.number;
                if self.watched.wants(&event) {
                    return Some(self.write(&event));
                }
            }
            match self.events.after(self.seen) {
                Some(more) if more.is_empty() => tokio::select! {
                    changed = self.changes.changed() => changed.ok()?,
                    () = self.events.0.closed.cancelled() => return None,
                    () = tokio::time::sleep_until(self.look) => {}
                },
                Some(more) => self.waiting.extend(more),
                None => {
                    self.seen = self.events.newest();
                    self.reset = true;
                }
            }
        }
    }

    async fn look_again(&mut self) -> Option<()> {
        self.look = Instant::now() + LOOK;
        let still = access::still(&self.server, &self.watched.caller, &self.headers).await;
        if let Ok(caller) = still {
            self.watched.caller = caller?;
        } else {
            // A catalog that is away says nothing of anybody; nor can anything be read then.
            tracing::warn!("cannot see whether a stream may go on");
        }
        Some(())
    }

    fn write(&self, event: &Event) -> sse::Event {
        let data = serde_json::json!({
            "topic": event.topic,
            "subject": event.subject,
            "connector": event.connector,
            "data": event.data,
        });
        sse::Event::default()
            .id(self.events.id(event.number))
            .event(event.name)
            .data(data.to_string())
    }
}
