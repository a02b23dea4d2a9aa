//! A change before it is saved: every rule is checked here.

use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Options, relations, rule_error};
use crate::server::ApiError;
use crate::wit::fields::{FieldId, Fields};
use crate::wit::ids;
use crate::wit::item::{Item, Relinked, Values};
use crate::wit::nodes::Structure;
use crate::wit::patch::Operation;
use crate::wit::tags;
use crate::wit::types::{self, Category, WorkItemType};
use crate::wit::value::{FieldValue, Misfit, date_text};
use crate::world::{Organization, Person};

pub(super) struct Draft {
    /// With id 0 if it is new.
    pub item: Item,
    pub values: Values,
    pub markdown: Vec<FieldId>,
    pub relinked: Relinked,
    /// Text for the discussion.
    pub comment: Option<String>,
    /// Links between work items alone make no revision.
    pub revises: bool,
    pub moved_to: Option<Uuid>,
    by: Arc<Person>,
    options: Options,
    /// Fields that the patch names.
    touched: Vec<FieldId>,
}

impl Draft {
    pub(super) fn new_item(
        organization: &Organization,
        project: Uuid,
        type_name: &str,
        by: &Arc<Person>,
        options: Options,
    ) -> Result<Self, ApiError> {
        let project = organization
            .project_by_id(project)
            .ok_or_else(|| ApiError::no_project(&project.to_string()))?;
        let kind = WorkItemType::find(project.process, type_name)
            .ok_or_else(|| types::unknown(type_name, &project.name))?;
        let mut values = Values::default();
        for field in [ids::AREA_PATH, ids::TEAM_PROJECT, ids::ITERATION_PATH] {
            values.set(field, Some(FieldValue::text(&project.name)));
        }
        values.set(ids::WORK_ITEM_TYPE, Some(FieldValue::text(kind.name)));
        values.set(ids::STATE, Some(FieldValue::text(kind.states[0].0)));
        values.set(ids::REASON, Some(FieldValue::text(kind.reason)));
        if !options.bypass_rules {
            values.set(ids::PRIORITY, Some(FieldValue::Integer(2)));
        }
        let item = Item {
            id: 0,
            project: project.id,
            revisions: Vec::new(),
            relations: Vec::new(),
            updates: Vec::new(),
            comments: Vec::new(),
            deleted: None,
        };
        Ok(Self::start(item, values, Vec::new(), by, options, true))
    }

    pub(super) fn of(
        _organization: &Organization,
        item: &Item,
        by: &Arc<Person>,
        options: Options,
    ) -> Self {
        let mut values = item.latest().values.clone();
        values.set(ids::HISTORY, None);
        Self::start(
            item.clone(),
            values,
            item.latest().markdown.clone(),
            by,
            options,
            false,
        )
    }

