//! A drill's report as one page: it needs nothing else, runs nothing, and prints.

use super::evidence::{Evidence, Result};
use super::signature::Signature;
use crate::output::{bytes, moment};
use crate::visible::visible;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid #ccc; }
.passed, .failed { display: inline-block; padding: .2rem .7rem; border-radius: .3rem; font-weight: 600; border: 2px solid; }
.passed { color: #0b5c2c; } .failed { color: #a4161a; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #e4e4e4; overflow-wrap: anywhere; }
th { font-weight: 600; } td.n, th.n { text-align: right; } code { font-size: .9em; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } tr { break-inside: avoid; } }
</style>
"#;

/// `json` is the name of the signed file beside it.
pub(super) fn render(evidence: &Evidence, signature: &Signature, json: &str) -> String {
    let mut page = Page(HEAD.to_owned());
    page.head(evidence);
    page.facts(evidence);
    page.differences(evidence);
    page.findings(evidence);
    page.items(evidence);
    page.left_out(evidence);
    page.signature(signature, json);
    page.0.push_str("</body>\n</html>\n");
    page.0
}

struct Page(String);

impl Page {
    fn head(&mut self, evidence: &Evidence) {
        let title = format!("Restore drill of {}", evidence.snapshot.source);
        let (class, word) = match evidence.result {
            Result::Passed => ("passed", "PASSED"),
            Result::Failed => ("failed", "FAILED"),
        };
        self.add(format!(
            "<title>{0}: {word}</title>\n</head>\n<body>\n<h1>{0}</h1>\n<p><span class=\"{class}\">{word}</span></p>\n",
            escaped(&title)
        ));
        self.add(match evidence.result {
            Result::Passed => "<p>The snapshot was read back whole, restored into an empty simulated organization, backed up from there, and both snapshots were compared item by item. Nothing differs beyond what is listed below as left out.</p>\n".to_owned(),
            Result::Failed => format!(
                "<p>Something is damaged or did not come back as it was: {} differences, {} damaged, {} in doubt.</p>\n",
                evidence.compared.count, evidence.verified.damage, evidence.verified.doubts
            ),
        });
    }

    fn facts(&mut self, evidence: &Evidence) {
        let (snapshot, verified, restored) =
            (&evidence.snapshot, &evidence.verified, &evidence.restored);
        let rows = [
            ("by", evidence.by.clone()),
            ("with", evidence.program.clone()),
            (
                "when",
                format!(
                    "{} to {}",
                    moment(&evidence.started),
                    moment(&evidence.finished)
                ),
            ),
            (
                "organization",
                format!("{} ({})", snapshot.source, snapshot.url),
            ),
            (
                "snapshot",
                format!("{} of {}", snapshot.id, moment(&snapshot.time)),
            ),
            ("tree", snapshot.tree.clone()),
            (
                "repository",
                format!("{} ({})", evidence.repository.id, evidence.repository.name),
            ),
            (
                "read back",
                format!("{} files, {}", verified.files, bytes(verified.bytes)),
            ),
            (
                "restored",
                format!(
                    "{} created, {} merged, {} skipped, {} cannot be restored, {} failed; {} requests",
                    restored.created,
                    restored.merged,
                    restored.skipped,
                    restored.exported,
                    restored.failed,
                    restored.requests
                ),
            ),
        ];
        self.table(
            "What was done",
            &["", ""],
            rows.map(|(name, value)| vec![name.to_owned(), value]),
        );
    }

    fn differences(&mut self, evidence: &Evidence) {
        let compared = &evidence.compared;
        if compared.count == 0 {
            return;
        }
        let rows = compared.differences.iter().map(|difference| {
            vec![
                difference.kind.clone(),
                difference.item.clone(),
                difference.field.clone(),
                difference.expected.clone(),
                difference.found.clone(),
            ]
        });
        let title = format!("Differences ({})", compared.count);
        self.table(
            &title,
            &["kind", "item", "where", "in the snapshot", "came back"],
            rows,
        );
    }

    fn findings(&mut self, evidence: &Evidence) {
        if evidence.verified.findings.is_empty() {
            return;
        }
        let rows = evidence.verified.findings.iter().map(|finding| {
            vec![
                super::word(finding.severity).to_owned(),
                finding.code.clone(),
                finding.message.clone(),
            ]
        });
        self.table(
            "Findings of reading it back",
            &["severity", "code", "what"],
            rows,
        );
    }

    fn items(&mut self, evidence: &Evidence) {
        let (stored, compared) = (&evidence.verified.items, &evidence.compared.items);
        let rows = stored.iter().map(|(kind, items)| {
            let compared = compared.get(kind).copied().unwrap_or(0);
            vec![kind.clone(), items.to_string(), compared.to_string()]
        });
        self.table("Items", &["kind", "in the snapshot", "compared"], rows);
    }

    fn left_out(&mut self, evidence: &Evidence) {
        let rows = evidence.compared.left_out.iter().map(|left| {
            vec![
                left.kinds.join(", "),
                left.what.clone(),
                left.reason.clone(),
            ]
        });
        self.table(
            "Left out of the comparison",
            &["kinds", "what", "why"],
            rows,
        );
        let losses = evidence
            .restored
            .losses
            .iter()
            .map(|(loss, items)| vec![items.to_string(), loss.clone()]);
        self.table(
            "Losses that the restore plan declared",
            &["items", "loss"],
            losses,
        );
    }

    fn signature(&mut self, signature: &Signature, json: &str) {
        self.add(format!(
            "<h2>Signature</h2>\n<p>This page shows what is signed in <code>{0}</code>; that file is the evidence. Check it with <code>keepward verify --evidence {0}</code>.</p>\n\
            <p>{1} key <code>{2}</code><br>signature <code>{3}</code></p>\n",
            escaped(json),
            escaped(&signature.algorithm),
            escaped(&signature.public_key),
            escaped(&signature.value)
        ));
    }

    fn table(&mut self, title: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.add(format!("<h2>{}</h2>\n<table>\n", escaped(title)));
        if head.iter().any(|name| !name.is_empty()) {
            self.add("<thead>");
            self.row("th", head);
            self.add("</thead>\n");
        }
        self.add("<tbody>\n");
        for row in rows {
            self.row("td", &row);
        }
        self.add("</tbody>\n</table>\n");
    }

    fn row(&mut self, tag: &str, cells: &[impl AsRef<str>]) {
        self.add("<tr>");
        for cell in cells {
            self.add(format!("<{tag}>{}</{tag}>", escaped(cell.as_ref())));
        }
        self.add("</tr>\n");
    }

    fn add(&mut self, text: impl AsRef<str>) {
        self.0.push_str(text.as_ref());
    }
}

/// Everything that comes from elsewhere is text, and nothing in it is unseen.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        assert_eq!(
            escaped("<script>\"a\" & 'b'\u{202e}\u{200b}\n"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\\u{202e}\\u{200b}\\u{a}"
        );
    }
}
