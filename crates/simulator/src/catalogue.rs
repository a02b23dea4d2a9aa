//! `OPTIONS _apis` and the resource areas, from what a live organization answered, and the version rules that follow from them.

mod version;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::server::{ApiError, Call, HostKind, Reply};

pub(crate) use version::{bad as bad_version, check as check_version};

/// Host, area, resource, route, lowest, released and highest version, resource version, location id.
const ROUTES: &str = include_str!("catalogue/routes.tsv");
/// Host, area, area id.
const AREAS: &str = include_str!("catalogue/areas.tsv");

pub(crate) struct Route {
    host: &'static str,
    pub area: &'static str,
    pub resource: &'static str,
    template: &'static str,
    min: (u32, u32),
    released: (u32, u32),
    max: (u32, u32),
    resource_version: u32,
    location: &'static str,
    /// After `_apis`, in lowercase.
    parts: Vec<Part>,
}

enum Part {
    Literal(String),
    /// Any one segment that starts with the text.
    Any(String),
    /// All that follow.
    Rest,
}

/// All routes, and their indices by the first segment after `_apis`.
struct Catalogue {
    routes: Vec<Route>,
    by_first: HashMap<String, Vec<usize>>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let routes: Vec<Route> = ROUTES.lines().skip(1).filter_map(parse).collect();
    let mut by_first: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, route) in routes.iter().enumerate() {
        if let Some(Part::Literal(first)) = route.parts.first() {
            by_first.entry(first.clone()).or_default().push(index);
        }
    }
    Catalogue { routes, by_first }
});

fn number(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn parse(line: &'static str) -> Option<Route> {
    let mut columns = line.split('\t');
    let mut next = || columns.next();
    let (host, area, resource, template) = (next()?, next()?, next()?, next()?);
    let (min, released, max) = (number(next()?)?, number(next()?)?, number(next()?)?);
    let (resource_version, location) = (next()?.parse().ok()?, next()?);
    let tail = template.split_once("_apis/").map_or("", |(_, tail)| tail);
    let part = |text: &str| {
        if text.starts_with("{*") {
            return Part::Rest;
        }
        let text = text
            .replace("{area}", area)
            .replace("{resource}", resource)
            .to_lowercase();
        match text.split_once('{') {
            Some((before, _)) => Part::Any(before.to_owned()),
            None => Part::Literal(text),
        }
    };
    let parts = tail
        .split('/')
        .filter(|text| !text.is_empty())
        .map(part)
        .collect();
    Some(Route {
        host,
        area,
        resource,
        template,
        min,
        released,
        max,
        resource_version,
        location,
        parts,
    })
}

impl Route {
    /// How many literal segments match; parameters at the end may be left out.
    fn score(&self, segments: &[String]) -> Option<usize> {
        let mut score = 0;
        for (at, part) in self.parts.iter().enumerate() {
            match (part, segments.get(at)) {
                (Part::Rest, _) => return Some(2 * score),
                (Part::Literal(text), Some(segment)) if segment.eq_ignore_ascii_case(text) => {
                    score += 1;
                }
                (Part::Any(_), None) => {}
                (Part::Any(prefix), Some(segment))
                    if segment.to_lowercase().starts_with(prefix.as_str()) =>
                {
                    // `${type}` fits better than `{id}`.
                    if !prefix.is_empty() {
                        score += 1;
                    }
                }
                _ => return None,
            }
        }
        // A parameter that is left out fits no better than a rest that is empty.
        match segments.len().cmp(&self.parts.len()) {
            Ordering::Less => Some(2 * score),
            Ordering::Equal => Some(2 * score + 1),
            Ordering::Greater => None,
        }
    }

    /// `wit/workItems/{id}`, the path after `_apis` with its parameters.
    pub(crate) fn name(&self) -> String {
        let tail = self
            .template
            .split_once("_apis/")
            .map_or(self.template, |(_, tail)| tail);
        tail.replace("{area}", self.area)
            .replace("{resource}", self.resource)
    }

    fn document(&self) -> Value {
        let version = |(major, minor): (u32, u32)| format!("{major}.{minor}");
        json!({
            "id": self.location,
            "area": self.area,
            "resourceName": self.resource,
            "routeTemplate": self.template,
            "resourceVersion": self.resource_version,
            "minVersion": version(self.min),
            "maxVersion": version(self.max),
            "releasedVersion": version(self.released),
        })
    }
}

/// The routes that fit a path best; several differ in their versions alone.
pub(crate) fn find(segments: &[String]) -> Vec<&'static Route> {
    let first = segments
        .first()
        .map(|segment| segment.to_lowercase())
        .unwrap_or_default();
    let indices = CATALOGUE
        .by_first
        .get(&first)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut best = 0;
    let mut found = Vec::new();
    for route in indices.iter().map(|index| &CATALOGUE.routes[*index]) {
        let Some(score) = route.score(segments) else {
            continue;
        };
        if score > best {
            best = score;
            found.clear();
        }
        if score == best {
            found.push(route);
        }
    }
    found
}

