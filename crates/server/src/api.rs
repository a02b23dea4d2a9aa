//! The operations under `/api/v1`: a file for each resource.
#![expect(
    unused_qualifications,
    reason = "utoipa's macros write types with their whole path"
)]

mod alarms;
mod app_profiles;
mod audit;
mod connect;
mod connectors;
mod credentials;
mod events;
mod identity_providers;
mod kinds;
mod me;
mod names;
mod notifications;
mod overview;
mod people;
mod policies;
mod proposals;
mod repositories;
mod restore_plans;
mod run_actions;
mod runs;
mod sessions;
mod setup;
mod sign_in;
mod snapshots;
mod status;
mod tenants;
mod tokens;
mod workers;

pub(crate) use connectors::CheckView;

use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use crate::Server;

pub(crate) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .merge(alarms::routes())
        .merge(audit::routes())
        .merge(app_profiles::routes())
        .merge(connect::routes())
        .merge(connectors::routes())
        .merge(credentials::routes())
        .merge(events::routes())
        .merge(identity_providers::routes())
        .merge(kinds::routes())
        .merge(me::routes())
        .merge(notifications::routes())
        .merge(overview::routes())
        .merge(people::routes())
        .merge(policies::routes())
        .merge(proposals::routes())
        .merge(repositories::routes())
        .merge(restore_plans::routes())
        .merge(run_actions::routes())
        .merge(runs::routes())
        .merge(sessions::routes())
        .merge(setup::routes())
        .merge(sign_in::routes())
        .merge(snapshots::routes())
        .merge(status::routes())
        .merge(tenants::routes())
        .merge(tokens::routes())
        .merge(workers::routes())
}

/// An enum's word, as it is stored and shown everywhere.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}
