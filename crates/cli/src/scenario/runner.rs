//! Runs the real binary as a user does and reads the JSON lines that it prints.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::failure::Failure;
use crate::output::Output;

/// Where commands are run and shown.
pub(crate) struct Runner<'a> {
    program: PathBuf,
    data: PathBuf,
    output: &'a Output,
}

/// A command that ended.
pub(crate) struct Ran {
    /// The JSON lines that it printed.
    pub events: Vec<Value>,
    pub exit: i32,
    pub seconds: f64,
}

impl<'a> Runner<'a> {
    /// Commands of this very program over the data directory `data`.
    pub(crate) fn new(data: PathBuf, output: &'a Output) -> Result<Self, Failure> {
        let program = std::env::current_exe().context("cannot find the program's own file")?;
        output.line(format!("$ export KEEPWARD_DATA_DIR={}", quoted(&data)));
        Ok(Self {
            program,
            data,
            output,
        })
    }

    pub(crate) fn output(&self) -> &'a Output {
        self.output
    }

    /// Runs a command to its end. Exit codes that are not in `accept` are failures, with what the command said.
    pub(crate) async fn run(&self, arguments: &[&str], accept: &[i32]) -> Result<Ran, Failure> {
        let words: Vec<String> = arguments.iter().map(quoted).collect();
        self.output
            .line(format!("\n$ keepward {}", words.join(" ")));
        self.output
            .event(&json!({"event": "command", "arguments": arguments}));
        let started = Instant::now();
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .arg("--json")
            .arg("--data-dir")
            .arg(&self.data);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let mut events = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines
                .next_line()
                .await
                .context("cannot read what the command prints")?
            {
                events.push(
                    serde_json::from_str(&line)
                        .with_context(|| format!("this is not a JSON line: {line}"))?,
                );
            }
        }
        let status = child.wait().await.context("cannot wait for the command")?;
        let ran = Ran {
            events,
            exit: status.code().unwrap_or(-1),
            seconds: started.elapsed().as_secs_f64(),
        };
        if accept.contains(&ran.exit) {
            return Ok(ran);
        }
        let said = ran
            .of("error")
            .next()
            .and_then(|error| error["message"].as_str())
            .unwrap_or("it said nothing");
        let message = format!(
            "`keepward {}` ended with {status}: {said}",
            arguments.join(" ")
        );
        Err(anyhow::anyhow!(message).into())
    }
}

impl Ran {
    /// The events of a name.
    pub(crate) fn of<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Value> {
        self.events
            .iter()
            .filter(move |event| event["event"] == name)
    }

    /// The event that the command ends with.
    pub(crate) fn last(&self, name: &str) -> Result<&Value, Failure> {
        let missing = || anyhow::anyhow!("the command did not print its {name} line").into();
        self.events
            .iter()
            .rfind(|event| event["event"] == name)
            .ok_or_else(missing)
    }
}

/// As a shell takes it.
pub(crate) fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy().into_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_needs_it() {
        assert_eq!(quoted("--pat-file=/tmp/a_b"), "--pat-file=/tmp/a_b");
        assert_eq!(quoted("Adventure Works"), "'Adventure Works'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn the_last_line_of_a_name_is_the_result() {
        let events = vec![
            json!({"event": "result", "n": 1}),
            json!({"event": "result", "n": 2}),
            json!({"event": "note"}),
        ];
        let ran = Ran {
            events,
            exit: 0,
            seconds: 0.0,
        };
        assert_eq!(ran.last("result").unwrap()["n"], 2);
        assert_eq!(ran.of("result").count(), 2);
        assert!(ran.last("plan").is_err());
    }
}
