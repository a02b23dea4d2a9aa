//! Lists: filters, selection, pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::answer::Request;
use super::error::GraphError;
use super::filter::Filter;
use crate::server::Reply;

/// How a collection is shown.
pub(super) struct Shape<'a> {
    /// As in `$metadata#users`.
    pub context: &'a str,
    /// Members without `$select`; all if there is none.
    pub default: Option<&'a [&'a str]>,
    /// Members that exist beside those that objects hold; they are null.
    pub further: &'a [&'a str],
    pub page: usize,
    pub most: usize,
}

impl Shape<'_> {
    /// Objects of Entra ID, whose advanced queries are answered by an index that lags behind.
    fn is_directory(&self) -> bool {
        matches!(self.context, "users" | "groups" | "directoryObjects")
    }

    /// A name that no object of the kind has is an error, as in the service.
    fn no_property(&self, name: &str) -> GraphError {
        GraphError::bad_request(format!(
            "Could not find a property named '{name}' on type 'microsoft.graph.{}'.",
            self.context.trim_end_matches('s')
        ))
    }

    /// Checks the names that a query asks for; where there is nothing, nobody knows.
    fn check<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        objects: &[&Map<String, Value>],
    ) -> Result<(), GraphError> {
        let same = |own: &str, name: &str| own.eq_ignore_ascii_case(name);
        let known = |name: &str| {
            objects.is_empty()
                || self.further.iter().any(|own| same(own, name))
                || objects
                    .iter()
                    .any(|object| object.keys().any(|own| same(own, name)))
        };
        match names.into_iter().find(|name| !known(name)) {
            Some(name) => Err(self.no_property(name)),
            None => Ok(()),
        }
    }
}

/// Whether the caller agrees to an answer that lags behind.
fn is_eventual(request: &Request) -> bool {
    request
        .header("consistencylevel")
        .is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
}

const ADVANCED: &str = "Refer to https://aka.ms/graph-docs/advanced-queries for more information";

/// Cuts an object down to what was selected. A name that nothing has is an error, as in the service.
pub(super) fn select(
    object: &Map<String, Value>,
    names: Option<&str>,
    shape: &Shape<'_>,
) -> Result<Value, GraphError> {
    let wanted: Vec<&str> = match names {
        Some(names) => names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect(),
        None => match shape.default {
            Some(default) => default.to_vec(),
            None => return Ok(Value::Object(object.clone())),
        },
    };
    let mut cut = Map::new();
    for name in wanted {
        if name == "*" {
            return Ok(Value::Object(object.clone()));
        }
        let own = object.keys().find(|own| own.eq_ignore_ascii_case(name));
        match own {
            Some(own) => {
                cut.insert(own.clone(), object[own].clone());
            }
            None if shape
                .further
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name)) =>
            {
                cut.insert(name.to_owned(), Value::Null);
            }
            None => return Err(shape.no_property(name)),
        }
    }
    // The id is there whatever was selected.
    if let Some(id) = object.get("id") {
        cut.entry("id").or_insert_with(|| id.clone());
    }
    Ok(Value::Object(cut))
}

/// Filters, orders, cuts and pages objects.
pub(super) fn reply(
    request: &Request,
    shape: &Shape<'_>,
    objects: &[&Map<String, Value>],
) -> Result<Reply, GraphError> {
    let query = &request.query;
    let mut found = matching(request, shape, objects)?;
    if let Some(order) = query.get("$orderby") {
        let (name, direction) = order
            .trim()
            .split_once(' ')
            .unwrap_or((order.trim(), "asc"));
        shape.check([name], objects)?;
        let key = |object: &&Map<String, Value>| {
            let text = object.get(name).and_then(Value::as_str);
            text.map(str::to_lowercase)
        };
        found.sort_by_key(key);
        match direction.trim() {
            "asc" => {}
            "desc" => found.reverse(),
            other => {
                return Err(GraphError::bad_request(format!(
                    "Syntax error: '{other}' is no direction in '{order}'."
                )));
            }
        }
    }
    let total = found.len();
    let top = top(request, shape)?;
    let from = match query.get("$skiptoken") {
        None => 0,
        Some(token) => place(token, &found)?,
    };
    let page: Vec<Value> = found
        .iter()
        .skip(from)
        .take(top)
        .map(|object| select(object, query.get("$select"), shape))
        .collect::<Result<_, _>>()?;
    let mut value = json!({"@odata.context": request.context(shape.context)});
    if query.flag("$count") && (is_eventual(request) || !shape.is_directory()) {
        value["@odata.count"] = json!(total);
    }
    if from + top < total {
        value["@odata.nextLink"] = json!(next_link(
            request,
            &encode(&json!({"at": from + top, "after": found[from + top - 1].get("id")}))
        ));
    }
    value["value"] = json!(page);
    Ok(Reply::json(value))
}

