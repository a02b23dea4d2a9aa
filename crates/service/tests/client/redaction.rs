//! No secret in anything that someone may read.

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use service::Client;
use service::http::Url;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::server::{PAT, Reply, Server, answer, json};

const ENCODED: &str = "OnA0dHNlY3JldHA0dHNlY3JldHA0dA==";

/// Collects all that is traced, at every level.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<String>>);

impl Visit for Traces {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0.lock().unwrap(), "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Traces {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Refusals that repeat the credential wherever a service could.
fn echoes() -> Vec<Reply> {
    let message = format!(
        r#"{{"$id":"1","message":"TF1: token {PAT} (Basic {ENCODED}) at https://u:{PAT}@h/?sig=s3cr3t&x","typeKey":"X"}}"#
    );
    let json = |status| {
        answer(status, message.clone())
            .with("Content-Type", "application/json")
            .with("X-TFS-ServiceError", PAT)
    };
    let mut echoes: Vec<_> = [200, 203, 400, 401, 403, 404, 409, 429, 500, 503]
        .into_iter()
        .map(json)
        .collect();
    echoes.push(answer(302, message.clone()).with(
        "Location",
        &format!("https://spsprod.visualstudio.com/_signin?token={PAT}"),
    ));
    echoes.push(answer(302, "").with(
        "Location",
        &format!("https://u:{PAT}@127.0.0.1:1/?sig=s3cr3t"),
    ));
    echoes.push(answer(404, format!("no {PAT} here")).with("Content-Type", "text/plain"));
    echoes.push(Reply::Drop);
    echoes
}

fn all_of(error: &service::Error) -> String {
    let mut text = format!(
        "{error} {error:?} {error:#?} {:?}",
        error.to_issue("kind", "", None)
    );
    let mut source = error.source();
    while let Some(cause) = source {
        write!(text, " {cause} {cause:?}").unwrap();
        source = cause.source();
    }
    text
}

async fn provoke(reply: Reply) -> String {
    let server = Server::script([reply]).await;
    let client: Client = server.client();
    let mut text = format!("{client:?} {:?} {:?}", client.usage(), client.base("dev"));
    let absolute = Url::parse(&format!("{}/file?sig=s3cr3t&token={PAT}", server.url)).unwrap();
    for call in [
        client.get("dev", "/x").query("token", PAT),
        client.url(&absolute),
    ] {
        match call.send().await {
            Ok(answer) => text.push_str(
                &answer
                    .json::<Vec<u8>>()
                    .map_or_else(|error| all_of(&error), |_| String::new()),
            ),
            Err(error) => text.push_str(&all_of(&error)),
        }
    }
    if let Err(error) = client.get("dev", "/x").open().await {
        text.push_str(&all_of(&error));
    }
    text
}

#[tokio::test]
async fn no_error_debug_or_trace_holds_a_secret() {
    let traces = Traces::default();
    let guard = tracing::subscriber::set_default(traces.clone());
    for reply in echoes() {
        let text = provoke(reply).await;
        for secret in [PAT, ENCODED, "s3cr3t"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    drop(guard);
    let traced = traces.0.lock().unwrap();
    assert!(traced.contains("request failed"), "nothing was traced");
    for secret in [PAT, ENCODED, "s3cr3t"] {
        assert!(!traced.contains(secret), "{secret} was traced: {traced}");
    }
}

#[tokio::test]
async fn a_document_that_is_not_understood_is_not_quoted() {
    let server = Server::script([json(format!(
        "{{\"value\":\"\\\"{PAT} {}\"}}",
        "long ".repeat(1000)
    ))])
    .await;
    let error = server
        .client()
        .get("dev", "/x")
        .send()
        .await
        .unwrap()
        .values()
        .unwrap_err();
    assert!(
        error.message.contains("expected a sequence") && error.message.len() < 200,
        "{error}"
    );
    assert!(!all_of(&error).contains(PAT));
}
