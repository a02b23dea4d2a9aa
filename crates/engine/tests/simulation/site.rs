//! What outlives a process: the storage, the service, the catalog's few rows, and time.

use std::future::Future;
use std::sync::{Arc, Mutex};

use fault_store::{FaultStore, Plan};
use jiff::SignedDuration;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use repository::Repository;
use service::{Client, Service};

use crate::process::process;
use crate::quick;
use crate::stand_in::{Ticks, client};
use crate::world::{self, Shared};

/// Two repositories in one storage, which fails and dies for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Main,
    /// What is copied into.
    Second,
}

impl Place {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Second => "second",
        }
    }
}

pub(crate) struct Site {
    pub(crate) store: FaultStore,
    pub(crate) clock: Arc<Ticks>,
    pub(crate) world: Shared,
    pub(crate) service: &'static Service,
    pub(crate) client: Client,
    /// The row of a job that did not end.
    pub(crate) checkpoint: Mutex<Option<String>>,
    pub(crate) work: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let clock = Arc::new(Ticks::new());
        let time = Arc::clone(&clock);
        let store = FaultStore::new(inner, Arc::new(move || time.peek()));
        let world = Shared::default();
        world.lock().unwrap().apply(&[]);
        let site = Self {
            store,
            clock,
            service: world::service(&world),
            world,
            client: client(),
            checkpoint: Mutex::default(),
            work: tempfile::tempdir().unwrap(),
        };
        for place in [Place::Main, Place::Second] {
            site.calmly(quick::make(site.place(place).as_ref()));
        }
        site
    }

    /// Runs a process to its end, or to its death.
    pub(crate) fn process<T>(&self, plan: Plan, work: impl Future<Output = T>) -> Option<T> {
        process(&self.store, plan, work)
    }

    /// Runs something of which no fault is expected.
    pub(crate) fn calmly<T>(&self, work: impl Future<Output = T>) -> T {
        self.process(Plan::default(), work).unwrap()
    }

    /// After the crash. Says what a forgetful store has lost.
    pub(crate) fn recover(&self) -> Vec<Path> {
        futures::executor::block_on(self.store.recover()).unwrap()
    }

    fn place(&self, place: Place) -> Arc<dyn ObjectStore> {
        Arc::new(PrefixStore::new(self.store.clone(), place.folder()))
    }

    /// A repository as a process that starts sees it.
    pub(crate) async fn open(&self, place: Place) -> repository::Result<Repository> {
        quick::open(&self.place(place)).await
    }

    /// Half an hour and more: whoever comes now finds the locks of the dead stale.
    pub(crate) fn pass_half_an_hour(&self) {
        self.clock.pass(SignedDuration::from_mins(35));
    }
}
