//! Data to standard output, as text for people or as JSON lines for programs.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use crate::failure::{Exit, Failure};

/// Where a command's results go.
#[derive(Clone)]
pub(crate) struct Output {
    pub json: bool,
    /// Why a result did not reach whoever asked for it.
    lost: Arc<OnceLock<String>>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            lost: Arc::default(),
        }
    }

    /// A line for people; nothing with `--json`.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            self.write_line(text.as_ref());
        }
    }

    /// A JSON line for programs; nothing without `--json`.
    pub(crate) fn event(&self, value: &impl Serialize) {
        if self.json {
            match serde_json::to_string(value) {
                Ok(text) => self.write_line(&text),
                Err(error) => self.is_lost(&error.into()),
            }
        }
    }

    /// The event `result` with the members of a document; nothing without `--json`.
    pub(crate) fn result(&self, document: &impl Serialize) {
        #[derive(Serialize)]
        struct Result<'a, T> {
            event: &'static str,
            #[serde(flatten)]
            document: &'a T,
        }
        self.event(&Result {
            event: "result",
            document,
        });
    }

    /// A table for people, or one JSON document a row.
    pub(crate) fn rows<T: Serialize>(
        &self,
        head: &[&str],
        rows: &[T],
        cells: impl Fn(&T) -> Vec<String>,
    ) {
        if self.json {
            for row in rows {
                self.event(row);
            }
            return;
        }
        self.write_line(&table(head, rows.iter().map(cells)));
    }

    fn write_line(&self, text: &str) {
        self.data(format!("{text}\n").as_bytes());
    }

    /// What a command gives as it is, to standard output.
    pub(crate) fn data(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
            self.is_lost(&error);
        }
    }

    /// What was to be written to standard output. A reader that closed its end (`| head`) has what it wants; a full disk is another matter.
    pub(crate) fn is_lost(&self, error: &std::io::Error) {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            tracing::debug!("standard output is closed");
        } else {
            self.lost.get_or_init(|| error.to_string());
        }
    }

    /// What a command ends with that did what it was asked: a result that was lost on the way is no success.
    pub(crate) fn ended(&self, exit: Exit) -> ExitCode {
        match self.lost.get() {
            Some(error) if matches!(exit, Exit::Done | Exit::DoneWithIssues) => {
                let message = format!("cannot write the result: {error}");
                self.failure(&Failure::coded("output-failed", message))
            }
            _ => exit.into(),
        }
    }

    /// Something to keep in mind, on standard error.
    #[expect(clippy::unused_self, reason = "what people are told goes through here")]
    pub(crate) fn notice(&self, text: impl AsRef<str>) {
        write_error(&format!("{}\n", text.as_ref()));
    }

    /// Progress bars make sense.
    pub(crate) fn is_terminal(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    pub(crate) fn failure(&self, failure: &Failure) -> ExitCode {
        if self.json {
            self.event(&serde_json::json!({
                "event": "error",
                "message": failure.message,
                "code": failure.code,
                "hint": failure.hint,
                "exit": failure.exit as u8,
            }));
        }
        let mut text = format!("error: {}\n", failure.message);
        if let Some(hint) = &failure.hint {
            text = format!("{text}hint: {hint}\n");
        }
        if let Some(code) = &failure.code {
            text = format!("{text}code: {code} (keepward explain {code})\n");
        }
        write_error(&text);
        failure.exit.into()
    }
}

/// Columns without lines; numbers to the right.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_header(head.iter().map(|name| name.to_uppercase()));
    let rows: Vec<Vec<String>> = rows.collect();
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if !rows.is_empty()
            && rows
                .iter()
                .all(|row| row.get(at).is_some_and(|cell| is_number(cell)))
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.add_rows(rows);
    table.trim_fmt()
}

/// A count, or a size with its unit; not a date or an id that begins with a digit.
fn is_number(cell: &str) -> bool {
    let number = cell.split(' ').next().unwrap_or("");
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// A time to the second, from one that may have more digits.
pub(crate) fn moment(time: &impl ToString) -> String {
    let time = time.to_string();
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time,
    }
}

/// `1.2 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

fn write_error(text: &str) {
    if std::io::stderr().lock().write_all(text.as_bytes()).is_err() {
        tracing::debug!("standard error is closed");
    }
}
