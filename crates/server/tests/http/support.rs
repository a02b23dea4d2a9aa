//! A server on an empty catalog.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use control::Reach;
use jiff::Timestamp;
use model::Clock;
use serde_json::Value;
use server::access::Caller;
use server::{Options, Server, Tls};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub(crate) use crate::answer::Answer;
use crate::installed::control;

static SERVICES: &[&service::Service] = &[&azure_devops::AZURE_DEVOPS];

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }
}

pub(crate) struct World {
    pub(crate) server: Server,
    folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Fixed);
        let reach = Reach::usual(Arc::clone(&clock)).unwrap();
        let control = control(folder.path(), SERVICES, clock, reach).await;
        Self {
            server: Server::new(control, options),
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// As nobody.
    pub(crate) async fn nobody(&self, request: Request<Body>) -> Answer {
        Answer::of(self.server.router().oneshot(request).await.unwrap()).await
    }

    /// As the local administrator.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(Caller::local());
        self.nobody(request).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request =
            Request::post(format!("/api/v1{path}")).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Serves until the token is canceled.
    pub(crate) fn listen(&self, tls: Option<Tls>) -> Listening {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (server, until) = (self.server.clone(), stop.clone());
        #[expect(clippy::disallowed_methods, reason = "the test waits for it")]
        let served = tokio::spawn(async move { server.serve(listener, tls, until).await });
        Listening {
            address,
            stop,
            served,
        }
    }
}

pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
}

impl Listening {
    /// Sends these bytes on a connection of its own and reads until the server closes it.
    pub(crate) async fn raw(&self, sent: &'static str) -> String {
        let address = self.address;
        let read = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_mins(1)))
                .unwrap();
            stream.write_all(sent.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            String::from_utf8(answer).unwrap()
        });
        read.await.unwrap()
    }
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}
