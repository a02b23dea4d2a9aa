//! File names from a snapshot are foreign: they become names that every file system takes and that stay where they are put.

use model::is_unseen;
use repository::Id;

/// Names longer than this are cut and get a part of their hash: file systems take 255 bytes, and a suffix may follow.
const LONGEST: usize = 200;
const CUT: usize = 150;
/// Windows' device names, which are no files in any folder.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The name of the file; equal to `name` when that is harmless. Percent-encoding, which percent-decoding reverses unless the name was cut.
pub(super) fn escape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for char in name.chars() {
        if is_plain(char) {
            out.push(char);
        } else {
            encode(char, &mut out);
        }
    }
    if out.is_empty() {
        return "%".to_owned();
    }
    // `.`, `..`, and names whose end Windows would drop.
    if out.ends_with(['.', ' ']) {
        let last = out.pop().unwrap_or('.');
        encode(last, &mut out);
    }
    if out == "." || out.starts_with(".%2E") {
        out.replace_range(0..1, "%2E");
    }
    if is_device(&out) {
        let first = out.remove(0);
        let mut code = String::new();
        encode(first, &mut code);
        out.insert_str(0, &code);
    }
    if out.len() > LONGEST {
        cut(&out, name)
    } else {
        out
    }
}

/// Another name for the `number`th of several that would have the same.
pub(super) fn numbered(name: &str, number: usize) -> String {
    match name
        .rsplit_once('.')
        .filter(|(stem, ending)| !stem.is_empty() && ending.len() <= 10)
    {
        Some((stem, ending)) => format!("{stem}~{number}.{ending}"),
        None => format!("{name}~{number}"),
    }
}

fn is_plain(char: char) -> bool {
    let odd = matches!(
        char,
        '%' | '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*'
    );
    !odd && !is_unseen(char) && !char.is_control()
}

fn encode(char: char, out: &mut String) {
    use std::fmt::Write as _;
    for byte in char.encode_utf8(&mut [0; 4]).bytes() {
        write!(out, "%{byte:02X}").unwrap_or_default();
    }
}

fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or(name)
        .trim_end()
        .to_ascii_lowercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            matches!(
                rest.chars().collect::<Vec<_>>()[..],
                ['0'..='9' | '¹' | '²' | '³']
            )
        })
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

/// The beginning of a long name, and enough of its hash to tell it from others.
fn cut(escaped: &str, name: &str) -> String {
    let mut end = CUT;
    while !escaped.is_char_boundary(end) {
        end -= 1;
    }
    // Not within a percent code.
    if let Some(percent) = escaped[..end]
        .rfind('%')
        .filter(|percent| end - percent < 3)
    {
        end = percent;
    }
    let hash = Id::of(name.as_bytes()).to_string();
    format!("{}~{}", &escaped[..end], &hash[..24])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unescape(name: &str) -> String {
        if name == "%" {
            return String::new();
        }
        let bytes = name.as_bytes();
        let (mut out, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            if bytes[at] == b'%' {
                out.push(u8::from_str_radix(&name[at + 1..at + 3], 16).unwrap());
                at += 3;
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn every_name_becomes_one_harmless_component(name in "\\PC{0,30}|[./\\\\%: \\x00-\\x1f]{0,8}|(con|COM1|nul)(\\.txt)?|\\p{Han}{0,200}") {
            let escaped = escape(&name);
            prop_assert!(!escaped.is_empty() && escaped != "." && escaped != "..");
            prop_assert!(escaped.len() <= 200);
            prop_assert!(!escaped.chars().any(|char| char.is_control() || "/\\:*?\"<>|".contains(char)));
            prop_assert!(!escaped.ends_with(['.', ' ']));
            prop_assert!(!is_device(&escaped));
        }

        #[test]
        fn escaped_names_can_be_read_back(name in "\\PC{0,30}|[./\\\\%: \\x00-\\x1f]{0,8}|(con|COM1|nul)(\\.txt)?") {
            prop_assert_eq!(unescape(&escape(&name)), name);
        }

        #[test]
        fn different_names_stay_different(one in "[a%.]{0,5}|x{190,260}", other in "[a%.]{0,5}|x{190,260}") {
            prop_assert_eq!(escape(&one) == escape(&other), one == other);
        }
    }

    #[test]
    fn harmless_names_stay_as_they_are() {
        for name in [
            "work-item.json",
            ".gitignore",
            "…",
            "Größe 12 日本.md",
            "console.log",
            "com10",
            "a..b",
            "👩\u{200d}💻",
        ] {
            assert_eq!(escape(name), name);
        }
    }

    #[test]
    fn hostile_names_are_encoded() {
        for (name, expected) in [
            ("..", "%2E%2E"),
            (".", "%2E"),
            ("", "%"),
            ("a/b", "a%2Fb"),
            ("100%", "100%25"),
            ("aux.c", "%61ux.c"),
            ("x.", "x%2E"),
            ("\u{202e}fdp", "%E2%80%AEfdp"),
            ("\u{61c}a", "%D8%9Ca"),
        ] {
            assert_eq!(escape(name), expected);
        }
    }

    #[test]
    fn several_of_one_name_are_numbered_before_the_ending() {
        assert_eq!(numbered("a.json", 2), "a~2.json");
        assert_eq!(numbered(".gitignore", 3), ".gitignore~3");
    }
}
