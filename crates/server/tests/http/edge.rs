//! What every request meets, whatever it is about.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use server::Options;

use crate::support::{World, get};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whatever is logged: the id that an answer names leads to the line that says more.
#[tokio::test]
async fn the_id_of_a_request_that_failed_is_in_the_log() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("error")
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    world.server.control.catalog.close().await;
    for method in ["GET", "POST"] {
        let request = Request::builder()
            .method(method)
            .uri("/api/v1/credentials")
            .header("content-type", "application/json")
            .body(Body::from(
                json!({ "name": "a", "identity": { "method": "pat", "secret": "x" } }).to_string(),
            ));
        let failed = world.send(request.unwrap()).await;
        assert!(failed.status.is_server_error(), "{}", failed.status);
        let id = failed.json()["request_id"].as_str().unwrap().to_owned();
        let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line = logged.lines().find(|line| line.contains(&id));
        assert!(line.is_some_and(|line| line.contains("failed")), "{logged}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_problem_not_a_page() {
    let world = World::new().await;
    for path in [
        "/api/v1/nothing",
        "/api/v2/runs",
        "/api",
        "/nothing",
        "/api/v1/runs/a/b/c",
    ] {
        world.nobody(get(path)).await.refuses(404, "path-unknown");
    }
}

#[tokio::test]
async fn another_method_is_a_problem() {
    let world = World::new().await;
    let request = Request::put("/api/v1/runs").body(Body::empty()).unwrap();
    let answer = world.send(request).await;
    answer.refuses(405, "method-refused");
    assert!(answer.header("allow").contains("GET"));
}

#[tokio::test]
async fn nobody_is_told_to_sign_in() {
    let world = World::new().await;
    let answer = world.nobody(get("/api/v1/runs")).await;
    answer.refuses(401, "sign-in-needed");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
}

#[tokio::test]
async fn an_oversized_body_is_refused() {
    let world = World::new().await;
    let body = json!({"name": "a".repeat(2 << 20)});
    world
        .post("/people", &body, &[])
        .await
        .refuses(413, "request-too-large");
}

#[tokio::test]
async fn malformed_json_is_a_problem_with_its_place() {
    let world = World::new().await;
    let request = Request::post("/api/v1/people").header("content-type", "application/json");
    let answer = world
        .send(request.body(Body::from("{\"name\": \n oops")).unwrap())
        .await;
    let problem = answer.refuses(400, "request-malformed");
    assert!(
        problem["detail"].as_str().unwrap().contains("line 2"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_wrong_member_is_pointed_at_without_its_value() {
    let world = World::new().await;
    let body = json!({"name": {"secret": "hunter2"}});
    let answer = world.post("/people", &body, &[]).await;
    let problem = answer.refuses(422, "request-refused");
    assert_eq!(problem["errors"][0]["pointer"], "/name");
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
}

#[tokio::test]
async fn an_unknown_member_is_refused() {
    let world = World::new().await;
    let body = json!({"name": "ann", "rolls": ["admin"]});
    let problem = world
        .post("/people", &body, &[])
        .await
        .refuses(422, "request-refused");
    assert!(
        problem["detail"].as_str().unwrap().contains("unknown"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_body_that_is_not_marked_as_json_is_refused() {
    let world = World::new().await;
    let request = Request::post("/api/v1/people").header("content-type", "text/plain");
    let answer = world.send(request.body(Body::from("{}")).unwrap()).await;
    answer.refuses(415, "request-not-json");
}

#[tokio::test]
async fn a_page_that_nobody_gave_out_is_refused() {
    let world = World::new().await;
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "after=%20",
        "after=AAAA",
        "state=gone",
    ] {
        let answer = world.send(get(&format!("/api/v1/runs?{query}"))).await;
        assert_eq!(answer.status.as_u16(), 400, "{query}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn answers_forbid_what_a_browser_could_do_with_them() {
    let world = World::new().await;
    let answer = world.nobody(get("/api/v1/runs")).await;
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert!(
        answer
            .header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
}

#[tokio::test]
async fn health_is_for_everyone_and_metrics_are_not() {
    let world = World::new().await;
    assert_eq!(world.nobody(get("/healthz")).await.body, "ok\n");
    assert_eq!(world.nobody(get("/readyz")).await.body, "ready\n");
    world
        .nobody(get("/metrics"))
        .await
        .refuses(401, "sign-in-needed");
}

#[tokio::test]
async fn a_server_that_cannot_write_is_not_ready() {
    let world = World::new().await;
    std::fs::remove_dir_all(&world.server.control.work).unwrap();
    let answer = world.nobody(get("/readyz")).await;
    answer.refuses(503, "storage-failed");
    assert_eq!(world.nobody(get("/healthz")).await.body, "ok\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_for_this_machine_but_not_through_a_proxy() {
    let world = World::new().await;
    let listening = world.listen(None);
    let near = "GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let near = listening.raw(near).await;
    assert!(near.contains("keepward_build_info{version="), "{near}");
    let far = "GET /metrics HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 203.0.113.7\r\nconnection: close\r\n\r\n";
    assert!(listening.raw(far).await.starts_with("HTTP/1.1 401 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_comes_drop_by_drop_is_given_up() {
    let options = Options {
        body_timeout: Duration::from_millis(50),
        ..Options::default()
    };
    let world = World::with(options).await;
    let listening = world.listen(None);
    let half = "POST /api/v1/session HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let answer = listening.raw(half).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_does_not_come_is_given_up() {
    let options = Options {
        head_timeout: Duration::from_millis(50),
        ..Options::default()
    };
    let world = World::with(options).await;
    let listening = world.listen(None);
    for begun in ["", "GET /healthz HTTP/1.1\r\nhost:"] {
        // It returns at all: the server closed the connection.
        listening.raw(begun).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_ends_streams_and_returns() {
    let world = World::new().await;
    let listening = world.listen(None);
    let health = "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert!(listening.raw(health).await.starts_with("HTTP/1.1 200 "));
    listening.stop.cancel();
    listening.served.await.unwrap().unwrap();
}
