//! People whom a plan's items name, and who takes their place at the target.

use axum::extract::State;
use catalog::PersonMapping;
use control::KnownPeople;
use model::{PlanPerson, PlanState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reached;
use crate::access::{Allowed, ReadContent, Restore};
use crate::{FieldError, Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

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
    to: Option<RestoreReplacement>,
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

/// Who is written in the place of a person.
#[derive(Serialize, ToSchema)]
struct RestoreReplacement {
    unique_name: String,
    /// The target knows somebody by this name; false where it could not be asked.
    checked: bool,
}

/// A person by the unique name.
#[derive(Deserialize, ToSchema)]
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
            to: person.becomes.map(|unique_name| RestoreReplacement {
                unique_name,
                checked: person.checked,
            }),
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

/// Says who takes the place of people, before the plan is applied. Whom the target does not know is refused; where it cannot be asked, the
/// mapping is saved as it is, and says so. Answers with the first page of all.
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
        return Err(catalog::Error::PlanStarted { id }.into());
    }
    if request.items.len() > MOST {
        return Err(Problem::field("/items", format!("at most {MOST}")));
    }
    let mapping = mapping(request.items)?;
    let catalog = &server.control.catalog;
    let people = mapping.iter().map(|(person, _)| person.as_str());
    let strangers = catalog.strangers_to_plan(&id, people).await?;
    named(&strangers)?;
    let names = mapping.iter().filter_map(|(_, to)| to.clone()).collect();
    let known = server.control.known_at_target(&row.plan, names).await?;
    let checked = checked(&mapping, &known)?;
    named(&catalog.map_plan_people(&id, &checked).await?)?;
    let mut details = json!({ "mapped": mapping });
    if let KnownPeople::Unasked(why) = known {
        details["unchecked"] = why.into();
    }
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

/// What is asked for: people, and who takes their places.
fn mapping(items: Vec<MapIdentity>) -> Result<Vec<(String, Option<String>)>, Problem> {
    let mut mapping = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        let to = item.to.map(|to| to.unique_name.trim().to_owned());
        if to.as_ref().is_some_and(|to| !is_plain(to)) {
            return Err(Problem::field(
                pointer(at),
                "a name by which the target knows somebody",
            ));
        }
        mapping.push((item.from.unique_name, to));
    }
    Ok(mapping)
}

fn pointer(at: usize) -> String {
    format!("/items/{at}/to/unique_name")
}

/// Refuses people whom the plan does not name.
fn named(strangers: &[String]) -> Result<(), Problem> {
    if strangers.is_empty() {
        return Ok(());
    }
    let said = format!("the plan names nobody called {}", strangers.join(", "));
    Err(Problem::field("/items", said))
}

/// The mapping with what the target says of it; refused where that knows nobody of the name, who would be a plain text there.
fn checked(
    mapping: &[(String, Option<String>)],
    known: &KnownPeople,
) -> Result<Vec<PersonMapping>, Problem> {
    let mut errors = Vec::new();
    let mut all = Vec::with_capacity(mapping.len());
    for (at, (person, to)) in mapping.iter().enumerate() {
        let is_known = match (to, known) {
            (Some(to), KnownPeople::Of(known)) => known.contains(to),
            (None, _) | (_, KnownPeople::Unasked(_)) => false,
        };
        if let (Some(to), KnownPeople::Of(_), false) = (to, known, is_known) {
            let said = format!("the target knows nobody by the name {to}");
            errors.push(FieldError::pointer(pointer(at), said));
        }
        all.push(PersonMapping {
            person: person.clone(),
            becomes: to.clone(),
            checked: is_known,
        });
    }
    if errors.is_empty() {
        Ok(all)
    } else {
        Err(Problem::fields(errors))
    }
}

/// What could be read as more than one name, or as none, is none.
fn is_plain(name: &str) -> bool {
    let odd = |char: char| char.is_control() || matches!(char, '<' | '>' | ';' | '"');
    !name.is_empty() && name.len() <= LONGEST && !name.contains(odd)
}
