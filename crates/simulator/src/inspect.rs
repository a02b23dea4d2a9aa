//! Addresses below `/__`, which the service does not have: what the simulator holds, and how to change its behavior.

mod sent;

use axum::http::{Method, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::core::{access, operations, teams::Member};
use crate::faults::{Fault, Rule};
use crate::server::{ApiError, App, Query, Reply};
use crate::world::Organization;
use crate::{change, entra, git, graph, wiki, wit};

pub(crate) use sent::Sent;

/// The organization that is meant if a request names none.
const DEFAULT: &str = "contoso";

/// Answers `/__{name}`.
pub(crate) async fn answer(
    app: &App,
    method: &Method,
    path: &str,
    query: &Query,
    body: &Bytes,
) -> Result<Reply, ApiError> {
    let sent: Value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body).map_err(ApiError::bad_body)?
    };
    let organization = query
        .get("organization")
        .or_else(|| sent["organization"].as_str())
        .unwrap_or(DEFAULT)
        .to_owned();
    if let Some(name) = query.get("tenant") {
        return of_tenant(app, name, method, path);
    }
    let path = path.trim_matches('/');
    let done = Ok(Reply::no_content());
    match (method, path) {
        (&Method::GET, "__state") => state(app, &organization).await,
        (&Method::GET, "__inventory") => inventory(app, &organization),
        (_, "__ledger" | "__ledger/reset") => ledger(app, method, path, query),
        (_, "__faults") => faults(app, method, sent),
        (&Method::POST, "__demo/change") => Ok(Reply::json(
            change::demonstrate(&app.world, &organization).await?,
        )),
        (&Method::POST, "__bulk/change") => {
            let count = Sent::new(&sent).number("count")?.unwrap_or(1000);
            Ok(Reply::json(change::bulk(&app.world, &organization, count)?))
        }
        (&Method::POST, "__repositories") => {
            git::arrange(&app.world, &organization, Sent::new(&sent))?;
            done
        }
        (&Method::POST, "__access") => {
            access::change(&mut app.world.write(), &organization, &sent)?;
            done
        }
        (&Method::POST, "__organizations") => add_organization(app, Sent::new(&sent)),
        (&Method::POST, "__pats") => add_pat(app, &organization, Sent::new(&sent)),
        _ => {
            let mut world = app.world.write();
            let entra = &mut world.entra;
            if let Some(path) = path.strip_prefix("__graph/") {
                return graph::control::answer(entra, method, path, &sent);
            }
            let path = path
                .strip_prefix("__entra")
                .ok_or_else(|| ApiError::no_route_path(path))?;
            entra::control::answer(entra, method, path.trim_matches('/'), &sent)
        }
    }
}

fn ledger(app: &App, method: &Method, path: &str, query: &Query) -> Result<Reply, ApiError> {
    match (method, path) {
        (&Method::GET, "__ledger") => Ok(Reply::json(
            app.ledger
                .document(query.get("organization"), query.flag("summary")),
        )),
        (&Method::POST, "__ledger/reset") => {
            app.ledger.reset();
            Ok(Reply::no_content())
        }
        _ => Err(ApiError::no_route_path(path)),
    }
}

fn faults(app: &App, method: &Method, sent: Value) -> Result<Reply, ApiError> {
    match *method {
        Method::GET => Ok(Reply::json(app.faults.document())),
        Method::POST => add_faults(app, sent),
        Method::DELETE => {
            clear_faults(app);
            Ok(Reply::no_content())
        }
        _ => Err(ApiError::no_route_path("__faults")),
    }
}

fn of_tenant(app: &App, name: &str, method: &Method, path: &str) -> Result<Reply, ApiError> {
    let world = app.world.read();
    let missing = || ApiError::bad_request(format!("there is no tenant {name}"));
    let tenant = world.entra.tenant_named(name).ok_or_else(missing)?;
    match (method, path.trim_matches('/')) {
        (&Method::GET, "__state") => Ok(Reply::json(graph::control::state(tenant))),
        (&Method::GET, "__inventory") => Ok(Reply::json(graph::control::inventory(tenant))),
        _ => Err(ApiError::no_route_path(path)),
    }
}

fn add_organization(app: &App, sent: Sent<'_>) -> Result<Reply, ApiError> {
    let name = sent.required("name")?;
    let mut world = app.world.write();
    let pat = match sent.text("tenant")? {
        None => world.add_organization(name),
        Some(tenant) => {
            let found = world.entra.tenant_named(tenant);
            let missing = || ApiError::bad_request(format!("there is no tenant {tenant}"));
            let id = found.ok_or_else(missing)?.id;
            world.add_organization_in(name, id)
        }
    };
    Ok(Reply::json(json!({"name": name, "pat": pat})).with_status(StatusCode::CREATED))
}

