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

const ORGANIZATION: &str = "contoso";

impl Simulator {
    /// Listens and fills the organization `contoso`; requests are answered from the moment this returns.
    pub async fn start(options: Options) -> Result<Self, SimulatorError> {
        let (data, folder) = if let Some(path) = options.data {
            (path, None)
        } else {
            let folder = tempfile::tempdir().map_err(|source| SimulatorError::Data {
                path: std::env::temp_dir(),
                source,
            })?;
            (folder.path().to_owned(), Some(folder))
        };
        std::fs::create_dir_all(&data).map_err(|source| SimulatorError::Data {
            path: data.clone(),
            source,
        })?;
        let world = SharedWorld::new(data);
        let pat = world.write().add_organization(ORGANIZATION);
        let listener =
            TcpListener::bind(options.listen)
                .await
                .map_err(|source| SimulatorError::Listen {
                    address: options.listen,
                    source,
                })?;
        let address = listener
            .local_addr()
            .map_err(|source| SimulatorError::Listen {
                address: options.listen,
                source,
            })?;
        world.write().url = format!("http://{address}");
        crate::seed::fill(&world, ORGANIZATION, &options.seed)
            .await
            .map_err(|error| SimulatorError::Seed(error.message))?;
        world
            .write()
            .enter_applications(ORGANIZATION)
            .map_err(|error| SimulatorError::Seed(error.message))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = App::new(world.clone()).router();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let shutdown = async {
                // A dropped sender is a dropped simulator: both end the server.
                stopped.await.ok();
            };
            if let Err(error) = axum::serve(listener, router)
                .with_graceful_shutdown(shutdown)
                .await
            {
                tracing::error!(%error, "the simulator stopped");
            }
        });
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
