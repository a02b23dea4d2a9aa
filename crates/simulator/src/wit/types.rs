//! Work item types and their states.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::core::Process;
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Category {
    Proposed,
    InProgress,
    Resolved,
    Completed,
    Removed,
}

pub(crate) struct WorkItemType {
    pub name: &'static str,
    /// First is the state of new items.
    pub states: &'static [(&'static str, Category)],
    /// Reason of new items.
    pub reason: &'static str,
    pub category: &'static str,
    color: &'static str,
    icon: &'static str,
}

use Category::{Completed, InProgress, Proposed, Removed, Resolved};

type States = &'static [(&'static str, Category)];
const AGILE: States = &[
    ("New", Proposed),
    ("Active", InProgress),
    ("Resolved", Resolved),
    ("Closed", Completed),
    ("Removed", Removed),
];
const AGILE_TASK: States = &[
    ("New", Proposed),
    ("Active", InProgress),
    ("Closed", Completed),
    ("Removed", Removed),
];
const AGILE_BUG: States = &[
    ("New", Proposed),
    ("Active", InProgress),
    ("Resolved", Resolved),
    ("Closed", Completed),
];
const AGILE_ISSUE: States = &[("Active", Proposed), ("Closed", Completed)];
const BASIC: States = &[
    ("To Do", Proposed),
    ("Doing", InProgress),
    ("Done", Completed),
];
const SCRUM: States = &[
    ("New", Proposed),
    ("Approved", Proposed),
    ("Committed", InProgress),
    ("Done", Completed),
    ("Removed", Removed),
];
const SCRUM_FEATURE: States = &[
    ("New", Proposed),
    ("In Progress", InProgress),
    ("Done", Completed),
    ("Removed", Removed),
];
const SCRUM_TASK: States = &[
    ("To Do", Proposed),
    ("In Progress", InProgress),
    ("Done", Completed),
    ("Removed", Removed),
];
const IMPEDIMENT: States = &[("Open", Proposed), ("Closed", Completed)];
const CMMI: States = &[
    ("Proposed", Proposed),
    ("Active", InProgress),
    ("Resolved", Resolved),
    ("Closed", Completed),
];
const TEST_CASE: States = &[
    ("Design", Proposed),
    ("Ready", InProgress),
    ("Closed", Completed),
];
const TEST_PLAN: States = &[("Active", InProgress), ("Inactive", Completed)];
const TEST_SUITE: States = &[
    ("In Planning", Proposed),
    ("In Progress", InProgress),
    ("Completed", Completed),
];

const fn kind(
    name: &'static str,
    states: States,
    reason: &'static str,
    category: &'static str,
    color: &'static str,
    icon: &'static str,
) -> WorkItemType {
    WorkItemType {
        name,
        states,
        reason,
        category,
        color,
        icon,
    }
}

