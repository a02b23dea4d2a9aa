//! Whatever help texts, pages and explanations show as a command is one.

use clap::{CommandFactory as _, Parser as _};
use model::code::CODES;

use super::Cli;

/// A terminal of this width shows an example in one piece, to be copied.
const WIDTH: usize = 100;

/// All commands, each with its path.
fn all(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
    for sub in command.get_subcommands() {
        let path = format!("{path} {}", sub.get_name());
        found.push((path.clone(), sub.clone()));
        all(sub, &path, found);
    }
}

fn commands() -> Vec<(String, clap::Command)> {
    let mut found = Vec::new();
    all(&Cli::command(), "keepward", &mut found);
    found
}

/// Indented lines that begin with the program's name; a backslash goes on in the next line.
fn examples(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter(|line| line.starts_with("  "));
    let examples = lines.map(str::trim);
    let examples = examples.filter(|line| line.starts_with("keepward "));
    examples.map(str::to_owned).collect()
}

/// The words up to a pipe, a redirection or a comment; what is quoted is one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    for character in line.chars() {
        match (quote, character) {
            (Some(end), _) if character == end => quote = None,
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(character);
            }
            (None, '|' | '>' | '#' | '&') if word.is_none() => return words,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// Why this is no command.
fn wrong(line: &str) -> Option<String> {
    let error = Cli::try_parse_from(words(line)).err()?;
    Some(format!("{line}\n{error}"))
}

#[test]
fn every_example_of_a_help_text_is_a_command_that_fits_a_terminal() {
    let (mut count, mut bad) = (0, Vec::new());
    for (path, command) in commands() {
        let Some(help) = command.get_after_help().map(ToString::to_string) else {
            continue;
        };
        let examples = examples(&help);
        count += examples.len();
        bad.extend(examples.iter().filter_map(|example| wrong(example)));
        let shown = help.lines().filter(|line| line.starts_with("  "));
        let long = shown.filter(|line| line.len() > WIDTH);
        bad.extend(long.map(|line| format!("{path}: {line}")));
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(count > 100, "{count} examples");
}

#[test]
fn every_command_that_does_something_has_an_example() {
    for (path, command) in commands() {
        if command.has_subcommands() || command.is_hide_set() {
            continue;
        }
        let help = command.get_after_help().map(ToString::to_string);
        assert!(
            help.is_some_and(|help| !examples(&help).is_empty()),
            "{path}"
        );
    }
}

#[test]
fn every_command_of_a_page_is_one() {
    for (name, text) in [
        ("README.md", include_str!("../../../../README.md")),
        (
            "docs/ARCHITECTURE.md",
            include_str!("../../../../docs/ARCHITECTURE.md"),
        ),
        (
            "packaging/keepward.service",
            include_str!("../../../../packaging/keepward.service"),
        ),
    ] {
        for example in examples(text) {
            assert_eq!(wrong(&example), None, "{name}");
        }
        assert_eq!(strangers(text), [""; 0], "{name}");
    }
}

#[test]
fn every_command_of_an_explanation_is_one() {
    for code in CODES {
        for text in [code.meaning, code.remedy] {
            assert_eq!(strangers(text), [""; 0], "{}", code.name);
        }
    }
}

/// Commands between backticks that there are not.
fn strangers(text: &str) -> Vec<String> {
    let spans = text.split('`').skip(1).step_by(2);
    let spans = spans.filter_map(|span| span.strip_prefix("keepward "));
    let unknown = spans.filter(|span| !is_known(span));
    unknown.map(str::to_owned).collect()
}

/// The words before the first argument lead to a command.
fn is_known(span: &str) -> bool {
    let mut at = Cli::command();
    for word in span.split_whitespace() {
        let is_name = word.starts_with(|first: char| first.is_ascii_lowercase());
        if !at.has_subcommands() || !is_name {
            break;
        }
        let choices = word.split('|').map(|name| at.find_subcommand(name));
        let Some(choices) = choices.collect::<Option<Vec<_>>>() else {
            return false;
        };
        at = choices[0].clone();
    }
    true
}
