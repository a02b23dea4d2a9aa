//! Bad days: what each refusal and failure means, and what is sent again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::{Class, Event, Reporter};
use service::http::{Answer, Method, Url};
use service::{Client, Error};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::server::{Reply, Server, answer, html, json};

const ORIGINAL: &str = r#"{"count":1,"value":[{"id":1}]}"#;

async fn get(client: &Client) -> Result<Answer, Error> {
    client.get("dev", "/_apis/x").version("7.1").send().await
}

async fn post(client: &Client) -> Result<Answer, Error> {
    client
        .call(Method::POST, "dev", "/_apis/x")
        .version("7.1")
        .json(&serde_json::json!({}))
        .send()
        .await
}

/// The error of a GET that is answered so, and the number of requests that it took.
async fn refused(replies: impl IntoIterator<Item = Reply>) -> (Error, usize) {
    let server = Server::script(replies).await;
    let error = get(&server.client()).await.unwrap_err();
    assert!(model::code::find(error.code).is_some(), "{}", error.code);
    (error, server.seen().len())
}

/// The number of requests until a GET succeeded.
async fn recovered(first: Reply) -> usize {
    let server = Server::script([first, json(ORIGINAL)]).await;
    assert_eq!(
        &get(&server.client()).await.unwrap().body[..],
        ORIGINAL.as_bytes()
    );
    server.seen().len()
}

/// The number of requests of a POST, and whether it succeeded.
async fn written(first: Reply) -> (usize, bool) {
    let server = Server::script([first, json(ORIGINAL)]).await;
    let result = post(&server.client()).await;
    (server.seen().len(), result.is_ok())
}

fn wrapped(status: u16, message: &str) -> Reply {
    let body = format!(
        r#"{{"$id":"1","innerException":null,"message":"{message}","typeName":"A.B, C","typeKey":"SomeException","errorCode":0,"eventId":3000}}"#
    );
    answer(status, body).with("Content-Type", "application/json; charset=utf-8")
}

