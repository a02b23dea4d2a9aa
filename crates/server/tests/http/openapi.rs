//! What the description promises of every operation. That it is the committed one, `make check` compares.

use serde_json::Value;

/// Path, method and operation.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    methods.collect()
}

fn document() -> Value {
    serde_json::to_value(server::openapi()).unwrap()
}

#[test]
fn it_is_openapi_3_1() {
    assert_eq!(document()["openapi"], "3.1.0");
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = document();
    let mut seen = std::collections::BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(
            id.contains('_') && seen.insert(id),
            "{method} {path}: `{id}`"
        );
        assert!(
            operation["tags"][0].is_string(),
            "{method} {path} has no tag"
        );
        let said = operation["summary"]
            .as_str()
            .or(operation["description"].as_str());
        assert!(
            said.is_some_and(|said| !said.is_empty()),
            "{method} {path} says nothing"
        );
    }
}

#[test]
fn every_operation_names_its_permission_or_is_for_everyone() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let open = operation["security"] == serde_json::json!([{}]);
        let permission = operation["x-permission"].clone();
        let known = serde_json::from_value::<model::Permission>(permission.clone()).is_ok();
        // Workers elsewhere have tokens of their own, which open nothing else.
        let worker = path.starts_with("/worker/") && permission.is_null();
        assert!(
            worker || open != known,
            "{method} {path}: {permission}, open: {open}"
        );
    }
}

#[test]
fn refusals_are_problems_everywhere() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        for status in ["400", "401", "403", "404", "422", "500"] {
            let response = &operation["responses"][status];
            assert!(
                response.is_object(),
                "{method} {path} does not describe {status}"
            );
        }
    }
    let not_found = &document["components"]["responses"]["NotFound"]["content"];
    assert!(not_found["application/problem+json"].is_object());
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    match value {
                        Value::String(to) if key == "$ref" => found.push(to),
                        other => references(other, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn secrets_are_never_in_answers() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = serde_json::to_string(&document["paths"]).unwrap();
    for (name, schema) in schemas {
        if schema["writeOnly"] == true {
            // Secrets are members of requests, never bodies of their own.
            assert!(!text.contains(&format!("schemas/{name}\"")), "{name}");
        }
    }
}

/// Types of the same name would take each other's place without a word: the sources are read, since the document has only one of them.
#[test]
fn no_two_schemas_have_the_same_name() {
    fn read(folder: &std::path::Path, seen: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, seen);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for derived in text.split("derive(").skip(1) {
                let (traits, rest) = derived.split_once(')').unwrap();
                if !traits.contains("ToSchema") {
                    continue;
                }
                let words = |word: &&str| matches!(*word, "struct" | "enum");
                let mut rest = rest.split_whitespace().skip_while(|word| !words(word));
                let name = rest.nth(1).unwrap_or_default();
                let name = name.split(['<', '(', ';']).next().unwrap_or_default();
                seen.push((name.to_owned(), path.display().to_string()));
            }
        }
    }
    let mut seen = Vec::new();
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&sources, &mut seen);
    assert!(seen.len() > 50, "what finds nothing proves nothing");
    seen.sort();
    for pair in seen.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "{} and {}", pair[0].1, pair[1].1);
    }
}
