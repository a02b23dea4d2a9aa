//! A tenant of the simulator, backed up by the engine into a repository in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine::backup::{BackupContext, BackupReport, BackupRequest, backup};
use engine::coordinator::{Beat, Coordinator, IndexRow, Rows, SnapshotInfo};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use microsoft_365::MICROSOFT_365;
use model::{App, Clock, Connector, Secret, SignIn, Silent};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{InitOptions, Node, Repository};
use serde_json::Value;
use service::Client;
use service::entra::{Api, Cloud, Clouds, Entra, Held};
use service::http::{Auth, Method, Options, Url, Usage};
use simulator::{Seed, Simulator};

/// A second passes whenever someone looks.
struct Ticks(Mutex<Timestamp>);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_secs(1);
        *now
    }
}

#[derive(Default)]
struct Index(Mutex<Vec<IndexRow>>);

#[async_trait]
impl Coordinator for Index {
    async fn beat(&self) -> engine::Result<Beat> {
        Ok(Beat { cancel: false })
    }

    async fn permit_commit(&self) -> engine::Result<()> {
        Ok(())
    }

    async fn index(&self, _snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> engine::Result<()> {
        self.0.lock().unwrap().clear();
        while let Some(row) = rows.next().await? {
            self.0.lock().unwrap().push(row);
        }
        Ok(())
    }
}

/// What one run did.
pub(crate) struct Ran {
    pub(crate) report: BackupReport,
    pub(crate) usage: Usage,
    /// Items whose rows the index was given.
    pub(crate) rows: usize,
}

impl Ran {
    /// Requests of a kind.
    pub(crate) fn requests(&self, kind: &str) -> u64 {
        self.usage.by_kind.get(kind).map_or(0, |usage| usage.0)
    }

