//! The report of a drill: what it says, and its files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use engine::apply::ApplyReport;
use engine::verify::VerifyReport;
use jiff::Timestamp;
use model::Finding;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::page;
use super::signature::{Key, Signature, Trust};
use crate::failure::Failure;
use crate::new_file::write_private;

/// In the data directory.
pub(super) const FOLDER: &str = "evidence";
/// What this version writes and reads.
pub(super) const FORMAT: u32 = 1;

/// Differences that a report names.
const NAMED: usize = 1000;

/// Everything that a drill states.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// [`FORMAT`].
    pub format: u32,
    /// Name and version.
    pub program: String,
    /// `user@host`.
    pub by: String,
    pub started: Timestamp,
    pub finished: Timestamp,
    pub result: Result,
    pub repository: Place,
    pub snapshot: Snapshot,
    pub verified: Verified,
    pub restored: Restored,
    pub compared: Compared,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Result {
    Passed,
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub id: String,
    /// What it is called where the drill ran.
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub id: String,
    pub tree: String,
    pub time: Timestamp,
    pub service: String,
    pub source: String,
    pub url: String,
}

/// What reading the snapshot back came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Verified {
    pub items: BTreeMap<String, u64>,
    pub files: u64,
    pub bytes: u64,
    pub damage: u64,
    pub doubts: u64,
    pub notes: u64,
    pub findings: Vec<Finding>,
}

/// What the restore itself said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Restored {
    pub created: u64,
    pub merged: u64,
    pub skipped: u64,
    pub exported: u64,
    pub failed: u64,
    pub requests: u64,
    /// Losses that the plan declared, with the number of items.
    pub losses: BTreeMap<String, u64>,
}

/// What the comparison of the two snapshots came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Compared {
    /// Items by kind.
    pub items: BTreeMap<String, u64>,
    /// What was left out of the comparison, and why.
    pub left_out: Vec<LeftOut>,
    /// All differences; the first thousand are named.
    pub count: u64,
    pub differences: Vec<Difference>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct LeftOut {
    pub kinds: Vec<String>,
    pub what: String,
    pub reason: String,
}

/// Something that did not come back as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Difference {
    pub kind: String,
    pub item: String,
    /// Where in the item; empty for the whole item.
    pub field: String,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            item,
            field,
            expected,
            found,
        } = self;
        let colon = if field.is_empty() { "" } else { ": " };
        write!(
            f,
            "{kind} {item}{colon}{field}: expected {expected}, found {found}"
        )
    }
}

impl From<VerifyReport> for Verified {
    fn from(report: VerifyReport) -> Self {
        Self {
            items: report.items,
            files: report.files,
            bytes: report.bytes,
            damage: report.damage,
            doubts: report.doubts,
            notes: report.notes,
            findings: report.findings,
        }
    }
}

impl Restored {
    pub(super) fn of(applied: &ApplyReport, requests: u64) -> Self {
        Self {
            created: applied.created,
            merged: applied.merged,
            skipped: applied.skipped,
            exported: applied.exported,
            failed: applied.failed,
            requests,
            losses: applied.losses.clone(),
        }
    }
}

impl Compared {
    pub(super) fn add(&mut self, difference: Difference) {
        self.count += 1;
        if self.differences.len() < NAMED {
            self.differences.push(difference);
        }
    }

    /// Something that did not happen at all.
    pub(super) fn miss(&mut self, kind: &str, item: String, expected: &str, found: String) {
        self.add(Difference {
            kind: kind.to_owned(),
            item,
            field: String::new(),
            expected: expected.to_owned(),
            found,
        });
    }

    /// The drill ended before anything could be compared.
    pub(super) fn ended(failure: &Failure) -> Self {
        let mut compared = Self::default();
        let item = "the whole snapshot".to_owned();
        compared.miss(
            "drill",
            item,
            "to be restored and backed up again",
            failure.message.clone(),
        );
        compared
    }