#[rustfmt::skip]
const TEST_TYPES: [WorkItemType; 6] = [
    kind("Test Case", TEST_CASE, "New", "TestCase", "004B50", "icon_test_case"),
    kind("Test Plan", TEST_PLAN, "New test plan", "TestPlan", "004B50", "icon_test_plan"),
    kind("Test Suite", TEST_SUITE, "New test suite", "TestSuite", "004B50", "icon_test_suite"),
    kind("Shared Steps", TEST_PLAN, "New", "SharedStep", "004B50", "icon_test_step"),
    kind("Shared Parameter", TEST_PLAN, "New", "SharedParameter", "004B50", "icon_test_parameter"),
    kind("Code Review Request", TEST_PLAN, "New", "CodeReviewRequest", "FF9D00", "icon_code_review"),
];
#[rustfmt::skip]
static TESTS: [WorkItemType; 6] = TEST_TYPES;
#[rustfmt::skip]
static BASIC_TYPES: [WorkItemType; 3] = [
    kind("Epic", BASIC, "Added to backlog", "Epic", "E06C00", "icon_crown"),
    kind("Issue", BASIC, "Added to backlog", "Requirement", "009CCC", "icon_clipboard"),
    kind("Task", BASIC, "Added to backlog", "Task", "F2CB1D", "icon_clipboard"),
];
#[rustfmt::skip]
static AGILE_TYPES: [WorkItemType; 6] = [
    kind("Epic", AGILE, "New", "Epic", "E06C00", "icon_crown"),
    kind("Feature", AGILE, "New", "Feature", "773B93", "icon_trophy"),
    kind("User Story", AGILE, "New", "Requirement", "009CCC", "icon_book"),
    kind("Bug", AGILE_BUG, "New", "Bug", "CC293D", "icon_insect"),
    kind("Task", AGILE_TASK, "New", "Task", "F2CB1D", "icon_clipboard"),
    kind("Issue", AGILE_ISSUE, "New", "Issue", "B4009E", "icon_traffic_cone"),
];
#[rustfmt::skip]
static SCRUM_TYPES: [WorkItemType; 6] = [
    kind("Epic", SCRUM_FEATURE, "New epic", "Epic", "E06C00", "icon_crown"),
    kind("Feature", SCRUM_FEATURE, "New feature", "Feature", "773B93", "icon_trophy"),
    kind("Product Backlog Item", SCRUM, "New backlog item", "Requirement", "009CCC", "icon_list"),
    kind("Bug", SCRUM, "New defect reported", "Bug", "CC293D", "icon_insect"),
    kind("Task", SCRUM_TASK, "New task", "Task", "F2CB1D", "icon_clipboard"),
    kind("Impediment", IMPEDIMENT, "New impediment", "Issue", "B4009E", "icon_traffic_cone"),
];
#[rustfmt::skip]
static CMMI_TYPES: [WorkItemType; 9] = [
    kind("Epic", CMMI, "New", "Epic", "E06C00", "icon_crown"),
    kind("Feature", CMMI, "New", "Feature", "773B93", "icon_trophy"),
    kind("Requirement", CMMI, "New", "Requirement", "009CCC", "icon_book"),
    kind("Bug", CMMI, "New", "Bug", "CC293D", "icon_insect"),
    kind("Task", CMMI, "New", "Task", "F2CB1D", "icon_clipboard"),
    kind("Change Request", CMMI, "New", "ChangeRequest", "B4009E", "icon_sticky_note"),
    kind("Issue", CMMI, "New", "Issue", "B4009E", "icon_traffic_cone"),
    kind("Review", CMMI, "New", "Review", "FF9D00", "icon_eye"),
    kind("Risk", CMMI, "New", "Risk", "FF9D00", "icon_diamond"),
];

pub(crate) fn all(process: Process) -> impl Iterator<Item = &'static WorkItemType> {
    let own: &'static [WorkItemType] = match process {
        Process::Basic => &BASIC_TYPES,
        Process::Agile => &AGILE_TYPES,
        Process::Scrum => &SCRUM_TYPES,
        Process::Cmmi => &CMMI_TYPES,
    };
    own.iter().chain(TESTS.iter())
}

/// Names of the types in a category, as `Microsoft.BugCategory`, of any process.
pub(crate) fn of_category(reference: &str) -> impl Iterator<Item = &'static str> {
    [
        Process::Basic,
        Process::Agile,
        Process::Scrum,
        Process::Cmmi,
    ]
    .into_iter()
    .flat_map(all)
    .filter(move |kind| {
        format!("Microsoft.{}Category", kind.category).eq_ignore_ascii_case(reference)
    })
    .map(|kind| kind.name)
}

