//! Patterns of names: `*` stands for anything, `?` for one character, and case does not matter.

/// Whether the pattern fits the whole name.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where the last `*` was, and how much of the name it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(&char) if char == '?' || char == name[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                at = place + 1;
                from = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plainly(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                plainly(rest, name)
                    || name
                        .split_first()
                        .is_some_and(|(_, tail)| plainly(pattern, tail))
            }
            (Some((one, rest)), Some((char, tail))) => {
                (*one == '?' || one == char) && plainly(rest, tail)
            }
            _ => false,
        }
    }

    #[test]
    fn patterns_fit_whole_names_without_regard_to_case() {
        for (pattern, name, expected) in [
            ("Payments", "payments", true),
            ("pay*", "Payments", true),
            ("pay*", "Repay", false),
            ("*/archive-*", "Web/archive-2020", true),
            ("?", "", false),
            ("*", "", true),
            ("ÄRGER*", "ärger-1", true),
            ("[a]", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn as_the_plain_definition_says(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), plainly(&chars(&pattern), &chars(&name)));
        }
    }
}
