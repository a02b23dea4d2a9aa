//! Reading work items, their revisions and updates.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::fields::{FieldId, Fields};
use super::item::{Item, Target};
use super::render::{Expand, ItemView, update_document};
use super::value::{References, parse_date};
use super::write::unknown_item;
use super::{BATCH, types};
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

/// An item that the caller may see: not deleted, in no hidden project, in the project of the path.
pub(super) fn find<'a>(
    organization: &'a Organization,
    call: &Call,
    id: u32,
) -> Result<&'a Item, ApiError> {
    let project = call.project_filter(organization)?;
    organization
        .wit
        .items
        .get(&id)
        .filter(|item| {
            item.deleted.is_none()
                && !organization.hides_item(item)
                && project.is_none_or(|project| project == item.project)
        })
        .ok_or_else(|| unknown_item(id))
}

pub(super) fn check_place(
    organization: &Organization,
    call: &Call,
    id: u32,
) -> Result<(), ApiError> {
    find(organization, call, id).map(drop)
}

/// What a read of one or many items asks for.
struct Request {
    fields: Option<Vec<FieldId>>,
    expand: Expand,
    as_of: Option<Timestamp>,
    omit: bool,
}

impl Request {
    fn new(
        organization: &Organization,
        fields: Option<Vec<String>>,
        expand: Option<&str>,
        as_of: Option<&str>,
        error_policy: Option<&str>,
    ) -> Result<Self, ApiError> {
        let expand = Expand::parse(expand);
        let fields = fields.filter(|names| !names.is_empty());
        if fields.is_some() && (expand.fields || expand.relations) {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "Microsoft.TeamFoundation.WorkItemTracking.Server.ConflictingParametersException",
                "The expand parameter can not be used with the fields parameter.",
            ));
        }
        let find = |name: &String| {
            organization
                .wit
                .fields
                .find(name)
                .ok_or_else(|| Fields::unknown(name))
        };
        let as_of = as_of
            .map(|date| {
                parse_date(date).ok_or_else(|| {
                    ApiError::bad_request(format!("The value '{date}' is not valid for asOf."))
                })
            })
            .transpose()?;
        Ok(Self {
            fields: fields
                .map(|names| names.iter().map(find).collect())
                .transpose()?,
            expand,
            as_of,
            omit: error_policy.is_some_and(|policy| policy.eq_ignore_ascii_case("omit")),
        })
    }

    fn of_query(organization: &Organization, call: &Call) -> Result<Self, ApiError> {
        let fields = call
            .query
            .list("fields")
            .map(|names| names.into_iter().map(str::to_owned).collect());
        Self::new(
            organization,
            fields,
            call.query.get("$expand"),
            call.query.get("asOf"),
            call.query.get("errorPolicy"),
        )
    }

    fn view<'a>(
        &'a self,
        organization: &'a Organization,
        references: &'a References<'a>,
        item: &'a Item,
    ) -> Result<ItemView<'a>, ApiError> {
        let (rev, relations) = match self.as_of {
            None => (item.rev(), None),
            Some(moment) => (
                item.rev_at(moment).ok_or_else(|| unknown_item(item.id))?,
                Some(item.relations_before(|update| update.date > moment)),
            ),
        };
        Ok(ItemView {
            rev,
            named: self.fields.as_deref(),
            relations,
            ..ItemView::new(organization, item, references, self.expand)
        })
    }
}

/// A list with a hole for each item that was left out.
struct Many<'a>(Vec<Option<ItemView<'a>>>);

impl Serialize for Many<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("count", &self.0.len())?;
        map.serialize_entry("value", &self.0)?;
        map.end()
    }
}

fn many(
    organization: &Organization,
    call: &Call,
    ids: &[u32],
    request: &Request,
) -> Result<Reply, ApiError> {
    if ids.len() > BATCH {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemPageSizeExceededException",
            format!(
                "VS403474: You requested {} work items which exceeds the limit of {BATCH} work items. Reduce the number of work items requested and try again.",
                ids.len()
            ),
        ));
    }
    let references = References::new(&call.base);
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        match find(organization, call, *id)
            .and_then(|item| request.view(organization, &references, item))
        {
            Ok(view) => found.push(Some(view)),
            Err(_) if request.omit => found.push(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Reply::serialized(&Many(found)))
}

/// `GET workItems?ids=`.
pub(super) fn list(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let ids = call
        .query
        .list("ids")
        .ok_or_else(|| ApiError::bad_request("VS403301: The ids of work items are missing."))?;
    let parse = |id: &&str| {
        id.parse()
            .map_err(|_| ApiError::bad_request(format!("The value '{id}' is not valid for ids.")))
    };
    let ids: Vec<u32> = ids.iter().map(parse).collect::<Result<_, _>>()?;
    many(
        organization,
        call,
        &ids,
        &Request::of_query(organization, call)?,
    )
}

/// `POST workItemsBatch`.
pub(super) fn batch(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        ids: Vec<u32>,
        fields: Option<Vec<String>>,
        #[serde(rename = "$expand")]
        expand: Option<Value>,
        as_of: Option<String>,
        error_policy: Option<Value>,
    }
    let body: Body = call.json()?;
    // Clients send enumerations as names or as numbers.
    let expand = body
        .expand
        .as_ref()
        .map(|expand| enumeration(expand, &["none", "relations", "fields", "links", "all"]))
        .transpose()?;
    let policy = body
        .error_policy
        .as_ref()
        .map(|policy| enumeration(policy, &["", "fail", "omit"]))
        .transpose()?;
    let request = Request::new(
        organization,
        body.fields,
        expand.as_deref(),
        body.as_of.as_deref(),
        policy.as_deref(),
    )?;
    many(organization, call, &body.ids, &request)
}

