//! A simulated organization: it changes, and its answers fail.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use model::Secret;
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use service::Client;
use service::http::{Auth, Method, Options, Url};
use simulator::{Seed, Simulator};

/// Runs in a runtime of its own, which no process takes along when it dies.
pub(crate) struct Organization {
    simulator: Simulator,
    runtime: tokio::runtime::Runtime,
}

/// Those that end a run come once, those that cost a part of it more often.
const FAULTS: [&str; 16] = [
    "429",
    "200-retry-after",
    "203",
    "302",
    "401",
    "403",
    "403",
    "403",
    "500",
    "500",
    "503",
    "truncate",
    "truncate-clean",
    "truncate-clean",
    "drop",
    "drop-before",
];
const PLACES: [&str; 7] = [
    "*/wit/*",
    "*reporting*",
    "*comments*",
    "*attachments*",
    "*git*",
    "*teams*",
    "*classificationnodes*",
];

/// An image in a text has no size that would tell that a part of it is missing from an answer which looks whole.
const WITH_FILES: [&str; 2] = ["*/wit/*", "*attachments*"];

impl Organization {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = simulator::Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            seed: Seed::Small,
        };
        let simulator = runtime.block_on(Simulator::start(options)).unwrap();
        Self { simulator, runtime }
    }

    /// What the service dates its answers by.
    pub(crate) fn keep_time(&self, clock: impl Fn() -> i64 + Send + Sync + 'static) {
        self.simulator.keep_time(clock);
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.simulator.url(), self.simulator.organization())
    }

    /// To be made in the runtime that uses it.
    pub(crate) fn client(&self) -> Client {
        let own = Url::parse(&self.url()).unwrap();
        Client::new(Options {
            hosts: BTreeMap::from([
                ("dev", own.clone()),
                ("sps", own),
                ("root", Url::parse(self.simulator.url()).unwrap()),
            ]),
            auth: Auth::Pat(Secret::new(self.simulator.pat())),
            user_agent: "keepward-test".to_owned(),
            attempts: 2,
            max_wait: Duration::from_millis(100),
            timeout: Duration::from_mins(1),
            max_body: 64 << 20,
            observer: None,
        })
        .unwrap()
    }

    fn ask(&self, method: Method, path: &str, body: &Value) {
        self.runtime.block_on(async {
            let client = self.client();
            let call = client.call(method, "root", path).json(body);
            call.send().await.unwrap();
        });
    }

    /// So many work items get another title.
    pub(crate) fn change(&self, items: usize) {
        self.ask(Method::POST, "/__bulk/change", &json!({"count": items}));
    }

    /// A few requests of a kind fail, or for all of the run.
    pub(crate) fn trouble(&self, random: &mut StdRng) {
        for _ in 0..random.random_range(1..4) {
            let fault = FAULTS[random.random_range(0..FAULTS.len())];
            let mut place = PLACES[random.random_range(0..PLACES.len())];
            if fault == "truncate-clean" && WITH_FILES.contains(&place) {
                place = "*reporting*";
            }
            let mut rule = json!({
                "path": place,
                "fault": fault,
                "nth": random.random_range(1..4),
                "retryAfter": 0,
            });
            if random.random_bool(0.4) {
                rule["count"] = json!(random.random_range(1..4));
            }
            self.ask(Method::POST, "/__faults", &rule);
        }
    }

    pub(crate) fn heal(&self) {
        self.ask(Method::DELETE, "/__faults", &Value::Null);
    }
}
