//! A small service: projects (listed, with a request for each that changed), notes of a project (listed), and logs with remarks and files (a
//! stream by pages, then each log that it named). Crawls go on from the middle, and every request can be refused or the last one.

mod kinds;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use model::Class;
use proptest::prelude::*;
use service::{Error, Result};
use tokio::sync::Notify;

pub(crate) use kinds::service;

#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A project comes, or changes.
    Project(u8),
    RemoveProject(u8),
    Note(u8, u8),
    RemoveNote(u8, u8),
    Event(u8),
    Remark(u8),
    Bin(u8),
    Unbin(u8),
    Destroy(u8),
}

pub(crate) fn change() -> impl Strategy<Value = Change> {
    let (project, id) = (0..4_u8, 0..25_u8);
    prop_oneof![
        1 => project.clone().prop_map(Change::Project),
        1 => (1..4_u8).prop_map(Change::RemoveProject),
        1 => (project.clone(), 0..4_u8).prop_map(|(project, id)| Change::Note(project, id)),
        1 => (project, 0..2_u8).prop_map(|(project, id)| Change::RemoveNote(project, id)),
        3 => id.clone().prop_map(Change::Event),
        1 => id.clone().prop_map(Change::Remark),
        1 => id.clone().prop_map(Change::Bin),
        1 => id.clone().prop_map(Change::Unbin),
        1 => id.prop_map(Change::Destroy),
    ]
}

#[derive(Default)]
struct Project {
    revision: u64,
    notes: BTreeMap<u8, u64>,
}

#[derive(Clone, Default)]
struct Log {
    events: Vec<String>,
    remarks: Vec<String>,
    binned: bool,
    file: Option<Vec<u8>>,
}

/// What the service holds, and how it behaves.
#[derive(Default)]
pub(crate) struct World {
    projects: BTreeMap<String, Project>,
    logs: BTreeMap<u8, Log>,
    /// In order of change: the log, and its new event if there is one.
    stream: Vec<(u8, Option<String>)>,
    count: u64,
    /// Ids are never used again.
    destroyed: BTreeSet<u8>,
    failing: Option<(&'static str, Class)>,
    /// Requests that the failing kind still answers.
    patience: usize,
    hidden_notes: BTreeSet<u8>,
    hidden_logs: BTreeSet<u8>,
    /// Logs of which one issue tells.
    doubted_logs: BTreeSet<u8>,
    /// Projects whose notes may not be listed.
    closed: BTreeSet<String>,
    pub(crate) requests: u64,
    /// The request that is never answered.
    pub(crate) last: Option<u64>,
    /// Positions in the stream are no longer known.
    pub(crate) forgetful: bool,
    /// Projects are listed, and more of them cannot be read.
    pub(crate) no_details: bool,
    /// Files end after so many bytes, although more was said to come.
    pub(crate) cut: Option<usize>,
    /// Lists leave out what may not be read.
    pub(crate) filtered: bool,
    pub(crate) killed: Arc<Notify>,
}

pub(crate) type Shared = Arc<Mutex<World>>;

impl World {
    /// There is always a project `p0`.
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        self.project(0);
        for change in changes {
            self.count += 1;
            let count = self.count;
            match change {
                Change::Project(id) => self.project(*id).revision = count,
                Change::RemoveProject(id) => drop(self.projects.remove(&format!("p{id}"))),
                Change::Note(project, id) => {
                    self.project(*project).notes.insert(*id, count);
                }
                Change::RemoveNote(project, id) => {
                    if let Some(project) = self.projects.get_mut(&format!("p{project}")) {
                        project.notes.remove(id);
                    }
                }
                Change::Event(id) if self.destroyed.contains(id) => {}
                Change::Event(id) => {
                    let event = format!("{{\"event\":\"event <b>{count}</b>\"}}");
                    self.logs.entry(*id).or_default().events.push(event.clone());
                    self.stream.push((*id, Some(event)));
                }
                Change::Remark(id) => self.touch(*id, |log| {
                    log.remarks
                        .push(format!("{{\"remark\":\"remark {count}\"}}"));
                }),
                Change::Bin(id) => self.touch(*id, |log| log.binned = true),
                Change::Unbin(id) => self.touch(*id, |log| log.binned = false),
                Change::Destroy(id) => {
                    if self.logs.remove(id).is_some() {
                        self.destroyed.insert(*id);
                        self.stream.push((*id, None));
                    }
                }
            }
        }
    }

