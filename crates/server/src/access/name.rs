//! Names of people.

use crate::Problem;

/// Letters, digits and `.`, `_`, `@`, `+`, `-`, up to 128: names are parts of paths and of the audit log.
pub(crate) fn is_name(name: &str) -> bool {
    name.chars().count() <= 128
        && name.starts_with(char::is_alphanumeric)
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "._@+-".contains(c))
}

/// Refuses what cannot be a name.
pub(crate) fn person_name(name: &str) -> Result<(), Problem> {
    if is_name(name) {
        return Ok(());
    }
    Err(Problem::field(
        "/name",
        "up to 128 letters, digits and . _ @ + -, beginning with a letter or digit",
    ))
}

/// A name made of what an identity provider calls somebody.
pub(crate) fn name_from(text: &str) -> String {
    let mapped = text.chars().map(|c| {
        let fits = c.is_alphanumeric() || "._@+-".contains(c);
        if fits { c } else { '-' }
    });
    let name: String = mapped.take(100).collect();
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    if name.is_empty() {
        "person".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_provider_says_becomes_a_name() {
        for text in [
            "anna@contoso.com",
            "b_c.com#EXT#@x.onmicrosoft.com",
            "",
            "../../etc",
            "Ünal Ö",
            "a:b/c",
            "\u{202e}x",
        ] {
            assert!(is_name(&name_from(text)), "{text}");
        }
    }

    #[test]
    fn paths_spaces_and_control_characters_are_no_names() {
        for name in [
            "",
            " ",
            "a b",
            "a/b",
            "a:b",
            "../a",
            "a\n",
            "@anna",
            &"a".repeat(129),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
