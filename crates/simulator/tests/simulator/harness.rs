//! A running simulator and a plain HTTP client.

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Options, Seed, Simulator};

pub(crate) struct Contoso {
    pub simulator: Simulator,
    pub client: reqwest::Client,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Asserts an error with the status whose message has the part.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, part: &str) -> Value {
        let error = self.expect(status).json();
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "{error}");
        error
    }
}

impl Contoso {
    /// An organization with the empty project `Fabrikam`, Agile.
    pub(crate) async fn start() -> Self {
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: None,
            seed: Seed::Empty,
        };
        let simulator = Simulator::start(options).await.unwrap();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let contoso = Self { simulator, client };
        contoso.project("Fabrikam").await;
        contoso
    }

    pub(crate) async fn project(&self, name: &str) {
        let body = json!({"name": name, "capabilities": {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": {"templateTypeId": "adcc42ab-9882-485e-a3ed-7678f01f66bc"}}});
        let operation = self
            .post("_apis/projects?api-version=7.1", &body)
            .await
            .expect(202)
            .json();
        let url = operation["url"].as_str().unwrap().to_owned();
        let path = url.split_once("/contoso/").unwrap().1.to_owned();
        while self.get(&path).await.json()["status"] != "succeeded" {}
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        pat: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Answer {
        let url = if path.starts_with("/__") {
            format!("{}{path}", self.simulator.url())
        } else {
            format!("{}/contoso/{path}", self.simulator.url())
        };
        let request = self
            .client
            .request(method, url)
            .basic_auth("", Some(pat))
            .header("content-type", content_type)
            .body(body);
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(
            Method::GET,
            path,
            self.simulator.pat(),
            "application/json",
            Vec::new(),
        )
        .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            Method::POST,
            path,
            self.simulator.pat(),
            "application/json",
            body.to_string().into_bytes(),
        )
        .await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        let kind = if body.is_array() {
            "application/json-patch+json"
        } else {
            "application/json"
        };
        self.send(
            Method::PATCH,
            path,
            self.simulator.pat(),
            kind,
            body.to_string().into_bytes(),
        )
        .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(
            Method::DELETE,
            path,
            self.simulator.pat(),
            "application/json",
            Vec::new(),
        )
        .await
    }

    /// Creates a work item of `Fabrikam` with the operations; `options` is more of the query.
    pub(crate) async fn create(&self, kind: &str, options: &str, patch: &Value) -> Answer {
        let path = format!("Fabrikam/_apis/wit/workitems/${kind}?api-version=7.1{options}");
        self.send(
            Method::POST,
            &path,
            self.simulator.pat(),
            "application/json-patch+json",
            patch.to_string().into_bytes(),
        )
        .await
    }

    /// Creates a task with a title and returns its id.
    pub(crate) async fn task(&self, title: &str) -> u64 {
        self.create("Task", "", &json!([field("System.Title", title)]))
            .await
            .expect(200)
            .json()["id"]
            .as_u64()
            .unwrap()
    }

    pub(crate) async fn update(&self, id: u64, options: &str, patch: &Value) -> Answer {
        self.patch(
            &format!("_apis/wit/workitems/{id}?api-version=7.1{options}"),
            patch,
        )
        .await
    }

    pub(crate) async fn item(&self, id: u64) -> Value {
        self.get(&format!(
            "_apis/wit/workitems/{id}?$expand=all&api-version=7.1"
        ))
        .await
        .expect(200)
        .json()
    }

    /// Adds a link between work items.
    pub(crate) async fn link(&self, from: u64, rel: &str, to: u64) -> Answer {
        let url = format!("{}/contoso/_apis/wit/workItems/{to}", self.simulator.url());
        self.update(
            from,
            "",
            &json!([{"op": "add", "path": "/relations/-", "value": {"rel": rel, "url": url}}]),
        )
        .await
    }
}

pub(crate) fn field(name: &str, value: impl Into<Value>) -> Value {
    json!({"op": "add", "path": format!("/fields/{name}"), "value": value.into()})
}