fn add_pat(app: &App, organization: &str, sent: Sent<'_>) -> Result<Reply, ApiError> {
    let scopes = sent.list("scopes")?.unwrap_or_default();
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let mut world = app.world.write();
    if organization != "*" {
        world.organization(organization)?;
    }
    let pat = world.add_pat(organization, &scopes);
    Ok(Reply::json(json!({"pat": pat})).with_status(StatusCode::CREATED))
}

fn clear_faults(app: &App) {
    app.faults.clear();
    for organization in app.world.write().organizations.values_mut() {
        organization.core.denied.clear();
        organization.core.hidden.clear();
    }
}

/// A rule or a list of rules.
fn add_faults(app: &App, sent: Value) -> Result<Reply, ApiError> {
    let list = match sent {
        Value::Array(list) => list,
        one => vec![one],
    };
    let rules: Vec<Rule> = list
        .into_iter()
        .map(|rule| serde_json::from_value(rule).map_err(ApiError::bad_body))
        .collect::<Result<_, _>>()?;
    for rule in rules {
        let place = rule.organization.as_deref().unwrap_or(DEFAULT);
        match rule.fault {
            Fault::Permission => {
                let permission = rule
                    .permission
                    .clone()
                    .ok_or_else(|| ApiError::bad_body("the member permission is missing"))?;
                app.world
                    .write()
                    .organization_mut(place)?
                    .core
                    .denied
                    .insert(permission);
            }
            Fault::HideProject => {
                let name = rule
                    .project
                    .clone()
                    .ok_or_else(|| ApiError::bad_body("the member project is missing"))?;
                let mut world = app.world.write();
                let organization = world.organization_mut(place)?;
                let project = organization.project(&name)?.id;
                organization.core.hidden.insert(project);
            }
            _ => {}
        }
        app.faults.add(rule);
    }
    Ok(Reply::json(app.faults.document()).with_status(StatusCode::CREATED))
}

fn projects(organization: &Organization) -> Vec<Value> {
    let project = |project: &crate::core::Project| {
        json!({
            "id": project.id,
            "name": project.name,
            "description": project.description,
            "visibility": project.visibility,
            "process": project.process.name(),
            "defaultTeam": project.default_team,
            "properties": project.properties,
        })
    };
    organization.core.projects.iter().map(project).collect()
}

fn teams(organization: &Organization) -> Vec<Value> {
    let member = |member: &Member| json!({"displayName": member.person.display_name, "uniqueName": member.person.unique_name, "isTeamAdmin": member.admin});
    let team = |team: &crate::core::Team| {
        json!({
            "id": team.id,
            "project": organization.project_by_id(team.project).map(|project| project.name.as_str()),
            "name": team.name,
            "description": team.description,
            "members": team.members.iter().map(member).collect::<Vec<_>>(),
        })
    };
    organization.core.teams.iter().map(team).collect()
}

/// Everything that the simulator holds of one organization.
async fn state(app: &App, name: &str) -> Result<Reply, ApiError> {
    let mut map = Map::new();
    {
        let world = app.world.read();
        let organization = world.organization(name)?;
        map.insert(
            "organization".to_owned(),
            json!({"id": organization.id, "name": organization.name}),
        );
        let people = organization.people.iter().map(|person| json!({"id": person.id, "displayName": person.display_name, "uniqueName": person.unique_name, "descriptor": person.descriptor}));
        map.insert("people".to_owned(), people.collect());
        map.insert("projects".to_owned(), projects(organization).into());
        map.insert("teams".to_owned(), teams(organization).into());
        map.append(&mut wit::state(organization)?);
    }
    map.insert(
        "repositories".to_owned(),
        git::dump(&app.world, name).await?,
    );
    map.insert("wikis".to_owned(), wiki::dump(&app.world, name).await?);
    Ok(Reply::json(Value::Object(map)))
}

/// What a complete backup has to read, in numbers.
fn inventory(app: &App, name: &str) -> Result<Reply, ApiError> {
    let world = app.world.read();
    let organization = world.organization(name)?;
    let repositories = git::counts(organization);
    let mut map = wit::inventory(organization);
    let counts = [
        ("projects", organization.visible_projects().count()),
        ("teams", organization.core.teams.len()),
        (
            "teamMembers",
            organization
                .core
                .teams
                .iter()
                .map(|team| team.members.len())
                .sum(),
        ),
        ("repositories", repositories.repositories),
        ("emptyRepositories", repositories.empty),
        ("hiddenRepositories", repositories.hidden),
        ("deletedRepositories", repositories.deleted),
        ("lfsObjects", repositories.lfs_objects),
        ("wikis", wiki::count(organization)),
        ("operationPolls", operations::DURATION as usize),
    ];
    map.extend(
        counts
            .into_iter()
            .map(|(name, count)| (name.to_owned(), json!(count))),
    );
    Ok(Reply::json(Value::Object(map)))
}