/// `OPTIONS _apis[/{area}]`: the locations of one host, or of all on a base URL that serves them all.
pub(crate) fn options(host: HostKind, area: Option<&str>) -> Reply {
    let host = match host {
        HostKind::Any => None,
        HostKind::Dev => Some("dev.azure.com"),
        HostKind::Aex => Some("vsaex.dev.azure.com"),
        HostKind::Sps => Some("vssps.dev.azure.com"),
        HostKind::Other => Some(""),
    };
    let wanted = |route: &&Route| {
        // Every host tells where locations and operations are.
        let here = host.is_none_or(|host| route.host == host || matches!(route.area, "Location"));
        here && area.is_none_or(|area| route.area.eq_ignore_ascii_case(area))
    };
    let mut seen = std::collections::HashSet::new();
    let locations = CATALOGUE
        .routes
        .iter()
        .filter(wanted)
        .filter(|route| seen.insert((route.location, route.template)));
    Reply::list(locations.map(Route::document).collect())
}

/// `GET ResourceAreas[/{id}]`: real addresses on the real hosts, the base URL elsewhere.
pub(crate) fn resource_areas(call: &Call) -> Result<Reply, ApiError> {
    let mut seen = std::collections::HashSet::new();
    let document = |line: &'static str| {
        let mut columns = line.split('\t');
        let (host, name, id) = (columns.next()?, columns.next()?, columns.next()?);
        let url = match call.host {
            HostKind::Any => format!("{}/", call.base),
            _ => format!("https://{host}/{}/", call.organization),
        };
        seen.insert(id)
            .then(|| json!({"id": id, "name": name, "locationUrl": url}))
    };
    let mut all: Vec<Value> = AREAS.lines().skip(1).filter_map(document).collect();
    let Some(wanted) = call.segments.get(1) else {
        return Ok(Reply::list(all));
    };
    let found = all.iter_mut().find(|area| {
        area["id"]
            .as_str()
            .is_some_and(|id| id.eq_ignore_ascii_case(wanted))
    });
    found.map(|area| Reply::json(area.take())).ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "Microsoft.VisualStudio.Services.Location.Server.ResourceAreaNotFoundException",
            format!("VS403317: The resource area {wanted} could not be found."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> String {
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        find(&segments)
            .first()
            .map(|route| route.name())
            .unwrap_or_default()
    }

    #[test]
    fn a_path_finds_the_route_that_fits_best() {
        assert_eq!(name("wit/workItems/12"), "wit/workItems/{id}");
        assert_eq!(name("wit/workitems/$Task"), "wit/workItems/${type}");
        assert_eq!(
            name("wit/workItems/12/comments/3"),
            "wit/workItems/{workItemId}/comments/{commentId}"
        );
        assert_eq!(
            name("wit/classificationNodes/Areas/a/b"),
            "wit/classificationNodes/{structureGroup}/{*path}"
        );
        assert_eq!(
            name("wit/reporting/workItemRevisions"),
            "wit/reporting/workItemRevisions"
        );
        assert_eq!(
            name("projects/x/teams/y/members"),
            "projects/{projectId}/teams/{teamId}/members"
        );
        assert_eq!(name("git/repositories"), "git/repositories/{repositoryId}");
        assert_eq!(name("Identities/x"), "identities/{identityId}");
        assert_eq!(name("nothing/here"), "");
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        assert_eq!(CATALOGUE.routes.len(), ROUTES.lines().count() - 1);
    }
}
