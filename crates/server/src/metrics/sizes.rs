//! How large repositories are. A storage in the cloud counts its files to tell, so it is asked now and then only.

use futures::future::join_all;

use super::text::Page;
use crate::{Problem, Server};

/// Those that were never measured are left out.
pub(super) async fn write(server: &Server, page: &mut Page) -> Result<(), Problem> {
    let rows = server.control.catalog.repositories().await?;
    let asked = rows.iter().map(async |row| {
        let bytes = server.repository_size(row).await?;
        Some((vec![("repository", row.name.clone())], bytes))
    });
    let bytes = join_all(asked).await.into_iter().flatten();
    page.gauge(
        "repository_bytes",
        "Bytes of all files of a repository, looked up every 15 minutes.",
        bytes,
    );
    Ok(())
}
