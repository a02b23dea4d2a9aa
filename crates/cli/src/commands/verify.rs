//! `keepward verify`: whether a snapshot is whole, and whether it comes back.

mod compare;
mod drill;
mod evidence;
mod page;
mod signature;

use std::path::PathBuf;
use std::sync::Arc;

use catalog::Verification;
use clap::Args;
use control::service_of;
use engine::verify::VerifyReport;
use model::{Finding, Severity};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Global;
use super::snapshot::resolve as snapshot_id;
use crate::app::{App, only_here};
use crate::client::Api;
use crate::failure::{Exit, Failure};
use crate::follow;
use crate::output::{Output, bytes, moment, table};
use crate::progress::Progress;
use crate::services::SERVICES;
use crate::visible::visible;

use drill::Drill;
use evidence::{Evidence, Result as Outcome};
use signature::Trust;

/// Findings that are shown of a server's run.
const MOST_SHOWN: usize = 100;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  keepward verify latest\n  keepward verify latest --restore-drill\n  keepward verify latest --restore-drill --to /audit\n  \
    keepward verify --list\n  keepward verify --evidence drill.json\n  keepward verify --key\n\n\
    Every byte that the snapshot reaches is read back and hashed, every document parsed, every git repository proved to be complete,\n\
    every file and link looked up. Nothing is asked of the service. Exit code 8 means damage; 3 that something is in doubt, which the\n\
    snapshot alone cannot decide. Notes (a link to something deleted, a loss that a backup reported) leave it at 0.\n\n\
    A drill restores the snapshot into an empty simulated organization in this process, backs that up and compares, item by item. The signed\n\
    report says who, when, what was compared and what differs. Exit code 8 means that something did not come back."
)]
pub(crate) struct Command {
    /// An id, the beginning of one, or `latest`
    #[arg(required_unless_present_any = ["list", "evidence", "key"])]
    snapshot: Option<String>,
    /// Restore it into an empty simulated organization, too, and compare; the temporary folder needs room for all of it, twice
    #[arg(long)]
    restore_drill: bool,
    /// Where the drill's report goes [default: `evidence` in the data directory]
    #[arg(long, value_name = "DIR", requires = "restore_drill")]
    to: Option<PathBuf>,
    /// Who is named in the drill's report
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        hide_env = true,
        default_value = "keepward"
    )]
    by: String,
    /// The drills whose reports are in the data directory, oldest first
    #[arg(long, conflicts_with_all = ["snapshot", "restore_drill", "evidence"])]
    list: bool,
    /// Check the signature of a drill's report, and say what it says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["snapshot", "restore_drill"])]
    evidence: Option<PathBuf>,
    /// The key that the report has to be signed with [default: the one of this data directory]
    #[arg(long, value_name = "KEY", requires = "evidence")]
    public_key: Option<String>,
    /// Show the public key that drills are signed with here
    #[arg(long, conflicts_with_all = ["snapshot", "restore_drill", "evidence", "list"])]
    key: bool,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    if let Some(file) = &command.evidence {
        return judge(file, command.public_key.as_deref(), global, output).await;
    }
    if global.server.is_some() {
        return ask(&command, global, output, cancel).await;
    }
    let app = App::open(&global.data()).await?;
    if command.key {
        let key = signature::Key::load(&app).await?;
        output.event(&json!({"event": "key", "public_key": key.public()}));
        output.line(key.public());
        return Ok(Exit::Done);
    }
    if command.list {
        return listed(&app, output).await;
    }
    let Some(snapshot) = &command.snapshot else {
        return Err(Failure::usage(
            "no snapshot is named",
            "keepward verify latest",
        ));
    };
    read_back(&app, &command, snapshot, output, cancel).await
}

