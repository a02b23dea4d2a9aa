//! Programs and files of the machine.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::Finding;

/// Where systems keep the certificates that they trust.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

pub(super) async fn look(findings: &mut Vec<Finding>) {
    findings.push(git().await);
    let bundle = BUNDLES.iter().find(|path| Path::new(path).exists());
    findings.push(match bundle {
        Some(path) => Finding::pass("certificates", (*path).to_owned()),
        None => Finding::fail(
            "certificates",
            "the system's trusted certificates are not there: no service can be reached by https",
            "Install them: apt-get install ca-certificates",
        ),
    });
}

async fn git() -> Finding {
    let asked = Command::new("git")
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await;
    match asked {
        Ok(output) if output.status.success() => {
            Finding::pass("git", String::from_utf8_lossy(&output.stdout).trim())
        }
        _ => Finding::fail(
            "git",
            "the program git is not there: repositories cannot be restored or consolidated",
            "Install it: apt-get install git",
        ),
    }
}
