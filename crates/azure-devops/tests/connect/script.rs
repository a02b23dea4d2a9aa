//! A service that answers each path as a test says, and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type Answers = Arc<Mutex<HashMap<String, (u16, Value)>>>;

pub(crate) struct Script {
    pub(crate) url: String,
    answers: Answers,
    _tasks: JoinSet<()>,
}

impl Script {
    /// An organization `contoso` whose caller is an owner of everything; what differs is said by [`Script::say`].
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Answers::default();
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&answers));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let script = Self {
            url,
            answers,
            _tasks: tasks,
        };
        let me = "11111111-1111-1111-1111-111111111111";
        script.say("/contoso/_apis/connectionData", 200, json!({"authenticatedUser": {"id": me, "providerDisplayName": "Ada"}, "deploymentType": "hosted"}));
        script.say(
            "/contoso/_apis/projects",
            200,
            json!({"count": 0, "value": []}),
        );
        script.say(
            "/contoso/_apis/security/permissionevaluationbatch",
            200,
            json!({"evaluations": [{"value": true}]}),
        );
        script.level("express", "active", "2026-11-01T00:00:00Z");
        script.say(
            "/_apis/profile/profiles/me",
            200,
            json!({"id": me, "displayName": "Ada", "emailAddress": "ada@contoso.com"}),
        );
        script.say("/_apis/accounts", 200, json!({"count": 0, "value": []}));
        script
    }

    /// To GET, POST or HEAD of a path, whatever its query; after a `?` stands a part that the query must have.
    pub(crate) fn say(&self, path: &str, status: u16, body: Value) {
        let mut answers = self.answers.lock().unwrap();
        answers.insert(path.to_lowercase(), (status, body));
    }

    pub(crate) fn level(&self, kind: &str, status: &str, last: &str) {
        let me = "11111111-1111-1111-1111-111111111111";
        let level =
            json!({"accountLicenseType": kind, "licenseDisplayName": kind, "status": status});
        let body = json!({"id": me, "accessLevel": level, "lastAccessedDate": last});
        self.say(&format!("/contoso/_apis/userentitlements/{me}"), 200, body);
    }
}

async fn answer(State(answers): State<Answers>, request: Request) -> Response {
    let path = request.uri().path().to_lowercase();
    let query = request.uri().query().unwrap_or_default().to_lowercase();
    let answers = answers.lock().unwrap().clone();
    let narrow = answers.iter().find(|(key, _)| {
        let key = key.split_once('?');
        key.is_some_and(|(of, part)| of == path && query.contains(part))
    });
    let found = narrow.map(|(_, answer)| answer).or(answers.get(&path));
    let found = found.cloned();
    let (status, body) = found.unwrap_or((404, json!({"message": "no such thing"})));
    Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=utf-8")
        .body(Body::from(body.to_string()))
        .unwrap()
}
