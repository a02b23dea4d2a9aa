//! Running the program up to one of its writes, and no further.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::common::World;

/// Where the writes of a command go.
pub(super) enum Place {
    Repository(PathBuf),
    /// An organization of the simulator.
    Organization(String),
}

/// The writes that were seen so far.
pub(super) struct Writes {
    place: Place,
    pub(super) count: u64,
    /// What the last of them was to.
    pub(super) last: String,
    files: BTreeMap<PathBuf, u64>,
}

impl Writes {
    pub(super) async fn begin(world: &World, place: Place) -> Self {
        let mut writes = Self {
            place,
            count: 0,
            last: String::new(),
            files: BTreeMap::new(),
        };
        writes.look(world).await;
        if let Place::Repository(_) = writes.place {
            writes.count = 0;
        }
        writes.last = String::new();
        writes
    }

    /// A file that came, grew or went is a write; locks are not.
    pub(super) async fn look(&mut self, world: &World) {
        match &self.place {
            Place::Repository(folder) => {
                let mut now = BTreeMap::new();
                list(folder, &mut now);
                let gone = self.files.keys().filter(|path| !now.contains_key(*path));
                let new = now
                    .iter()
                    .filter(|(path, size)| self.files.get(*path) != Some(size));
                let changed: Vec<&PathBuf> = new.map(|(path, _)| path).chain(gone).collect();
                if let Some(path) = changed.last() {
                    let inside = path.strip_prefix(folder).unwrap();
                    let first = inside.components().next().unwrap();
                    let first = first.as_os_str().to_str().unwrap();
                    first.clone_into(&mut self.last);
                }
                self.count += changed.len() as u64;
                self.files = now;
            }
            Place::Organization(name) => {
                let path = format!("/__ledger?organization={name}&summary=true");
                let ledger = world.get(&path).await;
                self.count = writes(&ledger["summary"]["templates"]);
            }
        }
    }
}

fn list(folder: &Path, into: &mut BTreeMap<PathBuf, u64>) {
    // What is listed may be gone a moment later.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(found) if found.is_dir() && entry.file_name() != "locks" => {
                list(&entry.path(), into);
            }
            Ok(found) if found.is_file() => {
                into.insert(entry.path(), found.len());
            }
            _ => {}
        }
    }
}

/// Requests that change something.
fn writes(templates: &Value) -> u64 {
    const READING: [&str; 3] = ["workItemsBatch", "wiql", "git-upload-pack"];
    let changing = |name: &str| {
        !name.starts_with("GET ") && !READING.iter().any(|reading| name.contains(reading))
    };
    let all = templates.as_object().unwrap().iter();
    all.filter(|(name, _)| changing(name))
        .map(|(_, sum)| sum["requests"].as_u64().unwrap())
        .sum()
}

/// When to kill.
#[derive(Clone, Copy)]
pub(super) enum Point {
    /// So many writes were seen.
    Write(u64),
    /// After its writes, in a phase that only reads.
    Phase(&'static str),
    /// As soon as something was written into this folder of the repository.
    Into(&'static str),
}

/// How a run ended.
pub(super) struct Ended {
    /// `None` when it was killed.
    pub(super) code: Option<i32>,
    /// The last phase that it told of.
    pub(super) phase: String,
    pub(super) told: String,
}

impl Ended {
    /// It was killed while it wrote.
    pub(super) fn was_killed(&self, writes: &Writes) -> bool {
        self.code.is_none() && writes.count > 0
    }
}

/// Runs the program to its end, or kills it at a write.
pub(super) async fn run(
    world: &World,
    arguments: &[&str],
    writes: &mut Writes,
    kill_at: Option<Point>,
) -> Ended {
    let mut child = world.start(arguments);
    let told = Arc::new(Mutex::new((String::new(), String::new())));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let heard = Arc::clone(&told);
    let listening = async move {
        while let Ok(Some(line)) = lines.next_line().await {
            let mut heard = heard.lock().unwrap();
            if let Ok(event) = serde_json::from_str::<Value>(&line)
                && let Some(phase) = event["phase"].as_str()
            {
                phase.clone_into(&mut heard.0);
            }
            heard.1.push_str(&line);
            heard.1.push('\n');
        }
    };
    let hunting = async {
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            writes.look(world).await;
            let now = match kill_at {
                Some(Point::Write(point)) => writes.count >= point,
                Some(Point::Phase(phase)) => told.lock().unwrap().0 == phase,
                Some(Point::Into(folder)) => writes.count > 0 && writes.last == folder,
                None => false,
            };
            if now {
                child.start_kill().unwrap();
                return child.wait().await.unwrap();
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    };
    let (status, ()) = tokio::join!(hunting, listening);
    writes.look(world).await;
    let killed = status.signal() == Some(9);
    let told = told.lock().unwrap();
    Ended {
        code: (!killed).then(|| status.code().unwrap_or(-1)),
        phase: told.0.clone(),
        told: told.1.clone(),
    }
}
