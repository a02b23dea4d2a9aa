//! People whom a plan's items name, and who takes their place at the target.

use axum::extract::State;
use model::{PlanPerson, PlanState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reached;
use crate::access::{Allowed, ReadContent, Restore};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(list, edit))
}

/// More people are not mapped in one request.
const MOST: usize = 1000;
/// Longer than any address.
const LONGEST: usize = 320;

/// Somebody whom items of a plan name.
#[derive(Serialize, ToSchema)]
struct RestoreIdentity {
    from: RestorePerson,
    /// Who is written instead; null leaves the person as stored.
    to: Option<RestoreSuccessor>,
    /// The target knows this person by the unique name.
    found: bool,
    /// How many items name this person.
    items: u64,
}

/// A person as the snapshot has it.
#[derive(Serialize, ToSchema)]
struct RestorePerson {
    name: String,
    unique_name: String,
}

/// A person of the target.
#[derive(Serialize, Deserialize, ToSchema)]
struct RestoreSuccessor {
    unique_name: String,
}

impl From<PlanPerson> for RestoreIdentity {
    fn from(person: PlanPerson) -> Self {
        Self {
            from: RestorePerson {
                name: person.name,
                unique_name: person.unique_name,
            },
            to: person
                .becomes
                .map(|unique_name| RestoreSuccessor { unique_name }),
            found: person.found,
            items: person.items,
        }
    }
}

/// Who takes whose place. People who are not named stay as they are mapped.
#[derive(Deserialize, ToSchema)]
struct MapIdentities {
    items: Vec<MapIdentity>,
}

/// One person's successor; other members are ignored, so that what was read can be sent back.
#[derive(Deserialize, ToSchema)]
struct MapIdentity {
    from: RestoreSuccessor,
    to: Option<RestoreSuccessor>,
}

/// The people whom a plan's items name, by unique name.
#[utoipa::path(get, path = "/restore-plans/{id}/identities", tag = "restores", operation_id = "restore_plan_identities",
    params(("id" = String, Path), PageQuery),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = Paged<RestoreIdentity>), Refusals))]
async fn list(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Paged<RestoreIdentity>>, Problem> {
    reached(&server, &caller, &id).await?;
    let catalog = &server.control.catalog;
    let listed = catalog.plan_people(&id, &query.page(&server)?).await?;
    Ok(Json(Paged::from_listed(
        &server,
        listed,
        RestoreIdentity::from,
    )))
}

/// Says who takes the place of people, before the plan is applied. Answers with the first page of all.
#[utoipa::path(put, path = "/restore-plans/{id}/identities", tag = "restores", operation_id = "restore_plan_map",
    params(("id" = String, Path)), request_body = MapIdentities,
    extensions(("x-permission" = json!("restore"))),
    responses((status = 200, body = Paged<RestoreIdentity>), Refusals))]
async fn edit(
    caller: Allowed<Restore>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(request): Json<MapIdentities>,
) -> Result<Json<Paged<RestoreIdentity>>, Problem> {
    let row = reached(&server, &caller, &id).await?;
    if row.plan.state != PlanState::Ready {
        return Err(Problem::conflict(
            "plan-started",
            format!("plan {id} is not waiting to be applied"),
        ));
    }
    if request.items.len() > MOST {
        return Err(Problem::field("/items", format!("at most {MOST}")));
    }
    let mut mapping = Vec::with_capacity(request.items.len());
    for (at, item) in request.items.into_iter().enumerate() {
        let to = item.to.map(|to| to.unique_name.trim().to_owned());
        if to.as_ref().is_some_and(|to| !is_plain(to)) {
            return Err(Problem::field(
                format!("/items/{at}/to/unique_name"),
                "a name by which the target knows somebody",
            ));
        }
        mapping.push((item.from.unique_name, to));
    }
    let catalog = &server.control.catalog;
    let strangers = catalog.map_plan_people(&id, &mapping).await?;
    if !strangers.is_empty() {
        let said = format!("the plan names nobody called {}", strangers.join(", "));
        return Err(Problem::field("/items", said));
    }
    let details = json!({ "mapped": mapping });
    let subject = format!("restore-plan/{id}");
    server
        .audit(&caller, "restore.map", &subject, details)
        .await?;
    let listed = catalog
        .plan_people(&id, &PageQuery::default().page(&server)?)
        .await?;
    Ok(Json(Paged::from_listed(
        &server,
        listed,
        RestoreIdentity::from,
    )))
}

/// What could be read as more than one name, or as none, is none.
fn is_plain(name: &str) -> bool {
    let odd = |char: char| char.is_control() || matches!(char, '<' | '>' | ';' | '"');
    !name.is_empty() && name.len() <= LONGEST && !name.contains(odd)
}
