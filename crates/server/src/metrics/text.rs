//! The text format of Prometheus.

use std::fmt::{Display, Write as _};

type Labels = Vec<(&'static str, String)>;

/// A page of figures; all names begin with `keepward_`.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn counter<N: Display>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels, N)>,
    ) {
        self.write(name, "counter", help, rows);
    }

    pub(super) fn gauge<N: Display>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels, N)>,
    ) {
        self.write(name, "gauge", help, rows);
    }

    fn write<N: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels, N)>,
    ) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        self.line(format_args!("# HELP keepward_{name} {help}"));
        self.line(format_args!("# TYPE keepward_{name} {kind}"));
        for (labels, number) in rows {
            let labels: Vec<String> = labels
                .iter()
                .map(|(key, value)| format!("{key}=\"{}\"", escape(value)))
                .collect();
            self.line(format_args!(
                "keepward_{name}{{{}}} {number}",
                labels.join(",")
            ));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        if writeln!(self.0, "{line}").is_err() {
            tracing::error!("cannot write figures");
        }
    }

    pub(super) fn end(self) -> String {
        self.0
    }
}

fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_cannot_break_a_line() {
        let mut page = Page::default();
        page.gauge(
            "runs",
            "Runs.",
            [(vec![("connector", "a\"}\n# x\\".to_owned())], 3)],
        );
        let expected = "# HELP keepward_runs Runs.\n# TYPE keepward_runs gauge\nkeepward_runs{connector=\"a\\\"}\\n# x\\\\\"} 3\n";
        assert_eq!(page.end(), expected);
    }
}
