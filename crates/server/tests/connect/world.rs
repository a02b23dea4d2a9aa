//! A server whose one cloud is the simulator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::Request;
use control::{Control, OwnApp, Reach};
use jiff::{SignedDuration, Timestamp};
use model::Clock;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::access::Caller;
use server::{Options, Server};
use service::Service;
use service::egress::Egress;
use service::entra::{Cloud, Clouds};
use simulator::{Seed, Simulator};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::installed::control;
use crate::remembered::remember;

static SERVICES: [&Service; 2] = [&azure_devops::AZURE_DEVOPS, &microsoft_365::MICROSOFT_365];

/// The machine's clock, and what a test puts on top: the simulator's tokens live by it.
#[derive(Default)]
pub(crate) struct Ahead(AtomicI64);

impl Clock for Ahead {
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulator's tokens live by the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) server: Server,
    pub(crate) control: Control,
    clock: Arc<Ahead>,
    pub(crate) folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// Refused in these words.
    pub(crate) fn refused(self, code: &str, detail: &str) -> Value {
        assert!(
            self.status.is_client_error(),
            "{} {}",
            self.status,
            self.body
        );
        assert_eq!(self.body["code"], code, "{}", self.body);
        assert_eq!(self.body["detail"], detail, "{}", self.body);
        self.body
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let simulator = Simulator::start(simulator::Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            seed: Seed::Small,
        })
        .await
        .unwrap();
        let mut cloud = Cloud::new("lab", simulator.authority(), simulator.graph()).unwrap();
        cloud.imds = simulator.imds().parse().unwrap();
        let url = simulator.url();
        for (host, address) in [
            ("dev", format!("{url}/{{organization}}")),
            ("sps", format!("{url}/{{organization}}")),
            ("aex", format!("{url}/{{organization}}")),
            ("app", url.to_owned()),
        ] {
            cloud.hosts.insert(host.to_owned(), address);
        }
        let mut clouds = Clouds::usual().unwrap();
        clouds.add(cloud).unwrap();
        let clock = Arc::<Ahead>::default();
        let mut reach = Reach::new(
            clouds,
            Egress::with_this_machine(Vec::new()),
            Arc::<Ahead>::clone(&clock),
        );
        reach.apps = Arc::new([OwnApp {
            service: "azure-devops".to_owned(),
            cloud: "lab".to_owned(),
            client_id: simulator.client_id(),
        }]);
        let folder = TempDir::new().unwrap();
        let shared = Arc::<Ahead>::clone(&clock);
        let control = control(folder.path(), &SERVICES, shared, reach).await;
        let server = Server::new(control.clone(), Options::default());
        Self {
            simulator,
            server,
            control,
            clock,
            folder,
        }
    }

    /// The same with these rules on where addresses may lead.
    pub(crate) fn allowing(mut self, allow: &[&str]) -> Self {
        let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
        self.control.reach.egress = Egress::new(allow);
        self.server = Server::new(self.control.clone(), Options::default());
        self
    }

    /// The same with the simulator's addresses for the public cloud as well.
    pub(crate) fn in_public(mut self) -> Self {
        let mut cloud = self.control.reach.clouds.find("lab").unwrap().clone();
        "public".clone_into(&mut cloud.name);
        self.control.reach.clouds.add(cloud).unwrap();
        self.server = Server::new(self.control.clone(), Options::default());
        self
    }

    /// The same at an address that browsers come back to.
    pub(crate) fn at(mut self, public_url: &str) -> Self {
        let options = Options {
            public_url: Some(public_url.parse().unwrap()),
            ..Options::default()
        };
        self.server = Server::new(self.control.clone(), options);
        self
    }

    /// A request of somebody who reaches these connectors alone.
    pub(crate) async fn call_as(
        &self,
        reached: &[&str],
        (method, path): (Method, &str),
        body: &Value,
    ) -> Answer {
        let mut caller = Caller::local();
        caller.connectors = Some(reached.iter().map(|name| (*name).to_owned()).collect());
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("content-type", "application/json")
            .extension(caller)
            .body(Body::from(serde_json::to_vec(body).unwrap()))
            .unwrap();
        let answer = self.server.router().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
        let body = serde_json::from_slice(&body.unwrap()).unwrap_or(Value::Null);
        Answer { status, body }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
        self.simulator.advance_clock(seconds);
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let bytes = body.map(|body| serde_json::to_vec(body).unwrap());
        let answer = self.server.call(method, path, bytes).await;
        let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        Answer {
            status: answer.status,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Adds a connector with a token, in the way of Azure DevOps Server and the simulator: by its address.
    pub(crate) async fn add_pat(&self, name: &str, pat: &str) -> Answer {
        self.post("/connectors", &self.pat_body(name, "contoso", pat))
            .await
    }

    pub(crate) fn pat_body(&self, name: &str, organization: &str, pat: &str) -> Value {
        json!({
            "name": name, "service": "azure-devops", "organization": organization, "url": self.simulator.url(),
            "identity": { "method": "pat", "secret": pat },
        })
    }

    pub(crate) async fn names(&self) -> Vec<String> {
        let all = self.control.catalog.connectors().await.unwrap();
        all.into_iter().map(|one| one.name).collect()
    }

    /// Nothing is saved.
    pub(crate) async fn expect_empty(&self) {
        assert_eq!(self.names().await, [] as [String; 0]);
        let credentials = self.control.catalog.credentials().await.unwrap();
        assert!(credentials.is_empty(), "{}", credentials.len());
    }

    /// Another organization of the tenant, which its administrator owns.
    pub(crate) fn own(&self, organization: &str) {
        let (simulator, tenant) = (&self.simulator, self.simulator.tenant());
        simulator
            .add_organization_in(organization, &tenant)
            .unwrap();
        let owner = json!({"person": simulator.administrator(), "member": true, "owner": true});
        simulator.set_access(organization, &owner).unwrap();
    }

    /// A repository that backups could go to, if anybody reached it.
    pub(crate) async fn keeps_backups(&self) {
        remember(&self.control, "s3://backups/main", "").await;
    }

    /// A wizard in which somebody has signed in by device code.
    pub(crate) async fn signed_in(&self, begin: &Value, person: &str) -> Value {
        let begun = self.post("/connect", begin).await.expect(201);
        let code = begun["sign_in"]["user_code"].as_str().unwrap();
        self.simulator.approve_device_code(code, person).unwrap();
        self.advance(5);
        let path = format!("/connect/{}/poll", begun["id"].as_str().unwrap());
        let wizard = self.post(&path, &json!({})).await.expect(200);
        assert_eq!(wizard["step"], "choose", "{wizard}");
        wizard
    }

    /// A connector that a person signed in for.
    pub(crate) async fn add_user(&self, name: &str) -> Value {
        let begin = json!({"service": "azure-devops", "method": "user", "cloud": "lab"});
        let wizard = self.signed_in(&begin, self.simulator.administrator()).await;
        let path = format!("/connect/{}/add", wizard["id"].as_str().unwrap());
        let body = json!({"connectors": [{"organization": "contoso", "name": name}]});
        self.post(&path, &body).await.expect(201)
    }
}