/// Reads a snapshot back, and restores it for trial where that is asked for.
async fn read_back(
    app: &App,
    command: &Command,
    snapshot: &str,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let (row, repository) = app.repository(command.repository.as_deref()).await?;
    let id = repository.resolve(snapshot).await?;
    if command.restore_drill {
        let snapshot = repository.snapshot(id).await?;
        drill::check(service_of(SERVICES, &snapshot)?)?;
    }
    let progress = Progress::new(output);
    let verified = app
        .control
        .verify(&repository, id, &command.by, progress.as_ref(), cancel)
        .await;
    progress.finish();
    let report = verified?;
    show(&report, output);
    if !command.restore_drill {
        repository.close().await;
        return Ok(exit(&report));
    }
    let drill = Drill {
        app,
        output,
        cancel,
        progress: Arc::clone(&progress),
        repository: &repository,
        name: &row.name,
        snapshot: id,
        by: &command.by,
    };
    let evidence = Box::pin(drill.run(report)).await;
    progress.finish();
    repository.close().await;
    keep(app, &evidence?, command.to.clone(), output).await
}

/// A server reads its snapshots back itself; drills and their reports are for the machine that they are made on.
async fn ask(
    command: &Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let Some(snapshot) = command.snapshot.as_ref().filter(|_| !command.restore_drill) else {
        return Err(only_here());
    };
    let api = Api::open(global).await?;
    let id = snapshot_id(&api, snapshot, command.repository.as_deref()).await?;
    let path = format!("/snapshots/{id}/verify");
    let queued = api.post(&path, None::<&()>).await?;
    let run = follow::follow(&api, &queued, output, cancel).await?;
    follow::tell_issues(&api, &run, "finding", MOST_SHOWN, output).await?;
    let exit = follow::exit(&run);
    output.result(&follow::result(&run));
    let found = &run["result"];
    let count = |key: &str| found[key].as_u64().unwrap_or(0);
    if !found.is_null() {
        output.line(format!(
            "{} files, {} read back: {}",
            found["files"],
            bytes(count("bytes")),
            sum(count("damage"), count("doubts"), count("notes"))
        ));
    }
    exit
}

/// Signs and writes a drill's report, and remembers what it came to.
async fn keep(
    app: &App,
    evidence: &Evidence,
    to: Option<PathBuf>,
    output: &Output,
) -> Result<Exit, Failure> {
    let folder = to.unwrap_or_else(|| app.data.join(evidence::FOLDER));
    let key = signature::Key::load(app).await?;
    let files = evidence::write(evidence, &key, &folder)?;
    let made = Verification {
        time: evidence.finished,
        damage: evidence.verified.damage,
        doubts: evidence.verified.doubts,
        differences: Some(evidence.compared.count),
        by: evidence.by.clone(),
    };
    app.catalog
        .set_verification(&evidence.snapshot.id, &made)
        .await?;
    tell(evidence, output);
    output.event(&json!({
        "event": "result", "snapshot": evidence.snapshot.id, "result": evidence.result, "differences": evidence.compared.count,
        "damage": evidence.verified.damage, "doubts": evidence.verified.doubts, "json": files.json, "html": files.html,
    }));
    output.line(format!(
        "signed report: {}\n               {}",
        files.json.display(),
        files.html.display()
    ));
    Ok(match evidence.result {
        Outcome::Passed => Exit::Done,
        Outcome::Failed => Exit::Damage,
    })
}

fn exit(report: &VerifyReport) -> Exit {
    if report.damage > 0 {
        Exit::Damage
    } else if report.doubts > 0 {
        Exit::DoneWithIssues
    } else {
        Exit::Done
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Damage => "DAMAGE",
        Severity::Doubt => "doubt",
        Severity::Note => "note",
    }
}

fn show(report: &VerifyReport, output: &Output) {
    for finding in &report.findings {
        output.event(&json!({"event": "finding", "finding": finding, "code": finding.code}));
        output.line(line(finding));
    }
    let counts = report
        .items
        .iter()
        .map(|(kind, items)| vec![kind.clone(), items.to_string()]);
    output.line(table(&["kind", "items"], counts));
    output.event(&json!({
        "event": "verified", "snapshot": report.snapshot.to_string(), "tree": report.tree.to_string(), "ok": report.is_clean(), "items": report.items,
        "files": report.files, "bytes": report.bytes, "damage": report.damage, "doubts": report.doubts, "notes": report.notes,
    }));
    output.line(format!(
        "snapshot {}: {} files, {} read back: {}",
        report.snapshot.short(),
        report.files,
        bytes(report.bytes),
        sum(report.damage, report.doubts, report.notes)
    ));
}

