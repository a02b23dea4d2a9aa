//! Names of refs come from a server and end up in files and arguments: only what git itself accepts is let in.

/// Whether `name` is a full ref name by the rules of git-check-ref-format.
pub(super) fn is_valid(name: &str) -> bool {
    name.strip_prefix("refs/")
        .is_some_and(|rest| !rest.is_empty())
        && name.len() <= 4096
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name
            .bytes()
            .any(|b| b <= b' ' || b == 0x7f || b"~^:?*[\\".contains(&b))
        && name
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && !has_lock_suffix(part))
}

/// Git's own rule is about exactly these bytes: `a.LOCK` is a good name.
fn has_lock_suffix(part: &str) -> bool {
    part.as_bytes().ends_with(b".lock")
}

/// For messages: without control characters, of a bounded length.
pub(super) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name)
        .chars()
        .take(120)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_pass() {
        for name in [
            "refs/heads/main",
            "refs/pull/12/merge",
            "refs/heads/ünï/日本",
            "refs/tags/v1.0-rc@1",
            "refs/heads/@",
            "refs/heads/a.LOCK",
            "refs/heads/-x",
        ] {
            assert!(is_valid(name), "{name}");
        }
    }

    #[test]
    fn names_that_git_refuses_are_refused() {
        for name in [
            "HEAD",
            "refs/",
            "refs",
            "heads/main",
            "refs/heads/",
            "refs//x",
            "refs/heads/a b",
            "refs/heads/a\nb",
            "refs/heads/a\0",
            "refs/heads/a\x7f",
            "refs/heads/../../config",
            "refs/heads/.hidden",
            "refs/heads/x.lock",
            "refs/x.lock/y",
            "refs/heads/a.",
            "refs/heads/a~1",
            "refs/heads/a^{}",
            "refs/heads/a:b",
            "refs/heads/a?",
            "refs/heads/*",
            "refs/heads/[",
            "refs/heads/a\\b",
            "refs/heads/@{1}",
        ] {
            assert!(!is_valid(name), "{name:?}");
        }
    }

    #[test]
    fn a_hostile_name_is_shown_on_one_line() {
        assert_eq!(
            shown(b"refs/heads/a\n\x1b[31m"),
            "refs/heads/a\\n\\u{1b}[31m"
        );
    }
}