impl WorkItemType {
    pub(crate) fn find(process: Process, name: &str) -> Option<&'static Self> {
        all(process).find(|kind| kind.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn state(&self, name: &str) -> Option<(&'static str, Category)> {
        self.states
            .iter()
            .find(|(state, _)| state.eq_ignore_ascii_case(name))
            .copied()
    }

    fn states_document(&self) -> Vec<Value> {
        self.states
            .iter()
            .map(|(name, category)| {
                let (color, category) = match category {
                    Proposed => ("b2b2b2", "Proposed"),
                    InProgress => ("007acc", "InProgress"),
                    Resolved => ("ff9d00", "Resolved"),
                    Completed => ("339933", "Completed"),
                    Removed => ("ffffff", "Removed"),
                };
                json!({"name": name, "color": color, "category": category})
            })
            .collect()
    }

    fn document(&self, organization: &Organization, call: &Call, scope: &str) -> Value {
        let url = format!("{scope}/_apis/wit/workItemTypes/{}", encode(self.name));
        let fields: Vec<Value> = organization
            .wit
            .fields
            .iter()
            .map(|field| {
                json!({
                    "defaultValue": Value::Null,
                    "alwaysRequired": field.reference == "System.Title",
                    "dependentFields": [],
                    "referenceName": field.reference,
                    "name": field.name,
                    "url": format!("{scope}/_apis/wit/fields/{}", field.reference),
                })
            })
            .collect();
        let transitions = json!(
            self.states
                .iter()
                .map(|(from, _)| {
                    let to: Vec<Value> = self
                        .states
                        .iter()
                        .map(|(to, _)| json!({"to": to, "actions": Value::Null}))
                        .collect();
                    ((*from).to_owned(), json!(to))
                })
                .collect::<serde_json::Map<_, _>>()
        );
        json!({
            "name": self.name,
            "referenceName": format!("Microsoft.VSTS.WorkItemTypes.{}", self.name.replace(' ', "")),
            "description": "",
            "color": self.color,
            "icon": {"id": self.icon, "url": format!("{}/_apis/wit/workItemIcons/{}?color={}&v=2", call.base, self.icon, self.color)},
            "isDisabled": false,
            "xmlForm": "",
            "fields": fields,
            "fieldInstances": fields,
            "transitions": transitions,
            "states": self.states_document(),
            "_links": {"self": {"href": url}},
            "url": url,
        })
    }
}

/// A path segment of an address in an answer.
pub(crate) fn encode(segment: &str) -> String {
    percent_encoding::utf8_percent_encode(segment, &SEGMENT).to_string()
}

const SEGMENT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(crate) fn unknown(name: &str, project: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.Metadata.WorkItemTypeNotFoundException",
        format!(
            "VS402323: Work item type {name} does not exist in project {project} or you do not have permission to access it."
        ),
    )
}

/// `GET wit/workItemTypes[/{type}[/states|fields[/{field}]]]`.
pub(crate) fn route(
    organization: &Organization,
    call: &Call,
    rest: &[String],
) -> Result<Reply, ApiError> {
    let project = call.project(organization)?;
    let scope = format!("{}/{}", call.base, project.id);
    let document = |kind: &WorkItemType| kind.document(organization, call, &scope);
    let Some(name) = rest.first() else {
        return Ok(Reply::list(all(project.process).map(document).collect()));
    };
    let kind =
        WorkItemType::find(project.process, name).ok_or_else(|| unknown(name, &project.name))?;
    let members = |what: &str| document(kind)[what].as_array().cloned().unwrap_or_default();
    match rest.get(1).map(|part| part.to_lowercase()).as_deref() {
        None => Ok(Reply::json(document(kind))),
        Some("states") => Ok(Reply::list(kind.states_document())),
        Some("fields") => match rest.get(2) {
            None => Ok(Reply::list(members("fields"))),
            Some(field) => {
                let named = |value: &Value| {
                    ["referenceName", "name"].iter().any(|key| {
                        value[key]
                            .as_str()
                            .is_some_and(|text| text.eq_ignore_ascii_case(field))
                    })
                };
                members("fields")
                    .into_iter()
                    .find(named)
                    .map(Reply::json)
                    .ok_or_else(|| super::fields::Fields::unknown(field).not_found())
            }
        },
        Some(_) => Err(ApiError::no_route(call)),
    }
}

/// `GET wit/workItemTypeCategories[/{category}]`.
pub(crate) fn categories(
    organization: &Organization,
    call: &Call,
    rest: &[String],
) -> Result<Reply, ApiError> {
    let project = call.project(organization)?;
    let scope = format!("{}/{}", call.base, project.id);
    let mut names: Vec<&str> = Vec::new();
    for kind in all(project.process) {
        if !names.contains(&kind.category) {
            names.push(kind.category);
        }
    }
    let document = |category: &&str| {
        let types: Vec<Value> = all(project.process)
            .filter(|kind| kind.category == *category)
            .map(|kind| json!({"name": kind.name, "url": format!("{scope}/_apis/wit/workItemTypes/{}", encode(kind.name))}))
            .collect();
        json!({
            "name": format!("{category} Category"),
            "referenceName": format!("Microsoft.{category}Category"),
            "defaultWorkItemType": types.first(),
            "workItemTypes": types,
            "url": format!("{scope}/_apis/wit/workItemTypeCategories/Microsoft.{category}Category"),
        })
    };
    match rest.first() {
        None => Ok(Reply::list(names.iter().map(document).collect())),
        Some(wanted) => names
            .iter()
            .map(document)
            .find(|value| {
                value["referenceName"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            })
            .map(Reply::json)
            .ok_or_else(|| {
                ApiError::bad_request(format!("VS402324: The category {wanted} does not exist."))
                    .not_found()
            }),
    }
}
