//! What the demonstration came to: differences, the table, the floor term by term.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::compare::{Applies, Difference, KINDS, Rule};
use super::story::{Backup, Restore, Told};
use crate::output::{Output, bytes, table};
use crate::scenario::{Folder, quoted};

/// Differences that are printed; the count tells of the rest.
const PRINTED: usize = 500;

#[derive(Serialize)]
struct Row {
    kind: &'static str,
    items: u64,
    bytes: u64,
    requests: u64,
    floor: u64,
    seconds: f64,
    differences: u64,
}

pub(super) struct Report {
    rows: Vec<Row>,
    differences: Vec<(String, Vec<Difference>)>,
    rules: Vec<&'static Rule>,
    /// What went wrong without being a difference.
    troubles: Vec<String>,
    floor: Vec<String>,
    /// Requests of the full backup that no term of the floor stands for, by kind.
    beyond: Vec<String>,
    summary: Value,
}

impl Report {
    pub(super) fn of(told: &Told) -> Self {
        let mut rules: Vec<&'static Rule> = Vec::new();
        for rule in told
            .comparisons
            .iter()
            .flat_map(|(_, outcome)| &outcome.rules)
        {
            if !rules.iter().any(|known| std::ptr::eq(*known, *rule)) {
                rules.push(rule);
            }
        }
        Self {
            rows: KINDS.iter().map(|kind| row(kind, told)).collect(),
            differences: told
                .comparisons
                .iter()
                .map(|(title, outcome)| (title.clone(), outcome.differences.clone()))
                .collect(),
            rules,
            troubles: troubles(told),
            floor: told.full.floor.lines(),
            beyond: beyond(told),
            summary: json!({
                "full": cost(&told.full),
                "quiet": cost(&told.quiet),
                "incremental": cost(&told.incremental),
                "restore": restores(told),
            }),
        }
    }

    fn count(&self) -> usize {
        self.differences.iter().map(|(_, found)| found.len()).sum()
    }

    pub(super) fn ok(&self) -> bool {
        self.count() == 0 && self.troubles.is_empty()
    }

    pub(super) fn show(&self, output: &Output, folder: &Folder) {
        output.line("\n== 5. Compare by what the simulator itself holds");
        self.comparison(output);
        self.table(output);
        for trouble in &self.troubles {
            output.event(&json!({"event": "trouble", "message": trouble}));
            output.line(format!("NOT AS IT SHOULD BE: {trouble}"));
        }
        let (repository, password) = (
            folder.argument("repository"),
            folder.argument("repository-password"),
        );
        let line = format!(
            "restic -r {} --password-file {} ls latest",
            quoted(repository),
            quoted(password)
        );
        output.line("\nAnyone can read the repository, without us:");
        if folder.is_temporary() {
            let place = quoted(folder.join(""));
            output.line(format!("(it stays until you remove it: rm -r {place}; --dir DIR keeps it, and all the rest, where you want it)"));
        }
        output.line(format!("\n{line}"));
        let mut result = json!({"event": "result", "ok": self.ok(), "kinds": self.rows});
        if let (Some(result), Some(summary)) = (result.as_object_mut(), self.summary.as_object()) {
            result.extend(summary.clone());
        }
        output.event(&result);
    }

    fn comparison(&self, output: &Output) {
        let of = [
            (Applies::Always, "Everything has to be equal, except:"),
            (
                Applies::Anew,
                "and, of what was created again in another organization or after it was destroyed:",
            ),
            (
                Applies::Undeleted,
                "and, of what came out of the recycle bin:",
            ),
        ];
        for (applies, words) in of {
            output.line(words);
            for rule in self.rules.iter().filter(|rule| rule.applies == applies) {
                output.line(format!("  - {}: {}", rule.what, rule.reason));
            }
        }
        output.line("");
        let mut left = PRINTED;
        for (title, found) in &self.differences {
            output.line(format!(
                "{title}: {}",
                if found.is_empty() {
                    "equal".to_owned()
                } else {
                    format!("{} DIFFERENCES", found.len())
                }
            ));
            for difference in found {
                output.event(
                    &json!({"event": "difference", "comparison": title, "difference": difference}),
                );
            }
            for difference in found.iter().take(left) {
                output.line(format!("  {difference}"));
            }
            if found.len() > left {
                output.line(format!("  … and {} more", found.len() - left));
            }
            left = left.saturating_sub(found.len());
        }
    }

