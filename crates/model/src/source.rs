//! What a snapshot holds: items, and the file that describes them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Issue, KindCounts, Picks};

/// One item of a source by the service's own stable id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemRef {
    pub kind: String,
    /// The project's id for kinds that live in a project, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    pub id: String,
}

impl ItemRef {
    pub fn new(kind: &str, scope: &str, id: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            scope: scope.to_owned(),
            id: id.to_owned(),
        }
    }
}

impl std::fmt::Display for ItemRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// Which organization or tenant something is of, wherever its snapshots lie. Equal ones are one source: whoever compares, compares these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId {
    pub service: String,
    /// In lower case, with what names it at the end: organizations of one name at two addresses are two sources.
    pub address: String,
}

impl SourceId {
    /// `url` is what a connector or `source.json` says; one that ends with neither the name nor an id is shared by many, and the name is
    /// added.
    pub fn new(service: &str, url: &str, name: &str) -> Self {
        let (url, name) = (
            url.trim_end_matches('/').to_lowercase(),
            name.to_lowercase(),
        );
        let last = url.rsplit('/').next().unwrap_or_default();
        let address = if last == name || is_tenant_id(last) {
            url
        } else {
            format!("{url}/{name}")
        };
        Self {
            service: service.to_owned(),
            address,
        }
    }
}

/// Whether it is the id of a tenant, and no domain of it.
pub fn is_tenant_id(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// An item that could not be read; the snapshot has it as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleItem {
    pub item: ItemRef,
    /// When it was last read.
    pub read: Timestamp,
}

/// The content of `source.json` at the top of a snapshot: with it the repository alone is enough to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// 1.
    pub schema: u32,
    /// The name of the service: `azure-devops`.
    pub service: String,
    /// The organization, lower case.
    pub source: String,
    /// Its address; where that alone does not tell whose it is, with the tenant's id at its end, once that is known.
    pub url: String,
    pub connector: String,
    pub run: String,
    pub job: String,
    /// The fencing token of the job that wrote it.
    pub token: i64,
    pub started: Timestamp,
    pub finished: Timestamp,
    /// The kinds that the run was to back up; others are "not selected", never deleted.
    pub selection: Vec<String>,
    /// Items by kind; others are "not selected" and as they were when they last were.
    #[serde(default, skip_serializing_if = "Picks::is_empty")]
    pub picks: Picks,
    /// Kinds whose drop a person has confirmed for this run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accepted: BTreeSet<String>,
    /// Cursor by `kind` or `kind/scope`.
    pub cursors: BTreeMap<String, String>,
    pub counts: BTreeMap<String, KindCounts>,
    /// `kind` or `kind/scope` whose content was carried over from the snapshot before, with the time it was last read.
    #[serde(default)]
    pub stale: BTreeMap<String, Timestamp>,
    /// Single items that were carried over, of kinds that could be read otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_items: Vec<StaleItem>,
    #[serde(default)]
    pub issues: Vec<Issue>,
    #[serde(default)]
    pub requests: u64,
}

impl SourceFile {
    /// The kinds that it holds items of and that its run was not to back up: those are as they were when they were last selected.
    pub fn unselected(&self) -> impl Iterator<Item = &str> {
        let held = self.counts.iter().filter(|(_, counts)| counts.items > 0);
        let kinds = held.map(|(kind, _)| kind.as_str());
        kinds.filter(|kind| !self.selection.iter().any(|one| one == kind))
    }

    /// What the snapshot is of.
    pub fn id(&self) -> SourceId {
        SourceId::new(&self.service, &self.url, &self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "0fd1a1a2-6ef8-4bc4-8d1c-6b7c2fb1d2aa";

    fn address(url: &str, name: &str) -> String {
        SourceId::new("service", url, name).address
    }

    #[test]
    fn organizations_of_one_name_at_two_addresses_are_two_sources() {
        let one = address(
            "https://one.example/tfs/DefaultCollection",
            "defaultcollection",
        );
        let other = address(
            "https://other.example/tfs/DefaultCollection",
            "defaultcollection",
        );
        assert_ne!(one, other);
        assert_eq!(one, "https://one.example/tfs/defaultcollection");
        assert_ne!(
            one,
            address(
                "https://one.example:8443/tfs/DefaultCollection",
                "defaultcollection"
            )
        );
        assert_ne!(
            one,
            address(
                "http://one.example/tfs/DefaultCollection",
                "defaultcollection"
            )
        );
    }

    #[test]
    fn neither_case_nor_a_slash_makes_another_source() {
        let plain = address("https://dev.azure.com/contoso", "contoso");
        assert_eq!(plain, address("https://dev.azure.com/Contoso/", "CONTOSO"));
    }

    #[test]
    fn tenants_behind_one_address_are_told_by_their_ids_or_else_by_their_names() {
        let graph = "https://graph.example/v1.0";
        assert_ne!(
            address(graph, "contoso.com"),
            address(graph, "fabrikam.com")
        );
        let named = |domain| address(&format!("{graph}/{TENANT}"), domain);
        assert_eq!(named("contoso.com"), named("contoso.onmicrosoft.com"));
        assert_ne!(named("contoso.com"), address(graph, "contoso.com"));
    }
}
