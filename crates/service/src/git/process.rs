//! The git binary, run so that nothing of the machine's own configuration reaches it.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use model::Class;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};

use super::Oid;
use crate::{Error, Result};

/// Of the inherited environment only these could change what git does, or make it print the credential.
const REMOVED: [&str; 40] = [
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
        // Replacements are refs like others, and no view of the history.
        .env("GIT_NO_REPLACE_OBJECTS", "1")
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

/// A git command in a bare repository, with the memory of a small machine for packs of many gigabytes.
pub(super) fn git_in(bare: &Path, arguments: &[&str]) -> Command {
    let mut command = git(bare);
    for setting in [
        "pack.threads=1",
        // What the other side has is looked for in all its trees, not at the same paths alone.
        "pack.useSparse=false",
        "pack.windowMemory=64m",
        "pack.deltaCacheSize=32m",
        "core.packedGitWindowSize=16m",
        "core.packedGitLimit=128m",
    ] {
        command.arg("-c").arg(setting);
    }
    command.arg("--git-dir").arg(bare).args(arguments);
    command
}

/// Objects for git's standard input: there may be more than fit into arguments.
pub(super) fn listed<'a>(ids: impl IntoIterator<Item = &'a Oid>) -> Vec<u8> {
    ids.into_iter()
        .flat_map(|id| format!("{id}\n").into_bytes())
        .collect()
}

/// Runs to the end and gives what it printed; a failure holds the last lines of its own words.
pub(super) async fn run(command: Command) -> Result<Vec<u8>> {
    run_with(command, &[]).await
}

/// Like [`run`], with something to read.
pub(super) async fn run_with(command: Command, input: &[u8]) -> Result<Vec<u8>> {
    let mut printed = Vec::new();
    let mut keep = |piece: &[u8]| {
        printed.extend_from_slice(piece);
        true
    };
    run_to(command, input, &mut keep).await?;
    Ok(printed)
}

/// How many bytes it prints. It is stopped when they are more than `most`.
pub(super) async fn count(command: Command, input: &[u8], most: u64) -> Result<u64> {
    let mut bytes = 0;
    let mut add = |piece: &[u8]| {
        bytes += piece.len() as u64;
        bytes <= most
    };
    run_to(command, input, &mut add).await?;
    Ok(bytes)
}

/// Gives what it prints to `take`, and stops it when that has enough.
pub(super) async fn run_to(
    mut command: Command,
    input: &[u8],
    take: &mut (dyn FnMut(&[u8]) -> bool + Send),
) -> Result<()> {
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
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut said = Vec::new();
    let mut hear = |piece: &[u8]| {
        said.extend_from_slice(piece);
        true
    };
    let ended = tokio::try_join!(
        feed(stdin, input),
        read(stdout, take),
        read(stderr, &mut hear)
    );
    match ended {
        Err(None) => return Ok(()),
        Err(Some(error)) => return Err(unreadable(error)),
        Ok(_) => {}
    }
    let status = child.wait().await.map_err(unreadable)?;
    if status.success() {
        return Ok(());
    }
    Err(failure(status, &said))
}

async fn feed(stdin: Option<ChildStdin>, input: &[u8]) -> Result<(), Option<io::Error>> {
    if let Some(mut stdin) = stdin
        && let Err(error) = stdin.write_all(input).await
    {
        // It ended without reading on; its status says why.
        tracing::debug!(%error, "git did not read its input");
    }
    Ok(())
}

/// An error that is none means that `take` has enough.
async fn read(
    from: Option<impl AsyncRead + Unpin>,
    take: &mut (dyn FnMut(&[u8]) -> bool + Send),
) -> Result<(), Option<io::Error>> {
    let Some(mut from) = from else { return Ok(()) };
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer).await.map_err(Some)? {
            0 => return Ok(()),
            length if take(&buffer[..length]) => {}
            _ => return Err(None),
        }
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::unsupported("the git program's output cannot be read").caused_by(error)
}

fn failure(status: ExitStatus, said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<String> = said
        .lines()
        .map(|line| line.chars().filter(|c| !c.is_control()).take(300).collect())
        .filter(|line: &String| !line.trim().is_empty())
        .collect();
    let last = lines[lines.len().saturating_sub(12)..].join("; ");
    let (class, code) = meaning(&said);
    Error::new(class, code, format!("git failed ({status}): {last}"))
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
