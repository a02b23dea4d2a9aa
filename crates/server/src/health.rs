//! `/healthz`: the process answers. `/readyz`: it can do its work.

use axum::extract::State;

use crate::{Problem, Server};

pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says less than an administrator wants to know, since anyone may ask: the log says more.
pub(crate) async fn readyz(State(server): State<Server>) -> Result<&'static str, Problem> {
    let away = |code: &'static str, detail: &'static str, error: &dyn std::fmt::Display| {
        tracing::error!(%error, "not ready");
        Problem::unavailable(code, detail)
    };
    let control = &server.control;
    let catalog = control.catalog.default_repository().await;
    catalog.map_err(|error| away("catalog-failed", "the catalog does not answer", &error))?;
    control.try_disk().await.map_err(|error| {
        let full = error.code() == Some("disk-full");
        let code = if full { "disk-full" } else { "storage-failed" };
        away(code, "nothing can be written to the data directory", &error)
    })?;
    Ok("ready\n")
}