    pub(super) fn leave_out(&mut self, kinds: &[&str], what: &str, reason: &str) {
        let left = LeftOut {
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            what: what.to_owned(),
            reason: reason.to_owned(),
        };
        if !self.left_out.contains(&left) {
            self.left_out.push(left);
        }
    }
}

/// A report as its file has it.
#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    report: &'a RawValue,
    signature: Signature,
}

pub(super) struct Files {
    pub json: PathBuf,
    pub html: PathBuf,
}

/// A report that was read, with its signature.
pub(super) struct Signed {
    pub evidence: Evidence,
    pub signature: Signature,
    report: String,
}

impl Signed {
    pub(super) fn trust(&self, expected: Option<&str>) -> Trust {
        self.signature.trust(&self.report, expected)
    }
}

/// Signs and writes a report as JSON and as a page; existing files are never replaced.
pub(super) fn write(
    evidence: &Evidence,
    key: &Key,
    folder: &Path,
) -> std::result::Result<Files, Failure> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let report = serde_json::to_string_pretty(evidence).context("cannot write the report")?;
    let signature = key.sign(&report);
    let name = format!(
        "{}-{}-{}",
        evidence.finished.strftime("%Y%m%dT%H%M%SZ"),
        file_name(&evidence.snapshot.source),
        evidence.snapshot.id.get(..8).unwrap_or_default()
    );
    let files = Files {
        json: folder.join(format!("{name}.json")),
        html: folder.join(format!("{name}.html")),
    };
    let raw: &RawValue = serde_json::from_str(&report).context("cannot write the report")?;
    let envelope = Envelope {
        report: raw,
        signature: signature.clone(),
    };
    let json = serde_json::to_string(&envelope).context("cannot write the report")?;
    let html = page::render(evidence, &signature, &format!("{name}.json"));
    for (path, text) in [(&files.json, json + "\n"), (&files.html, html)] {
        write_private(path, text.as_bytes())?;
    }
    Ok(files)
}

/// Names of sources come from the service.
fn file_name(source: &str) -> String {
    source
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

pub(super) fn read(file: &Path) -> std::result::Result<Signed, Failure> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let refused = |why: String| {
        Failure::coded(
            "evidence-not-understood",
            format!("{}: {why}", file.display()),
        )
    };
    let envelope: Envelope<'_> =
        serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let report = envelope.report.get();
    let evidence: Evidence =
        serde_json::from_str(report).map_err(|error| refused(error.to_string()))?;
    if evidence.format != FORMAT {
        return Err(refused(format!(
            "it has the format {} and not {FORMAT}",
            evidence.format
        )));
    }
    Ok(Signed {
        report: report.to_owned(),
        evidence,
        signature: envelope.signature,
    })
}

/// A report in the list.
#[derive(Serialize)]
pub(super) struct Row {
    pub time: Timestamp,
    pub source: String,
    pub snapshot: String,
    /// `passed`, `failed`, `altered`, or `unknown key` for what somebody else signed.
    pub result: String,
    pub differences: u64,
    pub file: PathBuf,
}

/// The reports in a folder by their names, which begin with the time; other files are passed over. `known` is this installation's public key.
pub(super) fn list(folder: &Path, known: Option<&str>) -> std::result::Result<Vec<Row>, Failure> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let context = || format!("cannot read the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    files.sort();
    let rows = files.into_iter().filter_map(|file| {
        let signed = match read(&file) {
            Ok(signed) => signed,
            Err(failure) => {
                tracing::warn!("{}", failure.message);
                return None;
            }
        };
        let result = match (signed.trust(known), signed.evidence.result) {
            (Trust::Altered, _) => "altered",
            (Trust::Stranger, _) => "unknown key",
            (Trust::Signed, Result::Passed) => "passed",
            (Trust::Signed, Result::Failed) => "failed",
        };
        Some(Row {
            time: signed.evidence.finished,
            source: signed.evidence.snapshot.source,
            snapshot: signed.evidence.snapshot.id,
            result: result.to_owned(),
            differences: signed.evidence.compared.count,
            file,
        })
    });
    Ok(rows.collect())
}
