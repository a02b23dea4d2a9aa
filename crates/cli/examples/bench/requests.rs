//! Requests against the floor: what `keepward demo` counts at the simulator.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::figures::Figure;

pub(crate) fn measure(keepward: &Path) -> Result<Vec<Figure>> {
    eprintln!("requests: keepward demo --json");
    let output = Command::new(keepward).args(["demo", "--json"]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().last().context("the demo printed nothing")?;
    let result: serde_json::Value = serde_json::from_str(last)?;
    anyhow::ensure!(
        output.status.success() && result["ok"] == true,
        "the demo failed: {last}"
    );
    let figure = |name, part: &str, goal| -> Result<Figure> {
        let number = |key: &str| {
            result[part][key]
                .as_f64()
                .with_context(|| format!("the demo gave no {part}.{key}"))
        };
        Ok(Figure {
            name,
            ours: number("requests")?,
            peer: number("floor")?,
            goal,
            unit: "requests",
        })
    };
    Ok(vec![
        figure("requests-full", "full", 1.05)?,
        figure("requests-quiet", "quiet", 1.0)?,
    ])
}
