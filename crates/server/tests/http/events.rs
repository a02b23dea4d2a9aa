//! Events: whoever loses the connection misses nothing, or is told so.

use axum::body::{Body, BodyDataStream};
use axum::http::{Method, Request};
use futures::StreamExt as _;
use model::{Event, RunKind, RunState};
use serde_json::{Value, json};
use server::access::Caller;
use tower::ServiceExt as _;

use crate::maintenance::{backup, furnished, get, queued};
use crate::support::World;

/// A stream, and what was read of it.
struct Stream {
    data: BodyDataStream,
    text: String,
}

impl Stream {
    async fn open(world: &World, path: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(format!("/api/v1{path}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Caller::local());
        let response = world.server.router().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        Self {
            data: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next event: its name, its id and its data.
    async fn next(&mut self) -> (String, String, String) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let line = |key: &str| {
                    let mut lines = event.lines().filter_map(|line| line.strip_prefix(key));
                    lines.next().unwrap_or("").trim().to_owned()
                };
                let event = (line("event:"), line("id:"), line("data:"));
                let kept = rest.to_owned();
                self.text = kept;
                return event;
            }
            let more = self.data.next().await.unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

fn publish(world: &World, run: &str, number: u32) {
    world
        .server
        .events
        .publish("runs", run, None, "progress", &number);
}

#[tokio::test]
async fn a_watcher_goes_on_where_it_stopped() {
    let world = World::new().await;
    let mut stream = Stream::open(&world, "/events?topics=runs", None).await;
    assert_eq!(stream.next().await.0, "reset");
    for number in 1..=3 {
        publish(&world, "r1", number);
    }
    let (name, first, data) = stream.next().await;
    assert_eq!(name, "progress");
    assert!(data.contains("\"data\":1"), "{data}");
    drop(stream);
    let mut again = Stream::open(&world, "/events?topics=runs", Some(&first)).await;
    assert!(again.next().await.2.contains("\"data\":2"));
    assert!(again.next().await.2.contains("\"data\":3"));
}

#[tokio::test]
async fn a_watcher_that_missed_something_is_told() {
    let world = World::new().await;
    publish(&world, "r1", 1);
    let mut stream = Stream::open(&world, "/events", Some("another-life-7")).await;
    let (name, id, _) = stream.next().await;
    assert_eq!(name, "reset");
    publish(&world, "r1", 2);
    let mut again = Stream::open(&world, "/events", Some(&id)).await;
    assert!(again.next().await.2.contains("\"data\":2"));
}

#[tokio::test]
async fn a_watcher_hears_that_the_connection_lives_where_nothing_happens() {
    let world = World::new().await;
    let mut stream = Stream::open(&world, "/events", None).await;
    assert_eq!(stream.next().await.0, "reset");
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    for _ in 0..2 {
        let (name, id, data) = stream.next().await;
        assert_eq!([name, id, data], ["beat", "", "{}"]);
    }
    assert!(began.elapsed().as_secs() <= 30);
}

#[tokio::test]
async fn other_topics_are_not_heard() {
    let world = World::new().await;
    let mut stream = Stream::open(&world, "/events?topics=connectors", None).await;
    stream.next().await;
    publish(&world, "r1", 1);
    world
        .server
        .events
        .publish("connectors", "contoso", Some("contoso"), "changed", &());
    assert!(stream.next().await.2.contains("\"topic\":\"connectors\""));
}

#[tokio::test]
async fn what_somebody_writes_is_heard_by_its_kind_alone_and_what_only_reads_is_not() {
    let world = World::new().await;
    let mut stream = Stream::open(&world, "/events", None).await;
    stream.next().await;
    let policy = json!({ "name": "nightly" });
    let send = async |method: &str, path: &str, body: Option<&Value>, status: u16| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let body = body.map(|body| body.to_string().into_bytes());
        let answer = world.server.call(method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{:?}", answer.body);
    };
    send("POST", "/policies/preview", Some(&policy), 200).await;
    send("DELETE", "/policies/nightly", None, 404).await;
    send("POST", "/policies", Some(&policy), 201).await;
    send(
        "PUT",
        "/settings/four-eyes",
        Some(&json!({ "enabled": false })),
        200,
    )
    .await;
    for topic in ["policies", "settings"] {
        let (name, _, data) = stream.next().await;
        assert_eq!(name, "changed");
        let heard: Value = serde_json::from_str(&data).unwrap();
        let expected = json!({ "topic": topic, "subject": "", "connector": null, "data": {} });
        assert_eq!(heard, expected);
    }
}

#[tokio::test]
async fn a_run_says_how_far_it_is_until_it_has_ended() {
    let world = furnished().await;
    queued(&world, "open", RunKind::Backup, "contoso").await;
    backup(&world, "ended", "contoso", RunState::Succeeded).await;
    let observer = world.server.events.observer();
    // The last word of a worker elsewhere may come after the end.
    for run in ["open", "ended"] {
        let far = Event::Progress {
            phase: "crawl".to_owned(),
            current: None,
            items: 7,
            expected: None,
            bytes: 0,
            requests: 0,
            budget_left: None,
        };
        observer.progress(run, &far);
    }
    assert_eq!(get(&world, "/runs/open").await["progress"]["items"], 7);
    assert!(get(&world, "/runs/ended").await["progress"].is_null());
}
