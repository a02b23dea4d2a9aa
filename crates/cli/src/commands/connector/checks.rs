//! The lines of a preflight.

use serde_json::{Value, json};

use crate::client::text;
use crate::failure::Failure;
use crate::output::Output;

/// Prints each check; hints only where something is wrong.
pub(crate) fn print_checks(checks: &Value, output: &Output) {
    for check in checks.as_array().into_iter().flatten() {
        output.event(&json!({
            "event": "check", "name": check["name"], "outcome": check["outcome"], "blocks": check["blocks"],
            "message": check["message"], "hint": check["hint"], "code": check["code"],
        }));
        let outcome = text(check, "outcome");
        let word = if outcome == "fail" { "FAIL" } else { outcome };
        let (name, message) = (text(check, "name"), text(check, "message"));
        output.line(format!("{word:8} {name:16} {message}"));
        let hint = text(check, "hint");
        if !hint.is_empty() && outcome != "pass" {
            output.line(format!("{:8} {:16} hint: {hint}", "", ""));
        }
    }
}

/// The first check that lets nothing be backed up, as what the command fails with.
pub(super) fn refuse_failed(checks: &Value) -> Result<(), Failure> {
    let mut all = checks.as_array().into_iter().flatten();
    let Some(failed) = all.find(|check| check["blocks"] == true) else {
        return Ok(());
    };
    let code = failed["code"].as_str().unwrap_or("credential-refused");
    let mut failure = Failure::coded(code, text(failed, "message"));
    if let Some(hint) = failed["hint"].as_str() {
        failure.hint = Some(hint.to_owned());
    }
    Err(failure)
}
