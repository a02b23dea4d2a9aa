//! The fields of an organization.

use std::collections::HashMap;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::ids;
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    String,
    Integer,
    Double,
    Boolean,
    DateTime,
    PlainText,
    Html,
    TreePath,
    History,
    Guid,
    Identity,
}

impl Kind {
    /// Left out of the stream of revisions unless `$expand=fields` asks for it.
    pub(crate) fn is_long(self) -> bool {
        matches!(self, Self::PlainText | Self::Html | Self::History)
    }

    fn name(self) -> &'static str {
        match self {
            Self::String | Self::Identity => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::DateTime => "dateTime",
            Self::PlainText => "plainText",
            Self::Html => "html",
            Self::TreePath => "treePath",
            Self::History => "history",
            Self::Guid => "guid",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        const ALL: [Kind; 11] = [
            Kind::String,
            Kind::Integer,
            Kind::Double,
            Kind::Boolean,
            Kind::DateTime,
            Kind::PlainText,
            Kind::Html,
            Kind::TreePath,
            Kind::History,
            Kind::Guid,
            Kind::Identity,
        ];
        if name.eq_ignore_ascii_case("identity") {
            return Some(Self::Identity);
        }
        if name.to_lowercase().starts_with("picklist") {
            return Self::parse(&name["picklist".len()..]);
        }
        ALL.into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// Index into the fields of the organization, in the order in which answers list fields.
pub(crate) type FieldId = u16;

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub reference: String,
    pub name: String,
    pub kind: Kind,
    /// Computed by the service: nobody can write it.
    pub computed: bool,
    /// Not one of the service's own.
    pub custom: bool,
    pub description: String,
    pub deleted: bool,
}

/// All fields by id, and ids by reference name and by name.
#[derive(Debug)]
pub(crate) struct Fields {
    list: Vec<Field>,
    by_name: HashMap<String, FieldId>,
}

impl Default for Fields {
    fn default() -> Self {
        let mut fields = Self {
            list: Vec::new(),
            by_name: HashMap::new(),
        };
        for (reference, name, kind, computed) in ids::BUILT_IN {
            fields.add(Field {
                reference: (*reference).to_owned(),
                name: (*name).to_owned(),
                kind: *kind,
                computed: *computed,
                custom: false,
                description: String::new(),
                deleted: false,
            });
        }
        fields
    }
}

impl Fields {
    fn add(&mut self, field: Field) -> FieldId {
        let id = self.list.len() as FieldId;
        self.by_name.insert(field.reference.to_lowercase(), id);
        self.by_name.entry(field.name.to_lowercase()).or_insert(id);
        self.list.push(field);
        id
    }

    /// By reference name or name, without regard to case.
    pub(crate) fn find(&self, name: &str) -> Option<FieldId> {
        self.by_name
            .get(&name.to_lowercase())
            .copied()
            .filter(|id| !self.list[usize::from(*id)].deleted)
    }

    pub(crate) fn get(&self, id: FieldId) -> &Field {
        &self.list[usize::from(id)]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Field> {
        self.list.iter().filter(|field| !field.deleted)
    }

    /// Defines a field of the organization, as a process administrator does.
    pub(crate) fn define(
        &mut self,
        reference: &str,
        name: &str,
        kind: Kind,
        description: &str,
    ) -> Result<FieldId, ApiError> {
        if self.find(reference).is_some() || self.find(name).is_some() {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "Microsoft.TeamFoundation.WorkItemTracking.Server.Metadata.FieldNameExistsException",
                format!("VS402803: Field name or reference name '{name}' is already in use."),
            ));
        }
        Ok(self.add(Field {
            reference: reference.to_owned(),
            name: name.to_owned(),
            kind,
            computed: false,
            custom: true,
            description: description.to_owned(),
            deleted: false,
        }))
    }

    pub(crate) fn unknown(name: &str) -> ApiError {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemTrackingFieldDefinitionNotFoundException",
            format!("TF51535: Cannot find field {name}."),
        )
    }
}

pub(crate) fn route(
    organization: &mut Organization,
    call: &Call,
    rest: &[String],
) -> Result<Reply, ApiError> {
    let scope = call.project_base(organization)?;
    let fields = &mut organization.wit.fields;
    let render = |field: &Field| document(field, &call.base, &scope);
    match (&call.method, rest) {
        (&Method::GET, []) => Ok(Reply::list(fields.iter().map(render).collect())),
        (&Method::GET, [name]) => {
            let id = fields
                .find(name)
                .ok_or_else(|| Fields::unknown(name).not_found())?;
            Ok(Reply::json(render(fields.get(id))))
        }
        (&Method::POST, []) => {
            let body = call.value()?;
            let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
            let kind = if body["isIdentity"] == json!(true) {
                Some(Kind::Identity)
            } else {
                Kind::parse(&text("type"))
            };
            let kind = kind
                .ok_or_else(|| ApiError::bad_request("VS402812: The field type is not valid."))?;
            let reference = match text("referenceName") {
                empty if empty.is_empty() => format!("Custom.{}", text("name").replace(' ', "")),
                given => given,
            };
            let id = fields.define(&reference, &text("name"), kind, &text("description"))?;
            Ok(Reply::json(render(fields.get(id))).with_status(StatusCode::CREATED))
        }
        (&Method::DELETE, [name]) => {
            let id = fields
                .find(name)
                .ok_or_else(|| Fields::unknown(name).not_found())?;
            let field = &mut fields.list[usize::from(id)];
            if !field.custom {
                return Err(ApiError::bad_request(format!(
                    "TF401326: The field {name} belongs to the service and cannot be deleted."
                )));
            }
            field.deleted = true;
            Ok(Reply::no_content())
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

fn document(field: &Field, base: &str, scope: &str) -> Value {
    let url = format!("{scope}/_apis/wit/fields/{}", field.reference);
    let operator = |reference: &str, name: &str| json!({"referenceName": reference, "name": name});
    json!({
        "name": field.name,
        "referenceName": field.reference,
        "description": if field.description.is_empty() { Value::Null } else { json!(field.description) },
        "type": field.kind.name(),
        "usage": "workItem",
        "readOnly": field.computed,
        "canSortBy": !field.kind.is_long(),
        "isQueryable": true,
        "supportedOperations": [
            operator("SupportedOperations.Equals", "="),
            operator("SupportedOperations.NotEquals", "<>"),
            operator("SupportedOperations.GreaterThan", ">"),
            operator("SupportedOperations.LessThan", "<"),
            operator("SupportedOperations.In", "In"),
        ],
        "isIdentity": field.kind == Kind::Identity,
        "isPicklist": false,
        "isPicklistSuggested": false,
        "isDeleted": field.deleted,
        "isLocked": false,
        "_links": {"self": {"href": url}, "workItemTypes": {"href": format!("{base}/_apis/wit/workItemTypes")}},
        "url": url,
    })
}
