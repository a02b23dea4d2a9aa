//! The git binary, run so that nothing of the machine's own configuration reaches it.

use std::path::Path;
use std::process::Stdio;

use model::Class;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::{Error, Result};

/// Of the inherited environment only these could change what git does, or make it print the credential.
const REMOVED: [&str; 41] = [
    "GIT_ALLOW_PROTOCOL",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ASKPASS",
    "GIT_ATTR_SOURCE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_SYSTEM",
    "GIT_CURL_VERBOSE",
    "GIT_DEFAULT_HASH",
    "GIT_DIR",
    "GIT_EXEC_PATH",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PROTOCOL",
    "GIT_PROXY_COMMAND",
    "GIT_QUARANTINE_PATH",
    "GIT_REDIRECT_STDERR",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_NO_VERIFY",
    "GIT_TEMPLATE_DIR",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE2_PERF",
    "GIT_TRACE_CURL",
    "GIT_TRACE_CURL_NO_DATA",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_REDACT",
    "GIT_WORK_TREE",
    "SSH_ASKPASS",
    "XDG_CONFIG_HOME",
];

/// A git command without its subcommand; it is killed when dropped. `home` is a folder of our own.
pub(super) fn git(home: &Path) -> Command {
    let mut command = Command::new("git");
    for name in REMOVED {
        command.env_remove(name);
    }
    command
        .env("HOME", home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .current_dir(home)
        .kill_on_drop(true);
    for setting in [
        "core.hooksPath=/dev/null",
        "credential.helper=",
        "gc.auto=0",
        "protocol.allow=never",
        "protocol.http.allow=always",
        "protocol.https.allow=always",
        "http.version=HTTP/1.1",
    ] {
        command.arg("-c").arg(setting);
    }
    command
}

/// Runs to the end and gives what it printed; a failure holds the last lines of its own words.
pub(super) async fn run(command: Command) -> Result<Vec<u8>> {
    run_with(command, &[]).await
}

/// Like [`run`], with something to read.
pub(super) async fn run_with(mut command: Command, input: &[u8]) -> Result<Vec<u8>> {
    command
        .stdin(if input.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        let error = Error::unsupported(format!("the git program cannot be started: {error}"))
            .caused_by(error);
        error.hinted("Install git, version 2.39 or newer, and make sure that it is in the PATH.")
    })?;
    let stdin = child.stdin.take();
    let feed = async {
        if let Some(mut stdin) = stdin
            && let Err(error) = stdin.write_all(input).await
        {
            // It ended without reading on; its status says why.
            tracing::debug!(%error, "git did not read its input");
        }
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output.map_err(|error| {
        Error::unsupported("the git program's output cannot be read").caused_by(error)
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<String> = said
        .lines()
        .map(|line| line.chars().filter(|c| !c.is_control()).take(300).collect())
        .filter(|line: &String| !line.trim().is_empty())
        .collect();
    let last = lines[lines.len().saturating_sub(12)..].join("; ");
    let (class, code) = meaning(&said);
    Err(Error::new(
        class,
        code,
        format!("git failed ({}): {last}", output.status),
    ))
}

fn meaning(said: &str) -> (Class, &'static str) {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&[
        "Authentication failed",
        "could not read Username",
        "returned error: 401",
    ]) {
        (Class::Credential, "credential-refused")
    } else if says(&[
        "returned error: 403",
        "returned error: 404",
        "TF401027",
        "TF401019",
    ]) {
        (Class::Permission, "git-refused")
    } else if says(&["No space left on device"]) {
        (Class::Storage, "disk-full")
    } else if says(&[
        "Could not resolve host",
        "Failed to connect",
        "returned error: 5",
        "HTTP 5",
        "unexpected disconnect",
        "early EOF",
    ]) {
        (Class::Transient, "service-unavailable")
    } else {
        (Class::Unsupported, "restore-failed")
    }
}