    fn project(&mut self, id: u8) -> &mut Project {
        self.projects.entry(format!("p{id}")).or_default()
    }

    /// A project whose id the service chose.
    pub(crate) fn strange_project(&mut self, id: String) {
        self.projects.entry(id).or_default();
    }

    fn touch(&mut self, id: u8, change: impl FnOnce(&mut Log)) {
        if let Some(log) = self.logs.get_mut(&id) {
            change(log);
            self.stream.push((id, None));
        }
    }

    pub(crate) fn file(&mut self, id: u8, bytes: Vec<u8>) {
        self.touch(id, |log| log.file = Some(bytes));
    }

    pub(crate) fn fail(&mut self, kind: &'static str, class: Class) {
        self.fail_after(kind, class, 0);
    }

    /// The kind has so many requests answered before it fails.
    pub(crate) fn fail_after(&mut self, kind: &'static str, class: Class, requests: usize) {
        self.failing = Some((kind, class));
        self.patience = requests;
    }

    /// Notes of this id are listed and cannot be read.
    pub(crate) fn hide_note(&mut self, id: u8) {
        self.hidden_notes.insert(id);
    }

    /// The service does not give this log.
    pub(crate) fn hide_log(&mut self, id: u8) {
        self.hidden_logs.insert(id);
    }

    /// The service lists these logs no longer and does not say why.
    pub(crate) fn doubt_logs(&mut self, ids: &[u8]) {
        self.doubted_logs.extend(ids);
    }

    /// The notes of this project may not be listed.
    pub(crate) fn close(&mut self, project: &str) {
        self.closed.insert(project.to_owned());
    }

    pub(crate) fn heal(&mut self) {
        self.failing = None;
        self.closed.clear();
        self.hidden_notes.clear();
        self.hidden_logs.clear();
        self.doubted_logs.clear();
    }

    /// Before each answer of the service.
    fn refuse(&mut self, kind: &str) -> Result<()> {
        let Some((_, class)) = self.failing.filter(|(failing, _)| *failing == kind) else {
            return Ok(());
        };
        if self.patience > 0 {
            self.patience -= 1;
            return Ok(());
        }
        let code = match class {
            Class::Credential => "credential-refused",
            Class::Missing => "not-found",
            _ => "permission-missing",
        };
        Err(Error::new(class, code, "not allowed"))
    }

    /// Every file that a snapshot is to hold, `source.json` aside.
    pub(crate) fn expected(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for (id, project) in &self.projects {
            let folder = format!("projects/{id}");
            files.insert(
                format!("{folder}/project.json"),
                project_document(id, project.revision),
            );
            files.insert(
                format!("{folder}/detail.json"),
                detail_document(project.revision),
            );
            for (id, text) in &project.notes {
                files.insert(
                    format!("{folder}/notes/{id}/note.json"),
                    note_document(*id, *text),
                );
            }
        }
        for (id, log) in &self.logs {
            let folder = format!("logs/{:04}/{id}", id / 10);
            files.insert(format!("{folder}/log.json"), log_document(*id, log));
            if !log.events.is_empty() {
                files.insert(format!("{folder}/events.ndjson"), lines(&log.events));
            }
            if !log.remarks.is_empty() {
                files.insert(format!("{folder}/remarks.ndjson"), lines(&log.remarks));
            }
            if log.binned {
                files.insert(format!("{folder}/bin.json"), b"{}".to_vec());
            }
        }
        files
    }
}

fn project_document(id: &str, revision: u64) -> Vec<u8> {
    format!("{{ \"id\": \"{id}\", \"revision\": {revision} }}").into_bytes()
}

fn detail_document(revision: u64) -> Vec<u8> {
    format!("{{\"detail\":{revision}}}").into_bytes()
}

fn note_document(id: u8, text: u64) -> Vec<u8> {
    format!("{{\"id\":{id},\"text\":\"note {text}\"}}").into_bytes()
}

fn log_document(id: u8, log: &Log) -> Vec<u8> {
    format!("{{\"id\":{id},\"events\":{}}}", log.events.len()).into_bytes()
}

fn lines(lines: &[String]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect()
}
