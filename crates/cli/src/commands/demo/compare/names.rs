//! Natural names for ids: the same thing has the same name in two organizations.

use std::collections::HashMap;

use serde_json::Value;

/// What ids mean in one state dump.
pub(in crate::commands) struct Names {
    /// `{project name}`, `{attachment sha256}` … by lowercase GUID.
    guids: HashMap<String, String>,
    items: HashMap<u64, String>,
    /// `/contoso/`, after which addresses go on.
    organization: String,
}

const GUID: usize = 36;
/// Where the first hyphen of a GUID is.
const HYPHEN: usize = 8;
const ATTACHMENTS: &str = "/_apis/wit/attachments/";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

pub(super) fn list<'a>(state: &'a Value, name: &str) -> &'a [Value] {
    state[name].as_array().map_or(&[], Vec::as_slice)
}

impl Names {
    /// Names by lowercase GUID and by number, in the organization of this name.
    pub(in crate::commands) fn new(
        guids: HashMap<String, String>,
        items: HashMap<u64, String>,
        organization: &str,
    ) -> Self {
        Self {
            guids,
            items,
            organization: format!("/{organization}/"),
        }
    }

    pub(super) fn of(state: &Value) -> Self {
        let mut guids = HashMap::new();
        let mut name = |id: &Value, name: String| {
            if let Some(id) = id.as_str() {
                guids.entry(id.to_lowercase()).or_insert(name);
            }
        };
        name(&state["organization"]["id"], "organization".to_owned());
        for project in list(state, "projects") {
            name(&project["id"], format!("project:{}", text(project, "name")));
        }
        for team in list(state, "teams") {
            name(
                &team["id"],
                format!("team:{}/{}", text(team, "project"), text(team, "name")),
            );
        }
        for repository in list(state, "repositories") {
            name(
                &repository["id"],
                format!("repository:{}", repository_name(repository)),
            );
        }
        let projects: HashMap<&str, &str> = list(state, "projects")
            .iter()
            .map(|project| (text(project, "id"), text(project, "name")))
            .collect();
        for wiki in list(state, "wikis") {
            let project = projects
                .get(text(wiki, "project"))
                .copied()
                .unwrap_or_default();
            name(
                &wiki["id"],
                format!("wiki:{project}/{}", text(wiki, "name")),
            );
        }
        for attachment in list(state, "attachments") {
            name(
                &attachment["id"],
                format!("attachment:{}", text(attachment, "sha256")),
            );
        }
        for tree in list(state, "areas").iter().chain(list(state, "iterations")) {
            nodes(&tree["root"], &mut name);
        }
        let organization = format!("/{}/", text(&state["organization"], "name"));
        Self {
            guids,
            items: items(state),
            organization,
        }
    }

    pub(in crate::commands) fn item(&self, id: u64) -> Option<String> {
        self.items.get(&id).cloned()
    }

    pub(in crate::commands) fn guid(&self, id: &str) -> Option<&str> {
        self.guids.get(&id.to_lowercase()).map(String::as_str)
    }

    /// Gives everything in a value its natural name.
    pub(in crate::commands) fn rename(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(renamed) = self.renamed(text) {
                    *text = renamed;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.rename(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.rename(value)),
            _ => {}
        }
    }

    /// The text with names instead of GUIDs, and with addresses of the organization as those of any; `None` if nothing changes.
    fn renamed(&self, text: &str) -> Option<String> {
        let named = self.with_names(text);
        let text = named.as_deref().unwrap_or(text);
        let local = self.without_host(text);
        let text = local.as_deref().unwrap_or(text);
        let short = without_address(text);
        short.or(local).or(named)
    }

    fn with_names(&self, text: &str) -> Option<String> {
        let (mut out, mut done) = (String::new(), 0);
        for (at, _) in text.match_indices('-') {
            let Some(start) = at.checked_sub(HYPHEN).filter(|start| *start >= done) else {
                continue;
            };
            let Some(name) = text
                .get(start..start + GUID)
                .and_then(|guid| self.guid(guid))
            else {
                continue;
            };
            out.push_str(&text[done..start]);
            out.push('{');
            out.push_str(name);
            out.push('}');
            done = start + GUID;
        }
        (done > 0).then(|| out + &text[done..])
    }

    /// `http://host/contoso/x` → `{organization}/x`.
    fn without_host(&self, text: &str) -> Option<String> {
        if !text.contains("://") {
            return None;
        }
        let (mut out, mut done) = (String::new(), 0);
        for (at, _) in text.match_indices("://") {
            let start = text[..at]
                .trim_end_matches(|c: char| c.is_ascii_alphabetic())
                .len();
            let host = &text[at + 3..];
            let Some(path) = host.find('/').filter(|_| start >= done) else {
                continue;
            };
            if host[path..].starts_with(&self.organization) {
                out.push_str(&text[done..start]);
                out.push_str("{organization}/");
                done = at + 3 + path + self.organization.len();
            }
        }
        (done > 0).then(|| out + &text[done..])
    }
}

/// `{organization}/{project:x}/_apis/wit/attachments/{attachment:y}` → `{attachment:y}`: the service takes addresses with the project and without it.
fn without_address(text: &str) -> Option<String> {
    if !text.contains(ATTACHMENTS) {
        return None;
    }
    let (mut out, mut done) = (String::new(), 0);
    for (at, _) in text.match_indices(ATTACHMENTS) {
        let end = at + ATTACHMENTS.len();
        if !text[end..].starts_with("{attachment:") {
            continue;
        }
        let Some(start) = text[done..at]
            .rfind("{organization}")
            .map(|start| done + start)
        else {
            continue;
        };
        if text[start..at].contains(['"', '<', '>', '(', ')', '\n']) {
            continue;
        }
        out.push_str(&text[done..start]);
        done = end;
    }
    (done > 0).then(|| out + &text[done..])
}

pub(super) fn repository_name(repository: &Value) -> String {
    format!(
        "{}/{}",
        text(repository, "projectName"),
        text(repository, "name")
    )
}

fn nodes(node: &Value, name: &mut impl FnMut(&Value, String)) {
    name(&node["identifier"], format!("node:{}", text(node, "path")));
    for child in list(node, "children") {
        nodes(child, name);
    }
}

/// Work items by project, date and title of their first revision; equal ones are numbered in the order of their ids.
fn items(state: &Value) -> HashMap<u64, String> {
    let mut all: Vec<&Value> = list(state, "workItems")
        .iter()
        .chain(list(state, "recycleBin"))
        .collect();
    all.sort_by_key(|item| item["id"].as_u64());
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut names = HashMap::new();
    for item in all {
        let first = &item["revisions"][0]["fields"];
        let part = |field: &str| text(first, field);
        let name = format!(
            "{} {} {:?}",
            part("System.TeamProject"),
            part("System.CreatedDate"),
            part("System.Title")
        );
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 {
            name
        } else {
            format!("{name} ({count})")
        };
        names.extend(item["id"].as_u64().map(|id| (id, name)));
    }
    names
}
