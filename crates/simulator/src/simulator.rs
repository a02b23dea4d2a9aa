//! The handle of a running simulator.

mod tenants;

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::server::App;
use crate::world::SharedWorld;

/// What to serve and where.
pub struct Options {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of bare repositories and blobs; a temporary one if absent.
    pub data: Option<PathBuf>,
    pub seed: Seed,
}

/// What the organization holds at the start.
pub enum Seed {
    /// No project.
    Empty,
    /// One project with a few of everything, made in well under a second.
    Small,
    /// The organization of the demo.
    Contoso {
        /// A git repository whose history becomes one of the repositories.
        history: Option<PathBuf>,
        work_items: u32,
    },
    /// One project, work items of `bytes` of JSON with one revision each, and repositories with one history: for benchmarks.
    Bulk {
        work_items: u32,
        bytes: u32,
        repositories: u32,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("cannot use the data folder {path}: {source}")]
    Data {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot make the organization: {0}")]
    Seed(String),
    /// What a test asked for cannot be.
    #[error("{0}")]
    Refused(String),
}

/// A running simulator. Dropping it stops it without waiting.
pub struct Simulator {
    url: String,
    pat: String,
    world: SharedWorld,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
    /// Removes the temporary data folder at the end.
    _folder: Option<tempfile::TempDir>,
}

/// The folder for repositories and blobs; a temporary one is removed when the second value is dropped.
fn data(wanted: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>), SimulatorError> {
    let fail = |path: PathBuf| move |source| SimulatorError::Data { path, source };
    let Some(path) = wanted else {
        let folder = tempfile::tempdir().map_err(fail(std::env::temp_dir()))?;
        return Ok((folder.path().to_owned(), Some(folder)));
    };
    std::fs::create_dir_all(&path).map_err(fail(path.clone()))?;
    Ok((path, None))
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    let fail = |source| SimulatorError::Listen {
        address: wanted,
        source,
    };
    let listener = TcpListener::bind(wanted).await.map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    Ok((listener, address))
}

/// Answers until it is told to stop. A dropped sender is a dropped simulator, which ends it too.
async fn serve(listener: TcpListener, world: SharedWorld, stopped: oneshot::Receiver<()>) {
    let shutdown = async {
        stopped.await.ok();
    };
    let served = axum::serve(listener, App::new(world).router());
    if let Err(error) = served.with_graceful_shutdown(shutdown).await {
        tracing::error!(%error, "the simulator stopped");
    }
}

const ORGANIZATION: &str = "contoso";

impl Simulator {
    /// Listens and fills the organization `contoso`; requests are answered from the moment this returns.
    pub async fn start(options: Options) -> Result<Self, SimulatorError> {
        let (data, folder) = data(options.data)?;
        let world = SharedWorld::new(data);
        let pat = world.write().add_organization(ORGANIZATION);
        let (listener, address) = listen(options.listen).await?;
        world.write().url = format!("http://{address}");
        crate::seed::fill(&world, ORGANIZATION, &options.seed)
            .await
            .map_err(|error| SimulatorError::Seed(error.message))?;
        world
            .write()
            .enter_applications(ORGANIZATION)
            .map_err(|error| SimulatorError::Seed(error.message))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, world.clone(), stopped));
        Ok(Self {
            url: format!("http://{address}"),
            pat,
            world,
            stop,
            tasks,
            _folder: folder,
        })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn organization(&self) -> &str {
        ORGANIZATION
    }

    /// Full access to [`Self::organization`].
    pub fn pat(&self) -> &str {
        &self.pat
    }

    /// Makes an empty organization, backed by the same people, and returns its full-access PAT.
    #[expect(
        clippy::unused_async,
        reason = "making an organization may come to wait"
    )]
    pub async fn add_organization(&self, name: &str) -> String {
        self.world.write().add_organization(name)
    }

    /// Makes a PAT with the scopes, as `vso.work`, in an existing organization.
    #[expect(clippy::unused_async, reason = "like its sibling")]
    pub async fn add_pat(&self, organization: &str, scopes: &[&str]) -> String {
        self.world.write().add_pat(organization, scopes)
    }

    /// Ends the server after the requests in flight.
    pub async fn stop(mut self) {
        self.stop.send(()).ok();
        while self.tasks.join_next().await.is_some() {}
    }
}
