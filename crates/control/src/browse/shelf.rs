//! Repositories that are kept open: opening one costs a key derivation, and its index is read as it is needed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use catalog::RepositoryRow;
use jiff::Timestamp;
use repository::Repository;
use tokio::sync::OnceCell;

use crate::{Control, Error, Result};

/// An open repository that nobody asks for is let go after this.
pub(super) const IDLE: Duration = Duration::from_mins(10);
/// Of all open repositories together; the one in use may be larger.
const MEMORY: u64 = 256 << 20;
const MOST: usize = 8;

#[derive(Default)]
pub(super) struct Shelf(Mutex<State>);

#[derive(Default)]
struct State {
    /// The one that was used last is the last.
    slots: Vec<Slot>,
    sweeping: bool,
}

struct Slot {
    way: Way,
    opened: Arc<OnceCell<Repository>>,
    used: Instant,
}

/// How a repository was opened: another place, credential or secret opens it anew.
#[derive(Clone, PartialEq, Eq)]
struct Way {
    id: String,
    location: String,
    password: (String, Timestamp),
    storage: Option<(String, Timestamp)>,
}

impl Way {
    async fn of(control: &Control, row: &RepositoryRow) -> Result<Self> {
        let secret = async |name: &str| {
            let row = control.catalog.credential(name).await?;
            Ok::<_, Error>((row.name, row.updated))
        };
        let storage = match &row.storage_credential {
            Some(name) => Some(secret(name).await?),
            None => None,
        };
        Ok(Self {
            id: row.id.clone(),
            location: row.location.clone(),
            password: secret(&row.password_credential).await?,
            storage,
        })
    }
}

impl Shelf {
    pub(super) async fn open(&self, control: &Control, id: &str) -> Result<Repository> {
        let rows = control.catalog.repositories().await?;
        let row = rows.into_iter().find(|row| row.id == id);
        let row = row.ok_or_else(|| Error::Request {
            code: "repository-unknown",
            message: "the snapshot's repository is not connected to this server any more"
                .to_owned(),
        })?;
        let way = Way::of(control, &row).await?;
        let cell = self.slot(&way);
        let opened = cell.get_or_try_init(|| control.read_repository(&row));
        let opened = opened.await?.clone();
        // An address may lead to another repository meanwhile.
        if opened.id().to_string() != id {
            self.lock().slots.retain(|slot| slot.way != way);
            return Err(Error::Request {
                code: "repository-refused",
                message: format!("another repository is at {}", row.location),
            });
        }
        self.make_room();
        Ok(opened)
    }

    fn slot(&self, way: &Way) -> Arc<OnceCell<Repository>> {
        let mut state = self.lock();
        let at = state.slots.iter().position(|slot| slot.way == *way);
        let mut slot = if let Some(at) = at {
            state.slots.remove(at)
        } else {
            // What it was opened with is not valid any more.
            state.slots.retain(|slot| slot.way.id != way.id);
            Slot {
                way: way.clone(),
                opened: Arc::default(),
                used: Instant::now(),
            }
        };
        slot.used = Instant::now();
        let opened = Arc::clone(&slot.opened);
        state.slots.push(slot);
        opened
    }

    /// Lets the ones go that were not used for longest; never the last one.
    fn make_room(&self) {
        let mut state = self.lock();
        let memory = |slot: &Slot| slot.opened.get().map_or(0, Repository::memory);
        let mut all: u64 = state.slots.iter().map(memory).sum();
        while state.slots.len() > 1 && (all > MEMORY || state.slots.len() > MOST) {
            all -= memory(&state.slots.remove(0));
        }
    }

    /// Whether the caller is to call [`Shelf::sweep`] from time to time from now on.
    pub(super) fn wants_sweep(&self) -> bool {
        !std::mem::replace(&mut self.lock().sweeping, true)
    }

    /// Lets idle ones go; `true` when none is left.
    pub(super) fn sweep(&self) -> bool {
        let mut state = self.lock();
        state.slots.retain(|slot| slot.used.elapsed() < IDLE);
        state.sweeping = !state.slots.is_empty();
        !state.sweeping
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