/// The objects that filter and search leave.
fn matching<'a>(
    request: &Request,
    shape: &Shape<'_>,
    objects: &[&'a Map<String, Value>],
) -> Result<Vec<&'a Map<String, Value>>, GraphError> {
    let query = &request.query;
    let filter = query.get("$filter").map(Filter::parse).transpose()?;
    if let Some(filter) = &filter {
        shape.check(filter.members(), objects)?;
        let counted =
            query.flag("$count") || request.segments.last().is_some_and(|last| last == "$count");
        let advanced = is_eventual(request) && counted;
        if shape.is_directory() && filter.is_advanced() && !advanced {
            return Err(GraphError::unsupported(format!(
                "The filter is not supported because the required parameters might be missing. Try adding $count=true query parameter and ConsistencyLevel:eventual header. {ADVANCED}"
            )));
        }
    }
    let search = query
        .get("$search")
        .map(|text| text.replace('"', "").to_lowercase());
    if search.is_some() && shape.is_directory() && !is_eventual(request) {
        return Err(GraphError::unsupported(
            "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
        ));
    }
    let fits = |object: &Map<String, Value>| {
        let filter = filter.as_ref();
        filter.is_none_or(|filter| filter.fits(object))
    };
    let is_found = |object: &Map<String, Value>| {
        search.as_deref().is_none_or(|text| {
            let (name, text) = text.split_once(':').unwrap_or(("displayName", text));
            object.iter().any(|(key, value)| {
                let value = value.as_str().map(str::to_lowercase);
                key.eq_ignore_ascii_case(name) && value.is_some_and(|value| value.contains(text))
            })
        })
    };
    let found = objects.iter().copied();
    Ok(found
        .filter(|object| fits(object) && is_found(object))
        .collect())
}

/// `$count` as the last part of an address: the number alone.
pub(super) fn count(
    request: &Request,
    shape: &Shape<'_>,
    objects: &[&Map<String, Value>],
) -> Result<Reply, GraphError> {
    if shape.is_directory() && !is_eventual(request) {
        return Err(GraphError::unsupported(format!(
            "Raw count (/$count) is not supported because the 'ConsistencyLevel:eventual' header is missing. {ADVANCED}"
        )));
    }
    let found = matching(request, shape, objects)?;
    Ok(Reply::bytes("text/plain", found.len().to_string()))
}

/// Where a page begins: behind the last object of the one before, wherever that is now.
fn place(token: &str, found: &[&Map<String, Value>]) -> Result<usize, GraphError> {
    let value = decode(token).ok_or_else(bad_token)?;
    let at = value["at"].as_u64().ok_or_else(bad_token)? as usize;
    let last = found
        .iter()
        .position(|object| object.get("id") == Some(&value["after"]));
    Ok(last.map_or(at.saturating_sub(1), |last| last + 1))
}

/// One object.
pub(super) fn single(
    request: &Request,
    shape: &Shape<'_>,
    object: &Map<String, Value>,
) -> Result<Reply, GraphError> {
    let mut value = Map::new();
    value.insert(
        "@odata.context".to_owned(),
        json!(request.context(&format!("{}/$entity", shape.context))),
    );
    if let Value::Object(members) = select(object, request.query.get("$select"), shape)? {
        value.extend(members);
    }
    Ok(Reply::json(Value::Object(value)))
}

fn top(request: &Request, shape: &Shape<'_>) -> Result<usize, GraphError> {
    let Some(text) = request.query.get("$top") else {
        return Ok(shape.page);
    };
    let top: usize = text.parse().map_err(|_| {
        GraphError::bad_request(format!(
            "Invalid value '{text}' for $top query option found."
        ))
    })?;
    if top == 0 || top > shape.most {
        return Err(GraphError::unsupported(format!(
            "Invalid page size specified: '{top}'. Must be between 1 and {} inclusive.",
            shape.most
        )));
    }
    Ok(top)
}

pub(super) fn bad_token() -> GraphError {
    GraphError::bad_request("The token is badly formed.")
}

/// A token that clients must not look into.
pub(super) fn encode(place: &Value) -> String {
    URL_SAFE_NO_PAD.encode(place.to_string())
}

pub(super) fn decode(token: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

/// The address of the request with another `$skiptoken`.
fn next_link(request: &Request, token: &str) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in request.query.pairs() {
        if !name.eq_ignore_ascii_case("$skiptoken") {
            text.append_pair(name, value);
        }
    }
    text.append_pair("$skiptoken", token);
    format!(
        "{}/{}?{}",
        request.root(),
        path(request),
        text.finish().replace("%24", "$")
    )
}

pub(super) fn path(request: &Request) -> String {
    const KEEP: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'?')
        .add(b'#')
        .add(b'%')
        .add(b'/');
    let encode =
        |segment: &String| percent_encoding::utf8_percent_encode(segment, KEEP).to_string();
    request
        .segments
        .iter()
        .map(encode)
        .collect::<Vec<_>>()
        .join("/")
}
