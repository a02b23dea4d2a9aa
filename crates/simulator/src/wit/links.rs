//! Relation types.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::server::{ApiError, Call, Reply};

/// One end of a link between work items.
#[derive(Debug)]
pub(crate) struct LinkType {
    pub reference: &'static str,
    pub name: &'static str,
    pub opposite: &'static str,
    topology: Topology,
    /// `None` for links without direction.
    forward: Option<bool>,
    remote: bool,
    editable: bool,
}

#[derive(Debug, Eq, PartialEq)]
enum Topology {
    Dependency,
    Tree,
    Network,
}

const fn directed(
    reference: &'static str,
    name: &'static str,
    opposite: &'static str,
    topology: Topology,
    forward: bool,
    editable: bool,
) -> LinkType {
    LinkType {
        reference,
        name,
        opposite,
        topology,
        forward: Some(forward),
        remote: false,
        editable,
    }
}

const fn remote(
    reference: &'static str,
    name: &'static str,
    opposite: &'static str,
    forward: bool,
) -> LinkType {
    LinkType {
        reference,
        name,
        opposite,
        topology: Topology::Dependency,
        forward: Some(forward),
        remote: true,
        editable: false,
    }
}

const fn network(reference: &'static str, name: &'static str, remote: bool) -> LinkType {
    LinkType {
        reference,
        name,
        opposite: reference,
        topology: Topology::Network,
        forward: None,
        remote,
        editable: false,
    }
}

#[rustfmt::skip]
pub(crate) static LINK_TYPES: [LinkType; 18] = [
    directed("Microsoft.VSTS.Common.Affects-Forward", "Affects", "Microsoft.VSTS.Common.Affects-Reverse", Topology::Dependency, true, true),
    directed("Microsoft.VSTS.Common.Affects-Reverse", "Affected By", "Microsoft.VSTS.Common.Affects-Forward", Topology::Dependency, false, true),
    directed("Microsoft.VSTS.TestCase.SharedParameterReferencedBy-Forward", "Referenced By", "Microsoft.VSTS.TestCase.SharedParameterReferencedBy-Reverse", Topology::Dependency, true, true),
    directed("Microsoft.VSTS.TestCase.SharedParameterReferencedBy-Reverse", "References", "Microsoft.VSTS.TestCase.SharedParameterReferencedBy-Forward", Topology::Dependency, false, true),
    directed("Microsoft.VSTS.Common.TestedBy-Forward", "Tested By", "Microsoft.VSTS.Common.TestedBy-Reverse", Topology::Dependency, true, true),
    directed("Microsoft.VSTS.Common.TestedBy-Reverse", "Tests", "Microsoft.VSTS.Common.TestedBy-Forward", Topology::Dependency, false, true),
    directed("Microsoft.VSTS.TestCase.SharedStepReferencedBy-Forward", "Test Case", "Microsoft.VSTS.TestCase.SharedStepReferencedBy-Reverse", Topology::Dependency, true, true),
    directed("Microsoft.VSTS.TestCase.SharedStepReferencedBy-Reverse", "Shared Steps", "Microsoft.VSTS.TestCase.SharedStepReferencedBy-Forward", Topology::Dependency, false, true),
    remote("System.LinkTypes.Remote.Dependency-Forward", "Produces For", "System.LinkTypes.Remote.Dependency-Reverse", true),
    remote("System.LinkTypes.Remote.Dependency-Reverse", "Consumes From", "System.LinkTypes.Remote.Dependency-Forward", false),
    directed("System.LinkTypes.Duplicate-Forward", "Duplicate", "System.LinkTypes.Duplicate-Reverse", Topology::Tree, true, false),
    directed("System.LinkTypes.Duplicate-Reverse", "Duplicate Of", "System.LinkTypes.Duplicate-Forward", Topology::Tree, false, false),
    directed("System.LinkTypes.Dependency-Forward", "Successor", "System.LinkTypes.Dependency-Reverse", Topology::Dependency, true, false),
    directed("System.LinkTypes.Dependency-Reverse", "Predecessor", "System.LinkTypes.Dependency-Forward", Topology::Dependency, false, false),
    directed("System.LinkTypes.Hierarchy-Forward", "Child", "System.LinkTypes.Hierarchy-Reverse", Topology::Tree, true, false),
    directed(PARENT, "Parent", "System.LinkTypes.Hierarchy-Forward", Topology::Tree, false, false),
    network("System.LinkTypes.Related", "Related", false),
    network("System.LinkTypes.Remote.Related", "Remote Related", true),
];