    fn table(&self, output: &Output) {
        let head = [
            "kind", "items", "bytes", "requests", "floor", "seconds", "result",
        ];
        let rows = self.rows.iter().map(|row| {
            let result = if row.differences == 0 {
                "equal".to_owned()
            } else {
                format!("{} differ", row.differences)
            };
            vec![
                row.kind.to_owned(),
                row.items.to_string(),
                bytes(row.bytes),
                row.requests.to_string(),
                row.floor.to_string(),
                format!("{:.1}", row.seconds),
                result,
            ]
        });
        output.line(format!("\n{}", table(&head, rows)));
        output.line("\nThe floor of the first backup (⌈items/page⌉ with the service's page sizes; areas and iterations come together):");
        self.floor
            .iter()
            .for_each(|line| output.line(format!("  {line}")));
        if !self.beyond.is_empty() {
            output.line(format!(
                "  requests beyond these terms: {}",
                self.beyond.join(", ")
            ));
        }
        for (name, words) in [
            ("full", "first backup"),
            ("quiet", "nothing changed"),
            ("incremental", "after the changes"),
        ] {
            let cost = &self.summary[name];
            let stored = bytes(cost["bytes_stored"].as_u64().unwrap_or(0));
            let (requests, floor, seconds) = (
                &cost["requests"],
                &cost["floor"],
                cost["seconds"].as_f64().unwrap_or(0.0),
            );
            output.line(format!("{words:18} {requests} requests, floor {floor}, ratio {:.3}, {stored} stored, {seconds:.1} s", ratio(cost)));
        }
    }
}

fn ratio(cost: &Value) -> f64 {
    cost["requests"].as_f64().unwrap_or(0.0) / cost["floor"].as_f64().unwrap_or(1.0).max(1.0)
}

fn row(kind: &'static str, told: &Told) -> Row {
    let spent = told.full.spent.of_kind(kind);
    let items = told
        .comparisons
        .last()
        .and_then(|(_, outcome)| outcome.items.get(kind))
        .copied()
        .unwrap_or(0);
    Row {
        kind,
        items,
        bytes: spent.bytes,
        requests: spent.requests,
        floor: told.full.floor.of_kind(kind),
        seconds: (spent.seconds * 10.0).round() / 10.0,
        differences: told
            .comparisons
            .iter()
            .map(|(_, outcome)| outcome.of_kind(kind))
            .sum(),
    }
}

fn cost(backup: &Backup) -> Value {
    let Backup {
        made, spent, floor, ..
    } = backup;
    json!({
        "requests": spent.requests,
        "floor": floor.total(),
        "bytes_sent": spent.bytes,
        "bytes_stored": made.counts.bytes_stored,
        "issues": made.issues,
        "seconds": made.seconds,
    })
}

fn restored(restore: &Restore) -> Value {
    let Restore { applied, requests } = restore;
    json!({
        "requests": requests,
        "created": applied.created,
        "undeleted": applied.undeleted,
        "merged": applied.merged,
        "skipped": applied.skipped,
        "failed": applied.failed,
        "seconds": applied.seconds,
    })
}

fn restores(told: &Told) -> Value {
    let requests: u64 = told
        .repaired
        .iter()
        .chain([&told.elsewhere])
        .map(|restore| restore.requests)
        .sum();
    json!({"requests": requests, "original": told.repaired.iter().map(restored).collect::<Vec<_>>(), "elsewhere": restored(&told.elsewhere)})
}

fn troubles(told: &Told) -> Vec<String> {
    let mut troubles = Vec::new();
    for (name, backup) in [
        ("first", &told.full),
        ("quiet", &told.quiet),
        ("incremental", &told.incremental),
    ] {
        if backup.unexpected > 0 {
            troubles.push(format!(
                "the {name} backup had {} issues that nothing explains",
                backup.unexpected
            ));
        }
    }
    for restore in told.repaired.iter().chain([&told.elsewhere]) {
        if restore.applied.troubles() > 0 {
            troubles.push(format!(
                "a restore says that {} items did not come back as they were",
                restore.applied.troubles()
            ));
        }
    }
    let restored: u64 = told
        .repaired
        .iter()
        .map(|restore| restore.applied.created + restore.applied.undeleted)
        .sum();
    if restored == 0 {
        troubles.push("nothing was restored into the original organization".to_owned());
    }
    troubles
}

/// Kinds that cost more than the terms of the floor.
fn beyond(told: &Told) -> Vec<String> {
    let kinds: BTreeSet<&str> = KINDS
        .into_iter()
        .chain(told.full.spent.kinds.keys().map(String::as_str))
        .collect();
    let more = |kind: &str| {
        told.full
            .spent
            .of_kind(kind)
            .requests
            .saturating_sub(told.full.floor.of_kind(kind))
    };
    kinds
        .into_iter()
        .filter(|kind| more(kind) > 0)
        .map(|kind| format!("{kind} {}", more(kind)))
        .collect()
}
