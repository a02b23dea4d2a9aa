//! The data directory, the catalog, the vault and the repositories.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use catalog::RepositoryRow;

use super::{Finding, network};
use crate::app::{App, Place};
use crate::output::bytes;

/// Less than this is soon nothing.
const ROOM: u64 = 1 << 30;

pub(super) async fn look(place: &Place, online: bool, findings: &mut Vec<Finding>) {
    match place.config() {
        Ok(_) => findings.push(Finding::pass("configuration", "can be read")),
        Err(failure) => {
            findings.push(Finding::failed("configuration", &failure));
            return;
        }
    }
    let Ok(found) = std::fs::metadata(&**place) else {
        findings.push(Finding::unknown(
            "data directory",
            format!("{} is not there yet", place.display()),
            "The first command that needs it makes it. If there was one, give its place: --data-dir.",
        ));
        return;
    };
    findings.push(private("data directory", place, &found));
    findings.push(room("disk of the data directory", place));
    let key = place.join("key");
    if let Ok(found) = std::fs::metadata(&key) {
        findings.push(private("vault key", &key, &found));
    }
    match App::open(place).await {
        Ok(app) => {
            findings.push(Finding::pass("catalog", "opens, and its schema is current"));
            vault(&app, findings).await;
            repositories(&app, findings).await;
            if online {
                network::services(&app, findings).await;
            }
        }
        Err(failure) if failure.code.as_deref() == Some("data-directory-busy") => {
            findings.push(Finding::unknown(
                "catalog",
                "another process holds the data directory",
                "If that is `keepward serve`, ask it: keepward doctor --server URL.",
            ));
        }
        Err(failure) => findings.push(Finding::failed("catalog", &failure)),
    }
}

/// Nobody else may read what is in there.
fn private(check: &str, path: &Path, found: &Metadata) -> Finding {
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Finding::pass(check, format!("{} is for its owner alone", path.display()));
    }
    Finding::fail(
        check,
        format!("others may read {} (mode {mode:o})", path.display()),
        format!("chmod go= {}", path.display()),
    )
}

fn room(check: &str, path: &Path) -> Finding {
    let Ok(found) = nix::sys::statvfs::statvfs(path) else {
        return Finding::unknown(check, "cannot be asked", "Look with df.");
    };
    let free = found
        .blocks_available()
        .saturating_mul(found.fragment_size());
    if free < ROOM {
        return Finding::fail(
            check,
            format!("{} are free", bytes(free)),
            "Make room: a backup stops when the disk is full.",
        );
    }
    Finding::pass(check, format!("{} are free", bytes(free)))
}

/// One credential tells of all: they are sealed with one key.
async fn vault(app: &App, findings: &mut Vec<Finding>) {
    let credentials = match app.catalog.credentials().await {
        Ok(credentials) => credentials,
        Err(error) => return findings.push(Finding::failed("vault", &error.into())),
    };
    let Some(first) = credentials.first() else {
        return findings.push(Finding::pass("vault", "is empty"));
    };
    findings.push(match app.secret(&first.name).await {
        Ok(_) => Finding::pass(
            "vault",
            format!("opens; it holds {} secrets", credentials.len()),
        ),
        Err(failure) => Finding::failed("vault", &failure),
    });
}

async fn repositories(app: &App, findings: &mut Vec<Finding>) {
    let rows = match app.catalog.repositories().await {
        Ok(rows) => rows,
        Err(error) => return findings.push(Finding::failed("repositories", &error.into())),
    };
    if rows.is_empty() {
        findings.push(Finding::unknown(
            "repositories",
            "there is none yet",
            "Make one: keepward repository init PATH",
        ));
    }
    for row in rows {
        repository(app, &row, findings).await;
    }
}

async fn repository(app: &App, row: &RepositoryRow, findings: &mut Vec<Finding>) {
    let check = format!("repository {}", row.name);
    findings.push(match app.control.read_repository(row).await {
        Ok(_) => Finding::pass(&check, format!("{} opens with its password", row.location)),
        Err(error) => Finding::failed(&check, &error.into()),
    });
    let local = row
        .location
        .strip_prefix("file://")
        .unwrap_or(&row.location);
    if Path::new(local).is_dir() {
        findings.push(room(&format!("disk of {check}"), Path::new(local)));
    }
}