    fn start(
        item: Item,
        values: Values,
        markdown: Vec<FieldId>,
        by: &Arc<Person>,
        options: Options,
        revises: bool,
    ) -> Self {
        Self {
            item,
            values,
            markdown,
            relinked: Relinked::default(),
            comment: None,
            revises,
            moved_to: None,
            by: Arc::clone(by),
            options,
            touched: Vec::new(),
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.item.id == 0
    }

    /// Applies the operations in their order and checks the result.
    pub(super) fn apply(
        mut self,
        organization: &Organization,
        patch: &[Operation],
    ) -> Result<Self, ApiError> {
        // Removals name positions of the relations as the caller saw them.
        let seen = relations::visible(organization, &self.item);
        for operation in patch {
            let op = operation.op.to_ascii_lowercase();
            let path = operation.path.as_str();
            if let Some(field) = path.strip_prefix("/fields/") {
                self.field(organization, &op, field, &operation.value)?;
            } else if let Some(field) = path.strip_prefix("/multilineFieldsFormat/") {
                self.format(organization, field, &operation.value)?;
            } else if path == "/rev" && op == "test" {
                self.test_rev(&operation.value)?;
            } else if let Some(place) = path.strip_prefix("/relations/") {
                relations::apply(&mut self, organization, &seen, &op, place, &operation.value)?;
            } else if path != "/id" {
                return Err(ApiError::bad_request(format!(
                    "VS403359: The path {path} is not valid for a work item patch."
                )));
            }
        }
        self.finish(organization)?;
        Ok(self)
    }

    fn test_rev(&self, wanted: &Value) -> Result<(), ApiError> {
        let rev = u64::from(self.item.rev());
        let number = wanted.as_u64().or_else(|| wanted.as_str()?.parse().ok());
        if number == Some(rev) {
            return Ok(());
        }
        Err(test_failed("/rev", &rev.to_string(), &shown(wanted)))
    }

    fn field(
        &mut self,
        organization: &Organization,
        op: &str,
        name: &str,
        value: &Value,
    ) -> Result<(), ApiError> {
        let fields = &organization.wit.fields;
        let name = name.replace("~1", "/").replace("~0", "~");
        let id = fields.find(&name).ok_or_else(|| Fields::unknown(&name))?;
        let field = fields.get(id);
        let value = if op == "remove" { &Value::Null } else { value };
        let parsed = FieldValue::parse(field.kind, value, &organization.people, self.options.bypass_rules).map_err(|misfit| match misfit {
            Misfit::Identity(text) => rule_error(format!("The identity value '{text}' for field '{}' is an unknown identity.", field.name)),
            Misfit::Type(text) => rule_error(format!("TF401326: Invalid field status 'InvalidType' for field '{}'. The value is '{text}'.", field.reference)),
        })?;
        if op == "test" {
            return self.test_field(id, &name, parsed.as_ref(), value);
        }
        if field.computed || self.is_reserved(id) {
            if self.values.get(id) == parsed.as_ref() {
                return Ok(());
            }
            return Err(rule_error(format!(
                "TF401320: Rule Error for field {}. Error code: ReadOnly, HasValues, InvalidNotOldValue.",
                field.name
            )));
        }
        if id == ids::CHANGED_BY && parsed.is_none() {
            return Err(rule_error(
                "VS403417: The field 'System.ChangedBy' must have a value when rules are bypassed.",
            ));
        }
        if id == ids::HISTORY {
            self.comment = parsed.as_ref().map(FieldValue::display);
        }
        let parsed = if id == ids::TAGS {
            // What is added joins the tags that are there; only `replace` and `remove` take some away.
            let before = self.values.text(ids::TAGS);
            let kept = if op == "add" { before } else { "" };
            let named = parsed.as_ref().map(FieldValue::display).unwrap_or_default();
            tags::joined(kept, &named).map(|tags| FieldValue::text(&tags))
        } else {
            parsed
        };
        self.values.set(id, parsed);
        self.touched.push(id);
        self.revises = true;
        Ok(())
    }

    /// Dates and authors are the service's own, except for those who bypass the rules.
    fn is_reserved(&self, id: FieldId) -> bool {
        let own = [
            ids::CREATED_DATE,
            ids::CREATED_BY,
            ids::CHANGED_DATE,
            ids::CHANGED_BY,
        ];
        own.contains(&id) && !self.options.bypass_rules
    }

    fn test_field(
        &self,
        id: FieldId,
        name: &str,
        wanted: Option<&FieldValue>,
        sent: &Value,
    ) -> Result<(), ApiError> {
        let is = self.values.get(id);
        if is == wanted {
            return Ok(());
        }
        let is = is.map(FieldValue::display).unwrap_or_default();
        Err(test_failed(&format!("/fields/{name}"), &is, &shown(sent)))
    }

    fn format(
        &mut self,
        organization: &Organization,
        name: &str,
        value: &Value,
    ) -> Result<(), ApiError> {
        let id = organization
            .wit
            .fields
            .find(name)
            .ok_or_else(|| Fields::unknown(name))?;
        if !organization.wit.fields.get(id).kind.is_long() {
            return Err(ApiError::bad_request(format!(
                "VS403700: The field {name} is not a multiline field."
            )));
        }
        self.markdown.retain(|known| *known != id);
        if value
            .as_str()
            .is_some_and(|format| format.eq_ignore_ascii_case("markdown"))
        {
            self.markdown.push(id);
        }
        self.revises = true;
        Ok(())
    }

    /// Rules that look at the whole, and the values that follow from others.
    fn finish(&mut self, organization: &Organization) -> Result<(), ApiError> {
        if !self.revises {
            return Ok(());
        }
        let project = self.classify(organization)?;
        let process = organization
            .project_by_id(project)
            .map(|project| project.process);
        let type_name = self.values.text(ids::WORK_ITEM_TYPE).to_owned();
        let kind = process
            .and_then(|process| WorkItemType::find(process, &type_name))
            .ok_or_else(|| types::unknown(&type_name, self.values.text(ids::TEAM_PROJECT)))?;
        self.values
            .set(ids::WORK_ITEM_TYPE, Some(FieldValue::text(kind.name)));
        let now = organization.clock.clone().tick();
        let date = self.dates(now)?;
        self.state(kind, date)?;
        if self.values.text(ids::TITLE).trim().is_empty() && !self.options.bypass_rules {
            return Err(title_missing());
        }
        if self.values.text(ids::TITLE).chars().count() > 255 {
            return Err(rule_error(
                "TF401324: The field 'Title' is longer than 255 characters.",
            ));
        }
        Ok(())
    }

    /// Checks the two paths and the project, which may change, and returns the project.
    fn classify(&mut self, organization: &Organization) -> Result<Uuid, ApiError> {
        let name = self.values.text(ids::TEAM_PROJECT).to_owned();
        let project = organization.project(&name).or_else(|error| {
            organization
                .project_by_id(self.item.project)
                .filter(|project| project.is_named(&name))
                .ok_or(error)
        })?;
        self.values
            .set(ids::TEAM_PROJECT, Some(FieldValue::text(&project.name)));
        if project.id != self.item.project {
            self.moved_to = Some(project.id);
        }
        for structure in [Structure::Area, Structure::Iteration] {
            let field = structure.field();
            let path = match self.values.text(field) {
                "" => project.name.clone(),
                path => path.trim_matches('\\').to_owned(),
            };
            let found = organization.wit.nodes.find(project.id, structure, &path);
            let node = match (found, self.moved_to) {
                (Some(node), _) => node,
                // A move that names no path lands in the root.
                (None, Some(_)) if !self.touched.contains(&field) => organization
                    .wit
                    .nodes
                    .root(project.id, structure)
                    .ok_or_else(|| ApiError::no_project(&name))?,
                (None, _) => {
                    let reference = &organization.wit.fields.get(field).reference;
                    return Err(rule_error(format!(
                        "TF401347: Invalid tree name given for work item {}, field '{reference}'.",
                        if self.is_new() {
                            -1
                        } else {
                            i64::from(self.item.id)
                        }
                    )));
                }
            };
            self.values.set(
                field,
                Some(FieldValue::text(&organization.wit.nodes.field_path(node))),
            );
        }
        Ok(project.id)
    }

    /// Settles the four author fields. Every revision must be later than the one before.
    fn dates(&mut self, now: Timestamp) -> Result<Timestamp, ApiError> {
        let given = |field: FieldId, values: &Values| match values.get(field) {
            Some(FieldValue::Date(date)) if self.touched.contains(&field) => Some(*date),
            _ => None,
        };
        let previous = self.item.revisions.last().map(|revision| revision.changed);
        let date = match (given(ids::CHANGED_DATE, &self.values), previous) {
            (Some(date), Some(previous)) if date <= previous => {
                return Err(rule_error(format!(
                    "VS402625: Dates must be increasing with each revision. The date {} is not after {}.",
                    date_text(date),
                    date_text(previous)
                )));
            }
            (Some(date), _) => date,
            (None, Some(previous)) => now.max(previous + jiff::SignedDuration::from_millis(3)),
            (None, None) => now,
        };
        self.values
            .set(ids::CHANGED_DATE, Some(FieldValue::Date(date)));
        if !self.touched.contains(&ids::CHANGED_BY) {
            self.values.set(
                ids::CHANGED_BY,
                Some(FieldValue::Person(Arc::clone(&self.by))),
            );
        }
        if self.is_new() {
            let created = given(ids::CREATED_DATE, &self.values).unwrap_or(date);
            if created > date {
                return Err(rule_error(
                    "VS402625: Dates must be increasing with each revision. The created date is after the changed date.",
                ));
            }
            self.values
                .set(ids::CREATED_DATE, Some(FieldValue::Date(created)));
            if !self.touched.contains(&ids::CREATED_BY) {
                let author = self.values.get(ids::CHANGED_BY).cloned();
                self.values.set(ids::CREATED_BY, author);
            }
        }
        Ok(date)
    }

    fn state(&mut self, kind: &WorkItemType, date: Timestamp) -> Result<(), ApiError> {
        let state = self.values.text(ids::STATE).to_owned();
        let before = self
            .item
            .revisions
            .last()
            .map(|revision| revision.values.text(ids::STATE).to_owned());
        let known = kind.state(&state);
        if known.is_none() && !self.options.bypass_rules {
            return Err(rule_error(format!(
                "TF401320: Rule Error for field State. Error code: HasValues, LimitedToValues, AllowsOldValue, InvalidNotOldValue, InvalidValueNotInList. The value is '{state}'."
            )));
        }
        if before.as_deref() == Some(state.as_str()) {
            return Ok(());
        }
        if !self.touched.contains(&ids::STATE_CHANGE_DATE) {
            self.values
                .set(ids::STATE_CHANGE_DATE, Some(FieldValue::Date(date)));
        }
        if before.is_some() && !self.options.bypass_rules && !self.touched.contains(&ids::REASON) {
            self.values.set(
                ids::REASON,
                Some(FieldValue::text(&format!("Moved to state {state}"))),
            );
        }
        // Rules fill these; who bypasses rules sends them.
        if !self.options.bypass_rules {
            let (when, who) = match known.map(|(_, category)| category) {
                Some(Category::InProgress) => (ids::ACTIVATED_DATE, ids::ACTIVATED_BY),
                Some(Category::Resolved) => (ids::RESOLVED_DATE, ids::RESOLVED_BY),
                Some(Category::Completed) => (ids::CLOSED_DATE, ids::CLOSED_BY),
                _ => return Ok(()),
            };
            self.values.set(when, Some(FieldValue::Date(date)));
            let author = self.values.get(ids::CHANGED_BY).cloned();
            self.values.set(who, author);
        }
        Ok(())
    }
}

fn title_missing() -> ApiError {
    let message = "TF401320: Rule Error for field Title. Error code: Required, InvalidEmpty.";
    rule_error(message).with_properties(json!({
        "FieldReferenceName": null,
        "FieldStatusFlags": "none",
        "ErrorMessage": message,
        "FieldStatusCode": 0,
        "RuleValidationErrors": [{
            "fieldReferenceName": "System.Title",
            "fieldStatusFlags": "required, invalidEmpty",
            "errorMessage": message,
            "fieldStatusCode": 524_289,
            "ruleValidationErrors": null,
        }],
    }))
}

/// A value in the words of an error.
fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn test_failed(path: &str, is: &str, wanted: &str) -> ApiError {
    ApiError::new(
        StatusCode::PRECONDITION_FAILED,
        "Microsoft.VisualStudio.Services.WebApi.Patch.TestPatchOperationFailedException",
        format!(
            "VS403351: Test Operation for path {path} failed, value {is} was not equal to test value {wanted}."
        ),
    )
}
