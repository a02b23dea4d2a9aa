//! `/healthz`: the process answers. `/readyz`: it can do its work.

use axum::extract::State;

use crate::{Problem, Server};

pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says less than an administrator wants to know, since anyone may ask: the log says more.
pub(crate) async fn readyz(State(server): State<Server>) -> Result<&'static str, Problem> {
    match server.control.catalog.default_repository().await {
        Ok(_) => Ok("ready\n"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            Err(Problem::unavailable(
                "catalog-failed",
                "the catalog does not answer",
            ))
        }
    }
}