fn line(finding: &Finding) -> String {
    format!(
        "{:6} {}: {}",
        word(finding.severity),
        finding.code,
        visible(&finding.message)
    )
}

fn sum(damage: u64, doubts: u64, notes: u64) -> String {
    match (damage, doubts) {
        (0, 0) => format!("nothing is damaged, {notes} notes"),
        (0, _) => format!("nothing is damaged, {doubts} doubts, {notes} notes"),
        _ => format!("{damage} DAMAGED, {doubts} doubts, {notes} notes"),
    }
}

/// What a report says, for people.
fn tell(evidence: &Evidence, output: &Output) {
    for difference in &evidence.compared.differences {
        output.event(
            &json!({"event": "difference", "code": "drill-differs", "difference": difference}),
        );
        output.line(format!("DIFFERS {}", visible(difference.to_string())));
    }
    let compared = &evidence.compared;
    let kinds = compared
        .items
        .iter()
        .map(|(kind, items)| vec![kind.clone(), items.to_string()]);
    output.line(table(&["compared", "items"], kinds));
    output.line(format!(
        "{} restored snapshot {} of {} into the simulator, by {} on {}: {}",
        evidence.program,
        evidence.snapshot.id.get(..8).unwrap_or_default(),
        evidence.snapshot.source,
        evidence.by,
        moment(&evidence.finished),
        match evidence.result {
            Outcome::Passed => "it came back".to_owned(),
            Outcome::Failed => format!(
                "IT DID NOT COME BACK AS IT WAS: {} differences, {} damaged",
                compared.count, evidence.verified.damage
            ),
        }
    ));
}

async fn listed(app: &App, output: &Output) -> Result<Exit, Failure> {
    let known = signature::Key::known(app).await?;
    let rows = evidence::list(&app.data.join(evidence::FOLDER), known.as_deref())?;
    output.rows(
        &[
            "time",
            "source",
            "snapshot",
            "result",
            "differences",
            "report",
        ],
        &rows,
        |row| {
            vec![
                moment(&row.time),
                row.source.clone(),
                row.snapshot.get(..8).unwrap_or_default().to_owned(),
                row.result.clone(),
                row.differences.to_string(),
                row.file.display().to_string(),
            ]
        },
    );
    Ok(Exit::Done)
}

/// Whether a report is what was signed, and by whom.
async fn judge(
    file: &std::path::Path,
    expected: Option<&str>,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let signed = evidence::read(file)?;
    let trust = match expected {
        Some(expected) => signed.trust(Some(expected)),
        // Whoever checks a report need not have a data directory.
        None if global.data().join("catalog.db").exists() => {
            let app = App::open(&global.data()).await?;
            signed.trust(signature::Key::known(&app).await?.as_deref())
        }
        None => signed.trust(None),
    };
    let public = &signed.signature.public_key;
    match trust {
        Trust::Altered => {
            let message = format!("{}: the signature does not fit the report", file.display());
            Err(Failure {
                exit: Exit::Damage,
                ..Failure::coded("evidence-altered", message)
            })
        }
        Trust::Stranger => {
            tell(&signed.evidence, output);
            let message = format!(
                "{}: it is signed by the key {public}, which is not known here",
                file.display()
            );
            Err(Failure {
                exit: Exit::DoneWithIssues,
                ..Failure::coded("evidence-key-unknown", message)
            })
        }
        Trust::Signed => {
            tell(&signed.evidence, output);
            output.event(&json!({"event": "evidence", "ok": true, "public_key": public, "evidence": signed.evidence}));
            output.line(format!("the signature is right; key {public}"));
            Ok(Exit::Done)
        }
    }
}
