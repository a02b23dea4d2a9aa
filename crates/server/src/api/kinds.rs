//! The kinds of data of all services, from their own tables.

use axum::extract::State;
use model::directory::EntryKind;
use serde::Serialize;
use service::{Fidelity, Kind, Layout, Service};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, Own};
use crate::{Json, Paged, Problem, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A kind of data.
#[derive(Serialize, ToSchema)]
struct KindView {
    /// `work-item`
    id: &'static str,
    /// As people read it: `Work items`.
    title: &'static str,
    service: &'static str,
    /// The kind whose items its own are parts of, as comments are of work items; nobody finds or restores them alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<&'static str>,
    /// The kind whose items contain its own, as projects do teams.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'static str>,
    /// People choose among its items by name.
    chosen: bool,
    /// `full`, `partial`, or `export-only` for what cannot be written back.
    restore: &'static str,
    /// What does not come back as it was, or why nothing can be written back.
    losses: Vec<&'static str>,
}

impl KindView {
    fn of(service: &Service, kind: &dyn Kind) -> Self {
        let spec = kind.spec();
        let (restore, losses) = match spec.restore {
            Fidelity::Full => ("full", Vec::new()),
            Fidelity::Partial(losses) => ("partial", losses.to_vec()),
            Fidelity::ExportOnly(reason) => ("export-only", vec![reason]),
        };
        // Groups and sites of a directory come with its users.
        let users = service.preflight.directory().is_some() && spec.name == EntryKind::User.name();
        // What only arrives with others, as iterations do with areas, is found and restored like anything else.
        let within = match spec.layout {
            Layout::Item { .. } => None,
            Layout::Lines { .. } | Layout::Files { .. } => spec.with,
        };
        Self {
            id: spec.name,
            title: spec.title,
            service: service.name,
            within,
            parent: spec.parent,
            chosen: users || kind.is_listed(),
            restore,
            losses,
        }
    }
}

/// The kinds of data of all services, in the order in which they are read.
#[utoipa::path(get, path = "/kinds", tag = "server", operation_id = "kind_list",
    extensions(("x-permission" = json!("own"))),
    responses((status = 200, body = Paged<KindView>), Refusals))]
async fn list(
    _caller: Allowed<Own>,
    State(server): State<Server>,
) -> Result<Json<Paged<KindView>>, Problem> {
    let mut all = Vec::new();
    for service in server.control.services {
        let kinds = service.kinds.iter();
        all.extend(kinds.map(|kind| KindView::of(service, *kind)));
    }
    Ok(Json(Paged::from(all)))
}