    pub(crate) fn codes(&self) -> Vec<&str> {
        let issues = self.report.source.issues.iter();
        issues.map(|issue| issue.code.as_str()).collect()
    }
}

pub(crate) struct Tenant {
    pub(crate) simulator: Simulator,
    store: Arc<dyn ObjectStore>,
    repository: Repository,
    index: Index,
    clock: Arc<dyn Clock>,
    work: tempfile::TempDir,
    pub(crate) full: bool,
    /// The items that a policy selects.
    pub(crate) picks: model::Picks,
}

impl Tenant {
    pub(crate) async fn start() -> Self {
        let options = simulator::Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            seed: Seed::Empty,
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the simulator's tokens live by the real clock"
        )]
        let now = Timestamp::now();
        let clock: Arc<dyn Clock> = Arc::new(Ticks(Mutex::new(now)));
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        Self {
            simulator: Simulator::start(options).await.unwrap(),
            repository: repository(&store, &clock).await,
            store,
            index: Index::default(),
            clock,
            work: tempfile::tempdir().unwrap(),
            full: false,
            picks: model::Picks::default(),
        }
    }

    /// As if nothing had ever been backed up.
    pub(crate) async fn forget_backups(&mut self) {
        self.store = Arc::new(InMemory::new());
        self.repository = repository(&self.store, &self.clock).await;
    }

    /// Bits flip in one file of a snapshot, and nowhere else.
    pub(crate) async fn damage(&mut self, ran: &Ran, path: &str) {
        let snapshot = self.repository.snapshot(ran.report.snapshot).await.unwrap();
        let node = self.repository.find(snapshot.tree, path).await.unwrap();
        let node = node.unwrap();
        let folder = Path::from("data");
        let packs: Vec<_> = self.store.list(Some(&folder)).collect().await;
        for pack in packs {
            let at = pack.unwrap().location;
            let whole = self.store.get(&at).await.unwrap().bytes().await.unwrap();
            let (mut from, mut to) = (0, whole.len());
            if !self.is_hit(&at, &whole, from..to, &node).await {
                self.store.put(&at, whole.into()).await.unwrap();
                continue;
            }
            while to - from > 1 {
                let half = from + (to - from) / 2;
                if self.is_hit(&at, &whole, from..half, &node).await {
                    to = half;
                } else {
                    from = half;
                }
            }
            assert!(self.is_hit(&at, &whole, from..to, &node).await);
            return;
        }
        panic!("{path} lies in no pack");
    }

    /// Whether a file cannot be read any more when these bytes of a pack are others.
    async fn is_hit(&mut self, at: &Path, whole: &Bytes, range: Range<usize>, node: &Node) -> bool {
        let mut bytes = whole.to_vec();
        for byte in &mut bytes[range] {
            *byte ^= 1;
        }
        self.store.put(at, bytes.into()).await.unwrap();
        let secret = Secret::new("secret");
        let opened = Repository::open(Arc::clone(&self.store), &secret).await;
        self.repository = opened.unwrap();
        self.repository.read(node).await.is_err()
    }

    /// A client of the tenant as the app itself, with all that it was granted.
    pub(crate) fn client(&self) -> Client {
        let root = self.simulator.url();
        let mut clouds = Clouds::usual().unwrap();
        clouds.add(Cloud::new("lab", root, root).unwrap()).unwrap();
        let scope = clouds.find("lab").unwrap().scope(Api::Graph);
        let entra = Entra::new(service::entra::Options {
            clouds,
            clock: Arc::clone(&self.clock),
            user_agent: "keepward-test".to_owned(),
            timeout: Duration::from_secs(10),
            pause: Duration::from_millis(10),
        })
        .unwrap();
        let sign_in = SignIn::ClientSecret {
            app: App {
                cloud: "lab".to_owned(),
                tenant: self.simulator.tenant(),
                client_id: self.simulator.client_id(),
            },
        };
        let secret = Secret::new(self.simulator.client_secret());
        let source = entra
            .separate(&sign_in, Arc::new(Held::new(Some(secret))))
            .unwrap();
        let url = |path: &str| Url::parse(&format!("{root}{path}")).unwrap();
        Client::new(Options {
            hosts: BTreeMap::from([("graph", url("/v1.0")), ("root", url(""))]),
            auth: Auth::Bearer(source.bearer(scope)),
            user_agent: "keepward-test".to_owned(),
            attempts: 3,
            max_wait: Duration::from_millis(50),
            timeout: Duration::from_secs(30),
            max_body: 64 << 20,
            observer: None,
        })
        .unwrap()
    }

    pub(crate) async fn back_up(&self) -> engine::Result<Ran> {
        let client = self.client();
        let cx = BackupContext {
            service: &MICROSOFT_365,
            client: &client,
            repository: &self.repository,
            coordinator: &self.index,
            clock: &self.clock,
            reporter: &Silent,
        };
        let request = BackupRequest {
            connector: Connector {
                name: "contoso".to_owned(),
                service: MICROSOFT_365.name.to_owned(),
                organization: "contoso.onmicrosoft.com".to_owned(),
                ..Connector::default()
            },
            url: "https://graph.example/v1.0".to_owned(),
            run: "run".to_owned(),
            job: "job".to_owned(),
            token: 1,
            selection: BTreeSet::new(),
            picks: self.picks.clone(),
            accept_deletions: BTreeSet::new(),
            full: self.full,
            work: self.work.path().to_owned(),
        };
        let report = Box::pin(backup(&cx, &request)).await?;
        Ok(Ran {
            report,
            usage: client.usage(),
            rows: self.index.0.lock().unwrap().len(),
        })
    }

    /// Every file of a snapshot but its own description.
    pub(crate) async fn files(&self, ran: &Ran) -> BTreeMap<String, Vec<u8>> {
        let snapshot = self.repository.snapshot(ran.report.snapshot).await.unwrap();
        let mut files = BTreeMap::new();
        let mut walk = std::pin::pin!(self.repository.walk(snapshot.tree, ""));
        while let Some(entry) = walk.next().await {
            let (path, node) = entry.unwrap();
            if node.is_file() && path != "source.json" {
                files.insert(path, self.repository.read(&node).await.unwrap().to_vec());
            }
        }
        files
    }

    /// What people do in the tenant: `/__graph/…` of the simulator.
    pub(crate) async fn act(&self, method: Method, path: &str, body: &Value) -> Value {
        self.tell(method, &format!("/__graph/{path}"), body).await
    }

    pub(crate) async fn tell(&self, method: Method, path: &str, body: &Value) -> Value {
        let client = self.client();
        let call = client.call(method.clone(), "root", path);
        let call = if method == Method::GET {
            call
        } else {
            call.json(body)
        };
        let answer = call.send().await.unwrap();
        if answer.body.is_empty() {
            Value::Null
        } else {
            answer.json().unwrap()
        }
    }
}

async fn repository(store: &Arc<dyn ObjectStore>, clock: &Arc<dyn Clock>) -> Repository {
    let options = InitOptions {
        created: clock.now(),
        hostname: "test".to_owned(),
        username: "test".to_owned(),
    };
    let secret = Secret::new("secret");
    Repository::init(Arc::clone(store), &secret, &options)
        .await
        .unwrap()
}

/// The files of one kind: folder by folder, without the group of folders that they lie in.
pub(crate) fn of_kind(files: &BTreeMap<String, Vec<u8>>, kind: &str) -> BTreeMap<String, String> {
    let own = files.iter().filter_map(|(path, bytes)| {
        let rest = path.strip_prefix(kind)?.strip_prefix('/')?;
        let (_, rest) = rest.split_once('/')?;
        Some((rest.to_owned(), String::from_utf8(bytes.clone()).unwrap()))
    });
    own.collect()
}
