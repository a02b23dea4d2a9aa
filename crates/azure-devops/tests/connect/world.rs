//! The simulator as one more cloud.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::{App, Clock, Secret, SignIn};
use service::Client;
use service::entra::{
    Api, AppService, Cloud, Clouds, CodeFlow, Entra, Held, Prompt, Return, SignedIn, TokenSource,
};
use service::http::{Auth, Options, Url};
use simulator::{Seed, Simulator};

pub(crate) const REDIRECT: &str = "http://localhost:8765/return";

/// The machine's clock, as the simulator has it, and what a test puts on top.
#[derive(Default)]
pub(crate) struct Ahead(std::sync::atomic::AtomicI64);

impl Ahead {
    pub(crate) fn by(&self, seconds: i64) {
        self.0
            .fetch_add(seconds, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulator's tokens live by the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        let ahead = self.0.load(std::sync::atomic::Ordering::SeqCst);
        Timestamp::now() + SignedDuration::from_secs(ahead)
    }
}

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) entra: Entra,
    pub(crate) clock: Arc<Ahead>,
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
        let clock = Arc::<Ahead>::default();
        let entra = library(cloud, &clock);
        Self {
            simulator,
            entra,
            clock,
        }
    }

    /// The same library on App Service.
    pub(crate) fn on_app_service(&self) -> Entra {
        let mut cloud = self.entra.clouds().find("lab").unwrap().clone();
        let (endpoint, header) = self.simulator.app_service();
        cloud.app_service = Some(AppService {
            endpoint: endpoint.parse().unwrap(),
            header: Secret::new(header),
        });
        library(cloud, &self.clock)
    }

    pub(crate) fn app(&self, tenant: &str) -> App {
        App {
            cloud: "lab".to_owned(),
            tenant: tenant.to_owned(),
            client_id: self.simulator.client_id(),
        }
    }

    pub(crate) fn scope(&self) -> String {
        self.entra
            .clouds()
            .find("lab")
            .unwrap()
            .scope(Api::AzureDevops)
    }

    /// What the browser does: opens the page and follows the redirect back.
    pub(crate) async fn browse(&self, address: &Url) -> String {
        let browser = self.client(Auth::Pat(Secret::new("none")), "");
        let answer = browser
            .url(address)
            .expect(&[302, 303])
            .send()
            .await
            .unwrap();
        let location = answer.headers.get("location").unwrap().to_str().unwrap();
        Url::parse(location).unwrap().query().unwrap().to_owned()
    }

    /// A person signs in by code, in one request.
    pub(crate) async fn sign_in(&self, person: &str) -> SignedIn {
        self.simulator.sign_in_at_once(person);
        let redirect = Url::parse(REDIRECT).unwrap();
        let app = self.app("organizations");
        let (flow, address) =
            CodeFlow::begin(&self.entra, &app, &self.scope(), &redirect, Prompt::Nothing).unwrap();
        let query = self.browse(&address).await;
        flow.complete(&self.entra, &Return::parse(&query), None)
            .await
            .unwrap()
    }

    /// A client for an organization with the token of a person.
    pub(crate) async fn person(&self, person: &str, organization: &str) -> Client {
        let (source, _) = self.sign_in(person).await.source(&self.entra).unwrap();
        self.with(&source, organization)
    }

    pub(crate) fn source(&self, sign_in: &SignIn, secret: Option<&str>) -> TokenSource {
        let store = Arc::new(Held::new(secret.map(Secret::new)));
        self.entra.separate(sign_in, store).unwrap()
    }

    pub(crate) fn with(&self, source: &TokenSource, organization: &str) -> Client {
        self.client(Auth::Bearer(source.bearer(self.scope())), organization)
    }

    pub(crate) fn pat(&self, pat: &str, organization: &str) -> Client {
        self.client(Auth::Pat(Secret::new(pat)), organization)
    }

    pub(crate) fn client(&self, auth: Auth, organization: &str) -> Client {
        client(self.simulator.url(), auth, organization)
    }
}

fn library(cloud: Cloud, clock: &Arc<Ahead>) -> Entra {
    let mut clouds = Clouds::usual().unwrap();
    clouds.add(cloud).unwrap();
    Entra::new(service::entra::Options {
        clouds,
        clock: Arc::<Ahead>::clone(clock),
        user_agent: "keepward-test".to_owned(),
        timeout: Duration::from_secs(10),
        pause: Duration::from_millis(1),
    })
    .unwrap()
}

pub(crate) fn client(url: &str, auth: Auth, organization: &str) -> Client {
    let base = Url::parse(&format!("{url}/{organization}")).unwrap();
    let mut hosts: BTreeMap<_, _> = ["dev", "sps", "aex"]
        .map(|name| (name, base.clone()))
        .into();
    hosts.insert("app", Url::parse(url).unwrap());
    Client::new(Options {
        hosts,
        auth,
        user_agent: "keepward-test".to_owned(),
        attempts: 2,
        max_wait: Duration::from_millis(50),
        timeout: Duration::from_secs(10),
        max_body: 64 << 20,
        observer: None,
    })
    .unwrap()
}