fn suspended() -> Reply {
    let mut body = b"\xef\xbb\xbf".to_vec();
    body.extend_from_slice(br#"{"$id":"1","message":"TF24668: The following team project collection is stopped: contoso.","typeKey":"HostShutdownException"}"#);
    answer(503, body)
        .with("Content-Type", "application/json; charset=utf-8")
        .with("X-TFS-ServiceError", "TF24668%3A%20stopped")
}

#[tokio::test]
async fn a_sign_in_page_with_203_is_a_refused_credential() {
    let (error, requests) = refused([html(203)]).await;
    assert_eq!(
        (error.code, error.class, requests),
        ("credential-refused", Class::Credential, 1)
    );
}

#[tokio::test]
async fn a_sign_in_page_with_200_is_a_refused_credential() {
    assert_eq!(refused([html(200)]).await.0.code, "credential-refused");
}

#[tokio::test]
async fn a_redirect_to_sign_in_is_a_refused_credential_and_is_not_followed() {
    let moved = html(302).with(
        "Location",
        "https://spsprodcus0.vssps.visualstudio.com/_signin?realm=dev.azure.com",
    );
    let (error, requests) = refused([moved]).await;
    assert_eq!((error.code, requests), ("credential-refused", 1));
}

#[tokio::test]
async fn a_401_with_an_empty_list_is_a_refused_credential_and_no_empty_list() {
    let reply = answer(401, r#"{"count":0,"value":[]}"#)
        .with("WWW-Authenticate", "Basic realm=\"https://tfsprodcus0\"");
    let (error, requests) = refused([reply]).await;
    assert_eq!(
        (error.code, error.status, requests),
        ("credential-refused", Some(401), 1)
    );
}

#[tokio::test]
async fn a_401_after_the_credential_has_worked_is_a_missing_permission() {
    let server = Server::script([json(ORIGINAL), answer(401, r#"{"count":0,"value":[]}"#)]).await;
    let client = server.client();
    get(&client).await.unwrap();
    let error = get(&client).await.unwrap_err();
    assert_eq!(
        (error.code, error.is_fatal()),
        ("permission-missing", false)
    );
}

#[tokio::test]
async fn a_401_right_after_throttling_is_not_a_fact() {
    let server = Server::script([
        answer(429, "").with("Retry-After", "1"),
        answer(401, ""),
        json(ORIGINAL),
    ])
    .await;
    get(&server.client()).await.unwrap();
    let (error, requests) = refused([answer(429, ""), answer(401, "")]).await;
    assert_eq!(
        (error.code, error.class, requests),
        ("throttled", Class::Throttled, 4)
    );
}

#[tokio::test]
async fn a_403_is_a_missing_permission() {
    let (error, requests) = refused([wrapped(
        403,
        "VS403463: The conditional access policy failed",
    )])
    .await;
    assert_eq!(
        (error.code, error.class, requests),
        ("permission-missing", Class::Permission, 1)
    );
    assert!(error.hint.unwrap().contains("conditional access"));
}

#[tokio::test]
async fn a_404_with_the_code_of_a_disabled_repository_is_a_missing_permission() {
    let (error, _) = refused([wrapped(
        404,
        "TF401019: The Git repository does not exist or you do not have permissions",
    )])
    .await;
    assert_eq!(error.class, Class::Permission);
    let fault = error.fault().unwrap();
    assert_eq!(
        (fault.code.as_deref(), fault.type_key.as_deref()),
        (Some("TF401019"), Some("SomeException"))
    );
}

#[tokio::test]
async fn a_404_as_json_or_text_is_missing() {
    let (error, requests) = refused([wrapped(
        404,
        "TF200016: The following project does not exist",
    )])
    .await;
    assert_eq!(
        (error.class, error.status, requests),
        (Class::Missing, Some(404), 1)
    );
    let (error, _) = refused([answer(404, "The controller for path '/x' was not found")
        .with("Content-Type", "text/plain")])
    .await;
    assert_eq!(error.class, Class::Missing);
    assert!(error.message.contains("The controller for path"), "{error}");
}

#[tokio::test]
async fn a_suspended_organization_is_not_asked_again_and_again() {
    let (error, requests) = refused([suspended()]).await;
    assert_eq!((error.code, requests), ("service-unavailable", 2));
    assert!(error.message.contains("stopped or suspended"), "{error}");
}

#[tokio::test]
async fn throttling_repeats_reads_and_writes() {
    assert_eq!(recovered(answer(429, "").with("Retry-After", "1")).await, 2);
    assert_eq!(
        recovered(wrapped(400, "TF400733: The request has been canceled")).await,
        2
    );
    assert_eq!(
        written(answer(429, "").with("Retry-After", "1")).await,
        (2, true)
    );
    assert_eq!(
        written(answer(503, "").with("Retry-After", "1")).await,
        (2, true)
    );
}

#[tokio::test]
async fn throttling_is_waited_out_however_often_it_is_said_within_the_longest_wait() {
    let refusal = || answer(429, "").with("Retry-After", "0");
    let refusals = std::iter::repeat_with(refusal).take(4);
    let server = Server::script(refusals.chain([json(ORIGINAL)])).await;
    let mut options = server.options();
    options.max_wait = Duration::from_secs(1);
    assert_eq!(options.attempts, 4);
    post(&Client::new(options).unwrap()).await.unwrap();
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn endless_throttling_ends() {
    let (error, requests) = refused([answer(429, "").with("Retry-After", "3600")]).await;
    assert_eq!((error.code, requests), ("throttled", 4));
}

#[derive(Default)]
struct Waits(Mutex<Vec<u64>>);

impl Reporter for Waits {
    fn report(&self, event: Event) {
        if let Event::Waiting { seconds, .. } = event {
            self.0.lock().unwrap().push(seconds);
        }
    }
}

#[tokio::test]
async fn retry_after_on_200_delays_the_next_request_and_repeats_nothing() {
    let server = Server::script([json(ORIGINAL).with("Retry-After", "1"), json(ORIGINAL)]).await;
    let waits = Arc::new(Waits::default());
    let mut options = server.options();
    options.max_wait = Duration::from_millis(50);
    options.observer = Some(waits.clone());
    let client = Client::new(options).unwrap();
    get(&client).await.unwrap();
    assert_eq!(
        (server.seen().len(), client.usage().waited),
        (1, Duration::ZERO)
    );
    get(&client).await.unwrap();
    assert_eq!(server.seen().len(), 2);
    assert!(
        client.usage().waited >= Duration::from_millis(40),
        "{:?}",
        client.usage()
    );
    assert_eq!(*waits.0.lock().unwrap(), [1]);
}

#[tokio::test]
async fn the_budget_is_known_while_the_service_tells_it() {
    let server = Server::script([json(ORIGINAL)
        .with("X-RateLimit-Remaining", "123.5")
        .with("X-RateLimit-Limit", "200")])
    .await;
    let client = server.client();
    assert_eq!(client.usage().budget_left, None);
    get(&client).await.unwrap();
    assert_eq!(client.usage().budget_left, Some(123.5));
}

#[tokio::test]
async fn a_server_error_repeats_reads_alone() {
    assert_eq!(recovered(answer(500, "")).await, 2);
    assert_eq!(recovered(answer(503, "")).await, 2);
    assert_eq!(written(answer(500, "")).await, (1, false));
    assert_eq!(written(answer(503, "")).await, (1, false));
    let (error, requests) = refused([answer(502, "")]).await;
    assert_eq!(
        (error.code, error.class, requests),
        ("service-unavailable", Class::Transient, 4)
    );
}

#[tokio::test]
async fn a_dropped_connection_repeats_reads_alone() {
    assert_eq!(recovered(Reply::Drop).await, 2);
    assert_eq!(written(Reply::Drop).await, (1, false));
    assert_eq!(refused([Reply::Drop]).await.0.code, "service-unavailable");
}

#[tokio::test]
async fn a_write_that_says_it_is_safe_is_repeated() {
    let server = Server::script([Reply::Drop, json(ORIGINAL)]).await;
    let client = server.client();
    client
        .call(Method::POST, "dev", "/batch")
        .json(&())
        .safe()
        .send()
        .await
        .unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_truncated_body_repeats_reads_alone() {
    assert_eq!(recovered(Reply::Truncated(ORIGINAL)).await, 2);
    assert_eq!(written(Reply::Truncated(ORIGINAL)).await, (1, false));
    let (error, requests) = refused([Reply::Truncated(ORIGINAL)]).await;
    assert_eq!((error.code, requests), ("answer-cut-short", 4));
}

#[tokio::test]
async fn json_without_its_end_is_a_truncated_body() {
    assert_eq!(recovered(json(r#"{"count":1,"value":[{"id""#)).await, 2);
    assert_eq!(
        recovered(Reply::Unframed(r#"{"count":2,"value":[{"id":1}"#)).await,
        2
    );
    assert_eq!(refused([json("{")]).await.0.code, "answer-cut-short");
}

#[tokio::test]
async fn a_body_without_progress_is_given_up_and_asked_again() {
    assert_eq!(recovered(Reply::Slow).await, 2);
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unavailable_after_all_attempts() {
    let server = Server::script([json(ORIGINAL)]).await;
    let mut options = server.options();
    drop(server);
    options.attempts = 3;
    let client = Client::new(options).unwrap();
    let error = post(&client).await.unwrap_err();
    assert_eq!(
        (error.code, error.class),
        ("service-unavailable", Class::Transient)
    );
    assert!(
        error.message.contains("cannot connect to http://127.0.0.1"),
        "{error}"
    );
    assert_eq!(client.usage().requests, 3);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_told_as_that() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}/contoso", listener.local_addr().unwrap());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        let refused = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        stream.write_all(refused).await.unwrap();
        // Closed with something unread, the connection would be reset and the answer with it.
        stream.shutdown().await.unwrap();
        drop(tokio::io::copy(&mut stream, &mut tokio::io::sink()).await);
    });
    let mut options = Server::script([]).await.options();
    options.hosts = BTreeMap::from([("dev", Url::parse(&url).unwrap())]);
    options.attempts = 1;
    let error = post(&Client::new(options).unwrap()).await.unwrap_err();
    assert_eq!(error.code, "service-unavailable");
    assert!(error.hint.as_ref().unwrap().contains("TLS"), "{error:?}");
}

#[tokio::test]
async fn a_refused_write_says_what_the_service_said() {
    let server = Server::script([wrapped(400, "VS402625: Dates must be increasing")]).await;
    let error = post(&server.client()).await.unwrap_err();
    assert_eq!(
        (error.code, error.fault().unwrap().code.as_deref()),
        ("restore-failed", Some("VS402625"))
    );
    assert!(
        error.message.contains("Dates must be increasing"),
        "{error}"
    );
    let server = Server::script([wrapped(409, "VS400: exists")]).await;
    assert_eq!(
        post(&server.client()).await.unwrap_err().code,
        "restore-conflict"
    );
}
