//! What the workspace promises about itself: who may depend on whom, and that every code can be explained.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The crates of ours that each may use, in production.
const GRAPH: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("simulator", &[]),
    // For tests alone: no crate may use it in production.
    ("fault-store", &[]),
    ("repository", &["model"]),
    ("catalog", &["model"]),
    ("service", &["model"]),
    ("azure-devops", &["model", "service"]),
    ("microsoft-365", &["model", "service"]),
    ("engine", &["model", "repository", "service"]),
    (
        "control",
        &["model", "repository", "catalog", "service", "engine"],
    ),
    (
        "server",
        &["model", "repository", "catalog", "service", "control"],
    ),
    (
        "cli",
        &[
            "server",
            "microsoft-365",
            "model",
            "repository",
            "catalog",
            "service",
            "azure-devops",
            "engine",
            "control",
            "simulator",
        ],
    ),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Package by package: the crates of the workspace that it depends on, and how.
fn dependencies() -> BTreeMap<String, Vec<(String, bool)>> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let arguments = [
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
        "--offline",
    ];
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let used = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        // `kind` is null for what production uses.
        all.filter(|dependency| ours.contains(&name(dependency)))
            .map(|dependency| (name(dependency), dependency["kind"] == "dev"))
            .collect()
    };
    packages
        .iter()
        .map(|package| (name(package), used(package)))
        .collect()
}

#[test]
fn crates_depend_on_each_other_as_the_design_says() {
    let graph: BTreeMap<&str, &[&str]> = GRAPH.into();
    for (package, used) in dependencies() {
        let allowed = graph
            .get(package.as_str())
            .unwrap_or_else(|| panic!("{package} has no place in the graph"));
        for (dependency, _) in used.iter().filter(|(_, development)| !development) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{package} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn the_simulator_shares_no_code_with_what_it_tests() {
    let all = dependencies();
    assert!(all["simulator"].is_empty(), "{:?}", all["simulator"]);
}

/// Every source file of production code, without the tests inside.
fn sources() -> Vec<(PathBuf, String)> {
    let mut open: Vec<PathBuf> = std::fs::read_dir(workspace().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .collect();
    let mut sources = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let production = text.split("\n#[cfg(test)]").next().unwrap().to_owned();
            sources.push((path, production));
        }
    }
    sources
}

/// The string literal that `text` begins with, white space aside.
fn literal(text: &str) -> Option<&str> {
    let literal = text.trim_start().strip_prefix('"')?.split('"').next()?;
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (!literal.is_empty() && literal.chars().all(kebab)).then_some(literal)
}

/// Codes that a source names: where one is made, and in the arms of a function that maps errors to codes.
fn codes(text: &str) -> Vec<&str> {
    let after = |mark: &'static str| text.split(mark).skip(1);
    let mut codes: Vec<&str> = ["code: ", "coded("]
        .into_iter()
        .flat_map(after)
        .filter_map(literal)
        .collect();
    let classes = after("Error::new(")
        .filter(|rest| rest.trim_start().starts_with("Class::"))
        .filter_map(|rest| literal(rest.split_once(',')?.1));
    codes.extend(classes);
    for function in after("fn code(") {
        let body = function.split("\n    }").next().unwrap_or(function);
        codes.extend(
            body.split("=>")
                .skip(1)
                .filter_map(|arm| arm.split('\n').next())
                .filter_map(|arm| literal(arm.trim_start().strip_prefix("Some(").unwrap_or(arm))),
        );
        codes.extend(body.split("then_some(").skip(1).filter_map(literal));
    }
    codes
}

#[test]
fn every_code_in_the_sources_can_be_explained() {
    let mut found = BTreeSet::new();
    for (path, text) in sources() {
        // The simulator speaks the codes of the service.
        if path
            .components()
            .any(|part| part.as_os_str() == "simulator")
        {
            continue;
        }
        for code in codes(&text) {
            assert!(
                model::code::find(code).is_some(),
                "{}: {code} is not among the codes",
                path.display()
            );
            found.insert(code.to_owned());
        }
    }
    // What finds nothing proves nothing.
    for code in [
        "data-directory-busy",
        "wrong-password",
        "permission-missing",
        "implausible-drop",
    ] {
        assert!(found.contains(code), "{code} was not found: {found:?}");
    }
}

#[test]
fn every_code_is_given_somewhere() {
    let sources = sources();
    for code in model::code::CODES {
        let quoted = format!("\"{}\"", code.name);
        let given = |(path, text): &&(PathBuf, String)| {
            !path.ends_with("model/src/code.rs") && text.contains(&quoted)
        };
        assert!(
            sources.iter().any(|source| given(&source)),
            "nothing gives the code {}",
            code.name
        );
    }
}

/// `a/{b,c}.rs` names two.
fn alternatives(path: &str) -> Vec<String> {
    let parts = path.split_once('{').and_then(|(head, rest)| {
        let (names, tail) = rest.split_once('}')?;
        let names = names.split(',');
        Some(names.map(|name| format!("{head}{name}{tail}")).collect())
    });
    parts.unwrap_or_else(|| vec![path.to_owned()])
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let root = workspace();
    let mut count = 0;
    for page in ["README.md", "docs/ARCHITECTURE.md", "docs/adding-a-kind.md"] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let spans = text.split('`').skip(1).step_by(2);
        let code = |span: &&str| span.contains("/src/") || span.contains("/tests/");
        for path in spans.filter(code).flat_map(alternatives) {
            count += 1;
            let there = [root.join(&path), root.join("crates").join(&path)];
            assert!(there.iter().any(|path| path.exists()), "{page}: {path}");
        }
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap();
            let there = link.is_empty() || link.contains("://") || {
                let from = root.join(page);
                from.parent().unwrap().join(link).exists()
            };
            assert!(there, "{page}: {link}");
        }
    }
    assert!(count > 60, "{count} files");
}
