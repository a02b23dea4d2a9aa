//! Every request that was answered, for tests and figures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};

/// The answer may still be streaming: `response_bytes` grows until it ends.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// From 1.
    pub number: usize,
    pub method: String,
    /// Lowercase; empty if the path names none.
    pub organization: String,
    /// With the query.
    pub path: String,
    /// As `wit/workItems/{id}`.
    pub template: String,
    pub kind: &'static str,
    pub status: u16,
    pub request_bytes: u64,
    pub response_bytes: u64,
    /// The fault that was injected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Vec<Entry>>>);

/// Where a request stands in the ledger.
#[derive(Clone)]
pub(crate) struct Line {
    ledger: Ledger,
    number: usize,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers the entry and keeps it.
    pub(crate) fn record(&self, mut entry: Entry) -> Line {
        let mut entries = self.lock();
        entry.number = entries.last().map_or(1, |last| last.number + 1);
        let number = entry.number;
        entries.push(entry);
        Line {
            ledger: self.clone(),
            number,
        }
    }

    pub(crate) fn reset(&self) {
        self.lock().clear();
    }

    /// `summary` and, unless only that is wanted, `entries`; of one organization or of all.
    pub(crate) fn document(&self, organization: Option<&str>, summary_only: bool) -> Value {
        let entries = self.lock();
        let wanted = |entry: &&Entry| {
            organization.is_none_or(|name| entry.organization == name.to_lowercase())
        };
        let mut kinds: BTreeMap<&str, Sum> = BTreeMap::new();
        let mut templates: BTreeMap<String, Sum> = BTreeMap::new();
        let mut total = Sum::default();
        for entry in entries.iter().filter(wanted) {
            total.add(entry);
            kinds.entry(entry.kind).or_default().add(entry);
            templates
                .entry(format!("{} {}", entry.method, entry.template))
                .or_default()
                .add(entry);
        }
        let mut value = json!({"summary": {"requests": total.requests, "requestBytes": total.request_bytes, "responseBytes": total.response_bytes, "kinds": kinds, "templates": templates}});
        if !summary_only {
            value["entries"] = json!(entries.iter().filter(wanted).collect::<Vec<_>>());
        }
        value
    }
}

impl Line {
    pub(crate) fn add_bytes(&self, bytes: usize) {
        let mut entries = self.ledger.lock();
        // A reset may have happened meanwhile.
        let first = entries.first().map_or(1, |entry| entry.number);
        if let Some(entry) = self
            .number
            .checked_sub(first)
            .and_then(|at| entries.get_mut(at))
        {
            entry.response_bytes += bytes as u64;
        }
    }
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sum {
    requests: u64,
    request_bytes: u64,
    response_bytes: u64,
    errors: u64,
}

impl Sum {
    fn add(&mut self, entry: &Entry) {
        self.requests += 1;
        self.request_bytes += entry.request_bytes;
        self.response_bytes += entry.response_bytes;
        self.errors += u64::from(entry.status >= 400);
    }
}

/// The kind of a request by its route.
pub(crate) fn kind(area: &str, resource: &str) -> &'static str {
    match (
        area.to_lowercase().as_str(),
        resource.to_lowercase().as_str(),
    ) {
        ("core", "projects" | "properties") | ("operations", _) => "project",
        ("core", "teams" | "members" | "categorizedteams") => "team",
        ("wit", "classificationnodes") => "area",
        ("wit", "attachments") => "attachment",
        ("wit", resource)
            if resource.starts_with("comments") || resource.starts_with("commentreactions") =>
        {
            "comment"
        }
        ("wit", _) => "work-item",
        ("git", _) => "git-repository",
        ("wiki", _) => "wiki",
        _ => "other",
    }
}
