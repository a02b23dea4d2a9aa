//! The whole suite on one PostgreSQL cluster.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{self, JoinSet};

use crate::postgres::Cluster;
use crate::support::Place;

/// Tests that run at once: most of the time of each goes into waiting for the other process.
const AT_ONCE: usize = 3;

/// Tests in databases of one cluster.
pub(crate) struct SideBySide {
    cluster: Arc<Cluster>,
    running: JoinSet<()>,
    names: HashMap<task::Id, &'static str>,
    failed: Vec<&'static str>,
}

impl SideBySide {
    pub(crate) fn start() -> Self {
        Self {
            cluster: Arc::new(Cluster::start()),
            running: JoinSet::new(),
            names: HashMap::new(),
            failed: Vec::new(),
        }
    }

    pub(crate) async fn run<T: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &'static str,
        test: fn(Place) -> T,
    ) {
        if self.running.len() >= AT_ONCE {
            self.wait().await;
        }
        let cluster = Arc::clone(&self.cluster);
        let run = async move { test(cluster.place(name)).await };
        self.names.insert(self.running.spawn(run).id(), name);
    }

    async fn wait(&mut self) {
        if let Some(Err(error)) = self.running.join_next().await {
            self.failed.push(self.names[&error.id()]);
        }
    }

    pub(crate) async fn failed(mut self) -> Vec<&'static str> {
        while !self.running.is_empty() {
            self.wait().await;
        }
        self.failed
    }
}
