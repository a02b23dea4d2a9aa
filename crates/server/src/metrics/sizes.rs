//! How large repositories are. A storage in the cloud counts its files to tell, so it is asked now and then only.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::sync::Mutex;

use super::text::Page;
use crate::{Problem, Server};

/// So long a size is believed.
const FRESH: Duration = Duration::from_mins(15);

/// Whoever collects figures waits about ten seconds for all of them.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sizes as they were found last.
#[derive(Default)]
pub(super) struct Sizes(Mutex<Option<Found>>);

struct Found {
    at: Instant,
    bytes: BTreeMap<String, u64>,
}

pub(super) async fn write(server: &Server, page: &mut Page) -> Result<(), Problem> {
    // Who comes while it is asked waits for the answer instead of asking too.
    let mut known = server.counters.1.0.lock().await;
    let found = match known.take() {
        Some(found) if found.at.elapsed() < FRESH => found,
        _ => look(server).await?,
    };
    let bytes = found
        .bytes
        .iter()
        .map(|(name, bytes)| (vec![("repository", name.clone())], *bytes));
    page.gauge(
        "repository_bytes",
        "Bytes of all files of a repository, looked up every 15 minutes.",
        bytes,
    );
    *known = Some(found);
    Ok(())
}

/// Those that do not answer are left out.
async fn look(server: &Server) -> Result<Found, Problem> {
    let rows = server.control.catalog.repositories().await?;
    let asked = rows.iter().map(async |row| {
        let state = tokio::time::timeout(PATIENCE, server.control.repository_state(row)).await;
        Some((row.name.clone(), state.ok()?.bytes?))
    });
    let bytes = join_all(asked).await.into_iter().flatten().collect();
    Ok(Found {
        at: Instant::now(),
        bytes,
    })
}
