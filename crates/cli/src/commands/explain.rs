//! `keepward explain`.

use clap::Args;
use model::code::{self, CODES};

use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  keepward explain permission-missing\n  keepward explain\n\nWithout a code it lists every code with its title."
)]
pub(crate) struct Command {
    /// The code, as an error or issue shows it; without one, all are listed
    code: Option<String>,
}

pub(crate) fn run(command: &Command, output: &Output) -> Result<Exit, Failure> {
    let Some(name) = &command.code else {
        for code in CODES {
            output.event(&serde_json::json!({"code": code.name, "title": code.title}));
            output.line(format!("{:24} {}", code.name, code.title));
        }
        return Ok(Exit::Done);
    };
    let code = code::find(name).ok_or_else(|| {
        Failure::usage(
            format!("there is no code {name}"),
            "keepward explain lists all",
        )
    })?;
    output.event(&serde_json::json!({"code": code.name, "title": code.title, "meaning": code.meaning, "remedy": code.remedy}));
    output.line(format!("{}: {}\n", code.name, code.title));
    if !code.meaning.is_empty() {
        output.line(format!("{}\n", code.meaning));
    }
    output.line(format!("What to do: {}", code.remedy));
    Ok(Exit::Done)
}