fn enumeration(value: &Value, names: &[&str]) -> Result<String, ApiError> {
    let name = match value {
        Value::Number(number) => number
            .as_u64()
            .and_then(|at| names.get(at as usize).copied()),
        other => other.as_str(),
    };
    name.map(str::to_owned)
        .ok_or_else(|| ApiError::bad_body(format!("{value} is none of {names:?}")))
}

/// `GET workItems/{id}[/revisions|updates[/{n}]]`.
pub(super) fn one(
    organization: &Organization,
    call: &Call,
    id: &str,
    rest: &[&str],
) -> Result<Reply, ApiError> {
    let id: u32 = id
        .parse()
        .ok()
        .filter(|id| *id > 0)
        .ok_or_else(|| ApiError::no_route(call))?;
    let item = find(organization, call, id)?;
    match rest {
        [] => {
            let mut request = Request::of_query(organization, call)?;
            // One item always carries its links, a list of items only when asked.
            request.expand.links |= request.fields.is_none();
            let references = References::new(&call.base);
            Ok(Reply::serialized(&request.view(
                organization,
                &references,
                item,
            )?))
        }
        ["revisions", rest @ ..] => revisions(organization, call, item, rest),
        ["updates", rest @ ..] => updates(organization, call, item, rest),
        _ => Err(ApiError::no_route(call)),
    }
}

fn revisions(
    organization: &Organization,
    call: &Call,
    item: &Item,
    rest: &[&str],
) -> Result<Reply, ApiError> {
    let expand = Expand::parse(call.query.get("$expand"));
    let references = References::new(&call.base);
    let view = |rev: u32| ItemView {
        rev,
        relations: expand
            .relations
            .then(|| item.relations_before(|update| update.rev > rev)),
        as_revision: true,
        ..ItemView::new(organization, item, &references, expand)
    };
    if let [number] = rest {
        let rev: u32 = number.parse().map_err(|_| ApiError::no_route(call))?;
        if item.revision(rev).is_none() {
            return Err(ApiError::new(
                StatusCode::NOT_FOUND,
                "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemRevisionNotFoundException",
                format!(
                    "TF401404: The revision {rev} of work item {} does not exist.",
                    item.id
                ),
            ));
        }
        return Ok(Reply::serialized(&view(rev)));
    }
    let (skip, top) = (
        call.query.number("$skip")?.unwrap_or(0),
        call.query.number("$top")?.unwrap_or(BATCH),
    );
    let views: Vec<Option<ItemView<'_>>> = (1..=item.rev())
        .skip(skip)
        .take(top)
        .map(|rev| Some(view(rev)))
        .collect();
    Ok(Reply::serialized(&Many(views)))
}

fn updates(
    organization: &Organization,
    call: &Call,
    item: &Item,
    rest: &[&str],
) -> Result<Reply, ApiError> {
    let document = |number: usize| {
        item.updates
            .get(number - 1)
            .map(|update| update_document(organization, item, number, update, &call.base))
    };
    if let [number] = rest {
        let found = number.parse::<usize>().ok().filter(|number| *number > 0);
        let found = found.and_then(document).ok_or_else(|| {
            ApiError::bad_request(format!(
                "TF401404: The update {number} of work item {} does not exist.",
                item.id
            ))
            .not_found()
        })?;
        return Ok(Reply::json(found?));
    }
    let (skip, top) = (
        call.query.number("$skip")?.unwrap_or(0),
        call.query.number("$top")?.unwrap_or(BATCH),
    );
    let numbers = (1..=item.updates.len()).skip(skip).take(top);
    let page: Result<Vec<Value>, ApiError> = numbers.filter_map(document).collect();
    Ok(Reply::list(page?))
}

/// `POST artifactUriQuery`: the items that link to each artifact.
pub(super) fn of_artifacts(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let project = call.project_filter(organization)?;
    let scope = call.project_base(organization)?;
    let body = call.value()?;
    let wanted = body["artifactUris"]
        .as_array()
        .ok_or_else(|| ApiError::bad_body("the member artifactUris is missing"))?;
    let links_to = |item: &Item, uri: &str| {
        item.relations.iter().any(|relation| {
            matches!(&relation.target, Target::Resource { url, .. } if url.eq_ignore_ascii_case(uri))
        })
    };
    let of = |uri: &str| -> Value {
        let live = organization.wit.items.values().filter(|item| {
            item.deleted.is_none()
                && project.is_none_or(|project| project == item.project)
                && !organization.hides_item(item)
        });
        live.filter(|item| links_to(item, uri))
            .map(|item| json!({"id": item.id, "url": format!("{scope}/_apis/wit/workItems/{}", item.id)}))
            .collect()
    };
    let found: Map<String, Value> = wanted
        .iter()
        .filter_map(Value::as_str)
        .map(|uri| (uri.to_owned(), of(uri)))
        .collect();
    Ok(Reply::json(json!({"artifactUrisQueryResult": found})))
}

/// `GET workItems/${type}`: an item of the type with its default values.
pub(super) fn template(
    organization: &Organization,
    call: &Call,
    kind: &str,
) -> Result<Reply, ApiError> {
    let project = call.project(organization)?;
    let kind = types::WorkItemType::find(project.process, kind)
        .ok_or_else(|| types::unknown(kind, &project.name))?;
    Ok(Reply::json(json!({
        "id": 0,
        "rev": 0,
        "fields": {
            "System.AreaPath": project.name,
            "System.TeamProject": project.name,
            "System.IterationPath": project.name,
            "System.WorkItemType": kind.name,
            "System.State": kind.states[0].0,
            "System.Reason": kind.reason,
        },
        "url": format!("{}/{}/_apis/wit/workItems/${}", call.base, project.id, types::encode(kind.name)),
    })))
}
