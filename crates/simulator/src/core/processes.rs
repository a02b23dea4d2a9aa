//! The four system processes.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Process {
    Scrum,
    Basic,
    Agile,
    Cmmi,
}

const ALL: [Process; 4] = [
    Process::Scrum,
    Process::Basic,
    Process::Agile,
    Process::Cmmi,
];

impl Process {
    /// The same in every organization.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Scrum => "6b724908-ef14-45cf-84f8-768b5384da45",
            Self::Basic => "b8a3a935-7e91-48b8-a94c-606d37c3e9f2",
            Self::Agile => "adcc42ab-9882-485e-a3ed-7678f01f66bc",
            Self::Cmmi => "27450541-8e31-4150-9947-dc59f998fc01",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scrum => "Scrum",
            Self::Basic => "Basic",
            Self::Agile => "Agile",
            Self::Cmmi => "CMMI",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Scrum => "This template is for teams who follow the Scrum framework.",
            Self::Basic => {
                "This template is flexible for any process and great for teams getting started with Azure DevOps."
            }
            Self::Agile => {
                "This template is flexible and will work great for most teams using Agile planning methods, including those practicing Scrum."
            }
            Self::Cmmi => {
                "This template is for more formal projects requiring a framework for process improvement and an auditable record of decisions."
            }
        }
    }

    pub(crate) fn find(text: &str) -> Option<Self> {
        ALL.into_iter().find(|process| {
            process.id().eq_ignore_ascii_case(text) || process.name().eq_ignore_ascii_case(text)
        })
    }

    fn document(self, base: &str) -> Value {
        json!({
            "id": self.id(),
            "description": self.description(),
            "isDefault": self == Self::Basic,
            "type": "system",
            "url": format!("{base}/_apis/process/processes/{}", self.id()),
            "name": self.name(),
        })
    }
}

fn unknown(id: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Microsoft.TeamFoundation.Core.WebApi.ProcessTemplateTypeIdNotFoundException",
        format!("TF400894: The process template {id} does not exist."),
    )
}

/// `GET process/processes[/{id}]`.
pub(crate) fn list(call: &Call, rest: &[&str]) -> Result<Reply, ApiError> {
    match rest.first() {
        None => Ok(Reply::list(
            ALL.iter()
                .map(|process| process.document(&call.base))
                .collect(),
        )),
        Some(id) => Process::find(id)
            .map(|process| Reply::json(process.document(&call.base)))
            .ok_or_else(|| unknown(id)),
    }
}

/// `GET work/processes[/{id}]`.
pub(crate) fn inherited(
    organization: &Organization,
    call: &Call,
    rest: &[&str],
) -> Result<Reply, ApiError> {
    let expand = call
        .query
        .get("$expand")
        .is_some_and(|value| value.eq_ignore_ascii_case("projects"));
    let document = |process: Process| {
        let mut value = json!({
            "typeId": process.id(),
            "name": process.name(),
            "referenceName": Value::Null,
            "description": process.description(),
            "parentProcessTypeId": "00000000-0000-0000-0000-000000000000",
            "isEnabled": true,
            "isDefault": process == Process::Basic,
            "customizationType": "system",
        });
        if expand {
            let projects = organization
                .visible_projects()
                .filter(|project| project.process == process);
            value["projects"] = projects.map(|project| json!({"id": project.id, "name": project.name, "description": project.description, "url": format!("vstfs:///Classification/TeamProject/{}", project.id)})).collect();
        }
        value
    };
    match rest {
        [] => Ok(Reply::list(ALL.into_iter().map(document).collect())),
        [id] => Process::find(id)
            .map(|process| Reply::json(document(process)))
            .ok_or_else(|| unknown(id)),
        _ => Err(ApiError::no_route(call)),
    }
}