/// The end of a hierarchy link that leads to the parent.
pub(crate) const PARENT: &str = "System.LinkTypes.Hierarchy-Reverse";

/// Relations that do not lead to a work item.
pub(crate) const RESOURCES: [(&str, &str); 3] = [
    ("AttachedFile", "Attached File"),
    ("Hyperlink", "Hyperlink"),
    ("ArtifactLink", "Artifact Link"),
];

impl LinkType {
    pub(crate) fn find(reference: &str) -> Option<&'static Self> {
        LINK_TYPES
            .iter()
            .find(|link| link.reference.eq_ignore_ascii_case(reference))
    }

    pub(crate) fn opposite(&self) -> &'static Self {
        Self::find(self.opposite).unwrap_or(&LINK_TYPES[16])
    }

    /// Leads to work items of other organizations.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote
    }

    /// A work item has at most one such link: its parent, or what it duplicates.
    pub(crate) fn is_single(&self) -> bool {
        self.topology == Topology::Tree && self.forward == Some(false)
    }

    pub(crate) fn is_tree(&self) -> bool {
        self.topology == Topology::Tree
    }

    /// The stream of links states each link once, from its forward end (or the lower id if it has no direction).
    pub(crate) fn is_stated_from(&self, source: u32, target: u32) -> bool {
        self.forward.unwrap_or(source < target)
    }

    /// Without `-Forward` and `-Reverse`.
    pub(crate) fn stem(&self) -> &str {
        self.reference
            .trim_end_matches("-Forward")
            .trim_end_matches("-Reverse")
    }

    fn document(&self, base: &str) -> Value {
        let topology = match self.topology {
            Topology::Dependency => "dependency",
            Topology::Tree => "tree",
            Topology::Network => "network",
        };
        let mut attributes = json!({
            "usage": "workItemLink",
            "editable": self.editable,
            "enabled": true,
            "acyclic": self.topology != Topology::Network,
            "directional": self.forward.is_some(),
            "singleTarget": self.topology != Topology::Tree,
            "topology": topology,
            "remote": self.remote,
        });
        if let Some(forward) = self.forward {
            attributes["isForward"] = json!(forward);
            attributes["oppositeEndReferenceName"] = json!(self.opposite);
        }
        document(self.reference, self.name, &attributes, base)
    }
}

fn document(reference: &str, name: &str, attributes: &Value, base: &str) -> Value {
    json!({
        "attributes": attributes,
        "referenceName": reference,
        "name": name,
        "url": format!("{base}/_apis/wit/workItemRelationTypes/{reference}"),
    })
}

/// `GET wit/workItemRelationTypes[/{relation}]`.
pub(crate) fn relation_types(call: &Call, rest: &[String]) -> Result<Reply, ApiError> {
    let resource = json!({"usage": "resourceLink", "editable": false, "enabled": true});
    let mut all: Vec<Value> = LINK_TYPES
        .iter()
        .map(|link| link.document(&call.base))
        .collect();
    all.extend(
        RESOURCES
            .iter()
            .map(|(reference, name)| document(reference, name, &resource, &call.base)),
    );
    let Some(name) = rest.first() else {
        return Ok(Reply::list(all));
    };
    let wanted = |value: &&mut Value| {
        value["referenceName"]
            .as_str()
            .is_some_and(|reference| reference.eq_ignore_ascii_case(name))
    };
    match all.iter_mut().find(wanted) {
        Some(found) => Ok(Reply::json(found.take())),
        None => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemRelationTypeNotFoundException",
            format!("VS402374: The relation type {name} does not exist."),
        )),
    }
}
